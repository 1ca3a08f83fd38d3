//! An account's renewals and its next renewal date.

use super::Account;
use crate::action::Action;
use crate::billing::{Phase, Subscription, phase};
use crate::instant;
use crate::unverified::told_at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::billing::{Renewal, SubscriptionReport};
use perennial_domain::{AccountId, Event, EventKind, MessageId, Properties, timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The most renewals that are counted: those of 40 years, month by month.
pub const MAX_RENEWALS: usize = 500;

/// Returns what `event`, which names `account`, reports about its renewals.
pub(crate) fn told_by(config: &Config, account: &AccountId, event: &Event) -> impl Iterator<Item = Action> {
    let rule = &config.accounts.renewal;
    let renewed = rule.events.contains(config.counted_as(event));
    let renewed =
        renewed.then(|| Action::AccountRenewal { account: account.clone(), message_id: event.message_id.clone() });
    // A `group` call contains it as a trait.
    let name = rule.r#trait.as_ref().filter(|_| event.kind != EventKind::Group);
    let said = name.and_then(|name| Some((name.clone(), event.properties.get(name)?.clone())));
    let said = said.map(|said| Action::AccountTraits {
        account: account.clone(),
        traits: Properties::from_iter([said]),
        at: told_at(event),
        message_id: event.message_id.clone(),
        signed: !event.vouches(),
    });
    renewed.into_iter().chain(said)
}

/// A renewal of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Which subscription.
    pub subscription: u64,
    /// When the period begins, in microseconds since 1970.
    pub from: i64,
    /// `true` if an invoice reports it, as it also does for the first payment, rather than the event's name.
    #[serde(default = "by_invoice", skip_serializing_if = "Clone::clone")]
    pub by_invoice: bool,
}

fn by_invoice() -> bool {
    true
}

/// How long after the first payment a new period is still the first: billing systems bill hours after a trial ends.
const FIRST_PERIOD: i64 = 86_400_000_000;

impl Account {
    /// Merges a report about a subscription. Idempotent, in any order.
    pub fn subscribed(&mut self, report: &SubscriptionReport) {
        self.billing.note(report);
        let Some(Renewal { id, from, by_invoice }) = report.renewal else { return };
        let cycle = Cycle { subscription: report.key, from, by_invoice };
        // Of two periods for one invoice, the earlier one.
        self.cycles.entry(id).and_modify(|known| known.from = known.from.min(from)).or_insert(cycle);
        while self.cycles.len() > MAX_RENEWALS {
            let oldest = self.cycles.iter().min_by_key(|(id, cycle)| (cycle.from, **id)).map(|(id, _)| *id);
            oldest.and_then(|id| self.cycles.remove(&id));
        }
    }

    /// Returns the subscription whose renewals count: of the paid ones the most expensive a year, then the one that
    /// began first; if there is none, the one that was reported last.
    pub fn main_subscription(&self, config: &Config, now: Timestamp) -> Option<(u64, &Subscription)> {
        let phase = |each: &Subscription| phase(each, config.billing.trial_days, now.as_microsecond());
        let rank = |key: u64, each: &Subscription| {
            let paid = match phase(each) {
                Phase::Paid { since, .. } => Some((each.yearly().map_or(0, |yearly| yearly.minor), Reverse(since))),
                _ => None,
            };
            (paid, each.last, key)
        };
        self.subscriptions().max_by_key(|(key, each)| rank(*key, each))
    }

    /// Returns the number of the account's renewals: those of its main subscription since it was last started, without
    /// the first payment after a trial; and every renewal without a subscription.
    pub fn renewal_count(&self, config: &Config, now: Timestamp) -> u32 {
        let cycles = self.main_subscription(config, now).map_or(0, |(key, main)| {
            // If the start of a subscription is unknown, each renewal counts.
            let ended = main.ended.unwrap_or(i64::MIN);
            let began = match phase(main, config.billing.trial_days, now.as_microsecond()) {
                Phase::Paid { since, .. } if main.began.is_some() || ended < since => {
                    since.saturating_add(FIRST_PERIOD)
                }
                _ => ended,
            };
            let is_renewal = |cycle: &&Cycle| {
                let begun = if cycle.by_invoice && main.began.is_some() { began } else { ended };
                cycle.subscription == key && cycle.from > begun
            };
            self.cycles.values().filter(is_renewal).count()
        });
        u32::try_from(self.renewals.len() + cycles).unwrap_or(u32::MAX)
    }

    /// Counts a renewal, once however often its event comes, in any order: of more than [`MAX_RENEWALS`] so many are
    /// kept.
    pub fn renewed(&mut self, message_id: &MessageId) {
        self.renewals.insert(message_id.hash64());
        if self.renewals.len() > MAX_RENEWALS {
            self.renewals.pop_last();
        }
    }

    /// Returns the latest renewal date: that of its main subscription, else that of its trait.
    pub(super) fn renews_at(&self, config: &Config, now: Timestamp) -> Option<Timestamp> {
        let main = self.main_subscription(config, now).and_then(|(_, main)| main.period_end.as_ref());
        let said = || {
            let name = config.accounts.renewal.r#trait.as_ref()?;
            timestamp::of_json(&self.traits.get(name)?.value)
        };
        main.map(|end| instant::timestamp(end.value)).or_else(said)
    }
}
