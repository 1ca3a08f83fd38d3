//! What a state is looked at with.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, PersonId};

/// What accounts say of one of their people.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accounts<'a> {
    /// The account that the person belongs to, the primary one of several, where it is known. Only needed where [`Config::asks_account`].
    pub primary: Option<&'a AccountFacts>,
    /// Whether another account that they belong to pays. Only needed where [`perennial_config::lifecycle::Lifecycle::people_follow_account`], and the primary
    /// one does not pay.
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
    /// The account that the person belongs to, see [`Accounts::primary`].
    pub account: Option<&'a AccountFacts>,
    /// See [`Accounts::pays_elsewhere`].
    pub pays_elsewhere: bool,
    /// When.
    pub now: Timestamp,
    /// Who the person is, where that is known: for what an account says of one of its people.
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
