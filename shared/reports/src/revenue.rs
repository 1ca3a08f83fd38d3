//! Recurring revenue, from the reports about subscriptions in events: a profile knows a subscription's last price only.

mod changes;
mod ledger;
mod notice;
mod people;
mod plans;

pub use ledger::Ledger;
pub(crate) use notice::rules;
pub use notice::{Notice, notice};
