//! Visits each of an account's people once, although several parts of the account may list them.

use perennial_domain::{Member, PersonId};
use std::collections::{BTreeMap, HashSet};

/// Passes each person of an account and its company domains on once. A person whom `group` calls named as a member of
/// the account and of its domain is listed by both: the entry of their primary account counts, or else one of the
/// others.
#[derive(Debug, Default)]
pub struct Once {
    has_domains: bool,
    primary: HashSet<PersonId>,
    others: BTreeMap<PersonId, Member>,
}

impl Once {
    /// Creates a filter without people. Nothing is stored for an account without domains, which lists each person once.
    pub fn new(has_domains: bool) -> Self {
        Self { has_domains, ..Self::default() }
    }

    /// Returns whether `member` counts now. A person whose primary account is another one is kept until the end.
    pub fn is_first(&mut self, member: &Member) -> bool {
        if !self.has_domains {
            return true;
        }
        if member.elsewhere {
            self.others.entry(member.person).or_insert_with(|| member.clone());
            return false;
        }
        self.primary.insert(member.person)
    }

    /// Returns the people who have another account as their primary one, at the end.
    pub fn rest(self) -> impl Iterator<Item = Member> {
        let Self { primary, others, .. } = self;
        others.into_values().filter(move |member| !primary.contains(&member.person))
    }
}
