//! Any order, any duplication and any batching of the same events produce the same profiles.

use crate::support::{Bench, anonymous, at, case, user};
use perennial_domain::{Event, PersonId};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::BTreeMap;

const USERS: [&str; 3] = ["u0", "u1", "u2"];
const VISITORS: [&str; 3] = ["a0", "a1", "a2"];

fn one(n: usize, (kind, who, other, second): (u8, usize, usize, i64)) -> Event {
    let id = format!("m{n}");
    let (user, visitor) = (USERS[who], VISITORS[other]);
    let builder = match kind {
        0 => EventBuilder::page(&id, visitor),
        1 => EventBuilder::track(&id, user, "Order Completed").property("revenue", second),
        2 => EventBuilder::identify(&id, user, Some(visitor)).with_trait("n", second),
        3 => EventBuilder::group(&id, user, &format!("acct-{other}")),
        _ => EventBuilder::alias(&id, user, visitor),
    };
    builder.at(at(second)).build()
}

/// Which events come when: places in the list, in batches of records.
pub(crate) type Delivery = Vec<Vec<Vec<usize>>>;

pub(crate) fn deliver_all(count: usize) -> impl Strategy<Value = Delivery> {
    let all: Vec<usize> = (0..count).collect();
    let extra = prop::collection::vec(0..count, 0..count);
    (Just(all), extra).prop_flat_map(|(mut order, extra)| {
        order.extend(extra);
        (Just(order).prop_shuffle(), prop::collection::vec((1..6_usize, 1..3_usize), 40)).prop_map(|(order, sizes)| {
            let mut left = order.as_slice();
            let mut batches = Vec::new();
            for (record, records) in sizes {
                let mut batch = Vec::new();
                for _ in 0..records {
                    let (now, rest) = left.split_at(record.min(left.len()));
                    left = rest;
                    if !now.is_empty() {
                        batch.push(now.to_vec());
                    }
                }
                batches.push(batch);
            }
            batches.push(vec![left.to_vec()]);
            batches.retain(|batch| batch.iter().any(|record| !record.is_empty()));
            batches
        })
    })
}

fn story() -> impl Strategy<Value = (Vec<Event>, Delivery, Delivery)> {
    prop::collection::vec((0..5_u8, 0..3_usize, 0..3_usize, -5000..-4990_i64), 4..22).prop_flat_map(|specs| {
        let events: Vec<Event> = specs.into_iter().enumerate().map(|(n, spec)| one(n, spec)).collect();
        let count = events.len();
        (Just(events), deliver_all(count), deliver_all(count))
    })
}

async fn told(bench: &Bench, events: &[Event], delivery: &Delivery) -> BTreeMap<PersonId, Vec<u8>> {
    for batch in delivery {
        let records: Vec<Vec<Event>> =
            batch.iter().map(|record| record.iter().map(|at| events[*at].clone()).collect()).collect();
        assert!(bench.feed(&records).await.is_empty());
    }
    let everyone = USERS.iter().map(|text| user(text)).chain(VISITORS.iter().map(|text| anonymous(text)));
    let mut people = BTreeMap::new();
    for person in everyone {
        if let Some(stored) = bench.stored(person).await {
            people.insert(person, stored.profile.derived_bytes().unwrap());
        }
    }
    people
}

#[tokio::test]
async fn of_several_links_in_one_batch_the_earliest_holds_though_a_later_one_held_before() {
    let bench = Bench::new().await;
    let link = |id: &str, user: &str, second| EventBuilder::identify(id, user, Some("a0")).at(at(second)).build();
    assert!(
        bench.feed(&[vec![EventBuilder::page("p", "a0").at(at(-60)).build(), link("m3", "u0", -30)]]).await.is_empty()
    );
    assert!(bench.feed(&[vec![link("m2", "u2", -40), link("m1", "u0", -50)]]).await.is_empty());
    assert_eq!(bench.stored(user("u0")).await.unwrap().profile.counted(), 3);
    assert!(bench.feed(&[vec![link("m0", "u1", -55)]]).await.is_empty());
    assert_eq!(bench.stored(user("u0")).await.unwrap().profile.counted(), 2);
    let holder = bench.stored(user("u1")).await.unwrap();
    assert_eq!((holder.profile.counted(), holder.profile.parts.len()), (2, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_events_make_the_same_people((events, one, other) in story()) {
        case(async |database, run| {
            let first = told(&database.bench(&format!("first-{run}")).await, &events, &one).await;
            let bench = database.bench(&format!("second-{run}")).await;
            let second = told(&bench, &events, &other).await;
            prop_assert_eq!(first, second);
            let totals = bench.store.totals().await.unwrap();
            prop_assert_eq!(totals.accepted, events.len() as u64);
            Ok(())
        })?;
    }
}
