//! Webhooks of other systems: verified over their raw bytes, then read as `sources.toml` says.

use crate::answer::{self, Refusal};
use crate::body;
use crate::collect::Collected;
use crate::deps::Deps;
use crate::mapping::{self, Payload};
use crate::settings::called_uri;
use http::Response;
use http::request::Parts;
use lambda_http::Body;
use perennial_config::sources::{Hook, Scheme, Source};
use perennial_contracts::tracking::{self, Dialect, Received, Route};
use perennial_contracts::webhooks::{self, Signed};
use serde_json::Value;

/// Receives a webhook for the source called `id`.
pub(crate) async fn receive(deps: &Deps, id: &str, parts: &Parts, wire: &[u8]) -> Result<Response<Body>, Refusal> {
    if wire.len() > body::MAX_WIRE_BYTES {
        return Err(Refusal::TooLarge);
    }
    let config = deps.config.current().await;
    let source = config.sources.iter().find(|source| source.id.as_str() == id);
    let Some((source, hook)) = source.and_then(|source| Some((source, source.hook.as_ref()?))) else {
        return Err(Refusal::NoSuchPath);
    };
    let now = deps.clock.now();
    verify(deps, source, hook, parts, wire, now)?;

    let text = body::text(wire)?;
    let body: Value = serde_json::from_str(&text).map_err(|error| Refusal::NotJson(error.to_string()))?;
    let payloads: Vec<Payload<'_>> = match &body {
        Value::Array(several) => {
            let payload = |(place, body)| Payload { headers: &parts.headers, body, place: Some(place) };
            several.iter().enumerate().map(payload).collect()
        }
        one => vec![Payload { headers: &parts.headers, body: one, place: None }],
    };
    let received = Received::new(source.id.clone(), now, None);
    let mut collected = Collected::with_capacity(text.len());
    for payload in payloads {
        for mapping in hook.maps.iter().filter(|mapping| mapping::fits(mapping, payload)) {
            let call = mapping::call(mapping, payload).to_string();
            let read = tracking::read(Route::Single(mapping.kind), &call);
            // What serde_json wrote is an object.
            for item in read.iter().flat_map(|body| &body.items) {
                collected.add(item, &received);
            }
        }
    }
    let (accepted, rejected) = (collected.accepted(), collected.rejected());
    collected.store(deps, &source.id, now).await?;
    Ok(answer::stored(accepted, rejected, Dialect::Segment))
}

fn verify(
    deps: &Deps,
    source: &Source,
    hook: &Hook,
    parts: &Parts,
    wire: &[u8],
    now: jiff::Timestamp,
) -> Result<(), Refusal> {
    let secrets = deps.secrets.get(&hook.secret_env);
    if secrets.is_empty() {
        tracing::error!(source = %source.id, key = hook.secret_env, "a hook was called whose signing secret is not set");
        return Err(Refusal::NoSecret);
    }
    let scheme = match hook.scheme {
        Scheme::Standard => webhooks::Scheme::Standard,
        Scheme::Stripe => webhooks::Scheme::Stripe,
        Scheme::Github => webhooks::Scheme::GitHub,
        Scheme::Hubspot => webhooks::Scheme::HubSpot,
        Scheme::Zendesk => webhooks::Scheme::Zendesk,
    };
    let uri = called_uri(&parts.headers, &parts.uri);
    let signed = Signed { method: parts.method.as_str(), uri: &uri, headers: &parts.headers, body: wire };
    webhooks::verify(scheme, &secrets, signed, now).map_err(|rejection| {
        tracing::warn!(source = %source.id, code = rejection.code(), "a webhook was not believed");
        Refusal::Webhook(rejection)
    })
}
