//! What is to be done after a profile is written: the outbox, which travels in that very write.

use crate::joins::Evidence;
use jiff::Timestamp;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{AccountId, Decision, Entry, Event, Identity, Member, MessageId, PersonId, Properties, UserId};
use serde::{Deserialize, Deserializer, Serialize};

/// One thing to do. Doing it twice does no more than doing it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Hand the decision to `deliver`.
    Send(Decision),
    /// Keep a mail that lacks an address until one is known, or it has waited long enough ([`Action::is_held`]).
    Hold(Decision),
    /// Look at the person again once the values that they claim are written, and with them who else has the address that came: mails wait for that.
    LookAgain {
        /// When that was asked for.
        at: Timestamp,
    },
    /// Keep the properties of the event that started a journey for as long as the person waits in it.
    Recall {
        /// The journey's key.
        journey: u32,
        /// Which run: the hash of what started it.
        cause_key: u64,
        /// What the journey's templates put in.
        properties: Properties,
    },
    /// Keep what an event would have triggered, as what was made before it may arrive in a moment.
    Defer {
        /// The journey and the event.
        entry: Entry,
        /// What it waits for.
        #[serde(default, skip_serializing_if = "Awaited::is_default")]
        until: Awaited,
    },
    /// Count an event of a journey's own for the person.
    Count {
        /// The event.
        event: Event,
    },
    /// Write the person's slim entry under the account, and tell `rollup`.
    PublishMember {
        /// The account.
        account: AccountId,
        /// The entry.
        member: Member,
    },
    /// Take a person's entry from an account that they left, and tell `rollup`.
    LeaveAccount {
        /// The account.
        account: AccountId,
        /// Whose entry: this person's, or that of someone whose last part moved here.
        person: PersonId,
        /// The version of the write that moved someone's last part here, where the entry is still to be removed: that of their primary
        /// account was removed by the same write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
    },
    /// Tell `rollup` what a `group` call said of the account.
    AccountTraits {
        /// The account.
        account: AccountId,
        /// The call's traits.
        traits: Properties,
        /// The call's time.
        at: Timestamp,
        /// The call's id.
        message_id: MessageId,
        /// Whether nobody but a user's own token vouches for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        signed: bool,
    },
    /// Tell `rollup` a fact about the whole account, such as its first payment.
    AccountMilestone {
        /// The account.
        account: AccountId,
        /// The fact.
        milestone: Milestone,
        /// When.
        at: Timestamp,
    },
    /// Tell `rollup` that the account has renewed.
    AccountRenewal {
        /// The account.
        account: AccountId,
        /// The event that says so, by which repetitions are told.
        message_id: MessageId,
    },
    /// Tell `rollup` what an event says of a subscription of the account.
    AccountSubscription {
        /// The account.
        account: AccountId,
        /// What it says.
        report: Box<SubscriptionReport>,
    },
    /// Let those people of an account enter a journey whom an event that concerns the account is for; where there are none, this person.
    ForAccount {
        /// The account.
        account: AccountId,
        /// Personas: everyone is meant who has the first of them that anybody there has.
        to: Vec<String>,
        /// What they enter.
        entry: Entry,
    },
    /// Let the mail address (lower case) be found as this person. Written until claims came; read from old outboxes.
    IndexAddress {
        /// The address.
        address: String,
    },
    /// Let the person be found by a value, and join those who claim the same.
    Claim {
        /// Whose value.
        identity: Identity,
        /// A mail address or an id in another system.
        evidence: Evidence,
        /// The address in lower case; `type:id` of an external id.
        value: String,
        /// Whether it may join anybody.
        joins: bool,
    },
    /// Join a user id to its earlier one.
    Alias {
        /// The user id.
        user: UserId,
        /// The earlier one.
        previous: UserId,
    },
    /// Look again at whom this identity belongs to: it gave up a mail address by which others belonged to it.
    Regroup {
        /// The identity. Old outboxes have a user id alone, as `user`.
        #[serde(alias = "user", deserialize_with = "identity_or_user")]
        identity: Identity,
    },
}

/// What a deferred trigger waits for.
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

/// Reads an identity, or the user id alone that stood in its place before ids in other systems were identities.
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
