//! The wiring of `api`.

use super::queues::{self, QueueUrls};
use data_encoding::HEXLOWER;
use futures::future::{BoxFuture, FutureExt};
use perennial_api::{Access, Deps};
use perennial_channels::unsubscribe::Keys;
use perennial_embedded_aws::Queues;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Depth, Depths, Queue, WatchedQueue};
use perennial_store::{ConfigHandle, Store};
use perennial_views::{MaxAge, Status, Views};
use ring::digest;
use std::sync::Arc;
use std::time::Duration;

/// The depths of the embedded queues. Under simulated time, messages that wait for it to be moved are not work in
/// progress, which would never end by itself.
struct LocalDepths {
    queues: Queues,
    clock: Clock,
}

impl Depths for LocalDepths {
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>> {
        let name = url.rsplit('/').next().unwrap_or_default();
        let depth = self.queues.depths().remove(name).unwrap_or_default();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let depth = Depth {
            visible: count(depth.visible),
            in_flight: count(depth.in_flight - depth.put_off),
            delayed: count(depth.delayed + depth.put_off),
            held_by_clock: self.clock.is_simulated(),
        };
        std::future::ready(Ok(depth)).boxed()
    }
}

/// While work is in flight, totals may be this old; once it is done they are counted for each request.
const BUSY: Duration = Duration::from_secs(2);

/// Pages of 1 MB of a table that is counted when somebody asks.
const PAGES_AT_ONCE: u64 = 200;

/// Pages of 1 MB of a table that is counted when somebody asks of a stack with this clock. Where time is simulated every table is, as the sweep counts none.
pub fn pages_at_once(clock: &Clock) -> u64 {
    if clock.is_simulated() { u64::MAX } else { PAGES_AT_ONCE }
}

/// Returns the hash of `key`, as in `API_KEY_HASHES`.
pub(super) fn key_hash(key: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, key.as_bytes()).as_ref())
}

/// Returns the read side of the stack, with its own cache of totals.
pub(super) fn views(store: &Store, config: &ConfigHandle, depths: Queues, urls: &QueueUrls, clock: &Clock) -> Views {
    let watched = queues::NAMES.iter().filter_map(|name| {
        let url = urls.get(name)?;
        Some(WatchedQueue { name: (*name).to_owned(), url: url.to_owned(), dlq_url: format!("{url}-dlq") })
    });
    let status = Status::new(
        watched.collect(),
        Arc::new(LocalDepths { queues: depths, clock: clock.clone() }),
        MaxAge { busy: BUSY, idle: Duration::ZERO },
    );
    let status = status.with_pages_at_once(pages_at_once(clock));
    Views { store: store.clone(), config: config.clone(), status, clock: clock.clone() }
}

pub(super) fn deps(views: Views, sqs: &aws_sdk_sqs::Client, urls: &QueueUrls, keys: Keys) -> Deps {
    let events = Arc::new(Queue::new(sqs.clone(), &urls.events));
    // On loopback, anyone who can connect can read the process's memory as well.
    Deps::new(views, events, Access::Open, keys)
}
