//! The wiring of `api`.

use super::queues::{self, QueueUrls};
use data_encoding::HEXLOWER;
use perennial_api::{Access, Deps, MaxAge, Status, WatchedQueue};
use perennial_channels::unsubscribe::Keys;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Queue;
use perennial_store::{ConfigHandle, Store};
use ring::digest;
use std::sync::Arc;
use std::time::Duration;

/// While work is in flight, totals may be this old; once it is done they are counted anew at each look.
const BUSY: Duration = Duration::from_secs(2);

/// What `API_KEY_HASHES` holds of `key`.
pub(super) fn key_hash(key: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, key.as_bytes()).as_ref())
}

pub(super) fn deps(
    store: &Store,
    config: &ConfigHandle,
    sqs: &aws_sdk_sqs::Client,
    urls: &QueueUrls,
    clock: &Clock,
    keys: Keys,
) -> Deps {
    let watched = queues::NAMES.iter().filter_map(|name| {
        let url = urls.get(name)?;
        Some(WatchedQueue { name: (*name).to_owned(), url: url.to_owned(), dlq_url: format!("{url}-dlq") })
    });
    let status = Status::new(watched.collect(), Arc::new(sqs.clone()), MaxAge { busy: BUSY, idle: Duration::ZERO });
    let events = Arc::new(Queue::new(sqs.clone(), &urls.events));
    // On loopback whoever can ask can read the process's memory as well.
    Deps::new(store.clone(), config.clone(), events, status, Access::Open, keys, clock.clone())
}
