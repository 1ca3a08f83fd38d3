//! Payloads of the queues. Each is an enum whose variants carry their version in their name, so that a queue can hold
//! old and new payloads at the same time: `{"events.v1": {...}}`.

use jiff::Timestamp;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{
    AccountId, ConfigVersion, CrmUpdate, Decision, DecisionId, Entry, Event, Identity, MessageId, PersonId, Properties,
    Subject,
};
use serde::{Deserialize, Serialize};

/// The most bytes that one packed message should have: SQS bills each started 64 KiB of a request.
pub const PACKED_BYTES: usize = 60 * 1024;

/// On the events queue, for `score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EventsPayload {
    /// Accepted events, several in one message.
    #[serde(rename = "events.v1")]
    Events {
        /// In the order in which they were received.
        events: Vec<Event>,
    },
    /// A timer of a profile fired.
    #[serde(rename = "tick.v1")]
    Tick {
        /// The profile.
        person: PersonId,
        /// The moment that the due index held.
        due_at: Timestamp,
    },
    /// Timers of several profiles fired.
    #[serde(rename = "ticks.v1")]
    Ticks {
        /// The profiles, each with the due time that the due index stored; at most [`TICKS_AT_ONCE`].
        due: Vec<(PersonId, Timestamp)>,
    },
    /// Something that conditions can read of an account changed: evaluate its people again.
    #[serde(rename = "wake.v1")]
    Wake {
        /// Which account.
        account: AccountId,
        /// The version of the account's write that contains the change; an older version must not be used.
        version: u64,
        /// Some of its people, at most [`WOKEN_AT_ONCE`].
        people: Vec<PersonId>,
    },
    /// An event of an account lets these of its people enter a journey.
    #[serde(rename = "enter.v1")]
    Enter {
        /// The journey entry and its reason.
        entry: Entry,
        /// The profiles that enter, at most [`WOKEN_AT_ONCE`].
        people: Vec<PersonId>,
    },
    /// Unlinks an identity from the profile it was merged into.
    #[serde(rename = "unmerge.v1")]
    Unmerge(Unmerge),
}

/// The most people in one [`EventsPayload::Wake`] or [`EventsPayload::Enter`]: about 5 KB, and half a second of work.
pub const WOKEN_AT_ONCE: usize = 200;

/// The most timers in one [`EventsPayload::Ticks`], so that a batch of a hundred such messages fits into a function's
/// timeout.
pub const TICKS_AT_ONCE: usize = 50;

/// A request to unlink an identity from its profile. A user id leaves with the anonymous ids that are linked to it, an
/// anonymous id by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmerge {
    /// Which identity.
    pub identity: Identity,
    /// The time of the request, which also identifies a repetition of it.
    pub at: Timestamp,
    /// The operator who requested it.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it was executed. Set only in the archive and when an archive is replayed; `None` for a first execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// On the messages queue, for `deliver`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MessagesPayload {
    /// Send this once.
    #[serde(rename = "decision.v1")]
    Decision(Decision),
    /// Write this into the CRM's record of an account.
    #[serde(rename = "account_update.v1")]
    AccountUpdate(CrmUpdate),
    /// Write this into the CRM's record of a person.
    #[serde(rename = "person_update.v1")]
    PersonUpdate(CrmUpdate),
    /// Checks the outcome of a mail whose send was interrupted, and sends it again if SES did not accept it. `deliver`
    /// sends this to itself with a delay.
    #[serde(rename = "unsettled.v1")]
    Unsettled(Unsettled),
    /// A message that waits. From `deliver` to itself, delayed.
    #[serde(rename = "waiting.v1")]
    Waiting(Waiting),
    /// Sends a mail to an address as a test.
    #[serde(rename = "test_send.v1")]
    TestSend(TestSend),
}

impl MessagesPayload {
    /// Returns the message with an update of a CRM's record.
    pub fn update(update: CrmUpdate) -> Self {
        match update.subject {
            Subject::Account(_) => Self::AccountUpdate(update),
            Subject::Person(_) => Self::PersonUpdate(update),
        }
    }
}

/// A message that waits for the mail service's rate or quota, for a receiver that is down, or for the end of quiet hours. SQS delays a message for 15
/// minutes at most, so a longer wait takes several of these, each a new message of the queue: waiting uses up none of its receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The message; never another [`MessagesPayload::Waiting`].
    pub message: Box<MessagesPayload>,
    /// No attempt is made before this time.
    pub until: Timestamp,
    /// The number of rejected attempts so far, which sets the delay before the next one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// A place in the rate of the mail service that is reserved for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

