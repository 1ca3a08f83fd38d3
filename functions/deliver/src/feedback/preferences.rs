//! Preferences that a reader changed through SES's own subscription management, stored as if they had been changed on
//! our page.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::Timestamp;
use perennial_channels::unsubscribe::address_hash;
use perennial_config::topics::Topic;
use perennial_contracts::ses::{MailEvent, MailEventKind, Subscription};
use perennial_domain::PersonId;
use perennial_store::preferences::Preferences;
use std::collections::BTreeMap;

/// Returns the event with our ids of the topics in SES's contact list. Unknown topics, and those that readers cannot
/// choose, are left out; the former are logged.
pub(super) async fn translated(deps: &Deps, event: MailEvent) -> MailEvent {
    let MailEventKind::Subscription(changed) = &event.kind else { return event };
    let config = deps.config.current().await;
    let mut topics = BTreeMap::new();
    for (name, wants) in &changed.topics {
        match config.channels.topics.iter().find(|topic| is_named(topic, name)) {
            Some(topic) if topic.essential => {}
            Some(topic) => drop(topics.insert(topic.id.clone(), *wants)),
            None => {
                tracing::warn!(topic = name, "failed to keep a choice made in SES: channels.toml has no such topic")
            }
        }
    }
    let changed = Subscription { topics, ..changed.clone() };
    MailEvent { kind: MailEventKind::Subscription(changed), ..event }
}

/// Lifts a suppression that the reader reverted, and stores the topics that they chose or gave up, for every address of
/// the event. Later choices elsewhere are kept. The same for `person`, the mail's profile. (Unsubscribing from all
/// mails is a suppression like others, and needs nothing here.)
pub(super) async fn keep(
    deps: &Deps,
    event: &MailEvent,
    changed: &Subscription,
    person: Option<PersonId>,
) -> Result<(), DeliverError> {
    if changed.unsubscribed != Some(false) && changed.topics.is_empty() {
        return Ok(());
    }
    if let Some(person) = person
        && deps.store.follow_head(person).await?.is_some()
    {
        let before = deps.store.wishes(person).await?;
        if is_lifted(changed, &before, event) {
            deps.store.resume_mails(person).await?;
        }
        deps.store.choose_for(person, &newer(&changed.topics, &before, event.at), event.at).await?;
    }
    for address in &event.recipients {
        let hash = address_hash(&address.key());
        let before = deps.store.preferences(&hash).await?;
        if is_lifted(changed, &before, event) {
            deps.store.resubscribe(&hash).await?;
        }
        deps.store.choose(&hash, &newer(&changed.topics, &before, event.at), event.at).await?;
    }
    Ok(())
}

/// Returns whether the event lifts an earlier suppression.
fn is_lifted(changed: &Subscription, before: &Preferences, event: &MailEvent) -> bool {
    changed.unsubscribed == Some(false) && before.suppression.is_some_and(|suppression| suppression.since <= event.at)
}

/// Returns whether a topic of SES is ours: by its id or title, in any case and with any separators.
fn is_named(topic: &Topic, name: &str) -> bool {
    let folded =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let name = folded(name);
    !name.is_empty() && (folded(&topic.id) == name || folded(&topic.title) == name)
}

/// Returns the choices that nothing newer contradicts.
fn newer(chosen: &BTreeMap<String, bool>, before: &Preferences, at: Timestamp) -> BTreeMap<String, bool> {
    let is_newer = |topic: &str| before.topics.get(topic).is_none_or(|choice| choice.since <= at);
    chosen.iter().filter(|(topic, _)| is_newer(topic)).map(|(topic, wants)| (topic.clone(), *wants)).collect()
}
