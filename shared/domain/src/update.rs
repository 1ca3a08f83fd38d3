//! Updates of the records that a CRM has of accounts and people.

use crate::{AccountId, ConfigVersion, DecisionId, PersonId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account or person whose record is updated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An account's.
    Account(AccountId),
    /// A person's.
    Person(PersonId),
}

/// An update of a CRM's record, which is passed through an outbox and the messages queue to `deliver`. In JSON its subject is the
/// field `account` or `person`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrmUpdate {
    /// Derived from the subject and the number: the same however often it is sent.
    pub id: DecisionId,
    /// The account or person of the record.
    #[serde(flatten)]
    pub subject: Subject,
    /// Grows from update to update of a subject: a later one replaces what an earlier one wrote. Counts an account's updates
    /// from 1. A person's is in milliseconds since 1970 or later, so that a profile that is merged and unmerged again continues.
    pub number: u64,
    /// The configured endpoint that it goes to.
    pub endpoint: String,
    /// The CRM fields and their new values; `null` clears a field.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// When it was decided.
    pub at: Timestamp,
    /// The config that it was decided under.
    pub config: ConfigVersion,
}

impl CrmUpdate {
    /// Returns the id of the subject's update `number`.
    pub fn id_of(subject: &Subject, number: u64) -> DecisionId {
        let number = number.to_be_bytes();
        match subject {
            Subject::Account(account) => DecisionId::derive(&[b"account update", account.as_str().as_bytes(), &number]),
            Subject::Person(person) => DecisionId::derive(&[b"person update", person.as_bytes(), &number]),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn update(subject: Subject) -> CrmUpdate {
        CrmUpdate {
            id: CrmUpdate::id_of(&subject, 1),
            subject,
            number: 1,
            endpoint: "crm".into(),
            fields: [("score".to_owned(), json!(70)), ("owner".to_owned(), json!(null))].into(),
            at: Timestamp::UNIX_EPOCH,
            config: ConfigVersion::parse("v1").unwrap(),
        }
    }

    #[test]
    fn subject_is_a_field_of_its_own_kind() {
        let (account, person) = (AccountId::parse("acme").unwrap(), PersonId::derive(&[b"ada"]));
        for (subject, name, value) in [
            (Subject::Account(account.clone()), "account", account.as_str().to_owned()),
            (Subject::Person(person), "person", person.to_string()),
        ] {
            let update = update(subject);
            let json = serde_json::to_value(&update).unwrap();
            assert_eq!(json[name], value);
            assert_eq!(serde_json::from_value::<CrmUpdate>(json).unwrap(), update);
        }
    }

    /// Accounts' updates that wait in queues and outboxes keep their ids.
    #[test]
    fn ids_of_accounts_and_people_differ_and_follow_from_the_number() {
        let account = Subject::Account(AccountId::parse("customer-02").unwrap());
        assert_eq!(CrmUpdate::id_of(&account, 1).to_string(), "ppqe4lh4bvoiqgvfq7f6y23g");
        let person = Subject::Person(PersonId::derive(&[b"ada"]));
        let ids: std::collections::BTreeSet<_> =
            [&account, &person].into_iter().flat_map(|of| [1, 2].map(|number| CrmUpdate::id_of(of, number))).collect();
        assert_eq!(ids.len(), 4);
    }
}
