//! Counting the whole table: at once, and by passes.

use crate::bounds::{damage, noise};
use crate::support::{at, bundle, feed, new, person, store};
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_config::Config;
use perennial_store::count::{Pass, new_pass};
use perennial_store::{Store, keys};
use perennial_testkit::EventBuilder;

fn config() -> Config {
    Config::load(&bundle(0)).unwrap()
}

/// Profiles of these names, and `pages` MB, about, of what nobody counts.
async fn table(names: &[&str], pages: usize) -> Store {
    let store = store().await;
    for name in names {
        feed(&store, &mut new(name), &[EventBuilder::track("m", name, "Paid").at(at(-60)).build()]).await;
    }
    for number in 0..pages * 3 {
        let put = store.client().put_item().table_name(store.table());
        let put =
            put.item("pk", AttributeValue::S(format!("X#{number}"))).item("sk", AttributeValue::S("X".to_owned()));
        put.item("x", AttributeValue::S("x".repeat(390_000))).send().await.unwrap();
    }
    store
}

/// The pass as it is stored.
async fn stored(store: &Store) -> Pass {
    store.count_pass().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_pass_is_stored_midway_and_finds_what_counting_at_once_finds() {
    let (store, config) = (table(&["ada", "bob", "eve"], 4).await, config());
    damage(&store, &format!("P#{}", person("eve")), "P", "state", noise()).await;
    assert_eq!((store.count_pass().await.unwrap(), store.last_count().await.unwrap()), (None, None));
    let mut pass = new_pass(None, &config, at(0));
    let mut runs = 0;
    loop {
        runs += 1;
        let is_through = store.count_page(&mut pass, &config).await.unwrap();
        assert!(store.note_count(&mut pass).await.unwrap());
        pass = stored(&store).await;
        assert_eq!((is_through, store.last_count().await.unwrap().is_some()), (!pass.is_under_way(), is_through));
        if is_through {
            break;
        }
    }
    let found = store.last_count().await.unwrap().unwrap();
    assert!(runs > 3 && found.pages == runs, "{runs}");
    assert_eq!((found.at, &found.config), (at(0), &config.version));
    assert_eq!((found.totals.profiles, found.totals.accepted), (3, 3));
    assert_eq!((found.figures.people, found.figures.unreadable), (2, 1));
    assert_eq!(store.count_within(&config, u64::MAX, at(0)).await.unwrap(), Some(found.clone()));
    assert_eq!(store.totals().await.unwrap(), found.totals);
    // One who is late with an earlier pass does not replace what a later one found.
    let mut early = new_pass(Some(&pass), &config, at(-9));
    while !store.count_page(&mut early, &config).await.unwrap() {}
    store.note_count(&mut early).await.unwrap();
    assert_eq!(store.last_count().await.unwrap(), Some(found));
}

#[tokio::test]
async fn a_table_is_counted_at_once_up_to_a_size() {
    let (store, config) = (table(&["ada"], 7).await, config());
    assert_eq!(store.count_within(&config, 4, at(0)).await.unwrap(), None);
    assert_eq!(store.totals_within(4).await.unwrap(), None);
    assert_eq!(store.count_within(&config, 20, at(0)).await.unwrap().unwrap().figures.people, 1);
    assert_eq!(store.totals_within(20).await.unwrap().unwrap().profiles, 1);
}

#[tokio::test]
async fn of_two_runs_at_once_one_counts_on() {
    let (store, config) = (table(&["ada"], 2).await, config());
    let (mut first, mut second) = (new_pass(None, &config, at(0)), new_pass(None, &config, at(0)));
    assert!(store.note_count(&mut first).await.unwrap() && store.count_pass().await.unwrap().is_none(), "nothing yet");
    for pass in [&mut first, &mut second] {
        assert!(!store.count_page(pass, &config).await.unwrap());
    }
    assert!(store.note_count(&mut first).await.unwrap());
    assert!(!store.note_count(&mut second).await.unwrap());
    assert_eq!(stored(&store).await, first);
}

#[tokio::test]
async fn a_count_that_cannot_be_read_is_none_and_is_replaced() {
    let (store, config) = (table(&["ada"], 0).await, config());
    let mut pass = new_pass(None, &config, at(0));
    assert!(store.count_page(&mut pass, &config).await.unwrap() && store.note_count(&mut pass).await.unwrap());
    damage(&store, keys::COUNTED, keys::LAST, "body", noise()).await;
    damage(&store, keys::COUNTED, keys::PASS, "cfg", noise()).await;
    assert_eq!(store.last_count().await.unwrap(), None);
    let damaged = stored(&store).await;
    assert_eq!((damaged.is_under_way(), &damaged.began), (false, &None));
    let mut pass = new_pass(Some(&damaged), &config, at(60));
    assert!(store.count_page(&mut pass, &config).await.unwrap() && store.note_count(&mut pass).await.unwrap());
    assert_eq!(store.last_count().await.unwrap().unwrap().totals.profiles, 1);
    assert_eq!(stored(&store).await.began, Some((at(60), config.version.clone())));
}
