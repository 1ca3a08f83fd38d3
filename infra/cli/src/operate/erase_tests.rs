//! Erasure over a whole stack: everything about the person is removed, nothing else is, and an interrupted run is
//! finished by the next one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::operate::embedded;
use crate::operate::export::export;
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_domain::{Event, Identity, UserId};
use perennial_lambda_kit::Clock;
use perennial_local::stack::{LOCAL_WRITE_KEY, Stack, StackOptions};
use perennial_store::audit::{Actor, AuditEntry, AuditKind};
use perennial_store::suppressions::Reason;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

#[path = "bounds_tests.rs"]
mod bounds;

const NOW: &str = "2026-03-02T12:00:00Z";

type Item = HashMap<String, AttributeValue>;

struct House {
    stack: Stack,
    operated: Operated,
}

impl House {
    async fn open() -> Self {
        let (clock, time) = Clock::simulated(NOW.parse().unwrap());
        let options =
            StackOptions { port: 0, ..StackOptions::new(perennial_local::bundle::embedded(), clock, Some(time)) };
        let stack = Stack::start(options).await.unwrap();
        let base = stack.base_url().to_owned();
        let local = async |path: &str| -> Value {
            reqwest::get(format!("{base}/_local/{path}")).await.unwrap().json().await.unwrap()
        };
        let (api, score) = (local("functions/api/environment").await, local("functions/score/environment").await);
        let operated = embedded::connect(&base, &api, &score, &local("time").await).unwrap();
        Self { stack, operated }
    }

    async fn send(&self, calls: Vec<Value>) {
        for batch in calls.chunks(40) {
            let request = reqwest::Client::new().post(format!("{}/v1/batch", self.stack.base_url()));
            let request = request.basic_auth(LOCAL_WRITE_KEY, Some("")).json(&json!({ "batch": batch }));
            assert!(request.send().await.unwrap().status().is_success());
        }
        self.stack.wait_idle().await.unwrap();
    }

    /// Adds a person with two browsers, two accounts, a mail address, enough events for a ledger, and one rejected
    /// event.
    async fn with(&self, user: &str) {
        let call = |number: usize, more: Value| {
            let mut call = json!({
                "messageId": format!("{user}-{number}"), "type": "track", "userId": user, "event": "Report Shared",
                "timestamp": format!("2026-03-0{}T{:02}:{:02}:00Z", 1 + number / 1000, number / 60 % 12, number % 60),
            });
            for (name, value) in more.as_object().unwrap() {
                call[name] = value.clone();
            }
            call
        };
        let mut calls: Vec<Value> = (0..90).map(|number| call(number, json!({}))).collect();
        let traits = json!({ "email": format!("{user}@example.com"), "plan": "trial" });
        calls.push(call(100, json!({ "type": "identify", "anonymousId": format!("{user}-phone"), "traits": traits })));
        calls.push(call(101, json!({ "type": "page", "userId": null, "anonymousId": format!("{user}-phone") })));
        calls.push(call(102, json!({ "type": "identify", "anonymousId": format!("{user}-desk") })));
        calls.push(call(103, json!({ "type": "group", "groupId": "acme" })));
        calls.push(call(104, json!({ "event": "Trial Started", "timestamp": NOW })));
        calls.push(call(105, json!({ "event": "Login", "properties": "none at all" })));
        calls.push(call(106, json!({ "type": "group", "groupId": "umbrella" })));
        self.send(calls).await;
        self.stack
            .store()
            .suppress(&format!("{user}@example.com"), Reason::Unsubscribe, NOW.parse().unwrap())
            .await
            .unwrap();
    }

    async fn erase(&self, person: &str) -> Receipt {
        let asked = Asked::find(&self.operated, person).await.unwrap();
        let erasure = Erasure::new(&self.operated, &|_| {}, &|_| Ok(()), false, None).await.unwrap();
        let receipt = erasure.run(asked).await.unwrap();
        self.stack.wait_idle().await.unwrap();
        receipt
    }

