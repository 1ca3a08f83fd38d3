//! Counts recent mails to an address, whatever profiles they were for, and recognizes a mail that went to it for another
//! profile: one person may have several until they are merged.

use crate::dated::Dated;
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, s};
use crate::keys;
use crate::store::Store;
use jiff::Timestamp;
use perennial_config::limits::Cap;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Channel, Decision, DecisionId, PersonId, hash};

/// The attribute of the mails, with the seconds since 1970 at which they were decided.
const MAILS: &str = "mails";
/// The attribute of which steps of journeys these were, with the same times: a hash of the step, and one of the step and
/// the profile.
const STEPS: &str = "steps";
/// The most mails that are counted for an address. Larger caps are not enforced beyond it.
const MOST: usize = 64;
/// The most attempts to count a mail after concurrent counts.
const ATTEMPTS: u32 = 8;

/// The mails that went to an address lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mails {
    counted: Dated,
    steps: Dated,
}

/// A mail that is to be counted.
#[derive(Debug, Clone, Copy)]
pub struct Counting<'a> {
    /// Its decision.
    pub decision: &'a Decision,
    /// The caps, of which those on mails count.
    pub caps: &'a [Cap],
    /// The days in which the address gets a step of a journey for one of its profiles only; 0 for any number of them.
    pub same_within_days: u16,
}

impl Mails {
    /// Reads those of an address's item.
    pub(crate) fn of(item: &Item) -> Result<Self, StoreError> {
        let read = |name| Dated::parse(item.text(name)?.unwrap_or_default(), name);
        Ok(Self { counted: read(MAILS)?, steps: read(STEPS)? })
    }

    /// Returns whether the mail of `decision` is counted already.
    fn has(&self, decision: DecisionId) -> bool {
        self.counted.0.contains_key(&key(decision))
    }

    /// Returns the first of `caps` on mails that leaves no room for another mail that was decided at `decided`.
    fn over<'a>(&self, caps: &'a [Cap], decided: Timestamp) -> Option<&'a Cap> {
        on_mails(caps).find(|cap| {
            let since = decided.as_second() - i64::from(cap.within_days) * DAY_SECONDS;
            self.counted.0.values().filter(|at| **at > since).count() >= usize::from(cap.messages)
        })
    }

    /// Returns whether the address got this step within `days` before `decided`, for another profile than `person` alone.
    fn has_step(&self, (journey, step): (&str, u16), person: PersonId, decided: Timestamp, days: u16) -> bool {
        let since = decided.as_second() - i64::from(days) * DAY_SECONDS;
        let lately = |key: u32| self.steps.0.get(&key).is_some_and(|at| *at > since);
        lately(step_key(journey, step, None)) && !self.steps.0.contains_key(&step_key(journey, step, Some(person)))
    }

    /// Adds a step, and removes the oldest of too many.
    fn with_step(mut self, (journey, step): (&str, u16), person: PersonId, decided: Timestamp) -> Self {
        for of in [None, Some(person)] {
            let at = self.steps.0.entry(step_key(journey, step, of)).or_insert(i64::MIN);
            *at = decided.as_second().max(*at);
        }
        self.steps.bound(MOST);
        self
    }

    /// Adds one, and removes those that no cap needs any more.
    fn with(mut self, decision: DecisionId, decided: Timestamp, caps: &[Cap]) -> Self {
        let days = on_mails(caps).map(|cap| cap.within_days).max().unwrap_or(0);
        let since = decided.as_second() - i64::from(days) * DAY_SECONDS;
        self.counted.0.retain(|_, at| *at > since);
        self.counted.0.insert(key(decision), decided.as_second());
        self.counted.bound(MOST);
        self
    }
}

fn on_mails(caps: &[Cap]) -> impl Iterator<Item = &Cap> {
    caps.iter().filter(|cap| cap.channels.contains(&Channel::Mail))
}

fn key(decision: DecisionId) -> u32 {
    hash::hash32(&decision.to_string())
}

/// The key of a step of a journey, or of that step for a profile.
fn step_key(journey: &str, step: u16, person: Option<PersonId>) -> u32 {
    hash::hash32(&format!("{journey}/{step}/{}", person.map(|person| person.to_string()).unwrap_or_default()))
}

/// The result of counting a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// It may be sent.
    Within,
    /// The address has reached this cap.
    Over(&'a Cap),
    /// The address got this step of the journey lately, for another profile.
    Same,
}

