//! Accounts, members and suppressions.

use crate::support::{at, person, store};
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_config::accounts::Domains;
use perennial_config::lifecycle::Milestone;
use perennial_domain::{
    AccountId, AccountReason, AccountSummary, ConfigVersion, CrmUpdate, Measure, Member, MessageId, PersonId, Score,
    Stage, Subject,
};
use perennial_engine::Written;
use perennial_engine::account::{AccountAction, Told};
use perennial_store::Consistency;
use perennial_store::accounts::{ClaimChange, MemberCursor, StoredAccount};
use perennial_store::messages::{MessageState, Outcome};
use perennial_store::suppressions::{Reason, Suppression};

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn member(name: &str, engagement: u8) -> Member {
    Member {
        person: person(name),
        stage: Stage::Trial,
        scores: [].into(),
        engagement: Score::from(engagement),
        last_seen: Some(at(0)),
        personas: std::collections::BTreeSet::new(),
        curve: None,
        elsewhere: false,
    }
}

#[tokio::test]
async fn a_slow_writer_replaces_no_later_entry_and_brings_nobody_back() {
    let store = store().await;
    assert!(store.put_member(&acme(), &member("a", 2), 2).await.unwrap());
    assert!(!store.put_member(&acme(), &member("a", 1), 1).await.unwrap());
    assert!(store.put_member(&acme(), &member("b", 1), 1).await.unwrap());
    assert!(store.leave_account(&acme(), person("b"), 2, at(0)).await.unwrap());
    assert!(!store.put_member(&acme(), &member("b", 1), 1).await.unwrap());
    assert!(!store.leave_account(&acme(), person("a"), 1, at(0)).await.unwrap());
    let page = store.members(&acme(), None, None).await.unwrap();
    assert_eq!(page.members, [member("a", 2)]);
    assert!(page.next.is_none());
    assert!(store.put_member(&acme(), &member("b", 3), 3).await.unwrap(), "who comes back later is there again");
    assert_eq!(store.members(&acme(), None, None).await.unwrap().members.len(), 2);
}

#[tokio::test]
async fn an_account_is_written_only_as_it_was_read_and_comes_back_whole() {
    let store = store().await;
    assert_eq!(store.account(&acme(), Consistency::Strong).await.unwrap(), None);
    let mut stored = StoredAccount::new(acme());
    let mut other = stored.clone();
    let traits = serde_json::json!({ "plan": "team", "domain": "acme.example" });
    let domains = Domains { traits: vec!["domain".to_owned()], ..Domains::default() };
    let account = &mut stored.account;
    account.merge(&domains, traits.as_object().unwrap(), at(5), &MessageId::parse("m1").unwrap());
    account.mark_milestone(Milestone::Customer, at(6));
    account.registered = account.named.iter().map(|(domain, at)| (domain.clone(), Some(*at))).collect();
    account.unsettled = account.named.keys().cloned().collect();
    account.summary = Some(AccountSummary {
        people: 2,
        reasons: vec![AccountReason { person: Some(person("a")), measure: Measure::Purchase, points: 1.25, people: 1 }],
        config: Some(ConfigVersion::parse("v").unwrap()),
        ..AccountSummary::default()
    });
    account.note_trend(at(7));
    account.written = Some(Written { number: 3, record: None, fields: [("f".to_owned(), 5.into())].into() });
    account.told = Some(Told { at: at(8), facts: u64::MAX, again: Some(at(9)) });
    account.outbox = vec![AccountAction::Wake { at: at(8) }];
    store.save_account(&mut stored).await.unwrap();
    assert_eq!(store.account(&acme(), Consistency::Eventual).await.unwrap(), Some(stored.clone()));
    assert!(store.save_account(&mut other).await.unwrap_err().is_conflict());
    assert!(store.delete_account(&StoredAccount { version: 7, ..stored.clone() }).await.unwrap_err().is_conflict());
    store.delete_account(&stored).await.unwrap();
    assert_eq!(store.account(&acme(), Consistency::Strong).await.unwrap(), None);
}

#[tokio::test]
async fn the_account_of_a_domain_leads_to_the_one_that_has_it_and_is_not_counted() {
    let store = store().await;
    let domain = AccountId::parse("acme.example").unwrap();
    let mut stored = StoredAccount::new(domain.clone());
    stored.account.claimant = Some(acme());
    store.save_account(&mut stored).await.unwrap();
    assert_eq!(store.account_in_charge(&domain, Consistency::Strong).await.unwrap(), None);
    let mut holder = StoredAccount::new(acme());
    store.save_account(&mut holder).await.unwrap();
    assert_eq!(store.account_in_charge(&domain, Consistency::Strong).await.unwrap(), Some(holder.clone()));
    assert_eq!(store.account_in_charge(&acme(), Consistency::Strong).await.unwrap(), Some(holder));
    assert_eq!(store.totals().await.unwrap().accounts, 1);
}

