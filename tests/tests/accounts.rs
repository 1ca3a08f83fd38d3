//! Accounts end to end: their people, scores and CRM updates, and the cost of ten thousand people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, stack, stack_with};
use futures::stream::{self, StreamExt};
use perennial_contracts::queue::AccountsPayload;
use perennial_domain::{AccountId, Cause, Entry, Likelihood, Member, MessageId, PersonId, Score, Stage};
use perennial_local::stack::StackOptions;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NOW: &str = "2026-03-02T12:00:00Z";
/// The size that has to be rolled up within one invocation.
const PEOPLE: u32 = 10_000;
/// The allowed read units: 4 KB each, some 46 people.
const READ_UNITS: f64 = 225.0;

fn member(number: u32) -> Member {
    let points = |n: u32| Score::from(u8::try_from(n % 101).unwrap());
    let scores =
        [Likelihood::Purchase, Likelihood::Success, Likelihood::Churn, Likelihood::Upgrade, Likelihood::Conversion];
    Member {
        person: PersonId::derive(&[&number.to_be_bytes()]),
        stage: Stage::ALL[usize::try_from(number).unwrap() % Stage::ALL.len()],
        scores: (number..).zip(scores).map(|(n, likelihood)| (likelihood, points(n * 7))).collect(),
        engagement: points(number),
        last_seen: Some(NOW.parse().unwrap()),
        personas: [if number.is_multiple_of(5_000) { "billing_contact" } else { "power_user" }.to_owned()].into(),
        elsewhere: false,
        curve: None,
    }
}

/// Returns the request for the people of an account's event.
fn question(account: &AccountId) -> AccountsPayload {
    let message_id = MessageId::parse("m1").unwrap();
    let cause = Cause::Event { name: "Payment Failed".to_owned(), message_id };
    let entry = Entry {
        journey: "payment_failed".to_owned(),
        cause,
        properties: perennial_domain::Properties::new(),
        at: NOW.parse().unwrap(),
    };
    let to = vec!["billing_contact".to_owned()];
    AccountsPayload::Event { account: account.clone(), to, named: PersonId::derive(&[b"named"]), entry }
}

