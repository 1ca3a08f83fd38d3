//! Profiles, their ledgers, their moves and their timers.

use crate::support::{at, feed, new, person, store, user};
use perennial_domain::{AccountId, AnonymousId, ExternalId, Identity, PersonId};
use perennial_engine::{Profile, RolledBlock};
use perennial_store::due::{Due, DuePosition};
use perennial_store::identities::{Claimants, Value};
use perennial_store::profiles::Reshape;
use perennial_store::{Consistency, Loaded, Moved, StoreError, Stored};
use perennial_testkit::EventBuilder;
use std::collections::HashSet;

fn anonymous(text: &str) -> Identity {
    Identity::Anonymous(AnonymousId::parse(text).unwrap())
}

#[tokio::test]
async fn when_someone_else_wrote_meanwhile_the_write_is_refused() {
    let store = store().await;
    store.create_table().await.unwrap();
    let mut first = new("u");
    let mut second = new("u");
    feed(&store, &mut first, &[EventBuilder::track("m1", "u", "Paid").build()]).await;
    assert!(store.save(&mut second).await.unwrap_err().is_conflict(), "it is there already");
    let Loaded::Profile(mut stale) = store.load(person("u"), Consistency::Strong).await.unwrap() else {
        panic!("no profile")
    };
    assert_eq!(stale, first);
    feed(&store, &mut first, &[EventBuilder::track("m2", "u", "Paid").build()]).await;
    assert!(store.save(&mut stale).await.unwrap_err().is_conflict(), "it has moved on");
    assert_eq!(store.load(person("u"), Consistency::Eventual).await.unwrap(), Loaded::Profile(first));
}

#[tokio::test]
async fn many_people_are_read_at_once_and_who_is_not_there_is_absent() {
    let store = store().await;
    let names: Vec<String> = (0..130).map(|i| format!("u{i}")).collect();
    for name in &names[..110] {
        feed(&store, &mut new(name), &[EventBuilder::track("m", name, "Paid").build()]).await;
    }
    let people: HashSet<PersonId> = names.iter().map(|name| person(name)).collect();
    let loaded = store.load_many(&people).await.unwrap();
    let there = |name: &String| matches!(loaded[&person(name)], Ok(Loaded::Profile(_)));
    assert!(names[..110].iter().all(there));
    assert!(names[110..].iter().all(|name| matches!(loaded[&person(name)], Ok(Loaded::Absent))));
}

#[tokio::test]
async fn a_ledger_gives_back_its_ids_and_a_missing_block_is_noticed() {
    let store = store().await;
    let block = |number: u32| RolledBlock {
        owner: person("u"),
        number,
        ids: (0..32).map(|i| u64::from(number) << 40 | i).collect(),
        at: at(i64::from(number) * 10),
    };
    let blocks: Vec<RolledBlock> = (0..60).map(block).collect();
    store.put_blocks(&blocks).await.unwrap();
    store.put_blocks(&blocks[..1]).await.unwrap();
    let ids = store.read_ledger(person("u"), 60).await.unwrap();
    assert_eq!(ids, blocks.iter().flat_map(|block| block.ids.clone()).collect());
    assert!(matches!(store.read_ledger(person("u"), 61).await, Err(StoreError::Corrupt(_))));
    assert!(store.read_ledger(person("v"), 0).await.unwrap().is_empty());
    // Only blocks that rolled since are read, however many are before them.
    let numbers = async |since: i64| {
        let ids = store.read_ledger_since(person("u"), 60, Some(at(since))).await.unwrap();
        let numbers: std::collections::BTreeSet<u64> = ids.iter().map(|id| id >> 40).collect();
        assert_eq!(ids.len(), numbers.len() * 32);
        numbers.first().copied().map(|first| (first, *numbers.last().unwrap()))
    };
    assert_eq!(numbers(560).await, Some((56, 59)));
    assert_eq!(numbers(561).await, Some((57, 59)));
    assert_eq!(numbers(123).await, Some((13, 59)), "over several pages");
    assert_eq!(numbers(591).await, None);
    assert_eq!(numbers(0).await, Some((0, 59)));
    // A block of a write that failed afterwards belongs to nobody.
    let ids = store.read_ledger(person("u"), 20).await.unwrap();
    assert_eq!(ids.len(), 20 * 32);
    store.delete_keys([(format!("P#{}", person("u")), "L#000040".to_owned())]).await.unwrap();
    assert!(matches!(store.read_ledger_since(person("u"), 60, Some(at(0))).await, Err(StoreError::Corrupt(_))));
    assert_eq!(numbers(450).await, Some((45, 59)), "what is missing before that is not looked for");
}

/// An anonymous visitor, stored.
async fn visitor(store: &perennial_store::Store) -> Stored {
    let mut visitor = Stored::new(Profile::new(anonymous("anon")));
    feed(store, &mut visitor, &[EventBuilder::page("p1", "anon").build()]).await;
    visitor
}

