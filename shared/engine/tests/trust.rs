//! What a public source can say, and what nobody believes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, default_config};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{AccountId, Currency, Event, Stage};
use perennial_engine::joins::{Evidence, Standing};
use perennial_engine::membership::memberships;
use perennial_engine::{Action, Moment, evaluate};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn minute(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn identify(id: &str, minutes: i64, traits: serde_json::Value) -> EventBuilder {
    EventBuilder::identify(id, "u", None).traits(traits).at(minute(minutes))
}

fn after(events: &[Event]) -> Person {
    let mut person = Person::new("u");
    for event in events {
        person.feed(&CONFIG, std::slice::from_ref(event), minute(60));
    }
    person
}

/// What somebody sends who has nothing but the key of a web page.
fn attack() -> Vec<Event> {
    let track = |id: &str, name: &str, said| EventBuilder::track(id, "u", name).properties(said).at(minute(9)).public();
    vec![
        EventBuilder::group("g", "u", "bank")
            .traits(json!({"name": "Mine", "domains": "bank.example"}))
            .at(minute(9))
            .public()
            .build(),
        EventBuilder::alias("a", "u", "chief").at(minute(9)).public().build(),
        identify("m", 9, json!({"email": "chief@bank.org"})).public().build(),
        identify("x", 9, json!({"stripe_customer_id": "cus_5"})).public().build(),
        track("o", "Order Completed", json!({"revenue": 1_000_000, "currency": "USD"})).group_id("bank").build(),
        track("s", "Subscription Started", json!({"subscription": "sub_1", "status": "active", "price": 99}))
            .group_id("bank")
            .build(),
        track("c", "Subscription Cancelled", json!({"subscription": "sub_1", "status": "canceled"}))
            .group_id("bank")
            .build(),
    ]
}

#[test]
fn money_accounts_and_other_ids_of_a_public_source_change_nothing() {
    let own = identify("own", 0, json!({"email": "u@acme.org", "plan": "pro"})).build();
    let honest = after(std::slice::from_ref(&own));
    let attacked = after(&[&[own], &attack()[..]].concat());
    let (view, before) = (attacked.profile.view(), honest.profile.view());
    assert_eq!(view.revenue_in(Currency::USD), 0);
    assert!(view.billing.subscriptions.is_empty());
    let stage = |person: &Person| evaluate(&Moment::new(&CONFIG, minute(60)), &person.profile.view()).stage;
    assert_eq!((stage(&attacked), stage(&honest)), (Stage::Visitor, Stage::Visitor));
    assert_eq!(memberships(&CONFIG, &view), memberships(&CONFIG, &before));
    assert_eq!(view.text_trait("email").as_deref(), Some("u@acme.org"));
    let asks = |person: &Person| {
        let about_others = |action: &&Action| {
            matches!(
                action,
                Action::Alias { .. }
                    | Action::Claim { joins: true, .. }
                    | Action::AccountTraits { .. }
                    | Action::AccountMilestone { .. }
                    | Action::AccountSubscription { .. }
                    | Action::AccountRenewal { .. }
            )
        };
        person.profile.outbox.iter().filter(about_others).count()
    };
    assert_eq!((asks(&attacked), asks(&honest)), (1, 1), "the address that was vouched for");
}

#[test]
fn what_nobody_vouches_for_is_kept_as_such_until_a_server_says_the_same() {
    let mut person = after(&attack());
    let standing = |person: &Person, of: Evidence| {
        person.profile.parts[0].claims.iter().find(|claim| claim.evidence == of).map(|claim| claim.standing)
    };
    for evidence in [Evidence::Mail, Evidence::External, Evidence::Alias] {
        assert_eq!(standing(&person, evidence), Some(Standing::Unverified), "{evidence:?}");
    }
    person.profile.outbox.clear();
    let vouched = identify("v", 20, json!({"stripe_customer_id": "cus_5"})).build();
    person.feed(&CONFIG, &[vouched], minute(60));
    assert_eq!(standing(&person, Evidence::External), Some(Standing::Holds));
    assert!(person.profile.outbox.iter().any(|action| matches!(action, Action::Claim { joins: true, .. })));
}

/// A key that anybody can read fills no list that others need.
#[test]
fn unverified_claims_make_room_for_others() {
    let flood: Vec<Event> = (0..40)
        .map(|n| identify(&format!("f{n}"), n, json!({"email": format!("x{n}@evil.org")})).public().build())
        .collect();
    let own = identify("own", 50, json!({"email": "u@acme.org"})).build();
    let person = after(&[&flood[..], &[own]].concat());
    let held: Vec<&str> = person.profile.parts[0].held().map(|claim| claim.shown.as_str()).collect();
    assert_eq!(held, ["u…@acme.org"]);
    assert!(person.profile.parts[0].claims.len() <= usize::from(CONFIG.identity.limits.addresses));
}

#[test]
fn first_address_of_a_public_source_gets_mail_until_a_server_names_another() {
    let first = identify("1", 0, json!({"email": "u@acme.org"})).public().build();
    let mut second = identify("2", 10, json!({"email": "thief@evil.org"})).public().build();
    second.timestamp = Timestamp::UNIX_EPOCH;
    let third = identify("3", 5, json!({"E-Mail": "u@work.org"})).build();
    let address = |events: &[Event]| after(events).profile.view().text_trait("email");
    for events in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
        assert_eq!(address(&events).as_deref(), Some("u@acme.org"));
    }
    assert_eq!(address(&[third, first, second]).as_deref(), Some("u@work.org"));
}

