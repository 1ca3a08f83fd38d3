//! The in-app inbox.
//!
//! It shows messages that were decided for the requested identity, and for those that a trusted source linked to it:
//! anybody with a public key can link a visitor to a user, so such a link shows neither side the other's messages.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::event;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_config::channels::InAppKind;
use perennial_domain::{AnonymousId, Channel, DecisionId, Identity, PersonId, Properties, UserId};
use perennial_engine::{Part, Profile};
use perennial_store::messages::{INBOX_LIMIT, MessageRecord, MessageState, Outcome};
use perennial_store::{Consistency, Stored};
use perennial_views::person;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// Inboxes of a profile's identities that are read at once.
const CONCURRENCY: usize = 8;

/// The reader of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The person, with a token that the product made for a user id or an anonymous id.
    Token,
    /// A caller with a key, for any identity.
    Key,
}

/// An action on a message.
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
    /// Parses the action in a path's last part.
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

/// Returns the current kind of a template's messages; those of a removed template are messages.
fn kind(config: &Config, template: &str) -> InAppKind {
    config.templates.get(template).map(|template| template.kind).unwrap_or_default()
}

/// A profile, and the identities whose messages one inbox shows.
struct Inbox {
    stored: Stored,
    /// By their own profile ids: messages stay with the identity they were decided for.
    people: BTreeSet<PersonId>,
}

impl Inbox {
    async fn open(deps: &Deps, identity: &str, reader: Reader) -> Result<Self, Failure> {
        const NONE: Failure =
            Failure::NotFound("no user id or anonymous id that events were sent for is the one that the token names");
        if reader == Reader::Key {
            let stored = person::find(&deps.views, identity).await?;
            let part = stored.profile.parts.iter().find(|part| is_called(part, identity));
            let people = shown_with(&stored.profile, part);
            return Ok(Self { stored, people });
        }
        // The product vouches for its own ids. If addresses and ids of other kinds were searched too, a person who can
        // choose their user id could choose another person's address.
        let named = [
            UserId::parse(identity).map(Identity::User).ok(),
            AnonymousId::parse(identity).map(Identity::Anonymous).ok(),
        ];
        for identity in named.into_iter().flatten() {
            let Some(stored) = deps.views.store.follow(identity.person_id(), Consistency::Eventual).await? else {
                continue;
            };
            if let Some(part) = stored.profile.part(&identity) {
                let people = shown_with(&stored.profile, Some(part));
                return Ok(Self { stored, people });
            }
        }
        Err(NONE)
    }
}

/// Returns whether `text` identifies this identity state: by its id, or by its own profile id.
fn is_called(part: &Part, text: &str) -> bool {
    let text = text.trim();
    part.identity.as_str() == text || part.owner().to_string() == text
}

/// Returns the identities whose messages are shown with those of `part`, by their own profile ids: those that a trusted
/// source linked to it. All identities that are not anonymous are linked by trusted sources, and an anonymous id by its
/// one link. Without `part`, all of the profile's identities.
fn shown_with(profile: &Profile, part: Option<&Part>) -> BTreeSet<PersonId> {
    let is_vouched_for =
        |part: &&Part| !part.identity.is_anonymous() || part.holder().is_none_or(|link| !link.is_public());
    match part {
        Some(part) if !is_vouched_for(&part) => [part.owner()].into(),
        _ => profile.parts.iter().filter(is_vouched_for).map(Part::owner).collect(),
    }
}

/// `GET /api/inbox/{identity}`.
pub(crate) async fn list(deps: &Deps, identity: &str, reader: Reader) -> Result<Response<Body>, Failure> {
    let inbox = Inbox::open(deps, identity, reader).await?;
    let config = deps.views.config.current().await;
    let records: Vec<Vec<MessageRecord>> = stream::iter(inbox.people)
        .map(|person| deps.views.store.inbox(person))
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut messages: Vec<MessageView> =
        records.into_iter().flatten().map(|record| MessageView::new(record, &config)).collect();
    messages.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    messages.truncate(INBOX_LIMIT);
    let unread = messages.iter().filter(|message| message.read_at.is_none()).count();
    answer::json(&InboxView { messages, unread })
}

