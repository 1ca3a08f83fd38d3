//! Handles one request: routes it, stores its events and responds.

use crate::answer::{self, Refusal, json_answer};
use crate::collect::{Collected, expected_bytes};
use crate::deps::{Deps, nonce};
use crate::endpoint::Endpoint;
use crate::{auth, body, cors, hooks, sender, settings};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request};
use percent_encoding::percent_decode_str;
use perennial_contracts::tracking::{self, Dialect, Received, Route, posthog};
use perennial_domain::Trust;
use serde_json::json;
use std::net::IpAddr;
use std::time::Instant;

/// Answers `request`. Never fails: what goes wrong is an answer too.
pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    let address = sender::address(&request, deps.client_ip_header.as_ref());
    let (parts, body) = request.into_parts();
    let mut answer = respond(deps, address, &parts, &body).await.unwrap_or_else(|refusal| refusal.answer());
    cors::allow(&mut answer, parts.headers.get(http::header::ORIGIN).cloned());
    answer
}

async fn respond(deps: &Deps, address: Option<IpAddr>, parts: &Parts, wire: &[u8]) -> Result<Response<Body>, Refusal> {
    let endpoint = Endpoint::parse(parts.uri.path()).ok_or(Refusal::NoSuchPath)?;
    if parts.method == Method::OPTIONS {
        return Ok(cors::preflight());
    }
    if !endpoint.methods().contains(&parts.method) {
        return Err(Refusal::Method(endpoint.methods()));
    }
    match endpoint {
        Endpoint::Health => Ok(json_answer(StatusCode::OK, &json!({ "status": "ok" }))),
        Endpoint::Settings(key) => {
            let config = deps.config.current().await;
            let key = percent_decode_str(key).decode_utf8_lossy();
            auth::by_key(&config, &key).ok_or(Refusal::NoSuchKey)?;
            Ok(json_answer(StatusCode::OK, &settings::analytics_js(&key, &parts.headers, &parts.uri)))
        }
        Endpoint::SourceConfig => {
            let config = deps.config.current().await;
            let source = auth::by_request(&config, &parts.headers, &parts.uri).ok_or(Refusal::NoSuchKey)?;
            Ok(json_answer(StatusCode::OK, &settings::rudder_js(source.id.as_str())))
        }
        // Some senders check that the endpoint exists before they send anything.
        Endpoint::Hook(source) if parts.method != Method::POST => hooks::greet(deps, source).await,
        Endpoint::Hook(source) => {
            let _permit = deps.in_flight.try_acquire().map_err(|_| Refusal::Busy)?;
            hooks::receive(deps, source, parts, wire).await
        }
        Endpoint::Call(route) => {
            let _permit = deps.in_flight.try_acquire().map_err(|_| Refusal::Busy)?;
            call(deps, route, address, parts, wire).await
        }
    }
}

/// The JSON in a form that PostHog's browser SDK sends.
fn unwrapped(route: Route, text: &str) -> Option<String> {
    (route == Route::Batch(Dialect::PostHog)).then(|| posthog::unwrapped(text)).flatten()
}

async fn call(
    deps: &Deps,
    route: Route,
    address: Option<IpAddr>,
    parts: &Parts,
    wire: &[u8],
) -> Result<Response<Body>, Refusal> {
    let now = deps.clock.now();
    let config = deps.config.current().await;
    let mut text = body::text(wire)?;
    if let Some(json) = unwrapped(route, &text) {
        text = json.into();
    }
    let body = tracking::read(route, &text).map_err(|problem| Refusal::unreadable(problem, &text))?;
    let source = match auth::by_request(&config, &parts.headers, &parts.uri) {
        Some(source) => source,
        None => body.write_key().and_then(|key| auth::by_key(&config, &key)).ok_or(Refusal::NoSuchKey)?,
    };
    if let Some(throttle) = deps.throttle.as_ref().filter(|_| source.trust == Trust::Public) {
        let taken = throttle.take(&source.id, address, body.items.len(), Instant::now());
        taken.map_err(|after| Refusal::TooMany { after })?;
    }

    let nonce = nonce().ok_or(Refusal::NotStored)?;
    let at = deps.receipts.at(now, body.items.len());
    let mut received =
        Received::new(source.id.clone(), at, body.sent_at(), nonce).with_trust(source.trust, deps.tokens.clone());
    let mut collected = Collected::with_capacity(expected_bytes(&text, body.items.len()), &config);
    for (position, item) in body.items.iter().enumerate() {
        collected.add(position, item, &mut received);
    }
    let (accepted, rejected) = (collected.accepted(), collected.rejected());
    collected.store(deps, &source.id, now).await?;
    match (route, collected.invalid().last()) {
        // Its sender gets the error, and the reject is stored for later inspection.
        (Route::Single(_), Some((_, invalid))) => Err(Refusal::Event(invalid.clone())),
        (Route::Batch(_) | Route::Import, _) => {
            let counts = (accepted, rejected);
            Ok(answer::stored(counts, collected.warnings(), collected.invalid(), route.dialect()))
        }
        (Route::Single(_), None) => Ok(answer::stored_one(&collected.notes().collect::<Vec<_>>())),
    }
}

#[cfg(test)]
mod tests;