#[test]
fn company_domain_of_an_unverified_address_makes_nobody_a_colleague() {
    let company = |event: EventBuilder| memberships(&CONFIG, &after(&[event.build()]).profile.view());
    let address = || identify("1", 0, json!({"email": "u@acme.org"}));
    assert_eq!(company(address()), [AccountId::parse("acme.org").unwrap()]);
    assert_eq!(company(address().public()), []);
}

/// An event that a trusted or a public source says of a few traits.
fn said() -> impl Strategy<Value = Event> {
    let name = prop::sample::select(vec!["plan", "email", "E-Mail", "city"]);
    let value = prop_oneof![Just(json!(null)), "[ab]@x\\.org".prop_map(|text| json!(text))];
    (name, value, 0..60_i64, 0..60_i64, any::<bool>(), any::<bool>()).prop_map(
        |(name, value, at, late, once, is_public)| {
            let id = format!("{name} {value} {at} {late} {once} {is_public}");
            let event = EventBuilder::identify(&id, "u", None).at(minute(at));
            let event = if once { event.with_trait_once(name, value) } else { event.with_trait(name, value) };
            let mut event = if is_public { event.public().build() } else { event.build() };
            event.received_at = minute(at.max(late));
            event
        },
    )
}

proptest! {
    /// Whatever the order, and whatever clocks say: where a trusted source said something of a trait, no public one changes it.
    #[test]
    fn no_public_source_changes_a_trait_that_another_wrote(
        (events, order) in prop::collection::vec(said(), 1..12).prop_flat_map(|events| {
            let places: Vec<usize> = (0..events.len()).collect();
            (Just(events), Just(places).prop_shuffle())
        }),
    ) {
        let shuffled: Vec<Event> = order.iter().map(|place| events[*place].clone()).collect();
        prop_assert_eq!(after(&events).profile.derived_bytes().unwrap(), after(&shuffled).profile.derived_bytes().unwrap());
        let trusted: Vec<Event> = events.iter().filter(|event| event.is_trusted()).cloned().collect();
        let (all, alone) = (after(&events).profile.view(), after(&trusted).profile.view());
        for name in ["plan", "city"] {
            if let Some(json) = alone.trait_json(name) {
                prop_assert_eq!(all.trait_json(name), Some(json));
            }
        }
        if let Some(address) = alone.text_trait("email") {
            prop_assert_eq!(all.text_trait("email"), Some(address));
        }
    }
}
