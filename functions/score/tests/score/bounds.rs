//! Attacks on the size of a profile: with the public write key alone, as many and as large traits, names and calls as
//! `ingest` accepts. In each case the batch is processed, the profile can be read, and every scan continues past it.

use crate::support::{Bench, at, user};
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES};
use perennial_domain::{AnonymousId, Event, EventKind, hash};
use perennial_store::{Consistency, Stored};
use perennial_testkit::EventBuilder;
use serde_json::{Map, Value, json};

/// Bytes of traits that fit into one call.
const A_CALL: usize = 30_000;

/// Text of `length` bytes that does not compress by more than a third.
fn noise(seed: &str, length: usize) -> String {
    let blocks = (0_u64..).flat_map(|n| hash::base32(&hash::sha256(&[seed.as_bytes(), &n.to_be_bytes()])).into_bytes());
    String::from_utf8(blocks.take(length).collect()).unwrap()
}

/// Returns an anonymous visitor's traits.
fn identify_visitor(id: &str, visitor: &str, traits: Map<String, Value>, once: Map<String, Value>) -> Event {
    let mut event = EventBuilder::page(id, visitor).at(at(-600)).build();
    event.kind = EventKind::Identify;
    (event.traits, event.traits_once) = (traits, once);
    event
}

/// Returns calls that set 100 traits of nearly 1 KB on a visitor, with content from `text`; and as many traits to be
/// set once, with two values each.
fn swollen(visitor: &str, text: impl Fn(&str) -> String) -> Vec<Event> {
    let names: Vec<String> = (0..100).map(|n| format!("t{n:03}")).collect();
    let calls = names.chunks(A_CALL / MAX_TRAIT_BYTES).enumerate();
    let calls = calls.flat_map(|(call, names)| {
        let traits = |of: &str| -> Map<String, Value> {
            names.iter().map(|name| (name.clone(), json!(text(&format!("{visitor} {of} {name}"))))).collect()
        };
        [
            identify_visitor(&format!("{visitor} {call}"), visitor, traits("set"), Map::new()),
            identify_visitor(&format!("{visitor} once {call}"), visitor, Map::new(), traits("once")),
            identify_visitor(&format!("{visitor} again {call}"), visitor, Map::new(), traits("again")),
        ]
    });
    calls.collect()
}

fn links(user: &str, visitors: &[String]) -> Vec<Event> {
    let link = |visitor: &String| EventBuilder::identify(&format!("link {visitor}"), user, Some(visitor)).at(at(-60));
    visitors.iter().map(|visitor| link(visitor).build()).collect()
}

fn visitors() -> Vec<String> {
    let visitors: Vec<String> = (0..40).map(|n| format!("visitor-{n}")).collect();
    assert!(visitors.iter().all(|visitor| AnonymousId::parse(visitor).is_ok()));
    visitors
}

/// Reads the profile in every way: by its key, with others, by a scan, and with an evaluation.
async fn read(bench: &Bench, name: &str) -> Stored {
    let person = user(name);
    let stored = bench.store.follow(person, Consistency::Strong).await.unwrap().unwrap();
    let many = bench.store.load_many(&[person].into()).await.unwrap();
    assert!(many.values().all(Result::is_ok));
    let (mut from, mut seen) = (None, 0);
    loop {
        let page = bench.store.people(from).await.unwrap();
        seen += page.people.iter().filter(|other| other.profile.id == stored.profile.id).count();
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, 1);
    assert!(bench.store.totals().await.unwrap().profiles >= 1);
    stored
}

async fn feed(bench: &Bench, events: &[Event]) {
    for record in events.chunks(20) {
        assert!(bench.feed(&[record.to_vec()]).await.is_empty(), "the records of an attack must not fail");
    }
}

fn letter(seed: &str) -> &'static str {
    if seed.contains("again") { "b" } else { "a" }
}

/// 12 MB of one letter take some 12 KB on the wire.
#[tokio::test]
async fn profile_of_forty_visitors_with_compressible_traits_stays_readable() {
    let bench = Bench::new().await;
    let visitors = visitors();
    for visitor in &visitors {
        feed(&bench, &swollen(visitor, |seed| letter(seed).repeat(MAX_TRAIT_BYTES - 2))).await;
    }
    feed(&bench, &links("eve", &visitors)).await;
    let stored = read(&bench, "eve").await;
    assert_eq!(stored.profile.parts.len(), visitors.len() + 1);
    assert!(stored.profile.view().dropped_traits_count() > 0, "dropped traits are reported");
    // Later events of hers are counted.
    feed(&bench, &[EventBuilder::track("later", "eve", "Order Completed").at(at(-5)).build()]).await;
    assert_eq!(read(&bench, "eve").await.profile.view().counts.get("Order Completed"), 1);
}

#[tokio::test]
async fn profile_of_forty_visitors_with_incompressible_traits_is_saved() {
    let bench = Bench::new().await;
    let visitors = visitors();
    for visitor in &visitors {
        feed(&bench, &swollen(visitor, |seed| noise(seed, MAX_TRAIT_BYTES - 2))).await;
    }
    feed(&bench, &links("eve", &visitors)).await;
    let who = EventBuilder::identify("who", "eve", None).with_trait("email", "eve@acme.org").at(at(-5)).build();
    feed(&bench, &[who]).await;
    let stored = read(&bench, "eve").await;
    assert_eq!(stored.profile.parts.len(), visitors.len() + 1);
    assert_eq!(stored.profile.view().trait_json("email"), Some("\"eve@acme.org\""));
    assert!(stored.profile.view().dropped_traits_count() > 0, "dropped traits are reported");
}

#[tokio::test]
async fn names_of_events_as_long_as_they_may_be_do_not_swell_a_profile() {
    let bench = Bench::new().await;
    let visitors = visitors();
    for visitor in &visitors {
        let name = |n: usize| noise(&format!("{visitor} {n}"), 200);
        let mut events: Vec<Event> = (0..200)
            .map(|n| EventBuilder::track(&format!("{visitor} {n}"), "x", &name(n)).at(at(-600)).build())
            .collect();
        for event in &mut events {
            (event.user_id, event.anonymous_id) = (None, Some(AnonymousId::parse(visitor).unwrap()));
        }
        assert!(bench.feed(&[events]).await.is_empty());
    }
    feed(&bench, &links("eve", &visitors)).await;
    let stored = read(&bench, "eve").await;
    assert_eq!(stored.profile.counted(), 40 * 201);
}

/// Each call forwards up to 32 KB to the account through the outbox, which is written with the profile.
#[tokio::test]
async fn batch_of_large_group_calls_fits_into_the_outbox() {
    let bench = Bench::new().await;
    let calls: Vec<Event> = (0..60)
        .map(|n| {
            let name = |m| format!("{}{m}", "n".repeat(MAX_TRAIT_NAME_BYTES - 2));
            let traits: Map<String, Value> =
                (10..35).map(|m| (name(m), json!(noise(&format!("{n} {m}"), 1000)))).collect();
            let call = EventBuilder::group(&format!("g{n}"), "eve", "acme").traits(traits.into());
            call.at(at(-600 + n)).build()
        })
        .collect();
    assert!(bench.feed(&[calls]).await.is_empty());
    assert_eq!(read(&bench, "eve").await.profile.counted(), 60);
    assert_eq!(bench.accounts.drain().len(), 60, "every call is handed on");
}
