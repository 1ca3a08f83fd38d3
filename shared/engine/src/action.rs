//! The actions after a profile is written: the outbox, which is part of that write.

use crate::joins::Evidence;
use crate::listing::change::ListChange;
use crate::listing::entry::ListEntry;
use jiff::Timestamp;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{
    AccountId, CrmUpdate, Decision, Entry, Event, Identity, Member, MessageId, PersonId, Properties, UserId,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

/// An action. Idempotent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Hand the decision to `deliver`.
    Send(Decision),
    /// Keep a mail that lacks an address until one is known, or it has waited long enough ([`Action::is_held`]).
    Hold(Decision),
    /// Evaluate the profile again once its claims are written, and with them the owners of a new address: mails wait
    /// for that.
    LookAgain {
        /// When that was requested.
        at: Timestamp,
    },
    /// Keep the properties of the event that started a journey while the run is waiting.
    Recall {
        /// The journey's key.
        journey: u32,
        /// Which run: the hash of what started it.
        cause_key: u64,
        /// The properties in the journey's templates.
        properties: Properties,
    },
    /// Keep what an event would have triggered, as earlier events may still arrive.
    Defer {
        /// The journey and the event.
        entry: Entry,
        /// The condition that it waits for.
        #[serde(default, skip_serializing_if = "Awaited::is_default")]
        until: Awaited,
    },
    /// Record an event of a journey's own for the profile.
    Count {
        /// The event.
        event: Event,
    },
    /// Write the profile's entry in the account, and notify `rollup`.
    PublishMember {
        /// The account.
        account: AccountId,
        /// The entry.
        member: Member,
    },
    /// Notify `rollup` that the profile is new in the account. The account may change between this evaluation and the entry's
    /// write, and its people are then evaluated again without this one.
    Join {
        /// The account.
        account: AccountId,
        /// The fingerprint of the account's facts in this evaluation, see [`crate::account::fingerprint`]; `None` if they are
        /// not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        saw: Option<u64>,
    },
    /// Remove an entry from an account that the profile left, and notify `rollup`.
    LeaveAccount {
        /// The account.
        account: AccountId,
        /// The entry's profile: this one, or one whose last identity was merged into it.
        person: PersonId,
        /// The version of the merging write, if the entry is still to be removed: the one in the primary account was
        /// removed by the same write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
    },
    /// Forward the traits of a `group` call to `rollup`.
    AccountTraits {
        /// The account.
        account: AccountId,
        /// The call's traits.
        traits: Properties,
        /// The call's time.
        at: Timestamp,
        /// The call's id.
        message_id: MessageId,
        /// `true` if only a user's own token vouches for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        signed: bool,
    },
    /// Forward a fact about the whole account to `rollup`, such as its first payment.
    AccountMilestone {
        /// The account.
        account: AccountId,
        /// The fact.
        milestone: Milestone,
        /// When.
        at: Timestamp,
    },
    /// Forward a renewal of the account to `rollup`.
    AccountRenewal {
        /// The account.
        account: AccountId,
        /// The event, by which repetitions are recognized.
        message_id: MessageId,
    },
    /// Forward a report about a subscription of the account to `rollup`.
    AccountSubscription {
        /// The account.
        account: AccountId,
        /// The report.
        report: Box<SubscriptionReport>,
    },
    /// Let the people that an account's event is for enter a journey; if there are none, this person.
    ForAccount {
        /// The account.
        account: AccountId,
        /// Personas: everyone enters who has the first of them that anyone there has.
        to: Vec<String>,
        /// The journey entry.
        entry: Entry,
    },
    /// Make the mail address (lower case) resolve to this profile. Replaced by claims; read from old outboxes.
    IndexAddress {
        /// The address.
        address: String,
    },
    /// Make the profile findable by a value, and link it to others with the same value.
    Claim {
        /// The identity with the value.
        identity: Identity,
        /// A mail address or an id in another system.
        evidence: Evidence,
        /// The address in lower case; `type:id` of an external id.
        value: String,
        /// `true` if it may link identities.
        joins: bool,
    },
    /// Link a user id to its earlier one.
    Alias {
        /// The user id.
        user: UserId,
        /// The earlier one.
        previous: UserId,
    },
    /// Hand an update of the profile's contact in the CRM to `deliver`.
    UpdateCrm(CrmUpdate),
    /// Change the profile's entries in the lists.
    List(ListChange),
    /// Remove the entries of a profile that was merged into this one from the lists.
    Unlist {
        /// The merged profile.
        person: PersonId,
        /// The version of the merging write.
        version: u64,
        /// Its entries.
        entries: BTreeSet<ListEntry>,
    },
    /// Recompute the profile of this identity: it gave up a mail address that linked it to others.
    Regroup {
        /// The identity. Old outboxes have a user id alone, as `user`.
        #[serde(alias = "user", deserialize_with = "identity_or_user")]
        identity: Identity,
    },
}

/// The condition that a deferred trigger waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// The user of an id in another system.
    #[default]
    Owner,
    /// An event that was made before it and arrives after it.
    Earlier,
}

impl Awaited {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads an identity, or the bare user id of older formats.
fn identity_or_user<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Identity, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Identity(Identity),
        User(UserId),
    }
    Stored::deserialize(deserializer).map(|stored| match stored {
        Stored::Identity(identity) => identity,
        Stored::User(user) => Identity::User(user),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn outbox_of_before_names_a_user_id() {
        let user = Identity::User(UserId::parse("u-1").unwrap());
        let action: Action = serde_json::from_str(r#"{"regroup":{"user":"u-1"}}"#).unwrap();
        assert_eq!(action, Action::Regroup { identity: user });
        let stored = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&stored).unwrap(), action);
    }
}
