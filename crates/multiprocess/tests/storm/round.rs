//! One round of one kind, what may happen to processes in it, and the count of that.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use multiprocess::{Error, JoinHandle};
use rustix::process::{Pid, Signal};
use serde::de::DeserializeOwned;

use crate::story::proc;

/// Pseudo-random numbers, the same for each seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        // Similar seeds lead to different numbers; 0 would stay 0.
        Dice(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a length")
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Plays a round.
pub(crate) type Play = fn(&mut Round<'_>);

/// A kind of test.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) round: Play,
    pub(crate) rounds: AtomicU64,
    /// When it last made progress, in milliseconds since the beginning.
    beat: AtomicU64,
    /// Whether its last round is over.
    pub(crate) done: AtomicBool,
}

/// The whole storm.
pub(crate) struct Storm {
    pub(crate) seed: u64,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) kills: AtomicU64,
    pub(crate) stops: AtomicU64,
    /// Whether all rounds are over.
    pub(crate) over: AtomicBool,
    start: Instant,
    end: Instant,
}

impl Storm {
    pub(crate) fn new(seed: u64, length: Duration, kinds: &[(&'static str, Play)]) -> Storm {
        let kind = |&(name, round): &(&'static str, Play)| Kind {
            name,
            round,
            rounds: AtomicU64::new(0),
            beat: AtomicU64::new(0),
            done: AtomicBool::new(false),
        };
        let start = Instant::now();
        Storm {
            seed,
            kinds: kinds.iter().map(kind).collect(),
            kills: AtomicU64::new(0),
            stops: AtomicU64::new(0),
            over: AtomicBool::new(false),
            start,
            end: start + length,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    pub(crate) fn age(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns how long a kind has made no progress.
    pub(crate) fn silence(&self, kind: &Kind) -> Duration {
        let beat = Duration::from_millis(kind.beat.load(Ordering::Relaxed));
        self.age().saturating_sub(beat)
    }

    pub(crate) fn round<'a>(&'a self, kind: &'a Kind, number: u64) -> Round<'a> {
        let rounds = kind.rounds.load(Ordering::Relaxed);
        let mut dice = Dice::new(self.seed ^ number << 56 ^ rounds << 32);
        let length = Duration::from_millis(200 + dice.below(1_000));
        let round = Round {
            storm: self,
            kind,
            dice,
            until: (Instant::now() + length).min(self.end),
            killed: 0,
        };
        round.beat();
        round
    }
}

/// One round.
pub(crate) struct Round<'a> {
    storm: &'a Storm,
    kind: &'a Kind,
    pub(crate) dice: Dice,
    until: Instant,
    /// The number of processes that were killed in it.
    pub(crate) killed: u64,
}

impl Round<'_> {
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Reports progress to the watchdog.
    pub(crate) fn beat(&self) {
        let age =
            u64::try_from(self.storm.age().as_millis()).expect("a storm does not last that long");
        self.kind.beat.store(age, Ordering::Relaxed);
    }

    /// Pauses for at most that many microseconds, before something happens.
    pub(crate) fn pause(&mut self, most: u64) {
        let pause = Duration::from_micros(self.dice.below(most));
        std::thread::sleep(pause);
    }

    /// Returns whether the next process should be large, and slow to die.
    pub(crate) fn is_next_large(&mut self) -> bool {
        self.dice.chance(4)
    }

    /// Stops a process for a moment.
    pub(crate) fn stop(&mut self, pid: u32) {
        proc::send(pid, Signal::STOP);
        self.pause(20_000);
        proc::send(pid, Signal::CONT);
        self.storm.stops.fetch_add(1, Ordering::Relaxed);
        self.beat();
    }

    /// Kills a process by its pid, perhaps while it is stopped, and perhaps slowly.
    pub(crate) fn kill_pid(&mut self, pid: u32) {
        if self.dice.chance(30) {
            proc::send(pid, Signal::STOP);
            self.pause(10_000);
            self.storm.stops.fetch_add(1, Ordering::Relaxed);
        }
        if self.dice.chance(30) {
            // All others are scheduled before it while it dies, but not earlier, since it may hold what they wait for.
            let victim = Pid::from_raw(pid.try_into().expect("a pid is small"));
            let _ = rustix::process::setpriority_process(victim, 19);
        }
        proc::kill(pid);
        self.killed += 1;
        self.storm.kills.fetch_add(1, Ordering::Relaxed);
        self.beat();
    }

    /// Kills a process, which must have had no failure until then.
    pub(crate) fn kill<R: DeserializeOwned>(&mut self, victim: JoinHandle<R>) {
        self.kill_pid(victim.pid());
        match victim.join() {
            Err(Error::Killed { .. }) => {}
            Err(error) => panic!("a victim ended before it was killed: {error}"),
            Ok(_) => panic!("a victim returned before it was killed"),
        }
        self.beat();
    }

    /// Joins a process that must not be killed.
    pub(crate) fn join<R: DeserializeOwned>(&mut self, survivor: JoinHandle<R>) -> R {
        let answer = survivor.join();
        self.beat();
        answer.unwrap_or_else(|error| panic!("a survivor: {error}"))
    }
}

/// Processes that are killed and replaced.
pub(crate) struct Victims<'a> {
    running: Vec<JoinHandle<()>>,
    /// Starts one for a place, possibly a large one.
    make: Box<dyn FnMut(usize, bool) -> JoinHandle<()> + 'a>,
}

impl<'a> Victims<'a> {
    pub(crate) fn new(
        count: usize,
        mut make: impl FnMut(usize, bool) -> JoinHandle<()> + 'a,
    ) -> Victims<'a> {
        Victims {
            running: (0..count).map(|place| make(place, false)).collect(),
            make: Box::new(make),
        }
    }

    /// After a pause, stops or kills one of them, or stops one of the survivors.
    pub(crate) fn disturb_one(&mut self, round: &mut Round<'_>, survivors: &[u32]) {
        round.pause(8_000);
        if round.dice.chance(15) && !survivors.is_empty() {
            let survivor = survivors[round.dice.index(survivors.len())];
            return round.stop(survivor);
        }
        let place = round.dice.index(self.running.len());
        if round.dice.chance(25) {
            return round.stop(self.running[place].pid());
        }
        let large = round.is_next_large();
        let replacement = (self.make)(place, large);
        let victim = std::mem::replace(&mut self.running[place], replacement);
        round.kill(victim);
    }

    /// Kills all.
    pub(crate) fn end(self, round: &mut Round<'_>) {
        for victim in self.running {
            round.kill(victim);
        }
    }
}

/// Allocates much memory in this process, which takes a while to free when it is killed.
pub(crate) fn grow(large: bool) {
    const MEMORY: usize = 200 << 20;
    const PAGE: usize = 4096;
    if large {
        let memory = vec![0_u8; MEMORY].leak();
        for page in memory.chunks_mut(PAGE) {
            page[0] = 1;
        }
    }
}
