//! The context for evaluating a state.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, PersonId};

/// A person's accounts, for an evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accounts<'a> {
    /// The person's account, the primary one of several, if known. Only needed if [`Config::asks_account`].
    pub primary: Option<&'a AccountFacts>,
    /// `true` if another account of theirs pays. Only needed if
    /// [`perennial_config::lifecycle::Lifecycle::people_follow_account`], and the primary one does not pay.
    pub pays_elsewhere: bool,
}

impl<'a> From<Option<&'a AccountFacts>> for Accounts<'a> {
    fn from(primary: Option<&'a AccountFacts>) -> Self {
        Self { primary, pays_elsewhere: false }
    }
}

/// Config, account and time: what a state means depends on all three.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The rules.
    pub config: &'a Config,
    /// The person's account, see [`Accounts::primary`].
    pub account: Option<&'a AccountFacts>,
    /// See [`Accounts::pays_elsewhere`].
    pub pays_elsewhere: bool,
    /// When.
    pub now: Timestamp,
    /// The profile id, if known: for what an account stores about one of its people.
    pub(crate) person: Option<PersonId>,
}

impl<'a> Moment<'a> {
    /// A moment without an account.
    pub fn new(config: &'a Config, now: Timestamp) -> Self {
        Self { config, account: None, pays_elsewhere: false, now, person: None }
    }

    /// The same with an account, or several.
    #[must_use]
    pub fn with_account(self, accounts: impl Into<Accounts<'a>>) -> Self {
        let Accounts { primary: account, pays_elsewhere } = accounts.into();
        Self { account, pays_elsewhere, ..self }
    }

    /// Returns the same for one profile: whether it is its account's leading buyer depends on it.
    #[must_use]
    pub fn of(self, person: PersonId) -> Self {
        Self { person: Some(person), ..self }
    }

    /// The same at another time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}
