//! Everything written can be read; unreadable items are skipped, counted, and deleted by their key.

use crate::messages::decision;
use crate::support::{at, feed, new, person, store};
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_domain::{AccountId, Channel, ConfigVersion, CrmUpdate, DecisionId, Member, PersonId, Score, Stage};
use perennial_engine::account::Account;
use perennial_store::accounts::StoredAccount;
use perennial_store::heads::Head;
use perennial_store::sweeps::Sweep;
use perennial_store::traces::{Subject, Trace};
use perennial_store::{Consistency, Loaded, Store, StoreError, keys};
use perennial_testkit::EventBuilder;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Puts something into an attribute that no version writes there.
pub async fn damage(store: &Store, pk: &str, sk: &str, name: &str, value: AttributeValue) {
    let update = store.client().update_item().table_name(store.table());
    let update = update
        .key("pk", AttributeValue::S(pk.to_owned()))
        .key("sk", AttributeValue::S(sk.to_owned()))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value);
    update.send().await.unwrap();
}

pub fn noise() -> AttributeValue {
    AttributeValue::B(vec![0x85, 1, 2, 3].into())
}

fn member(name: &str) -> Member {
    Member {
        person: person(name),
        stage: Stage::Lead,
        scores: BTreeMap::new(),
        engagement: Score::default(),
        last_seen: None,
        personas: BTreeSet::new(),
        curve: None,
        elsewhere: false,
    }
}

#[tokio::test]
async fn scans_pass_over_a_profile_that_cannot_be_read_and_count_it() {
    let store = store().await;
    for name in ["ada", "bob", "eve"] {
        feed(&store, &mut new(name), &[EventBuilder::track("m", name, "Paid").at(at(-60)).build()]).await;
    }
    damage(&store, &format!("P#{}", person("eve")), "P", "state", noise()).await;
    let page = store.people(None).await.unwrap();
    assert_eq!((page.people.len(), page.unreadable), (2, 1));
    // The totals need no state.
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.profiles, totals.unreadable), (3, 0));
    damage(&store, &format!("P#{}", person("eve")), "P", "stage", noise()).await;
    assert_eq!(store.totals().await.unwrap().unreadable, 1);
    let loaded = store.load_many(&["ada", "eve"].map(person).into()).await.unwrap();
    assert!(matches!(loaded[&person("ada")], Ok(Loaded::Profile(_))));
    assert!(loaded[&person("eve")].as_ref().is_err_and(StoreError::is_unreadable));
}

#[tokio::test]
async fn members_and_due_items_are_read_past_one_that_is_damaged() {
    let store = store().await;
    let acme = AccountId::parse("acme").unwrap();
    for name in ["ada", "bob", "eve"] {
        store.put_member(&acme, &member(name), 1).await.unwrap();
    }
    damage(&store, "A#acme", &format!("P#{}", person("bob")), "m", noise()).await;
    let page = store.members(&acme, None, None).await.unwrap();
    assert_eq!((page.members.len(), page.unreadable), (2, 1));

    damage(&store, "X#unknown", "P", "due_shard", AttributeValue::S("0".to_owned())).await;
    damage(&store, "X#unknown", "P", "due_at", AttributeValue::N("1".to_owned())).await;
    let page = store.due(0, at(0), 10, None).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable), (0, 1));
}

#[tokio::test]
async fn lists_are_read_past_an_item_that_is_damaged() {
    let store = store().await;
    let person_key = format!("P#{}", person("u"));
    for step in 0..3 {
        store.claim(&decision(step, Channel::Mail), "d", at(0)).await.unwrap();
    }
    damage(&store, &person_key, &keys::message(decision(1, Channel::Mail).id), "cause", noise()).await;
    let found = store.messages(person("u")).await.unwrap();
    assert_eq!((found.items.len(), found.unreadable), (2, 1));

    let acme = perennial_domain::Subject::Account(AccountId::parse("acme").unwrap());
    for number in 0..3_u64 {
        let update = CrmUpdate {
            id: DecisionId::derive(&[&number.to_be_bytes()]),
            subject: acme.clone(),
            endpoint: "crm".to_owned(),
            number,
            fields: BTreeMap::new(),
            config: ConfigVersion::parse("v1").unwrap(),
            at: at(0),
        };
        store.claim_update(&update, "d", at(0)).await.unwrap();
    }
    let damaged = keys::message(DecisionId::derive(&[&1_u64.to_be_bytes()]));
    damage(&store, "A#acme", &damaged, "fields", noise()).await;
    let found = store.updates(&acme).await.unwrap();
    assert_eq!((found.items.len(), found.unreadable), (2, 1));

    damage(&store, &keys::rejects_of(at(0), 3), "29453000#x", "code", noise()).await;
    let found = store.rejects(at(0), 10).await.unwrap();
    assert_eq!((found.items.len(), found.unreadable), (0, 1));

    let sweep = Sweep { at: at(0), took_ms: 1, sent: 1, unsent: 0, more: false, failed: false };
    store.note_sweep(&sweep).await.unwrap();
    damage(&store, keys::SWEEPS, "2026-01-02", "took", noise()).await;
    assert_eq!(store.sweeps(5).await.unwrap(), [sweep]);

    store.push_config(&crate::support::bundle(0), at(0)).await.unwrap();
    damage(&store, keys::CONFIG, "V#damaged", "at", noise()).await;
    assert_eq!(store.config_versions().await.unwrap().len(), 1);

    store.count_sent("news", 7, at(0)).await.unwrap();
    damage(&store, "J#news", &format!("{}#3", keys::journey_day(at(0))), "bounced", noise()).await;
    let health = store.journey_health("news", 7, at(0)).await.unwrap();
    assert_eq!(health.tally.sent, 7);
    store.pause_journey("news", &health, at(0)).await.unwrap();
    damage(&store, keys::PAUSES, "J#other", "since", noise()).await;
    assert_eq!(store.paused_journeys().await.unwrap().len(), 1);
    assert!(store.resume_journey("news", at(1)).await.unwrap());
}

