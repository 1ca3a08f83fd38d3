//! The in-app inbox.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::{event, person};
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_config::channels::InAppKind;
use perennial_domain::{Channel, DecisionId, PersonId, Properties};
use perennial_store::messages::{MessageRecord, MessageState, Outcome};
use serde::Serialize;
use serde_json::json;

/// What someone did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Saw it.
    Read,
    /// Took it out of the inbox.
    Dismiss,
    /// Followed its link.
    Click,
}

impl Deed {
    /// The deed of a path's last part.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "dismiss" => Some(Self::Dismiss),
            "click" => Some(Self::Click),
            _ => None,
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Read => "In-App Message Read",
            Self::Dismiss => "In-App Message Dismissed",
            Self::Click => "In-App Message Clicked",
        }
    }
}

#[derive(Serialize)]
struct InboxView {
    messages: Vec<MessageView>,
    unread: usize,
}

#[derive(Serialize)]
struct MessageView {
    id: DecisionId,
    title: Option<String>,
    body: Option<String>,
    link: Option<String>,
    /// `message`, or `chat` for an offer to talk.
    kind: InAppKind,
    at: Timestamp,
    read_at: Option<Timestamp>,
    journey: String,
}

impl MessageView {
    fn new(record: MessageRecord, config: &Config) -> Self {
        let kind = kind(config, &record.template);
        let at = record.times.get(&MessageState::Sent).copied().unwrap_or(record.decided_at);
        Self {
            id: record.id,
            title: record.subject,
            body: record.text,
            link: record.link,
            kind,
            at,
            read_at: record.read_at,
            journey: record.journey,
        }
    }
}

/// What the messages of a template are by now; those whose template is gone are messages.
fn kind(config: &Config, template: &str) -> InAppKind {
    config.templates.get(template).map(|template| template.kind).unwrap_or_default()
}

/// `GET /api/inbox/{identity}`.
pub(crate) async fn list(deps: &Deps, identity: &str) -> Result<Response<Body>, Failure> {
    let stored = person::find(deps, identity).await?;
    let config = deps.config.current().await;
    let mut messages: Vec<MessageView> = Vec::new();
    for person in person::people(&stored.profile) {
        let records = deps.store.inbox(person).await?;
        messages.extend(records.into_iter().map(|record| MessageView::new(record, &config)));
    }
    messages.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    let unread = messages.iter().filter(|message| message.read_at.is_none()).count();
    answer::json(&InboxView { messages, unread })
}

/// `POST /api/inbox/{identity}/{decision}/{deed}`. Doing it again changes nothing and counts once.
pub(crate) async fn act(deps: &Deps, identity: &str, decision: &str, deed: Deed) -> Result<Response<Body>, Failure> {
    const NONE: Failure = Failure::NotFound("this person's inbox has no such message");
    let decision = DecisionId::parse(decision).map_err(|_| NONE)?;
    let stored = person::find(deps, identity).await?;
    let mut found = None;
    for person in person::people(&stored.profile) {
        if let Some(record) =
            deps.store.message(person, decision).await?.filter(|record| record.channel == Channel::InApp)
        {
            found = Some((person, record));
            break;
        }
    }
    let (person, record) = found.ok_or(NONE)?;
    note(deps, person, decision, deed).await?;
    if let Some(identity) = event::identity(&stored.profile, person) {
        let properties: Properties = [
            ("decision".to_owned(), decision.to_string().into()),
            ("journey".to_owned(), record.journey.into()),
            ("step".to_owned(), record.step.into()),
        ]
        .into_iter()
        .collect();
        event::send(deps, identity, deed.event(), &[decision.to_string().as_bytes()], properties).await?;
    }
    answer::json(&json!({ "ok": true }))
}

async fn note(deps: &Deps, person: PersonId, decision: DecisionId, deed: Deed) -> Result<(), Failure> {
    let now = deps.clock.now();
    match deed {
        Deed::Read => drop(deps.store.mark_read(person, decision, now).await?),
        Deed::Dismiss => drop(deps.store.dismiss(person, decision, now).await?),
        Deed::Click => {
            // Whoever follows a link has read it.
            deps.store.mark_read(person, decision, now).await?;
            deps.store.record(person, decision, &Outcome::new(MessageState::Clicked, now)).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_testkit::ConfigBuilder;

    #[test]
    fn an_offer_to_talk_is_told_from_a_message() {
        let files = [("templates/offer.toml", "subject = \"s\"\ntext = \"t\"\nkind = \"chat\"\n")];
        let config = ConfigBuilder::least().with(&files).load();
        assert_eq!((kind(&config, "offer"), kind(&config, "gone")), (InAppKind::Chat, InAppKind::Message));
    }
}
