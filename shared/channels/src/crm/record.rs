//! Records of CRMs.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A person.
    Contact,
    /// A company or account.
    Account,
    /// Something for a colleague to do.
    Task,
}

/// A record that is to be made, or changed where it is there.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// The value of its identifying field.
    pub id: String,
    /// The CRM's fields and their new values; `null` clears a field.
    pub fields: BTreeMap<String, Value>,
}

impl fmt::Debug for Record {
    // A record contains personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

/// A task, and the contact it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The contact; `None` if the person lacks the value that identifies contacts.
    pub contact: Option<Record>,
    /// The task.
    pub task: Record,
}

/// A contact, and the account that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// The contact.
    pub record: Record,
    /// The id by which the CRM has the account; `None` if it has none, or is not to be associated.
    pub account: Option<String>,
}

impl From<Record> for Contact {
    fn from(record: Record) -> Self {
        Self { record, account: None }
    }
}
