//! The ends of lanes: of those who ended by themselves, and of those who were ended.

use super::lanes::Drawing;
use super::model::{Arrow, Because, Sign};
use super::recording::{Event, Process};

impl Drawing<'_> {
    /// Ends the lanes of those who did not end by themselves, and says what became of them.
    pub(super) fn end_what_is_open(&mut self, processes: &[Process]) {
        for (number, process) in processes.iter().enumerate() {
            for event in process
                .events
                .iter()
                .filter(|event| event.what == "process ended")
            {
                let begins = |child: &usize| processes[*child].begins <= event.at;
                let pid = event.number("pid");
                let child = (0..processes.len())
                    .filter(|&child| Some(processes[child].pid) == pid)
                    .rfind(begins);
                if let Some(child) = child {
                    self.end_process(number, child, event);
                }
            }
        }
        for (lane, process) in self.lanes_of_processes() {
            // Who ended by itself may have told something since, and ends with that.
            let ends_with = if self.open[lane].is_over {
                lane
            } else {
                self.by_thread[&(process, self.processes[process].pid)]
            };
            self.end(lane, self.lanes[ends_with].end);
        }
    }

    fn lanes_of_processes(&self) -> Vec<(usize, usize)> {
        let mut lanes: Vec<(usize, usize)> = self
            .by_thread
            .iter()
            .map(|((process, _), lane)| (*lane, *process))
            .collect();
        // Threads first: they end with their process at the latest.
        lanes.sort_by_key(|&(lane, _)| (self.lanes[lane].is_main, lane));
        lanes
    }

    /// A process has ended, and its parent knows.
    fn end_process(&mut self, parent: usize, child: usize, event: &Event) {
        let lane = self.by_thread[&(child, self.processes[child].pid)];
        let known = self.time(event.at);
        if !self.open[lane].is_over {
            let end = self.death_of(child, known);
            for (lane, process) in self.lanes_of_processes() {
                if process == child && !self.open[lane].is_over {
                    self.end(lane, end);
                }
            }
        }
        let status = event.text("status");
        if status != "exit status: 0" && status != "unknown" {
            let at = self.lanes[lane].end;
            self.mark(lane, Sign::Death, at, in_short(status));
        }
        let from = (lane, self.lanes[lane].end);
        let to = self.by_thread[&(parent, self.processes[parent].pid)];
        self.arrows.push(Arrow {
            kind: Because::Joined,
            from,
            to: (to, known),
        });
    }

    /// When a process that was killed died: before its parent knew, and before anybody got a lock that it held.
    fn death_of(&self, child: usize, known: u64) -> u64 {
        let is_of_child = |lane: usize| self.lanes[lane].process == self.processes[child].pid;
        let kept = self
            .held
            .iter()
            .filter(|held| is_of_child(held.lane) && held.end.is_none());
        let taken = kept.filter_map(|kept| {
            let next = self
                .held
                .iter()
                .filter(|next| next.lock == kept.lock && next.start > kept.start);
            next.map(|next| next.start).min()
        });
        taken.min().unwrap_or(known).min(known)
    }
}

/// `SIGKILL` of `signal: 9 (SIGKILL)`, or the status as it is.
fn in_short(status: &str) -> String {
    let signal = status
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    signal.map_or(status, |(name, _)| name).to_owned()
}
