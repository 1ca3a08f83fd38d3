//! Lists of the sample company contain what its profiles and accounts are, one by one; and cost what is stated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, everyone, feed, stack_with};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Likelihood, Stage};
use perennial_engine::relist::is_listed;
use perennial_local::stack::{Stack, StackOptions};
use perennial_sample as sample;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::process::Command;

const END: &str = "2026-11-01T12:00:00Z";

/// Returns the rows of all pages, by their ids.
async fn rows(client: &Client, path: &str, name: &str) -> BTreeMap<String, Value> {
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let (status, page) = client.get(&format!("{path}limit=90{cursor}")).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert_eq!(page["unreadable"], 0);
        for row in page[name].as_array().unwrap() {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(found.insert(id, row.clone()).is_none(), "{path}: {row} comes twice");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Returns the listed profiles as the api shows each of them.
async fn profiles(stack: &Stack, client: &Client) -> BTreeMap<String, Value> {
    let people = everyone(stack.store()).await.into_values();
    let listed = people.filter(|stored| is_listed(&stored.profile, &stored.profile.view()));
    let shown = listed.map(|stored| async move {
        let id = stored.profile.id.to_string();
        let (status, profile) = client.get(&format!("/api/profiles/{id}")).await;
        assert_eq!(status, 200);
        (id, profile)
    });
    stream::iter(shown).buffer_unordered(8).collect().await
}

fn ids(of: &BTreeMap<String, Value>, is_in: impl Fn(&Value) -> bool) -> BTreeSet<&str> {
    of.iter().filter(|(_, value)| is_in(value)).map(|(id, _)| id.as_str()).collect()
}

/// Checks that `path` lists exactly the `expected` ones. Those in `due` may still be missing: they join when their timers
/// fire, within a day.
async fn check(client: &Client, path: &str, name: &str, expected: BTreeSet<&str>, due: &BTreeSet<&str>) {
    let found = rows(client, path, name).await;
    let found: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&found).filter(|id| !due.contains(*id)).collect();
    let more: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && more.is_empty(), "{path}: missing {missing:?}, too many {more:?}");
}

/// Moves time until messages that were to wait have arrived: people are evaluated some minutes after their account changed.
async fn settle(stack: &Stack, client: &Client, now: &mut Timestamp, steps: i64, hours: i64) {
    for _ in 0..steps {
        *now += SignedDuration::from_hours(hours);
        let (status, answer) =
            client.post("/_local/time", "application/json", json!({ "now": *now }).to_string()).await;
        assert_eq!(status, 200, "{answer}");
        stack.wait_idle().await.unwrap();
    }
}

fn has(list: &Value, name: &str) -> bool {
    list.as_array().unwrap().iter().any(|one| one == name || one["name"] == name)
}

async fn check_people(stack: &Stack, client: &Client, segments: &[String], personas: &[String]) {
    let people = profiles(stack, client).await;
    let is_due = |profile: &Value| {
        let at = |name: &str| profile[name].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        at("due_at").zip(at("now")).is_some_and(|(due, now)| due <= now + SignedDuration::from_hours(24))
    };
    let due = &ids(&people, is_due);
    check(client, "/api/profiles?", "people", ids(&people, |_| true), due).await;
    for stage in Stage::ALL {
        let expected = ids(&people, |profile| profile["stage"] == stage.as_str());
        check(client, &format!("/api/profiles?stage={stage}&"), "people", expected, due).await;
    }
    for name in segments {
        let expected = ids(&people, |profile| has(&profile["segments"], name));
        check(client, &format!("/api/profiles?segment={name}&"), "people", expected, due).await;
    }
    for name in personas {
        let expected = ids(&people, |profile| has(&profile["personas"], name));
        check(client, &format!("/api/profiles?persona={name}&"), "people", expected, due).await;
    }
    for likelihood in Likelihood::ALL {
        let name = likelihood.as_str();
        for (min, max) in [(0, 100), (70, 100), (31, 58), (0, 9)] {
            let expected = ids(&people, |profile| {
                profile["scores"][name]["value"].as_u64().is_some_and(|value| (min..=max).contains(&value))
            });
            check(client, &format!("/api/profiles?score={name}&min={min}&max={max}&"), "people", expected, due).await;
        }
    }
    let expected = ids(&people, |profile| {
        let at_risk = profile["scores"]["churn"]["value"].as_u64().is_some_and(|value| value >= 40);
        at_risk && has(&profile["segments"], "long_tail")
    });
    check(client, "/api/profiles?segment=long_tail&score=churn&min=40&", "people", expected, due).await;
    // Owners are only in the rows.
    let all = rows(client, "/api/profiles?", "people").await;
    let owners: BTreeSet<&str> = all.values().filter_map(|row| row["owner"].as_str()).collect();
    assert!(owners.len() > 2, "{owners:?}");
    for owner in owners {
        let path = format!("/api/profiles?owner={}&", owner.replace(' ', "%20"));
        check(client, &path, "people", ids(&all, |row| row["owner"] == owner), due).await;
    }
}

