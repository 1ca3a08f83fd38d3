//! Operations: queues and dead letters, sweeps, the configuration, paused journeys, rejects.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::pages::list::Chosen;
use crate::read::Read;
use crate::shell::{Frame, Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use futures::future::try_join;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_views::rejects::{self, RejectsView};
use perennial_views::status::{self, StatusView};

/// Rejects of a page.
const REJECTS: usize = 20;

/// Returns the page.
pub(crate) async fn page(deps: &Deps, frame: Frame<'_>, query: &str) -> Result<Page, Failure> {
    let place = Chosen::read(query, &["after", "done", "journey", "queue", "moved", "more"]);
    let after = Some(place.get("after")).filter(|after| !after.is_empty());
    let (status, rejects) = try_join(status::show(&deps.views), rejects::list(&deps.views, REJECTS, after)).await?;
    let now = status.now;
    let body = html! {
        @if place.get("done") == "resume" {
            (ui::note(Tone::Good, &html! { b { "Resumed: " }
                (ui::foreign(&words::plain(place.get("journey"))))
                ". The results of its mails are counted from now; it sends again within a minute." }))
        }
        @if let (true, Ok(moved), true) = (place.get("done") == "redrive", place.get("moved").parse::<u64>(),
            status.queues.contains_key(place.get("queue"))) {
            (ui::note(Tone::Good, &html! { b { (words::number(moved)) " dead letters" }
                " went back to the queue " (ui::foreign(place.get("queue"))) "."
                @if !place.get("more").is_empty() { " There may be more: redrive once more." } }))
        }
        section.card { h2 { "Queues" } (queues(&status, frame)) }
        div.grid.two.even {
            section.card { h2 { "Configuration" } (configuration(&status)) }
            section.card { h2 { "Sweeps" } (sweeps(&status)) }
        }
        @if !status.paused_journeys.is_empty() { section.card { h2 { "Paused journeys" } (paused(&status, frame)) } }
        section.card { h2 { "Rejected events" } (rejected(&rejects, after.is_some(), now)) }
    };
    let beside = html! {
        @if status.idle { (ui::tag(Tone::Good, "idle")) } @else { (ui::tag(Tone::Plain, "work is in progress")) }
    };
    let page = Page::new(Section::Operations, "Operations", now, body).beside(beside);
    // A rejected event says what somebody sent about somebody.
    Ok(page.reads(Read::rows("/operations", rejects.rejects.len())))
}

fn queues(status: &StatusView, frame: Frame<'_>) -> Markup {
    let dead: u64 = status.queues.values().map(|queue| queue.dlq).sum();
    let may_act = frame.visitor.role.may_act();
    html! {
        (ui::table("Queues", &html! {
            thead { tr { th scope="col" { "Queue" } th.n scope="col" { "Waiting" }
                th.n scope="col" { "Being worked on" } th.n scope="col" { "Delayed" }
                th.n scope="col" { "Dead letters" } @if dead > 0 && may_act { th scope="col" { span.hidden { "Redrive" } } } } }
            tbody { @for (name, queue) in &status.queues {
                tr { th scope="row" { (words::plain(name)) } td.n { (words::number(queue.depth)) }
                    td.n { (words::number(queue.in_flight)) } td.n { (words::number(queue.delayed)) }
                    td.n { @if queue.dlq > 0 { (ui::tag(Tone::Bad, &words::number(queue.dlq))) } @else { "0" } }
                    @if dead > 0 && may_act { td { @if queue.dlq >
                        0 { form method="post" action=(url::path(&["operations", "queues", name, "redrive"])) {
                        input type="hidden" name="token" value=(frame.token); button.btn { "Redrive" } } } } } }
            } }
        }))
        @if dead > 0 {
            p { "A dead letter exhausted its retries, and stays for 14 days. Find the cause in the function's log, fix it, then redrive them; " code { "perennial redrive" } " does the same. To redrive a message twice is harmless." }
        }
    }
}

fn configuration(status: &StatusView) -> Markup {
    html! {
        @match &status.in_force {
            None => p.mute { "None is active." },
            Some(active) => dl {
                dt { "Active" } dd { code { (active.version.as_str()) }
                    @if active.rolled_back { " " (ui::tag(Tone::Warn, "by a rollback")) } }
                dt { "Since" } dd { (ui::time(active.since, status.now)) }
                dt { "Before" } dd { @match &active.previous { Some(previous) => code { (previous.as_str()) },
                    None => span.mute { "none" } } }
                @if active.version != status.config { dt { "Here" }
                    dd { code { (status.config.as_str()) }
                    " " span.mute { "until this instance reads the new one, within a minute" } } }
            },
        }
        @if let Some(totals) = &status.totals {
            dl {
                dt { "Events" } dd { (words::number(totals.events.accepted)) " counted · "
                    (words::number(totals.events.duplicates)) " repeated · " (words::number(totals.events.rejected))
                    " rejected" }
                dt { "Profiles" } dd { (words::number(totals.profiles))
                    @if totals.unlinked_ids > 0 { " · " (words::number(totals.unlinked_ids))
                    " ids that are not linked yet" } }
                dt { "Accounts" } dd { (words::number(totals.accounts)) }
                @if totals.unreadable > 0 { dt { "Unreadable" }
                    dd { (ui::tag(Tone::Bad, &words::counted(totals.unreadable, "item", "items"))) } }
            }
        }
    }
}

fn sweeps(status: &StatusView) -> Markup {
    if status.sweeps.is_empty() {
        return html! { p.mute { "None has run within a week." } };
    }
    ui::table(
        "Sweeps",
        &html! {
            thead { tr { th scope="col" { "Began" } th.n scope="col" { "Took" } th.n scope="col" { "Timers" }
                th scope="col" { "Result" } } }
            tbody { @for sweep in &status.sweeps {
                tr {
                    td { (ui::time(sweep.at, status.now)) }
                    td.n { (words::number(sweep.took_ms)) " ms" }
                    td.n { (words::number(sweep.sent)) }
                    td {
                        @if sweep.failed { (ui::tag(Tone::Bad, "a part failed")) }
                            @else if sweep.unsent > 0 { (ui::tag(Tone::Warn, "some will be sent again")) }
                            @else if sweep.more { (ui::tag(Tone::Plain, "more were due")) }
                            @else { (ui::tag(Tone::Good, "complete")) }
                    }
                }
            } }
        },
    )
}

fn paused(status: &StatusView, frame: Frame<'_>) -> Markup {
    let may_act = frame.visitor.role.may_act();
    ui::table(
        "Paused journeys",
        &html! {
            thead { tr { th scope="col" { "Journey" } th scope="col" { "Since" } th.n scope="col" { "Sent" }
                th.n scope="col" { "Bounced" } th.n scope="col" { "Spam reports" }
                @if may_act { th scope="col" { span.hidden { "Resume" } } } } }
            tbody { @for paused in &status.paused_journeys {
                tr {
                    td { (ui::journey(&paused.journey)) } td { (ui::time(paused.since, status.now)) }
                    td.n { (words::number(paused.tally.sent)) } td.n { (words::number(paused.tally.bounced)) }
                        td.n { (words::number(paused.tally.complained)) }
                    @if may_act { td { form method="post" action=(url::path(&["journeys", &paused.journey, "resume"])) {
                        input type="hidden" name="token" value=(frame.token); button.btn { "Resume" } } } }
                }
            } }
        },
    )
}

fn rejected(rejects: &RejectsView, is_later: bool, now: Timestamp) -> Markup {
    if rejects.rejects.is_empty() && !is_later {
        return ui::empty(
            "Nothing was rejected",
            &html! { "Events that cannot be accepted appear here for 30 days, each with its reason." },
        );
    }
    let next = rejects.next.as_deref().map(|after| url::query("/operations", &[("after", after)]));
    html! {
        (ui::table("Rejected events", &html! {
            thead { tr { th scope="col" { "Received" } th scope="col" { "Source" } th scope="col" { "Why" }
                th scope="col" { "Event" } } }
            tbody { @for reject in &rejects.rejects {
                tr {
                    td { (ui::time(reject.received_at, now)) }
                    td { (reject.source.as_str()) }
                    td { code { (reject.code) } br; (ui::foreign(&reject.reason))
                        @if !reject.path.is_empty() { br;
                        span.mute.small { "at " code { (ui::foreign(&reject.path)) } } }
                        @if !reject.allowed.is_empty() { br;
                        span.mute.small { "allowed: " (ui::foreign(&reject.allowed)) } } }
                    td { details { summary { "Show" } pre { (reject.event) } } }
                }
            } }
        }))
        @if rejects.unreadable > 0 { p.mute { (words::counted(rejects.unreadable, "reject", "rejects"))
            " cannot be read." } }
        (ui::pager(is_later.then_some("/operations"), next.as_deref()))
    }
}
