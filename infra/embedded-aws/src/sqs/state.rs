//! All queues together: operations on more than one of them, and changes to write to the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::{QueueAttributes, check_name};
use super::error::{Kind, SqsError};
use super::message::{Message, MessageAttributes, Now, Place};
use super::queue::{Queue, QueueDepth};
use super::store::{Change, Store};
use crate::random::Ids;

/// A message to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) body: String,
    pub(super) attributes: MessageAttributes,
    /// Seconds; the queue's own delay when `None`.
    pub(super) delay: Option<u32>,
}

/// A received message with its handle.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Message,
    pub(super) handle: String,
}

/// An empty receive.
#[derive(Debug)]
pub(super) struct Nothing {
    /// When one in flight gets ready again, by the machine's time.
    pub(super) next_by_machine: Option<i64>,
    /// When a message gets ready by the stack's clock.
    pub(super) next_by_clock: Option<i64>,
}

/// The queues of the account.
#[derive(Debug)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, Queue>,
    store: Store,
    ids: Arc<Ids>,
    next_seq: u64,
}

impl State {
    /// The queues of `store` as they were left.
    pub(super) fn load(store: Store, ids: Arc<Ids>, now: Now) -> Result<Self, SqsError> {
        let queues: BTreeMap<String, Queue> =
            store.load(now)?.into_iter().map(|queue| (queue.name.clone(), queue)).collect();
        // Never a number that an earlier run gave out, even if all its messages are gone: its receipt handles must not fit new messages.
        let by_time = now.machine.unsigned_abs().saturating_mul(1000);
        let next_seq =
            queues.values().filter_map(Queue::newest).max().map_or(by_time, |newest| by_time.max(newest + 1));
        Ok(Self { queues, store, ids, next_seq })
    }

    pub(super) fn queue(&mut self, name: &str) -> Result<&mut Queue, SqsError> {
        self.queues.get_mut(name).ok_or_else(SqsError::no_queue)
    }

    /// Checks that a dead-letter queue is there.
    fn check_redrive(&self, attributes: &QueueAttributes) -> Result<(), SqsError> {
        match &attributes.redrive {
            Some(redrive) if !self.queues.contains_key(&redrive.target) => Err(SqsError::new(
                Kind::BadParameter,
                "Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
            )),
            _ => Ok(()),
        }
    }

    /// Creates a queue; one that is there already has to have the given attributes.
    pub(super) fn create(&mut self, name: &str, given: &BTreeMap<String, String>, now: i64) -> Result<(), SqsError> {
        check_name(name)?;
        let attributes = QueueAttributes::from_map(given)?;
        if let Some(existing) = self.queues.get(name) {
            let (has, wants) = (existing.attributes.to_map(), attributes.to_map());
            if given.keys().all(|key| has.get(key) == wants.get(key)) {
                return Ok(());
            }
            return Err(SqsError::new(
                Kind::QueueExists,
                "A queue already exists with the same name and a different value for an attribute.",
            ));
        }
        self.check_redrive(&attributes)?;
        let secret = [self.ids.bytes(), self.ids.bytes()].concat();
        let queue = Queue::new(name.to_owned(), attributes, secret, now);
        self.store.apply(&[Change::PutQueue(&queue)])?;
        self.queues.insert(name.to_owned(), queue);
        Ok(())
    }

    pub(super) fn set_attributes(
        &mut self,
        name: &str,
        given: &BTreeMap<String, String>,
        now: i64,
    ) -> Result<(), SqsError> {
        let mut attributes = self.queue(name)?.attributes.clone();
        for (key, value) in given {
            attributes.set(key, value)?;
        }
        self.check_redrive(&attributes)?;
        let Self { queues, store, .. } = self;
        let queue = queues.get_mut(name).ok_or_else(SqsError::no_queue)?;
        queue.attributes = attributes;
        queue.modified_ms = now;
        store.apply(&[Change::PutQueue(queue)])
    }

    pub(super) fn delete_queue(&mut self, name: &str) -> Result<(), SqsError> {
        self.queue(name)?;
        self.store.apply(&[Change::DeleteQueue(name)])?;
        self.queues.remove(name);
        Ok(())
    }

    pub(super) fn purge(&mut self, name: &str) -> Result<(), SqsError> {
        self.queue(name)?;
        self.store.apply(&[Change::Purge(name)])?;
        self.queue(name)?.clear();
        Ok(())
    }

    /// Sends checked messages, all or none; their ids in the same order.
    pub(super) fn send(&mut self, name: &str, outgoing: Vec<Outgoing>, now: Now) -> Result<Vec<String>, SqsError> {
        let delay = self.queue(name)?.attributes.delay;
        let mut messages = Vec::with_capacity(outgoing.len());
        for Outgoing { body, attributes, delay: own } in outgoing {
            let delay = own.unwrap_or(delay);
            messages.push(Message {
                seq: self.next_seq,
                id: self.ids.uuid(),
                body,
                attributes,
                sent_ms: now.machine,
                first_received_ms: None,
                receives: 0,
                source: None,
                place: if delay > 0 { Place::Delayed(now.clock + i64::from(delay) * 1000) } else { Place::Ready },
            });
            self.next_seq += 1;
        }
        let changes: Vec<_> = messages.iter().map(|message| Change::Put(name, message)).collect();
        self.store.apply(&changes)?;
        let ids = messages.iter().map(|message| message.id.clone()).collect();
        let queue = self.queue(name)?;
        for message in messages {
            queue.insert(message);
        }
        Ok(ids)
    }

