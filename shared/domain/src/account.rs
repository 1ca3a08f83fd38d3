//! Accounts: the companies that people belong to.

use crate::{Likelihood, PersonId, Score, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an account keeps of one of its people: enough to roll it up without reading the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// Where the person stands.
    pub stage: Stage,
    /// The scores above 0.
    pub scores: BTreeMap<Likelihood, Score>,
    /// Active days of the last 28, as 0 to 100.
    pub engagement: Score,
    /// The newest activity.
    pub last_seen: Option<Timestamp>,
}
