//! `[members]` and `[membership]` of `accounts.toml`: who belongs to an account, how many accounts a person belongs to,
//! and what ends a membership.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};

/// The event that ends a membership by default.
const LEFT_EVENT: &str = "Left Account";
/// The default of `idle_days`.
const IDLE_DAYS: u16 = 90;
/// The greatest `idle_days`.
const MAX_IDLE_DAYS: u16 = 3650;

/// How people belong to accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// `true` if a person belongs to one account at a time: the one named last.
    pub single: bool,
    /// Days of activity in other accounts, and none in this one, after which a membership ends; `None`: never.
    pub idle_days: Option<u16>,
    /// The event (as counted) that ends the membership of the account that it names, or of the primary one if it names
    /// none.
    pub left_event: String,
}

impl Default for Membership {
    fn default() -> Self {
        Self { single: false, idle_days: Some(IDLE_DAYS), left_event: LEFT_EVENT.to_owned() }
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawMembers {
    /// Events that assign a person to an account, like a `group` call, if they contain its id, such as billing events;
    /// default: those of `stage` and `renewal`. The account in other calls counts only for people who belong to none.
    pub(super) events: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawMembership {
    /// `true` if a person belongs to one account at a time, the one named last; default: false. Otherwise a person
    /// belongs to up to 8 accounts, and the one named last is the primary.
    #[serde(default)]
    single: bool,
    /// Days, 0 to 3650, after which a membership ends when the person was active in other accounts but never in this one; default: 90. 0: never.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3650)))]
    idle_days: Option<Spanned<u16>>,
    /// The event that ends a person's membership of the account that it names, or of the primary account if it names none; default: "Left Account".
    /// A `group` call with the trait `left: true` does the same.
    left_event: Option<Spanned<String>>,
}

/// Checks and compiles the section.
pub(super) fn load_membership(report: &mut Reporter<'_>, raw: RawMembership) -> Membership {
    if let Some(days) = raw.idle_days.as_ref().filter(|days| *days.get_ref() > MAX_IDLE_DAYS) {
        report.at(days.span(), format!("membership.idle_days must be from 0 (never) to {MAX_IDLE_DAYS}"));
    }
    if let Some(event) = &raw.left_event {
        report.event(event);
    }
    let idle_days = raw.idle_days.map_or(IDLE_DAYS, Spanned::into_inner);
    Membership {
        single: raw.single,
        idle_days: (idle_days > 0).then_some(idle_days),
        left_event: raw.left_event.map_or_else(|| LEFT_EVENT.to_owned(), Spanned::into_inner),
    }
}