#[tokio::test]
async fn profile_that_cannot_be_read_is_found_and_deleted_by_its_key() {
    let store = store().await;
    let mut eve = new("eve");
    feed(&store, &mut eve, &[EventBuilder::track("m", "eve", "Paid").at(at(-60)).build()]).await;
    store.index_address("eve@example.com", person("eve")).await.unwrap();
    damage(&store, &format!("P#{}", person("eve")), "P", "state", noise()).await;
    for name in ["eve", "eve@example.com", &person("eve").to_string()] {
        assert!(store.resolve(name).await.unwrap_err().is_unreadable());
        let head = Head { person: person("eve"), version: eve.version, to: None };
        assert_eq!(store.resolve_head(name).await.unwrap(), Some(head), "{name}");
    }
    assert_eq!(store.resolve_head("nobody").await.unwrap(), None);
    assert_eq!(store.pointers_to(person("eve"), &|_| {}).await.unwrap(), BTreeSet::new());

    let subject = Subject::unreadable(person("eve"), BTreeSet::new(), "eve");
    damage(&store, "A#acme", "A", "lead", noise()).await;
    let traces = store.traces(&subject, &|_| {}).await.unwrap();
    assert!(traces.found.iter().any(|trace| matches!(trace, Trace::Pointer { .. })));
    assert_eq!(traces.unreadable, 1, "whose leading buyer that is cannot be said");
    assert!(subject.is_named_in(r#"{"userId":"eve"}"#) && !subject.is_named_in(r#"{"userId":"bob"}"#));
    assert_eq!(store.delete_person(&subject, person("eve"), eve.version).await.unwrap(), 1);
    assert_eq!(store.resolve_head("eve").await.unwrap(), None);
}

/// Everything that calls can make an account hold, at its largest.
#[tokio::test]
async fn account_of_the_largest_that_may_be_said_is_saved_and_read() {
    let store = store().await;
    let config = perennial_config::Config::load(&crate::support::bundle(0)).unwrap();
    let text = |n: usize, length: usize| -> String {
        format!("{n:03}").chars().chain(std::iter::repeat('"')).take(length).collect()
    };
    let mut account = Account::new(AccountId::parse(&text(0, 256)).unwrap());
    for n in 0..120 {
        let name: String = format!("{n:03}").chars().chain(std::iter::repeat('\u{1}')).take(128).collect();
        let traits = serde_json::Map::from_iter([(name, text(n, 500).into())]);
        let message = perennial_domain::MessageId::parse(&text(n, 256)).unwrap();
        account.merge(&config.accounts.domains, &traits, at(-60), &message);
    }
    for n in 0..600_u64 {
        account.renewed(&perennial_domain::MessageId::parse(&n.to_string()).unwrap());
        let renewal = json!({ "id": n, "from": i64::MAX / 2, "by_invoice": false });
        let report = json!({ "key": n, "named": true, "at": n, "plan": text(0, 64), "account": text(1, 256), "renewal": renewal });
        account.subscribed(&serde_json::from_value(report).unwrap());
    }
    let mut stored = StoredAccount { account, version: 0 };
    store.save_account(&mut stored).await.unwrap();
    let read = store.account(&stored.account.id, Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(read.account.traits, stored.account.traits);
}

#[tokio::test]
async fn what_would_be_larger_than_an_item_is_a_typed_error_and_not_written() {
    let store = store().await;
    let mut account = Account::new(AccountId::parse("acme").unwrap());
    account.leading_buyer = Some(PersonId::derive(&[b"p"]));
    // More than any call can bring about.
    account.registered = (0..9_000).map(|n| (format!("{n:0>60}.example"), None)).collect();
    let mut stored = StoredAccount { account, version: 0 };
    let error = store.save_account(&mut stored).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { what: "an account", .. }), "{error}");
    assert_eq!(store.account(&stored.account.id, Consistency::Strong).await.unwrap(), None);
}
