//! `/u/{token}`: a page to choose mails on, and a POST that stops or changes them.
//!
//! Mail scanners and previews follow links, so GET changes nothing. A POST comes from the page's buttons or, as RFC 8058 has it, from the mail
//! program, with `List-Unsubscribe=One-Click` in one of several encodings. The token is the proof. Whatever the body says that is not one of the
//! page's own forms stops what the mail was about: a reader who wants out gets out.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::{event, page};
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use lambda_http::{Body, Request};
use perennial_channels::unsubscribe::Unsubscribe;
use perennial_config::channels::Channels;
use perennial_domain::Properties;
use perennial_store::preferences::Preferences;
use perennial_store::suppressions::Reason;
use perennial_store::{Consistency, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// The event of a reader who wants no more mails, or none of a topic.
const STOPPED: &str = "Unsubscribed";
/// The event of a reader who wants mails again, or those of a topic.
const WANTED: &str = "Subscribed";
/// The longest form that is read, in bytes: some hundred topics.
const MAX_FORM_BYTES: usize = 16 * 1024;

/// What a reader asks for.
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

/// What a wish changed, or had changed before.
struct Change {
    /// All mails where `None`.
    topic: Option<String>,
    wants: bool,
    since: Timestamp,
}

/// Answers with a page in every case: a person reads it.
pub(crate) async fn answer(deps: &Deps, request: &Request, token: &str) -> Response<Body> {
    let Ok(link) = deps.keys.verify(token) else {
        return answer::page(StatusCode::NOT_FOUND, page::invalid());
    };
    let config = deps.config.current().await;
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
            tracing::error!(%error, "a reader's wish could not be read or stored");
            answer::page(StatusCode::SERVICE_UNAVAILABLE, page::failed())
        }
    }
}

/// Does what the reader asks for, and gives what is known of the address then.
async fn fulfil(
    deps: &Deps,
    channels: &Channels,
    link: &Unsubscribe,
    wish: Option<&Wish>,
) -> Result<Preferences, StoreError> {
    let before = deps.store.preferences(&link.address).await?;
    let Some(wish) = wish else { return Ok(before) };
    store(deps, link, wish, &before).await?;
    let after = deps.store.preferences(&link.address).await?;
    // What the reader asked for is done and durable; a history that lacks its line must not tell them otherwise.
    if let Err(error) = tell(deps, link, &changes(channels, wish, &before, &after, deps.clock.now())).await {
        tracing::error!(%error, "a reader's wish could not be told as an event");
    }
    Ok(after)
}

async fn store(deps: &Deps, link: &Unsubscribe, wish: &Wish, before: &Preferences) -> Result<(), StoreError> {
    let (store, address, now) = (&deps.store, &link.address, deps.clock.now());
    // The moment of a choice stays that of the first time it was made.
    let news = |choices: &BTreeMap<String, bool>| -> BTreeMap<String, bool> {
        let is_new = |topic: &str, wants: bool| before.topics.get(topic).is_none_or(|choice| choice.wants != wants);
        choices
            .iter()
            .filter(|(topic, wants)| is_new(topic, **wants))
            .map(|(topic, wants)| (topic.clone(), *wants))
            .collect()
    };
    match wish {
        Wish::StopAll => store.suppress_hashed(address, Reason::Unsubscribe, now).await.map(drop),
        Wish::Stop(topic) => store.choose(address, &news(&[(topic.clone(), false)].into()), now).await,
        Wish::Choose(choices) => {
            store.choose(address, &news(choices), now).await?;
            if choices.values().any(|wants| *wants) {
                store.resubscribe(address).await?;
            }
            Ok(())
        }
        Wish::Resume => store.resubscribe(address).await.map(drop),
    }
}

/// The body's fields. What is no form, or too long for the page's own, has none.
fn form(body: &Body) -> Vec<(String, String)> {
    let bytes: &[u8] = body;
    if bytes.len() > MAX_FORM_BYTES {
        return Vec::new();
    }
    let decode = |text: &[u8]| percent_encoding::percent_decode(text).decode_utf8_lossy().into_owned();
    let field = |pair: &[u8]| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((decode(&pair[..equals]), decode(&pair[equals + 1..])))
    };
    bytes.split(|byte| *byte == b'&').filter_map(field).collect()
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
        // A topic that is no more, or that is essential now, could send on under another name.
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

async fn tell(deps: &Deps, link: &Unsubscribe, changes: &[Change]) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let Some(stored) = deps.store.follow(link.person, Consistency::Eventual).await? else { return Ok(()) };
    let Some(identity) = event::identity(&stored.profile, link.person) else { return Ok(()) };
    for Change { topic, wants, since } in changes {
        let mut properties: Properties = [("channel".to_owned(), "mail".into())].into_iter().collect();
        if let Some(topic) = topic {
            properties.insert("topic".to_owned(), topic.as_str().into());
        }
        let since = since.as_millisecond().to_be_bytes();
        let key: [&[u8]; 4] =
            [link.person.as_bytes(), &link.address, topic.as_deref().unwrap_or_default().as_bytes(), &since];
        event::send(deps, identity, if *wants { WANTED } else { STOPPED }, &key, properties).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "unsubscribe_tests.rs"]
pub(crate) mod tests;
