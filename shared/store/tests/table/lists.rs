//! Lists: in order, page by page, complete; entries belong to versions.

use crate::support::{at, person, store};
use perennial_domain::PersonId;
use perennial_engine::listing::{ListChange, ListEntry};
use perennial_store::Store;
use perennial_store::lists::{Kind, Listee, Place, Range};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn change(add: &[ListEntry], remove: &[ListEntry]) -> ListChange {
    ListChange { add: add.iter().cloned().collect(), remove: remove.iter().cloned().collect() }
}

fn band(band: u8) -> ListEntry {
    ListEntry::of_band("churn", band)
}

fn bands(first: u8, last: u8) -> Range {
    Range::new(Kind::People, &band(first), &band(last))
}

/// Returns all places of a range, page by page.
async fn all(store: &Store, range: &Range, most: usize) -> Vec<Place> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_page(range, after.as_ref(), most).await.unwrap();
        assert!(page.places.len() <= most && page.unreadable == 0);
        found.extend(page.places);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn list_is_complete_and_in_order_however_it_is_paged() {
    let store = store().await;
    let mut expected = Vec::new();
    for n in 0..150_u8 {
        let (person, band_of) = (person(&format!("u{n}")), n % 7);
        store.change_lists(Listee::Person(person), &change(&[band(band_of)], &[]), 1, at(0)).await.unwrap();
        // Those who left are tombstones.
        if n % 5 == 0 {
            store.change_lists(Listee::Person(person), &change(&[], &[band(band_of)]), 2, at(0)).await.unwrap();
        } else if (2..=5).contains(&band_of) {
            expected.push(Place::new(format!("{band_of}#{person}")));
        }
    }
    expected.sort();
    for most in [1, 7, 50, 1000] {
        assert_eq!(all(&store, &bands(2, 5), most).await, expected, "{most}");
        let falling: Vec<Place> = expected.iter().rev().cloned().collect();
        assert_eq!(all(&store, &bands(2, 5).descending(), most).await, falling, "{most}");
    }
    assert_eq!(all(&store, &bands(8, 9), 10).await, []);
    assert_eq!(expected[0].order(), "2");
    assert!(PersonId::parse(expected[0].id()).is_ok());
    assert!(!bands(2, 5).contains(&Place::new("6#x")) && !bands(2, 5).contains(&Place::new("")));
    assert!(!bands(2, 5).contains(&Place::new(format!("3#{}", "x".repeat(2000)))));
}

#[tokio::test]
async fn words_are_found_by_their_beginning() {
    let store = store().await;
    for (name, words) in [("u1", ["ada", "adams"]), ("u2", ["adalbert", "acme"]), ("u3", ["bada", "ad"])] {
        let words = words.map(ListEntry::of_word);
        store.change_lists(Listee::Person(person(name)), &change(&words, &[]), 1, at(0)).await.unwrap();
    }
    let found = all(&store, &Range::beginning(Kind::People, &ListEntry::of_word("ada")), 10).await;
    assert_eq!(found.iter().map(Place::order).collect::<Vec<_>>(), ["ada", "adalbert", "adams"]);
    let accounts = all(&store, &Range::beginning(Kind::Accounts, &ListEntry::of_word("ada")), 10).await;
    assert_eq!(accounts, [], "people are in no list of accounts");
}

#[tokio::test]
async fn entry_of_an_earlier_version_never_replaces_one_of_a_later() {
    let store = store().await;
    let who = Listee::Person(person("u"));
    let put = async |add: &[ListEntry], remove: &[ListEntry], version: u64| {
        store.change_lists(who, &change(add, remove), version, at(0)).await.unwrap();
    };
    put(&[band(3)], &[], 5).await;
    put(&[], &[band(3)], 4).await;
    assert_eq!(all(&store, &bands(0, 9), 10).await.len(), 1, "a slow removal of an earlier version");
    put(&[band(4)], &[band(3)], 6).await;
    put(&[band(3)], &[], 5).await;
    let places = all(&store, &bands(0, 9), 10).await;
    assert_eq!(places.iter().map(Place::order).collect::<Vec<_>>(), ["4"], "a slow write finds the tombstone");
    put(&[band(4)], &[band(3)], 6).await;
    assert_eq!(all(&store, &bands(0, 9), 10).await, places, "a repeated change changes nothing");
    let entries = BTreeSet::from([band(3), band(4)]);
    store.delete_list_entries(who, &entries).await.unwrap();
    put(&[band(3)], &[], 1).await;
    assert_eq!(all(&store, &bands(0, 9), 10).await.len(), 1, "deleted entries leave no tombstone");
}

#[tokio::test]
async fn size_of_a_list_is_that_of_one_of_its_partitions() {
    let store = store().await;
    for n in 0..64 {
        let who = Listee::Person(person(&format!("u{n}")));
        store.change_lists(who, &change(&[band(1)], &[]), 1, at(0)).await.unwrap();
    }
    let size = store.list_size(&bands(0, 9)).await.unwrap();
    assert!((1..20).contains(&size), "{size}");
    assert_eq!(store.list_size(&bands(2, 9)).await.unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// The writes of one profile's versions, in any order and any number of times, with the last one at the end of none.
    #[test]
    fn changes_of_versions_in_any_order_lead_to_the_last_one(order in proptest::collection::vec(0..5_usize, 5..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = store().await;
            let listed = [0_u8, 1, 2, 1, 3];
            let mut order = order;
            order.extend(0..5);
            for version in order {
                let before = version.checked_sub(1).map(|before| band(listed[before]));
                let change = ListChange {
                    add: BTreeSet::from([band(listed[version])]),
                    remove: before.into_iter().filter(|before| *before != band(listed[version])).collect(),
                };
                store.change_lists(Listee::Person(person("u")), &change, version as u64 + 1, at(0)).await.unwrap();
            }
            let places = all(&store, &bands(0, 9), 10).await;
            prop_assert_eq!(places.iter().map(Place::order).collect::<Vec<_>>(), ["3"]);
            Ok(())
        })?;
    }
}
