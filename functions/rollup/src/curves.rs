//! The curves of an account's members that have to be renewed.

use jiff::Timestamp;
use perennial_domain::{Member, PersonId};
use perennial_engine::account::silence::is_ending;

/// Collects the people whose curve ends. All curves that end within days are renewed together, so that an account is
/// written once for them.
pub(crate) struct Curves {
    now: Timestamp,
    has_ended: bool,
    ending: Vec<PersonId>,
}

impl Curves {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, has_ended: false, ending: Vec::new() }
    }

    pub(crate) fn see(&mut self, member: &Member) {
        // An entry without a curve is from an earlier version: it counts unchanged until the person is next evaluated.
        let Some(curve) = &member.curve else { return };
        self.has_ended |= !curve.reaches(self.now);
        if is_ending(curve, self.now) {
            self.ending.push(member.person);
        }
    }

    /// Returns the people to evaluate again: none while all curves are known.
    pub(crate) fn to_renew(&self) -> &[PersonId] {
        if self.has_ended { &self.ending } else { &[] }
    }
}
