//! CRMs: people, accounts and tasks as records that are upserted by an id of ours, so that a repetition changes
//! nothing.

mod batches;
pub(crate) mod gather;
pub mod hubspot;
pub mod record;
pub mod salesforce;

pub use record::{Contact, Object, Record, Task};

use crate::about::{About, Person};
use crate::address::Address;
use crate::connection::PAUSED;
use crate::message::Message;
use crate::outcome::Outcome;
use futures::future::BoxFuture;
use perennial_config::channels::{ContactRecords, CrmRecords, TaskRecords};
use perennial_domain::traits::{find, readable};
use perennial_domain::{AccountId, CrmUpdate};
use perennial_engine::account::Account;
use perennial_engine::contact_id;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// A task whose contact exists in the CRM.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignedTask {
    /// The task.
    pub record: Record,
    /// The CRM's own id of its contact.
    pub contact: Option<String>,
}

/// The outcome for one record. Reasons are words of the CRM's documentation and names of its fields, never the content
/// of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upserted {
    /// It was written as sent.
    Done {
        /// The CRM's own id of it.
        id: String,
    },
    /// It may succeed later.
    Retry {
        /// Why it did not.
        reason: String,
        /// The pause that the CRM asks for; `None` if it does not say.
        after: Option<Duration>,
    },
    /// It was not sent: the CRM asked to be left alone.
    Paused {
        /// For how much longer.
        after: Duration,
    },
    /// It would be refused again.
    Rejected {
        /// Why.
        reason: String,
    },
}

impl Upserted {
    /// Returns the outcome of a record of which nothing is left to do but what ended like this: what the CRM refuses for good is left out.
    fn unless_refused(self) -> Option<Self> {
        (!matches!(self, Self::Rejected { .. })).then_some(self)
    }

    fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }

    /// Returns the outcome for the record's message.
    fn outcome(self) -> Outcome {
        match self {
            Self::Done { id } => Outcome::Sent { provider_id: Some(id) },
            Self::Retry { reason, after } => Outcome::Retry { reason, after },
            Self::Paused { after } => Outcome::Paused { reason: PAUSED, after },
            Self::Rejected { reason } => Outcome::Rejected { reason },
        }
    }
}

/// A CRM. Each method returns one outcome for each record, in their order, with as many calls as needed.
pub trait Crm: Send + Sync {
    /// Creates or updates contacts, and associates each with its account if the CRM has it.
    fn upsert_contacts<'a>(&'a self, contacts: &'a [Contact]) -> BoxFuture<'a, Vec<Upserted>>;
    /// Creates or updates accounts.
    fn upsert_accounts<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Vec<Upserted>>;
    /// Creates or updates tasks, and associates each with its contact.
    fn upsert_tasks<'a>(&'a self, tasks: &'a [AssignedTask]) -> BoxFuture<'a, Vec<Upserted>>;
}

/// Writes `messages` with as few calls as possible: all contacts, then the tasks whose contacts were
/// written, and the accounts. Returns one outcome for each message, in their order.
pub(crate) async fn deliver(crm: &dyn Crm, messages: &[Message]) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::rejected("the message is of another kind than its endpoint"); messages.len()];
    let (mut contacts, mut tasks, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for (index, message) in messages.iter().enumerate() {
        match message {
            Message::Task(Task { contact: Some(contact), task }) => {
                contacts.push((index, Some(task), contact.clone().into()))
            }
            Message::Task(Task { contact: None, task }) => tasks.push((index, assigned(task, None))),
            Message::Contact(contact) => contacts.push((index, None, contact.clone())),
            Message::Account(record) => accounts.push((index, record.clone())),
            Message::Webhook(_) | Message::Chat(_) => {}
        }
    }
    let all: Vec<Contact> = contacts.iter().map(|(_, _, contact)| contact.clone()).collect();
    for ((index, task, _), upserted) in contacts.into_iter().zip(each(&all, |all| crm.upsert_contacts(all)).await) {
        match (task, upserted) {
            (Some(task), Upserted::Done { id }) => tasks.push((index, assigned(task, Some(id)))),
            (Some(_), Upserted::Rejected { reason }) => {
                outcomes[index] = Outcome::rejected(format!("the task's contact was refused: {reason}"));
            }
            (_, upserted) => outcomes[index] = upserted.outcome(),
        }
    }
    let (places, tasks): (Vec<usize>, Vec<AssignedTask>) = tasks.into_iter().unzip();
    for (index, upserted) in places.into_iter().zip(each(&tasks, |all| crm.upsert_tasks(all)).await) {
        outcomes[index] = upserted.outcome();
    }
    let (places, accounts): (Vec<usize>, Vec<Record>) = accounts.into_iter().unzip();
    for (index, upserted) in places.into_iter().zip(each(&accounts, |all| crm.upsert_accounts(all)).await) {
        outcomes[index] = upserted.outcome();
    }
    outcomes
}

fn assigned(task: &Record, contact: Option<String>) -> AssignedTask {
    AssignedTask { record: task.clone(), contact }
}

