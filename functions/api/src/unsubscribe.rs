//! `/u/{token}`: a page to choose mails on, and a POST that stops or changes them.
//!
//! Mail scanners and previews follow links, so GET changes nothing. A POST comes from the page's buttons or, with RFC
//! 8058, from the mail program, with `List-Unsubscribe=One-Click` in one of several encodings. The token authenticates
//! it. Any body that is not one of the page's own forms unsubscribes from what the mail was about: a reader must always
//! be able to unsubscribe.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::wish::{Change, form, tell};
use crate::{confirm, page};
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use lambda_http::{Body, Request};
use perennial_channels::unsubscribe::{CONFIRM, Unsubscribe, owners_of};
use perennial_config::channels::Channels;
use perennial_domain::PersonId;
use perennial_engine::Part;
use perennial_store::preferences::Preferences;
use perennial_store::suppressions::Reason;
use perennial_store::{Consistency, StoreError, Stored};
use std::collections::{BTreeMap, BTreeSet};

/// A reader's request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    /// No mails, but essential ones.
    StopAll,
    /// No mails about a topic.
    Stop(String),
    /// Exactly these of the topics that the page showed.
    Choose(BTreeMap<String, bool>),
    /// Mails again.
    Resume,
}

/// Answers with a page in every case: a person reads it.
pub(crate) async fn answer(deps: &Deps, request: &Request, token: &str) -> Response<Body> {
    let Ok(link) = deps.keys.verify(token) else {
        return answer::page(StatusCode::NOT_FOUND, page::invalid());
    };
    if link.topic.as_deref() == Some(CONFIRM) {
        return confirm::answer(deps, request, &link).await;
    }
    let config = deps.views.config.current().await;
    let channels = &config.channels;
    let method = request.method();
    let wish = match *method {
        Method::GET | Method::HEAD => None,
        Method::POST => Some(wish(channels, &link, &form(request.body()))),
        _ => return Failure::Method("GET, POST").answer(),
    };
    match fulfil(deps, channels, &link, wish.as_ref()).await {
        Ok(known) => {
            let about = link.topic.as_deref().and_then(|topic| channels.topic(topic));
            answer::page(StatusCode::OK, page::preferences(&channels.topics, &known, about, wish.is_some()))
        }
        Err(error) => {
            tracing::error!(%error, "failed to read or store a reader's choice");
            answer::page(StatusCode::SERVICE_UNAVAILABLE, page::failed())
        }
    }
}

/// The reader of the mail with the link: the address, and the mail's profile.
struct Reader {
    /// The profile, if there is one that can be read.
    stored: Option<Stored>,
    /// The mail's identities: the original recipient, and those of the profile that have the address.
    addressed: BTreeSet<PersonId>,
    /// All identities of the profile.
    all: BTreeSet<PersonId>,
    /// The preferences of the address alone.
    address: Preferences,
    /// The preferences of each identity.
    wishes: BTreeMap<PersonId, Preferences>,
}

impl Reader {
    async fn look_up(deps: &Deps, link: &Unsubscribe) -> Result<Self, StoreError> {
        let (stored, is_there) = match deps.views.store.follow(link.person, Consistency::Eventual).await {
            Ok(Some(stored)) => (Some(stored), true),
            Ok(None) => (None, false),
            // Unsubscribing works whatever the state of the profile.
            Err(error) if error.is_unreadable() => (None, true),
            Err(error) => return Err(error),
        };
        // Nothing is written about an erased person.
        let named = Some(link.person).filter(|_| is_there);
        let parts = || stored.iter().flat_map(|stored| &stored.profile.parts);
        let owners = stored.iter().flat_map(move |stored| owners_of(&stored.profile, &link.address));
        let addressed = owners.chain(named).collect();
        let all: BTreeSet<PersonId> = parts().map(Part::owner).chain(named).collect();
        let address = deps.views.store.preferences(&link.address).await?;
        let wishes = deps.views.store.wishes_of(all.iter().copied()).await?;
        Ok(Self { stored, addressed, all, address, wishes })
    }

    /// Returns the preferences that apply to mails to the address.
    fn known(&self) -> Preferences {
        self.wishes.values().cloned().fold(self.address.clone(), Preferences::with)
    }
}

/// Applies the request, and returns the address's preferences afterwards.
async fn fulfil(
    deps: &Deps,
    channels: &Channels,
    link: &Unsubscribe,
    wish: Option<&Wish>,
) -> Result<Preferences, StoreError> {
    let reader = Reader::look_up(deps, link).await?;
    let before = reader.known();
    let Some(wish) = wish else { return Ok(before) };
    store(deps, link, wish, &reader).await?;
    let after = deps.views.store.preferences_with(&link.address, reader.all.iter().copied()).await?;
    // The change is applied and durable; a missing line in the history must not report it as failed.
    let changes = changes(channels, wish, &before, &after, deps.views.clock.now());
    if let Err(error) = tell(deps, link, reader.stored.as_ref(), &changes).await {
        tracing::error!(%error, "failed to send the event of a changed preference");
    }
    Ok(after)
}

