//! Ten thousand journey steps (a hundred thousand under `tests/run soak`), while the process is killed repeatedly, its
//! services and the receiver of webhooks throttle, lose responses and fail partially, and every call arrives several
//! times in any order: each message is sent exactly once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod receiver;
mod way;

use crate::support::process::Process;
use crate::support::{Client, Random, campaign};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use receiver::Receiver;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use way::{Decisions, MESSAGES, STATIONS, STEPS};

const START: &str = "2026-03-02T08:00:00Z";
/// Profiles of the full campaign.
const PEOPLE: usize = 1_180;
/// Steps that the full campaign has to reach.
const LEAST_STEPS: usize = 100_000;
/// Deaths in each of the first rounds.
const DEATHS: usize = 2;
const ROUNDS_WITH_DEATHS: usize = 8;
/// The probability of each kind of fault in a service's call.
const FAULTS: &str = "0.02";
/// Rounds after which everyone must be through: each is enough for one wait.
const MOST_ROUNDS: usize = 4 * STATIONS;

/// The system, which is killed and restarted, with a clock that continues.
struct House<'a> {
    data: &'a Path,
    config: String,
    now: Timestamp,
    lives: u32,
}

impl House<'_> {
    /// Starts it, with faults or without.
    async fn live(&mut self, faults: bool) -> (Process, Client) {
        let (from, seed) = (self.now.to_string(), format!("{}:{FAULTS}", self.lives + 100));
        let mut arguments = vec!["--simulate-from", &from, "--config", &self.config];
        if faults {
            arguments.extend(["--faults", &seed]);
        }
        let process = Process::start(self.data, &arguments).await;
        self.lives += 1;
        let client = Client::new(&process.base);
        (process, client)
    }

    /// Advances time by `minutes` and processes due profiles.
    async fn pass(&mut self, client: &Client, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
        assert!(move_time(&client.base, self.now).await);
    }
}

