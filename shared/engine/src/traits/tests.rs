#![allow(clippy::unwrap_used)]
use super::*;
use jiff::Timestamp;
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A report of the trait `t` at that microsecond.
#[derive(Debug, Clone)]
enum Said {
    Set(Value),
    Once(Value),
}

fn event(micros: i64, said: &Said) -> Event {
    let builder = EventBuilder::identify(&format!("m{micros}"), "u", None);
    let builder = match said {
        Said::Set(value) => builder.with_trait("t", value.clone()),
        Said::Once(value) => builder.with_trait_once("t", value.clone()),
    };
    builder.at(Timestamp::from_microsecond(1_700_000_000_000_000 + micros).unwrap()).build()
}

fn state(said: &[(i64, Said)]) -> State {
    let mut state = State::default();
    for (micros, said) in said {
        state.write_traits(&event(*micros, said), |_| true);
    }
    state
}

fn value(said: &[(i64, Said)]) -> Option<Value> {
    state(said).trait_json("t").map(|json| serde_json::from_str(json).unwrap())
}

fn set(value: impl Into<Value>) -> Said {
    Said::Set(value.into())
}

fn once(value: impl Into<Value>) -> Said {
    Said::Once(value.into())
}

#[test]
fn null_removes_until_a_later_value() {
    assert_eq!(value(&[(1, set("a")), (2, set(Value::Null))]), None);
    assert_eq!(value(&[(2, set(Value::Null)), (1, set("a"))]), None);
    assert_eq!(value(&[(1, set("a")), (2, set(Value::Null)), (3, set("b"))]), Some(json!("b")));
    assert_eq!(state(&[(1, set("a")), (2, set(Value::Null))]).present_traits().count(), 0);
}

/// PostHog: `$set_once` does nothing if the property is set; `$unset` makes room for it again.
#[test]
fn a_value_to_be_set_once_is_taken_only_where_there_is_none() {
    assert_eq!(value(&[(1, once("google")), (2, once("direct"))]), Some(json!("google")));
    assert_eq!(value(&[(2, once("direct")), (1, once("google"))]), Some(json!("google")));
    assert_eq!(value(&[(1, once("google")), (2, set("direct"))]), Some(json!("direct")));
    assert_eq!(value(&[(1, set("direct")), (2, once("google"))]), Some(json!("direct")));
    assert_eq!(value(&[(1, set("direct")), (2, set(Value::Null)), (3, once("google"))]), Some(json!("google")));
    assert_eq!(value(&[(1, once("google")), (2, set(Value::Null))]), None);
    assert_eq!(value(&[(1, once("a")), (2, once("b")), (3, set(Value::Null)), (4, once("c"))]), Some(json!("c")));
    assert_eq!(value(&[(1, once("a")), (2, set(Value::Null)), (3, once("b")), (4, set("c"))]), Some(json!("c")));
    assert_eq!(state(&[(1, once(7))]).present_traits().collect::<Vec<_>>(), [("t", "7")]);
}

#[test]
fn of_one_millisecond_the_later_microsecond_wins() {
    assert_eq!(value(&[(0, set("pro")), (1, set("free"))]), Some(json!("free")));
    assert_eq!(value(&[(0, set("free")), (1, set("pro"))]), Some(json!("pro")));
}

#[test]
fn a_value_too_long_to_be_kept_is_told_of_until_a_later_one_is_kept() {
    let long = "y".repeat(MAX_TRAIT_BYTES);
    let said = [(1, set("short")), (2, set(&*long))];
    assert_eq!(value(&said), Some(json!("short")));
    assert_eq!(state(&said).dropped_traits().collect::<Vec<_>>(), ["t"]);
    let again = [(1, set(&*long)), (2, set("short"))];
    assert_eq!((value(&again), state(&again).dropped_traits().count()), (Some(json!("short")), 0));
    assert_eq!(state(&[(1, once(&*long))]).dropped_traits().collect::<Vec<_>>(), ["t"]);
}

#[test]
fn names_beyond_the_limit_are_told_of_whatever_the_order() {
    let mut events: Vec<Event> = (0..MAX_TRAITS + 30)
        .map(|n| EventBuilder::identify(&format!("m{n}"), "u", None).with_trait(&format!("t{n:03}"), n).build())
        .collect();
    events.push(EventBuilder::identify("long", "u", None).with_trait(&"n".repeat(MAX_TRAIT_NAME_BYTES + 1), 1).build());
    let fold = |events: &[Event]| {
        let mut state = State::default();
        events.iter().for_each(|event| state.write_traits(event, |_| true));
        state
    };
    let straight = fold(&events);
    events.reverse();
    assert_eq!(fold(&events), straight);
    assert_eq!((straight.present_traits().count(), straight.dropped_traits_count()), (MAX_TRAITS, 31));
    let names: Vec<&str> = straight.dropped_traits().collect();
    assert_eq!(names.len(), MAX_DROPPED);
    assert_eq!((names[0].len(), names[MAX_DROPPED - 1]), (MAX_TRAIT_NAME_BYTES, "t108"), "a long name is cut");
}

#[test]
fn the_mail_address_and_other_facts_keep_their_place_among_too_many_names() {
    let facts = ["z", "timezone", "firstName", "email"]
        .map(|name| EventBuilder::identify(&format!("f-{name}"), "u", None).with_trait(name, "v").build());
    let others = (0..MAX_TRAITS)
        .map(|n| EventBuilder::identify(&format!("m{n}"), "u", None).with_trait(&format!("a{n:03}"), n).build());
    let events: Vec<Event> = facts.into_iter().chain(others).collect();
    let fold = |events: &mut dyn Iterator<Item = &Event>| {
        let mut state = State::default();
        events.for_each(|event| state.write_traits(event, |_| true));
        state
    };
    let state = fold(&mut events.iter());
    assert_eq!(fold(&mut events.iter().rev()), state);
    assert!(["timezone", "firstName", "email"].iter().all(|fact| state.trait_json(fact).is_some()));
    assert_eq!(state.dropped_traits().collect::<Vec<_>>(), ["a097", "a098", "a099", "z"]);
}

