#![allow(clippy::unwrap_used, clippy::panic)]

mod bounds;
mod calls;
mod captures;
mod fuzz;
mod stripe;
mod surveys;
mod trust;
mod webhooks;

use super::*;
use crate::deps::Secrets;
use data_encoding::BASE64;
use futures::future::{BoxFuture, FutureExt};
use perennial_config::Config;
use perennial_config::sources::WriteKeyHash;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::Event;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_store::rejects::{Reject, Rejects};
use perennial_store::{ConfigHandle, StoreError};
use perennial_testkit::ConfigBuilder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

const NOW: &str = "2026-11-21T22:00:00Z";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// The default config, and a source for each write key that clients were captured with.
static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let mut config = ConfigBuilder::shipped().load();
    config.sources[0].write_key_hashes.extend(["WK_TEST_123", "phc_TEST", "WK:SECRET"].map(WriteKeyHash::of));
    config
});

#[derive(Default)]
struct MemoryRejects(Mutex<Vec<Reject>>, Mutex<bool>);

impl Rejects for MemoryRejects {
    fn put_all(&self, rejects: Vec<Reject>) -> BoxFuture<'_, Result<(), StoreError>> {
        let fails = std::mem::take(&mut *self.1.lock().unwrap());
        if !fails {
            self.0.lock().unwrap().extend(rejects);
        }
        std::future::ready(if fails {
            Err(StoreError::NoAnswer { operation: "put_rejects", why: "timed out" })
        } else {
            Ok(())
        })
        .boxed()
    }
}

struct Fixture {
    deps: Deps,
    queue: Arc<MemoryQueue>,
    rejects: Arc<MemoryRejects>,
}

struct Answered {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

impl Answered {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Fixture {
    fn new() -> Self {
        Self::at(NOW)
    }

    fn at(now: &str) -> Self {
        let (queue, rejects) = (Arc::new(MemoryQueue::new()), Arc::new(MemoryRejects::default()));
        let secrets = Secrets::new(|name| (name != "ZENDESK_WEBHOOK_SECRET").then(|| SECRET.to_owned()));
        let (clock, _) = Clock::simulated(now.parse().unwrap());
        let deps = Deps::new(
            ConfigHandle::fixed(CONFIG.clone()),
            Arc::clone(&queue) as _,
            Arc::clone(&rejects) as _,
            secrets,
            clock,
            8,
        );
        Self { deps, queue, rejects }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut request = Request::new(Body::Binary(body.to_vec()));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let (parts, body) = handle(&self.deps, request).await.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Posts with a write key.
    async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answered {
        self.send("POST", path, &[("authorization", &basic("local-write-key:"))], body.as_ref()).await
    }

    /// Returns the events on the queue, as score reads them.
    fn events(&self) -> Vec<Event> {
        let payload = |body: &String| match serde_json::from_str(body) {
            Ok(EventsPayload::Events { events }) => events,
            other => panic!("{other:?}: {body}"),
        };
        self.queue.bodies().iter().flat_map(payload).collect()
    }

    fn rejected(&self) -> Vec<Reject> {
        self.rejects.0.lock().unwrap().clone()
    }
}

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
