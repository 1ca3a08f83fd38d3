//! The data that templates can use of a decision and its profile.

use crate::values::{self, Traits};
use perennial_domain::traits::Fact;
use perennial_domain::{AccountId, Cause, Decision, Stage};
use perennial_engine::account::Account;
use perennial_engine::{Profile, State};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The names that templates can use; see [`Context`].
pub(crate) const NAMES: [&str; 12] = [
    "person",
    "profile",
    "event",
    "account",
    "owner",
    "may_call",
    "stage",
    "cause",
    "journey",
    "step",
    "unsubscribe_url",
    "confirm_url",
];

/// The data that a template can use.
///
/// | name | value |
/// |---|---|
/// | `person` | the person's traits, such as `person.first_name`, `person.plan`; those of [`Fact`] under each of their spellings |
/// | `profile.user_id`, `profile.id` | the person's user id, if any, and the id of the profile |
/// | `account.id` | the account's id |
/// | `account.renews_in_days` | whole days until the account's next renewal, if known |
/// | `account.…` | the account's traits, if the caller has them |
/// | `owner` | the responsible colleague or team, if any |
/// | `may_call` | `false` if one of the person's segments forbids calls |
/// | `stage` | the lifecycle stage, such as `trial` |
/// | `event.name`, `event.properties.NAME` | the triggering event, if any |
/// | `cause.event.name`, `cause.quiet.days`, `cause.score.value` | the trigger |
/// | `journey`, `step` | the journey's name, and the step from 0 |
/// | `unsubscribe_url` | the link that ends all mail (mail only) |
/// | `confirm_url` | the link by which a reader confirms their address (only in the mail that asks for it) |
#[derive(Clone)]
pub struct Context {
    person: Traits,
    profile: Map<String, Value>,
    event: Map<String, Value>,
    account: Map<String, Value>,
    owner: String,
    may_call: bool,
    stage: Stage,
    cause: Value,
    journey: String,
    step: u16,
    unsubscribe_url: String,
    confirm_url: String,
}

impl Context {
    /// Returns the context of `decision` for the profile whose combined state is `view`.
    #[must_use]
    pub fn new(decision: &Decision, view: &State, stage: Stage) -> Self {
        let facts = Fact::ALL.into_iter().map(Fact::as_str);
        let sent = view.present_traits();
        let person = Traits {
            sent: sent.filter_map(|(name, value)| Some((name.to_owned(), serde_json::from_str(value).ok()?))).collect(),
            facts: facts.filter_map(|name| Some((name.to_owned(), view.trait_value(name)?))).collect(),
        };
        let mut account = Map::new();
        if let Some(id) = view.account_id() {
            account.insert("id".to_owned(), id.as_str().into());
        }
        Self {
            person,
            profile: Map::new(),
            event: event(decision),
            account,
            owner: String::new(),
            may_call: true,
            stage,
            // A cause is plain data and always becomes JSON.
            cause: serde_json::to_value(&decision.cause).unwrap_or_default(),
            journey: decision.journey.clone(),
            step: decision.step,
            unsubscribe_url: String::new(),
            confirm_url: String::new(),
        }
    }

    /// Returns the context with the person's account and owner ([`perennial_engine::Evaluation::owner`]).
    #[must_use]
    pub fn of(decision: &Decision, view: &State, stage: Stage, account: Option<&Account>, owner: Option<&str>) -> Self {
        let context = Self::new(decision, view, stage).with_owner(owner);
        let Some(account) = account else { return context };
        let traits = account.present_traits().map(|(name, value)| (name.to_owned(), value.clone()));
        context.with_account(&account.id, traits.collect())
    }

    /// Adds the ids of the profile. Of several user ids it is the one that the decision was made for, else the first
    /// alphabetically.
    #[must_use]
    pub fn with_profile(mut self, decision: &Decision, profile: &Profile) -> Self {
        let users = || profile.parts.iter().filter(|part| part.identity.is_user());
        let own = users().find(|part| part.owner() == decision.person).or_else(|| users().next());
        self.profile.insert("id".to_owned(), profile.id.to_string().into());
        if let Some(own) = own {
            self.profile.insert("user_id".to_owned(), own.identity.as_str().into());
        }
        self
    }

    /// Adds the link that unsubscribes from all mail.
    #[must_use]
    pub fn with_unsubscribe_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.unsubscribe_url);
        self
    }

    /// With the link by which a reader confirms their address.
    #[must_use]
    pub fn with_confirm_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.confirm_url);
        self
    }

    /// With the account and its traits; a trait named `id` is left out.
    #[must_use]
    pub fn with_account(mut self, id: &AccountId, traits: Map<String, Value>) -> Self {
        self.account.insert("id".to_owned(), id.as_str().into());
        for (name, value) in traits.into_iter().filter(|(name, _)| name != "id") {
            self.account.insert(name, value);
        }
        self
    }

    /// Adds the days until the account's next renewal, rounded up; nothing if unknown. A trait of the same name is
    /// replaced.
    #[must_use]
    pub fn with_renewal(mut self, days: Option<i64>) -> Self {
        match days {
            Some(days) => self.account.insert("renews_in_days".to_owned(), days.into()),
            None => self.account.remove("renews_in_days"),
        };
        self
    }

    /// Adds the person's owner ([`perennial_engine::Evaluation::owner`]).
    #[must_use]
    pub fn with_owner(mut self, owner: Option<&str>) -> Self {
        owner.unwrap_or_default().clone_into(&mut self.owner);
        self
    }

    /// Says whether the person may be called ([`perennial_engine::Evaluation::may_call`]).
    #[must_use]
    pub fn with_may_call(mut self, may_call: bool) -> Self {
        self.may_call = may_call;
        self
    }

    /// Returns the person's owner, if any.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        Some(self.owner.as_str()).filter(|owner| !owner.is_empty())
    }

    /// The account's id.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        self.account.get("id").and_then(Value::as_str)
    }

    /// Returns the person's traits as sent.
    #[must_use]
    pub fn person(&self) -> &Map<String, Value> {
        &self.person.sent
    }

    /// Returns one of the person's traits, in any spelling.
    #[must_use]
    pub fn person_trait(&self, name: &str) -> Option<&Value> {
        self.person.get(name)
    }

    /// Returns the names and their values.
    pub(super) fn values(&self) -> minijinja::Value {
        use minijinja::Value;
        Value::from(BTreeMap::from([
            ("person", Value::from_object(self.person.clone())),
            ("profile", values::value(&self.profile.clone().into())),
            ("event", values::value(&self.event.clone().into())),
            ("account", Value::from_object(Traits { sent: self.account.clone(), facts: Map::new() })),
            ("owner", Value::from(self.owner.as_str())),
            ("may_call", Value::from(self.may_call)),
            ("stage", Value::from(self.stage.as_str())),
            ("cause", values::value(&self.cause)),
            ("journey", Value::from(self.journey.as_str())),
            ("step", Value::from(self.step)),
            ("unsubscribe_url", Value::from(self.unsubscribe_url.as_str())),
            ("confirm_url", Value::from(self.confirm_url.as_str())),
        ]))
    }
}

/// Returns the triggering event; empty if there is none.
fn event(decision: &Decision) -> Map<String, Value> {
    let Cause::Event { name, .. } = &decision.cause else { return Map::new() };
    let properties = decision.properties.clone().into();
    Map::from_iter([("name".to_owned(), name.as_str().into()), ("properties".to_owned(), properties)])
}
