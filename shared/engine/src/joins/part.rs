//! The links, claims and notes of an identity.

use super::{Claim, Digest, Evidence, Link, MAX_LINKS, MAX_NOTES, Note, Standing};
use crate::profile::Part;
use crate::state::State;
use crate::unverified::{is_public_link, time_of_link};

impl Link {
    /// Returns when it was first reported, or received for a public source, in microseconds since 1970.
    pub fn said_at(&self) -> i64 {
        time_of_link(self.at)
    }
}

impl Part {
    /// Returns the link that counts: the user that this identity belongs to. If a trusted source reported personal data
    /// of it, a public source cannot link it to anyone.
    pub fn holder(&self) -> Option<&Link> {
        let link = self.links.iter().find(|link| link.standing == Standing::Holds)?;
        (!is_public_link(link.at) || !self.has_own()).then_some(link)
    }

    /// Returns whether a trusted source reported data of the identity that no stranger may take: an address, payments
    /// or an account.
    fn has_own(&self) -> bool {
        let State { revenue, billing, memberships, account, .. } = &self.state;
        let is_vouched_for = |claim: &Claim| claim.standing != Standing::Unverified;
        self.claims.iter().any(is_vouched_for)
            || !revenue.is_empty()
            || !billing.payments.is_empty()
            || billing.subscriptions.values().any(|each| each.named || each.was_paid())
            || !memberships.said.is_empty()
            || account.is_some()
    }

    /// Adds a link; returns whether anything changed. Of one user's links the earliest is kept, with the standing of
    /// the user's link; of more than [`MAX_LINKS`] the latest is dropped, but unmerged ones are kept.
    pub fn add_link(&mut self, new: Link) -> bool {
        match self.links.iter_mut().find(|link| link.user == new.user) {
            Some(link) if (new.at, new.message) < (link.at, link.message) => {
                *link = Link { standing: link.standing, ..new };
                self.links.sort();
                true
            }
            Some(_) => false,
            None => {
                let user = new.user.clone();
                self.links.push(new);
                self.links.sort();
                if self.links.len() > MAX_LINKS
                    && let Some(last) = self.links.iter().rposition(|link| link.standing != Standing::Severed)
                {
                    return self.links.remove(last).user != user;
                }
                true
            }
        }
    }

    /// Returns the claim to a value, if there is one.
    pub fn claim(&self, evidence: Evidence, key: Digest) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.evidence == evidence && claim.key == key)
    }

    pub(crate) fn claim_mut(&mut self, evidence: Evidence, key: Digest) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|claim| claim.evidence == evidence && claim.key == key)
    }

    /// Returns the claims that count.
    pub fn held(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.standing == Standing::Holds)
    }

    /// Returns when this identity gave up a mail address that it claims, in microseconds since 1970; `None` if it still
    /// has it.
    ///
    /// An address is given up when another new one is reported, or just after it was last reported if a known one is
    /// reported again. So the time in which an identity has an address follows from when each was first and last
    /// reported: in any order of arrival, other addresses can only shorten it, and only the address itself can lengthen
    /// it.
    pub fn given_up(&self, claim: &Claim) -> Option<i64> {
        if claim.evidence != Evidence::Mail {
            return None;
        }
        let counts = |other: &&Claim| other.evidence == Evidence::Mail && other.standing != Standing::Unverified;
        let others = self.claims.iter().filter(counts).filter(|other| other.last > claim.last);
        others.map(|other| if other.at > claim.last { other.at } else { claim.last + 1 }).min()
    }

    pub(crate) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
            if self.notes.len() > MAX_NOTES {
                self.notes.remove(0);
            }
        }
    }

    /// Returns the key by which an `alias` refers to this user id.
    pub(crate) fn alias_key(&self) -> Option<Digest> {
        self.identity.is_user().then(|| Digest::of_value(Evidence::Alias, self.identity.as_str()))
    }
}
