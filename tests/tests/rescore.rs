//! Rescoring produces the profiles that the new rules would have produced from the start, while new events arrive; also
//! calibration and explanations over the running system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, derived, everyone, feed, stack_with, told_apart};
use perennial_config::Bundle;
use perennial_local::bundle;
use perennial_local::stack::{Stack, StackOptions};
use perennial_sample as sample;
use perennial_store::{Stored, Summary};
use serde_json::Value;
use std::collections::BTreeMap;

const END: &str = "2026-11-01T00:00:00Z";
/// Long enough after it that no event triggers a journey: mail events would differ with the rules that sent the mails.
const LATER: &str = "2026-12-16T00:00:00Z";

fn calls() -> Vec<String> {
    let company = sample::company(END.parse().unwrap(), sample::SEED);
    told_apart(company.calls().map(|call| call.body.to_string()).collect())
}

/// The default config before a change of rules: other half-lives, conditions, tallies, milestones, features and segments.
fn before() -> Bundle {
    let mut bundle = bundle::embedded();
    let mut change = |file: &str, from: &str, to: &str| {
        let text = bundle.files.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *text = text.replace(from, to);
    };
    change("scoring.toml", "half_life_days = 14", "half_life_days = 21");
    change("scoring.toml", "id = \"churn_errors\"", "id = \"churn_mistakes\"");
    change("scoring.toml", "where = 'properties.nps >= 9'", "where = 'properties.nps >= 10'");
    change(
        "scoring.toml",
        "events = [\"$page\", \"Content Viewed\", \"Campaign Clicked\"]",
        "events = [\"Content Viewed\"]",
    );
    change("lifecycle.toml", "    \"Invoice Paid\",\n", "");
    change("lifecycle.toml", "\"White Paper Downloaded\", ", "");
    change("features.toml", "name = \"exports\"", "name = \"downloads\"");
    change("segments.toml", "name = \"upset\"", "name = \"unhappy\"");
    // The journey version of runs in progress must not refer to names that are missing in the new configuration.
    change("journeys.toml", " && !segment(\"upset\")", "");
    bundle
}

async fn rescore(stack: &Stack, dry_run: bool) -> Value {
    let path = format!("/_local/rescore?dry_run={dry_run}");
    let (status, text) = Client::new(stack.base_url()).post(&path, "application/json", "").await;
    assert_eq!(status, 200, "{text}");
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(last["done"].is_object(), "{last}");
    last["done"].clone()
}

/// Returns the summaries of everyone.
fn shown(everyone: &BTreeMap<String, Stored>) -> BTreeMap<&String, &Summary> {
    everyone.iter().map(|(id, stored)| (id, &stored.summary)).collect()
}

async fn messages(stack: &Stack) -> Value {
    Client::new(stack.base_url()).status().await["messages"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_scored_anew_as_if_the_rules_had_always_held() {
    let calls = calls();
    let (early, late) = calls.split_at(calls.len() * 3 / 4);
    let (straight, _) = stack_with(LATER, |options| options).await;
    feed(&straight, early, || 100).await;
    feed(&straight, late, || 20).await;
    // Everyone is evaluated once more, with the final accounts.
    rescore(&straight, false).await;
    straight.wait_idle().await.unwrap();
    let expected = everyone(straight.store()).await;
    straight.stop().await;

    let dir = tempfile::tempdir().unwrap();
    let kept = |config: Bundle| {
        let data = Some(dir.path().to_owned());
        move |options: StackOptions| StackOptions { data, config, fast: true, ..options }
    };
    let (old, _) = stack_with(LATER, kept(before())).await;
    feed(&old, early, || 100).await;
    let under_old = everyone(old.store()).await;
    // A data folder keeps its active configuration, so the new one is pushed.
    old.store().push_config(&bundle::embedded(), LATER.parse().unwrap()).await.unwrap();
    old.stop().await;

    let (new, _) = stack_with(LATER, kept(bundle::embedded())).await;
    let sent = messages(&new).await;
    let dry = rescore(&new, true).await;
    assert!(dry["changed"].as_u64().unwrap() > 100 && dry["not_done"] == serde_json::json!([]), "{dry}");
    assert_eq!(derived(&everyone(new.store()).await), derived(&under_old), "a dry run changes nothing");
    let done = rescore(&new, false).await;
    assert_eq!(done["changed"], dry["changed"]);
    let again = rescore(&new, true).await;
    assert_eq!((&again["changed"], &again["examples"]), (&0.into(), &serde_json::json!([])), "{again}");
    new.wait_idle().await.unwrap();
    assert_eq!(messages(&new).await, sent, "nobody is written to because of it");

    // The rest comes while everyone is rescored again.
    let (outcome, ()) = tokio::join!(rescore(&new, false), feed(&new, late, || 20));
    assert_eq!(outcome["not_done"], serde_json::json!([]), "{outcome}");
    rescore(&new, false).await;
    new.wait_idle().await.unwrap();
    let rescored = everyone(new.store()).await;
    assert_eq!(rescored.len(), expected.len());
    let (is, should) = (derived(&rescored), derived(&expected));
    for (person, bytes) in &should {
        assert_eq!(Some(bytes), is.get(person), "{person} is not as if the rules had always held");
    }
    assert_eq!(shown(&rescored), shown(&expected), "stages, scores, personas and segments");
    new.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_company_is_calibrated_and_explained() {
    let (stack, _) = stack_with(END, |options| options).await;
    feed(&stack, &calls(), || 200).await;
    let client = Client::new(stack.base_url());
    let (status, text) = client.post("/_local/calibrate", "application/json", "").await;
    assert_eq!(status, 200, "{text}");
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let found = &last["done"];
    assert!(found["people"].as_u64().unwrap() >= 30, "{found}");
    let names: Vec<&str> =
        found["tallies"].as_array().unwrap().iter().map(|tally| tally["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["awareness", "consideration", "decision"]);
    let average: f64 =
        found["tallies"].as_array().unwrap().iter().map(|tally| tally["average"].as_f64().unwrap()).sum();
    assert!((found["points"].as_f64().unwrap() - 100.0 / average).abs() < 1e-9);

    // Everyone's contributions add up, in numbers and as displayed.
    let people = everyone(stack.store()).await;
    for id in people.keys().step_by(40) {
        let (status, explained) = client.get(&format!("/api/profiles/{id}/explain")).await;
        let absent = explained["absent"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!((status, explained["scores"].as_object().unwrap().len() + absent), (200, 9));
        for (name, score) in explained["scores"].as_object().unwrap() {
            let value = score["value"].as_f64().unwrap();
            let sum: f64 =
                score["reasons"].as_array().unwrap().iter().map(|reason| reason["points"].as_f64().unwrap()).sum();
            assert!((sum - value).abs() <= 0.5 + 1e-6, "{id} {name}: {score}");
            let rows = score["told"]["rows"].as_array().unwrap().iter();
            let tenths: i64 =
                rows.map(|row| row["points"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum();
            assert_eq!(tenths, value as i64 * 10, "{id} {name}: {score}");
        }
    }
    let (_, segments) = client.get("/api/segments").await;
    let counted: u64 =
        segments["segments"].as_array().unwrap().iter().map(|segment| segment["people"].as_u64().unwrap()).sum();
    let stored: usize = people.values().map(|stored| stored.summary.segments.len()).sum();
    assert_eq!(counted, stored as u64);
    stack.stop().await;
}
