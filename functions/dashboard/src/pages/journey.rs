//! A journey: what starts it, its steps as a graph, what became of its messages, and each message as a reader gets it.

mod graph;

use crate::answer::Failure;
use crate::deps::Deps;
use crate::pages::journeys::count;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::words::{self, Fate};
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_config::journeys::{Journey, Wait};
use perennial_store::messages::MessageState;
use perennial_views::ViewError;
use perennial_views::journey_list::{self, JourneyView};
use perennial_views::play::{self, Answer, Fate as Played, Request};
use std::collections::BTreeMap;

/// Returns the page of the journey with this name.
pub(crate) async fn page(deps: &Deps, id: &str) -> Result<Page, Failure> {
    let config = deps.views.config.current().await;
    let journey = config.journeys.named(id).ok_or_else(|| Failure::NotFound("no journey has this name".to_owned()))?;
    let all = journey_list::list(&deps.views).await?;
    let view = all.journeys.iter().find(|view| view.name == journey.id);
    let (_, totals) = deps.views.status.look_and_count(&deps.views.store, all.now).await?;
    let states = totals.map(|(_, totals)| totals.journeys.get(id).cloned().unwrap_or_default()).unwrap_or_default();
    let paused = deps.views.store.paused_journeys().await?.into_iter().any(|paused| paused.journey == id);
    let played = played(deps, id).await?;
    let body = html! {
        @if !journey.description.is_empty() { p.lead { (words::sentence(&journey.description)) } }
        @if paused { (ui::note(Tone::Warn, &html! { b { "Paused. " }
            "Too many of its mails bounced or were reported as spam. " a href="/operations" { "Resume it" }
            " once the cause is fixed." })) }
        div.grid.four { (figures(view, &states)) }
        div.grid.two {
            section.card { h2 { "Steps" } (graph::shown(&config, journey)) }
            div.stack {
                section.card { h2 { "Rules" } (rules(&config, journey, view)) }
                section.card { h2 { "What became of its messages" } (outcomes(&states)) }
            }
        }
        section.card { h2 { "As a reader gets it" } (as_read(&played)) }
    };
    let beside = html! { span.mute { "Counted " (ui::ago(Some(all.counted_at), all.now)) } };
    Ok(Page::new(Section::Journeys, words::capital(&words::plain(id)), all.now, body).beside(beside))
}

/// Plays the journey for an invented person; `None` if it cannot be played for one.
async fn played(deps: &Deps, id: &str) -> Result<Result<Answer, String>, Failure> {
    match play::test(&deps.views, id, &Request::default()).await {
        Ok(answer) => Ok(Ok(answer)),
        Err(ViewError::Invalid(why) | ViewError::Unknown(why)) => Ok(Err(why)),
        Err(error) => Err(error.into()),
    }
}

fn figures(view: Option<&JourneyView>, states: &BTreeMap<String, BTreeMap<String, u64>>) -> Markup {
    let sum = |wanted: Fate| -> u64 {
        states.values().flatten().filter(|(name, _)| fate_of(name) == Some(wanted)).map(|(_, count)| *count).sum()
    };
    let (entered, under_way, reached) =
        view.map_or((None, None, None), |view| (view.entered, view.under_way, view.reached));
    let rate = match (reached, entered) {
        (Some(reached), Some(entered @ 1..)) => words::percent(reached as i64, entered as i64),
        _ => String::new(),
    };
    html! {
        (ui::figure("Entered", &count(entered), &html! { span.mute { "people, ever" } }))
        (ui::figure("In progress", &count(under_way), &html! { span.mute { "waiting at a step" } }))
        (ui::figure("Goal reached", &count(reached), &html! { span.mute { (rate) } }))
        (ui::figure("Messages sent", &words::number(sum(Fate::Sent)), &html! {
            span.mute { (words::number(sum(Fate::Withheld))) " withheld · " (words::number(sum(Fate::Failed)))
            " failed" } }))
    }
}

fn fate_of(state: &str) -> Option<Fate> {
    MessageState::ALL.into_iter().find(|own| own.as_str() == state).map(words::fate)
}

fn rules(config: &perennial_config::Config, journey: &Journey, view: Option<&JourneyView>) -> Markup {
    let condition = |source: &str| source.split_whitespace().collect::<Vec<_>>().join(" ");
    html! {
        dl {
            dt { "Starts when" } dd { (perennial_engine::play::words::trigger(config, journey)) }
            @if let Some(when) = &journey.when { dt { "and if" } dd.mono { (condition(when.source())) } }
            @if !journey.stages.is_empty() { dt { "For stages" }
                dd { @for stage in &journey.stages { (ui::stage(*stage)) " " } } }
            @if let Some(view) = view { dt { "Again" } dd { (view.reentry) } }
            @if let Some(goal) = &journey.goal { dt { "Goal" }
                dd { (ui::foreign(&condition(&goal.by.to_string())))
                span.mute { " within " (goal.within_days) " days" } } }
            @if let Some(exit) = &journey.exit { dt { "Leaves when" } dd.mono { (condition(exit.source())) } }
            @if journey.holdout > 0 { dt { "Holdout" }
                dd { (journey.holdout) " % get nothing, to measure what it changes" } }
            dt { "Messages" } dd { "sent within " (journey.max_age_days) " days, else dropped" }
            @if journey.essential { dt { "Limits" } dd { "none: it is essential" } }
        }
    }
}

