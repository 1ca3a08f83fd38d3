#![doc = include_str!("../README.md")]

mod activity;
mod adoption;
mod answers;
mod bounded;
mod catalogue;
mod cohorts;
mod counted;
mod education;
mod experiments;
mod funnel;
mod merged;
mod messages;
mod money;
mod name;
mod nps;
mod people;
mod report;
mod retention;
mod revenue;
mod risk;
mod scores;
pub mod shown;
mod surveys;
mod tally;

pub use answers::{Answer, Answers, answer};
pub use catalogue::Catalogue;
pub use counted::Counted;
pub use messages::{Fate, Message};
pub use name::Name;
pub use report::{Cell, Column, Report, Table, Unit};
pub use revenue::{Ledger, Notice, notice};
pub use surveys::{Surveyed, Surveys, surveyed};
pub use tally::{Archived, Tally};

/// Returns a hash of the rules that decide which events [`notice`], [`answer`] and [`surveyed`] read, and how: what was kept under another hash is read
/// again.
pub fn rules(config: &perennial_config::Config) -> u64 {
    let parts = [revenue::rules(config), answers::rules(config)].map(u64::to_be_bytes);
    perennial_domain::hash::hash64(&[&parts[0], &parts[1]])
}
