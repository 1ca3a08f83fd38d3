//! The overview: who needs a colleague today and why, and how the company is.

mod figures;

use crate::answer::Failure;
use crate::deps::Deps;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words::{self, Fate};
use futures::future::try_join;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_charts::chart::{Bar, bars};
use perennial_domain::Stage;
use perennial_store::messages::MessageState;
use perennial_views::status::{StatusView, TotalsView};
use perennial_views::today::{self, AccountCall, PersonCall, Today};
use std::collections::BTreeMap;

/// Returns the page.
pub(crate) async fn page(deps: &Deps) -> Result<Page, Failure> {
    let views = &deps.views;
    let state =
        async { try_join(perennial_views::status::show(views), today::view(views)).await.map_err(Failure::from) };
    let ((status, today), figures) = try_join(state, figures::load(views)).await?;
    let now = status.now;
    let body = html! {
        (attention(&status))
        div.grid.four { @for figure in &figures { (figure) } }
        div.grid.two {
            section.card { h2 { "Needs you today" } (needs(&today, now)) }
            div.stack {
                section.card { h2 { "Stages" } (stages(status.totals.as_ref())) }
                section.card { h2 { "Messages so far" } (messages(status.totals.as_ref())) }
            }
        }
    };
    let beside = html! {
        span.mute { (words::day(now)) " · configuration " code { (status.config.as_str()) } }
    };
    let page = Page::new(Section::Overview, "Overview", now, body).beside(beside);
    let people = today.leaving.iter().map(|call| call.row.id);
    let accounts = today.unhealthy.len() + today.ready.len();
    let mut read = Read::of("/", people);
    read.rows += accounts;
    Ok(page.reads(read))
}

/// Returns notes about what an operator has to look at.
fn attention(status: &StatusView) -> Markup {
    let dead: u64 = status.queues.values().map(|queue| queue.dlq).sum();
    html! {
        @if dead > 0 {
            (ui::note(Tone::Bad, &html! {
                b { (words::counted(dead, "message", "messages")) " exhausted their retries. " }
                a href="/operations" { "See which queue, and redrive them" } "."
            }))
        }
        @for paused in &status.paused_journeys {
            (ui::note(Tone::Warn, &html! {
                b { "Paused: " } (ui::journey(&paused.journey))
                    ". Too many of its mails bounced or were reported as spam. " a href="/operations" { "Resume it" }
                    " once the cause is fixed."
            }))
        }
    }
}

fn needs(today: &Today, now: Timestamp) -> Markup {
    if today.is_empty() {
        return ui::empty(
            "Nobody needs you today",
            &html! {
                "No customer is of low health, no account is ready to buy, and nobody is likely to leave. "
                    a href="/people?score=churn&sort=highest" { "Look at churn" } " anyway."
            },
        );
    }
    html! {
        @if !today.unhealthy.is_empty() {
            h3 { "Customers of low health "
                a.more href=(format!("/accounts?score=health&max={}&sort=lowest", today::LOW_HEALTH)) { "all" } }
            (accounts("Customers of low health", &today.unhealthy, now, true))
        }
        @if !today.ready.is_empty() {
            h3 { "Ready to buy " a.more href="/accounts?score=readiness&sort=highest" { "all" } }
            (accounts("Accounts that are ready to buy", &today.ready, now, false))
        }
        @if !today.leaving.is_empty() {
            h3 { "People who may leave " a.more href=(format!("/people?score=churn&min={}&sort=highest",
                today::HIGH_CHURN)) { "all" } }
            (people("People who may leave", &today.leaving, now))
        }
    }
}

fn accounts(label: &str, calls: &[AccountCall], now: Timestamp, is_health: bool) -> Markup {
    ui::table(
        label,
        &html! {
            thead { tr { th scope="col" { "Account" } th scope="col" { "Why" } th.n scope="col" { "Value a year" }
                th scope="col" { "Owner" } } }
            tbody {
                @for AccountCall { row, because } in calls {
                    tr {
                        td {
                            (ui::account(row.id.as_str(), row.name.as_deref()))
                            @if let Some(at) = row.renews_at.filter(|at| *at > now) { br;
                                span.mute.small { "renews " (ui::ago(Some(at), now)) } }
                        }
                        td {
                            @if is_health {
                                @if let Some(health) = row.health {
                                    (ui::tag(Tone::Bad, &format!("health {}", health.get()))) }
                            } @else {
                                (ui::tag(Tone::Good, &format!("ready {}", row.readiness.get())))
                            }
                            " " (ui::foreign(because))
                        }
                        td.n { @if let (Some(value), Some(currency)) = (row.value,
                            row.currency) { (words::money(value, currency)) } @else { span.mute { "–" } } }
                        td { @if let Some(owner) = &row.owner { (ui::foreign(owner)) } @else { span.mute { "–" } } }
                    }
                }
            }
        },
    )
}

