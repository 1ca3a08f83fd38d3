//! One event's share of a state.

use crate::register::{Register, write};
use crate::state::{Span, State, add};
use perennial_config::Config;
use perennial_config::scoring::Rule;
use perennial_domain::time::{day_of, month_of};
use perennial_domain::{Currency, Event, EventKind, Money};

/// Counts `event` into `state`. To be called once an event; the order of events does not matter.
pub fn apply(config: &Config, state: &mut State, event: &Event) {
    let name = event.counted_as();
    let at = event.timestamp.as_millisecond();
    let day = day_of(event.timestamp);
    state.counts.add(name, 1);
    if !config.lifecycle.passive.contains(name) {
        state.mark_seen(Span::at(at));
        state.days.mark(day);
        state.months.mark(month_of(event.timestamp));
    }
    if let Some(milestones) = config.lifecycle.milestones.get(name) {
        for milestone in milestones {
            state.mark_milestone(*milestone, Span::at(at));
        }
    }
    if let Some(tallies) = config.scoring.tallies.get(name) {
        for tally in tallies {
            add(&mut state.tallies, tally, 1);
        }
    }
    if let Some(rules) = config.scoring.by_event.get(name) {
        for rule in rules.iter().filter_map(|index| config.scoring.rules.get(*index)) {
            if matches(rule, event) {
                state.points.entry(rule.key).or_default().add(event.timestamp.as_second(), rule.half_life_days);
            }
        }
    }
    if config.journeys.windows.contains_key(name) {
        state.count_in_window(name, day, 1);
    }
    if event.kind == EventKind::Identify {
        for (name, value) in &event.traits {
            state.write_trait(name, Register { at, value: value.to_string() });
        }
    }
    if let Some(group) = &event.group_id {
        write(&mut state.account, Register { at, value: group.as_str().to_owned() });
    }
    if let Some(money) = revenue(event) {
        state.add_revenue(money.currency, money.minor);
    }
}

/// Whether the event has the properties that the rule asks for.
fn matches(rule: &Rule, event: &Event) -> bool {
    rule.filter.iter().all(|(name, wanted)| event.properties.get(name).is_some_and(|found| is_wanted(found, wanted)))
}

/// Whether `found` is `wanted`, or one of those where `wanted` is a list.
fn is_wanted(found: &serde_json::Value, wanted: &serde_json::Value) -> bool {
    match (found, wanted) {
        (_, serde_json::Value::Array(any)) => any.iter().any(|one| is_wanted(found, one)),
        // 1 and 1.0 are one number to whoever writes config.
        (serde_json::Value::Number(a), serde_json::Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => found == wanted,
    }
}

/// What a `track` event says was paid: `properties.revenue` in major units, a number or its text, in
/// `properties.currency` or US dollars (the Segment spec's e-commerce names). What is no amount counts as none.
fn revenue(event: &Event) -> Option<Money> {
    if event.kind != EventKind::Track {
        return None;
    }
    let currency = match event.properties.get("currency").and_then(|c| c.as_str()) {
        Some(code) => Currency::parse(code).ok()?,
        None => Currency::USD,
    };
    match event.properties.get("revenue")? {
        serde_json::Value::Number(number) => Money::parse(&number.to_string(), currency).ok(),
        serde_json::Value::String(text) => Money::parse(text, currency).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_wanted;
    use serde_json::json;

    #[test]
    fn a_list_wants_any_of_its_values() {
        assert!(is_wanted(&json!(9), &json!([9, 10])));
        assert!(is_wanted(&json!(10.0), &json!([9, 10])));
        assert!(!is_wanted(&json!(8), &json!([9, 10])));
        assert!(!is_wanted(&json!("9"), &json!(9)));
        assert!(is_wanted(&json!("pro"), &json!("pro")));
    }
}