async fn check_accounts(client: &Client) {
    let all = rows(client, "/api/accounts?", "accounts").await;
    assert!(all.len() > 20, "{}", all.len());
    let shown = all.keys().map(|id| async move { (id.clone(), client.get(&format!("/api/accounts/{id}")).await.1) });
    let accounts: BTreeMap<String, Value> = stream::iter(shown).buffer_unordered(8).collect().await;
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    for field in ["stage", "touch", "owner"] {
        let values: BTreeSet<String> = accounts.values().map(|account| text(&account[field])).collect();
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let path = format!("/api/accounts?{field}={}&", value.replace(' ', "+"));
            check(
                client,
                &path,
                "accounts",
                ids(&accounts, |account| account[field] == value.as_str()),
                &BTreeSet::new(),
            )
            .await;
        }
    }
    for (scale, min, max) in [("readiness", 0, 100), ("readiness", 40, 100), ("health", 0, 50), ("health", 51, 100)] {
        let is_in = |row: &Value| row[scale].as_u64().is_some_and(|value| (min..=max).contains(&value));
        let path = format!("/api/accounts?score={scale}&min={min}&max={max}&");
        check(client, &path, "accounts", ids(&all, is_in), &BTreeSet::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_the_sample_company_is_what_its_profiles_are() {
    let (stack, simulated) = stack_with(END, |options| StackOptions { meter: true, fast: true, ..options }).await;
    let client = Client::new(stack.base_url());
    let company = sample::company(END.parse().unwrap(), sample::SEED);
    let calls: Vec<String> = company.calls().map(|call| call.body.to_string()).collect();
    // The last weeks: everybody is known after most of them.
    let (first, last) = calls[calls.len() - 12_000..].split_at(9_000);
    let meter = stack.aws().meter().unwrap();
    for (what, calls) in [("new", first), ("known", last)] {
        meter.reset();
        feed(&stack, calls, || 100).await;
        let used = meter.snapshot().dynamodb;
        let an_event = |units: f64| units / calls.len() as f64;
        println!(
            "{} events of {what} people; write units an event: {:.3}, of them {:.3} for lists; puts {:?}, indexes {:?}",
            calls.len(),
            an_event(used.write_units),
            an_event(used.put_units["X"]),
            used.put_units,
            used.index_units
        );
    }
    let mut now = simulated.now();
    settle(&stack, &client, &mut now, 3, 1).await;
    let config = perennial_config::Config::load(&perennial_local::bundle::embedded()).unwrap();
    let segments: Vec<String> = config.segments.all.iter().map(|segment| segment.name.clone()).collect();
    let personas: Vec<String> = config.personas.all.iter().map(|persona| persona.name.clone()).collect();
    check_people(&stack, &client, &segments, &personas).await;
    check_accounts(&client).await;

    println!("lists equal the profiles; ten days of silence follow");
    // Time alone: everyone is silent, and timers fire.
    settle(&stack, &client, &mut now, 10, 24).await;
    settle(&stack, &client, &mut now, 3, 1).await;
    check_people(&stack, &client, &segments, &personas).await;
    check_accounts(&client).await;

    println!("lists equal the profiles after that, too");
    // A page does not read more than the limit lets it.
    meter.reset();
    let (_, page) = client.get("/api/profiles?segment=long_tail&limit=20").await;
    let used = meter.snapshot().dynamodb;
    assert_eq!(page["people"].as_array().unwrap().len(), 20, "{page}");
    println!("a page of 20: {} read units, {:?}", used.read_units, used.operations);
    assert!(!used.operations.contains_key("Scan") && used.read_units < 160.0, "{:?}", used.operations);

    // An erased person is gone from every list at once.
    let person = page["people"][0].clone();
    let id = person["id"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let receipt = folder.path().join("receipt.json").to_str().unwrap().to_owned();
    let erased = perennial(&stack, &["erase", id, "--yes", "--receipt", &receipt]).await;
    assert!(erased.0, "{}", erased.1);
    let left = rows(&client, "/api/profiles?", "people").await;
    assert!(!left.contains_key(id));
    assert!(!rows(&client, "/api/profiles?segment=long_tail&", "people").await.contains_key(id));

    let (is_fine, out) =
        perennial(&stack, &["people", "--score", "churn", "--min", "50", "--csv", "--limit", "0"]).await;
    let lines = out.lines().count();
    let expected = rows(&client, "/api/profiles?score=churn&min=50&", "people").await.len();
    assert!(is_fine && lines == expected + 1 && out.starts_with("\"id\",\"identity\",\"name\""), "{lines} {out}");
    let accounts = rows(&client, "/api/accounts?", "accounts").await;
    let touch = accounts.values().find_map(|row| row["touch"].as_str()).expect("an account with a touch model");
    let (is_fine, out) = perennial(&stack, &["accounts", "--touch", touch]).await;
    assert!(is_fine && out.contains("readiness"), "{out}");
    let (is_fine, out) = perennial(&stack, &["people", "--segment", "nobody"]).await;
    assert!(!is_fine && out.contains("segment must be one of long_tail"), "{out}");
    stack.stop().await;
}

/// Runs a command against the stack; returns whether it succeeded, and what it printed.
async fn perennial(stack: &Stack, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    command.args(arguments).args(["--url", stack.base_url()]).env_remove("PERENNIAL_STACK").env("NO_COLOR", "1");
    let output = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout) + &text(output.stderr))
}
