//! A report about a subscription, as an event makes it.

use crate::merged::{account_hash, hash_of};
use perennial_config::Config;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{AccountId, Event, Money, hash};
use perennial_engine::billing::{Movement, movement, report};
use serde::{Deserialize, Serialize};

/// A report about a subscription in one event, as it is kept for each closed day. It names nobody: customers are
/// hashes, except for the account of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The hash of the event's message id: a repeated event is the same notice.
    pub id: u64,
    /// The hash of the identity that the event is of: the customer, where the subscription has no account.
    pub identity: u64,
    /// The report.
    pub report: SubscriptionReport,
    /// The payment in the same event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
}

impl Notice {
    /// Returns it as a fact of the account that has the subscription, without the person whom the event named.
    #[must_use]
    pub fn of_account(mut self, account: AccountId) -> Self {
        self.identity = account_hash(account.as_str());
        self.report.account = Some(account);
        self
    }
}

/// Returns what `event` says about a subscription; `None` if that is nothing, or its source is not trusted about money.
pub fn notice(config: &Config, event: &Event) -> Option<Notice> {
    if !event.is_trusted() {
        return None;
    }
    let report = report(config, event)?;
    let paid = match movement(config, event) {
        Some(Movement::Plain(money)) => Some(money),
        Some(Movement::Payment(_, payment)) => {
            payment.paid.map(|paid| Money { minor: paid.minor, currency: payment.currency })
        }
        _ => None,
    };
    let identity = hash_of(event.identity()?.person_id());
    Some(Notice { id: event.message_id.hash64(), identity, report, paid: paid.filter(|paid| paid.minor > 0) })
}

/// Returns a hash of the rules that decide which events [`notice`] reads, and how: notices that were kept under another
/// hash are read again.
pub(crate) fn rules(config: &Config) -> u64 {
    let mut names: Vec<String> = Vec::new();
    for (name, milestones) in &config.lifecycle.milestones {
        names.push(format!("milestone {name} {milestones:?}"));
    }
    let billing = &config.billing;
    let lists = [
        ("subscription", &billing.subscription_events),
        ("once", &billing.one_time),
        ("paid", &billing.paid),
        ("corrected", &billing.corrected),
        ("refunded", &billing.refunded),
        ("cancelled", &billing.cancelled),
    ];
    names.extend(lists.iter().flat_map(|(list, all)| all.iter().map(move |name| format!("{list} {name}"))));
    names.sort_unstable();
    names.push(format!("renewal {:?}", config.accounts.renewal));
    let parts: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    hash::hash64(&parts)
}