/// Returns `into` with the visitor's identity state.
fn joined(origin: &Stored, into: &Stored) -> Stored {
    let mut target = into.clone();
    target.profile.parts.push(origin.profile.part(&anonymous("anon")).unwrap().clone());
    target.profile.parts.sort_by(|a, b| a.identity.cmp(&b.identity));
    target
}

fn pointer(origin: &Stored, to: &Stored) -> (PersonId, Moved) {
    (origin.profile.id, Moved { to: to.profile.id, version: origin.version + 1 })
}

#[tokio::test]
async fn a_part_moves_whole_and_its_old_place_points_to_the_new_one() {
    let store = store().await;
    let origin = visitor(&store).await;
    let target = joined(&origin, &new("u"));
    let acme = AccountId::parse("acme").unwrap();
    let reshape = Reshape {
        profiles: vec![&target],
        pointers: vec![pointer(&origin, &target)],
        leaves: vec![(acme, origin.profile.id, origin.version + 1)],
    };
    store.reshape(&reshape, at(0)).await.unwrap();
    assert_eq!(
        store.load(origin.profile.id, Consistency::Strong).await.unwrap(),
        Loaded::Moved(Moved { to: person("u"), version: 2 })
    );
    let found = store.resolve("anon").await.unwrap().unwrap();
    assert_eq!((found.profile.id, found.version, found.profile.counted()), (person("u"), 1, 1));
    assert_eq!(store.resolve("u").await.unwrap().unwrap(), found);
    assert_eq!(store.resolve(&person("u").to_string()).await.unwrap().unwrap(), found);
    store.index_address("Ada@Example.com", person("u")).await.unwrap();
    assert_eq!(store.resolve("ada@example.com").await.unwrap().unwrap(), found);
    assert_eq!(store.resolve("bob@example.com").await.unwrap(), None);
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles), (1, 1), "a pointer is nobody and counts nothing twice");
    assert!(
        store.save(&mut origin.clone()).await.unwrap_err().is_conflict(),
        "a slow writer cannot bring the old place back"
    );
}

#[tokio::test]
async fn when_any_side_changed_nothing_of_a_move_happens() {
    let store = store().await;
    let mut origin = visitor(&store).await;
    let target = joined(&origin, &new("u"));
    let stale = origin.clone();
    feed(&store, &mut origin, &[EventBuilder::page("p2", "anon").build()]).await;
    let moved = async |origin: &Stored, target: &Stored| {
        let reshape = Reshape { profiles: vec![target], pointers: vec![pointer(origin, target)], ..Reshape::default() };
        store.reshape(&reshape, at(0)).await
    };
    assert!(moved(&stale, &target).await.unwrap_err().is_conflict());
    assert_eq!(store.load(person("u"), Consistency::Strong).await.unwrap(), Loaded::Absent);
    feed(&store, &mut new("u"), &[EventBuilder::track("m1", "u", "Paid").build()]).await;
    assert!(moved(&origin, &joined(&origin, &new("u"))).await.unwrap_err().is_conflict());
    assert_eq!(store.load(origin.profile.id, Consistency::Strong).await.unwrap(), Loaded::Profile(origin));
}

/// A user id may be spelled like another person's address, or their id in another system: neither hides them from an
/// export or erasure.
#[tokio::test]
async fn nobody_is_hidden_by_a_user_id_of_their_spelling() {
    let store = store().await;
    for name in ["ada", "ada@acme.org", "crm:7", "stripe:cus_5"] {
        feed(&store, &mut new(name), &[EventBuilder::track("m", name, "Signed In").build()]).await;
    }
    let found = async |text: &str| store.resolve(text).await.unwrap().map(|stored| stored.profile.id);
    assert_eq!(found("ada@acme.org").await, Some(person("ada@acme.org")), "nobody has this address");
    store.claim_value(Value::Mail("ada@acme.org"), person("ada"), 4).await.unwrap();
    assert_eq!(found("ada@acme.org").await, Some(person("ada")));
    assert_eq!(found("crm:7").await, Some(person("crm:7")), "nobody has this id");
    store.claim_value(Value::External("crm:7"), person("ada"), 4).await.unwrap();
    assert_eq!(found("crm:7").await, Some(person("ada")), "who has it by a trait");
    let all = async |text: &str| store.all_named(text).await.unwrap();
    assert_eq!(all("ada@acme.org").await, [person("ada"), person("ada@acme.org")].into());
    assert_eq!(all(" crm:7 ").await, [person("ada"), person("crm:7")].into());
    assert_eq!(all("ada").await, [person("ada")].into());
    assert_eq!(all(&person("ada").to_string()).await, [person("ada")].into());
    assert_eq!(all("nobody").await, [].into());
    let customer = Identity::External(ExternalId::parse("stripe:cus_5").unwrap());
    let mut own = Stored::new(Profile::new(customer.clone()));
    let event = EventBuilder::track("m", "x", "Paid").external("stripe", "cus_5").build();
    feed(&store, &mut own, &[event]).await;
    assert_eq!(found("stripe:cus_5").await, Some(customer.person_id()));
}

