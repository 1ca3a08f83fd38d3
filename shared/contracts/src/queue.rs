//! Payloads of the queues. Each is an enum whose variants carry their version in their name, so that a queue may hold
//! old and new ones at once: `{"events.v1": {...}}`.

use jiff::Timestamp;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{
    AccountId, AccountUpdate, ConfigVersion, Decision, DecisionId, Entry, Event, Identity, MessageId, PersonId,
    Properties,
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
    /// A person's timer rang.
    #[serde(rename = "tick.v1")]
    Tick {
        /// Whose.
        person: PersonId,
        /// The moment that the due index held.
        due_at: Timestamp,
    },
    /// Timers that rang, of several people.
    #[serde(rename = "ticks.v1")]
    Ticks {
        /// Whose, and the moments that the due index held; at most [`TICKS_AT_ONCE`].
        due: Vec<(PersonId, Timestamp)>,
    },
    /// What conditions can see of an account has changed: its people are to be looked at again.
    #[serde(rename = "wake.v1")]
    Wake {
        /// Which account.
        account: AccountId,
        /// The write of the account that holds what changed: what is older will not do.
        version: u64,
        /// Some of its people, at most [`WOKEN_AT_ONCE`].
        people: Vec<PersonId>,
    },
    /// Something that concerns an account lets these of its people enter a journey.
    #[serde(rename = "enter.v1")]
    Enter {
        /// What they enter, and why.
        entry: Entry,
        /// Who, at most [`WOKEN_AT_ONCE`].
        people: Vec<PersonId>,
    },
    /// An identity is not the person that it was taken for.
    #[serde(rename = "unmerge.v1")]
    Unmerge(Unmerge),
}

/// The most people whom one [`EventsPayload::Wake`] or [`EventsPayload::Enter`] names: some 5 KB, and half a second of work.
pub const WOKEN_AT_ONCE: usize = 200;

/// The most timers of one [`EventsPayload::Ticks`]: few enough that a batch of a hundred such messages is done within a function's time.
pub const TICKS_AT_ONCE: usize = 50;

/// Someone says that an identity is not the person that it was taken for: a user id leaves with the anonymous ids that are linked to it,
/// an anonymous id by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmerge {
    /// Which identity.
    pub identity: Identity,
    /// When it was said, which is also what tells a repetition of it.
    pub at: Timestamp,
    /// Who says so.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it was done. Only the archive says so, and whoever plays an archive: what is done for the first time has none.
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
    AccountUpdate(AccountUpdate),
    /// Find out what became of a mail whose sending was not seen to its end, and send it again if it was not taken. From `deliver` to
    /// itself, held back for a while.
    #[serde(rename = "unsettled.v1")]
    Unsettled(Unsettled),
    /// A message that waits. From `deliver` to itself, delayed.
    #[serde(rename = "waiting.v1")]
    Waiting(Waiting),
    /// Send a mail to somebody who wants to see it.
    #[serde(rename = "test_send.v1")]
    TestSend(TestSend),
}

/// A message that waits for the mail service's rate or quota, for a receiver that is down, or for the end of quiet hours. SQS delays a message for 15
/// minutes at most, so a longer wait takes several of these, each a new message of the queue: waiting uses up none of its receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The message; never another [`MessagesPayload::Waiting`].
    pub message: Box<MessagesPayload>,
    /// It is not to be tried before.
    pub until: Timestamp,
    /// How often it was tried and refused, for the delay before the next try.
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
    /// How far bulk mails had given way to essential ones when it was reserved, in microseconds; what was added since moves the place.
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
    /// In whose trail it is recorded; nobody's where the person is made up.
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
    /// The text part, as rendered.
    pub text: String,
    /// The HTML part, as rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When it was asked for.
    pub at: Timestamp,
    /// The config that it was rendered under.
    pub config: ConfigVersion,
}

impl std::fmt::Debug for TestSend {
    // The address, and what a mail says, are personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestSend").field("id", &self.id).field("journey", &self.journey).finish_non_exhaustive()
    }
}

/// A mail that may or may not have gone out: whoever claimed it died, or got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    /// The mail's decision, whole: nothing else holds what is needed to send it again.
    pub decision: Decision,
    /// The claim in doubt: which delivery made it.
    pub claimant: String,
    /// Since when it is in doubt.
    pub since: Timestamp,
}

/// On the accounts queue, for `rollup`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountsPayload {
    /// Something of the account's people changed, or the account's own traits.
    #[serde(rename = "account_changed.v1")]
    Changed {
        /// Which account.
        account: AccountId,
        /// Traits of a `group` call, last writer wins by (time, message id) trait by trait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        traits: Option<AccountTraits>,
        /// Facts about the whole account, such as its first payment. First and last times are kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        milestones: Vec<AccountMilestone>,
        /// Events of which each is one renewal of the account, by their ids.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renewals: Vec<MessageId>,
        /// What events say of the account's subscriptions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        subscriptions: Vec<SubscriptionReport>,
        /// When this was sent, after all that it tells of was written: an account that was worked out later has it in it.
        /// `None` where it is to be worked out in any case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Something happened that concerns the account: those of its people whom it is for are to enter a journey.
    #[serde(rename = "account_event.v1")]
    Event {
        /// Which account.
        account: AccountId,
        /// Personas: everyone is meant who has the first of them that anybody there has.
        to: Vec<String>,
        /// Whom the event names: who is meant where nobody has any of them.
        named: PersonId,
        /// What they enter.
        entry: Entry,
    },
}

impl AccountsPayload {
    /// Something of the account's people changed, as of `at`.
    pub fn people(account: AccountId, at: Timestamp) -> Self {
        Self::changed(account, Some(at))
    }

    fn changed(account: AccountId, at: Option<Timestamp>) -> Self {
        let (milestones, renewals, subscriptions) = (Vec::new(), Vec::new(), Vec::new());
        Self::Changed { account, traits: None, milestones, renewals, subscriptions, at }
    }

    /// The account is to be worked out anew, whatever is known of it.
    pub fn anew(account: AccountId) -> Self {
        Self::changed(account, None)
    }
}

/// A fact about a whole account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMilestone {
    /// Which.
    pub milestone: Milestone,
    /// When.
    pub at: Timestamp,
}

/// What one `group` call said of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTraits {
    /// The call's traits.
    pub traits: Properties,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id, which decides between calls of the same time.
    pub message_id: MessageId,
    /// Whether nobody but a user's own token vouches for it.
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
