//! Ids of other systems: their events count, but trigger nothing until they are linked to a user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Identity};
use perennial_engine::Action;
use perennial_testkit::EventBuilder;

fn config() -> Config {
    let identity =
        "[evidence]\nexternal_types = [\"stripe_customer_id\"]\nexternal_traits = [\"stripe_customer_id\"]\n";
    config_with(&[("identity.toml", identity)])
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

/// Returns the start of a trial, from a billing system that knows only its own id.
fn trial(user: &str, external: bool) -> Event {
    let event = EventBuilder::track("t", user, "Trial Started").at(now());
    if external { event.external("stripe_customer_id", user).build() } else { event.build() }
}

fn identity(event: &Event) -> Identity {
    event.identity().unwrap()
}

fn claims(person: &Person) -> Vec<String> {
    let claims = person.profile.outbox.iter().filter_map(|action| match action {
        Action::Claim { value, .. } => Some(value.clone()),
        _ => None,
    });
    claims.collect()
}

#[test]
fn an_id_of_another_system_counts_and_triggers_nothing() {
    let config = config();
    let mut phantom = Person::of(identity(&trial("cus_5", true)));
    phantom.feed(&config, &[trial("cus_5", true)], now());
    assert!(phantom.profile.is_external());
    assert_eq!(claims(&phantom), ["stripe_customer_id:cus_5"]);
    assert_eq!(phantom.at(&config, now()).stage.as_str(), "trial", "it keeps its state");
    assert_eq!(phantom.sent(), Vec::<String>::new());
    let mut known = Person::new("bob");
    known.feed(&config, &[trial("bob", false)], now());
    assert_eq!(known.sent(), ["welcome", "welcome"]);
}

#[test]
fn a_user_who_says_an_id_of_another_system_claims_the_same_and_is_a_person() {
    let config = config();
    let mut bob = Person::new("bob");
    let who = EventBuilder::identify("i", "bob", None).with_trait("stripe_customer_id", "cus_5").at(now()).build();
    bob.feed(&config, &[who, trial("bob", false)], now());
    assert_eq!(claims(&bob), ["stripe_customer_id:cus_5"]);
    assert_eq!(bob.sent().len(), 2);
}

#[test]
fn an_id_of_another_system_that_is_linked_to_a_user_triggers_as_anyone() {
    let config = config();
    let mut both = Person::new("bob");
    both.feed(&config, &[EventBuilder::identify("i", "bob", None).at(now()).build()], now());
    both.feed(&config, &[trial("cus_5", true)], now());
    assert_eq!(both.sent().len(), 2);
}

/// A login at another system that equals a user id here is unrelated to it.
#[test]
fn user_id_that_is_spelled_as_an_id_of_another_system_is_another_identity() {
    let config = config();
    let mut bob = Person::new("bob");
    let own = EventBuilder::track("own", "bob", "Signed In").at(now()).build();
    bob.feed(&config, &[own], now());
    assert_eq!((claims(&bob), bob.profile.is_external()), (Vec::new(), false));
    let theirs = identity(&trial("bob", true));
    assert_eq!(theirs.to_string(), "external:stripe_customer_id:bob");
    assert_ne!(theirs.person_id(), bob.profile.id);
}

/// An id of a type that is not configured as identifying a person links nobody, and is still not counted as a person.
#[test]
fn id_of_a_type_that_is_not_listed_is_nobody_for_good() {
    let config = config();
    let event = EventBuilder::track("t", "x", "Trial Started").external("ios.idfa", "0f").at(now()).build();
    let mut phantom = Person::of(identity(&event));
    phantom.feed(&config, &[event], now());
    assert_eq!((claims(&phantom), phantom.profile.is_external()), (Vec::new(), true));
    assert_eq!(phantom.sent(), Vec::<String>::new());
}
