//! Counts recent mails to an address, whatever profiles they were for: one person may have several.

use crate::dated::Dated;
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read};
use crate::keys;
use crate::store::Store;
use jiff::Timestamp;
use perennial_config::limits::Cap;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Channel, DecisionId, hash};

/// The attribute of the mails, with the seconds since 1970 at which they were decided.
const MAILS: &str = "mails";
/// The most mails that are counted for an address. Larger caps are not enforced beyond it.
const MOST: usize = 64;
/// The most attempts to count a mail after concurrent counts.
const ATTEMPTS: u32 = 8;

/// The mails that went to an address lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mails(Dated);

impl Mails {
    /// Reads those of an address's item.
    pub(crate) fn of(item: &Item) -> Result<Self, StoreError> {
        Dated::parse(item.text(MAILS)?.unwrap_or_default(), MAILS).map(Self)
    }

    /// Returns whether the mail of `decision` is counted already.
    fn has(&self, decision: DecisionId) -> bool {
        self.0.0.contains_key(&key(decision))
    }

    /// Returns the first of `caps` on mails that leaves no room for another mail that was decided at `decided`.
    fn over<'a>(&self, caps: &'a [Cap], decided: Timestamp) -> Option<&'a Cap> {
        on_mails(caps).find(|cap| {
            let since = decided.as_second() - i64::from(cap.within_days) * DAY_SECONDS;
            self.0.0.values().filter(|at| **at > since).count() >= usize::from(cap.messages)
        })
    }

    /// Adds one, and removes those that no cap needs any more.
    fn with(mut self, decision: DecisionId, decided: Timestamp, caps: &[Cap]) -> Self {
        let days = on_mails(caps).map(|cap| cap.within_days).max().unwrap_or(0);
        let since = decided.as_second() - i64::from(days) * DAY_SECONDS;
        self.0.0.retain(|_, at| *at > since);
        self.0.0.insert(key(decision), decided.as_second());
        self.0.bound(MOST);
        self
    }
}

fn on_mails(caps: &[Cap]) -> impl Iterator<Item = &Cap> {
    caps.iter().filter(|cap| cap.channels.contains(&Channel::Mail))
}

fn key(decision: DecisionId) -> u32 {
    hash::hash32(&decision.to_string())
}

/// The result of counting a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// It may be sent.
    Within,
    /// The address has reached this cap.
    Over(&'a Cap),
}

impl Store {
    /// Counts the mail of `decision`, decided at `decided`, among those to `address` (its hash), unless one of `caps`
    /// leaves no room. `known` is the address's state as read before. Idempotent: a decision counts once, so that it
    /// may be counted before its claim.
    ///
    /// # Errors
    /// [`StoreError`] if a read or the write fails, or others keep counting at the same time.
    pub async fn count_mail<'a>(
        &self,
        address: &[u8; 32],
        known: &Mails,
        (decision, decided): (DecisionId, Timestamp),
        caps: &'a [Cap],
    ) -> Result<Counted<'a>, StoreError> {
        let key = keys::key(keys::suppression_hashed(address), keys::SUPPRESSION);
        let mut known = known.clone();
        for _ in 0..ATTEMPTS {
            if known.has(decision) {
                return Ok(Counted::Within);
            }
            if let Some(cap) = known.over(caps, decided) {
                return Ok(Counted::Over(cap));
            }
            let after = known.clone().with(decision, decided, caps);
            let update = self.client.update_item().table_name(&*self.table).set_key(Some(key.clone()));
            let update = after.0.in_place_of(&known.0, MAILS, update).update_expression("SET #dated = :after");
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
        assert_eq!(later.0.0.len(), 2, "the first is forgotten");
    }

    #[test]
    fn no_more_are_kept_than_fit() {
        let caps = [cap(1000, 90, Channel::Mail)];
        let all = (0..200).fold(Mails::default(), |mails, n| mails.with(decision(n), at(i64::from(n)), &caps));
        assert_eq!(all.0.0.len(), MOST);
        assert!(all.has(decision(199)) && !all.has(decision(0)));
    }
}
