//! `GET /api/profiles` and `GET /api/accounts`: lists of people and accounts, as JSON or CSV.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::{HeaderMap, Response, header};
use lambda_http::Body;
use perennial_views::lists::{self, ACCOUNTS, Columns, FORMAT, PEOPLE, Page, table};
use serde_json::Value;

/// Answers with a page of people.
pub(crate) async fn people(deps: &Deps, query: &str, headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    let form = form(query, headers)?;
    let page = lists::people(&deps.views, query).await?;
    respond(form, "people", &PEOPLE, &page)
}

/// Answers with a page of accounts.
pub(crate) async fn accounts(deps: &Deps, query: &str, headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    let form = form(query, headers)?;
    let page = lists::accounts(&deps.views, query).await?;
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
    match lists::one(query, FORMAT)?.as_deref() {
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
    page: &Page<impl serde::Serialize>,
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