fn people(label: &str, calls: &[PersonCall], now: Timestamp) -> Markup {
    ui::table(
        label,
        &html! {
            thead { tr { th scope="col" { "Person" } th scope="col" { "Why" } th scope="col" { "Last seen" }
                th scope="col" { "Owner" } } }
            tbody {
                @for PersonCall { row, because, .. } in calls {
                    @let id = row.id.to_string();
                    @let name = row.name.as_deref().or(row.email.as_deref()).or(row.identity.as_deref()).unwrap_or(&id);
                    tr {
                        td { (ui::person(&id, name)) @if let Some(account) = &row.account { br;
                            span.small { (ui::account(account.as_str(), row.company.as_deref())) } } }
                        td {
                            @if let Some(churn) = row.scores.get(perennial_domain::Likelihood::Churn) {
                                (ui::tag(Tone::Bad, &format!("churn {}", churn.get()))) }
                            " " (ui::foreign(because))
                        }
                        td { (ui::ago(row.last_seen, now)) }
                        td { @if let Some(owner) = &row.owner { (ui::foreign(owner)) } @else { span.mute { "–" } } }
                    }
                }
            }
        },
    )
}

fn stages(totals: Option<&TotalsView>) -> Markup {
    let Some(totals) = totals else { return not_counted() };
    if totals.profiles == 0 {
        return ui::empty("Nobody yet", &html! { "Stages fill with the first events." });
    }
    let people = |stage: Stage| totals.stages.get(&stage).copied().unwrap_or(0);
    let bar = |stage: Stage| Bar {
        label: words::stage(stage),
        value: people(stage) as f64,
        shown: words::number(people(stage)),
        is_bad: matches!(stage, Stage::AtRisk | Stage::Churned),
    };
    html! {
        @if let Some(drawing) = bars(&Stage::ALL.map(bar)) { (drawing.figure("People by stage")) }
        details { summary { "As a table" }
            (ui::table("People by stage", &html! {
                thead { tr { th scope="col" { "Stage" } th.n scope="col" { "People" } } }
                tbody { @for stage in Stage::ALL {
                    tr { td { a href=(url::query("/people", &[("stage", stage.as_str())])) { (words::stage(stage)) } }
                        td.n { (words::number(people(stage))) } }
                } }
            }))
        }
    }
}

/// Messages of a channel by what became of them.
fn by_fate(states: &BTreeMap<String, u64>, fate: Fate) -> u64 {
    let of = |(name, count): (&String, &u64)| {
        let state = MessageState::ALL.into_iter().find(|state| state.as_str() == name)?;
        (words::fate(state) == fate).then_some(*count)
    };
    states.iter().filter_map(of).sum()
}

fn messages(totals: Option<&TotalsView>) -> Markup {
    let Some(totals) = totals else { return not_counted() };
    if totals.messages == 0 {
        return ui::empty(
            "Nothing was sent yet",
            &html! { "Messages appear here once a journey decides one. " a href="/journeys" { "See the journeys" }
            "." },
        );
    }
    let channels = [("mail", "Mails"), ("in_app", "In-app messages"), ("webhook", "Tasks and webhooks")];
    let none = BTreeMap::new();
    html! {
        (ui::table("Messages by channel", &html! {
            thead { tr { th scope="col" { "Channel" } th.n scope="col" { "Sent" } th.n scope="col" { "Failed" }
                th.n scope="col" { "Withheld" } th.n scope="col" { "Open" } } }
            tbody {
                @for (channel, name) in channels {
                    @let states = totals.messages_by.get(channel).unwrap_or(&none);
                    tr {
                        th scope="row" { (name) }
                        td.n { (words::number(by_fate(states, Fate::Sent))) }
                        td.n { (words::number(by_fate(states, Fate::Failed))) }
                        td.n { (words::number(by_fate(states, Fate::Withheld))) }
                        td.n { (words::number(by_fate(states, Fate::UnderWay))) }
                    }
                }
            }
        }))
    }
}

fn not_counted() -> Markup {
    ui::empty(
        "Not counted yet",
        &html! { "The sweep counts everyone in the background. The first count is through some minutes after the first events." },
    )
}
