//! Helpers of the end-to-end tests: a stack, a client, streams and a repeatable shuffle.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod process;

use flate2::read::GzDecoder;
use futures::stream::{self, TryStreamExt};
use jiff::Timestamp;
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_local::stack::{LOCAL_WRITE_KEY, Stack, StackOptions};
use perennial_store::Stored;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Returns whether this is `tests/run soak`, which runs campaigns at their full length.
#[expect(clippy::disallowed_methods, reason = "a test's own switch, read where it is used")]
pub fn is_soak() -> bool {
    std::env::var_os("PERENNIAL_SOAK").is_some()
}

/// The length of a fault campaign: `full` under `tests/run soak`, a tenth of it in the ordinary run.
pub fn campaign(full: usize) -> usize {
    if is_soak() { full } else { full / 10 }
}

/// A stack in memory on simulated time, and the handle that moves it.
pub async fn stack(now: &str) -> (Stack, SimulatedTime) {
    stack_with(now, |options| options).await
}

/// The same with changed options.
pub async fn stack_with(now: &str, change: impl FnOnce(StackOptions) -> StackOptions) -> (Stack, SimulatedTime) {
    let (clock, simulated) = Clock::simulated(now.parse::<Timestamp>().expect("a timestamp"));
    let options = StackOptions {
        port: 0,
        visibility: Duration::from_secs(2),
        ..StackOptions::new(perennial_local::bundle::embedded(), clock, Some(simulated.clone()))
    };
    (Stack::start(change(options)).await.expect("the stack starts"), simulated)
}

/// A client of the tracking API and the api.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    pub key: String,
}

impl Client {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Self { http, base: base.to_owned(), key: LOCAL_WRITE_KEY.to_owned() }
    }

    /// Posts calls as one batch, once.
    pub async fn try_batch(&self, calls: &[String]) -> reqwest::Result<reqwest::StatusCode> {
        let body = format!("{{\"batch\":[{}]}}", calls.join(","));
        let request = self.http.post(format!("{}/v1/batch", self.base)).basic_auth(&self.key, Some(""));
        Ok(request.body(body).send().await?.status())
    }

    /// Posts calls as one batch until it is taken.
    pub async fn batch(&self, calls: &[String]) {
        for _ in 0..400 {
            match self.try_batch(calls).await {
                Ok(status) if status.is_success() => return,
                Ok(status) if status.is_client_error() && status.as_u16() != 429 => {
                    panic!("the batch was refused: {status}")
                }
                _ => tokio::time::sleep(Duration::from_millis(25)).await,
            }
        }
        panic!("the batch was not taken");
    }

    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(serde_json::Value::Null))
    }

    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .basic_auth(&self.key, Some(""))
            .header("content-type", content_type);
        let answer = request.body(body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }

    /// Posts to a signed hook; returns the status.
    pub async fn hook(&self, source: &str, headers: &[(&str, String)], body: String) -> u16 {
        let mut request =
            self.http.post(format!("{}/hooks/{source}", self.base)).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(body).send().await.expect("an answer").status().as_u16()
    }

    pub async fn status(&self) -> serde_json::Value {
        self.get("/api/status").await.1
    }
}

/// Sends `events` in batches of the sizes from `sizes`, four at a time, and waits until all are processed.
pub async fn feed(stack: &Stack, events: &[String], mut sizes: impl FnMut() -> usize) {
    let client = Client::new(stack.base_url());
    let mut batches = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(sizes().clamp(1, rest.len()));
        batches.push(batch);
        rest = after;
    }
    stream::iter(batches.into_iter().map(Ok::<_, std::convert::Infallible>))
        .try_for_each_concurrent(4, |batch| {
            let client = client.clone();
            async move {
                client.batch(batch).await;
                Ok(())
            }
        })
        .await
        .expect("infallible");
    stack.wait_idle().await.expect("all is done in time");
}

/// Returns the calls with equal times a microsecond apart, as ingest does within a batch: otherwise the profiles would depend on batching, and
/// for a call that is sent twice in two batches on which of them is first. A repeated call keeps its time, one without a valid time is not
/// changed.
pub fn told_apart(mut calls: Vec<String>) -> Vec<String> {
    let mut seen: HashMap<jiff::Timestamp, i64> = HashMap::new();
    let mut known: HashMap<String, String> = HashMap::new();
    for line in &mut calls {
        let mut call: Value = serde_json::from_str(line).expect("a call");
        let Some(Ok(at)) = call["timestamp"].as_str().map(str::parse::<jiff::Timestamp>) else { continue };
        let mut apart = || {
            let times = seen.entry(at).or_default();
            *times += 1;
            (at + jiff::SignedDuration::from_micros(*times - 1)).to_string()
        };
        let time = match call["messageId"].as_str() {
            Some(id) => known.entry(id.to_owned()).or_insert_with(apart).clone(),
            None => apart(),
        };
        call["timestamp"] = time.into();
        *line = call.to_string();
    }
    calls
}

/// Everyone, by id.
pub async fn everyone(store: &perennial_store::Store) -> BTreeMap<String, Stored> {
    let mut everyone = BTreeMap::new();
    let mut from = None;
    loop {
        let page = store.people(from).await.expect("a page of people");
        everyone.extend(page.people.into_iter().map(|stored| (stored.profile.id.to_string(), stored)));
        from = page.next;
        if from.is_none() {
            return everyone;
        }
    }
}

/// Returns everything derived from events, by person.
pub fn derived(everyone: &BTreeMap<String, Stored>) -> BTreeMap<String, Vec<u8>> {
    everyone.iter().map(|(id, stored)| (id.clone(), stored.profile.derived_bytes().expect("bytes"))).collect()
}

/// Returns the path of real data beside the project; prints a note if it is missing.
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("SKIPPED: shared/data/{path} is not beside the project");
    None
}

/// The lines of a gzipped file.
pub fn gz_lines(path: &Path) -> Vec<String> {
    let file = std::fs::File::open(path).expect("the file opens");
    BufReader::new(GzDecoder::new(file)).lines().collect::<Result<_, _>>().expect("lines of text")
}

/// SplitMix64: repeatable and good enough to shuffle by.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below`, exclusive.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
