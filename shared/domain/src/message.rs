//! Decisions and the channels of their messages.

use crate::event::Properties;
use crate::{ConfigVersion, DecisionId, Likelihood, MessageId, PersonId, Score};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail to the profile's address.
    Mail,
    /// A message in the product, read from the user's inbox.
    InApp,
    /// A signed webhook to a configured endpoint.
    Webhook,
}

impl Channel {
    /// All channels, in display order.
    pub const ALL: [Self; 3] = [Self::Mail, Self::InApp, Self::Webhook];

    /// Returns the name in config and JSON, such as `in_app`.
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
    /// Derived from person, journey, step and cause, so that a repeated decision has the same id.
    pub id: DecisionId,
    /// The recipient.
    pub person: PersonId,
    /// The journey.
    pub journey: String,
    /// The step of the journey, from 0.
    pub step: u16,
    /// The channel.
    pub channel: Channel,
    /// The template that it is rendered from.
    pub template: String,
    /// The configured endpoint, for [`Channel::Webhook`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Its trigger.
    pub cause: Cause,
    /// The properties of the triggering event that the templates of its journey use.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The config that it was decided under.
    pub config: ConfigVersion,
    /// The variant of the journey's newest split that the profile is in, as `split step=way`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why it is written down and not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// The reason why a decision is recorded on the profile but not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// A cap is reached.
    Capped,
    /// The profile is in a holdout group, which measures what happens without messages.
    HeldOut,
    /// The message waited for its turn until it was older than its journey's `max_age_days`.
    Expired,
    /// Displaced by better messages, because a profile keeps only so many waiting ones, or by a journey that replaces what is due.
    Displaced,
}

/// A journey entry of an account's people. Passed through the accounts queue, where the people are found, and back
/// through the events queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The journey's name.
    pub journey: String,
    /// The event.
    pub cause: Cause,
    /// The event's properties that the templates of the journey use.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// When it happened.
    pub at: Timestamp,
}

/// A trigger of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An action of the person.
    Event {
        /// Its name.
        name: String,
        /// Which time.
        message_id: MessageId,
    },
    /// The person was inactive for some time.
    Quiet {
        /// The last activity before it.
        since: Timestamp,
        /// The number of days that the journey requires.
        days: u16,
    },
    /// A score crossed the journey's threshold.
    Score {
        /// Which score.
        score: Likelihood,
        /// Its value then.
        value: Score,
    },
    /// The profile entered or left a segment.
    Segment {
        /// Which.
        name: String,
        /// Entered; else left.
        entered: bool,
    },
    /// The journey's condition started to hold.
    Became {
        /// The condition.
        condition: String,
    },
}
