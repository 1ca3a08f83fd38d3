//! The list of accounts.

use super::list::{self, Chosen, Place, choice, plain_options};
use crate::answer::{Failure, Shown};
use crate::deps::Deps;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::words;
use http::StatusCode;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_domain::{Stage, Touch};
use perennial_engine::account::listing::AccountScale;
use perennial_views::lists::{self, ACCOUNTS, AccountRow};

/// The parameters of the form, in its order.
const FILTERS: [&str; 8] = ["search", "stage", "touch", "owner", "score", "min", "max", "sort"];

/// Answers with a page of accounts, or with a file of them.
pub(crate) async fn answer(deps: &Deps, query: &str) -> Result<Shown<Page>, Failure> {
    let chosen = Chosen::read(query, &FILTERS);
    let place = Place::read(query);
    let page = lists::accounts(&deps.views, &place.query(&chosen)).await;
    if place.is_file {
        let rows = page?.rows;
        let file = list::file("accounts", &ACCOUNTS, &rows)?;
        return Ok(Shown::File(file, Some(Read::rows(chosen.noted("/accounts", true), rows.len()))));
    }
    let now = deps.views.clock.now();
    let (found, status, read) = match page.map_err(Failure::from) {
        Ok(page) => {
            let read = Some(Read::rows(chosen.noted("/accounts", false), page.rows.len()));
            let found = found(&chosen, &page.rows, page.next.as_deref(), place.is_later(), now);
            (html! { (ui::unreadable(page.unreadable, "account", "accounts")) (found) }, StatusCode::OK, read)
        }
        Err(Failure::Wrong(why)) => {
            (ui::note(Tone::Warn, &html! { (words::sentence(&why)) }), StatusCode::BAD_REQUEST, None)
        }
        Err(other) => return Err(other),
    };
    let body = html! { (filters(&chosen)) (found) };
    let beside = html! { a.btn href=(chosen.url("/accounts", &[("format", "csv")])) { "Download CSV" } };
    let page = Page { read, ..Page::new(Section::Accounts, "Accounts", now, body) };
    Ok(Shown::Page(page.beside(beside).status(status)))
}

fn filters(chosen: &Chosen) -> Markup {
    let stages = plain_options(Stage::ALL.map(Stage::as_str));
    let touches = plain_options([Touch::High, Touch::Low, Touch::None].map(Touch::as_str));
    let scores = plain_options(AccountScale::ALL.map(AccountScale::as_str));
    html! {
        form.filters action="/accounts" {
            label.wide { span { "Search" }
                input type="search" name="search" value=(chosen.get("search")) placeholder="Name or id"; }
            (choice("stage", "Stage", "any stage", chosen.get("stage"), &stages))
            (choice("touch", "Touch", "any touch", chosen.get("touch"), &touches))
            (list::owner_and_score(chosen, "/accounts", &scores))
        }
    }
}

fn found(chosen: &Chosen, rows: &[AccountRow], next: Option<&str>, is_later: bool, now: Timestamp) -> Markup {
    let next_page = next.map(|cursor| chosen.url("/accounts", &[("cursor", cursor)]));
    let first_page = is_later.then(|| chosen.url("/accounts", &[]));
    html! {
        @if rows.is_empty() && next.is_none() {
            @if chosen.any() {
                (ui::empty("No account matches", &html! { "Loosen a filter, or "
                    a href="/accounts" { "show all accounts" } "." }))
            } @else {
                (ui::empty("There are no accounts yet", &html! { "An account appears when a " code { "group" }
                    " call or a company's mail domain names it." }))
            }
        } @else {
            (ui::table("Accounts", &html! {
                thead { tr {
                    th scope="col" { "Account" } th scope="col" { "Stage" } th.n scope="col" { "Value a year" }
                        th.n scope="col" { "Health" } th.n scope="col" { "Ready to buy" }
                    th.n scope="col" { "People" } th scope="col" { "Renews" } th scope="col" { "Last seen" }
                        th scope="col" { "Owner" }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (ui::account(row.id.as_str(), row.name.as_deref()))
                                @if row.name.is_some() { br; span.mute.small { (ui::foreign(row.id.as_str())) } } }
                            td { @if let Some(stage) = row.stage { (ui::stage(stage)) } }
                            td.n { @if let (Some(value), Some(currency)) = (row.value,
                                row.currency) { (words::money(value, currency)) } @else { span.mute { "–" } } }
                            td.n { (ui::score(row.health, row.health.is_some_and(|health| health.get() < 40))) }
                            td.n { (ui::score(Some(row.readiness), false)) }
                            td.n { (words::number(row.people.into())) }
                            td { @if let Some(at) = row.renews_at { (ui::ago(Some(at), now)) }
                                @else { span.mute { "–" } } }
                            td { (ui::ago(row.last_seen, now)) }
                            td { @if let Some(owner) = &row.owner { (ui::foreign(owner)) }
                                @else { span.mute { (words::touch(row.touch)) } } }
                        }
                    }
                }
            }))
        }
        (ui::pager(first_page.as_deref(), next_page.as_deref()))
    }
}