/// Returns the outcome of each of `records`, without a call if there are none.
async fn each<'a, R>(records: &'a [R], call: impl FnOnce(&'a [R]) -> BoxFuture<'a, Vec<Upserted>>) -> Vec<Upserted> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut upserted = call(records).await;
    upserted.resize(records.len(), Upserted::retry("the CRM said nothing of the record"));
    upserted
}

/// Returns the contact of a task; `None` if the person lacks the value that identifies contacts.
pub(crate) fn contact(records: &ContactRecords, about: &About<'_>) -> Option<Record> {
    let traits = |name: &str| about.context.person_trait(name).cloned();
    let identities = about.identities.iter().copied();
    let id = contact_id(records.holds, about.person, identities, || address(traits))?;
    Some(Record { id, fields: filled(&records.fields, traits) })
}

/// Returns the person as a contact, with what the update is to write; `None` if the person lacks the value that identifies contacts.
pub(crate) fn person(records: &CrmRecords, update: &CrmUpdate, person: &Person<'_>) -> Option<Contact> {
    let traits = |name: &str| person.view.trait_value(name);
    let identities = person.profile.parts.iter().map(|part| &part.identity);
    let id = contact_id(records.contact.holds, person.profile.id, identities, || address(traits))?;
    let fields = with_update(records, filled(&records.contact.fields, traits), update);
    Some(Contact { record: Record { id, fields }, account: person.company.map(|account| account.as_str().to_owned()) })
}

/// Returns the mail address among a person's traits, as CRMs compare it: in lower case.
fn address(traits: impl Fn(&str) -> Option<Value>) -> Option<String> {
    let address = Address::parse(traits(ADDRESS_TRAIT)?.as_str()?).ok()?;
    Some(address.as_str().to_ascii_lowercase())
}

/// The account as a record, with what the update is to write.
pub(crate) fn account(
    records: &CrmRecords,
    update: &CrmUpdate,
    account: &AccountId,
    known: Option<&Account>,
) -> Record {
    let traits: Map<String, Value> = known
        .into_iter()
        .flat_map(Account::present_traits)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let of_traits = filled(&records.account.fields, |name| find(&traits, name).cloned());
    Record { id: account.as_str().to_owned(), fields: with_update(records, of_traits, update) }
}

/// The fields of the CRMs that hold the user who owns a record, by that user's id.
const OWNER_FIELDS: [&str; 2] = ["hubspot_owner_id", "OwnerId"];

/// Returns the fields with those of the update. A record's own owner is written as the CRM's id of the user; one whose id the
/// configuration does not know is left unchanged.
fn with_update(
    records: &CrmRecords,
    mut fields: BTreeMap<String, Value>,
    update: &CrmUpdate,
) -> BTreeMap<String, Value> {
    for (name, value) in &update.fields {
        match value.as_str().filter(|_| OWNER_FIELDS.contains(&name.as_str())) {
            None => drop(fields.insert(name.clone(), value.clone())),
            Some(owner) => {
                let id = records.task.owners.get(owner);
                fields.extend(id.map(|id| (name.clone(), Value::from(id.as_str()))));
            }
        }
    }
    fields
}

/// Returns the fields whose traits are known; other fields are left unchanged, as are those for an object without a
/// name.
fn filled(fields: &BTreeMap<String, String>, value: impl Fn(&str) -> Option<Value>) -> BTreeMap<String, Value> {
    let field = |value: Value| match value {
        Value::Object(_) | Value::Null => readable(&value).map(Value::String),
        value => Some(value),
    };
    fields.iter().filter_map(|(name, of)| Some((name.clone(), field(value(of)?)?))).collect()
}

/// Several values as CRMs write the choices of one field.
fn joined(values: &[Value]) -> String {
    values.iter().filter_map(readable).collect::<Vec<_>>().join(";")
}

/// A JSON object of `fields`, each as `form` writes it.
fn object(fields: &BTreeMap<String, Value>, form: impl Fn(&Value) -> Value) -> Map<String, Value> {
    fields.iter().map(|(name, value)| (name.clone(), form(value))).collect()
}

/// Returns the CRM's id of the owner of a task; `None` if there is no owner, or the configuration does not know their id.
fn owner<'r>(records: &'r TaskRecords, about: &About<'_>) -> Option<&'r str> {
    records.owners.get(about.brief.owner.as_ref()?).map(String::as_str)
}

/// Returns the text of a task: the template's text and the brief, and the link.
fn task_text(about: &About<'_>, rendered: &crate::render::Rendered, most: usize) -> String {
    let mut text = about.brief.added_to(rendered).text.trim().to_owned();
    if let Some(link) = &rendered.link {
        text.push_str("\n\n");
        text.push_str(link);
    }
    crate::text::truncate(&mut text, most);
    text
}

/// Joins error codes and field names to the end of a reason, each once. Other texts are left out, because messages of
/// CRMs quote values.
fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let mut seen = Vec::new();
    for word in words {
        let fits = !word.is_empty() && word.len() <= 64 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits && !seen.contains(&word) {
            seen.push(word);
        }
    }
    if seen.is_empty() { String::new() } else { crate::text::one_line(&format!(": {}", seen.join(" ")), 250) }
}

#[cfg(test)]
mod tests;
