//! Survey answers, payments and statuses that nobody can read: the event is kept, and the sender gets a warning.

use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_config::scoring::Survey;
use perennial_domain::billing::{Status, said};
use perennial_domain::hygiene::{Note, Outcome, Reason};
use perennial_domain::{Event, EventKind, Properties};
use serde_json::Value;

/// The names of [`said::PAID`], as they are written in JSON.
const QUOTED: [&str; 2] = ["\"revenue\"", "\"total\""];

/// Returns a note for each unreadable value in an event's JSON. Only events that may have one are parsed.
pub(crate) fn notes(config: &Config, json: &str) -> Vec<Note> {
    let surveys = &config.scoring.surveys;
    let has_answer = surveys.iter().any(|survey| json.contains(&survey.event));
    let has_amount = QUOTED.iter().any(|name| json.contains(name));
    let has_status = json.contains("\"status\"");
    if !has_answer && !has_amount && !has_status {
        return Vec::new();
    }
    let Ok(event) = serde_json::from_str::<Event>(json) else { return Vec::new() };
    let unreadable = config.scoring.unreadable_answers(event.counted_as(), &event.properties);
    let answers = unreadable.map(|survey: &Survey| {
        let reason = Reason::Answer { lowest: survey.lowest, highest: survey.highest };
        note(&survey.property, reason)
    });
    let payment = is_payment(config, &event).then(|| payment(&event.properties)).flatten();
    let status = is_of_subscription(config, &event).then(|| status(&event.properties)).flatten();
    answers.chain(payment).chain(status).collect()
}

fn note(property: &str, reason: Reason) -> Note {
    Note { field: format!("properties.{property}").into(), outcome: Outcome::Dropped(reason) }
}

/// Returns whether the event says that something was paid, or corrects that.
fn is_payment(config: &Config, event: &Event) -> bool {
    let name = config.counted_as(event);
    let milestones = config.lifecycle.milestones.get(name);
    let is_bought = milestones.is_some_and(|milestones| milestones.contains(&Milestone::Customer));
    let billing = &config.billing;
    event.kind == EventKind::Track && (is_bought || billing.paid.contains(name) || billing.corrected.contains(name))
}

/// Returns whether the event reports the state of a subscription.
fn is_of_subscription(config: &Config, event: &Event) -> bool {
    let name = config.counted_as(event);
    let is_one_time = config.billing.one_time.contains(name);
    let is_known = config.billing.subscription_events.contains(name) || config.lifecycle.milestones.contains_key(name);
    event.kind == EventKind::Track && is_known && !is_one_time
}

/// Returns a note if a status is there and unknown.
fn status(said: &Properties) -> Option<Note> {
    let text = said.get("status")?.as_str().map(str::trim).filter(|text| !text.is_empty())?;
    Status::parse(text).is_none().then(|| note("status", Reason::Status))
}

/// Returns a note if the amount of a payment is there and cannot be read.
fn payment(said: &Properties) -> Option<Note> {
    let is_absent = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    let property = said::PAID.iter().find(|name| said.get(**name).is_some_and(|value| !is_absent(value)))?;
    let Some(currency) = said::currency(said) else { return Some(note("currency", Reason::Currency)) };
    let is_read = said::amount(said, &[property], currency).is_some_and(|minor| minor >= 0);
    (!is_read).then(|| note(property, Reason::Amount))
}
