//! The mails that the embedded mail service captured, as pages for people and as JSON for scripts.

use super::errors::error;
use super::index::{document, escape, wants_html};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Json, Response};
use perennial_embedded_aws::{CapturedMail, MailQuery, Mails};
use serde::Deserialize;

/// Mails on one page.
const PAGE: usize = 100;

/// The filters of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    to: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// `GET /_local/mails?to=&before=&limit=`, the newest first.
pub(super) async fn list(State(mails): State<Mails>, Query(query): Query<ListQuery>, headers: HeaderMap) -> Response {
    let limit = query.limit.unwrap_or(PAGE).clamp(1, 1000);
    let found = mails.list(&MailQuery { recipient: query.to, before: query.before, limit });
    match (found, mails.count()) {
        (Ok(found), Ok(count)) if wants_html(&headers) => Html(list_page(&found, count, limit)).into_response(),
        (Ok(found), Ok(count)) => {
            Json(serde_json::json!({ "count": count, "mails": found.iter().map(json).collect::<Vec<_>>() }))
                .into_response()
        }
        (Err(why), _) | (_, Err(why)) => error(StatusCode::INTERNAL_SERVER_ERROR, "internal", &why.to_string()),
    }
}

/// `GET /_local/mails/{id}`.
pub(super) async fn show(State(mails): State<Mails>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match mails.by_id(&id) {
        Ok(Some(mail)) if wants_html(&headers) => Html(mail_page(&mail)).into_response(),
        Ok(Some(mail)) => Json(json(&mail)).into_response(),
        Ok(None) => error(StatusCode::NOT_FOUND, "no_such_mail", "no mail has this id"),
        Err(why) => error(StatusCode::INTERNAL_SERVER_ERROR, "internal", &why.to_string()),
    }
}

fn json(mail: &CapturedMail) -> serde_json::Value {
    let view = mail.view();
    serde_json::json!({
        "id": mail.message_id, "at": mail.at, "from": mail.from, "to": mail.recipients, "tags": mail.tags,
        "subject": view.subject, "text": view.text, "html": view.html, "headers": view.headers,
    })
}

fn list_page(mails: &[CapturedMail], count: u64, limit: usize) -> String {
    let rows: String = mails
        .iter()
        .map(|mail| {
            let journey = mail.tags.get("journey").map_or("", String::as_str);
            format!(
                "<tr><td>{}</td><td>{}</td><td><a href='/_local/mails/{}'>{}</a></td><td>{}</td></tr>",
                mail.at.strftime("%Y-%m-%d %H:%M"),
                escape(&mail.recipients.join(", ")),
                escape(&mail.message_id),
                escape(&mail.view().subject),
                escape(journey),
            )
        })
        .collect();
    let more = match mails.last() {
        Some(last) if mails.len() == limit => {
            format!("<p><a href='?before={}&limit={limit}'>Earlier</a></p>", escape(&last.message_id))
        }
        _ => String::new(),
    };
    let header = "<tr><th>Sent</th><th>To</th><th>Subject</th><th>Journey</th></tr>";
    document(&format!("{count} captured mails"), &format!("<table>{header}{rows}</table>{more}"))
}

fn mail_page(mail: &CapturedMail) -> String {
    let view = mail.view();
    let headers: String = view
        .headers
        .iter()
        .map(|(name, value)| format!("<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value)))
        .collect();
    // A sandboxed frame: no mail may run anything here.
    let html = view
        .html
        .as_deref()
        .map(|html| format!("<h2>HTML</h2><iframe sandbox srcdoc=\"{}\" title='HTML part'></iframe>", escape(html)));
    let text = view.text.as_deref().map(|text| format!("<h2>Text</h2><pre>{}</pre>", escape(text)));
    let content = format!("<table>{headers}</table>{}{}", html.unwrap_or_default(), text.unwrap_or_default());
    document(&view.subject, &content)
}
