//! Arrows from lane to lane: who started whom, who got what somebody put, and who waited for whose lock.

use super::lanes::Drawing;
use super::model::{Arrow, Because};

impl Drawing<'_> {
    /// Gives all arrows, also those that were drawn with the ends, in the order of their points.
    pub(super) fn all_arrows(&mut self) -> Vec<Arrow> {
        let mut arrows = std::mem::take(&mut self.arrows);
        for (from, child) in std::mem::take(&mut self.started) {
            let process = &self.processes[child];
            let lane = self.by_thread[&(child, process.pid)];
            arrows.push(Arrow {
                kind: Because::Started,
                from,
                to: (lane, self.time(process.begins)),
            });
        }
        for (queue, item, lane, at) in std::mem::take(&mut self.got) {
            if let Some(&from) = self.put.get(&(queue, item)) {
                arrows.push(Arrow {
                    kind: Because::Message,
                    from,
                    to: (lane, at),
                });
            }
        }
        self.held.sort_by_key(|held| held.start);
        for (index, next) in self.held.iter().enumerate() {
            let mut before = self.held[..index].iter().rev();
            if let Some(before) = before.find(|held| held.lock == next.lock)
                && let Some(released) = before.end.filter(|&end| end > next.asked)
                && before.lane != next.lane
            {
                arrows.push(Arrow {
                    kind: Because::Lock,
                    from: (before.lane, released),
                    to: (next.lane, next.start),
                });
            }
        }
        arrows.sort_by_key(|arrow| arrow.to.1);
        arrows
    }
}
