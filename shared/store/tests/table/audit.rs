//! The audit log: read by day, the newest first, in pages.

use crate::support::{at, person, store};
use perennial_store::audit::{Actor, AuditEntry, AuditKind};
use perennial_store::keys;
use perennial_store::traces::{Subject, Trace};

/// The second of the first entry, three seconds before a day ends.
const LATE: i64 = 86_397;

fn entry(second: i64, id: &str) -> AuditEntry {
    AuditEntry {
        at: at(second),
        id: id.to_owned(),
        actor: Actor { subject: "u-1".to_owned(), name: "Eve".to_owned(), role: "viewer".to_owned() },
        kind: AuditKind::Read,
        what: "/people".to_owned(),
        people: vec![person("ada")],
        rows: 50,
        before: None,
        after: None,
    }
}

#[tokio::test]
async fn day_is_read_from_its_newest_entry_on_and_pages_neither_repeat_nor_skip() {
    let store = store().await;
    for (second, id) in [(LATE, "b"), (LATE, "a"), (LATE + 1, "c"), (LATE + 2, "d"), (LATE + 3, "next-day")] {
        store.note_audit(&entry(second, id), 400).await.unwrap();
    }
    // Noted again, as after a lost answer.
    store.note_audit(&entry(LATE, "a"), 400).await.unwrap();
    let day = at(LATE).to_zoned(jiff::tz::TimeZone::UTC).date();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.audit(day, 2, after.as_deref()).await.unwrap();
        found.extend(page.entries.into_iter().map(|entry| entry.id));
        after = page.next;
        pages += 1;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (["d", "c", "b", "a"].map(str::to_owned).to_vec(), 2));
    let next = store.audit(day.tomorrow().unwrap(), 10, None).await.unwrap();
    assert_eq!(next.entries, [entry(LATE + 3, "next-day")]);
}

#[tokio::test]
async fn act_has_no_result_until_it_is_finished_and_damage_concerns_one_entry() {
    let store = store().await;
    let act = AuditEntry { kind: AuditKind::Act, before: Some("paused".to_owned()), ..entry(5, "act") };
    assert!(store.finish_audit(&act, "running").await.unwrap_err().is_conflict(), "no entry, no result");
    store.note_audit(&act, 400).await.unwrap();
    let day = at(5).to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(store.audit(day, 10, None).await.unwrap().entries[0].after, None);
    store.finish_audit(&act, "running").await.unwrap();
    let damaged = store.client().put_item().table_name(store.table());
    let damaged = damaged
        .item("pk", aws_sdk_dynamodb::types::AttributeValue::S(keys::audit_on(day)))
        .item("sk", aws_sdk_dynamodb::types::AttributeValue::S(keys::audit(at(6), "damaged")));
    damaged.send().await.unwrap();
    let page = store.audit(day, 10, None).await.unwrap();
    assert_eq!((page.unreadable, page.entries[0].after.as_deref()), (1, Some("running")));
}

#[tokio::test]
async fn entries_with_the_profile_id_of_a_person_are_found_and_those_of_others_are_not() {
    let store = store().await;
    store.note_audit(&entry(1, "ada"), 400).await.unwrap();
    store.note_audit(&AuditEntry { people: vec![person("bob")], ..entry(2, "bob") }, 400).await.unwrap();
    store
        .note_audit(&AuditEntry { people: vec![person("bob"), person("ada")], ..entry(3, "both") }, 400)
        .await
        .unwrap();
    store.note_audit(&AuditEntry { people: Vec::new(), ..entry(4, "none") }, 400).await.unwrap();
    let mut ada = Subject::named("ada");
    ada.people.insert(person("ada"));
    let found = store.traces(&ada, &|_| {}).await.unwrap().found;
    let mut ids = Vec::new();
    for trace in found {
        let Trace::Noted { pk, sk } = trace else { panic!("{trace:?}") };
        ids.push(store.audit_entry(&pk, &sk).await.unwrap().unwrap().id);
    }
    assert_eq!(ids, ["ada", "both"]);
}