/// Events that each write one trait, a microsecond after one another.
fn writes(traits: impl IntoIterator<Item = (String, Value)>) -> Vec<Event> {
    let event = |(micros, (name, value)): (i64, (String, Value))| {
        let builder = EventBuilder::identify(&format!("w{micros}"), "u", None).with_trait(&name, value);
        builder.at(Timestamp::from_microsecond(1_700_000_000_000_000 + micros).unwrap()).build()
    };
    (0..).zip(traits).map(event).collect()
}

fn folded<'a>(events: impl Iterator<Item = &'a Event>) -> State {
    let mut state = State::default();
    events.for_each(|event| state.write_traits(event, |_| true));
    state
}

#[test]
fn traits_that_were_removed_take_no_place_of_those_that_are_there() {
    let name = |n: usize| format!("t{n:03}");
    let written = (0..MAX_TRAITS).map(|n| (name(n), json!(n)));
    let removed = (0..40).map(|n| (name(n), Value::Null));
    let later = (MAX_TRAITS..MAX_TRAITS + 40).map(|n| (name(n), json!(n)));
    let events = writes(written.chain(removed).chain(later));
    let state = folded(events.iter());
    assert_eq!(folded(events.iter().rev()), state);
    assert_eq!((state.present_traits().count(), state.dropped_traits_count()), (MAX_TRAITS, 0));
    assert_eq!((state.trait_json("t139"), state.trait_json("t000")), (Some("139"), None));
}

#[test]
fn names_are_bounded_however_many_were_removed() {
    let events = writes((0..1_000).map(|n| (format!("t{n:04}"), if n % 3 == 0 { json!(n) } else { Value::Null })));
    let state = folded(events.iter());
    assert_eq!(folded(events.iter().rev()), state);
    assert_eq!((state.traits.len(), state.dropped.len()), (MAX_TRAITS + MAX_REMOVED, MAX_COUNTED));
    assert_eq!((state.present_traits().count(), state.dropped_traits().count()), (50, MAX_DROPPED));
}

proptest! {
    #[test]
    fn which_traits_are_there_does_not_depend_on_the_order(
        said in proptest::collection::vec((0..180_usize, any::<bool>()), 0..260),
        seed in any::<u64>(),
        at in 0..260_usize,
    ) {
        let events = writes(said.iter().map(|(n, is_removed)| (format!("t{n:03}"), if *is_removed { Value::Null } else { json!(n) })));
        let mut shuffled: Vec<&Event> = events.iter().collect();
        shuffled.sort_by_key(|event| (event.timestamp.as_microsecond() as u64).wrapping_mul(seed | 1));
        let state = folded(events.iter());
        prop_assert_eq!(&folded(shuffled.into_iter()), &state);
        let (one, other) = events.split_at(at.min(events.len()));
        let mut merged = folded(one.iter());
        merged.merge(&folded(other.iter()));
        prop_assert_eq!(merged, state);
    }
}

fn said() -> impl Strategy<Value = Vec<(i64, Said)>> {
    let value = prop_oneof![
        4 => (0..4_u8).prop_map(Value::from),
        2 => Just(Value::Null),
        1 => Just(json!("y".repeat(MAX_TRAIT_BYTES))),
    ];
    let said = (any::<bool>(), value).prop_map(|(once, value)| if once { Said::Once(value) } else { Said::Set(value) });
    proptest::collection::vec((0..40_i64, said), 0..14)
}

proptest! {
    #[test]
    fn the_order_and_repetition_of_what_is_said_do_not_matter(said in said(), seed in any::<u64>(), at in 0..14_usize) {
        let mut shuffled: Vec<(i64, Said)> = said.iter().chain(&said).cloned().collect();
        shuffled.sort_by_key(|(micros, _)| (*micros as u64 + 1).wrapping_mul(seed | 1));
        prop_assert_eq!(state(&shuffled), state(&said));
        // The same for the identities in which it was reported.
        let (one, other) = said.split_at(at.min(said.len()));
        let (mut left, mut right) = (state(one), state(other));
        left.merge(&state(other));
        right.merge(&state(one));
        prop_assert_eq!(&left, &state(&said));
        prop_assert_eq!(&right, &left);
    }

    /// Compared with PostHog's processing of the events one after another, if nothing was to be set once between the
    /// first, a removal and the last.
    #[test]
    fn it_is_what_the_events_make_one_after_another(said in proptest::collection::btree_map(0..40_i64, prop_oneof![
        3 => (0..4_u8).prop_map(|value| Said::Set(value.into())),
        2 => Just(Said::Set(Value::Null)),
        2 => (0..4_u8).prop_map(|value| Said::Once(value.into())),
    ], 0..8)) {
        let said: Vec<(i64, Said)> = said.into_iter().collect();
        let mut expected: Option<Value> = None;
        let (mut kept, mut between) = (0, false);
        for (_, said) in &said {
            match said {
                Said::Set(Value::Null) => expected = None,
                Said::Set(value) => expected = Some(value.clone()),
                Said::Once(value) => {
                    expected = expected.or_else(|| Some(value.clone()));
                    kept += 1;
                    between |= kept > 2;
                }
            }
        }
        if !between {
            prop_assert_eq!(value(&said), expected);
        }
    }
}