/// Handles `POST /api/inbox/{identity}/{decision}/{deed}`. Idempotent: a repetition changes nothing and counts once.
pub(crate) async fn act(
    deps: &Deps,
    identity: &str,
    reader: Reader,
    decision: &str,
    deed: Deed,
) -> Result<Response<Body>, Failure> {
    const NONE: Failure = Failure::NotFound("this person's inbox has no such message");
    let decision = DecisionId::parse(decision).map_err(|_| NONE)?;
    let Inbox { stored, people } = Inbox::open(deps, identity, reader).await?;
    let mut found = None;
    for person in people {
        if let Some(record) =
            deps.views.store.message(person, decision).await?.filter(|record| record.channel == Channel::InApp)
        {
            found = Some((person, record));
            break;
        }
    }
    let (person, record) = found.ok_or(NONE)?;
    note(deps, person, decision, deed).await?;
    if let Some(identity) = person::identity(&stored.profile, person) {
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
    let now = deps.views.clock.now();
    match deed {
        Deed::Read => drop(deps.views.store.mark_read(person, decision, now).await?),
        Deed::Dismiss => drop(deps.views.store.dismiss(person, decision, now).await?),
        Deed::Click => {
            // Following a link implies reading.
            deps.views.store.mark_read(person, decision, now).await?;
            deps.views.store.record(person, decision, &Outcome::new(MessageState::Clicked, now)).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_engine::claims::link_of;
    use perennial_testkit::{ConfigBuilder, EventBuilder};

    #[test]
    fn an_offer_to_talk_is_told_from_a_message() {
        let files = [("templates/offer.toml", "subject = \"s\"\ntext = \"t\"\nkind = \"chat\"\n")];
        let config = ConfigBuilder::least().with(&files).load();
        assert_eq!((kind(&config, "offer"), kind(&config, "gone")), (InAppKind::Chat, InAppKind::Message));
    }

    fn user(id: &str) -> Identity {
        Identity::User(UserId::parse(id).unwrap())
    }

    fn visitor(id: &str) -> Identity {
        Identity::Anonymous(AnonymousId::parse(id).unwrap())
    }

    /// Returns a user with a visitor linked by a public or a trusted source.
    fn linked(public: bool) -> Profile {
        let mut profile = Profile::new(user("ada"));
        let identify = EventBuilder::identify("m", "ada", Some("desk")).at(crate::test_support::now());
        let event = if public { identify.public().build() } else { identify.build() };
        let (_, link) = link_of(&ConfigBuilder::least().load().identity, &event).unwrap();
        profile.part_mut(&visitor("desk")).add_link(link);
        profile
    }

    fn shown(profile: &Profile, of: &Identity) -> BTreeSet<PersonId> {
        shown_with(profile, profile.part(of))
    }

    #[test]
    fn visitor_whom_a_public_source_linked_shares_no_inbox_with_the_user() {
        let (ada, desk) = (user("ada"), visitor("desk"));
        let both = BTreeSet::from([ada.person_id(), desk.person_id()]);
        let trusted = linked(false);
        assert_eq!((shown(&trusted, &ada), shown(&trusted, &desk)), (both.clone(), both));
        let public = linked(true);
        assert_eq!(shown(&public, &ada), [ada.person_id()].into());
        assert_eq!(shown(&public, &desk), [desk.person_id()].into());
        assert_eq!(shown_with(&public, None), [ada.person_id()].into(), "an operator who asks by the address");
    }

    #[tokio::test]
    async fn token_opens_no_inbox_by_an_address_or_by_a_person_id() {
        let house = crate::test_support::house(crate::access::Access::Open).await;
        crate::test_support::with_ada(&house).await;
        let ada = crate::test_support::ada();
        for id in ["ada@example.com".to_owned(), ada.person_id().to_string(), "nobody".to_owned()] {
            assert!(matches!(list(&house.deps, &id, Reader::Token).await, Err(Failure::NotFound(_))), "{id}");
        }
        for id in [ada.as_str(), "anon-1"] {
            let found = list(&house.deps, id, Reader::Token).await;
            assert_eq!(
                found.is_ok(),
                id == ada.as_str(),
                "{id}: nobody can be found by a visitor's id that no pointer leads from"
            );
        }
    }
}
