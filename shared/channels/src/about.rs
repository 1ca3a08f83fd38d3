//! The people whom messages are about.

use crate::brief::Brief;
use crate::render::Context;
use perennial_domain::{AccountId, Decision, Identity, PersonId};
use perennial_engine::{Evaluation, Profile, State};
use std::fmt;

/// The parts of a message about a person.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// The profile as it is now.
    pub person: PersonId,
    /// All identities of the profile.
    pub identities: &'a [&'a Identity],
    /// Traits and account.
    pub context: &'a Context,
    /// Stage and scores.
    pub evaluation: &'a Evaluation,
    /// The brief, for a task.
    pub brief: &'a Brief,
}

impl fmt::Debug for About<'_> {
    // Traits are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("decision", &self.decision.id).finish_non_exhaustive()
    }
}

/// The person of an update.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The profile as it is now.
    pub profile: &'a Profile,
    /// The combined state of its identities.
    pub view: &'a State,
    /// The primary account.
    pub account: Option<&'a AccountId>,
    /// The account if the endpoint has its record.
    pub company: Option<&'a AccountId>,
}

impl fmt::Debug for Person<'_> {
    // Traits are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("profile", &self.profile.id).finish_non_exhaustive()
    }
}
