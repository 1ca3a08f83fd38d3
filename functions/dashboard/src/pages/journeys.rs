//! The list of journeys.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_domain::Channel;
use perennial_views::journey_list::{self, JourneyView, Journeys};

/// Returns the page.
pub(crate) async fn page(deps: &Deps) -> Result<Page, Failure> {
    let all = journey_list::list(&deps.views).await?;
    let paused = deps.views.store.paused_journeys().await?;
    let is_paused = |name: &str| paused.iter().any(|paused| paused.journey == name);
    let body = html! {
        @if all.journeys.is_empty() {
            (ui::empty("There are no journeys", &html! { code { "journeys.toml" } " of the configuration has none." }))
        } @else { (table(&all, &is_paused)) }
    };
    let beside = html! { span.mute { "Counted " (ui::ago(Some(all.counted_at), all.now)) " over "
    (words::counted(all.people, "person", "people")) } };
    Ok(Page::new(Section::Journeys, "Journeys", all.now, body).beside(beside))
}

fn table(all: &Journeys, is_paused: &dyn Fn(&str) -> bool) -> Markup {
    ui::table(
        "Journeys",
        &html! {
            thead { tr { th scope="col" { "Journey" } th scope="col" { "Starts when" } th.n scope="col" { "Entered" }
                th.n scope="col" { "In progress" } th.n scope="col" { "Goal reached" } th scope="col" { "Sends" } } }
            tbody { @for journey in &all.journeys {
                tr {
                    td { a href=(url::path(&["journeys", &journey.name])) {
                        (words::capital(&words::plain(&journey.name))) }
                        @if is_paused(&journey.name) { " " (ui::tag(Tone::Warn, "paused")) }
                        @if !journey.description.is_empty() { br; span.mute.small { (journey.description) } } }
                    td { (journey.trigger) @if !journey.stages.is_empty() { br;
                        span.mute.small { "for " (stages(journey)) } } }
                    td.n { (count(journey.entered)) }
                    td.n { (count(journey.under_way)) }
                    td.n { (count(journey.reached))
                        @if let (Some(reached), Some(entered @ 1..)) = (journey.reached, journey.entered) { br;
                        span.mute.small { (words::percent(reached as i64, entered as i64)) } } }
                    td.small { (sends(journey)) }
                }
            } }
        },
    )
}

/// Returns the kinds of messages that a journey may send, with their numbers.
fn sends(journey: &JourneyView) -> String {
    let of = |channel: Channel| journey.messages.iter().filter(|message| message.channel == channel).count() as u64;
    let kinds = [
        (Channel::Mail, "mail", "mails"),
        (Channel::InApp, "in-app message", "in-app messages"),
        (Channel::Webhook, "task or webhook", "tasks or webhooks"),
    ];
    let counted = kinds.into_iter().filter(|(channel, ..)| of(*channel) > 0);
    let counted: Vec<String> = counted.map(|(channel, one, many)| words::counted(of(channel), one, many)).collect();
    counted.join(", ")
}

fn stages(journey: &JourneyView) -> String {
    let all: Vec<String> = journey.stages.iter().map(|stage| words::stage(*stage)).collect();
    all.join(", ")
}

/// Returns a count; a dash if it is not known yet.
pub(super) fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "–".to_owned(), words::number)
}