    /// Receives up to `most` messages; those received too often go to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        name: &str,
        now: Now,
        most: usize,
        timeout: Option<u32>,
    ) -> Result<Result<Vec<Received>, Nothing>, SqsError> {
        let Self { queues, store, .. } = self;
        let queue = queues.get_mut(name).ok_or_else(SqsError::no_queue)?;
        let timeout_ms = i64::from(timeout.unwrap_or(queue.attributes.visibility_timeout)) * 1000;
        let mut taken = queue.take(now, most, timeout_ms)?;
        let source = super::attributes::arn(name);
        for dead in &mut taken.dead {
            dead.source = Some(source.clone());
            dead.place = Place::Ready;
        }
        let target = queue.attributes.redrive.as_ref().map_or(String::new(), |redrive| redrive.target.clone());
        let received: Vec<Received> = taken
            .received
            .iter()
            .filter_map(|&seq| queue.message(seq))
            .map(|message| Received { message: message.clone(), handle: queue.handle(message) })
            .collect();
        let nothing = Nothing { next_by_machine: queue.next_by_machine(), next_by_clock: queue.next_by_clock() };
        let mut changes: Vec<_> = received.iter().map(|received| Change::Received(&received.message)).collect();
        changes.extend(taken.dead.iter().map(|dead| Change::Put(&target, dead)));
        changes.extend(taken.expired.iter().map(|&seq| Change::Delete(seq)));
        store.apply(&changes)?;
        if let Some(target) = queues.get_mut(&target) {
            for dead in taken.dead {
                target.insert(dead);
            }
        }
        Ok(if received.is_empty() { Err(nothing) } else { Ok(received) })
    }

    /// Deletes the messages of resolved handles.
    pub(super) fn delete(&mut self, name: &str, seqs: &[u64]) -> Result<(), SqsError> {
        let changes: Vec<_> = seqs.iter().map(|&seq| Change::Delete(seq)).collect();
        self.store.apply(&changes)?;
        let queue = self.queue(name)?;
        for &seq in seqs {
            queue.remove(seq);
        }
        Ok(())
    }

    /// Moves up to `most` ready messages of `from` to `to`, or each back to where it came from. They count as new messages: new id, new time
    /// of sending, never received. The number moved.
    pub(super) fn redrive(&mut self, from: &str, to: Option<&str>, most: usize, now: Now) -> Result<usize, SqsError> {
        let mut moved = self.queue(from)?.drain_ready(now, most);
        let mut targets = Vec::with_capacity(moved.len());
        let mut stays = Vec::new();
        let known = |target: &String| self.queues.contains_key(target);
        moved.retain_mut(|message| {
            let source = message.source.as_deref().and_then(super::attributes::name_of_arn).map(str::to_owned);
            match to.map(str::to_owned).or(source).filter(known) {
                Some(target) => {
                    targets.push(target);
                    true
                }
                None => {
                    stays.push(message.clone());
                    false
                }
            }
        });
        for message in &mut moved {
            message.id = self.ids.uuid();
            message.sent_ms = now.machine;
            message.receives = 0;
            message.first_received_ms = None;
            message.source = None;
            message.place = Place::Ready;
        }
        let changes: Vec<_> =
            moved.iter().zip(&targets).map(|(message, target)| Change::Put(target, message)).collect();
        self.store.apply(&changes)?;
        let (count, lost) = (moved.len(), stays.len());
        for (message, target) in moved.into_iter().zip(targets) {
            if let Some(queue) = self.queues.get_mut(&target) {
                queue.insert(message);
            }
        }
        for mut message in stays {
            message.place = Place::Ready;
            self.queue(from)?.insert(message);
        }
        if count == 0 && lost > 0 {
            return Err(SqsError::new(Kind::NoResource, "CouldNotDetermineMessageSource"));
        }
        Ok(count)
    }

    /// Deletes messages past their retention period.
    pub(super) fn expire(&mut self, now: i64) -> Result<(), SqsError> {
        let expired: Vec<(String, Vec<u64>)> =
            self.queues.values().map(|queue| (queue.name.clone(), queue.expired(now))).collect();
        for (name, seqs) in expired {
            self.delete(&name, &seqs)?;
        }
        Ok(())
    }

    /// Returns the depth of each queue by its name.
    pub(super) fn depths(&mut self, now: Now) -> BTreeMap<String, QueueDepth> {
        self.queues.iter_mut().map(|(name, queue)| (name.clone(), queue.depth(now))).collect()
    }

    /// Returns the queues whose redrive policy names `target`.
    pub(super) fn sources_of(&self, target: &str) -> Vec<String> {
        let points_there =
            |queue: &&Queue| queue.attributes.redrive.as_ref().is_some_and(|redrive| redrive.target == target);
        self.queues.values().filter(points_there).map(|queue| queue.name.clone()).collect()
    }
}
