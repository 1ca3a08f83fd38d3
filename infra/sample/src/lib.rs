//! A sample SaaS company: what its website, product, billing, support, survey and webinar tools send over 120 days.
//!
//! Everything is invented and drawn from a seed: about 60 companies with some 600 people who try the product, buy it or
//! not, use it, meet errors and limits, answer surveys, write reviews, become inactive, leave and return; a dozen more
//! companies that only read and ask so far; and visitors who stay anonymous. It contains no real name, and every
//! address ends in the reserved `.example`. The calls are what an SDK would put into the `batch` of `POST /v1/batch`.
//! Some of them are sent twice, some are broken on purpose, and some people write carelessly; [`Company::expected`]
//! contains the counts of a correct run.
//!
//! At the end there is a person in every stage, persona, class and segment of the default configuration.

mod account;
mod double;
mod market;
mod moments;
mod names;
mod person;
mod plan;
mod prospects;
mod record;
mod rng;
mod role;
mod texts;
mod traits;
mod voice;

pub use prospects::PROSPECTS;
pub use record::{Call, Expected};

use jiff::Timestamp;
use perennial_domain::time::plus_days;
use perennial_engine::sentiment::sentiment;
use record::Recorder;
use rng::Rng;
use std::collections::BTreeSet;

/// Days that the sample covers.
pub const DAYS: i64 = 120;
/// Companies that try the product.
pub const ACCOUNTS: u64 = 60;
/// The user id of the brand, which counts public mentions of the company.
pub const BRAND: &str = "perennial-brand";
/// A user of [`EXAMPLE_ACCOUNT`], for example commands.
pub const EXAMPLE_USER: &str = "user-0020";
/// A large paying account, for example commands.
pub const EXAMPLE_ACCOUNT: &str = "customer-01";
/// The sentiment, from -1 to 1, up to which the default configuration counts a mention as negative.
const NEGATIVE: f64 = -0.2;
/// The seed that the demo uses.
pub const SEED: u64 = 2001;

/// The sample company's calls, with what a correct run counts.
#[derive(Debug, Clone)]
pub struct Company {
    calls: Vec<Call>,
    expected: Expected,
}

impl Company {
    /// The calls in the order in which they are sent.
    pub fn calls(&self) -> impl ExactSizeIterator<Item = &Call> {
        self.calls.iter()
    }

    /// The same, to be kept.
    pub fn into_calls(self) -> impl ExactSizeIterator<Item = Call> {
        self.calls.into_iter()
    }

    /// Returns the number of negative mentions of the brand, each counted once: the default configuration records an
    /// event for each.
    pub fn negative_mentions(&self) -> u64 {
        let of_brand = self.calls.iter().filter(|call| call.body["event"] == "Brand Mentioned");
        let is_negative =
            |call: &&Call| call.body["properties"]["text"].as_str().is_some_and(|text| sentiment(text) <= NEGATIVE);
        // A call that is sent twice is counted once.
        let ids: BTreeSet<&str> =
            of_brand.filter(is_negative).filter_map(|call| call.body["messageId"].as_str()).collect();
        ids.len() as u64
    }

    /// Returns the counts of a correct run, recorded while the story was written rather than derived from the calls.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }
}

/// Writes the story of [`DAYS`] days before `end`: the same calls for the same `end` and `seed`. Nothing is sent at or
/// after `end`. The days are UTC days; give an `end` at midnight and the weekends are those of the calendar.
pub fn company(end: Timestamp, seed: u64) -> Company {
    let start = plus_days(end, -DAYS);
    let rng = Rng::new(seed);
    let mut record = Recorder::new(start, end, rng.fork(1));
    for number in 1..=ACCOUNTS {
        account::live(&mut record, number, rng.fork(1_000 + number));
    }
    for number in 1..=PROSPECTS {
        prospects::live(&mut record, number, rng.fork(2_000 + number));
    }
    market::strangers(&mut record, rng.fork(2));
    market::lone_buyer(&mut record);
    market::broken_client(&mut record, rng.fork(3));
    for number in 1..=ACCOUNTS {
        moments::live(&mut record, number, rng.fork(1_000 + number));
    }
    let (calls, expected) = record.finish(rng.fork(4));
    Company { calls, expected }
}

#[cfg(test)]
mod accounts_tests;
#[cfg(test)]
mod analysis_tests;
#[cfg(test)]
mod journey_tests;
#[cfg(test)]
mod tests;