impl Store {
    /// Counts a mail among those to `address` (its hash), unless one of its caps leaves no room, or the address got the same
    /// for another profile. `known` is the address's state as read before. Idempotent: a decision counts once, so that it
    /// may be counted before its claim.
    ///
    /// # Errors
    /// [`StoreError`] if a read or the write fails, or others keep counting at the same time.
    pub async fn count_mail<'a>(
        &self,
        address: &[u8; 32],
        known: &Mails,
        mail: Counting<'a>,
    ) -> Result<Counted<'a>, StoreError> {
        let Counting { decision, caps, same_within_days } = mail;
        let (step, decided) = ((decision.journey.as_str(), decision.step), decision.decided_at);
        let key = keys::key(keys::suppression_hashed(address), keys::SUPPRESSION);
        let mut known = known.clone();
        for _ in 0..ATTEMPTS {
            if known.has(decision.id) {
                return Ok(Counted::Within);
            }
            if known.has_step(step, decision.person, decided, same_within_days) {
                return Ok(Counted::Same);
            }
            if let Some(cap) = known.over(caps, decided) {
                return Ok(Counted::Over(cap));
            }
            let after = known.clone().with(decision.id, decided, caps).with_step(step, decision.person, decided);
            let update = self.client.update_item().table_name(&*self.table).set_key(Some(key.clone()));
            // Every count changes the mails, so they stand for the steps as well.
            let update = after.counted.in_place_of(&known.counted, MAILS, update);
            let update = update.expression_attribute_names("#steps", STEPS);
            let update = update.expression_attribute_values(":steps", s(after.steps.to_string()));
            let update = update.update_expression("SET #dated = :after, #steps = :steps");
            let sent = update.send().await.map(drop).map_err(|error| sort("count_mail", error));
            if unless_conflict(sent)?.is_some() {
                return Ok(Counted::Within);
            }
            known = self.preferences(address).await?.mails;
        }
        Err(StoreError::Conflict { operation: "count_mail" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(n: u8) -> DecisionId {
        DecisionId::derive(&[&[n]])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap_or_default()
    }

    fn cap(messages: u16, within_days: u16, channel: Channel) -> Cap {
        Cap { messages, within_days, channels: vec![channel] }
    }

    #[test]
    fn a_cap_has_room_again_once_the_oldest_mail_has_left_its_days() {
        let caps = [cap(2, 7, Channel::Mail), cap(1, 30, Channel::InApp)];
        let mails = Mails::default().with(decision(1), at(0), &caps).with(decision(2), at(10), &caps);
        assert_eq!(mails.over(&caps, at(7 * DAY_SECONDS - 1)), Some(&caps[0]));
        assert_eq!(mails.over(&caps, at(7 * DAY_SECONDS)), None, "as in the engine");
        assert_eq!(
            mails.over(&caps, at(-5)),
            Some(&caps[0]),
            "those that were decided later count for one that comes late"
        );
        assert!(mails.has(decision(1)) && !mails.has(decision(3)));
        let later = mails.with(decision(3), at(7 * DAY_SECONDS + 5), &caps);
        assert_eq!(later.counted.0.len(), 2, "the first is forgotten");
    }

    #[test]
    fn a_step_goes_to_an_address_for_one_profile_and_to_that_one_again() {
        let (one, other) = (PersonId::derive(&[b"one"]), PersonId::derive(&[b"other"]));
        let mails = Mails::default().with_step(("welcome", 0), one, at(0));
        assert!(mails.has_step(("welcome", 0), other, at(5), 30));
        assert!(!mails.has_step(("welcome", 0), other, at(30 * DAY_SECONDS), 30), "that is long ago");
        assert!(!mails.has_step(("welcome", 0), other, at(5), 0), "any number may");
        assert!(!mails.has_step(("welcome", 1), other, at(5), 30), "the next step");
        assert!(!mails.has_step(("welcome", 0), one, at(5), 30), "they entered it again");
        let many = (0..200).fold(mails, |mails, n| mails.with_step(("j", n), one, at(i64::from(n))));
        assert_eq!(many.steps.0.len(), MOST);
        assert!(many.has_step(("j", 199), other, at(200), 1));
    }

    #[test]
    fn no_more_are_kept_than_fit() {
        let caps = [cap(1000, 90, Channel::Mail)];
        let all = (0..200).fold(Mails::default(), |mails, n| mails.with(decision(n), at(i64::from(n)), &caps));
        assert_eq!(all.counted.0.len(), MOST);
        assert!(all.has(decision(199)) && !all.has(decision(0)));
    }
}
