//! One queue: which of its messages are ready, delayed or in flight. Pure: every method receives the time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::attributes::QueueAttributes;
use super::error::{Kind, SqsError};
use super::message::{Message, Now, Place};

/// The most messages of a standard queue that may be in flight.
const MAX_IN_FLIGHT: usize = 120_000;

/// Bytes of the check value in a receipt handle.
const TAG_BYTES: usize = 16;

/// The number of messages in a queue, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// Ready to be received.
    pub visible: usize,
    /// Received, not deleted, and not timed out.
    pub in_flight: usize,
    /// Those of `in_flight` whose invocation has failed and that wait for their retry.
    pub failed: usize,
    /// Those of `in_flight` that their consumer has deferred.
    pub put_off: usize,
    /// Sent with a delay that is not over.
    pub delayed: usize,
}

impl QueueDepth {
    /// Returns the number of all messages in the queue.
    #[must_use]
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }

    /// Returns the number of messages that do not wait for the stack's clock: all except delayed and deferred ones.
    #[must_use]
    pub fn under_way(self) -> usize {
        self.visible + self.in_flight - self.put_off
    }

    /// Those that are worked on now, or can be.
    #[must_use]
    pub fn busy(self) -> usize {
        self.under_way() - self.failed
    }
}

/// The messages of a receive.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Now in flight.
    pub(super) received: Vec<u64>,
    /// Received too often: removed, to be put into the dead-letter queue.
    pub(super) dead: Vec<Message>,
    /// Past the retention period: removed.
    pub(super) expired: Vec<u64>,
}

