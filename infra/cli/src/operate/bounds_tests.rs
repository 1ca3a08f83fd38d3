//! Whatever ingest accepts can be read, exported and erased; and unreadable items do not affect others.

use super::{House, NOW};
use crate::operate::erase::Asked;
use crate::operate::export::export;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use perennial_domain::{Event, Identity, PersonId, UserId};
use perennial_local::stack::LOCAL_WRITE_KEY;
use perennial_score::history::{calibrate, reach, rescore};
use perennial_store::Consistency;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

impl House {
    async fn ask(&self, path: &str) -> (bool, Value) {
        let (status, body) = self.operated.ask(&Method::GET, path, None).await.unwrap();
        (status.is_success(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Returns the number of unreadable profiles in every report.
    async fn unreadable(&self) -> Vec<u64> {
        let mut all = Vec::new();
        for path in ["/api/features", "/api/journeys", "/api/experiments"] {
            let (is_there, answer) = self.ask(path).await;
            assert!(is_there, "{path}: {answer}");
            all.push(answer["unreadable"].as_u64().unwrap());
        }
        assert!(self.ask("/api/segments").await.0 && self.ask("/api/rejects").await.0);
        let score = self.operated.score().await.unwrap();
        all.push(rescore::run(&score, true, &|_| {}).await.unwrap().unreadable);
        all.push(calibrate::run(&score, &|_| {}).await.unwrap().unreadable);
        assert!(reach::run(&score, true, 100, &|_| {}).await.is_ok());
        all
    }

    async fn export(&self, person: &str) -> (u64, Value) {
        let asked = Asked::find(&self.operated, person).await.unwrap();
        let mut out = Vec::new();
        let events = export(&self.operated, &asked, &|_| {}, &mut out).await.unwrap();
        (events, serde_json::from_slice(&out).unwrap())
    }

    /// Posts calls as gzip; returns the number of bytes.
    async fn post_gzip(&self, calls: &[Value]) -> usize {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(json!({ "batch": calls }).to_string().as_bytes()).unwrap();
        let body = gzip.finish().unwrap();
        let bytes = body.len();
        let request = reqwest::Client::new().post(format!("{}/v1/batch", self.stack.base_url()));
        let request = request.basic_auth(LOCAL_WRITE_KEY, Some("")).body(body);
        assert!(request.send().await.unwrap().status().is_success());
        bytes
    }
}

fn person(user: &str) -> PersonId {
    Identity::User(UserId::parse(user).unwrap()).person_id()
}

/// The attack: a few KB of gzip that make a profile impossible to read or erase.
#[tokio::test(flavor = "multi_thread")]
async fn kilobytes_of_gzip_make_no_profile_unreadable() {
    let house = House::open().await;
    house.with("agnes").await;
    let mut bytes = 0;
    for visitors in (0..40).collect::<Vec<u32>>().chunks(8) {
        let mut calls = Vec::new();
        for visitor in visitors {
            for call in 0..12_u32 {
                let name = |n: u32| format!("{:03}{}", call % 4 * 25 + n, "n".repeat(100));
                let letter = ["a", "b", "c"][call as usize / 4];
                let traits: Map<String, Value> = (0..25).map(|n| (name(n), json!(letter.repeat(1_000)))).collect();
                calls.push(json!({ "type": "identify", "anonymousId": format!("v{visitor}"), "messageId": format!("{visitor}-{call}"), "traits": traits, "timestamp": NOW }));
            }
            calls.push(json!({ "type": "identify", "userId": "eve", "anonymousId": format!("v{visitor}"), "messageId": format!("link-{visitor}"), "timestamp": NOW }));
        }
        bytes += house.post_gzip(&calls).await;
    }
    assert!(bytes < 100_000, "{bytes} bytes");
    house.stack.wait_idle().await.unwrap();
    let (is_there, profile) = house.ask("/api/profiles/eve").await;
    assert!(is_there, "{profile}");
    assert_eq!(profile["identities"].as_array().unwrap().len(), 41);
    assert!(profile["dropped_traits_count"].as_u64().unwrap() > 0);
    assert_eq!(house.unreadable().await, [0; 5]);
    assert_eq!(house.export("eve").await.0, 40 * 13);
    house.erase("eve").await;
    assert_eq!(house.stack.store().head(person("eve")).await.unwrap(), None);
    assert!(house.ask("/api/profiles/agnes").await.0);
    house.stack.stop().await;
}

impl House {
    /// Puts something into an attribute that no version writes there.
    async fn damage(&self, pk: &str, sk: &str, name: &str) {
        let store = self.stack.store();
        let update = store.client().update_item().table_name(store.table());
        let update = update
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::B(vec![0x85, 1, 2, 3].into()));
        update.send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_archive_a_message_or_a_reject_stops_neither_export_nor_erasure() {
    let house = House::open().await;
    house.with("agnes").await;
    let all = house.export("agnes").await.0;
    let score = format!("{}/_local/functions/score/environment", house.stack.base_url());
    let score: Value = reqwest::get(score).await.unwrap().json().await.unwrap();
    let folder = score["ARCHIVE"].as_str().unwrap().strip_prefix("file://").unwrap();
    std::fs::write(format!("{folder}/day=2026-03-02/0.ndjson.gz"), "not gzip").unwrap();
    let own = perennial_store::keys::person(person("agnes"));
    house.damage(&own, &format!("{}damaged", perennial_store::keys::MESSAGE), "cause").await;
    let rejects = house.items().await.into_keys().filter(|(pk, _)| perennial_store::keys::is_rejects(pk));
    for (pk, sk) in rejects {
        house.damage(&pk, &sk, "code").await;
    }
    assert_eq!(house.ask("/api/rejects").await.1["unreadable"], 1);
    assert_eq!(house.ask("/api/profiles/agnes").await.1["unreadable_messages"], 1);
    let (events, document) = house.export("agnes").await;
    assert_eq!(
        (events, &document["unreadable_in_archive"], &document["unreadable_items"]),
        (all, &1.into(), &2.into())
    );
    let deps = house.operated.score().await.unwrap();
    assert_eq!(rescore::run(&deps, true, &|_| {}).await.unwrap().damaged, 1);
    assert_eq!(calibrate::run(&deps, &|_| {}).await.unwrap().damaged, 1);
    let receipt = house.erase("agnes").await;
    assert!(receipt.completed_at.is_some() && receipt.removed.archived_events >= all, "{receipt:?}");
    assert_eq!(receipt.unreadable_in_archive, 1);
    assert!(receipt.kept.iter().any(|kept| kept.what.starts_with("1 objects or lines of the archive")), "{receipt:?}");
    assert!(!house.ask("/api/profiles/agnes").await.0);
    let left: Vec<_> = house.items().await.into_keys().filter(|(pk, _)| *pk == own).collect();
    assert_eq!(left, []);
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn profile_that_cannot_be_read_is_passed_over_counted_exported_and_erased() {
    let house = House::open().await;
    house.with("agnes").await;
    house.with("bertram").await;
    house.damage(&perennial_store::keys::person(person("agnes")), perennial_store::keys::PROFILE, "state").await;

    assert_eq!(house.unreadable().await, [1; 5]);
    assert!(house.ask("/api/status").await.0 && house.ask("/api/accounts/acme").await.0);
    assert!(house.ask("/api/profiles/bertram").await.0 && !house.ask("/api/profiles/agnes").await.0);
    // Only this profile is affected.
    house.stack.fire_schedules().await;
    house.stack.wait_idle().await.unwrap();

    let expected = house.archived().await.iter().filter(|event| super::is_of(event, "agnes")).count() as u64;
    let (events, document) = house.export("agnes-phone").await;
    assert_eq!(events, expected);
    assert_eq!(document["profile"]["error"], "the profile cannot be read");
    assert_eq!(document["accounts"], json!(["acme", "umbrella"]));
    assert_eq!(document["rejected_events"].as_array().unwrap().len(), 1);

    let receipt = house.erase("agnes@example.com").await;
    assert_eq!(super::left(&house, "agnes").await, Vec::<(String, String)>::new());
    let removed = &receipt.removed;
    assert_eq!((removed.profiles, removed.account_memberships, removed.rejected_events), (3, 2, 1), "{receipt:?}");
    assert_eq!((removed.archived_events, receipt.unreadable_profile), (expected, true));
    assert!(receipt.kept.iter().any(|kept| kept.why.contains("could not be read")), "{receipt:?}");
    assert_eq!(house.unreadable().await, [0; 5]);
    assert!(house.ask("/api/profiles/bertram").await.0);
    house.stack.stop().await;
}

/// Text of any length, also of what JSON writes in six bytes or Unicode in four.
fn text() -> impl Strategy<Value = String> {
    let repeated = (proptest::sample::select(vec!["a", "\"", "\u{1}", "é", "\u{10ffff}", "\u{ffff}"]), 0..1_300_usize);
    prop_oneof![
        3 => ".{0,24}",
        2 => repeated.prop_map(|(of, bytes)| of.repeat(bytes / of.len())),
        1 => "[a-z0-9]{0,1100}",
    ]
}

/// Returns an id of up to one byte more than allowed; seldom one that is rejected.
fn id(most: usize) -> impl Strategy<Value = String> {
    let repeated = (proptest::sample::select(vec!["a", "\"", "é", "\u{10ffff}", "\u{ffff}"]), 1..=most);
    prop_oneof![
        1 => text(),
        3 => repeated.prop_map(|(of, bytes)| of.repeat((bytes / of.len()).max(1))),
        3 => "[a-z0-9 ./#-]{1,24}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..4).prop_map(|all| all.into_iter().collect()),
        ]
    })
}

fn members() -> impl Strategy<Value = Map<String, Value>> {
    let known = proptest::sample::select(vec!["email", "name", "revenue", "currency", "nps", "phone", "plan", "left"]);
    let name = prop_oneof![3 => text(), 1 => known.prop_map(str::to_owned)];
    proptest::collection::vec((name, value()), 0..14).prop_map(|all| all.into_iter().collect())
}

/// Returns a call of one of a few people, who are distinguished from those of other cases by `{}`.
fn call() -> impl Strategy<Value = Value> {
    let kind = proptest::sample::select(vec!["identify", "track", "page", "screen", "group", "alias"]);
    let names = prop_oneof![
        id(201),
        proptest::sample::select(vec!["Trial Started", "Order Completed", "Subscription Started", "Survey Answered"])
            .prop_map(str::to_owned),
    ];
    (kind, names, (0..4_u8, 0..4_u8, 0..3_u8), 0..230_usize, members(), members(), id(257)).prop_map(
        |(kind, name, (user, visitor, ids), pad, traits, properties, account)| {
            let mut call = json!({
                "type": kind, "event": name, "name": name, "traits": traits, "properties": properties, "groupId": account,
                "previousId": format!("v-{{}}-{visitor}"), "timestamp": NOW,
            });
            // One of them has an id of maximum length.
            let padding = if user == 3 { "x".repeat(pad.max(200)) } else { String::new() };
            if ids != 1 {
                call["userId"] = format!("u-{{}}-{user}{padding}").into();
            }
            if ids != 0 {
                call["anonymousId"] = format!("v-{{}}-{visitor}").into();
            }
            call
        },
    )
}

fn with_ids(number: u32, calls: &[Value]) -> Vec<Value> {
    let named = |(n, call): (usize, &Value)| -> Value {
        let mut call: Value = call.clone();
        for name in ["userId", "anonymousId", "previousId"] {
            if let Some(text) = call[name].as_str() {
                call[name] = text.replace("{}", &number.to_string()).into();
            }
        }
        call["messageId"] = format!("m-{number}-{n}").into();
        call
    };
    calls.iter().enumerate().map(named).collect()
}

async fn holds(house: &House, number: u32, calls: &[Value]) {
    house.send(with_ids(number, calls)).await;
    let mark = format!("-{number}-");
    let is_mine = |event: &&Event| event.identity().is_some_and(|identity| identity.as_str().contains(&mark));
    let events = house.archived().await;
    let mine: Vec<&Event> = events.iter().filter(is_mine).collect();
    let (is_there, status) = house.ask("/api/status").await;
    assert!(is_there && status["unreadable"] == 0, "{status}");
    for queue in status["queues"].as_object().unwrap().values() {
        assert_eq!(queue["dlq"], 0, "an accepted event was not counted: {status}");
    }
    let store = house.stack.store();
    let mut holders = BTreeSet::new();
    for identity in mine.iter().filter_map(|event| event.identity()) {
        let stored = store.follow(identity.person_id(), Consistency::Strong).await.unwrap().unwrap();
        if holders.insert(stored.profile.id) {
            let (is_there, profile) = house.ask(&format!("/api/profiles/{}", identity.as_str())).await;
            assert!(is_there, "{profile}");
        }
    }
    for account in mine.iter().filter_map(|event| event.group_id.as_ref()) {
        store.account(account, Consistency::Strong).await.unwrap();
        assert_eq!(store.members(account, None, None).await.unwrap().unreadable, 0);
    }
    assert_eq!(house.unreadable().await, [0; 5]);
    let mut exported = 0;
    for holder in &holders {
        exported += house.export(&holder.to_string()).await.0;
    }
    let distinct: BTreeSet<_> = mine.iter().map(|event| &event.message_id).collect();
    assert_eq!(exported, distinct.len() as u64);
    for holder in &holders {
        house.erase(&holder.to_string()).await;
        assert_eq!(store.head(*holder).await.unwrap(), None);
    }
    assert_eq!(house.archived().await.iter().filter(is_mine).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 8, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn whatever_was_accepted_can_be_read_exported_and_erased(calls in proptest::collection::vec(call(), 1..40)) {
        static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
        });
        static HOUSE: LazyLock<House> = LazyLock::new(|| RUNTIME.block_on(House::open()));
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let house = &*HOUSE;
        RUNTIME.block_on(holds(house, NUMBER.fetch_add(1, Ordering::Relaxed), &calls));
    }
}
