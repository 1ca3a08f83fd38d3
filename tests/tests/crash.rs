//! The process is killed at random points and restarted, while its services throttle, lose responses and fail
//! partially: no event is lost, none is counted twice, no message is sent twice. `tests/run soak` runs the campaign at
//! its full length.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::process::Process;
use crate::support::{Client, Random, campaign};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The stack's simulated time, just after the events: they are new, so messages are sent.
const NOW: &str = "2026-03-02T12:00:00Z";
/// The full length of the campaign.
const CRASHES: usize = 200;
const PEOPLE: usize = 240;
const ACCOUNTS: usize = 20;
const EVENTS_EACH: usize = 12;

/// Returns events of people who start a trial and use the product; each gets one welcome, by mail and in the app.
fn events() -> Vec<String> {
    let mut random = Random(11);
    let mut events = Vec::new();
    for person in 0..PEOPLE {
        let user = format!("crash-{person}");
        for n in 0..EVENTS_EACH {
            let at = format!("2026-03-02T{:02}:{:02}:00.000Z", 8 + n / 4, person % 60);
            let mut call = json!({ "messageId": format!("{user}-{n}"), "userId": user, "timestamp": at });
            let fields = match n {
                0 => {
                    json!({ "type": "identify", "anonymousId": format!("anon-{person}"), "traits": { "email": format!("{user}@customer.example"), "plan": "trial" } })
                }
                1 => {
                    json!({ "type": "group", "groupId": format!("account-{}", person % ACCOUNTS), "traits": { "name": format!("Account {}", person % ACCOUNTS) } })
                }
                2 => json!({ "type": "track", "event": "Trial Started", "properties": { "plan": "pro" } }),
                3 => {
                    json!({ "type": "page", "userId": null, "anonymousId": format!("anon-{person}"), "name": "Pricing" })
                }
                _ => {
                    json!({ "type": "track", "event": "Feature Used", "properties": { "feature": format!("f{}", n % 3) } })
                }
            };
            call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            events.push(call.to_string());
        }
    }
    random.shuffle(&mut events);
    events
}

