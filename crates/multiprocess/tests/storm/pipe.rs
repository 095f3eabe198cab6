//! Pipes with large messages: each arrives complete and in order, and a killed process is the end.

use std::time::{Duration, Instant};

use multiprocess::{Connection, JoinHandle, RegisteredTask, Waitable, pipe, spawn, task};

use super::round::Round;
use crate::story;

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(sends), task(receives)]
}

/// A message, its number, and the sum of its bytes.
type Message = (u64, u64, String);

/// How many messages may be in flight before one is answered.
const AHEAD: u64 = 4;

fn message(number: u64) -> Message {
    const MIB: usize = 1 << 20;
    let length = match number % 4 {
        0 | 1 => MIB,
        2 => MIB + usize::try_from(number % 100).unwrap(),
        _ => usize::try_from(number * 37 % 70_000).unwrap(),
    };
    let letter = char::from(b'a' + u8::try_from(number % 26).unwrap());
    let text = letter.to_string().repeat(length);
    let sum = u64::from(letter) * u64::try_from(length).unwrap();
    (number, sum, text)
}

fn check((number, sum, text): &Message, expected: u64) {
    assert_eq!(*number, expected, "the number of the message");
    assert_eq!(*sum, message(expected).1);
    let letter = text.as_bytes().first().copied().unwrap_or_default();
    // Compared as a whole, which is faster than byte by byte.
    assert!(
        *text == message(expected).2,
        "message {expected} is damaged: {letter}…"
    );
}

fn sends(receiver: Connection<Message, u64>) {
    let mut answered = 0;
    for number in 0.. {
        receiver.send(message(number)).unwrap();
        while number - answered >= AHEAD {
            let answer = receiver.recv().unwrap();
            assert_eq!(answer, answered);
            answered += 1;
        }
    }
}

fn receives(sender: Connection<u64, Message>) {
    for number in 0.. {
        let message = sender.recv().expect("the sender is there");
        check(&message, number);
        sender.send(number).unwrap();
    }
}

pub(crate) fn round(round: &mut Round<'_>) {
    if round.dice.chance(50) {
        senders_are_killed(round);
    } else {
        receivers_are_killed(round);
    }
}

/// A child that sends, and how many of its messages have arrived.
struct SendingChild {
    child: Option<JoinHandle<()>>,
    ours: Connection<u64, Message>,
    arrived: u64,
}

impl SendingChild {
    fn new() -> SendingChild {
        let (ours, theirs) = pipe().unwrap();
        SendingChild {
            child: Some(spawn(sends, (theirs,)).unwrap()),
            ours,
            arrived: 0,
        }
    }

    /// Receives the messages that have arrived; returns false at the end.
    fn receive(&mut self) -> bool {
        let received = self.ours.recv_timeout(story::LIMIT / 2);
        let Some(message) = story::unless_end(received) else {
            return false;
        };
        check(&message, self.arrived);
        // It may be dead.
        let _ = self.ours.send(self.arrived);
        self.arrived += 1;
        true
    }
}

fn senders_are_killed(round: &mut Round<'_>) {
    let mut senders = [(); 3].map(|()| SendingChild::new());
    loop {
        // Receive for a moment from any child that sends.
        let until = Instant::now() + Duration::from_micros(round.dice.below(50_000));
        while Instant::now() < until {
            let connections: Vec<&dyn Waitable> =
                senders.iter().map(|it| &it.ours as &dyn Waitable).collect();
            let ready = multiprocess::wait_timeout(&connections, Duration::from_millis(5));
            for place in ready.unwrap_or_default() {
                assert!(senders[place].receive(), "a sender has ended by itself");
            }
            round.beat();
        }
        let sender = &mut senders[round.dice.index(3)];
        let child = sender.child.take().expect("it is running");
        if round.dice.chance(30) {
            round.stop(child.pid());
            sender.child = Some(child);
            continue;
        }
        round.kill(child);
        // The rest arrives, and the end.
        while sender.receive() {}
        if round.is_over() {
            break;
        }
        *sender = SendingChild::new();
    }
    for mut sender in senders {
        if let Some(child) = sender.child.take() {
            round.kill(child);
            while sender.receive() {}
        }
    }
}

fn receivers_are_killed(round: &mut Round<'_>) {
    while !round.is_over() {
        let (ours, theirs) = pipe::<Message, u64>().unwrap();
        let child = spawn(receives, (theirs,)).unwrap();
        let until = Instant::now() + Duration::from_micros(round.dice.below(100_000));
        let (mut sent, mut answered) = (0, 0);
        while Instant::now() < until {
            ours.send(message(sent)).unwrap();
            sent += 1;
            if sent - answered >= AHEAD {
                let answer = ours.recv_timeout(story::LIMIT / 2).unwrap();
                assert_eq!(answer, answered);
                answered += 1;
            }
            if round.dice.chance(5) {
                round.stop(child.pid());
            }
        }
        round.kill(child);
        let next = || story::unless_end(ours.recv_timeout(story::LIMIT / 2));
        while let Some(answer) = next() {
            assert_eq!(answer, answered);
            answered += 1;
        }
        assert!(answered <= sent);
        story::until("sending to the dead is an error", || {
            ours.send(message(sent))
                .is_err_and(|error| error.is_closed())
        });
    }
}