/// Moves time; returns whether the request succeeded.
async fn move_time(base: &str, now: Timestamp) -> bool {
    let request = reqwest::Client::new().post(format!("{base}/_local/time")).json(&json!({ "now": now }));
    request.send().await.is_ok_and(|answer| answer.status().is_success())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_journey_message_is_lost_or_sent_twice_across_crashes_and_faults() {
    let people = campaign(PEOPLE);
    let (data, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (receiver, url) = Receiver::start().await;
    way::write_config(config.path(), &url);
    let config = config.path().to_str().unwrap().to_owned();
    let mut house = House { data: data.path(), config, now: START.parse().unwrap(), lives: 0 };
    let mut random = Random(31);

    // Without an address nobody can get a mail, so `identify` calls come first.
    let (process, client) = house.live(false).await;
    let entries: Vec<[String; 2]> = (0..people).map(|number| way::entry(number, house.now)).collect();
    let introductions: Vec<String> = entries.iter().map(|[who, _]| who.clone()).collect();
    for batch in introductions.chunks(100) {
        client.batch(batch).await;
    }
    settled(&client).await;
    process.kill().await;

    let (mut rounds, began) = (0, std::time::Instant::now());
    loop {
        // Everything of the first rounds is repeated in later ones, twice, and shuffled.
        let mut calls: Vec<String> = (0..people).filter_map(|it| way::confirmation(it, rounds, house.now)).collect();
        if rounds < 3 {
            calls.extend(entries.iter().flatten().cloned());
        }
        calls.extend(calls.clone());
        random.shuffle(&mut calls);
        for _ in 0..if rounds < ROUNDS_WITH_DEATHS { DEATHS } else { 0 } {
            let (process, client) = house.live(true).await;
            house.now += SignedDuration::from_mins(6);
            let (base, now) = (client.base.clone(), house.now);
            let moving = tokio::spawn(async move { move_time(&base, now).await });
            let feeding = tokio::spawn(feed(client, calls.clone()));
            tokio::time::sleep(Duration::from_millis(100 + random.below(900) as u64)).await;
            process.kill().await;
            feeding.abort();
            moving.abort();
        }
        let (process, client) = house.live(true).await;
        house.pass(&client, 60).await;
        feed(client.clone(), calls).await;
        settled(&client).await;
        // Anyone missed by the first sweep because of a fault is found by the next.
        house.pass(&client, 6).await;
        settled(&client).await;
        // If it fails because of a fault, the next round repeats it.
        let status = client.status().await;
        process.kill().await;
        rounds += 1;
        eprintln!("round {rounds}: {} messages after {:?}", status["messages"], began.elapsed());
        if status["messages"] == (people * MESSAGES) as u64 {
            break;
        }
        assert!(rounds < MOST_ROUNDS, "not everyone gets through: {status}");
    }

    let (process, client) = house.live(false).await;
    let status = at_rest(&mut house, &client).await;
    assert_eq!(status["profiles"], people as u64);
    assert_eq!(status["messages"], (people * MESSAGES) as u64);
    for (name, queue) in status["queues"].as_object().unwrap() {
        assert_eq!(queue["dlq"], 0, "{name} has dead letters");
    }
    let mut decisions = Decisions::new();
    let profiles = stream::iter(0..people).map(|number| {
        let client = client.clone();
        async move { (number, client.get(&format!("/api/profiles/{}", way::user(number))).await.1) }
    });
    let profiles: Vec<(usize, Value)> = profiles.buffer_unordered(16).collect().await;
    let steps: usize = profiles.iter().map(|(number, profile)| way::steps(*number, profile, &mut decisions)).sum();
    assert_eq!(steps, people * STATIONS * STEPS);
    assert!(steps >= campaign(LEAST_STEPS), "{steps} steps");

    let mails = mails(&client).await;
    let twice: Vec<_> = mails.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "mails sent twice: {twice:?}");
    assert_eq!(mails.into_keys().collect::<BTreeSet<_>>(), decisions["mail"].iter().cloned().collect());
    let taken = receiver.taken();
    let repeats: u32 = taken.values().map(|times| times - 1).sum();
    assert_eq!(taken.into_keys().collect::<BTreeSet<_>>(), decisions["webhook"].iter().cloned().collect());
    let distinct: BTreeSet<&String> = decisions.values().flatten().collect();
    assert_eq!(distinct.len(), people * MESSAGES, "every message is one of its own");
    println!(
        "{steps} steps of {people} people in {rounds} rounds over {} deaths: {} messages, none lost and none twice; {repeats} webhooks \
         were repeated under their id",
        house.lives - 1,
        distinct.len()
    );
    process.kill().await;
}

/// Sends every call, each batch until it is taken.
async fn feed(client: Client, calls: Vec<String>) {
    for batch in calls.chunks(200) {
        while !client.try_batch(batch).await.is_ok_and(|status| status.is_success()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits until nothing is waiting or in flight, twice in a row; messages that wait for time to move do not count.
async fn settled(client: &Client) {
    let mut calm = 0;
    for _ in 0..6000 {
        let (_, queues) = client.get("/_local/queues").await;
        let at_rest = |(name, queue): (&String, &Value)| {
            name.ends_with("-dlq") || (queue["visible"] == 0 && queue["in_flight"] == 0)
        };
        calm = if queues.as_object().unwrap().iter().all(at_rest) { calm + 1 } else { 0 };
        if calm >= 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("the queues do not come to rest: {}", client.get("/_local/queues").await.1);
}

/// Redrives dead letters, and advances time until no message is delayed any more.
async fn at_rest(house: &mut House<'_>, client: &Client) -> Value {
    for _ in 0..12 {
        settled(client).await;
        for queue in perennial_local::stack::queues::NAMES {
            let (code, answer) = client.post(&format!("/_local/redrive/{queue}"), "application/json", "").await;
            assert_eq!(code, 200, "{answer}");
        }
        settled(client).await;
        house.pass(client, 16).await;
        settled(client).await;
        let status = client.status().await;
        if status["queues"].as_object().unwrap().values().all(|queue| queue["delayed"] == 0) {
            return status;
        }
    }
    panic!("messages are still held back: {}", client.status().await);
}

/// Returns the number of sends of each mail, by decision.
async fn mails(client: &Client) -> BTreeMap<String, u32> {
    let (mut mails, mut before) = (BTreeMap::new(), String::new());
    loop {
        let (_, page) = client.get(&format!("/_local/mails?limit=1000{before}")).await;
        let page = page["mails"].as_array().unwrap();
        for mail in page {
            *mails.entry(mail["tags"]["decision"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(last) = page.last() else { return mails };
        before = format!("&before={}", last["id"].as_str().unwrap());
    }
}
