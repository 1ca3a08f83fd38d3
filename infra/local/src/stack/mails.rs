//! The mails that the embedded mail service captured, as pages for people and as JSON for scripts.

use crate::aws::{CapturedMail, MailQuery, Mails};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use serde::Deserialize;

/// Mails on one page.
const PAGE: usize = 100;

const STYLE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #dfe3e8;vertical-align:top;overflow-wrap:anywhere}\
th{font-weight:600;color:#57606a;white-space:nowrap}a{color:#0b57d0}iframe{width:100%;height:28rem;border:1px solid #dfe3e8;border-radius:6px}\
pre{white-space:pre-wrap;background:#f5f7f9;padding:1rem;border-radius:6px}</style>";

/// What to list.
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
        (Err(error), _) | (_, Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// `GET /_local/mails/{id}`.
pub(super) async fn show(State(mails): State<Mails>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match mails.by_id(&id) {
        Ok(Some(mail)) if wants_html(&headers) => Html(mail_page(&mail)).into_response(),
        Ok(Some(mail)) => Json(json(&mail)).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "no mail has this id").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
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
    format!(
        "{STYLE}<title>Mails</title><h1>{count} captured mails</h1><table><tr><th>Sent</th><th>To</th><th>Subject</th><th>Journey</th></tr>{rows}</table>{more}"
    )
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
    format!(
        "{STYLE}<title>{0}</title><p><a href='/_local/mails'>All mails</a></p><h1>{0}</h1><table>{headers}</table>{1}{2}",
        escape(&view.subject),
        html.unwrap_or_default(),
        text.unwrap_or_default()
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
