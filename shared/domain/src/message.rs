//! How a decision reaches someone.

use crate::event::Properties;
use crate::{ConfigVersion, DecisionId, Likelihood, MessageId, PersonId, Score};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The way that a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail to the person's address.
    Mail,
    /// A message in the product, read from the person's inbox.
    InApp,
    /// A signed webhook to a configured endpoint.
    Webhook,
}

impl Channel {
    /// All channels, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Mail, Self::InApp, Self::Webhook];

    /// The name in config and JSON, such as `in_app`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::InApp => "in_app",
            Self::Webhook => "webhook",
        }
    }
}

/// A message that the engine decided to send: made once, carried through the outbox and the messages queue to `deliver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Derived from person, journey, step and cause: the same however often the decision is made again.
    pub id: DecisionId,
    /// To whom.
    pub person: PersonId,
    /// The journey that asks for it.
    pub journey: String,
    /// The step of the journey, from 0.
    pub step: u16,
    /// How it goes out.
    pub channel: Channel,
    /// The template that it is rendered from.
    pub template: String,
    /// The configured endpoint, for [`Channel::Webhook`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What set it off.
    pub cause: Cause,
    /// The properties of the event that set it off, as far as the templates of its journey name them.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The config that it was decided under.
    pub config: ConfigVersion,
    /// The variant of the journey's newest split that the person goes through, as `split step=way`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why it is written down and not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// Why a decision is recorded on the person and nothing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The person has had as many messages as the caps allow.
    Capped,
    /// The person is in a holdout: what happens without messages is measured on them.
    HeldOut,
    /// The message waited for its turn until it was older than its journey's `max_age_days`.
    Expired,
    /// As many better messages waited as a profile keeps.
    Displaced,
}

/// That people are to enter a journey because of something that concerns their account: made once, carried through the accounts queue,
/// where its people are found, and back through the events queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The journey's name.
    pub journey: String,
    /// The event.
    pub cause: Cause,
    /// The event's properties, as far as the templates of the journey name them.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// When it happened.
    pub at: Timestamp,
}

/// What sets a decision off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person did something.
    Event {
        /// What.
        name: String,
        /// Which time.
        message_id: MessageId,
    },
    /// The person did nothing for some time.
    Quiet {
        /// The last activity before it.
        since: Timestamp,
        /// For how many days, as the journey asks.
        days: u16,
    },
    /// A score crossed the journey's threshold.
    Score {
        /// Which score.
        score: Likelihood,
        /// Its value then.
        value: Score,
    },
    /// The person entered or left a segment.
    Segment {
        /// Which.
        name: String,
        /// Entered; else left.
        entered: bool,
    },
    /// The journey's condition came to hold.
    Became {
        /// The condition.
        condition: String,
    },
}