#[tokio::test]
async fn claims_of_a_domain_are_stored_with_their_account_and_one_too_many_makes_it_nobodys() {
    let store = store().await;
    let domain = AccountId::parse("acme.example").unwrap();
    let id = |n: i64| AccountId::parse(&format!("a{n:04}")).unwrap();
    let mut accounts = Vec::new();
    for n in 0..300 {
        let mut stored = StoredAccount::new(id(n));
        let change = ClaimChange { made: vec![(domain.clone(), at(-n))], withdrawn: vec![] };
        store.save_account_claiming(&mut stored, &change).await.unwrap();
        let first = (n < 20).then(|| id(n));
        assert_eq!(store.first_claimant(&domain).await.unwrap(), first, "{n}");
        accounts.push(stored);
    }
    let withdrawn = ClaimChange { made: vec![], withdrawn: vec![domain.clone()] };
    let mut slow = StoredAccount { version: 0, ..accounts[0].clone() };
    assert!(store.save_account_claiming(&mut slow, &withdrawn).await.unwrap_err().is_conflict());
    for stored in &mut accounts[20..] {
        store.save_account_claiming(stored, &withdrawn).await.unwrap();
    }
    assert_eq!(store.first_claimant(&domain).await.unwrap(), Some(id(19)), "nobody's claim was lost or overwritten");
}

/// An item as earlier versions wrote it.
#[tokio::test]
async fn claims_that_earlier_versions_stored_at_the_domain_count_and_become_items_of_their_own() {
    let store = store().await;
    let domain = AccountId::parse("acme.example").unwrap();
    let claims: std::collections::BTreeMap<String, jiff::Timestamp> =
        (0..100).map(|n| (format!("a{n:03}"), at(-n))).collect();
    for (pk, name, value) in [
        ("A#acme.example", "claims", serde_json::to_vec(&claims).unwrap()),
        ("A#few.example", "claims", br#"{"b":"2026-01-02T00:00:00Z","a":"2026-01-03T00:00:00Z"}"#.to_vec()),
        ("A#a000", "reg", br#"["acme.example","few.example"]"#.to_vec()),
    ] {
        let put = store.client().put_item().table_name(store.table());
        let put = put.item("pk", AttributeValue::S(pk.to_owned())).item("sk", AttributeValue::S("A".to_owned()));
        let put = put.item("ver", AttributeValue::N("3".to_owned())).item(name, AttributeValue::B(value.into()));
        put.send().await.unwrap();
    }
    let read = |id: &str| {
        let (store, id) = (store.clone(), AccountId::parse(id).unwrap());
        async move { store.account(&id, Consistency::Strong).await.unwrap().unwrap() }
    };
    let registered = read("a000").await.account.registered;
    assert_eq!(registered, [("acme.example".to_owned(), None), ("few.example".to_owned(), None)].into());
    let few = read("few.example").await;
    assert_eq!(few.account.holder(), Some(&AccountId::parse("b").unwrap()));
    for (name, first) in [("acme.example", None), ("few.example", few.account.holder())] {
        let mut stored = read(name).await;
        store.move_old_claims(&mut stored).await.unwrap();
        assert_eq!(read(name).await, stored);
        assert!(stored.account.old_claims.is_empty());
        let domain = AccountId::parse(name).unwrap();
        assert_eq!(store.first_claimant(&domain).await.unwrap().as_ref(), first, "{name}");
    }
    let items = store.client().query().table_name(store.table()).key_condition_expression("pk = :pk");
    let items =
        items.expression_attribute_values(":pk", AttributeValue::S(format!("A#{domain}"))).send().await.unwrap();
    assert_eq!(items.count(), 101, "the account, and each of its claims");
}

#[tokio::test]
async fn members_are_paged_from_any_of_them() {
    let store = store().await;
    for name in ["a", "b", "c", "d", "e"] {
        store.put_member(&acme(), &member(name, 1), 1).await.unwrap();
    }
    let all = store.members(&acme(), None, None).await.unwrap().members;
    let first = store.members(&acme(), None, Some(2)).await.unwrap();
    assert_eq!((&first.members[..], first.next.is_some()), (&all[..2], true));
    let rest = store.members(&acme(), first.next, None).await.unwrap();
    assert_eq!(rest.members, all[2..]);
    let after = MemberCursor::after(&acme(), all[3].person);
    assert_eq!(store.members(&acme(), Some(after), None).await.unwrap().members, all[4..]);
}

/// An operator may lift what its reader may not, and what the reader chose by topic stays.
#[tokio::test]
async fn operator_lifts_any_suppression_once_and_nothing_else_of_the_address() {
    let store = store().await;
    for reason in Reason::ALL {
        store.suppress("ada@example.com", reason, at(1)).await.unwrap();
        let lifted = store.lift_suppression("Ada@Example.com").await.unwrap();
        assert_eq!(lifted, Some(Suppression { reason, since: at(1) }));
        assert_eq!(store.suppression("ada@example.com").await.unwrap(), None);
        assert_eq!(store.lift_suppression("ada@example.com").await.unwrap(), None, "it is gone");
        assert!(store.suppress("ada@example.com", reason, at(2)).await.unwrap(), "and can be set again");
        store.lift_suppression("ada@example.com").await.unwrap();
    }
}

#[tokio::test]
async fn a_suppressed_address_keeps_its_first_reason() {
    let store = store().await;
    assert_eq!(store.suppression("ada@example.com").await.unwrap(), None);
    assert!(store.suppress("Ada@Example.com ", Reason::Bounce, at(1)).await.unwrap());
    assert!(!store.suppress("ada@example.com", Reason::Unsubscribe, at(2)).await.unwrap());
    let suppression = store.suppression("ADA@example.com").await.unwrap();
    assert_eq!(suppression, Some(Suppression { reason: Reason::Bounce, since: at(1) }));
}

/// A receiver that is down for months, and an operator who redrives the update again and again.
#[tokio::test]
async fn claim_of_an_update_lasts_from_its_last_attempt() {
    let store = store().await;
    let update = CrmUpdate {
        id: CrmUpdate::id_of(&Subject::Account(acme()), 1),
        subject: Subject::Account(acme()),
        number: 1,
        endpoint: "crm".to_owned(),
        fields: [].into(),
        at: at(0),
        config: ConfigVersion::parse("v").unwrap(),
    };
    let mut ttls = Vec::new();
    for day in [0, 80] {
        store.claim_update(&update, "one", at(day * 86_400)).await.unwrap();
        let get = store.client().get_item().table_name(store.table()).key("pk", AttributeValue::S("A#acme".to_owned()));
        let item = get.key("sk", AttributeValue::S(format!("M#{}", update.id))).send().await.unwrap().item.unwrap();
        ttls.push(item["ttl"].as_n().unwrap().parse::<i64>().unwrap());
    }
    assert_eq!(ttls[1] - ttls[0], 80 * 86_400);
}

fn update(subject: &Subject, number: u64) -> CrmUpdate {
    CrmUpdate {
        id: CrmUpdate::id_of(subject, number),
        subject: subject.clone(),
        number,
        endpoint: "crm".to_owned(),
        fields: [("score".to_owned(), number.into())].into(),
        at: at(0),
        config: ConfigVersion::parse("v").unwrap(),
    }
}

#[tokio::test]
async fn updates_of_the_crm_are_counted_and_are_no_messages() {
    let store = store().await;
    let person = PersonId::derive(&[b"ada"]);
    for subject in [Subject::Account(acme()), Subject::Person(person)] {
        for number in [1, 2, 2] {
            store.claim_update(&update(&subject, number), "one", at(0)).await.unwrap();
        }
    }
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.crm_updates, totals.messages, totals.channels.len()), (4, 0, 0));
    assert_eq!(store.messages(person).await.unwrap().items, []);
}

