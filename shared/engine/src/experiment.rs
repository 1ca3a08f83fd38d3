//! Experiments: assigns variants, and evaluates the results. Pure: a profile, shares and counts in, a result out.
//!
//! - [`assign`]: the same person gets the same variant, for ever, without anything stored.
//! - [`rates`]: how often a goal was reached, and how much more often than in another group, with intervals that hold at one look.
//! - [`verdict`]: which variant leads, safe to ask every day.
//! - [`sample_ratio`]: whether the groups are as large as they should be; where they are not, no verdict counts.
//! - [`tally`]: people counted by what they were assigned to.
//! - [`report`]: all of this of them.

pub mod assign;
mod numeric;
pub mod rates;
pub mod report;
pub mod sample_ratio;
pub mod tally;
pub mod verdict;

pub use assign::{Holdout, Share, Variant, assign, held_out};
pub use rates::{Alpha, Arm, Estimate, Interval};
pub use report::{Report, reports};
pub use sample_ratio::SampleRatio;
pub use tally::Tally;
pub use verdict::{Better, Comparison, Plan, Verdict, judge, least_sample};
