//! An account: health and readiness with their reasons, its people, its renewal.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::pages::crm;
use crate::pages::list::Chosen;
use crate::read::Read;
use crate::shell::{Frame, Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_charts::chart::spark;
use perennial_domain::{Likelihood, Member, PersonId, Score};
use perennial_views::account::{AccountView, FoundAccount, ReasonView};
use perennial_views::person;
use perennial_views::today::LOW_HEALTH;
use std::collections::{HashMap, HashSet};

/// The displayed names of people.
type Names = HashMap<PersonId, String>;

/// Members of a page.
const MEMBERS: usize = 50;

/// Returns the page of the account with this id.
pub(crate) async fn page(deps: &Deps, frame: Frame<'_>, id: &str, query: &str) -> Result<Page, Failure> {
    let place = Chosen::read(query, &["after"]);
    let after = Some(place.get("after")).filter(|after| !after.is_empty());
    let found = FoundAccount::look_up(&deps.views, id, MEMBERS, after).await?;
    let view = found.view();
    let people = view.reasons.iter().chain(&view.health_reasons).filter_map(|one| one.reason.person);
    let people: HashSet<PersonId> = people.chain(view.members.iter().map(|member| member.person)).collect();
    let names = person::names(&deps.views, &people).await?;
    let title = view.traits.get("name").and_then(|name| name.as_str()).unwrap_or(id).to_owned();
    let body = html! {
        p.lead {
            @if title != view.id.as_str() { span.mute { (ui::foreign(view.id.as_str())) } " " }
            (ui::tag(Tone::Plain, words::touch(view.touch))) " "
            @if let Some(owner) = &view.owner { span.mute { "owner " (ui::foreign(owner)) } " " }
            @for domain in view.domains { span.mute { (ui::foreign(domain.as_str())) } " " }
        }
        div.grid.four { (figures(&view)) }
        div.grid.two.even {
            section.card { h2 { "Why health is " @if let Some(health) = view.health { (health.get()) }
                @else { "unknown" } } (reasons("Health", view.health, &view.health_reasons, &names)) }
            section.card { h2 { "Why readiness to buy is " (view.score.get()) }
                (reasons("Readiness to buy", Some(view.score), &view.reasons, &names)) }
        }
        section.card { h2 { "People" } (members(&view, &names, after.is_some())) }
        div.grid.two.even {
            section.card { h2 { "Subscriptions" } (subscriptions(&view)) }
            section.card { h2 { "Updates of the CRM" } (crm::shown(view.crm, view.now)) }
        }
        section.card { h2 { "Traits" } (traits(&view)) }
    };
    let beside = html! {
        @if let Some(stage) = view.stage { (ui::stage(stage)) " " }
        @if view.ready { (ui::tag(Tone::Good, "ready for a talk")) " " }
        @if frame.visitor.is_local {
            a.btn href=(url::path(&["api", "accounts", view.id.as_str()])) { "As JSON" } }
    };
    // An account of one person may have their mail address for an id.
    let noted = if view.id.as_str().contains('@') { "hidden" } else { view.id.as_str() };
    let mut people: Vec<PersonId> = people.into_iter().collect();
    people.sort_unstable();
    let mut read = Read::of(url::path(&["accounts", noted]), people);
    // The account itself.
    read.rows = read.rows.max(1);
    Ok(Page::new(Section::Accounts, title, view.now, body).beside(beside).reads(read))
}

fn figures(view: &AccountView<'_>) -> Markup {
    let health: Vec<u8> = view.trend.iter().filter_map(|point| point.health).map(Score::get).collect();
    let score: Vec<u8> = view.trend.iter().map(|point| point.score.get()).collect();
    let is_low = view.health.is_some_and(|health| health.get() <= LOW_HEALTH);
    let shown = |score: Option<Score>| score.map_or_else(|| "–".to_owned(), |score| score.get().to_string());
    let value = view.value.as_ref().map_or_else(|| "–".to_owned(), |value| words::money(value.minor, value.currency));
    let renews = view.renews_at.map_or_else(|| "–".to_owned(), |at| words::distance(at, view.now));
    html! {
        (ui::figure("Health", &shown(view.health), &html! { @if view.health.is_none() { span.mute { "nobody pays" } }
            @else { (spark(&health, is_low)) } }))
        (ui::figure("Ready to buy", &shown(Some(view.score)), &html! { (spark(&score, false)) }))
        (ui::figure("Value a year", &value, &html! {
            span.mute { (words::counted(view.people.into(), "person", "people")) } }))
        (ui::figure("Renews", &renews, &html! { span.mute {
            @if let Some(at) = view.renews_at { (ui::time(at, view.now)) ", " }
            (words::counted(view.renewals.into(), "renewal", "renewals")) " so far" } }))
    }
}

fn reasons(label: &str, value: Option<Score>, reasons: &[ReasonView<'_>], names: &Names) -> Markup {
    let Some(value) = value else {
        return html! { p.mute { "Health is about customers: nobody of this account pays." } };
    };
    if reasons.is_empty() {
        return html! { p.mute { "Nothing counts for it yet." } };
    }
    let sum: f64 = reasons.iter().map(|one| one.reason.points).sum();
    let rounding = f64::from(value.get()) - sum;
    html! {
        (ui::table(label, &html! {
            thead { tr { th scope="col" { "Who" } th scope="col" { "Because" } th.n scope="col" { "Points" } } }
            tbody { @for one in reasons {
                tr {
                    td {
                        @match one.reason.person {
                            Some(of) => { @let id = of.to_string();
                                (ui::person(&id, names.get(&of).map_or(&id, |name| name))) },
                            None => { @if one.reason.people >
                                0 { (words::counted(one.reason.people.into(), "person", "people")) } },
                        }
                    }
                    td { (one.text) }
                    td.n { (words::signed(one.reason.points)) }
                }
            }
            @if rounding.abs() >= 0.05 { tr { td {} td.mute { "rounded to a whole number" }
                td.n { (words::signed(rounding)) } } } }
            tfoot { tr { th scope="row" colspan="2" { "In all" } td.n { b { (value.get()) } } } }
        }))
    }
}

fn members(view: &AccountView<'_>, names: &Names, is_later: bool) -> Markup {
    if view.members.is_empty() {
        return html! { p.mute { "Nobody belongs to it." } };
    }
    let mut members: Vec<&Member> = view.members.iter().collect();
    let influence = |member: &Member| member.scores.get(&Likelihood::InfluenceInside).copied().unwrap_or_default();
    members.sort_by_key(|member| (std::cmp::Reverse(influence(member)), member.person));
    let here = url::path(&["accounts", view.id.as_str()]);
    let next = view.next.map(|after| url::query(&here, &[("after", after)]));
    html! {
        (ui::table("People by influence", &html! {
            thead { tr { th scope="col" { "Person" } th scope="col" { "Stage" } th scope="col" { "Persona" }
                th.n scope="col" { "Influence inside" } th.n scope="col" { "Churn" } th.n scope="col" { "Engagement" }
                th scope="col" { "Last seen" } } }
            tbody { @for member in &members {
                @let id = member.person.to_string();
                tr {
                    td { (ui::person(&id, names.get(&member.person).map_or(&id, |name| name)))
                        @if member.elsewhere { br; span.mute.small { "their scores count in another account" } } }
                    td { (ui::stage(member.stage)) }
                    td { @for persona in &member.personas { (ui::tag(Tone::Plain, &words::plain(persona))) " " } }
                    td.n { (ui::score(Some(influence(member)), false)) }
                    td.n { (ui::score(member.scores.get(&Likelihood::Churn).copied(), true)) }
                    td.n { (ui::score(Some(member.engagement), false)) }
                    td { (ui::ago(member.last_seen, view.now)) }
                }
            } }
        }))
        (ui::pager(is_later.then_some(here.as_str()), next.as_deref()))
    }
}

fn subscriptions(view: &AccountView<'_>) -> Markup {
    if view.subscriptions.is_empty() {
        return html! { p.mute { "None was reported." } };
    }
    ui::table(
        "Subscriptions",
        &html! {
            thead { tr { th scope="col" { "Plan" } th scope="col" { "State" } th.n scope="col" { "Price" }
                th.n scope="col" { "Seats" } th scope="col" { "Renews" } } }
            tbody { @for one in &view.subscriptions {
                tr {
                    td { @if let Some(plan) = &one.plan { (ui::foreign(plan)) } @else { span.mute { "–" } } }
                    td { (words::plain(one.is)) @if one.cancels { " " (ui::tag(Tone::Warn, "ends with its period")) } }
                    td.n { @if let Some(price) = one.price { (words::money(price.minor, price.currency)) } }
                    td.n { @if let Some(quantity) = one.quantity { (quantity) } }
                    td { @if let Some(at) = one.renews_at { (ui::ago(Some(at), view.now)) }
                        @else { span.mute { "–" } } }
                }
            } }
        },
    )
}

fn traits(view: &AccountView<'_>) -> Markup {
    if view.traits.is_empty() {
        return html! { p.mute { "None are known." } };
    }
    html! { dl { @for (name, value) in &view.traits { dt { (ui::foreign(name)) }
    dd { (ui::value(value)) } } } }
}
