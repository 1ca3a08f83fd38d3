//! The result of playing a journey.

use jiff::Timestamp;
use perennial_domain::{Channel, ConfigVersion, PersonId, Stage};
use perennial_engine::play::Refusal;
use serde::{Deserialize, Serialize};

/// The response to `POST /api/journeys/{name}/test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The journey.
    pub journey: String,
    /// Its trigger, in words.
    pub trigger: String,
    /// The config that it was played by.
    pub config: ConfigVersion,
    /// The person.
    pub person: Who,
    /// When the trigger came.
    pub from: Timestamp,
    /// When the clock stopped.
    pub until: Timestamp,
    /// `true` if they entered.
    pub entered: bool,
    /// Why they did not enter.
    pub refusal: Option<Refusal>,
    /// The same in words.
    pub why_not: Option<String>,
    /// The steps in the order of time.
    pub steps: Vec<StepView>,
    /// `true` if the run was still in progress when the clock stopped.
    pub under_way: bool,
}

impl Answer {
    /// The journey's own messages that cannot be rendered or sent.
    pub fn failing(&self) -> impl Iterator<Item = &MessageView> {
        let own = self.steps.iter().filter(|step| step.journey.as_ref() == Some(&self.journey));
        own.filter_map(|step| step.message.as_ref()).filter(|message| message.fate == Fate::Failed)
    }
}

/// The person that it was played for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Who {
    /// The profile id.
    pub id: PersonId,
    /// The displayed name.
    pub name: String,
    /// `true` if they are invented.
    pub sample: bool,
    /// The stage before.
    pub stage: Stage,
    /// Their time zone.
    pub time_zone: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// When.
    pub at: Timestamp,
    /// The person's stage.
    pub stage: Stage,
    /// In which journey; none for an event that was supposed.
    pub journey: Option<String>,
    /// The journey's step; none for the journey as a whole.
    pub step: Option<String>,
    /// The kind of step.
    pub what: Kind,
    /// The step in words; times are in the person's zone.
    pub told: String,
    /// The message that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageView>,
}

/// A kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A supposed event.
    Supposed,
    /// The person entered.
    Entered,
    /// The person was not allowed to enter.
    Refused,
    /// A message.
    Message,
    /// Quiet hours hold a message back.
    PutOff,
    /// A message waits for its turn.
    Queued,
    /// The run waits.
    Waits,
    /// The awaited event happened.
    Happened,
    /// A branch.
    Branched,
    /// A split.
    Split,
    /// An event of the journey's.
    Counted,
    /// Traits.
    Wrote,
    /// Nothing, because of a holdout.
    Skipped,
    /// The goal.
    Reached,
    /// The run exited.
    Left,
    /// The end.
    Ended,
}

/// The fate of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It would be sent.
    Sent,
    /// A cap is reached.
    Capped,
    /// The person is in a holdout group.
    HeldOut,
    /// Its turn would not come in time.
    Dropped,
    /// It would not be sent: unsubscribed, bounced, or not wanted.
    Suppressed,
    /// It cannot be rendered or sent, for example without an address.
    Failed,
}

/// A message, rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    /// The channel.
    pub channel: Channel,
    /// The template.
    pub template: String,
    /// The endpoint of a webhook.
    pub endpoint: Option<String>,
    /// The variant of the newest split.
    pub variant: Option<String>,
    /// Its fate.
    pub fate: Fate,
    /// Why it would not go out.
    pub why: Option<String>,
    /// Expressions of the template that came out empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty: Vec<String>,
    /// The address of a mail.
    pub to: Option<String>,
    /// The subject, or the title.
    pub subject: Option<String>,
    /// The text part, or the body.
    pub text: Option<String>,
    /// The HTML part of a mail.
    pub html: Option<String>,
    /// The link of an in-app message.
    pub link: Option<String>,
    /// The event that a mail invites to.
    pub invitation: Option<InvitationView>,
}

/// An invitation to an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationView {
    /// The title.
    pub title: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The location; may be empty.
    pub location: String,
}
