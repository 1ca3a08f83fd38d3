//! The values of a person that the CRM gets to know, and when.
//!
//! A profile keeps what was last written of it ([`Written`]). It is written again when a value differs enough from that: a score by
//! `least_change` points, the last activity by a week, anything else at all. So a score that decays is written a few times and not each day,
//! and no event is written by itself. A timer notices changes in silence (`drift`).
//!
//! A value that equals the person's own trait of the field's name is no news: it came from the CRM.
//!
//! Changes by an import are written within a day of it, at a time of day of the person's own, so that the CRM gets a large import a little at a
//! time. Changes by live events are written at once.

use crate::action::Action;
use crate::evaluate::Evaluation;
use crate::person::Person;
use crate::profile::Profile;
use crate::state::State;
use crate::written::{Written, differs};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::accounts::{PeopleCrm, PersonField, SUBSCRIPTION_EVENTS};
use perennial_config::channels::{ContactId, Kind};
use perennial_domain::text::cut;
use perennial_domain::time::{DAY_SECONDS, date_of, day_of, day_of_date};
use perennial_domain::traits::{Fact, readable};
use perennial_domain::{Identity, PersonId, Stage, Subject, hash};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Days by which the last activity has to be later to be written by itself.
const ACTIVE_AGAIN: i32 = 7;
/// The time over which the writes because of an import are spread, in seconds.
const SPREAD: i64 = DAY_SECONDS;
/// The longest value, in bytes: what a single-line text of the CRMs takes.
const MAX_VALUE: usize = 255;

/// Returns the value by which a CRM finds a person's contact, whose external id `holds` it; `None` if the person has none. `address` is the mail
/// address in lower case, as CRMs compare it.
pub fn contact_id<'i>(
    holds: ContactId,
    person: PersonId,
    mut identities: impl Iterator<Item = &'i Identity>,
    address: impl FnOnce() -> Option<String>,
) -> Option<String> {
    match holds {
        ContactId::Email => address(),
        ContactId::UserId => identities.find_map(|identity| match identity {
            Identity::User(id) => Some(id.as_str().to_owned()),
            Identity::Anonymous(_) | Identity::External(_) => None,
        }),
        ContactId::PersonId => Some(person.to_string()),
    }
}

/// A person as a contact of the configured CRM.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact<'a> {
    crm: &'a PeopleCrm,
    /// A hash of the value by which the contact is found.
    record: u64,
    written: Option<&'a Written>,
}

impl<'a> Contact<'a> {
    /// Returns the profile's contact; `None` if people are not written, or the profile has no value by which a contact is found.
    pub(crate) fn of(config: &'a Config, profile: &'a Profile, view: &State) -> Option<Self> {
        let crm = config.accounts.people.as_ref()?;
        if profile.is_external() {
            return None;
        }
        let holds = match &config.channels.webhook.get(&crm.endpoint)?.kind {
            Kind::HubSpot(records) | Kind::Salesforce(records) => records.contact.holds,
            Kind::Standard | Kind::Slack => ContactId::PersonId,
        };
        let address = || Some(view.text_trait(Fact::Email.as_str())?.trim().to_lowercase());
        let id = contact_id(holds, profile.id, profile.parts.iter().map(|part| &part.identity), address)?;
        Some(Self { crm, record: hash::hash64(&[id.as_bytes()]), written: profile.written.as_ref() })
    }

    /// Returns whether something is worth writing of `person`, who has scores and segments.
    pub(crate) fn is_outdated(&self, person: &Person<'_>) -> bool {
        self.selects(person) && self.differs(person, &self.values(person))
    }

    fn selects(&self, person: &Person<'_>) -> bool {
        match &self.crm.when {
            Some(when) => when.is_true(person),
            None => person.stage != Stage::Visitor && person.state.text_trait(Fact::Email.as_str()).is_some(),
        }
    }

    fn differs(&self, person: &Person<'_>, values: &BTreeMap<String, Value>) -> bool {
        let is_same_record = self.written.is_none_or(|written| written.record == Some(self.record));
        let is_news = |(field, name): (&PersonField, &String)| {
            let new = values.get(name).unwrap_or(&Value::Null);
            let old = self.written.and_then(|written| written.fields.get(name)).unwrap_or(&Value::Null);
            is_worth_writing(*field, old, new, self.crm.least_change) && !is_echo(person, name, new)
        };
        !is_same_record || self.crm.fields.iter().any(is_news)
    }

    /// Returns the CRM's fields and their values.
    fn values(&self, person: &Person<'_>) -> BTreeMap<String, Value> {
        let evaluation = Evaluation::of(person);
        self.crm.fields.iter().map(|(field, name)| (name.clone(), value_of(*field, person, &evaluation))).collect()
    }
}

