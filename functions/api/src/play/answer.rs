//! What was played, as it is told.

use jiff::Timestamp;
use perennial_domain::{Channel, ConfigVersion, PersonId, Stage};
use perennial_engine::play::Refusal;
use serde::{Deserialize, Serialize};

/// The answer to `POST /api/journeys/{name}/test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The journey.
    pub journey: String,
    /// What sets it off, in words.
    pub trigger: String,
    /// The config that it was played by.
    pub config: ConfigVersion,
    /// For whom.
    pub person: Who,
    /// When the trigger came.
    pub from: Timestamp,
    /// When the clock stopped.
    pub until: Timestamp,
    /// Whether they entered.
    pub entered: bool,
    /// What kept them out.
    pub refusal: Option<Refusal>,
    /// The same in words.
    pub why_not: Option<String>,
    /// What happened, in the order of time.
    pub steps: Vec<StepView>,
    /// Whether they were still on the way when the clock stopped.
    pub under_way: bool,
}

impl Answer {
    /// The journey's own messages that cannot be rendered or sent.
    pub fn failing(&self) -> impl Iterator<Item = &MessageView> {
        let own = self.steps.iter().filter(|step| step.journey.as_ref() == Some(&self.journey));
        own.filter_map(|step| step.message.as_ref()).filter(|message| message.fate == Fate::Failed)
    }
}

/// For whom it was played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Who {
    /// The person id.
    pub id: PersonId,
    /// What readers call them.
    pub name: String,
    /// Whether they were made up.
    pub sample: bool,
    /// Where they stood before.
    pub stage: Stage,
    /// Their time zone.
    pub time_zone: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// When.
    pub at: Timestamp,
    /// Where the person stood.
    pub stage: Stage,
    /// In which journey; none for an event that was supposed.
    pub journey: Option<String>,
    /// By which step of it; none for the journey as a whole.
    pub step: Option<String>,
    /// What it was.
    pub what: Kind,
    /// The same in words; times are those of the person's zone.
    pub told: String,
    /// The message that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageView>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A supposed event.
    Supposed,
    /// They entered.
    Entered,
    /// They were kept out.
    Refused,
    /// A message.
    Message,
    /// Quiet hours hold a message back.
    PutOff,
    /// A message waits for its turn.
    Queued,
    /// They wait.
    Waits,
    /// What they waited for happened.
    Happened,
    /// A branch.
    Branched,
    /// A split.
    Split,
    /// An event of the journey's.
    Counted,
    /// Traits.
    Wrote,
    /// Nothing, as they are held out.
    Skipped,
    /// The goal.
    Reached,
    /// They left.
    Left,
    /// The end.
    Ended,
}

/// What would become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It would go out.
    Sent,
    /// They have had as many as the caps allow.
    Capped,
    /// They are held out.
    HeldOut,
    /// Its turn would not come in time.
    Dropped,
    /// It would not go out: unsubscribed, bounced, not wanted.
    Suppressed,
    /// It cannot be rendered or sent, as where no address is known.
    Failed,
}

/// A message, rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    /// How it would go out.
    pub channel: Channel,
    /// What it says.
    pub template: String,
    /// Where to, for a webhook.
    pub endpoint: Option<String>,
    /// The way of the newest split.
    pub variant: Option<String>,
    /// What would become of it.
    pub fate: Fate,
    /// Why it would not go out.
    pub why: Option<String>,
    /// Expressions of the template that came out empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty: Vec<String>,
    /// To which address, for a mail.
    pub to: Option<String>,
    /// The subject, or the title.
    pub subject: Option<String>,
    /// The text part, or the body.
    pub text: Option<String>,
    /// The HTML part of a mail.
    pub html: Option<String>,
    /// Where a click leads, for what is shown in the product.
    pub link: Option<String>,
    /// The event that a mail invites to.
    pub invitation: Option<InvitationView>,
}

/// An invitation to an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationView {
    /// What.
    pub title: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Where; empty where nothing is said.
    pub location: String,
}
