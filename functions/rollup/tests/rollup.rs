//! The real handler over a DynamoDB behind its real HTTP API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{AccountTraits, AccountsPayload};
use perennial_domain::{AccountId, Likelihood, Member, MessageId, PersonId, Score, Stage};
use perennial_lambda_kit::aws::{self, AwsCredentials, AwsEnv, Endpoints};
use perennial_lambda_kit::{Clock, Env};
use perennial_rollup::{Deps, handler};
use perennial_store::Store;

fn at(second: i64) -> Timestamp {
    "2026-01-10T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

async fn table() -> (Store, Deps) {
    let env = AwsEnv {
        region: "eu-central-1".to_owned(),
        credentials: AwsCredentials::local(),
        endpoints: Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() },
    };
    let http = aws::http_client(&Env::from_pairs([("X", "x")])).unwrap();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws::sdk_config(&env, http)), "perennial");
    store.create_table().await.unwrap();
    let (clock, _) = Clock::simulated(at(0));
    (store.clone(), Deps::new(store, clock))
}

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn member(name: &str, purchase: u8) -> Member {
    Member {
        person: PersonId::derive(&[name.as_bytes()]),
        stage: Stage::Lead,
        scores: [(Likelihood::Purchase, Score::from(purchase))].into(),
        engagement: Score::default(),
        last_seen: Some(at(-i64::from(purchase))),
        personas: std::collections::BTreeSet::new(),
    }
}

fn changed(account: &str, call: Option<(&str, i64, &str)>) -> String {
    let traits = call.map(|(message, second, plan)| AccountTraits {
        traits: serde_json::json!({ "plan": plan }).as_object().unwrap().clone(),
        at: at(second),
        message_id: MessageId::parse(message).unwrap(),
    });
    serde_json::to_string(&AccountsPayload::Changed { account: id(account), traits }).unwrap()
}

async fn hand(deps: &Deps, bodies: &[String]) -> Vec<String> {
    let records =
        bodies.iter().enumerate().map(|(i, body)| serde_json::json!({ "messageId": format!("r{i}"), "body": body }));
    let event = serde_json::from_value(serde_json::json!({ "Records": records.collect::<Vec<_>>() })).unwrap();
    let response = handler::handle(deps, event).await.unwrap();
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn the_buyers_of_a_company_add_up_to_its_score() {
    let (store, deps) = table().await;
    for (version, (name, purchase)) in (1..).zip([("a", 30), ("b", 40), ("c", 20)]) {
        store.put_member(&id("acme"), &member(name, purchase), version).await.unwrap();
    }
    store.leave_account(&id("acme"), member("c", 0).person, 9, at(0)).await.unwrap();
    assert!(hand(&deps, &[changed("acme", None)]).await.is_empty());
    let account = store.account(&id("acme")).await.unwrap().unwrap();
    let summary = account.summary.unwrap();
    assert_eq!((summary.score.get(), summary.people, summary.health, summary.last_seen), (70, 2, None, Some(at(-30))));
    assert_eq!(summary.reasons.iter().map(|reason| reason.points).collect::<Vec<_>>(), [40, 30]);
}

#[tokio::test]
async fn an_account_is_written_once_a_batch_and_not_at_all_where_nothing_changed() {
    let (store, deps) = table().await;
    store.put_member(&id("acme"), &member("a", 30), 1).await.unwrap();
    let bodies = [
        changed("acme", Some(("m1", 5, "team"))),
        changed("acme", None),
        changed("acme", Some(("m2", 1, "solo"))),
        changed("other", None),
    ];
    for _ in 0..3 {
        assert!(hand(&deps, &bodies).await.is_empty());
    }
    let account = store.account(&id("acme")).await.unwrap().unwrap();
    assert_eq!((account.version, account.traits["plan"].value.as_str()), (1, Some("team")));
    assert_eq!(store.account(&id("other")).await.unwrap().unwrap().summary.unwrap().people, 0);
    store.put_member(&id("acme"), &member("b", 1), 1).await.unwrap();
    assert!(hand(&deps, &bodies[1..2]).await.is_empty());
    let account = store.account(&id("acme")).await.unwrap().unwrap();
    assert_eq!((account.version, account.summary.unwrap().people), (2, 2));
    assert_eq!(account.traits["plan"].value, "team", "traits stay where only people change");
}

#[tokio::test]
async fn runs_at_the_same_time_lose_no_trait() {
    let (store, deps) = table().await;
    let call = |i: i64| {
        let traits = serde_json::json!({ format!("t{i}"): i }).as_object().unwrap().clone();
        let traits = AccountTraits { traits, at: at(i), message_id: MessageId::parse(&format!("m{i}")).unwrap() };
        serde_json::to_string(&AccountsPayload::Changed { account: id("acme"), traits: Some(traits) }).unwrap()
    };
    let runs = (0..4).map(|i| {
        let (deps, body) = (deps.clone(), call(i));
        async move { while !hand(&deps, std::slice::from_ref(&body)).await.is_empty() {} }
    });
    futures::future::join_all(runs).await;
    assert_eq!(store.account(&id("acme")).await.unwrap().unwrap().traits.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let (store, deps) = table().await;
    assert_eq!(hand(&deps, &["{}".to_owned(), changed("acme", None), String::new()]).await, ["r0", "r2"]);
    assert!(store.account(&id("acme")).await.unwrap().is_some());
}