/// Puts an update of the profile's contact into the outbox if something is worth writing. `live` says that it is about what happens now, and
/// not about an import. Returns whether there is one.
pub(crate) fn write(person: &Person<'_>, profile: &mut Profile, live: bool) -> bool {
    let (config, now) = (person.moment.config, person.moment.now);
    let Some(contact) = Contact::of(config, profile, person.state) else { return false };
    // An end that only changes the plan is not written.
    if person.settles_at().is_some() || (!live && opens_at(profile, now).is_some()) {
        return false;
    }
    let fields = contact.values(person);
    if !contact.selects(person) || !contact.differs(person, &fields) {
        return false;
    }
    let started = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let number = contact.written.map_or(started, |written| started.max(written.number + 1));
    let written = Written { number, record: Some(contact.record), fields };
    let mut update = written.update(config, Subject::Person(profile.id), &contact.crm.endpoint, now);
    // `deliver` reads this one when it writes: it is not in the profile.
    if let Some(name) = contact.crm.fields.get(&PersonField::Unsubscribed) {
        update.fields.insert(name.clone(), Value::Null);
    }
    // This update would replace one that has not been sent yet.
    profile.outbox.retain(|action| !matches!(action, Action::UpdateCrm(_)));
    profile.outbox.push(Action::UpdateCrm(update));
    profile.written = Some(written);
    true
}

/// Returns when an update that waits because of an import is due; `None` if none waits.
pub(crate) fn next_due(person: &Person<'_>, profile: &Profile) -> Option<Timestamp> {
    let contact = Contact::of(person.moment.config, profile, person.state)?;
    let opens = opens_at(profile, person.moment.now)?;
    contact.is_outdated(person).then_some(opens)
}

/// Returns when the profile's import may be written; `None` if it may be now: the first time of day of the profile's own after the import.
fn opens_at(profile: &Profile, now: Timestamp) -> Option<Timestamp> {
    let imported = profile.parts.iter().filter_map(|part| part.facts.imported).max()?;
    let own = i64::try_from(hash::hash64(&[profile.id.as_bytes()]) % SPREAD.unsigned_abs()).unwrap_or_default();
    let opens = imported + (own - imported).rem_euclid(SPREAD);
    Timestamp::from_second(opens).ok().filter(|opens| *opens > now)
}

fn value_of(field: PersonField, person: &Person<'_>, evaluation: &Evaluation) -> Value {
    let (config, account) = (person.moment.config, person.moment.account);
    match field {
        PersonField::Stage => json!(evaluation.stage),
        PersonField::Score(likelihood) => json!(evaluation.scores.get(likelihood)),
        PersonField::Nps => json!(person.state.nps.map(|answer| answer.points)),
        PersonField::NpsClass => json!(evaluation.nps),
        PersonField::Personas => json!(evaluation.personas(config).collect::<Vec<_>>()),
        PersonField::Segment => json!(evaluation.segments(config).next()),
        PersonField::Owner => owner(person, evaluation),
        PersonField::AccountScore => json!(account.map(|account| account.score)),
        PersonField::AccountHealth => json!(account.and_then(|account| account.health)),
        PersonField::LastActivity => day(person.state.seen.map(|seen| seen.last_at())),
        PersonField::NextRenewal => day(account.and_then(|account| account.renews_at)),
        // It changes with each of these events, which is all that the profile knows.
        PersonField::Unsubscribed => {
            json!(SUBSCRIPTION_EVENTS.iter().map(|event| u64::from(person.state.counts.get(event))).sum::<u64>())
        }
    }
}

/// Returns the owner that a colleague gave the person, else the derived one.
fn owner(person: &Person<'_>, evaluation: &Evaluation) -> Value {
    let config = person.moment.config;
    let named = config.accounts.owner.r#trait.as_ref().and_then(|name| person.state.text_trait(name));
    let named = named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let owner = named.or_else(|| evaluation.owner(config, person.moment.account).map(str::to_owned));
    json!(owner.map(|owner| cut(&owner, MAX_VALUE)))
}

fn day(at: Option<Timestamp>) -> Value {
    json!(at.map(|at| date_of(day_of(at)).to_string()))
}

fn is_worth_writing(field: PersonField, old: &Value, new: &Value, least: u8) -> bool {
    match field {
        PersonField::Score(_) | PersonField::AccountScore | PersonField::AccountHealth => differs(old, new, least),
        PersonField::LastActivity => {
            let day = |value: &Value| Some(day_of_date(value.as_str()?.parse().ok()?));
            day(old).zip(day(new)).map_or(old != new, |(old, new)| new.abs_diff(old) >= ACTIVE_AGAIN.unsigned_abs())
        }
        // Nothing is known of someone without such an event.
        PersonField::Unsubscribed if old.is_null() => new.as_u64() != Some(0),
        PersonField::NpsClass if old.is_null() => new.as_str() != Some("none"),
        PersonField::Personas if old.is_null() => new.as_array().is_some_and(|all| !all.is_empty()),
        _ => old != new,
    }
}

/// Returns whether the person's trait of the CRM field's name has the value: the CRM knows it.
fn is_echo(person: &Person<'_>, name: &str, new: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::Array(all) => Some(all.iter().filter_map(readable).collect::<Vec<_>>().join(";")),
        value => readable(value),
    };
    let known = person.state.trait_value(name).as_ref().and_then(text);
    known.is_some_and(|known| text(new).as_ref() == Some(&known))
}

#[cfg(test)]
#[path = "crm_tests.rs"]
mod tests;