/// A standard queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) attributes: QueueAttributes,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    /// The key of the check values of receipt handles, which distinguish made-up handles from real ones.
    pub(super) secret: Vec<u8>,
    handle_key: hmac::Key,
    messages: HashMap<u64, Message>,
    /// Ready ones, oldest first.
    ready: BTreeSet<u64>,
    /// Those that get ready at a moment of the stack's clock.
    by_clock: BTreeSet<(i64, u64)>,
    /// Those that get ready at a moment of the machine's time.
    by_machine: BTreeSet<(i64, u64)>,
    /// The number of messages by state; `visible` is the length of `ready`.
    depth: QueueDepth,
    /// Wakes waiting receives.
    pub(super) arrived: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(name: String, attributes: QueueAttributes, secret: Vec<u8>, created_ms: i64) -> Self {
        Self {
            name,
            attributes,
            created_ms,
            modified_ms: created_ms,
            handle_key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            secret,
            messages: HashMap::new(),
            ready: BTreeSet::new(),
            by_clock: BTreeSet::new(),
            by_machine: BTreeSet::new(),
            depth: QueueDepth::default(),
            arrived: Arc::new(Notify::new()),
        }
    }

    /// Adds a message in its state.
    pub(super) fn insert(&mut self, message: Message) {
        self.enter(message.seq, message.place);
        self.messages.insert(message.seq, message);
        self.arrived.notify_waiters();
    }

    /// Records that the message `seq` is at `place`.
    fn enter(&mut self, seq: u64, place: Place) {
        match place {
            Place::Ready => {
                self.ready.insert(seq);
            }
            Place::Delayed(at) | Place::PutOff(at) => {
                self.by_clock.insert((at, seq));
            }
            Place::InFlight(at) => {
                self.by_machine.insert((at, seq));
            }
            Place::Failed { machine, clock } => {
                self.by_machine.insert((machine, seq));
                self.by_clock.insert((clock, seq));
            }
        }
        self.counted(place, 1);
    }

    /// Records that the message `seq` is no longer at `place`.
    fn leave(&mut self, seq: u64, place: Place) {
        match place {
            Place::Ready => {
                self.ready.remove(&seq);
            }
            Place::Delayed(at) | Place::PutOff(at) => {
                self.by_clock.remove(&(at, seq));
            }
            Place::InFlight(at) => {
                self.by_machine.remove(&(at, seq));
            }
            Place::Failed { machine, clock } => {
                self.by_machine.remove(&(machine, seq));
                self.by_clock.remove(&(clock, seq));
            }
        }
        self.counted(place, -1);
    }

    fn counted(&mut self, place: Place, by: isize) {
        let QueueDepth { in_flight, failed, delayed, put_off, .. } = &mut self.depth;
        let counts: &mut [&mut usize] = match place {
            Place::Ready => &mut [],
            Place::Delayed(_) => &mut [delayed],
            Place::InFlight(_) => &mut [in_flight],
            Place::Failed { .. } => &mut [in_flight, failed],
            Place::PutOff(_) => &mut [in_flight, put_off],
        };
        counts.iter_mut().for_each(|count| **count = count.saturating_add_signed(by));
    }

    /// Moves the message `seq`, if it is there.
    fn move_to(&mut self, seq: u64, place: Place) {
        if let Some(message) = self.messages.get_mut(&seq) {
            let old = std::mem::replace(&mut message.place, place);
            self.leave(seq, old);
            self.enter(seq, place);
        }
    }

    /// Makes due messages ready.
    fn promote(&mut self, now: Now) {
        let before = self.ready.len();
        loop {
            let due = |set: &BTreeSet<(i64, u64)>, now| set.first().filter(|(at, _)| *at <= now).map(|(_, seq)| *seq);
            let Some(seq) = due(&self.by_clock, now.clock).or_else(|| due(&self.by_machine, now.machine)) else {
                break;
            };
            self.move_to(seq, Place::Ready);
        }
        if self.ready.len() > before {
            self.arrived.notify_waiters();
        }
    }

    /// Wakes receives that wait, for the stack's clock has moved.
    pub(super) fn clock_moved(&self) {
        self.arrived.notify_waiters();
    }

    /// When the next message gets ready by the machine's time.
    pub(super) fn next_by_machine(&self) -> Option<i64> {
        self.by_machine.first().map(|&(at, _)| at)
    }

    /// When the next message gets ready by the stack's clock.
    pub(super) fn next_by_clock(&self) -> Option<i64> {
        self.by_clock.first().map(|&(at, _)| at)
    }

    /// Records that the consumer of messages in flight has failed: their timeouts end by the stack's clock, too.
    pub(super) fn fail(&mut self, now: Now, seqs: &[u64]) {
        for &seq in seqs {
            if let Some(Place::InFlight(until)) = self.messages.get(&seq).map(|message| message.place) {
                let left = (until - now.machine).max(0);
                self.move_to(seq, Place::Failed { machine: until, clock: now.clock.saturating_add(left) });
            }
        }
        self.arrived.notify_waiters();
    }

    /// Receives up to `most` messages and hides them for `timeout_ms`.
    pub(super) fn take(&mut self, now: Now, most: usize, timeout_ms: i64) -> Result<Taken, SqsError> {
        self.promote(now);
        let mut taken = Taken::default();
        if self.depth.in_flight >= MAX_IN_FLIGHT {
            return Err(SqsError::new(Kind::OverLimit, "Too many messages in flight."));
        }
        let kept_since = now.machine - i64::from(self.attributes.retention) * 1000;
        let max_receives = self.attributes.redrive.as_ref().map_or(u32::MAX, |redrive| redrive.max_receives);
        while taken.received.len() < most {
            let Some(&seq) = self.ready.first() else { break };
            let Some(message) = self.messages.get_mut(&seq) else { break };
            if message.sent_ms < kept_since {
                self.remove(seq);
                taken.expired.push(seq);
            } else if message.receives >= max_receives {
                taken.dead.extend(self.remove(seq));
            } else {
                message.receives += 1;
                message.first_received_ms.get_or_insert(now.machine);
                self.move_to(seq, Place::InFlight(now.machine.saturating_add(timeout_ms)));
                taken.received.push(seq);
            }
        }
        Ok(taken)
    }

    /// Removes up to `most` ready messages from the queue, oldest first.
    pub(super) fn drain_ready(&mut self, now: Now, most: usize) -> Vec<Message> {
        self.promote(now);
        let mut drained = Vec::new();
        while drained.len() < most {
            let Some(&seq) = self.ready.first() else { break };
            drained.extend(self.remove(seq));
        }
        drained
    }

    /// The messages that are past the retention period.
    pub(super) fn expired(&self, now: i64) -> Vec<u64> {
        let kept_since = now - i64::from(self.attributes.retention) * 1000;
        self.messages.values().filter(|message| message.sent_ms < kept_since).map(|message| message.seq).collect()
    }

    /// The number of its newest message.
    pub(super) fn newest(&self) -> Option<u64> {
        self.messages.keys().copied().max()
    }

    /// The message `seq`.
    pub(super) fn message(&self, seq: u64) -> Option<&Message> {
        self.messages.get(&seq)
    }

    /// The receipt handle of the latest receive of `message`.
    pub(super) fn handle(&self, message: &Message) -> String {
        let mut bytes = [message.seq.to_be_bytes().as_slice(), message.receives.to_be_bytes().as_slice()].concat();
        let tag = hmac::sign(&self.handle_key, &bytes);
        bytes.extend(tag.as_ref().iter().take(TAG_BYTES));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The message that `handle` was given out for, if that receive is its latest; `None` when it is gone or was received again since.
    ///
    /// # Errors
    /// The handle was not given out by this queue.
    pub(super) fn resolve(&self, handle: &str) -> Result<Option<u64>, SqsError> {
        let bytes = BASE64URL_NOPAD.decode(handle.as_bytes()).map_err(|_| SqsError::bad_handle())?;
        let (named, tag) = bytes.split_at_checked(12).ok_or_else(SqsError::bad_handle)?;
        let expected = hmac::sign(&self.handle_key, named);
        if expected.as_ref().get(..TAG_BYTES) != Some(tag) {
            return Err(SqsError::bad_handle());
        }
        let (seq, receives) = named.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
        let seq = number(seq);
        Ok(self
            .messages
            .get(&seq)
            .filter(|message| u64::from(message.receives) == number(receives))
            .map(|message| message.seq))
    }

    /// Removes a message in any state.
    pub(super) fn remove(&mut self, seq: u64) -> Option<Message> {
        let message = self.messages.remove(&seq)?;
        self.leave(seq, message.place);
        Some(message)
    }

    /// Sets when a message in flight becomes visible again.
    pub(super) fn change_visibility(&mut self, now: Now, seq: u64, timeout_ms: i64) -> Result<(), SqsError> {
        self.promote(now);
        let place = self.messages.get(&seq).map(|message| message.place);
        if !matches!(place, Some(Place::InFlight(_) | Place::Failed { .. } | Place::PutOff(_))) {
            return Err(SqsError::new(Kind::NotInFlight, "The specified message is not in flight."));
        }
        self.move_to(seq, Place::PutOff(now.clock.saturating_add(timeout_ms)));
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Removes all messages.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.by_clock.clear();
        self.by_machine.clear();
        self.depth = QueueDepth::default();
    }

    pub(super) fn depth(&mut self, now: Now) -> QueueDepth {
        self.promote(now);
        QueueDepth { visible: self.ready.len(), ..self.depth }
    }
}
