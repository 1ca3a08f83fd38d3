//! Applies one event to a state.

use crate::activity::is_sign_of_life;
use crate::billing::unverified::note_free_plan;
use crate::billing::{movement, report};
use crate::membership::write_account;
use crate::occurrence::Occurrence;
use crate::register::{Register, write};
use crate::span::Span;
use crate::state::{Answer, State, add};
use perennial_config::Config;
use perennial_config::cel::Program;
use perennial_config::lifecycle::Milestone;
use perennial_config::vocabulary::EventSlot;
use perennial_domain::hygiene::Zone;
use perennial_domain::time::{day_of, hour_of, month_of, week_of};
use perennial_domain::{Event, EventKind};

/// Counts `event` into `state`. To be called once an event; the order of events does not matter.
pub fn apply(config: &Config, state: &mut State, event: &Event) {
    let occurrence = Occurrence::new(config, event);
    let name = occurrence.name();
    let at = event.timestamp.as_microsecond();
    let day = day_of(event.timestamp);
    state.count(name, &|name| config.asks_count(name));
    if is_sign_of_life(config, event) {
        state.mark_seen(Span::at(at));
        state.days.mark(day);
        if matches!(event.kind, EventKind::Track | EventKind::Page | EventKind::Screen) {
            state.actions.count(week_of(event.timestamp));
        }
        state.months.mark(month_of(event.timestamp));
    }
    if !event.is_trusted() && config.is_of_money(name) {
        return;
    }
    let report = report(config, event);
    if let Some(milestones) = config.lifecycle.milestones.get(name) {
        for milestone in milestones {
            if !event.is_trusted() {
                match milestone {
                    Milestone::Freemium => note_free_plan(state, event),
                    Milestone::Lead => state.mark_milestone(Milestone::Lead, Span::at(at)),
                    Milestone::Trial | Milestone::Customer | Milestone::Churned => {}
                }
                continue;
            }
            if report.is_none() || !is_of_subscriptions(*milestone) {
                state.mark_milestone(*milestone, Span::at(at));
            }
            state.mark_move((at, *milestone));
        }
    }
    if let Some(report) = report {
        state.billing.note(&report);
    }
    if let Some(tallies) = config.scoring.tallies.get(name) {
        for tally in tallies {
            add(&mut state.tallies, tally, 1);
        }
    }
    let wanted = |filter: &Option<Program<EventSlot>>| filter.as_ref().is_none_or(|filter| filter.is_true(&occurrence));
    if let Some(rules) = config.scoring.by_event.get(name) {
        for rule in rules.iter().filter_map(|index| config.scoring.rules.get(*index)) {
            if !wanted(&rule.filter) {
                continue;
            }
            if let Some(answered) = rule.answer {
                // The answer. If the answer alone decides, the stored one is used.
                if !answered.alone {
                    state.mark_span(rule.key, Span::at(at));
                }
            } else {
                state.points.entry(rule.key).or_default().add(event.timestamp.as_second(), rule.half_life_days);
            }
        }
    }
    for tracked in config.history.of(name).iter().filter(|tracked| wanted(&tracked.filter)) {
        if tracked.window_days > 0 {
            state.count_in_window(tracked.key, day, tracked.window_days);
        }
        if tracked.window_hours > 0 {
            state.count_in_window(tracked.key, hour_of(event.timestamp), tracked.window_hours);
        }
        if tracked.span {
            state.mark_span(tracked.key, Span::at(at));
        }
        if tracked.days {
            state.uses.entry(tracked.key).or_default().mark(day);
        }
    }
    // No page's clock makes its answer the last one.
    let at = if event.is_trusted() { at } else { at.min(event.received_at.as_microsecond()) };
    for (survey, points) in occurrence.answers() {
        let latest = state.answer_mut(survey);
        *latest = (*latest).max(Some(Answer { at, points }));
    }
    if let Some(sentiment) = occurrence.sentiment() {
        state.mood.add(month_of(event.timestamp), sentiment);
    } else if occurrence.is_foreign() {
        state.mood.add_foreign(month_of(event.timestamp));
    }
    state.write_traits(event, |_| true);
    write_account(config, state, event);
    if let Some(zone) = context_zone(event) {
        write(&mut state.zone, Register { at, value: zone.name().to_owned() });
    }
    if let Some(movement) = movement(config, event) {
        state.pay(movement);
    }
}

/// Returns the client's time zone, from the call's context or PostHog's properties.
fn context_zone(event: &Event) -> Option<Zone> {
    match event.context.get("timezone").or_else(|| event.properties.get("$timezone"))? {
        serde_json::Value::String(text) => Zone::parse(text).ok(),
        serde_json::Value::Number(number) => Zone::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// Returns whether subscriptions report the milestone, each by itself.
pub(crate) fn is_of_subscriptions(milestone: Milestone) -> bool {
    matches!(milestone, Milestone::Trial | Milestone::Customer | Milestone::Churned)
}