#[tokio::test]
async fn who_claims_a_value_learns_who_else_does_until_too_many_do() {
    let store = store().await;
    let value = Value::External("crm:7");
    let people: Vec<PersonId> = (0..6).map(|i| person(&format!("u{i}"))).collect();
    for n in 1..=3 {
        for _ in 0..2 {
            let all = store.claim_value(value, people[n - 1], 3).await.unwrap();
            assert_eq!(all, Claimants::Few(people[..n].iter().copied().collect()));
        }
    }
    let all = store.claim_value(value, people[3], 3).await.unwrap();
    assert_eq!(all, Claimants::TooMany(people[..4].iter().copied().collect()));
    let later = [people[0], people[1], people[2], people[3], people[5]];
    assert_eq!(store.claim_value(value, people[5], 3).await.unwrap(), Claimants::TooMany(later.into()));
    assert!(matches!(store.claim_value(value, people[1], 3).await.unwrap(), Claimants::TooMany(_)));
    store.index_address("info@acme.org", people[0]).await.unwrap();
    let mail = Value::Mail("Info@acme.org");
    assert_eq!(store.claim_value(mail, people[1], 3).await.unwrap(), Claimants::Few([people[1]].into()));
    store.index_address("info@acme.org", people[2]).await.unwrap();
    assert_eq!(store.find_address("info@acme.org").await.unwrap(), Some(people[2]));
    store.index(mail, people[0]).await.unwrap();
    assert_eq!(store.find_address("info@acme.org").await.unwrap(), Some(people[2]), "somebody claims it");
    store.index(Value::Mail("new@acme.org"), people[0]).await.unwrap();
    assert_eq!(store.find_address("new@acme.org").await.unwrap(), Some(people[0]));
    assert_eq!(
        store.claim_value(mail, people[2], 3).await.unwrap(),
        Claimants::Few([people[1], people[2]].into()),
        "who can be found by an address does not thereby claim it"
    );
}

#[tokio::test]
async fn only_those_whose_time_has_come_are_due_and_pages_give_all_of_them() {
    let store = store().await;
    for i in 0..60 {
        let mut stored = new(&format!("u{i}"));
        stored.profile.due_at = (i % 3 != 0).then(|| at(if i % 3 == 1 { -i } else { i }));
        store.save(&mut stored).await.unwrap();
    }
    let mut due = HashSet::new();
    for shard in 0..perennial_store::keys::DUE_SHARDS {
        let mut from: Option<DuePosition> = None;
        loop {
            let page = store.due(shard, at(0), 2, from.as_ref()).await.unwrap();
            assert!(page.items.len() <= 2);
            due.extend(page.items.into_iter().map(|item| match item.of {
                Due::Person(person) => (person, item.due_at),
                Due::Account(account) => panic!("{account} is not there"),
            }));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    let expected = (0..60).filter(|i| i % 3 == 1).map(|i| (person(&format!("u{i}")), at(-i)));
    assert_eq!(due, expected.collect());
    let Loaded::Profile(mut rung) = store.load(person("u1"), Consistency::Strong).await.unwrap() else {
        panic!("no profile")
    };
    rung.profile.due_at = None;
    store.save(&mut rung).await.unwrap();
    let mut left = 0;
    for shard in 0..perennial_store::keys::DUE_SHARDS {
        left += store.due(shard, at(0), 100, None).await.unwrap().items.len();
    }
    assert_eq!(left, 19, "who waits for nothing is in no index");
    assert_eq!(user("u1").person_id(), rung.profile.id);
}

#[tokio::test]
async fn totals_are_exact() {
    let store = store().await;
    for i in 0..20 {
        let name = format!("u{i}");
        let events: Vec<_> =
            (0..=i).map(|n| EventBuilder::track(&format!("m{n}"), &name, "Paid").at(at(0)).build()).collect();
        feed(&store, &mut new(&name), &events).await;
    }
    let mut upset = new("upset");
    upset.summary.unread_texts = 2;
    store.save(&mut upset).await.unwrap();
    let Loaded::Profile(read) = store.load(person("upset"), Consistency::Strong).await.unwrap() else {
        panic!("no profile")
    };
    assert_eq!(read.summary.unread_texts, 2);
    store.count(perennial_store::totals::DUPLICATES, 2).await.unwrap();
    store.count(perennial_store::totals::DUPLICATES, 3).await.unwrap();
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles, totals.duplicates), (210, 21, 5));
    assert_eq!((totals.unread_texts, totals.stages.values().sum::<u64>()), (2, 21));
    assert_eq!(totals.stages[&perennial_domain::Stage::Onboarding], 20);
}
