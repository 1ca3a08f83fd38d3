//! Joining people, and parting them again: a part moves whole.

use crate::action::Action;
use crate::profile::{Link, Part, Profile};
use perennial_domain::{AccountId, Identity, PersonId};

impl Profile {
    /// Takes a part in. A part of that identity that is here already and has no events is replaced; one that has any is
    /// combined with it.
    pub fn absorb(&mut self, part: Part) {
        match self.position(&part.identity) {
            Ok(at) => {
                let mine = &mut self.parts[at];
                if mine.state == Default::default() {
                    *mine = part;
                } else {
                    mine.state.merge(&part.state);
                    mine.facts.merge(&part.facts);
                    mine.link = mine.link.take().into_iter().chain(part.link).min();
                }
            }
            Err(at) => self.parts.insert(at, part),
        }
    }

    /// Takes in what another profile leaves behind when its last part moves here: pending work, and its place in an account.
    pub fn inherit(&mut self, outbox: Vec<Action>, left: Option<(AccountId, PersonId)>) {
        self.outbox.extend(outbox);
        self.outbox.extend(left.map(|(account, person)| Action::LeaveAccount { account, person }));
    }

    /// Gives a part away; `None` where there is no such part.
    pub fn release(&mut self, identity: &Identity) -> Option<Part> {
        self.position(identity).ok().map(|at| self.parts.remove(at))
    }
}

impl Link {
    /// Whether this link holds against `current`: the earlier does, and of the same time, that of the smaller user id. So
    /// whatever the order in which they come, the same one stays.
    pub fn holds_against(&self, current: &Self) -> bool {
        self < current
    }
}