fn outcomes(states: &BTreeMap<String, BTreeMap<String, u64>>) -> Markup {
    if states.is_empty() {
        return html! { p.mute { "It has sent nothing yet." } };
    }
    ui::table(
        "Messages by state",
        &html! {
            thead { tr { th scope="col" { "Channel" } th scope="col" { "State" } th.n scope="col" { "Messages" } } }
            tbody { @for (channel, states) in states { @for (name, count) in states {
                tr { td { (words::capital(&words::plain(channel))) } td { (state_words(name)) }
                    td.n { (words::number(*count)) } }
            } } }
        },
    )
}

/// Returns a stored state in words; one of a newer version as it is.
fn state_words(name: &str) -> String {
    let state = MessageState::ALL.into_iter().find(|state| state.as_str() == name);
    state.map_or_else(|| words::plain(name), |state| words::state(state).to_owned())
}

fn as_read(played: &Result<Answer, String>) -> Markup {
    let answer = match played {
        Ok(answer) => answer,
        Err(why) => return html! { p.mute { (words::sentence(why)) } },
    };
    let messages: Vec<_> = answer.steps.iter().filter_map(|step| Some((step, step.message.as_ref()?))).collect();
    html! {
        p.mute { "Played for an invented person of the stage " (words::stage(answer.person.stage)) ", over "
            (words::counted((answer.until.as_second() - answer.from.as_second()).unsigned_abs() / 86_400, "day",
            "days")) ". Another person may take other branches: " code { "perennial journey test " (answer.journey) }
            "." }
        @if let Some(why) = &answer.why_not { (ui::note(Tone::Warn, &html! { "They would not enter: " (why) "." })) }
        @if messages.is_empty() { p.mute { "No message is decided on this way." } }
        @for (step, message) in messages {
            article.message {
                h3 { (words::capital(words::channel(message.channel))) " " code { (message.template) }
                    @if let Some(id) = &step.step { span.mute { " at step " (id) } }
                    @if message.fate != Played::Sent { " "
                        (ui::tag(Tone::Warn, message.why.as_deref().unwrap_or("not sent"))) }
                }
                p.small.mute { (later(step.at, answer.from))
                    @if let Some(to) = &message.to { " · to " (ui::foreign(to)) }
                    @if let Some(endpoint) = &message.endpoint { " · to " code { (endpoint) } } }
                @if let Some(subject) = &message.subject { p { b { (ui::foreign(subject)) } } }
                @if let Some(text) = &message.text { pre.text tabindex="0" role="group" aria-label="The message as text" { (text) } }
                @if !message.empty.is_empty() { p.small.mute { "Empty for this person: "
                    @for (at, one) in message.empty.iter().enumerate() { @if at > 0 { ", " } code { (one) } } } }
            }
        }
    }
}

/// Returns how long after the start of a play something happens.
fn later(at: Timestamp, from: Timestamp) -> String {
    match words::distance(at, from).strip_prefix("in ") {
        Some(distance) => format!("after {distance}"),
        None => "at once".to_owned(),
    }
}

/// Returns a wait in words.
fn wait(wait: &Wait) -> String {
    match wait {
        Wait::For { seconds } => format!("waits {}", duration(*seconds)),
        Wait::Until { time, weekdays } if weekdays.is_empty() => format!("waits until {}", time.strftime("%H:%M")),
        Wait::Until { time, weekdays } => {
            let days: Vec<String> = weekdays.iter().map(|day| format!("{day:?}")).collect();
            format!("waits until {} on {}", time.strftime("%H:%M"), days.join(", "))
        }
        Wait::Event { events, seconds, .. } => {
            let names: Vec<String> = events.iter().map(|event| format!("“{event}”")).collect();
            format!("waits for {}, at most {}", names.join(" or "), duration(*seconds))
        }
    }
}

/// Returns a number of seconds in its largest whole unit.
fn duration(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match () {
        () if seconds.is_multiple_of(86_400) => words::counted(seconds / 86_400, "day", "days"),
        () if seconds.is_multiple_of(3_600) => words::counted(seconds / 3_600, "hour", "hours"),
        () => words::counted(seconds / 60, "minute", "minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_of_the_start_comes_at_once() {
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        assert_eq!(later(at(10), at(10)), "at once");
        assert_eq!(later(at(7_210), at(10)), "after 2 hours");
    }

    #[test]
    fn durations_are_in_their_largest_whole_unit() {
        assert_eq!([60, 3_600, 90_000, 172_800].map(duration), ["1 minute", "1 hour", "25 hours", "2 days"]);
    }
}