    /// The whole table by key.
    async fn items(&self) -> BTreeMap<(String, String), Item> {
        let store = self.stack.store();
        let (mut all, mut from) = (BTreeMap::new(), None);
        loop {
            let page =
                store.client().scan().table_name(store.table()).set_exclusive_start_key(from).send().await.unwrap();
            for item in page.items() {
                let key = |name: &str| item[name].as_s().unwrap().clone();
                all.insert((key("pk"), key("sk")), item.clone());
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return all;
            }
        }
    }

    async fn archived(&self) -> Vec<Event> {
        self.stack.archive().read_all().await.unwrap().try_collect().await.unwrap()
    }

    /// Returns the whole text of the archive.
    async fn archive_text(&self) -> String {
        let mut text = String::new();
        for event in self.archived().await {
            text += &serde_json::to_string(&event).unwrap();
        }
        text
    }
}

/// Returns the content of an item as text, with profiles decompressed.
fn text_of(item: &Item) -> String {
    let mut text = String::new();
    for value in item.values() {
        text += &match value {
            AttributeValue::B(bytes) => String::from_utf8_lossy(bytes.as_ref()).into_owned(),
            other => format!("{other:?}"),
        };
    }
    if let Ok(perennial_store::Loaded::Profile(stored)) = perennial_store::codec::decode(item) {
        text += &format!("{:?}", stored.profile);
    }
    text
}

/// The ids of `user`'s identities by themselves.
fn people(user: &str) -> Vec<PersonId> {
    let anonymous = ["phone", "desk"].map(|of| perennial_domain::AnonymousId::parse(&format!("{user}-{of}")).unwrap());
    let user = Identity::User(UserId::parse(user).unwrap()).person_id();
    anonymous.map(|id| Identity::Anonymous(id).person_id()).into_iter().chain([user]).collect()
}

