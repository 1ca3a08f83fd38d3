//! Ids of other systems: their events count, and trigger nothing until they are linked to a user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Event;
use perennial_engine::Action;
use perennial_testkit::EventBuilder;
use serde_json::json;

fn config() -> Config {
    let identity =
        "[evidence]\nexternal_types = [\"stripe_customer_id\"]\nexternal_traits = [\"stripe_customer_id\"]\n";
    config_with(&[("identity.toml", identity)])
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

/// A trial that begins, as a billing system says that knows its own id alone.
fn trial(user: &str, external: bool) -> Event {
    let mut event = EventBuilder::track("t", user, "Trial Started").at(now()).build();
    if external {
        let id = json!([{ "type": "stripe_customer_id", "id": user, "collection": "users" }]);
        event.context.insert("externalIds".to_owned(), id);
    }
    event
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
    let mut phantom = Person::new("cus_5");
    phantom.feed(&config, &[trial("cus_5", true)], now());
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

/// Someone whose id of yours is that of another system too, such as a login at GitHub, is a person, in whatever order that is said.
#[test]
fn an_id_of_your_own_that_another_system_has_too_is_a_person() {
    let config = config();
    let own = EventBuilder::track("own", "bob", "Signed In").at(now()).build();
    let (marked, later) = (trial("bob", true), EventBuilder::track("later", "bob", "Signed In").at(now()).build());
    let orders = [
        vec![vec![marked.clone(), own.clone()]],
        vec![vec![own.clone(), marked.clone()]],
        vec![vec![marked.clone()], vec![own.clone()]],
        vec![vec![own.clone()], vec![marked.clone()]],
        vec![vec![own.clone()], vec![marked.clone(), later]],
    ];
    for batches in orders {
        let mut bob = Person::new("bob");
        for batch in &batches {
            bob.feed(&config, batch, now());
        }
        assert!(!bob.profile.is_external(&config), "{batches:?}");
    }
    let mut other = marked.clone();
    other.message_id = perennial_domain::MessageId::parse("other").unwrap();
    for batches in [vec![vec![marked.clone(), other.clone()]], vec![vec![marked], vec![other]]] {
        let mut phantom = Person::new("bob");
        for batch in &batches {
            phantom.feed(&config, batch, now());
        }
        assert!(phantom.profile.is_external(&config), "{batches:?}");
    }
}

#[test]
fn someone_whose_login_at_another_system_is_their_user_id_is_a_person_from_the_first_call() {
    let config = config();
    let who = EventBuilder::identify("i", "bob", None).with_trait("stripe_customer_id", "bob").at(now()).build();
    let mut bob = Person::new("bob");
    bob.feed(&config, std::slice::from_ref(&who), now());
    assert!(!bob.profile.is_external(&config));
    let mut both = Person::new("bob");
    both.feed(&config, &[trial("bob", true)], now());
    assert!(both.profile.is_external(&config));
    both.feed(&config, &[who], now());
    assert!(!both.profile.is_external(&config));
}
