//! Profiles are merged by their identifiers, and unmerged on request, as if they had never been merged.

use crate::orders::{Delivery, deliver_all};
use crate::support::{Bench, anonymous, at, case, user};
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{AccountId, AnonymousId, Event, Identity, MessageId, PersonId, UserId};
use perennial_engine::Profile;
use perennial_engine::joins::{Evidence, Noted, Standing};
use perennial_store::{Consistency, Loaded};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::BTreeMap;

const USERS: [&str; 4] = ["u0", "u1", "u2", "u3"];
const VISITORS: [&str; 2] = ["a0", "a1"];

fn mail(id: &str, user: &str, address: &str, second: i64) -> Event {
    EventBuilder::identify(id, user, None).with_trait("email", address).at(at(second)).build()
}

fn alias(id: &str, user: &str, previous: &str, second: i64) -> Event {
    EventBuilder::alias(id, user, previous).at(at(second)).build()
}

fn identity(text: &str) -> Identity {
    match text.strip_prefix('a') {
        Some(_) => Identity::Anonymous(AnonymousId::parse(text).unwrap()),
        None => Identity::User(UserId::parse(text).unwrap()),
    }
}

fn unmerge(text: &str, second: i64) -> String {
    let (by, why) = ("ada".to_owned(), "a desk".to_owned());
    let unmerge = Unmerge { identity: identity(text), at: at(second), by, why, done_at: None };
    serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap()
}

fn one(n: usize, (kind, who, other, second): (u8, usize, usize, i64)) -> Event {
    let id = format!("m{n}");
    let (name, visitor) = (USERS[who], VISITORS[other % 2]);
    match kind {
        0 => EventBuilder::page(&id, visitor).at(at(second)).build(),
        1 => EventBuilder::track(&id, name, "Order Completed").property("revenue", second).at(at(second)).build(),
        2 => EventBuilder::identify(&id, name, Some(visitor)).at(at(second)).build(),
        3 => EventBuilder::group(&id, name, &format!("acct-{other}")).at(at(second)).build(),
        4 => alias(&id, name, USERS[other], second),
        5 => alias(&id, name, visitor, second),
        _ => mail(&id, name, ["ada@acme.org", "bob@acme.org"][other % 2], second),
    }
}

/// Returns all profiles by their ids, each as derived from events. Every pointer leads to its identity state.
async fn told(bench: &Bench) -> BTreeMap<PersonId, Vec<u8>> {
    let mut people = BTreeMap::new();
    for text in USERS.iter().chain(&VISITORS) {
        let own = identity(text).person_id();
        let Some(stored) = bench.store.follow(own, Consistency::Strong).await.unwrap() else { continue };
        assert!(stored.profile.part(&identity(text)).is_some(), "{text} is where its pointer leads");
        assert_eq!(bench.stored(stored.profile.id).await.unwrap(), stored, "one step leads there");
        people.insert(stored.profile.id, derived(&stored.profile));
    }
    people
}

fn derived(profile: &Profile) -> Vec<u8> {
    profile.derived_bytes().unwrap()
}

async fn deliver(bench: &Bench, events: &[Event], delivery: &Delivery) {
    for batch in delivery {
        let records: Vec<Vec<Event>> =
            batch.iter().map(|record| record.iter().map(|place| events[*place].clone()).collect()).collect();
        assert!(bench.feed(&records).await.is_empty());
    }
}