/// Returns what is left of `user` in the table, except for the hash of their address.
async fn left(house: &House, user: &str) -> Vec<(String, String)> {
    let people: Vec<String> = people(user).iter().map(ToString::to_string).collect();
    let items = house.items().await.into_iter().filter(|((pk, sk), item)| {
        let text = format!("{pk} {sk} {}", text_of(item));
        text.contains(user) || people.iter().any(|person| text.contains(person.as_str()))
    });
    items.map(|(key, _)| key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_who_is_erased_is_left_and_nobody_else_is_touched() {
    let house = House::open().await;
    for user in ["agnes", "bertram", "clara"] {
        house.with(user).await;
    }
    // Bertram has used Agnes's phone as well, and his events travel with hers.
    let login = |id: &str, user: &str| json!({ "messageId": id, "type": "track", "event": "Login", "userId": user, "anonymousId": "agnes-phone", "timestamp": NOW });
    house.send(vec![login("shared", "bertram"), login("own", "agnes")]).await;
    assert!(left(&house, "agnes").await.len() > 6, "there is something to be erased");
    let (before, events) = (house.items().await, house.archived().await);

    let receipt = house.erase("agnes@example.com").await;

    assert_eq!(left(&house, "agnes").await, Vec::<(String, String)>::new());
    let removed = &receipt.removed;
    assert_eq!((removed.profiles, removed.account_memberships, removed.rejected_events), (3, 2, 1), "{receipt:?}");
    assert!(removed.messages > 0 && removed.ledger_blocks > 0 && removed.identity_pointers > 0, "{receipt:?}");
    assert_eq!(removed.archived_events, events.iter().filter(|event| is_of(event, "agnes")).count() as u64);
    assert!(receipt.archive_objects_rewritten > 0 && receipt.archive_objects_deleted > 0, "{receipt:?}");
    assert_eq!(receipt.identities, people("agnes").into_iter().collect());
    let told = serde_json::to_string(&receipt).unwrap();
    assert!(!told.contains("agnes"), "a receipt holds no personal data: {told}");
    assert!(told.contains("1 archived events of other people"), "{told}");

    // The archive: every other event in its place, byte for byte the same.
    let expected: Vec<&Event> = events.iter().filter(|event| !is_of(event, "agnes")).collect();
    assert_eq!(house.archived().await.iter().collect::<Vec<_>>(), expected);
    assert_eq!(house.archive_text().await.matches("agnes").count(), 1, "but for the browser that Bertram has used");

    // The table: other data is unchanged; their account is recomputed.
    let after = house.items().await;
    let is_account = |pk: &str| pk.starts_with("A#");
    for (key, item) in before.iter().filter(|((pk, _), _)| !is_account(pk)) {
        if let Some(now) = after.get(key) {
            assert_eq!(now, item, "{key:?}");
        }
    }
    for neighbour in ["bertram", "clara"] {
        let of = |items: &BTreeMap<(String, String), Item>| {
            let keys = people(neighbour).into_iter().map(keys::person);
            keys.map(|pk| items.keys().filter(|(of, _)| *of == pk).count()).sum::<usize>()
        };
        assert_eq!(of(&before), of(&after), "{neighbour}");
    }
    let acme = AccountId::parse("acme").unwrap();
    let acme = house.stack.store().account(&acme, Consistency::Strong).await.unwrap().unwrap().account;
    assert_eq!(acme.summary.unwrap().people, 2);
    let suppressed = house.stack.store().suppression("agnes@example.com").await.unwrap();
    assert!(suppressed.is_some(), "who unsubscribed is not written to again");

    // A second run finds nothing to erase; and everything can be rebuilt without them.
    let again = house.erase("agnes").await;
    assert!(!again.found_anything(), "{again:?}");
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_pays_is_kept_without_the_person_and_what_a_person_pays_goes() {
    let house = House::open().await;
    let paid = |id: &str, more: Value| {
        let mut call = json!({
            "messageId": id, "type": "track", "userId": "agnes", "event": "Subscription Started", "timestamp": NOW,
            "properties": { "subscription": id, "price": 20, "currency": "USD" },
        });
        more.as_object().unwrap().iter().for_each(|(name, value)| call[name] = value.clone());
        call
    };
    // Of an account, of herself, and of an account that bears her own id.
    let acme = json!({ "context": { "groupId": "acme" } });
    let own = json!({ "context": { "groupId": "agnes" } });
    house.send(vec![paid("s1", acme), paid("s2", json!({})), paid("s3", own)]).await;
    // The same subscription, by a report that does not name the account again.
    let later = json!({ "event": "Subscription Updated", "messageId": "later", "properties": { "subscription": "s1", "price": 30, "currency": "USD" } });
    house.send(vec![paid("later", later)]).await;
    let receipt = house.erase("agnes").await;
    assert_eq!(receipt.account_facts, 2, "{receipt:?}");
    assert!(receipt.kept.iter().any(|kept| kept.what.contains("2 reports of what accounts pay")), "{receipt:?}");
    let archive = house.stack.archive();
    let mut facts = Vec::new();
    for day in archive.days_kept(perennial_report::SUBSCRIPTIONS).await.unwrap() {
        facts.extend(archive.kept::<perennial_reports::Notice>(perennial_report::SUBSCRIPTIONS, day).await.unwrap());
    }
    let told = serde_json::to_string(&facts).unwrap();
    let person = perennial_domain::hash::hash64(&[b"identity", people("agnes")[0].as_bytes()]);
    assert!(told.contains("acme") && !told.contains("agnes") && !told.contains(&person.to_string()), "{told}");
    let prices: Vec<i64> = facts.iter().filter_map(|fact| Some(fact.report.price?.minor)).collect();
    assert_eq!((facts.len(), prices.iter().sum::<i64>()), (2, 5000), "{told}");
    house.stack.stop().await;
}

fn is_of(event: &Event, user: &str) -> bool {
    let identity = event.identity().unwrap();
    people(user).contains(&identity.person_id())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stops_half_way_is_finished_by_the_next_run() {
    let house = House::open().await;
    let mut steps = 0;
    for dies_at in 1.. {
        let user = format!("mortal{dies_at}");
        house.with(&user).await;
        let asked = Asked::find(&house.operated, &user).await.unwrap();
        let (kept, died) = (Mutex::new((0, None)), Mutex::new(false));
        let keep = |receipt: &Receipt| {
            let mut kept = kept.lock().unwrap();
            kept.0 += 1;
            if kept.0 == dies_at {
                *died.lock().unwrap() = true;
                anyhow::bail!("the power fails");
            }
            kept.1 = Some(receipt.clone());
            Ok(())
        };
        let erasure = Erasure::new(&house.operated, &|_| {}, &keep, false, None).await.unwrap();
        let first = erasure.run(asked).await;
        if !*died.lock().unwrap() {
            assert!(first.unwrap().completed_at.is_some());
            break;
        }
        assert!(first.is_err());
        let before = kept.lock().unwrap().1.clone();
        let asked = Asked::find(&house.operated, &user).await.unwrap();
        let erasure = Erasure::new(&house.operated, &|_| {}, &|_| Ok(()), false, before).await.unwrap();
        let receipt = erasure.run(asked).await.unwrap();
        house.stack.wait_idle().await.unwrap();
        assert!(receipt.completed_at.is_some() && receipt.found_anything(), "step {dies_at}");
        assert_eq!(left(&house, &user).await, Vec::<(String, String)>::new(), "step {dies_at}");
        assert!(!house.archive_text().await.contains(&user), "step {dies_at}");
        steps = dies_at;
    }
    assert!(steps >= 5, "there were only {steps} steps at which it could stop");
    house.stack.stop().await;
}

/// Somebody's browser is another user's first, whose sign-in was refused the browser, and whose id it names all the same.
#[tokio::test(flavor = "multi_thread")]
async fn user_id_goes_out_of_the_links_of_other_profiles() {
    let house = House::open().await;
    let sign_in = |id: &str, user: &str, at: &str| json!({ "messageId": id, "type": "identify", "userId": user, "anonymousId": "bertram-phone", "timestamp": at });
    house.send(vec![sign_in("first", "bertram", "2026-03-01T10:00:00Z")]).await;
    house.send(vec![sign_in("second", "agnes", "2026-03-01T11:00:00Z")]).await;
    house
        .send(vec![
            json!({ "messageId": "own", "type": "track", "event": "Login", "userId": "agnes", "timestamp": NOW }),
        ])
        .await;
    let bertram = Identity::User(UserId::parse("bertram").unwrap()).person_id();
    let store = house.stack.store();
    let links = async || {
        let stored = store.follow(bertram, Consistency::Strong).await.unwrap().unwrap();
        let links = stored.profile.parts.iter().flat_map(|part| &part.links).map(|link| link.user.to_string());
        links.collect::<BTreeSet<_>>()
    };
    assert_eq!(links().await, ["agnes".to_owned(), "bertram".to_owned()].into());
    let receipt = house.erase("agnes").await;
    assert_eq!(receipt.removed.links_of_others, 1, "{receipt:?}");
    assert_eq!(links().await, ["bertram".to_owned()].into());
    assert_eq!(left(&house, "agnes").await, Vec::<(String, String)>::new());
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_meanwhile_is_counted_for_somebody_new() {
    let house = House::open().await;
    house.with("late").await;
    let asked = Asked::find(&house.operated, "late").await.unwrap();
    let before = house.archived().await.len() as u64;
    // Written after the profile was looked at, as by a `score` that runs at the same time.
    house
        .send(vec![
            json!({ "messageId": "new", "type": "track", "event": "Login", "userId": "late", "timestamp": NOW }),
        ])
        .await;
    let erasure = Erasure::new(&house.operated, &|_| {}, &|_| Ok(()), true, None).await.unwrap();
    let receipt = erasure.run(asked).await.unwrap();
    assert_eq!(receipt.removed.archived_events, before + 1, "the one that came meanwhile too");
    assert_eq!(receipt.removed.suppressions, 1);
    assert_eq!(left(&house, "late").await, Vec::<(String, String)>::new());
    house
        .send(vec![
            json!({ "messageId": "newer", "type": "track", "event": "Login", "userId": "late", "timestamp": NOW }),
        ])
        .await;
    let stored = house.stack.store().resolve("late").await.unwrap().unwrap();
    assert_eq!(stored.profile.counted(), 1, "of the past nothing is known");
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_one_document_with_all_that_is_known_of_the_person_alone() {
    let house = House::open().await;
    house.with("agnes").await;
    house.with("bertram").await;
    let expected = house.archived().await.iter().filter(|event| is_of(event, "agnes")).count();
    let asked = Asked::find(&house.operated, "agnes-phone").await.unwrap();
    let mut out = Vec::new();
    let events = export(&house.operated, &asked, &|_| {}, &mut out).await.unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((events, document["archive"].as_array().unwrap().len()), (expected as u64, expected));
    assert_eq!(document["profile"]["traits"]["email"], "agnes@example.com");
    assert_eq!(document["parts"].as_array().unwrap().len(), 3);
    assert!(!document["messages"].as_array().unwrap().is_empty());
    assert_eq!(document["addresses"]["agnes@example.com"]["suppressed"]["why"], "unsubscribe");
    assert_eq!(document["accounts"], json!(["acme", "umbrella"]));
    assert_eq!(document["rejected_events"].as_array().unwrap().len(), 1);
    assert!(document["ledger_blocks"].as_u64().unwrap() > 0);
    assert!(!String::from_utf8(out).unwrap().contains("bertram"));
    let nobody = Asked::find(&house.operated, "nobody").await.unwrap();
    assert!(export(&house.operated, &nobody, &|_| {}, &mut Vec::new()).await.is_err());
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_someone_chose_about_mails_is_exported_and_goes_with_them() {
    let house = House::open().await;
    house.with("ada").await;
    let person = Identity::User(UserId::parse("ada").unwrap()).person_id();
    let store = house.stack.store();
    store.stop_mails(person, NOW.parse().unwrap()).await.unwrap();
    store.choose_for(person, &[("tips".to_owned(), false)].into(), NOW.parse().unwrap()).await.unwrap();
    let (asked, mut out) = (Asked::find(&house.operated, "ada").await.unwrap(), Vec::new());
    export(&house.operated, &asked, &|_| {}, &mut out).await.unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    let chosen = &document["mail_choices"][person.to_string()];
    assert_eq!(
        (&chosen["suppressed"]["why"], &chosen["topics"]["tips"]["wants"]),
        (&json!("unsubscribe"), &json!(false))
    );
    house.erase("ada").await;
    assert_eq!(store.wishes(person).await.unwrap(), perennial_store::preferences::Preferences::default());
    assert!(
        store.preferences_of("ada@example.com").await.unwrap().suppression.is_some(),
        "the address stays suppressed"
    );
    house.stack.stop().await;
}

/// The dashboard's log has the profile's id, which is a hash: it outlives an erasure, and says what colleagues did.
#[tokio::test(flavor = "multi_thread")]
async fn audit_log_of_a_person_is_exported_without_colleagues_and_kept_with_a_line_of_the_receipt() {
    let house = House::open().await;
    house.with("agnes").await;
    let person = house.stack.store().resolve("agnes").await.unwrap().unwrap().profile.id;
    let entry = AuditEntry {
        at: NOW.parse().unwrap(),
        id: "a".to_owned(),
        actor: Actor { subject: "u-7".to_owned(), name: "Eve Colleague".to_owned(), role: "viewer".to_owned() },
        kind: AuditKind::Read,
        what: format!("/people/{person}"),
        people: vec![person],
        rows: 1,
        before: None,
        after: None,
    };
    house.stack.store().note_audit(&entry, 400).await.unwrap();
    let asked = Asked::find(&house.operated, "agnes").await.unwrap();
    let mut out = Vec::new();
    export(&house.operated, &asked, &|_| {}, &mut out).await.unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["audit_log"][0]["role"], "viewer");
    assert_eq!(document["audit_log"][0]["at"], NOW);
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("Eve") && !text.contains("u-7"), "colleagues are not the person's data");

    let receipt = house.erase("agnes").await;
    assert_eq!(receipt.audit_entries, 1);
    assert!(
        receipt.kept.iter().any(|kept| kept.what.starts_with("1 entry of the dashboard's audit log")),
        "{receipt:?}"
    );
    let kept = house.stack.store().audit("2026-03-02".parse().unwrap(), 10, None).await.unwrap().entries;
    assert_eq!(kept, [entry]);
    house.stack.stop().await;
}
