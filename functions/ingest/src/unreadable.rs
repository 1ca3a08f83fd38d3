//! Survey answers and payments that nobody can read: the event is kept, and the sender gets a warning.

use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_config::scoring::Survey;
use perennial_domain::billing::said;
use perennial_domain::hygiene::{Note, Outcome, Reason};
use perennial_domain::{Event, EventKind, Properties};
use serde_json::Value;

/// The property with the amount of a payment.
const REVENUE: &str = "revenue";

/// Returns a note for each unreadable value in an event's JSON. Only events that may have one are parsed.
pub(crate) fn notes(config: &Config, json: &str) -> Vec<Note> {
    let surveys = &config.scoring.surveys;
    let has_answer = surveys.iter().any(|survey| json.contains(&survey.event));
    if !has_answer && !json.contains("\"revenue\"") {
        return Vec::new();
    }
    let Ok(event) = serde_json::from_str::<Event>(json) else { return Vec::new() };
    let unreadable = config.scoring.unreadable_answers(event.counted_as(), &event.properties);
    let answers = unreadable.map(|survey: &Survey| {
        let reason = Reason::Answer { lowest: survey.lowest, highest: survey.highest };
        note(&survey.property, reason)
    });
    answers.chain(is_payment(config, &event).then(|| payment(&event.properties)).flatten()).collect()
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

fn payment(said: &Properties) -> Option<Note> {
    let is_absent = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    let _amount = said.get(REVENUE).filter(|value| !is_absent(value))?;
    let Some(currency) = said::currency(said) else { return Some(note("currency", Reason::Currency)) };
    let is_read = said::amount(said, &[REVENUE], currency).is_some_and(|minor| minor >= 0);
    (!is_read).then(|| note(REVENUE, Reason::Amount))
}
