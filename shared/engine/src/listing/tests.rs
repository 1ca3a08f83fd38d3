#![allow(clippy::unwrap_used)]
use super::*;
use perennial_domain::{Likelihood, Stage};
use proptest::prelude::*;

fn entries(names: &[&str]) -> BTreeSet<ListEntry> {
    names.iter().map(|name| ListEntry::parse(name).unwrap()).collect()
}

#[test]
fn bands_have_ten_points_and_the_last_one_has_100_too() {
    let of = |score: u8| band(Score::from(score));
    assert_eq!([0, 9, 10, 69, 70, 99, 100].map(of), [0, 0, 1, 6, 7, 9, 9]);
    assert_eq!((around(0, 3), around(5, 3), around(9, 8)), ((0, 12), (47, 62), (82, 100)));
}

#[test]
fn entry_stays_while_its_score_varies_around_the_limit_of_its_band() {
    let mut bands = Bands::default();
    let mut moved = Vec::new();
    for score in [68, 71, 69, 75, 76, 71, 64, 63, 100, 0] {
        let next = Bands::new(Some(&bands), |scale| (scale == Scale::Engagement).then_some(Score::from(score)));
        if next != bands {
            moved.push((score, next.get(Scale::Engagement).unwrap()));
        }
        bands = next;
    }
    assert_eq!(moved, [(68, 6), (76, 7), (63, 6), (100, 9), (0, 0)]);
}

#[test]
fn pending_change_is_included_without_contradictions() {
    let (old, middle, new) = (entries(&["a#", "b#"]), entries(&["a#", "c#"]), entries(&["a#", "b#"]));
    let first = ListChange::between(&old, &middle);
    let mut second = ListChange::between(&middle, &new);
    second.include(&first, &new);
    assert_eq!(second, ListChange { add: entries(&["b#"]), remove: entries(&["c#"]) });
}

#[test]
fn entries_have_a_list_and_an_order() {
    let entry = ListEntry::of_band(Scale::Score(Likelihood::Churn).as_str(), 7);
    assert_eq!((entry.as_str(), entry.list(), entry.order()), ("score:churn#7", "score:churn", "7"));
    assert_eq!(ListEntry::of_stage(Stage::AtRisk).as_str(), "stage:at_risk#");
    assert_eq!(owner_key(" Zo\u{eb} "), owner_key("zoe"));
    assert_eq!(ListEntry::parse("no order"), None);
}

proptest! {
    #[test]
    fn bands_survive_their_bytes(bands in proptest::array::uniform10(proptest::option::of(0..BANDS))) {
        let bands = Bands(bands);
        prop_assert_eq!(Bands::from_bytes(bands.to_bytes()), bands);
    }

    #[test]
    fn reader_of_a_range_finds_every_score_that_silence_may_have_moved(listed in 0..=100_u8, now in 0..=100_u8, min in 0..=100_u8, max in 0..=100_u8) {
        let band = band(Score::from(listed));
        let (first, last) = bands_of(min, max);
        if is_within(band, REACH, Score::from(now)) && (min..=max).contains(&now) {
            prop_assert!((first..=last).contains(&band));
        }
    }

    #[test]
    fn changes_lead_from_any_state_between_the_old_and_the_new_one_to_the_new_one(
        sets in proptest::collection::vec(proptest::collection::btree_set(0..6_u8, 0..5), 2..5), done in 0..100_usize
    ) {
        let sets: Vec<BTreeSet<ListEntry>> =
            sets.iter().map(|set| set.iter().map(|n| ListEntry::of_segment(&n.to_string())).collect()).collect();
        let new = sets.last().unwrap();
        let mut pending = ListChange::default();
        for pair in sets.windows(2) {
            let mut change = ListChange::between(&pair[0], &pair[1]);
            change.include(&pending, &pair[1]);
            pending = change;
        }
        prop_assert!(pending.add.is_disjoint(&pending.remove));
        // Any earlier set may be what was applied, as a whole or not at all.
        let mut table = sets[done % sets.len()].clone();
        table.extend(pending.add.iter().cloned());
        table.retain(|entry| !pending.remove.contains(entry));
        prop_assert_eq!(&table, new);
    }
}
