//! Experiments: assigns variants, and evaluates the results. Pure: a profile, shares and counts in, a result out.
//!
//! - [`assign`]: the same person always gets the same variant, without anything stored.
//! - [`rates`]: goal rates and their differences between groups, with intervals that hold at one look.
//! - [`verdict`]: which variant leads, safe to check every day.
//! - [`sample_ratio`]: whether the groups have the expected sizes; if they do not, no verdict counts.
//! - [`report`]: people counted by assignment, with all of these results.

pub mod assign;
mod numeric;
pub mod rates;
pub mod report;
pub mod sample_ratio;
pub mod verdict;

pub use assign::{Holdout, Share, Variant, assign, held_out};
pub use rates::{Alpha, Arm, Estimate, Interval};
pub use report::{Report, Tally};
pub use sample_ratio::SampleRatio;
pub use verdict::{Better, Comparison, Plan, Verdict, judge, least_sample};
