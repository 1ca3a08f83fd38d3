//! Triggers that wait for earlier events to arrive.
//!
//! Calls do not arrive in the order in which they were made: a billing system's first event of a customer is counted
//! before that id is linked to a user, and a failed payment may be reported before its subscription. So a trigger by an
//! event that does not apply to the person is kept, as long as events trigger anything at all (`max_event_age_hours` of
//! `channels.toml`):
//!
//! - An event of an id in another system triggers nothing. It is tried again as soon as that id is linked to a user.
//! - If `stages`, `when` or `exit` keep the person out, it is tried again with each event that was made before it and
//!   arrives after it. Later events change nothing: they had not happened yet.

use crate::action::{Action, Awaited};
use crate::decide::Because;
use crate::enter::entry_id;
use crate::situation::Situation;
use jiff::Timestamp;
use perennial_config::journeys::{Journey, Reentry};
use perennial_domain::{Cause, Entry, Event, Identity};

/// The most that is kept for one profile. Those beyond it are not.
const MAX_DEFERRED: usize = 8;

impl Situation<'_, '_> {
    /// Keeps what an event would have triggered.
    pub(crate) fn defer(&mut self, journey: &Journey, because: Because, at: Timestamp, until: Awaited) {
        let Because { cause, properties } = because;
        let entry = Entry { journey: journey.id.clone(), cause, properties, at };
        let outbox = &mut self.profile.outbox;
        let is_same = |action: &Action| matches!(action, Action::Defer { entry: other, .. } if *other == entry);
        if outbox.iter().any(is_same) {
            return;
        }
        // With a limited re-entry only the latest trigger is needed: events before an earlier one are also before it.
        if until == Awaited::Earlier && journey.reentry != Reentry::Always {
            let replaced = |action: &Action| matches!(action, Action::Defer { entry: other, until: Awaited::Earlier } if other.journey == entry.journey);
            let newer = outbox.iter().any(|action| {
                replaced(action) && matches!(action, Action::Defer { entry: other, .. } if other.at > entry.at)
            });
            if newer {
                return;
            }
            outbox.retain(|action| !replaced(action));
        }
        if outbox.iter().filter(|action| matches!(action, Action::Defer { .. })).count() < MAX_DEFERRED {
            outbox.push(Action::Defer { entry, until });
        }
    }

    /// Retries deferred triggers whose events have arrived, and drops those that are too old. `fresh` are the events
    /// that have just been counted. Returns whether anything changed.
    pub(crate) fn take_deferred(&mut self, fresh: &[(&Event, Identity)]) -> bool {
        if !self.profile.outbox.iter().any(|action| matches!(action, Action::Defer { .. })) {
            return false;
        }
        let config = self.config();
        let is_external = self.profile.is_external();
        let earliest = fresh.iter().map(|(event, _)| event.timestamp).min();
        let (mut due, mut outbox) = (Vec::new(), std::mem::take(&mut self.profile.outbox));
        let known = outbox.len();
        outbox.retain(|action| {
            let Action::Defer { entry, until } = action else { return true };
            let journey = config.journeys.named(&entry.journey);
            let Some(journey) = journey.filter(|_| self.is_recent(entry.at)) else { return false };
            let has_come = match until {
                Awaited::Owner => !is_external,
                Awaited::Earlier => {
                    earliest.is_some_and(|earliest| earliest <= entry.at) && self.refusal(journey).is_none()
                }
            };
            if has_come {
                due.push((journey, entry.clone()));
            }
            !has_come
        });
        self.profile.outbox = outbox;
        let changed = self.profile.outbox.len() != known;
        due.sort_by_key(|(_, entry)| entry.at);
        for (journey, entry) in due {
            let id = entry_id(&entry);
            let Entry { cause, properties, at, .. } = entry;
            let Cause::Event { message_id, .. } = &cause else { continue };
            let message_id = message_id.clone();
            let because = Because { cause, properties };
            match self.enter(journey, None, because.clone(), message_id.as_str().as_bytes()) {
                Some(until) => self.defer(journey, because, at, until),
                None if journey.reentry == Reentry::Always && !fresh.is_empty() => {
                    // The account may forward the same entry again. The ids that leave the window have left it with the
                    // first of `fresh`.
                    if let Some(part) = self.profile.primary_mut() {
                        part.seen.note(id, Some(at));
                    }
                }
                None => {}
            }
        }
        changed
    }
}
