//! The environment of the benchmark: the default configuration, and `ingest`.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request};
use perennial_config::Config;
use perennial_ingest::{Deps, Secrets};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Sender;
use perennial_store::rejects::{Reject, Rejects};
use perennial_store::{ConfigHandle, StoreError};

use crate::bodies::START;

/// The write key of the default config's source `web`.
pub(crate) const WRITE_KEY: &str = "local-write-key";
/// Requests at once; the benchmark makes one after another.
const IN_FLIGHT: usize = 4;

/// The default config.
pub(crate) fn config() -> Result<Config> {
    Config::load(&perennial_local::bundle::embedded())
        .map_err(|errors| anyhow!("the default config is wrong: {errors}"))
}

/// A day after the first event.
pub(crate) fn now() -> Timestamp {
    START.checked_add(SignedDuration::from_hours(24)).unwrap_or(START)
}

/// `ingest`, sending to `queue`. Rejects are errors: the benchmark sends none.
pub(crate) fn ingest<Q: Sender + 'static>(config: &Config, queue: &Arc<Q>, clock: Clock) -> Deps {
    ingest_with(config, queue, Arc::new(NoRejects), clock)
}

/// The same with a place for rejects.
pub(crate) fn ingest_with<Q: Sender + 'static>(
    config: &Config,
    queue: &Arc<Q>,
    rejects: Arc<dyn Rejects>,
    clock: Clock,
) -> Deps {
    let queue: Arc<dyn Sender> = Arc::clone(queue) as Arc<dyn Sender>;
    Deps::new(ConfigHandle::fixed(config.clone()), queue, rejects, Secrets::new(|_| None), clock, IN_FLIGHT)
}

struct NoRejects;

impl Rejects for NoRejects {
    fn put_all(&self, rejects: Vec<Reject>) -> futures::future::BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Err(StoreError::Unstorable(format!(
            "{} events of the benchmark are rejected",
            rejects.len()
        )))))
    }
}

/// `POST /v1/batch` with `body`.
pub(crate) fn request(body: &str) -> Result<Request> {
    let request = http::Request::post("https://ingest.example/v1/batch")
        .header("content-type", "application/json")
        .header("x-write-key", WRITE_KEY)
        .body(Body::Text(body.to_owned()))?;
    Ok(request)
}
