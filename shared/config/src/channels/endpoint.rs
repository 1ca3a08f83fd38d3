//! Where messages go that are no mail and not shown in the product.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A receiver of messages, tasks and account updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What it understands.
    pub kind: Kind,
    /// Where it is: the very address for [`Kind::Standard`], the host for a CRM, nothing for [`Kind::Slack`], whose secret is its address.
    pub url: String,
    /// Where its secret is; what that is depends on the kind.
    pub secret: SecretPlace,
    /// Whether private and loopback addresses are allowed: for tests and internal networks only.
    pub allow_private: bool,
}

/// Where HubSpot's API is for every account.
pub(super) const HUBSPOT: &str = "https://api.hubapi.com";

impl Endpoint {
    /// Whether the config names no address of its own for it: HubSpot's is the same for every account.
    #[must_use]
    pub fn has_default_url(&self) -> bool {
        matches!(self.kind, Kind::HubSpot(_)) && self.url == HUBSPOT
    }
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In the environment variable of this name.
    Env(String),
    /// In AWS Secrets Manager or the Systems Manager's Parameter Store, by name or ARN.
    Store(String),
}

/// What an endpoint understands.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The kind's name in `channels.toml`.
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

/// How people, accounts and tasks are written into a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRecords {
    /// People.
    pub contact: ContactRecords,
    /// Accounts.
    pub account: AccountRecords,
    /// Tasks.
    pub task: TaskRecords,
}

/// How people are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRecords {
    /// The field by which a record is found; its values are unique in the CRM.
    pub id: String,
    /// What that field holds.
    pub holds: ContactId,
    /// Fields of the CRM, and the person's trait that each is filled from.
    pub fields: BTreeMap<String, String>,
}

/// What people are known by in a CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactId {
    /// The mail address.
    Email,
    /// The product's own id of the user.
    UserId,
    /// The id that Perennial gives everyone, anonymous visitors too.
    PersonId,
}

/// How accounts are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecords {
    /// The field by which a record is found, which holds the account's id; its values are unique in the CRM.
    pub id: String,
    /// Fields of the CRM, and the account's trait that each is filled from.
    pub fields: BTreeMap<String, String>,
}

/// How tasks are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRecords {
    /// The field by which a record is found, which holds the decision's id; its values are unique in the CRM.
    pub id: String,
    /// Fields of the CRM with the same value in every task.
    pub values: BTreeMap<String, String>,
}
