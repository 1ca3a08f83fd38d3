//! The priority of a message among others that wait for the same profile, and how long it may wait.

use crate::error::Reporter;
use crate::limits::{MAX_AGE_DAYS, USUAL_AGE_DAYS};
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};

/// The highest priority.
const MAX_PRIORITY: u8 = 100;
/// The highest worth.
const MAX_WORTH: u32 = 1_000_000;

/// The rank of a message among those that wait: the higher priority goes first, then the higher worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// 0 to 100.
    pub priority: u8,
    /// 0 to 1,000,000.
    pub worth: u32,
    /// The number of days that the message may wait, 1 to 90, before it is dropped.
    pub max_age_days: u16,
}

impl Default for Rank {
    fn default() -> Self {
        Self { priority: 50, worth: 0, max_age_days: USUAL_AGE_DAYS }
    }
}

/// The fields of a journey or a step, as they are written.
pub(super) struct RawRank<'a> {
    pub(super) priority: Option<&'a Spanned<u8>>,
    pub(super) worth: Option<&'a Spanned<u32>>,
    pub(super) max_age_days: Option<&'a Spanned<u16>>,
}

impl RawRank<'_> {
    /// Checks the fields; missing ones are taken from `default`.
    pub(super) fn load(&self, report: &mut Reporter<'_>, default: Rank) -> Rank {
        let Self { priority, worth, max_age_days } = self;
        if let Some(priority) = priority.filter(|priority| *priority.get_ref() > MAX_PRIORITY) {
            report.at(priority.span(), format!("priority must be from 0 to {MAX_PRIORITY}"));
        }
        if let Some(worth) = worth.filter(|worth| *worth.get_ref() > MAX_WORTH) {
            report.at(worth.span(), format!("worth must be from 0 to {MAX_WORTH}"));
        }
        if let Some(days) = max_age_days.filter(|days| !(1..=MAX_AGE_DAYS).contains(days.get_ref())) {
            report.at(days.span(), format!("max_age_days must be from 1 to {MAX_AGE_DAYS}"));
        }
        Rank {
            priority: priority.map_or(default.priority, |priority| *priority.get_ref()),
            worth: worth.map_or(default.worth, |worth| *worth.get_ref()),
            max_age_days: max_age_days.map_or(default.max_age_days, |days| *days.get_ref()),
        }
    }

    /// Returns the position of one of the fields, if any is set.
    pub(super) fn place(&self) -> Option<std::ops::Range<usize>> {
        let Self { priority, worth, max_age_days } = self;
        let written = [priority.map(Spanned::span), worth.map(Spanned::span), max_age_days.map(Spanned::span)];
        written.into_iter().flatten().next()
    }
}
