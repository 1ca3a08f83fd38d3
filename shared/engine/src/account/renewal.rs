//! How often an account has renewed, and when it does so next.

use super::Account;
use crate::action::Action;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::accounts::Renewal;
use perennial_domain::{AccountId, Event, EventKind, MessageId, Properties, timestamp};

/// The most renewals that are counted: those of 40 years, month by month.
pub const MAX_RENEWALS: usize = 500;

/// What `event`, which names `account`, says of its renewals.
pub(crate) fn told_by(config: &Config, account: &AccountId, event: &Event) -> impl Iterator<Item = Action> {
    let rule = &config.accounts.renewal;
    let renewed = rule.events.contains(config.counted_as(event));
    let renewed =
        renewed.then(|| Action::AccountRenewal { account: account.clone(), message_id: event.message_id.clone() });
    // A `group` call says it as a trait.
    let name = rule.r#trait.as_ref().filter(|_| event.kind != EventKind::Group);
    let said = name.and_then(|name| Some((name.clone(), event.properties.get(name)?.clone())));
    let said = said.map(|said| Action::AccountTraits {
        account: account.clone(),
        traits: Properties::from_iter([said]),
        at: event.timestamp,
        message_id: event.message_id.clone(),
    });
    renewed.into_iter().chain(said)
}

impl Account {
    /// Counts a renewal, once however often its event comes. The order does not matter: of more than [`MAX_RENEWALS`] so many are kept.
    pub fn renewed(&mut self, message_id: &MessageId) {
        self.renewals.insert(message_id.hash64());
        if self.renewals.len() > MAX_RENEWALS {
            self.renewals.pop_last();
        }
    }

    /// When it renews next, or was to, as its trait says.
    pub(super) fn renews_at(&self, rule: &Renewal) -> Option<Timestamp> {
        timestamp::of_json(&self.traits.get(rule.r#trait.as_ref()?)?.value)
    }
}
