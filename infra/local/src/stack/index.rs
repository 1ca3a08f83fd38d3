//! `/_local/`: an index of what only a stack on this machine has, and the frame of its pages. Browsers get HTML, everyone else JSON.

use super::errors::error;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Json, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

/// The largest JSON that is shown as a page.
const MAX_PAGE: usize = 16 * 1024 * 1024;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--soft:#4d5661;--line:#dfe3e8;--code:#f5f7f9;--link:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--ink:#eceff3;--soft:#b3bcc7;--line:#3a424c;--code:#22282f;--link:#8ab4f8}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem;color:var(--ink)}\
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding-bottom:.75rem;border-bottom:1px solid var(--line)}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}\
th{font-weight:600;color:var(--soft);white-space:nowrap}a{color:var(--link)}p{color:var(--soft)}\
iframe{width:100%;height:28rem;border:1px solid var(--line);border-radius:6px;background:#fff}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--code);padding:1rem;border-radius:6px}code{overflow-wrap:anywhere}";

/// Something that a stack on this machine answers.
struct Entry {
    method: &'static str,
    path: &'static str,
    /// `true` if a browser can open it directly.
    opens: bool,
    about: &'static str,
}

const fn page(path: &'static str, about: &'static str) -> Entry {
    Entry { method: "GET", path, opens: true, about }
}

const fn call(method: &'static str, path: &'static str, about: &'static str) -> Entry {
    Entry { method, path, opens: false, about }
}

/// Everything below `/_local/`, and the first pages of the api.
const ENTRIES: [Entry; 17] = [
    page("/", "The dashboard: who needs you today, people, accounts, journeys, reports, operations."),
    page(
        "/_local/mails",
        "The mails that were captured instead of sent, the newest first. ?to=ADDRESS, ?before=ID and ?limit=N choose.",
    ),
    page("/_local/webhooks", "Webhooks to .example hosts, which arrive here instead, the newest last."),
    page("/_local/standins", "The records of the stand-ins of CRMs and chats."),
    page("/_local/time", "The system's time, and whether it is simulated."),
    call(
        "POST",
        "/_local/time",
        "Moves simulated time: {\"now\": \"2026-01-31T09:00:00Z\"}. It stops at every moment at which something is due and responds when all of that is done. For `perennial up --simulate-from`.",
    ),
    page("/_local/queues", "The depth of each queue, dead-letter queues included."),
    call(
        "POST",
        "/_local/config",
        "Applies the active configuration to every function at once. `perennial config push` and `config rollback` call it.",
    ),
    call(
        "POST",
        "/_local/redrive/QUEUE",
        "Moves the dead letters of a queue back into it: events, incoming, imports, messages, essential, accounts or mail-events.",
    ),
    page(
        "/_local/functions/ingest/environment",
        "The environment of a function: ingest, score, sweep, rollup, deliver, report, api, import or dashboard. `perennial env FUNCTION` prints it for a shell.",
    ),
    call(
        "POST",
        "/_local/rescore?dry_run=true",
        "Recounts all history under the active configuration; line by line, first the progress. `perennial rescore`.",
    ),
    call(
        "POST",
        "/_local/reach?dry_run=true",
        "Applies new journeys to quiet profiles; line by line, first the progress. `perennial reach`.",
    ),
    call("POST", "/_local/calibrate", "Suggests points from history; line by line. `perennial calibrate`."),
    page("/api/status", "Events, profiles, accounts, messages, queues, the active configuration. `perennial status`."),
    page("/api/segments", "The segments. `perennial segments`."),
    page("/api/journeys", "The journeys. `perennial journey list`."),
    page("/api/rejects", "Rejected events, and why. `perennial rejects`."),
];

/// The links in the navigation bar of every page.
const BAR: [(&str, &str); 8] = [
    ("/_local/", "Local stack"),
    ("/", "Dashboard"),
    ("/_local/mails", "Mails"),
    ("/_local/webhooks", "Webhooks"),
    ("/_local/standins", "Stand-ins"),
    ("/_local/time", "Time"),
    ("/_local/queues", "Queues"),
    ("/api/status", "Status"),
];

/// `GET /_local/`.
pub(super) fn router() -> Router {
    Router::new().route("/_local/", get(index)).route("/_local", get(|| async { Redirect::permanent("/_local/") }))
}

async fn index(headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        let entry = |entry: &Entry| json!({ "method": entry.method, "path": entry.path, "about": entry.about });
        return Json(json!({ "local": ENTRIES.iter().map(entry).collect::<Vec<_>>() })).into_response();
    }
    let row = |entry: &Entry| {
        let path = escape(entry.path);
        let shown = if entry.opens {
            format!("<a href='{path}'><code>{path}</code></a>")
        } else {
            format!("<code>{path}</code>")
        };
        format!("<tr><td>{}</td><td>{shown}</td><td>{}</td></tr>", entry.method, escape(entry.about))
    };
    let rows: String = ENTRIES.iter().map(row).collect();
    let content = format!(
        "<p>Pages of a local stack only. Browsers get HTML, all other clients \
         JSON.</p><table><tr><th>Method</th><th>Path</th><th>Description</th></tr>{rows}</table>"
    );
    Html(document("Local stack", &content)).into_response()
}

