//! Journeys that are triggered by an account's event: the account finds the people, and they enter.

use crate::action::Action;
use crate::decide::{Because, asked_of};
use crate::evaluate::look;
use crate::membership::account_of;
use crate::moment::Moment;
use crate::process::{Processed, reschedule};
use crate::profile::Profile;
use crate::situation::Situation;
use perennial_config::journeys::{Journey, Reentry};
use perennial_domain::{Cause, Entry, Event, PersonId, hash};
use std::collections::HashSet;

/// Returns the key of a journey entry with repeated re-entry: its journey and its cause.
pub fn entry_id(entry: &Entry) -> u64 {
    hash::hash64(&[b"enter", entry.journey.as_bytes(), cause_bytes(&entry.cause)])
}

/// Lets a profile enter journeys because of its account, if the journey's stages, its condition and its re-entry rule
/// allow it. `processed` is the result of the profile's events in the same batch, and that of the entries is added to
/// it. `ledger` contains (owner, entry id) of the entries in the ledger, among those that
/// [`crate::SeenIds::may_have_left`] returned.
///
/// A repeated entry lets nobody enter again, whatever the journey's re-entry rule.
pub fn enter(
    moment: &Moment<'_>,
    profile: &mut Profile,
    entries: &[Entry],
    ledger: &HashSet<(PersonId, u64)>,
    processed: &mut Processed,
) {
    let moment = &moment.of(profile.id);
    let (view, planned) = (profile.view(), profile.outbox.len());
    let person = look(moment, &view);
    let mut entered = Vec::new();
    let mut situation = Situation::new(&person, profile);
    let before = situation.facts.clone();
    for entry in entries {
        let Some(journey) = moment.config.journeys.named(&entry.journey) else {
            continue;
        };
        let id = entry_id(entry);
        let is_known = |profile: &Profile| {
            let mut parts = profile.parts.iter();
            parts.any(|part| part.seen.contains(id) || ledger.contains(&(part.owner(), id)))
        };
        if !situation.is_recent(entry.at) || is_known(situation.profile) || entered.contains(&(id, entry.at)) {
            continue;
        }
        let times =
            |situation: &Situation<'_, '_>| situation.facts.entered.get(&journey.key).map(|entered| entered.times);
        let before = times(&situation);
        let because = Because { cause: entry.cause.clone(), properties: entry.properties.clone() };
        let awaited = situation.enter(journey, None, because.clone(), cause_bytes(&entry.cause));
        if let Some(until) = awaited {
            situation.defer(journey, because, entry.at, until);
        }
        // With re-entry "once", or after some days, the entry itself is the record.
        if journey.reentry == Reentry::Always && times(&situation) != before {
            entered.push((id, entry.at));
        }
    }
    situation.take_turns();
    let decided = situation.facts != before;
    processed.steps.append(&mut situation.taken);
    if !decided && profile.outbox.len() == planned {
        return;
    }
    remember(moment, profile, &entered, processed);
    reschedule(profile, &person);
    processed.changed = true;
}

/// Records entries if a repetition has to be recognized.
fn remember(moment: &Moment<'_>, profile: &mut Profile, entered: &[(u64, jiff::Timestamp)], processed: &mut Processed) {
    let Some(part) = profile.primary_mut().filter(|_| !entered.is_empty()) else { return };
    // With events, blocks rolled when the first of them was counted.
    if processed.counted == 0 {
        let owner = part.owner();
        processed.rolled.extend(part.seen.roll(owner, moment.now));
    }
    for (id, at) in entered {
        part.seen.note(*id, Some(*at));
    }
}

fn cause_bytes(cause: &Cause) -> &[u8] {
    match cause {
        Cause::Event { message_id, .. } => message_id.as_str().as_bytes(),
        Cause::Segment { name, .. } => name.as_bytes(),
        Cause::Became { condition } => condition.as_bytes(),
        Cause::Quiet { .. } | Cause::Score { .. } => b"",
    }
}

impl Situation<'_, '_> {
    /// Requests the people of the event's account that the journey is for. Returns `false` if there is no account, so
    /// that it is for the person in the event.
    pub(crate) fn ask_account(&mut self, journey: &Journey, event: &Event, to: &[String], cause: &Cause) -> bool {
        let account = event.account().cloned().or_else(|| account_of(self.config(), self.person.state));
        let Some(account) = account else { return false };
        let properties = asked_of(journey, event);
        let entry = Entry { journey: journey.id.clone(), cause: cause.clone(), properties, at: event.timestamp };
        self.profile.outbox.push(Action::ForAccount { account, to: to.to_vec(), entry });
        true
    }
}