/// Returns the `identify` calls among them: without an address nobody can get a mail.
fn introductions(events: &[String]) -> Vec<String> {
    events.iter().filter(|event| event.contains(r#""type":"identify""#)).cloned().collect()
}

/// Writes the default configuration with people in the CRM below `dir`; returns its folder.
fn config_with_people(dir: &Path) -> String {
    let config = perennial_local::bundle::embedded();
    let folder = dir.join("config");
    for (name, text) in &config.files {
        let people = if name == "accounts.toml" { "\n[crm.people]\nfields = { stage = \"stage\" }\n" } else { "" };
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, format!("{text}{people}")).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_or_counted_twice_and_no_message_is_sent_twice_across_crashes() {
    let crashes = campaign(CRASHES);
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(23);
    let events = Arc::new(events());
    let base = Arc::new(Mutex::new(String::new()));
    let (taken, rounds) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));

    let config = config_with_people(dir.path());
    let process = Process::start(&dir.path().join("data"), &["--simulate-from", NOW, "--config", &config]).await;
    let client = Client::new(&process.base);
    client.batch(&introductions(&events)).await;
    settled(&client).await;
    process.kill().await;

    // A client that sends batch after batch, each until it is taken, and over again: clients retry, and work never runs out.
    let feeder = {
        let (events, base, taken, rounds) =
            (Arc::clone(&events), Arc::clone(&base), Arc::clone(&taken), Arc::clone(&rounds));
        tokio::spawn(async move {
            loop {
                for batch in events.chunks(15) {
                    loop {
                        let client = Client::new(&base.lock().unwrap().clone());
                        if client.try_batch(batch).await.is_ok_and(|status| status.is_success()) {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    taken.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    for crash in 0..crashes {
        let faults = format!("{}:0.04", 1000 + crash);
        let process = Process::start(&dir.path().join("data"), &["--simulate-from", NOW, "--faults", &faults]).await;
        *base.lock().unwrap() = process.base.clone();
        tokio::time::sleep(Duration::from_millis(20 + random.below(300) as u64)).await;
        process.kill().await;
    }
    assert!(taken.load(Ordering::Relaxed) > crashes / 4, "work went on between the crashes");

    // A last start without faults, to finish everything.
    let process = Process::start(&dir.path().join("data"), &["--simulate-from", NOW]).await;
    *base.lock().unwrap() = process.base.clone();
    let client = Client::new(&process.base);
    let sent = rounds.load(Ordering::Relaxed);
    while rounds.load(Ordering::Relaxed) == sent {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    feeder.abort();
    settled(&client).await;
    // Messages in flight at several kills count as failed and are moved to the dead-letter queue; an operator redrives
    // them.
    for queue in perennial_local::stack::queues::NAMES {
        let (code, answer) = client.post(&format!("/_local/redrive/{queue}"), "application/json", "").await;
        assert_eq!(code, 200, "{answer}");
    }
    settled(&client).await;
    // Mails whose send was interrupted wait for the mail service's report; without one, they are sent again.
    let status = waited(&client).await;

    assert_eq!(status["events"]["rejected"], 0);
    assert_eq!(status["profiles"], PEOPLE as u64, "anonymous visits are joined to their users");
    for account in 0..ACCOUNTS {
        let (code, account) = client.get(&format!("/api/accounts/account-{account}")).await;
        assert_eq!((code, &account["people"]), (200, &(PEOPLE / ACCOUNTS).into()), "{account}");
    }
    // Their mail addresses' domain was the account of all of them until a `group` call named one. A CRM update of it,
    // if any, is kept.
    let (code, domain) = client.get("/api/accounts/customer.example").await;
    assert!(code == 404 || domain["people"] == 0, "{domain}");
    assert!(status["accounts"] == ACCOUNTS as u64 + u64::from(code == 200), "{status}");
    for (name, queue) in status["queues"].as_object().unwrap() {
        assert_eq!(queue["dlq"], 0, "{name} has dead letters");
    }
    let mut deliveries = 0;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for person in 0..PEOPLE {
        let (code, profile) = client.get(&format!("/api/profiles/crash-{person}")).await;
        assert_eq!(code, 200);
        assert_eq!(profile["counts"]["Feature Used"], (EVENTS_EACH - 4) as u64, "person {person}");
        assert_eq!(profile["counts"]["Pricing Page Viewed"], 1, "person {person}");
        assert_eq!(profile["counts"]["Trial Started"], 1, "person {person}");
        deliveries += profile["counts"]["Email Delivered"].as_u64().unwrap_or(0);
        let updates = profile["crm"].as_array().unwrap();
        assert_eq!(
            (&updates[0]["state"], &updates[0]["fields"]["stage"]),
            (&json!("sent"), &profile["stage"]),
            "{profile}"
        );
        let is_done = |update: &&Value| update["state"] == "sent" || update["state"] == "suppressed";
        assert!(updates.iter().all(|update| is_done(&update)), "person {person}: {updates:?}");
        let welcome: Vec<&Value> =
            profile["messages"].as_array().unwrap().iter().filter(|m| m["journey"] == "welcome").collect();
        assert!(!welcome.is_empty(), "person {person} was not welcomed: {profile}");
        for message in welcome {
            *outcomes.entry(format!("{} {}", message["channel"], message["state"]).replace('"', "")).or_default() += 1;
        }
    }
    let expected = (PEOPLE * EVENTS_EACH) as u64 + deliveries;
    assert_eq!(status["events"]["accepted"], expected, "no event is lost and none is counted twice: {status}");
    let (_, mails) = client.get("/_local/mails?limit=1000").await;
    let mut by_decision: BTreeMap<String, u32> = BTreeMap::new();
    for mail in mails["mails"].as_array().unwrap() {
        *by_decision.entry(mail["tags"]["decision"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let twice: Vec<_> = by_decision.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "mails sent twice: {twice:?}");
    let batches = taken.load(Ordering::Relaxed);
    println!("{crashes} crashes, {batches} batches taken, {} mails, welcomes: {outcomes:?}", by_decision.len());
    let of = |outcome: &str| outcomes.get(outcome).copied().unwrap_or(0);
    let welcomed = PEOPLE - of("mail held_out");
    assert_eq!(of("mail delivered"), welcomed, "every welcome was sent, and is known to have been: {outcomes:?}");
    let welcomes = mails["mails"].as_array().unwrap().iter().filter(|mail| mail["tags"]["journey"] == "welcome");
    assert_eq!(welcomes.count(), welcomed, "each once");
    process.kill().await;
}

/// Advances time until no message is delayed any more, an hour and a half at most; returns the status then.
async fn waited(client: &Client) -> Value {
    let mut now: jiff::Timestamp = NOW.parse().unwrap();
    for _ in 0..6 {
        now += jiff::SignedDuration::from_mins(16);
        let body = json!({ "now": now }).to_string();
        let (code, answer) = client.post("/_local/time", "application/json", body).await;
        assert_eq!(code, 200, "{answer}");
        let status = settled(client).await;
        if status["queues"].as_object().unwrap().values().all(|queue| queue["delayed"] == 0) {
            return status;
        }
    }
    panic!("messages are still held back: {}", client.status().await);
}

/// Returns the status once nothing is waiting or in flight, twice in a row; messages that wait for time to move do not
/// count.
async fn settled(client: &Client) -> Value {
    let mut calm = 0;
    for _ in 0..3000 {
        let status = client.status().await;
        let at_rest = |queue: &Value| queue["depth"] == 0 && queue["in_flight"] == 0;
        let is_calm = status["queues"].as_object().unwrap().values().all(at_rest);
        calm = if is_calm { calm + 1 } else { 0 };
        if calm >= 2 {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the queues do not come to rest: {}", client.status().await);
}
