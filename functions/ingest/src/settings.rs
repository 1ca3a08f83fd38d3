//! Settings that browser SDKs request before they send: without a response they send nothing.

use http::{HeaderMap, Uri};
use serde_json::{Value, json};

/// The settings that analytics.js loads: one integration, this service. The host that answered is also where events go.
pub(crate) fn analytics_js(write_key: &str, headers: &HeaderMap, uri: &Uri) -> Value {
    json!({
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": format!("{}/v1", host(headers, uri)),
                "protocol": scheme(headers, uri),
                "addBundledMetadata": true,
                "unbundledIntegrations": [],
                "maybeBundledConfigIds": {},
                "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] },
            },
        },
        "plan": {
            "track": { "__default": { "enabled": true, "integrations": {} } },
            "identify": { "__default": { "enabled": true } },
            "group": { "__default": { "enabled": true } },
        },
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": false,
        "analyticsNextEnabled": true,
        "metrics": { "sampleRate": 0 },
    })
}

/// The source's config that Rudder's browser SDK loads: no destinations, as events go to the data plane alone.
pub(crate) fn rudder_js(source: &str) -> Value {
    json!({
        "source": {
            "id": source,
            "name": source,
            "enabled": true,
            "workspaceId": "perennial",
            "config": { "statsCollection": { "errors": { "enabled": false }, "metrics": { "enabled": false } } },
            "destinations": [],
            "dataplanes": {},
            "connections": [],
            "updatedAt": "2026-01-01T00:00:00Z",
        },
        "updatedAt": "2026-01-01T00:00:00Z",
        "consentManagementMetadata": null,
    })
}

/// The request's URI as its sender called it.
pub(crate) fn called_uri(headers: &HeaderMap, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    format!("{}://{}{path}", scheme(headers, uri), host(headers, uri))
}

fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host()).unwrap_or("localhost")
}

/// Returns the scheme that the proxy in front reports; without one, http on loopback and https elsewhere.
fn scheme(headers: &HeaderMap, uri: &Uri) -> &'static str {
    let forwarded = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let host = host(headers, uri);
    let loopback = ["localhost", "127.", "[::1]"].iter().any(|start| host.starts_with(start));
    match forwarded {
        Some("http") => "http",
        None if loopback => "http",
        _ => "https",
    }
}
