//! The parts that the lists of people and of accounts share: filters, places and files.

use crate::answer::{self, Failure};
use crate::form::decode;
use crate::url;
use crate::words;
use http::Response;
use lambda_http::Body;
use maud::{Markup, html};
use perennial_views::lists::{Columns, table};
use serde::Serialize;
use serde_json::Value;

/// The rows of a page.
const ROWS: &str = "50";
/// The rows of a file.
const ROWS_OF_FILE: &str = "1000";

/// The values of the filters in a query.
pub(super) struct Chosen(Vec<(&'static str, String)>);

impl Chosen {
    pub(super) fn read(query: &str, filters: &[&'static str]) -> Self {
        let value = |name: &&'static str| {
            let pair = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(own, _)| own == name);
            (*name, pair.and_then(|(_, value)| decode(value)).unwrap_or_default().trim().to_owned())
        };
        Self(filters.iter().map(value).collect())
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// Returns whether any filter is set.
    pub(super) fn any(&self) -> bool {
        self.0.iter().any(|(_, value)| !value.is_empty())
    }

    /// Returns the address of a list with these filters and others.
    pub(super) fn url(&self, path: &str, others: &[(&str, &str)]) -> String {
        let own = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        url::query(path, &own.chain(others.iter().copied()).collect::<Vec<_>>())
    }

    /// Returns the address of a list or file for the audit log: what a visitor searched for may be a name or a mail address,
    /// and is left out.
    pub(super) fn noted(&self, path: &str, is_file: bool) -> String {
        let shown = |(name, value): &'_ (&'static str, String)| {
            let is_hidden = !value.is_empty() && matches!(*name, "search" | "owner");
            (*name, if is_hidden { "hidden".to_owned() } else { value.clone() })
        };
        let own: Vec<(&str, String)> = self.0.iter().map(shown).collect();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let file = is_file.then_some(("format", "csv"));
        url::query(path, &own.chain(file).collect::<Vec<_>>())
    }

    /// Returns the query of a list with these filters and others.
    pub(super) fn query(&self, others: &[(&str, &str)]) -> String {
        self.url("", others).trim_start_matches('?').to_owned()
    }
}

/// The place in a list, and its form.
pub(super) struct Place {
    cursor: String,
    /// `true` for a file instead of a page.
    pub(super) is_file: bool,
}

impl Place {
    pub(super) fn read(query: &str) -> Self {
        let read = Chosen::read(query, &["cursor", "format"]);
        Self { cursor: read.get("cursor").to_owned(), is_file: read.get("format") == "csv" }
    }

    /// Returns whether it is not the first page.
    pub(super) fn is_later(&self) -> bool {
        !self.cursor.is_empty()
    }

    /// Returns the query of the list from here on, with these filters.
    pub(super) fn query(&self, chosen: &Chosen) -> String {
        let limit = if self.is_file { ROWS_OF_FILE } else { ROWS };
        chosen.query(&[("limit", limit), ("cursor", &self.cursor)])
    }
}

/// Answers with a file of rows.
pub(super) fn file<R: Serialize>(name: &str, columns: &Columns, rows: &[R]) -> Result<Response<Body>, Failure> {
    let rows = rows.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
    Ok(answer::csv(name, table(columns, &rows.map_err(|error| Failure::Internal(error.to_string()))?)))
}

/// Returns a field to choose one of several values.
pub(super) fn choice(name: &str, label: &str, all: &str, chosen: &str, options: &[(String, String)]) -> Markup {
    html! {
        label { span { (label) }
            select name=(name) {
                option value="" selected[chosen.is_empty()] { (all) }
                @for (value, shown) in options { option value=(value) selected[value == chosen] { (shown) } }
            }
        }
    }
}

/// Returns the options of names that are their own labels, but for underscores.
pub(super) fn plain_options<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    names.into_iter().map(|name| (name.to_owned(), words::plain(name))).collect()
}

/// Returns the last fields of a form: the owner, a score with its range, and the order. `path` is that of the list.
pub(super) fn owner_and_score(chosen: &Chosen, path: &str, scores: &[(String, String)]) -> Markup {
    let sorts = [("highest", "highest score first"), ("lowest", "lowest score first")];
    let sorts = sorts.map(|(value, shown)| (value.to_owned(), shown.to_owned()));
    html! {
        label { span { "Owner" } input type="text" name="owner" value=(chosen.get("owner")) placeholder="anybody"; }
        (choice("score", "Score", "any score", chosen.get("score"), scores))
        label.short { span { "From" } input type="number" name="min" min="0" max="100" value=(chosen.get("min"))
            placeholder="0"; }
        label.short { span { "To" } input type="number" name="max" min="0" max="100" value=(chosen.get("max"))
            placeholder="100"; }
        (choice("sort", "Order", "any order", chosen.get("sort"), &sorts))
        button.btn.p { "Show" }
        @if chosen.any() { a.btn href=(path) { "Clear" } }
    }
}
