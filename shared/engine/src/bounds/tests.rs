#![allow(clippy::unwrap_used)]
use super::*;
use crate::Profile;
use crate::State;
use crate::shed::{a_write, shed};
use crate::{Mode, Moment, process};
use jiff::Timestamp;
use perennial_domain::{Event, Identity, UserId};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_700_000_000_000_000 + micros).unwrap()
}

/// Returns an event that sets the trait with number `name`; with `once`, only if absent.
fn said(micros: i64, (name, length, once): (u8, u16, bool)) -> Event {
    let value = "v".repeat(usize::from(length));
    let name = format!("{name:03}{}", "n".repeat(usize::from(name % 90)));
    let builder = EventBuilder::identify(&format!("m{micros}"), "u", None).at(at(micros));
    match once {
        true => builder.with_trait_once(&name, value),
        false => builder.with_trait(&name, if length % 11 == 0 { Value::Null } else { value.into() }),
    }
    .build()
}

fn folded<'a>(events: impl Iterator<Item = &'a Event>) -> State {
    let mut state = State::default();
    events.for_each(|event| state.write_traits(event, |_| true));
    state
}

/// Returns the bytes of names and values in a state.
fn bytes(state: &State) -> (usize, usize) {
    let traits = state.traits.iter().map(|(name, held)| name.len() + held.value.len());
    let once = state.once.iter().map(|(name, once)| {
        name.len() + once.first.value.len() + once.last.as_ref().map_or(0, |last| last.value.len())
    });
    (traits.sum(), once.sum())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn which_traits_have_room_does_not_depend_on_the_order_of_events(
        said_of in proptest::collection::vec((0..120_u8, 0..1022_u16, any::<bool>()), 0..220),
        seed in any::<u64>(),
        cut in 0..220_usize,
    ) {
        let events: Vec<Event> = (0..).zip(said_of).map(|(micros, of)| said(micros, of)).collect();
        let mut shuffled: Vec<&Event> = events.iter().chain(&events).collect();
        shuffled.sort_by_key(|event| (event.timestamp.as_microsecond() as u64).wrapping_mul(seed | 1));
        let state = folded(events.iter());
        prop_assert_eq!(&folded(shuffled.into_iter()), &state);
        let (one, other) = events.split_at(cut.min(events.len()));
        let mut merged = folded(one.iter());
        merged.merge(&folded(other.iter()));
        prop_assert_eq!(&merged, &state);
        let (traits, once) = bytes(&state);
        prop_assert!(traits <= TRAIT_BYTES && once <= ONCE_BYTES, "{} and {} bytes", traits, once);
    }

    #[test]
    fn names_of_events_are_bounded_in_bytes_and_none_is_lost(lengths in proptest::collection::vec(1..200_usize, 0..400)) {
        let mut state = State::default();
        for (n, length) in lengths.iter().enumerate() {
            let name = format!("{n:04}{}", "x".repeat(*length));
            state.count(&name[..(*length).max(4)], &|_| false);
        }
        prop_assert!(state.counts.iter().map(|(name, _)| name.len()).sum::<usize>() <= NAME_BYTES);
        prop_assert_eq!(state.counts.total(), lengths.len() as u64);
    }
}

#[test]
fn one_call_of_any_shape_has_room() {
    // 32 KB of JSON, of which names and values are less.
    let traits: serde_json::Map<String, Value> =
        (0..31).map(|n| (format!("{n:02}"), json!("v".repeat(1018)))).collect();
    let event = EventBuilder::identify("m", "u", None).traits(traits.into()).build();
    assert!(serde_json::to_vec(&event.traits).unwrap().len() > 31 * 1024);
    let state = folded([event].iter());
    assert_eq!((state.present_traits().count(), state.dropped_traits_count()), (31, 0));
}

#[test]
fn facts_keep_their_room_and_the_rest_is_told_of() {
    let large = |n: usize| {
        EventBuilder::identify(&format!("m{n}"), "u", None).with_trait(&format!("a{n:03}"), "v".repeat(1000))
    };
    let mut events: Vec<Event> = (0..60).map(|n| large(n).build()).collect();
    events.push(EventBuilder::identify("e", "u", None).with_trait("email", "ada@example.com").build());
    let state = folded(events.iter());
    assert_eq!(state.trait_json("email"), Some("\"ada@example.com\""));
    assert_eq!(state.present_traits().count() + state.dropped_traits_count(), 61);
    assert!(state.trait_json("a000").is_some() && state.trait_json("a059").is_none());
}

