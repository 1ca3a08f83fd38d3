//! What a state is looked at with.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, PersonId};

/// Config, account and time: what a state means depends on all three.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The rules.
    pub config: &'a Config,
    /// The account that the person belongs to, where one is known. Only needed where [`Config::asks_account`].
    pub account: Option<&'a AccountFacts>,
    /// When.
    pub now: Timestamp,
    /// Who the person is, where that is known: for what an account says of one of its people.
    pub(crate) person: Option<PersonId>,
}

impl<'a> Moment<'a> {
    /// A moment without an account.
    pub fn new(config: &'a Config, now: Timestamp) -> Self {
        Self { config, account: None, now, person: None }
    }

    /// The same with an account.
    #[must_use]
    pub fn with_account(self, account: Option<&'a AccountFacts>) -> Self {
        Self { account, ..self }
    }

    /// The same for one person.
    #[must_use]
    pub(crate) fn of(self, person: PersonId) -> Self {
        Self { person: Some(person), ..self }
    }

    /// The same at another time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}
