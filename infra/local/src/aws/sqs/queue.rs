//! One queue: which of its messages are ready, delayed or in flight. Pure: every method is told the time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::attributes::QueueAttributes;
use super::error::{Kind, SqsError};
use super::message::{Message, Place};

/// The most messages of a standard queue that may be in flight.
const MAX_IN_FLIGHT: usize = 120_000;

/// Bytes of the check value in a receipt handle.
const TAG_BYTES: usize = 16;

/// How many messages a queue holds, by place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// Ready to be received.
    pub visible: usize,
    /// Received, not deleted, and not timed out.
    pub in_flight: usize,
    /// Sent with a delay that is not over.
    pub delayed: usize,
}

impl QueueDepth {
    /// All messages of the queue.
    #[must_use]
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}

/// What a receive took out of the ready ones.
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
    /// Keys the check values of receipt handles, so that a made-up handle is told from a real one.
    pub(super) secret: Vec<u8>,
    handle_key: hmac::Key,
    messages: HashMap<u64, Message>,
    /// Ready ones, oldest first.
    ready: BTreeSet<u64>,
    /// Delayed ones and those in flight, by the moment at which they get ready.
    later: BTreeSet<(i64, u64)>,
    in_flight: usize,
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
            later: BTreeSet::new(),
            in_flight: 0,
            arrived: Arc::new(Notify::new()),
        }
    }

    /// Takes a message in; its `place` says where.
    pub(super) fn insert(&mut self, message: Message) {
        match message.place {
            Place::Ready => {
                self.ready.insert(message.seq);
            }
            Place::Delayed => {
                self.later.insert((message.available_ms, message.seq));
            }
            Place::InFlight => {
                self.in_flight += 1;
                self.later.insert((message.available_ms, message.seq));
            }
        }
        self.messages.insert(message.seq, message);
        self.arrived.notify_waiters();
    }

    /// Makes ready what is due.
    fn promote(&mut self, now: i64) {
        while let Some(&(at, seq)) = self.later.first() {
            if at > now {
                break;
            }
            self.later.pop_first();
            if let Some(message) = self.messages.get_mut(&seq) {
                if message.place == Place::InFlight {
                    self.in_flight -= 1;
                }
                message.place = Place::Ready;
                self.ready.insert(seq);
            }
        }
    }

    /// Lets `by_ms` pass for messages that were sent with a delay. For those in flight it does not: they are worked on in the
    /// machine's time.
    pub(super) fn advance(&mut self, by_ms: i64) {
        let is_delayed = |seq| self.messages.get(seq).is_some_and(|message| message.place == Place::Delayed);
        let delayed: Vec<(i64, u64)> = self.later.iter().filter(|(_, seq)| is_delayed(seq)).copied().collect();
        for (at, seq) in delayed {
            self.later.remove(&(at, seq));
            self.later.insert((at - by_ms, seq));
            if let Some(message) = self.messages.get_mut(&seq) {
                message.available_ms = at - by_ms;
            }
        }
        self.arrived.notify_waiters();
    }

    /// When the next message gets ready, if none is now.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.later.first().map(|&(at, _)| at)
    }

    /// Receives up to `most` messages and hides them for `timeout_ms`.
    pub(super) fn take(&mut self, now: i64, most: usize, timeout_ms: i64) -> Result<Taken, SqsError> {
        self.promote(now);
        let mut taken = Taken::default();
        if self.in_flight >= MAX_IN_FLIGHT {
            return Err(SqsError::new(Kind::OverLimit, "Too many messages in flight."));
        }
        let kept_since = now - i64::from(self.attributes.retention) * 1000;
        let max_receives = self.attributes.redrive.as_ref().map_or(u32::MAX, |redrive| redrive.max_receives);
        while taken.received.len() < most {
            let Some(seq) = self.ready.pop_first() else { break };
            let Some(message) = self.messages.get_mut(&seq) else { continue };
            if message.sent_ms < kept_since {
                self.messages.remove(&seq);
                taken.expired.push(seq);
            } else if message.receives >= max_receives {
                taken.dead.extend(self.messages.remove(&seq));
            } else {
                message.receives += 1;
                message.first_received_ms.get_or_insert(now);
                message.available_ms = now + timeout_ms;
                message.place = Place::InFlight;
                self.in_flight += 1;
                self.later.insert((message.available_ms, seq));
                taken.received.push(seq);
            }
        }
        Ok(taken)
    }

    /// Takes up to `most` ready messages out of the queue, oldest first.
    pub(super) fn drain_ready(&mut self, now: i64, most: usize) -> Vec<Message> {
        self.promote(now);
        let mut drained = Vec::new();
        while drained.len() < most {
            let Some(seq) = self.ready.pop_first() else { break };
            drained.extend(self.messages.remove(&seq));
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

    /// Takes a message out, wherever it is.
    pub(super) fn remove(&mut self, seq: u64) -> Option<Message> {
        let message = self.messages.remove(&seq)?;
        match message.place {
            Place::Ready => {
                self.ready.remove(&seq);
            }
            Place::Delayed | Place::InFlight => {
                self.later.remove(&(message.available_ms, seq));
                if message.place == Place::InFlight {
                    self.in_flight -= 1;
                }
            }
        }
        Some(message)
    }

    /// Sets when a message in flight becomes visible again.
    pub(super) fn change_visibility(&mut self, now: i64, seq: u64, timeout_ms: i64) -> Result<(), SqsError> {
        self.promote(now);
        let not_in_flight = || SqsError::new(Kind::NotInFlight, "The specified message is not in flight.");
        let message =
            self.messages.get_mut(&seq).filter(|message| message.place == Place::InFlight).ok_or_else(not_in_flight)?;
        self.later.remove(&(message.available_ms, seq));
        message.available_ms = now + timeout_ms;
        self.later.insert((message.available_ms, seq));
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Takes all messages out.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.later.clear();
        self.in_flight = 0;
    }

    pub(super) fn depth(&mut self, now: i64) -> QueueDepth {
        self.promote(now);
        QueueDepth { visible: self.ready.len(), in_flight: self.in_flight, delayed: self.later.len() - self.in_flight }
    }
}
