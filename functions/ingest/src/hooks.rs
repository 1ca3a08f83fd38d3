//! Webhooks of other systems: verified over their raw bytes, then mapped as `sources.toml` defines.

use crate::answer::{self, Refusal, json_answer};
use crate::collect::Collected;
use crate::deps::{Deps, nonce};
use crate::limits::MAX_WIRE_BYTES;
use crate::settings::called_uri;
use crate::{body, form};
use http::request::Parts;
use http::{Response, StatusCode};
use lambda_http::Body;
use perennial_config::sources::{Hook, Scheme, Source};
use perennial_contracts::mapping::{self, Payload};
use perennial_contracts::tokens::TokenSecrets;
use perennial_contracts::tracking::{self, Dialect, Received, Route, surrogates};
use perennial_contracts::webhooks::{self, Signed, zoom};
use perennial_domain::Trust;
use serde_json::{Value, json};

/// Answers a sender that looks whether the hook of the source called `id` is there.
pub(crate) async fn greet(deps: &Deps, id: &str) -> Result<Response<Body>, Refusal> {
    let config = deps.config.current().await;
    let is_there = config.sources.iter().any(|source| source.id.as_str() == id && source.hook.is_some());
    if is_there { Ok(json_answer(StatusCode::OK, &json!({ "status": "ok" }))) } else { Err(Refusal::NoSuchPath) }
}

/// Receives a webhook for the source called `id`.
pub(crate) async fn receive(deps: &Deps, id: &str, parts: &Parts, wire: &[u8]) -> Result<Response<Body>, Refusal> {
    if wire.len() > MAX_WIRE_BYTES {
        return Err(Refusal::TooLarge);
    }
    let config = deps.config.current().await;
    let source = config.sources.iter().find(|source| source.id.as_str() == id);
    let Some((source, hook)) = source.and_then(|source| Some((source, source.hook.as_ref()?))) else {
        return Err(Refusal::NoSuchPath);
    };
    let now = deps.clock.now();
    match verify(deps, source, hook, parts, wire, now)? {
        Verified::Event => {}
        Verified::Rehearsal => return Ok(answer::stored((0, 0), &[], &[], Dialect::Segment)),
        Verified::Validation(validation) => return Ok(json_answer(StatusCode::OK, &json!(validation))),
    }

    let text = body::text(wire)?;
    let body = read(&text)?;
    let signed = Some(mapping::Signed { headers: &parts.headers, scheme: hook.scheme });
    let payloads: Vec<Payload<'_>> = match &body {
        Value::Array(several) => {
            let payload = |(place, body)| Payload { body, signed, place: Some(place) };
            several.iter().enumerate().map(payload).collect()
        }
        one => vec![Payload { body: one, signed, place: None }],
    };
    let nonce = nonce().ok_or(Refusal::NotStored)?;
    let maps = hook.maps().map_err(|error| {
        tracing::error!(%error, source = %source.id, "failed to read the maps of a hook");
        Refusal::NotStored
    })?;
    let at = deps.receipts.at(now, payloads.len().saturating_mul(maps.len()));
    let mut received =
        Received::new(source.id.clone(), at, None, nonce).with_trust(Trust::Verified, TokenSecrets::default());
    let mut collected = Collected::with_capacity(text.len(), &config);
    for payload in payloads {
        let position = payload.place.unwrap_or_default();
        for (mapping, call) in mapping::calls(&source.id, maps, payload, "") {
            let call = call.to_string();
            let read = tracking::read(Route::Single(mapping.kind), &call);
            // serde_json's output is an object.
            for item in read.iter().flat_map(|body| &body.items) {
                collected.add(position, item, &mut received);
            }
        }
    }
    let (accepted, rejected) = (collected.accepted(), collected.rejected());
    collected.store(deps, &source.id, now).await?;
    Ok(answer::stored((accepted, rejected), collected.warnings(), collected.invalid(), Dialect::Segment))
}

/// Parses the payload, one object or several: JSON, JSON in a JSON text, or a form as [`form`] reads it. `Content-Type`
/// is ignored: senders let users choose it, and proxies change it.
fn read(text: &str) -> Result<Value, Refusal> {
    let body = match serde_json::from_str(text) {
        Ok(Value::String(inner)) => surrogates::read(inner.as_bytes()).map_err(|_| Refusal::NoPayload)?,
        Ok(json) => json,
        Err(error) => {
            let may_be_form = !text.trim_start().starts_with(['{', '[', '"']);
            may_be_form.then(|| form::read(text)).flatten().ok_or_else(|| Refusal::NotJson(error.to_string()))?
        }
    };
    // No place can be found in any other value, so it would be dropped silently.
    if body.is_object() || body.is_array() { Ok(body) } else { Err(Refusal::NoPayload) }
}

/// The kind of a verified webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verified {
    /// An event.
    Event,
    /// A test request of the sender, which must not be counted.
    Rehearsal,
    /// A question of the sender whether we know the secret, with the answer.
    Validation(zoom::Validation),
}

fn verify(
    deps: &Deps,
    source: &Source,
    hook: &Hook,
    parts: &Parts,
    wire: &[u8],
    now: jiff::Timestamp,
) -> Result<Verified, Refusal> {
    let uri = called_uri(&parts.headers, &parts.uri);
    let signed = Signed { method: parts.method.as_str(), uri: &uri, headers: &parts.headers, body: wire };
    let secrets = deps.secrets.get(&hook.secret_env);
    if hook.scheme == Scheme::Zendesk && webhooks::zendesk::is_rehearsal(signed, now) {
        return Ok(Verified::Rehearsal);
    }
    if secrets.is_empty() {
        tracing::error!(source = %source.id, key = hook.secret_env, "failed to verify a webhook: its signing secret is not set");
        return Err(Refusal::NoSecret);
    }
    let scheme = match hook.scheme {
        Scheme::Standard => webhooks::Scheme::Standard,
        Scheme::Stripe => webhooks::Scheme::Stripe,
        Scheme::Github => webhooks::Scheme::GitHub,
        Scheme::Hubspot => webhooks::Scheme::HubSpot,
        Scheme::Zendesk => webhooks::Scheme::Zendesk,
        Scheme::Zoom => webhooks::Scheme::Zoom,
    };
    if hook.scheme == Scheme::Zoom
        && let Some(validation) = zoom::validation(&secrets, signed, now)
    {
        return Ok(Verified::Validation(validation));
    }
    webhooks::verify(scheme, &secrets, signed, now).map(|()| Verified::Event).map_err(|rejection| {
        tracing::warn!(source = %source.id, code = rejection.code(), "webhook signature verification failed");
        Refusal::Webhook(rejection)
    })
}
