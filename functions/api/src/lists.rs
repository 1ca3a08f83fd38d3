//! `GET /api/profiles` and `GET /api/accounts`: lists of people and accounts, filtered, page by page, without a scan.
//!
//! A page walks one index of [`perennial_store::lists`], loads the profiles or accounts that it names, evaluates them now,
//! and keeps those for which all filters hold. So a list is right even where time has changed a profile since it was last
//! evaluated, and a page's cost does not depend on how many profiles there are.

mod accounts;
mod csv;
mod cursor;
mod params;
mod people;
mod walk;

pub use csv::{ACCOUNTS, Columns, PEOPLE, table};

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::{HeaderMap, Response, header};
use lambda_http::Body;
use serde_json::Value;

/// Answers with a page of people.
pub(crate) async fn people(deps: &Deps, query: &str, headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    let form = form(query, headers)?;
    let page = people::page(deps, query).await?;
    respond(form, "people", &PEOPLE, &page)
}

/// Answers with a page of accounts.
pub(crate) async fn accounts(deps: &Deps, query: &str, headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    let form = form(query, headers)?;
    let page = accounts::page(deps, query).await?;
    respond(form, "accounts", &ACCOUNTS, &page)
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

/// Returns the form that the parameter `format` names, else the header `Accept`.
fn form(query: &str, headers: &HeaderMap) -> Result<Form, Failure> {
    let accepts = |kind: &str| {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        accept.split(',').any(|part| part.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind))
    };
    match params::one(query, params::FORMAT)?.as_deref() {
        Some("csv") => Ok(Form::Csv),
        Some("json") => Ok(Form::Json),
        Some(_) => Err(Failure::Wrong("format must be json or csv")),
        None if accepts("text/csv") && !accepts("application/json") => Ok(Form::Csv),
        None => Ok(Form::Json),
    }
}

fn respond(
    form: Form,
    rows: &str,
    columns: &Columns,
    page: &walk::Page<impl serde::Serialize>,
) -> Result<Response<Body>, Failure> {
    if form == Form::Json {
        let mut answer = serde_json::to_value(page)?;
        if let Some(answer) = answer.as_object_mut()
            && let Some(found) = answer.remove("rows")
        {
            answer.insert(rows.to_owned(), found);
        }
        return answer::json(&answer);
    }
    let values = page.rows.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>()?;
    let mut answer = answer::csv(table(columns, &values));
    if let Some(next) = &page.next
        && let Ok(value) = http::HeaderValue::from_str(next)
    {
        answer.headers_mut().insert("x-next-cursor", value);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