#[tokio::test]
async fn update_is_claimed_once_and_recorded_for_an_account_and_for_a_person() {
    let store = store().await;
    for subject in [Subject::Account(acme()), Subject::Person(PersonId::derive(&[b"ada"]))] {
        let (first, second) = (update(&subject, 1), update(&subject, 2));
        assert_eq!(store.claim_update(&first, "one", at(0)).await.unwrap(), None);
        assert_eq!(store.claim_update(&first, "two", at(1)).await.unwrap(), Some(MessageState::Claimed));
        store.claim_update(&second, "one", at(0)).await.unwrap();
        let failed = Outcome { detail: Some("no".to_owned()), ..Outcome::new(MessageState::Failed, at(2)) };
        store.record_update(&subject, first.id, &failed).await.unwrap();
        assert_eq!(store.claim_update(&first, "two", at(3)).await.unwrap(), Some(MessageState::Failed));
        let found = store.updates(&subject).await.unwrap();
        assert_eq!(found.unreadable, 0);
        let known: Vec<_> =
            found.items.iter().map(|record| (record.number, record.state, record.detail.as_deref())).collect();
        assert_eq!(
            known,
            [(2, MessageState::Claimed, None), (1, MessageState::Failed, Some("no"))],
            "the newest first"
        );
        assert_eq!(found.items[0].fields, second.fields);

        assert!(!store.is_update_done(&second).await.unwrap());
        store.note_update_done(&second).await.unwrap();
        store.note_update_done(&first).await.unwrap();
        assert!(store.is_update_done(&second).await.unwrap(), "an earlier one changes nothing");
    }
}
