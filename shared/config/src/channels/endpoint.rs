//! Endpoints for messages that are neither mails nor shown in the product.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A receiver of messages, tasks and account updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The protocol of the endpoint.
    pub kind: Kind,
    /// Its URL: the full address for [`Kind::Standard`], the host for a CRM, empty for [`Kind::Slack`], whose secret is
    /// its address.
    pub url: String,
    /// The place of its secret, whose content depends on the kind.
    pub secret: SecretPlace,
    /// `true` if private and loopback addresses are allowed: for tests and internal networks only.
    pub allow_private: bool,
}

/// HubSpot's API, the same for every account.
pub(super) const HUBSPOT: &str = "https://api.hubapi.com";

impl Endpoint {
    /// Returns whether the configuration needs no URL for it: HubSpot's is the same for every account.
    #[must_use]
    pub fn has_default_url(&self) -> bool {
        matches!(self.kind, Kind::HubSpot(_)) && self.url == HUBSPOT
    }
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretPlace {
    /// The environment variable of this name.
    Env(String),
    /// AWS Secrets Manager or the Systems Manager's Parameter Store, by name or ARN.
    Store(String),
}

/// The protocol of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A webhook signed after the Standard Webhooks specification; the secret is `whsec_…`.
    Standard,
    /// An incoming webhook of Slack, or of a chat that takes the same; the secret is its address.
    Slack,
    /// HubSpot's CRM; the secret is an access token.
    HubSpot(CrmRecords),
    /// Salesforce; the secret is JSON with `client_id` and `client_secret`.
    Salesforce(CrmRecords),
}

impl Kind {
    /// Returns the kind's name in `channels.toml`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Slack => "slack",
            Self::HubSpot(_) => "hubspot",
            Self::Salesforce(_) => "salesforce",
        }
    }
}

/// How people, accounts and tasks are written to a CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmRecords {
    /// Contacts.
    pub contact: ContactRecords,
    /// Accounts.
    pub account: AccountRecords,
    /// Tasks.
    pub task: TaskRecords,
}

/// How people are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRecords {
    /// The field by which a record is found; its values are unique in the CRM.
    pub id: String,
    /// The content of that field.
    pub holds: ContactId,
    /// CRM fields, and the person's trait that each is filled from.
    pub fields: BTreeMap<String, String>,
}

/// The value that identifies a person in a CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactId {
    /// The mail address.
    Email,
    /// The product's own id of the user.
    UserId,
    /// The profile id, which anonymous visitors have too.
    PersonId,
}

/// How accounts are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecords {
    /// The field that identifies a record by the account's id; its values are unique in the CRM.
    pub id: String,
    /// Fields of the CRM, and the account's trait that each is filled from.
    pub fields: BTreeMap<String, String>,
}

/// How tasks are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecords {
    /// The field that identifies a record by the decision's id; its values are unique in the CRM.
    pub id: String,
    /// Fields of the CRM with the same value in every task.
    pub values: BTreeMap<String, String>,
    /// The CRM's ids of owners, by the owner's name in the configuration.
    pub owners: BTreeMap<String, String>,
}
