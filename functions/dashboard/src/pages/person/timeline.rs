//! The timeline of a person, newest first: event, decision, message, outcome.

use crate::ui;
use crate::words::{self, Fate};
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_engine::play::words::cause;
use perennial_store::messages::MessageState;
use perennial_views::profile::ProfileView;
use perennial_views::trail::MessageView;

/// Entries that are shown at first; the rest can be opened.
const SHOWN: usize = 14;

/// The kind of an entry, which colours its dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dot {
    Event,
    Decision,
    NotSent,
    Goal,
}

struct Entry {
    at: Timestamp,
    dot: Dot,
    text: Markup,
}

/// Returns the timeline.
pub(super) fn shown(view: &ProfileView<'_>) -> Markup {
    let mut entries: Vec<Entry> = Vec::new();
    entries.extend(view.messages.iter().flat_map(message));
    entries.extend(view.stages.iter().map(|moved| Entry {
        at: moved.at,
        dot: Dot::Event,
        text: html! { "Became " (ui::stage(moved.stage)) },
    }));
    entries.extend(view.journeys.iter().filter_map(|journey| {
        let times = if journey.times > 1 { format!(", for the {}", ordinal(journey.times)) } else { String::new() };
        Some(Entry {
            at: journey.entered?,
            dot: Dot::Event,
            text: html! { "Entered " (ui::journey(journey.name)) (times) },
        })
    }));
    entries.extend(view.joins.iter().map(|join| Entry {
        at: join.at,
        dot: Dot::Event,
        text: html! { (ui::foreign(&join.identity)) " was linked with " (ui::foreign(&join.with)) },
    }));
    if let (Some(answer), Some(at)) = (view.nps.answer, view.nps.at) {
        entries.push(Entry { at, dot: Dot::Event, text: html! { "Answered the survey with " b { (answer) } } });
    }
    entries.extend(view.first_seen.map(|at| Entry {
        at,
        dot: Dot::Event,
        text: html! { "Was seen for the first time" },
    }));
    entries.extend(view.last_seen.map(|at| Entry { at, dot: Dot::Event, text: html! { "Was last active" } }));
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    // Every message of a run leads to its goal: the goal is one event.
    entries.dedup_by(|a, b| a.dot == Dot::Goal && b.dot == Dot::Goal && a.at == b.at);
    let ahead = waiting(view);
    html! {
        @if !ahead.is_empty() { ul.tl.ahead {
            @for text in &ahead { li.no { span.at { "next" } i {} span { (text) } } } } }
        @if entries.is_empty() { p.mute { "Nothing is known yet." } }
        (list(entries.get(..SHOWN.min(entries.len())).unwrap_or_default(), view.now))
        @if entries.len() > SHOWN {
            details { summary { "Earlier: " (entries.len() - SHOWN) " more" } (list(&entries[SHOWN..], view.now)) }
        }
    }
}

fn list(entries: &[Entry], now: Timestamp) -> Markup {
    html! {
        ul.tl {
            @for entry in entries {
                @let class = match entry.dot { Dot::Event => "", Dot::Decision => "dec", Dot::NotSent => "no",
                    Dot::Goal => "goal" };
                li class=(class) { span.at { (ui::time(entry.at, now)) } i {} span { (entry.text) } }
            }
        }
    }
}

/// Returns the messages and mails that wait.
fn waiting(view: &ProfileView<'_>) -> Vec<Markup> {
    let turn = view.waiting.iter().map(|waiting| {
        html! { b { (words::capital(words::channel(waiting.message.channel))) }
        " of " (ui::journey(&waiting.message.journey)) " " (waiting.told) }
    });
    let held = view.held.iter().map(|held| {
        html! { b { "Mail" } " of " (ui::journey(held.journey)) " waits for an address, until "
        (ui::time(held.until, view.now)) }
    });
    let runs = view.journeys.iter().filter_map(|journey| {
        let waits = journey.waits.as_ref().filter(|waits| waits.message_waits_for.is_none())?;
        let until = waits.until?;
        Some(html! { (ui::journey(journey.name)) " waits" @if let Some(step) = waits.step { " at " code { (step) } }
        ", until " (ui::time(until, view.now)) " at the latest" })
    });
    turn.chain(held).chain(runs).collect()
}

/// Returns the entry of a message's decision, and that of the goal that followed.
fn message(message: &MessageView) -> Vec<Entry> {
    let record = &message.record;
    let title = record.subject.clone().unwrap_or_else(|| words::plain(&record.template));
    let outcome = states(message);
    let text = html! {
        b { (words::capital(words::channel(record.channel))) } " “" (ui::foreign(&title)) "” " (outcome)
        @if record.test { " " (ui::tag(ui::Tone::Plain, "test")) }
        br;
        span.mute.small {
            "because " (ui::foreign(&cause(&record.cause))) " · " (ui::journey(&record.journey))
            @if let Some(variant) = &record.variant { " · " (ui::foreign(variant)) }
            @if let Some(detail) = &record.detail { " · " (ui::foreign(detail)) }
        }
    };
    let dot = match words::fate(record.state) {
        Fate::Sent | Fate::UnderWay => Dot::Decision,
        Fate::Failed | Fate::Withheld => Dot::NotSent,
    };
    let mut entries = vec![Entry { at: record.decided_at, dot, text }];
    entries.extend(message.led_to.as_ref().map(|goal| Entry {
        at: goal.at,
        dot: Dot::Goal,
        text: html! { b { "Goal" } " of " (ui::journey(&record.journey)) ": " (ui::foreign(&goal.goal)) },
    }));
    entries
}

/// Returns the states that a message came into, in order: "sent, delivered, opened".
fn states(message: &MessageView) -> String {
    let passed = message.record.times.keys().filter(|state| **state != MessageState::Claimed);
    let mut all: Vec<&str> = passed.map(|state| words::state(*state)).collect();
    if all.is_empty() {
        all.push(words::state(message.record.state));
    }
    if message.record.read_at.is_some() {
        all.push("read");
    }
    if message.record.dismissed_at.is_some() {
        all.push("dismissed");
    }
    all.join(", ")
}

fn ordinal(times: u32) -> String {
    let suffix = match (times % 10, times % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{times}{suffix} time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_written_as_people_write_them() {
        let all = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal);
        let expected =
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"].map(|text| format!("{text} time"));
        assert_eq!(all, expected);
    }
}
