//! Reports against an independent computation: `reports/figures.py` reads the same archived events and computes the same
//! figures by their definitions. They are equal to the unit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, feed, gz_lines, shared_data, stack};
use perennial_local::stack::Stack;
use perennial_report::{Deps, Request, handler};
use perennial_reports::{Cell, Name, Report};
use perennial_sample as sample;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Makes all reports of a stack.
async fn make(stack: &Stack) {
    let (clock, _) = perennial_lambda_kit::Clock::simulated(stack.now());
    let deps = Deps::new(stack.store().clone(), stack.archive().clone(), clock);
    let made = handler::handle(&deps, Request { now: true }).await.unwrap().made.unwrap();
    assert_eq!(made.unreadable, 0);
}

/// The figures that Python computes from the archived events.
async fn computed(stack: &Stack) -> Value {
    let (_, environment) = Client::new(stack.base_url()).get("/_local/functions/report/environment").await;
    let archive = environment["ARCHIVE"].as_str().unwrap().trim_start_matches("file://").to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.arg(root.join("tests/reports/figures.py")).arg(root.join("../infra/config")).arg(archive);
    let output =
        python.arg(stack.now().to_string()).env("PYTHONDONTWRITEBYTECODE", "1").output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn report(stack: &Stack, name: Name) -> Report {
    let (status, answer) = Client::new(stack.base_url()).get(&format!("/api/reports/{}", name.as_str())).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer).unwrap()
}

/// The rows of a table as plain JSON: counts and minor units as numbers, shares as pairs.
fn rows(report: &Report, table: usize) -> Vec<Vec<Value>> {
    let plain = |cell: &Cell| match cell {
        Cell::Share { part, of } => json!([part, of]),
        Cell::Money { minor, .. } => json!(minor),
        cell => serde_json::to_value(cell).unwrap(),
    };
    report.tables[table].rows.iter().map(|row| row.iter().map(plain).collect()).collect()
}

/// Compares activity and cohorts, which every stream has.
async fn compare_activity(stack: &Stack, computed: &Value) {
    let activity = report(stack, Name::Activity).await;
    assert_eq!(json!(activity.people), computed["people"]);
    let shown: Vec<Value> = rows(&activity, 0).iter().map(|row| json!(row[..4])).collect();
    assert_eq!(json!(shown), computed["activity"]);
    assert!(shown.iter().any(|row| row[1].as_u64() > Some(10)), "the stream is active in these days");
    let cohorts = report(stack, Name::Cohorts).await;
    let shown: Vec<Vec<Value>> =
        rows(&cohorts, 0).into_iter().map(|row| row.into_iter().filter(|cell| !cell.is_null()).collect()).collect();
    assert_eq!(json!(shown), computed["cohorts"]);
}

/// Compares what reports say of mails with the mails that arrived at the mail service.
async fn compare_mails(stack: &Stack) {
    let client = Client::new(stack.base_url());
    let (mut domains, mut journeys) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    let mut before = String::new();
    loop {
        let (_, page) = client.get(&format!("/_local/mails?limit=1000{before}")).await;
        let mails = page["mails"].as_array().unwrap();
        for mail in mails {
            let (_, domain) = mail["to"][0].as_str().unwrap().rsplit_once('@').unwrap();
            *domains.entry(domain.to_owned()).or_default() += 1;
            *journeys.entry(mail["tags"]["journey"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(last) = mails.last().filter(|_| mails.len() == 1000) else { break };
        before = format!("&before={}", last["id"].as_str().unwrap());
    }
    assert!(!domains.is_empty(), "most events are too old for a mail, but not all");
    let mails = report(stack, Name::Deliverability).await;
    let shown: BTreeMap<String, u64> =
        rows(&mails, 1).iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap())).collect();
    assert_eq!(shown, journeys);
    let mut sorted: Vec<(String, u64)> = domains.into_iter().collect();
    sorted.sort_by_key(|(domain, mails)| (std::cmp::Reverse(*mails), domain.clone()));
    let rest: u64 = sorted.drain(sorted.len().min(50)..).map(|(_, mails)| mails).sum();
    sorted.extend((rest > 0).then(|| ("other domains".to_owned(), rest)));
    let shown: Vec<(String, u64)> =
        rows(&mails, 0).iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap())).collect();
    assert_eq!(shown, sorted);
    let sent: u64 = journeys.values().sum();
    let by_content: u64 = rows(&report(stack, Name::Messages).await, 1)
        .iter()
        .filter(|row| row[3] == "mail")
        .map(|row| row[5].as_u64().unwrap())
        .sum();
    assert_eq!(by_content, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_sample_company_are_those_of_its_events() {
    let end = "2026-11-01T00:00:00Z";
    let company = sample::company(end.parse().unwrap(), sample::SEED);
    let calls: Vec<String> = company.calls().map(|call| call.body.to_string()).collect();
    let (stack, _) = stack(end).await;
    feed(&stack, &calls, || 200).await;
    make(&stack).await;
    let computed = computed(&stack).await;
    assert_eq!(json!(company.expected().people), computed["people"], "both know who is one person");
    compare_activity(&stack, &computed).await;

    for row in rows(&report(&stack, Name::Adoption).await, 0) {
        let name = row[0].as_str().unwrap();
        assert_eq!(json!([row[2], row[4], row[6], row[7]]), computed["features"][name], "{name}");
    }
    let months: serde_json::Map<String, Value> = rows(&report(&stack, Name::Nps).await, 0)
        .into_iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), json!(row[2..5])))
        .collect();
    assert_eq!(Value::Object(months), computed["nps"]);

    let revenue = report(&stack, Name::Revenue).await;
    let months: Vec<Value> = rows(&revenue, 0)
        .into_iter()
        .map(|row| json!([row[0], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9]]))
        .collect();
    assert_eq!(json!(months), computed["revenue"]["months"]);
    let row = &rows(&revenue, 1)[0];
    let kept = json!([row[1], row[3], row[4][0], row[5][0], row[6], row[7][0]]);
    assert_eq!(kept, computed["revenue"]["retention"]);

    compare_mails(&stack).await;
    let funnel = report(&stack, Name::Funnel).await;
    let reached = |step: &str| rows(&funnel, 1).into_iter().find(|row| row[0] == step).unwrap()[1].clone();
    let path = rows(&funnel, 2).into_iter().find(|row| row[0] == "trial" && row[1] == "customer").unwrap();
    let shown =
        json!({"trial": reached("trial"), "customer": reached("customer"), "converted": path[2], "median": path[4]});
    assert_eq!(shown, computed["funnel"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_real_learners_are_those_of_their_events() {
    let Some(stream) = shared_data("streams/oulad_100k.ndjson.gz") else { return };
    let now = "2013-07-01T00:00:00Z";
    let until = |line: &String| {
        let call: Value = serde_json::from_str(line).unwrap();
        call["timestamp"].as_str().unwrap() < now
    };
    let calls: Vec<String> = gz_lines(&stream).into_iter().filter(until).collect();
    assert!(calls.len() > 10_000);
    let (stack, _) = stack(now).await;
    feed(&stack, &calls, || 400).await;
    make(&stack).await;
    compare_activity(&stack, &computed(&stack).await).await;
    stack.stop().await;
}
