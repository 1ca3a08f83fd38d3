//! What events of ids in other systems would have set off.
//!
//! A billing system's first event of a customer may be the one that matters: a trial that began, a payment that failed. It is counted for the id in that
//! system, which triggers nothing, and a moment later the id is joined with the user who has it. What it would have triggered is kept until then, as
//! long as events set anything off at all (`max_event_age_hours` of `channels.toml`).

use crate::action::Action;
use crate::decide::{Because, Situation};
use jiff::Timestamp;
use perennial_config::journeys::Journey;
use perennial_domain::{Cause, Entry};

/// The most that is kept for one profile. Those beyond it are not.
const MAX_DEFERRED: usize = 8;

impl Situation<'_, '_> {
    /// Keeps what an event would have set off.
    pub(crate) fn defer(&mut self, journey: &Journey, because: &Because, at: Timestamp) {
        let Because { cause, properties } = because.clone();
        let entry = Entry { journey: journey.id.clone(), cause, properties, at };
        let mut kept = self.profile.outbox.iter().filter_map(|action| match action {
            Action::Defer { entry } => Some(entry),
            _ => None,
        });
        if kept.clone().count() < MAX_DEFERRED && kept.all(|other| *other != entry) {
            self.profile.outbox.push(Action::Defer { entry });
        }
    }

    /// Lets what was kept enter its journeys, where it is known by now whose the events were, and drops what is too old. Returns whether there was
    /// any.
    pub(crate) fn take_deferred(&mut self) -> bool {
        let config = self.config();
        let is_external = self.profile.is_external();
        let (mut due, mut outbox) = (Vec::new(), std::mem::take(&mut self.profile.outbox));
        let known = outbox.len();
        outbox.retain(|action| match action {
            Action::Defer { entry } if !self.is_recent(entry.at) => false,
            Action::Defer { entry } if !is_external => {
                due.push(entry.clone());
                false
            }
            _ => true,
        });
        self.profile.outbox = outbox;
        let changed = self.profile.outbox.len() != known;
        for Entry { journey, cause, properties, .. } in due {
            let Some(journey) = config.journeys.named(&journey) else { continue };
            let Cause::Event { message_id, .. } = &cause else { continue };
            let message_id = message_id.clone();
            self.enter(journey, None, Because { cause, properties }, message_id.as_str().as_bytes());
        }
        changed
    }
}