/// The paths of stand-ins with error formats of their own.
const FOREIGN: [&str; 3] = ["/_local/hubspot/", "/_local/salesforce/", "/_local/slack/"];

/// Converts a text error, such as the router's own, to the JSON format of all others.
async fn as_json(path: &str, response: Response) -> Response {
    let status = response.status();
    let is_json =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"application/json");
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_json || FOREIGN.iter().any(|foreign| path.starts_with(foreign)) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = to_bytes(body, MAX_PAGE).await.unwrap_or_default();
    let reason = status.canonical_reason().unwrap_or("error").to_lowercase();
    let message = if words.is_empty() { reason.clone().into() } else { String::from_utf8_lossy(&words) };
    let mut answer = error(status, &reason.replace([' ', '-'], "_"), &message);
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    answer
}

/// Adds the index's address to every response below `/_local/`, converts errors to one format, and shows JSON to
/// browsers as a page.
pub(super) async fn framed(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if !path.starts_with("/_local/") {
        return next.run(request).await;
    }
    let as_page = request.method() == Method::GET && wants_html(request.headers());
    let mut response = as_json(&path, next.run(request).await).await;
    response.headers_mut().insert(header::LINK, HeaderValue::from_static("</_local/>; rel=\"index\""));
    let is_json =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"application/json");
    if !(as_page && is_json) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_PAGE).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let shown = serde_json::from_slice::<Value>(&bytes).and_then(|value| serde_json::to_string_pretty(&value));
    let Ok(shown) = shown else { return Response::from_parts(parts, Body::from(bytes)) };
    let html = document(&path, &format!("<pre>{}</pre>", escape(&shown)));
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, Body::from(html))
}

/// A page with the bar that leads to all others. `content` is HTML, `title` is not.
pub(super) fn document(title: &str, content: &str) -> String {
    let bar: String = BAR.iter().map(|(path, name)| format!("<a href='{path}'>{name}</a>")).collect();
    let title = escape(title);
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>\
         <style>{STYLE}</style><nav>{bar}</nav><h1>{title}</h1>{content}"
    )
}

/// Returns whether the client is a browser.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// `text`, escaped for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn body(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), MAX_PAGE).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn index_is_a_page_for_browsers_and_json_for_scripts() {
        let mut browser = HeaderMap::new();
        browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml"));
        let page = body(index(browser).await).await;
        assert!(page.contains("<a href='/_local/mails'>") && page.contains("{&quot;now&quot;:"), "{page}");
        let json: Value = serde_json::from_str(&body(index(HeaderMap::new()).await).await).unwrap();
        let paths: Vec<&str> = json["local"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
        assert!(paths.contains(&"/_local/time") && paths.contains(&"/_local/webhooks"), "{paths:?}");
    }

    #[test]
    fn every_page_of_the_bar_but_its_own_is_listed() {
        for (path, name) in &BAR[1..] {
            assert!(ENTRIES.iter().any(|entry| entry.path == *path && entry.opens), "{name}");
        }
    }
}