fn story() -> impl Strategy<Value = (Vec<Event>, Delivery, Delivery, usize)> {
    prop::collection::vec((0..9_u8, 0..4_usize, 0..4_usize, -5000..-4990_i64), 3..20).prop_flat_map(|specs| {
        let events: Vec<Event> = specs.into_iter().enumerate().map(|(n, spec)| one(n, spec)).collect();
        let count = events.len();
        (Just(events), deliver_all(count), deliver_all(count), 0..6_usize)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_one_person_does_not_depend_on_the_order_and_partings_hold((events, first, second, who) in story()) {
        case(async |database, run| {
            let one = database.bench(&format!("merged-first-{run}")).await;
            deliver(&one, &events, &first).await;
            let other = database.bench(&format!("merged-second-{run}")).await;
            deliver(&other, &events, &second).await;
            let merged = told(&one).await;
            prop_assert_eq!(&merged, &told(&other).await);
            prop_assert_eq!(one.store.totals().await.unwrap().accepted, events.len() as u64);
            // Unmerged in both, and everything repeated after that: the same profiles, unchanged.
            let text = if who < 4 { USERS[who] } else { VISITORS[who - 4] };
            for bench in [&one, &other] {
                for _ in 0..2 {
                    assert!(bench.hand(vec![unmerge(text, -10)]).await.is_empty());
                }
            }
            let parted = told(&one).await;
            prop_assert_eq!(&parted, &told(&other).await);
            deliver(&one.restarted(), &events, &second).await;
            prop_assert_eq!(&told(&one).await, &parted);
            // An unmerged identity is no longer in another profile.
            let own = identity(text);
            if let Some(stored) = one.store.follow(own.person_id(), Consistency::Strong).await.unwrap() {
                let alone = stored.profile.parts.iter().all(|part| {
                    part.identity == own || part.holder().is_some_and(|link| own == Identity::User(link.user.clone()))
                });
                let was_parted = stored.profile.part(&own).unwrap().notes.iter().any(|note| matches!(note.what, Noted::Parted { .. }));
                prop_assert!(!was_parted || alone || !own.is_user(), "{:?}", stored.profile.parts);
            }
            // Members are who they are.
            for n in 0..4 {
                let account = AccountId::parse(&format!("acct-{n}")).unwrap();
                for member in one.store.members(&account, None, None).await.unwrap().members {
                    let stored = one.stored(member.person).await;
                    let profile = &stored.as_ref().unwrap().profile;
                    let says = match (&profile.published, member.elsewhere) {
                        (Some((published, _)), false) => *published == account,
                        (_, elsewhere) => elsewhere && profile.elsewhere.contains_key(&account),
                    };
                    prop_assert!(says, "a member is a person who says so: {} of {:?}", account, profile);
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn two_user_ids_with_one_address_are_one_person_until_someone_says_they_are_not() {
    let bench = Bench::new().await;
    let trial = |id: &str, user: &str| EventBuilder::track(id, user, "Trial Started").at(at(-40)).build();
    let group = |id: &str, user: &str, account: &str| EventBuilder::group(id, user, account).at(at(-45)).build();
    let page = EventBuilder::page("p1", "a1").at(at(-44)).build();
    let link = EventBuilder::identify("i1", "u1", Some("a1")).at(at(-43)).build();
    let batches = [
        vec![trial("t1", "u1"), group("g1", "u1", "acme")],
        vec![page, link],
        vec![trial("t2", "u2"), group("g2", "u2", "other")],
    ];
    for batch in &batches {
        assert!(bench.feed(std::slice::from_ref(batch)).await.is_empty());
    }
    let apart = [bench.stored(user("u1")).await.unwrap(), bench.stored(user("u2")).await.unwrap()];
    let said = [vec![mail("m1", "u1", "ada@acme.org", -30)], vec![mail("m2", "u2", "Ada@Acme.org", -20)]];
    assert!(bench.feed(&said).await.is_empty());
    let together = bench.store.follow(user("u2"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((together.profile.parts.len(), together.profile.counted()), (3, 8));
    assert_eq!(together.profile.id, user("u1").min(user("u2")));
    assert_eq!(
        together.profile.joins().iter().map(|join| join.evidence).collect::<Vec<_>>(),
        [Evidence::Identify, Evidence::Mail]
    );
    assert_eq!(bench.store.resolve("ada@acme.org").await.unwrap().unwrap(), together);
    let members = async |account: &str| {
        let account = AccountId::parse(account).unwrap();
        let members = bench.store.members(&account, None, None).await.unwrap().members;
        members.into_iter().map(|member| member.person).collect::<Vec<_>>()
    };
    // They belong to both accounts. The later one is the primary; at the same time, the one with the greater name.
    assert_eq!((members("acme").await, members("other").await), (vec![together.profile.id], vec![together.profile.id]));
    assert_eq!(together.profile.published.as_ref().unwrap().0.as_str(), "other");
    // Later events of both, and of the browser, find the one profile.
    let later = [trial("t3", "u1"), trial("t4", "u2"), EventBuilder::page("p2", "a1").at(at(-5)).build()];
    assert!(bench.feed(&[later.to_vec()]).await.is_empty());
    assert_eq!(bench.stored(together.profile.id).await.unwrap().profile.counted(), 11);

    assert!(bench.hand(vec![unmerge("u1", -3)]).await.is_empty());
    let (one, two) = (bench.stored(user("u1")).await.unwrap(), bench.stored(user("u2")).await.unwrap());
    let identities = |profile: &Profile| profile.parts.iter().map(|part| part.identity.to_string()).collect::<Vec<_>>();
    assert_eq!(identities(&one.profile), ["user:u1", "anonymous:a1"]);
    assert_eq!(identities(&two.profile), ["user:u2"]);
    assert_eq!((one.profile.counted(), two.profile.counted()), (7, 4));
    assert_eq!((members("acme").await, members("other").await), (vec![user("u1")], vec![user("u2")]));
    assert!(one.profile.due_at.is_some() && two.profile.due_at.is_some());
    assert!(
        matches!(bench.store.load(anonymous("a1"), Consistency::Strong).await.unwrap(), Loaded::Moved(moved) if moved.to == user("u1"))
    );
    for (before, after) in apart.iter().zip([&one, &two]) {
        for part in &before.profile.parts {
            assert_eq!(
                part.facts.entered,
                after.profile.part(&part.identity).unwrap().facts.entered,
                "journeys go with the part"
            );
        }
    }
    let note = &one.profile.part(&identity("u1")).unwrap().notes[0];
    assert_eq!(note.what, Noted::Parted { by: "ada".to_owned(), why: "a desk".to_owned() });
    assert_eq!((note.at, note.other), (at(-3).as_millisecond(), user("u2")));
    assert_eq!(two.profile.parts[0].notes.len(), 1);
    // The same address again does not merge them; another one, which both have, does.
    let again = |id: &str, user: &str| Event {
        message_id: MessageId::parse(id).unwrap(),
        ..mail("x", user, "ada@acme.org", -2)
    };
    assert!(
        bench
            .feed(&[vec![again("m5", "u1"), again("m6", "u2")], vec![mail("m7", "u1", "new@acme.org", -1)]])
            .await
            .is_empty()
    );
    assert!(bench.stored(user("u1")).await.is_some() && bench.stored(user("u2")).await.is_some());
    assert!(bench.feed(&[vec![mail("m8", "u2", "new@acme.org", -1)]]).await.is_empty());
    let again = bench.store.follow(user("u1"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(again.profile.parts.len(), 3);
    assert!(bench.hand(vec![unmerge("u1", -3)]).await.is_empty());
    assert_eq!(
        bench.store.follow(user("u1"), Consistency::Strong).await.unwrap().unwrap(),
        again,
        "an old word says nothing of new evidence"
    );
}

#[tokio::test]
async fn an_alias_joins_an_earlier_user_id_whether_it_was_seen_before_or_not() {
    for order in [[0, 1], [1, 0]] {
        let bench = Bench::new().await;
        let batches = [
            vec![EventBuilder::track("t", "old", "Order Completed").at(at(-60)).build()],
            vec![alias("l", "new", "old", -30)],
        ];
        for place in order {
            assert!(bench.feed(std::slice::from_ref(&batches[place])).await.is_empty());
        }
        let person = bench.stored(user("new")).await.unwrap();
        assert_eq!(person.profile.counted(), 2);
        assert_eq!(bench.store.resolve("old").await.unwrap().unwrap(), person);
        let named = person.profile.part(&Identity::User(UserId::parse("old").unwrap())).unwrap();
        assert_eq!(named.state.counts.total(), 1);
    }
}

/// PostHog has one space of ids: what its browser sent as an anonymous id, a server may have sent as a user's.
#[tokio::test]
async fn an_identify_that_names_an_earlier_id_joins_both_that_it_may_be() {
    let identify = Event {
        previous_id: Some(AnonymousId::parse("d1").unwrap()),
        ..EventBuilder::identify("i", "u1", Some("d1")).at(at(-30)).build()
    };
    let batches = [
        vec![EventBuilder::track("t", "d1", "Order Completed").at(at(-60)).build()],
        vec![EventBuilder::page("p", "d1").at(at(-50)).build()],
        vec![identify],
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let bench = Bench::new().await;
        for place in order {
            assert!(bench.feed(std::slice::from_ref(&batches[place])).await.is_empty());
        }
        let person = bench.stored(user("u1")).await.unwrap();
        assert_eq!(person.profile.counted(), 3, "{order:?}");
        assert_eq!(bench.store.resolve("d1").await.unwrap().unwrap(), person);
    }
}

#[tokio::test]
async fn an_address_of_too_many_parts_those_whom_it_had_joined() {
    let bench = Bench::new().await;
    for n in 0..5 {
        let told = mail(&format!("m{n}"), &format!("v{n}"), "desk@acme.org", -50 + n);
        assert!(bench.feed(&[vec![told]]).await.is_empty());
        let one = bench.store.follow(user("v0"), Consistency::Strong).await.unwrap().unwrap();
        let expected = if n < 4 { usize::try_from(n).unwrap() + 1 } else { 1 };
        assert_eq!(one.profile.parts.len(), expected, "after {n}");
    }
    for n in 0..5 {
        let person = bench.stored(user(&format!("v{n}"))).await.unwrap();
        assert_eq!(person.profile.parts[0].claims[0].standing, Standing::Shared);
    }
    assert!(bench.feed(&[vec![mail("m9", "v9", "desk@acme.org", -1)]]).await.is_empty());
    assert_eq!(bench.stored(user("v9")).await.unwrap().profile.parts[0].claims[0].standing, Standing::Shared);
}

#[tokio::test]
async fn a_process_that_dies_before_it_joins_leaves_that_to_the_next() {
    let bench = Bench::new().await;
    assert!(bench.feed(&[vec![mail("m1", "u1", "ada@acme.org", -30)]]).await.is_empty());
    // Written and indexed, but the process died before it was merged with the other.
    let second = vec![mail("m2", "u2", "ada@acme.org", -20)];
    let mut profile = Profile::new(identity("u2"));
    let config = crate::support::config();
    let moment = perennial_engine::Moment::new(&config, at(0));
    perennial_engine::process(&moment, &mut profile, &second, &Default::default(), perennial_engine::Mode::Live);
    bench.store.save(&mut perennial_store::Stored::new(profile)).await.unwrap();
    assert!(bench.stored(user("u1")).await.is_some() && bench.stored(user("u2")).await.is_some());
    assert!(bench.restarted().feed(&[second]).await.is_empty());
    let person = bench.store.follow(user("u2"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(person.profile.parts.len(), 2);
}

/// Another worker changed the profile again before its first actions were executed, as a merge can.
#[tokio::test]
async fn of_two_entries_for_one_account_that_are_pending_the_later_one_holds() {
    let bench = Bench::new().await;
    let config = crate::support::config();
    let moment = perennial_engine::Moment::new(&config, at(0));
    let mut stored = perennial_store::Stored::new(Profile::new(identity("u1")));
    for (id, account, second) in [("g1", "acme", -50), ("g2", "other", -40)] {
        let event = EventBuilder::group(id, "u1", account).at(at(second)).build();
        let mode = perennial_engine::Mode::Live;
        perennial_engine::process(&moment, &mut stored.profile, &[event], &Default::default(), mode);
        bench.store.save(&mut stored).await.unwrap();
    }
    // Nothing about the person that an entry says changes with this.
    let event = EventBuilder::track("t1", "u1", "Menu Opened").at(at(-4)).build();
    assert!(bench.restarted().feed(&[vec![event]]).await.is_empty());
    let elsewhere = async |account: &str| {
        let account = AccountId::parse(account).unwrap();
        let members = bench.store.members(&account, None, None).await.unwrap().members;
        members.into_iter().map(|member| (member.person, member.elsewhere)).collect::<Vec<_>>()
    };
    assert_eq!(elsewhere("other").await, [(user("u1"), false)]);
    assert_eq!(elsewhere("acme").await, [(user("u1"), true)]);
}

#[tokio::test]
async fn processes_that_join_the_same_people_at_once_end_in_one_person() {
    let bench = Bench::new().await;
    let others: Vec<Bench> = (0..4).map(|_| bench.restarted()).collect();
    let runs = others.iter().enumerate().map(|(n, other)| async move {
        let name = format!("w{n}");
        let events = vec![
            mail(&format!("m{n}"), &name, "ada@acme.org", -50),
            EventBuilder::identify(&format!("i{n}"), &name, Some("a1")).at(at(-40 - n as i64)).build(),
            EventBuilder::page(&format!("p{n}"), "a1").at(at(-30)).build(),
        ];
        for _ in 0..30 {
            if other.feed(std::slice::from_ref(&events)).await.is_empty() {
                return;
            }
        }
        panic!("it never came to an end");
    });
    futures::future::join_all(runs).await;
    let person = bench.store.follow(user("w0"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((person.profile.parts.len(), person.profile.counted()), (5, 12));
    assert_eq!(bench.store.totals().await.unwrap().profiles, 1);
}
