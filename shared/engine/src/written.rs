//! The last update of a CRM's record, and whether another value is worth a further one.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{CrmUpdate, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The last CRM update of an account or a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// A hash of the value by which a person's record is found there; `None` for an account, and for a person whose record is to be
    /// written again, as the profile was merged or unmerged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The CRM's fields, as it left them.
    pub fields: BTreeMap<String, Value>,
}

impl Written {
    /// Returns the update of `subject` after which the record is as in `self`, decided at `now`.
    pub(crate) fn update(&self, config: &Config, subject: Subject, endpoint: &str, now: Timestamp) -> CrmUpdate {
        CrmUpdate {
            id: CrmUpdate::id_of(&subject, self.number),
            subject,
            number: self.number,
            endpoint: endpoint.to_owned(),
            fields: self.fields.clone(),
            at: now,
            config: config.version.clone(),
        }
    }
}

/// Returns whether a new value differs from the old one: a number by `least` or more, anything else at all.
pub(crate) fn differs(old: &Value, new: &Value, least: u8) -> bool {
    match (old.as_u64(), new.as_u64()) {
        (Some(before), Some(after)) => before.abs_diff(after) >= u64::from(least),
        _ => old != new,
    }
}