/// A place in the rate of the mail service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// When it is.
    pub at: Timestamp,
    /// How far bulk mails had yielded to essential ones when the place was reserved, in microseconds; what was added
    /// since moves the place.
    pub yielded: i64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A mail to see what a journey sends: it goes to the address that is given, and counts nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSend {
    /// Its id, new for each test.
    pub id: DecisionId,
    /// The profile whose message history records it; `None` for an invented profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The journey.
    pub journey: String,
    /// The step, from 0.
    pub step: u16,
    /// The template.
    pub template: String,
    /// The address.
    pub to: String,
    /// The subject, as rendered.
    pub subject: String,
    /// The rendered text part.
    pub text: String,
    /// The rendered HTML part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When it was requested.
    pub at: Timestamp,
    /// The config that it was rendered under.
    pub config: ConfigVersion,
}

impl std::fmt::Debug for TestSend {
    // The address and the mail's text are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestSend").field("id", &self.id).field("journey", &self.journey).finish_non_exhaustive()
    }
}

/// A mail with an unknown delivery outcome: its process died or got no response from SES.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    /// The mail's complete decision, which is all that a second send needs.
    pub decision: Decision,
    /// The delivery that made the unresolved claim.
    pub claimant: String,
    /// Since when the outcome is unknown.
    pub since: Timestamp,
}

/// On the accounts queue, for `rollup`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountsPayload {
    /// The account's people or its own traits changed.
    #[serde(rename = "account_changed.v1")]
    Changed {
        /// Which account.
        account: AccountId,
        /// Traits of a `group` call, last writer wins by (time, message id) trait by trait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        traits: Option<AccountTraits>,
        /// Facts about the account as a whole, such as its first payment. First and last times are kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        milestones: Vec<AccountMilestone>,
        /// The ids of events that are one renewal of the account each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renewals: Vec<MessageId>,
        /// Reports about the account's subscriptions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        subscriptions: Vec<SubscriptionReport>,
        /// The people who are new in the account.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Joined>,
        /// When this was sent, which is after everything that it reports was written: a later computation of the
        /// account includes it. `None` if the account must be recomputed in any case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// An event of the account: its people with the given personas enter a journey.
    #[serde(rename = "account_event.v1")]
    Event {
        /// Which account.
        account: AccountId,
        /// Personas in order of preference: everybody enters who has the first one that anyone in the account has.
        to: Vec<String>,
        /// The profile in the event, which enters if nobody has any of the personas.
        named: PersonId,
        /// The journey entry.
        entry: Entry,
    },
}

impl AccountsPayload {
    /// Returns a change of the account's people as of `at`.
    pub fn people(account: AccountId, at: Timestamp) -> Self {
        Self::changed(account, Some(at))
    }

    fn changed(account: AccountId, at: Option<Timestamp>) -> Self {
        let (milestones, renewals, subscriptions) = (Vec::new(), Vec::new(), Vec::new());
        Self::Changed { account, traits: None, milestones, renewals, subscriptions, joined: Vec::new(), at }
    }

    /// Returns a change that recomputes the account in any case.
    pub fn anew(account: AccountId) -> Self {
        Self::changed(account, None)
    }
}

/// A person who is new in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The profile.
    pub person: PersonId,
    /// The fingerprint of the account's facts with which the person was evaluated; `None` if they were not known. Who was
    /// evaluated with earlier facts than the account's other people has to be evaluated again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saw: Option<u64>,
}

/// A fact about a whole account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMilestone {
    /// Which.
    pub milestone: Milestone,
    /// When.
    pub at: Timestamp,
}

/// The traits of an account from one `group` call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTraits {
    /// The call's traits.
    pub traits: Properties,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id, which decides between calls of the same time.
    pub message_id: MessageId,
    /// `true` if only a user's own token vouches for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed: bool,
}

/// Escapes U+FFFE and U+FFFF in JSON text from byte `start` on: JSON allows them, XML 1.0 and so SQS does not. In JSON they stand in strings only.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub fn escape_noncharacters(out: &mut String, start: usize) {
    const FIRST_BYTE: u8 = 0xEF;
    let rare = |tail: &str| tail.contains(['\u{fffe}', '\u{ffff}']);
    if out.as_bytes()[start..].contains(&FIRST_BYTE) && rare(&out[start..]) {
        let escaped = out[start..].replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        out.truncate(start);
        out.push_str(&escaped);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn noncharacters_are_escaped_only_where_they_are() {
        let mut out = "\u{ffff}\"a\u{fffe}ﬀ\"".to_owned();
        escape_noncharacters(&mut out, 3);
        assert_eq!(out, "\u{ffff}\"a\\ufffeﬀ\"");
    }

    #[test]
    fn payloads_carry_their_version() {
        let tick = EventsPayload::Tick { person: PersonId::derive(&[b"p"]), due_at: Timestamp::UNIX_EPOCH };
        let text = serde_json::to_string(&tick).unwrap();
        assert!(text.starts_with(r#"{"tick.v1":"#), "{text}");
        assert_eq!(serde_json::from_str::<EventsPayload>(&text).unwrap(), tick);
    }
}