#[test]
fn what_is_shed_follows_the_order_and_ends() {
    let config = ConfigBuilder::least().load();
    let user = Identity::User(UserId::parse("u").unwrap());
    let mut profile = Profile::new(user.clone());
    let mut events: Vec<Event> = (0..40).map(|n| said(n, (n as u8, 900, n % 2 == 0))).collect();
    events.push(EventBuilder::identify("e", "u", None).with_trait("email", "ada@example.com").at(at(50)).build());
    process(&Moment::new(&config, at(100)), &mut profile, &events, &HashSet::new(), Mode::Live);
    let counted = profile.counted();
    let mut last = bytes(&profile.part(&user).unwrap().state);
    let mut steps = 0;
    while shed(&mut profile) {
        steps += 1;
        let state = &profile.part(&user).unwrap().state;
        let now = bytes(state);
        assert!(now <= last && steps < 50);
        last = now;
        if state.present_traits().count() == 1 {
            assert!(state.trait_json("email").is_some(), "the mail address goes last");
        }
    }
    assert_eq!((last, profile.counted()), ((0, 0), counted));
    assert_eq!(profile.reduced().collect::<Vec<_>>(), [&user]);
    // Later data has no more room than earlier data.
    let later = said(60, (1, 900, false));
    process(&Moment::new(&config, at(100)), &mut profile, &[later], &HashSet::new(), Mode::Live);
    assert_eq!(bytes(&profile.part(&user).unwrap().state), (0, 0));
    assert_eq!(profile.counted(), counted + 1);
}

#[test]
fn a_write_takes_in_what_the_outbox_has_room_for_and_at_least_one_event() {
    let config = ConfigBuilder::least().load();
    let plain: Vec<Event> = (0..3_000).map(|n| EventBuilder::track(&format!("m{n}"), "u", "x").build()).collect();
    assert_eq!(a_write(&config, &plain), MAX_EVENTS);
    assert_eq!((a_write(&config, &plain[..7]), a_write(&config, &[])), (7, 0));
    let large: serde_json::Map<String, Value> = (0..30).map(|n| (format!("{n:02}"), json!("v".repeat(1018)))).collect();
    let group = |n| EventBuilder::group(&format!("g{n}"), "u", "acme").traits(large.clone().into()).build();
    let groups: Vec<Event> = (0..9).map(group).collect();
    assert_eq!(a_write(&config, &groups), 3);
}

#[test]
fn account_keeps_the_traits_that_fit_whatever_the_order_of_calls() {
    use crate::account::Account;
    use perennial_domain::{AccountId, MessageId};
    let config = ConfigBuilder::least().load();
    let calls: Vec<(serde_json::Map<String, Value>, MessageId)> = (0..120)
        .map(|n| {
            let name = format!("{n:03}{}", "\u{1}".repeat(120));
            let id = format!("{n:03}{}", "\"".repeat(250));
            (serde_json::Map::from_iter([(name, json!("v".repeat(1022)))]), MessageId::parse(&id).unwrap())
        })
        .collect();
    let fold = |calls: &mut dyn Iterator<Item = &(serde_json::Map<String, Value>, MessageId)>| {
        let mut account = Account::new(AccountId::parse("acme").unwrap());
        calls.for_each(|(traits, id)| account.merge(&config.accounts.domains, traits, at(0), id));
        account
    };
    let account = fold(&mut calls.iter());
    assert_eq!(fold(&mut calls.iter().rev()), account);
    assert!(serde_json::to_vec(&account.traits).unwrap().len() <= ACCOUNT_TRAIT_BYTES);
    assert!(account.traits.contains_key(calls[0].0.keys().next().unwrap()) && account.traits.len() < 100);
    assert!(account.dropped_traits().count() > 0);
}

#[test]
fn domain_that_many_accounts_claim_has_no_first_claimant() {
    use crate::account::first_claimant;
    use perennial_domain::AccountId;
    use std::collections::BTreeMap;
    let id = |n: usize| AccountId::parse(&format!("a{n:03}")).unwrap();
    let mut claims = BTreeMap::new();
    assert_eq!(first_claimant(&claims), None);
    for n in 0..SHARED_CLAIMS {
        claims.insert(id(n), at(0));
        assert_eq!(first_claimant(&claims), Some(&id(0)), "{n}");
    }
    claims.insert(id(7), at(-1));
    assert_eq!(first_claimant(&claims), Some(&id(7)), "the first in time");
    claims.insert(id(SHARED_CLAIMS), at(0));
    assert_eq!(first_claimant(&claims), None);
    claims.remove(&id(7));
    assert_eq!(first_claimant(&claims), Some(&id(0)), "as few claim it again");
}

#[test]
fn accounts_that_gain_or_lose_a_domain_are_returned_and_nobody_else() {
    use crate::account::Account;
    use perennial_domain::{AccountId, AccountSummary};
    use std::collections::BTreeSet;
    let id = |text: &str| AccountId::parse(text).unwrap();
    let mut domain = Account::new(id("acme.example"));
    domain.summary = Some(AccountSummary::default());
    assert_eq!(domain.set_claimant(Some(id("a"))), BTreeSet::from([id("a")]));
    assert_eq!(domain.summary, None, "its people are another account's");
    assert_eq!(domain.set_claimant(Some(id("a"))), BTreeSet::new());
    assert_eq!(domain.set_claimant(Some(id("b"))), BTreeSet::from([id("a"), id("b")]));
    domain.mark_milestone(perennial_config::lifecycle::Milestone::Customer, at(0));
    assert_eq!(
        (domain.set_claimant(Some(id("c"))), domain.holder()),
        (BTreeSet::new(), None),
        "it is an account of its own"
    );
}