/// "10,000 people in one account roll up within one invocation and a stated number of read units."
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_people_roll_up_within_one_invocation_and_225_read_units() {
    let (stack, _) = stack_with(NOW, |options| StackOptions { meter: true, fast: true, ..options }).await;
    let account = AccountId::parse("acme").unwrap();
    let (store, id) = (stack.store(), &account);
    stream::iter(0..PEOPLE)
        .for_each_concurrent(64, |number| async move {
            assert!(store.put_member(id, &member(number), 1).await.unwrap());
        })
        .await;
    let meter = stack.aws().meter().unwrap();
    meter.reset();
    let began = Instant::now();
    let body = serde_json::to_string(&AccountsPayload::anew(account.clone())).unwrap();
    stack.sqs().send_message().queue_url(&stack.queue_urls().accounts).message_body(body).send().await.unwrap();
    let found = loop {
        let found = store.account(&account, perennial_store::Consistency::Strong).await.unwrap();
        if let Some(found) = found {
            break found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "an invocation may take 30 seconds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let took = began.elapsed();
    let used = meter.snapshot().dynamodb;
    let query = &used.operations["Query"];
    println!("{PEOPLE} people: {} read units in {} queries, {took:?} in a debug build", query.read_units, query.calls);
    assert!(query.read_units <= READ_UNITS, "{} read units", query.read_units);
    assert!(query.calls <= 2, "{} queries", query.calls);
    let summary = found.account.summary.unwrap();
    assert_eq!((summary.people, summary.score.get()), (PEOPLE, 100));
    assert!(summary.health.is_some());
    stack.wait_idle().await.unwrap();

    // Finding the people of an account's event costs the same.
    meter.reset();
    let body = serde_json::to_string(&question(&account)).unwrap();
    stack.sqs().send_message().queue_url(&stack.queue_urls().accounts).message_body(body).send().await.unwrap();
    stack.wait_idle().await.unwrap();
    let query = meter.snapshot().dynamodb.operations["Query"].clone();
    assert!(query.read_units <= READ_UNITS && query.calls <= 2, "{} read units in {}", query.read_units, query.calls);
    stack.stop().await;
}

async fn crm(client: &Client) -> Vec<Value> {
    let (_, webhooks) = client.get("/_local/webhooks").await;
    let all = webhooks["webhooks"].as_array().unwrap().clone();
    all.into_iter().filter(|webhook| webhook["endpoint"] == "crm").collect()
}

fn call(id: &str, kind: &str, user: &str, rest: Value) -> String {
    let mut call = json!({ "messageId": id, "type": kind, "userId": user, "timestamp": "2026-03-02T11:00:00Z" });
    call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    call.to_string()
}

/// Scenario 16: company domain, touch level by value, owner, the sum over the buyers, and the CRM's field.
#[tokio::test(flavor = "multi_thread")]
async fn colleagues_are_found_by_their_domain_join_their_account_and_the_crm_hears_of_it() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let mut calls = vec![call("s", "identify", "sam", json!({ "traits": { "email": "sam@gmail.com" } }))];
    for (nth, user) in ["ada", "bob"].into_iter().enumerate() {
        let mail = format!("{user}@sales.globex.example");
        calls.push(call(&format!("i{nth}"), "identify", user, json!({ "traits": { "email": mail } })));
        calls.push(call(&format!("d{nth}"), "track", user, json!({ "event": "Demo Requested" })));
    }
    client.batch(&calls).await;
    stack.wait_idle().await.unwrap();
    let (_, found) = client.get("/api/accounts/globex.example").await;
    assert_eq!((&found["people"], &found["touch"]), (&json!(2), &json!("none")), "{found}");
    let score = found["score"].as_u64().unwrap();
    assert!(score >= 60 && found["reasons"][0]["identity"].is_string(), "{found}");
    let told = crm(&client).await;
    assert_eq!(told.last().unwrap()["body"]["data"]["fields"]["perennial_account_score"], score);

    let traits = json!({ "groupId": "customer-9", "traits": { "name": "Globex", "website": "https://www.globex.example", "mrr": 5000 } });
    client.batch(&[call("g", "group", "carol", traits)]).await;
    stack.wait_idle().await.unwrap();
    let (_, account) = client.get("/api/accounts/customer-9").await;
    assert_eq!((&account["people"], &account["domains"]), (&json!(3), &json!(["globex.example"])), "{account}");
    assert_eq!((&account["touch"], &account["owner"]), (&json!("high"), &json!("key accounts")));
    assert_eq!(account["value"], json!({ "minor": 6_000_000, "currency": "USD" }));
    assert!(account["score"].as_u64().unwrap() >= score);
    assert_eq!(client.get("/api/accounts/globex.example").await.1["id"], "customer-9");
    assert_eq!(client.status().await["accounts"], 1);
    let told = crm(&client).await;
    let ids: std::collections::BTreeSet<&str> = told.iter().map(|webhook| webhook["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), told.len());
    assert_eq!(told.last().unwrap()["body"]["data"]["account"]["id"], "customer-9");
    assert_eq!(told.last().unwrap()["body"]["data"]["fields"]["perennial_touch"], "high");
    stack.stop().await;
}

/// Wrong results, row 14: the follow-up of an account waits seconds of the stack's time, however far time is moved at once.
#[tokio::test(flavor = "multi_thread")]
async fn account_ready_comes_within_thirty_seconds_of_simulated_time() {
    let (stack, time) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    for user in ["ada", "bob", "cleo"] {
        let identify =
            json!({ "traits": { "email": format!("{user}@globex.example"), "title": "CFO" }, "timestamp": NOW });
        let mut calls = vec![call(&format!("i-{user}"), "identify", user, identify)];
        calls.push(call(&format!("g-{user}"), "group", user, json!({ "groupId": "globex", "timestamp": NOW })));
        for event in ["Demo Requested", "Pricing Page Viewed"] {
            calls.push(call(&format!("{event}-{user}"), "track", user, json!({ "event": event, "timestamp": NOW })));
        }
        client.batch(&calls).await;
        stack.wait_idle().await.unwrap();
    }
    let began = time.now();
    stack.move_time(&time, began + jiff::SignedDuration::from_hours(72)).await.unwrap();
    let (_, account) = client.get("/api/accounts/globex").await;
    let mut tasks = Vec::new();
    for user in ["ada", "bob", "cleo"] {
        let (_, profile) = client.get(&format!("/api/profiles/{user}")).await;
        let all = profile["messages"].as_array().unwrap().clone();
        tasks.extend(all.into_iter().filter(|message| message["journey"] == "account_ready"));
    }
    assert_eq!(tasks.len(), 1, "one task about the account: {account}");
    let at: jiff::Timestamp = tasks[0]["decided_at"].as_str().unwrap().parse().unwrap();
    assert!(at.duration_since(began) <= jiff::SignedDuration::from_secs(30), "{}", tasks[0]);
    stack.stop().await;
}

/// After joining another account, the first one has nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_two_accounts_is_in_both_and_counts_in_the_primary() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let group = |id: &str, at: &str, rest: Value| {
        json!({ "messageId": id, "type": "group", "userId": "ada", "timestamp": at }).as_object().cloned().map(
            |mut call| {
                call.extend(rest.as_object().unwrap().clone());
                Value::Object(call).to_string()
            },
        )
    };
    let account = async |id: &str| client.get(&format!("/api/accounts/{id}")).await.1;
    let first =
        group("g1", "2026-03-02T11:00:00Z", json!({ "groupId": "agency", "traits": { "name": "Agency" } })).unwrap();
    client.batch(&[first, call("d", "track", "ada", json!({ "event": "Demo Requested" }))]).await;
    stack.wait_idle().await.unwrap();
    let alone = account("agency").await;
    assert_eq!((&alone["people"], &alone["elsewhere"]), (&json!(1), &json!(0)), "{alone}");
    assert!(alone["score"].as_u64().unwrap() > 0, "{alone}");

    let second =
        group("g2", "2026-03-02T11:10:00Z", json!({ "groupId": "client", "traits": { "name": "Client" } })).unwrap();
    client.batch(&[second]).await;
    stack.wait_idle().await.unwrap();
    let (agency, other) = (account("agency").await, account("client").await);
    assert_eq!(
        (&agency["people"], &agency["elsewhere"], &agency["score"]),
        (&json!(1), &json!(1), &json!(0)),
        "{agency}"
    );
    assert_eq!((&agency["reasons"], &agency["members"][0]["elsewhere"]), (&json!([]), &json!(true)), "{agency}");
    assert_eq!(
        (&other["people"], &other["elsewhere"], &other["score"]),
        (&json!(1), &json!(0), &alone["score"]),
        "{other}"
    );
    let (_, profile) = client.get("/api/profiles/ada").await;
    let shown: Vec<_> =
        profile["memberships"].as_array().unwrap().iter().map(|of| (&of["account"], &of["primary"])).collect();
    assert_eq!(shown, [(&json!("client"), &json!(true)), (&json!("agency"), &json!(false))]);
    assert_eq!(profile["account"], "client");
    let (_, explained) = client.get("/api/profiles/ada/explain").await;
    let told = explained["person"]["told"].as_array().unwrap();
    let wanted = json!("ada also belongs to agency; their scores count in client only.");
    assert!(told.contains(&wanted), "{told:?}");

    let left = group("g3", "2026-03-02T11:20:00Z", json!({ "groupId": "client", "traits": { "left": true } })).unwrap();
    client.batch(&[left]).await;
    stack.wait_idle().await.unwrap();
    let (agency, other) = (account("agency").await, account("client").await);
    assert_eq!(
        (&agency["people"], &agency["elsewhere"], &agency["score"]),
        (&json!(1), &json!(0), &alone["score"]),
        "{agency}"
    );
    assert_eq!((&other["people"], &other["traits"]), (&json!(0), &json!({ "name": "Client" })), "{other}");
    stack.stop().await;
}