/// Stores the change with the address, and with the person.
async fn store(deps: &Deps, link: &Unsubscribe, wish: &Wish, reader: &Reader) -> Result<(), StoreError> {
    let (store, address, now) = (&deps.views.store, &link.address, deps.views.clock.now());
    match wish {
        Wish::StopAll => {
            store.suppress_hashed(address, Reason::Unsubscribe, now).await?;
            for person in &reader.addressed {
                store.stop_mails(*person, now).await?;
            }
            Ok(())
        }
        Wish::Stop(topic) => choose(deps, link, &[(topic.clone(), false)].into(), reader).await,
        Wish::Choose(choices) => {
            choose(deps, link, choices, reader).await?;
            if choices.values().any(|wants| *wants) {
                resume(deps, link, reader).await?;
            }
            Ok(())
        }
        Wish::Resume => resume(deps, link, reader).await,
    }
}

async fn choose(
    deps: &Deps,
    link: &Unsubscribe,
    choices: &BTreeMap<String, bool>,
    reader: &Reader,
) -> Result<(), StoreError> {
    let now = deps.views.clock.now();
    deps.views.store.choose(&link.address, &news(choices, &reader.address), now).await?;
    for person in &reader.addressed {
        let before = reader.wishes.get(person).cloned().unwrap_or_default();
        deps.views.store.choose_for(*person, &news(choices, &before), now).await?;
    }
    Ok(())
}

/// Returns the choices that change `before`: an unchanged choice keeps its original time.
fn news(choices: &BTreeMap<String, bool>, before: &Preferences) -> BTreeMap<String, bool> {
    let is_new = |topic: &str, wants: bool| before.topics.get(topic).is_none_or(|choice| choice.wants != wants);
    choices
        .iter()
        .filter(|(topic, wants)| is_new(topic, **wants))
        .map(|(topic, wants)| (topic.clone(), *wants))
        .collect()
}

async fn resume(deps: &Deps, link: &Unsubscribe, reader: &Reader) -> Result<(), StoreError> {
    deps.views.store.resubscribe(&link.address).await?;
    for person in &reader.all {
        // Most have no suppression to lift.
        if reader.wishes.get(person).is_none_or(|wishes| wishes.suppression.is_some()) {
            deps.views.store.resume_mails(*person).await?;
        }
    }
    Ok(())
}

fn wish(channels: &Channels, link: &Unsubscribe, form: &[(String, String)]) -> Wish {
    let all = |name: &str| -> BTreeSet<&str> {
        form.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    };
    let can_stop = |id: &str| channels.topic(id).is_some_and(|topic| !topic.essential);
    match form.iter().find(|(name, _)| name == "do").map(|(_, value)| value.as_str()) {
        Some("choose") => {
            let wanted = all("topic");
            // A topic that came into the config after the page was shown was not among what the reader left out.
            let shown = all("shown").into_iter().filter(|id| can_stop(id));
            Wish::Choose(shown.map(|id| (id.to_owned(), wanted.contains(id))).collect())
        }
        Some("resume") => Wish::Resume,
        Some("stop-all") => Wish::StopAll,
        // A topic that was removed, or is essential now, could be sent under another name.
        _ => match &link.topic {
            Some(topic) if can_stop(topic) => Wish::Stop(topic.clone()),
            _ => Wish::StopAll,
        },
    }
}

fn changes(channels: &Channels, wish: &Wish, before: &Preferences, after: &Preferences, now: Timestamp) -> Vec<Change> {
    let stopped = |known: &Preferences| known.suppression.filter(|it| it.reason == Reason::Unsubscribe);
    let mut changes = Vec::new();
    match wish {
        Wish::StopAll => {
            let since = stopped(after).map(|it| it.since);
            changes.extend(since.map(|since| Change { topic: None, wants: false, since }));
        }
        Wish::Stop(topic) => {
            let choice = after.topics.get(topic);
            changes.extend(choice.map(|it| Change { topic: Some(topic.clone()), wants: false, since: it.since }));
        }
        Wish::Choose(_) | Wish::Resume => {
            if stopped(before).is_some() && stopped(after).is_none() {
                changes.push(Change { topic: None, wants: true, since: now });
            }
            let moved = channels.topics.iter().filter(|topic| before.wants(topic) != after.wants(topic));
            changes.extend(moved.filter_map(|topic| {
                let choice = after.topics.get(&topic.id)?;
                Some(Change { topic: Some(topic.id.clone()), wants: choice.wants, since: choice.since })
            }));
        }
    }
    changes
}

#[cfg(test)]
#[path = "unsubscribe_tests.rs"]
pub(crate) mod tests;
