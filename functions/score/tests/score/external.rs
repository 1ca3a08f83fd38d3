//! Ids of other systems are not counted as people or colleagues until they are linked to a person.

use crate::support::{Bench, Database, at, config_with, user};
use perennial_domain::event::link_to;
use perennial_domain::{Currency, Event};
use perennial_store::Consistency;
use perennial_testkit::EventBuilder;

const IDENTITY: &str =
    "[evidence]\nexternal_types = [\"stripe_customer_id\"]\nexternal_traits = [\"stripe_customer_id\"]\n";

/// Returns the start of a trial, from a billing system that knows only its own id.
fn trial() -> Event {
    let event = EventBuilder::track("t", "cus_5", "Trial Started").external("stripe_customer_id", "cus_5");
    event.group_id("acme").at(at(-60)).build()
}

#[tokio::test]
async fn id_of_another_system_is_nobody_in_the_totals_until_someone_is_known_by_it() {
    let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
    assert!(bench.feed(&[vec![trial()]]).await.is_empty());
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles, totals.external), (1, 0, 1));
    assert!(totals.stages.is_empty() && totals.bands.is_empty() && totals.segments.is_empty(), "{totals:?}");
    let phantom = bench.stored(trial().identity().unwrap().person_id()).await.unwrap();
    assert!(phantom.summary.external && phantom.profile.published.is_none());

    let bob = EventBuilder::identify("i", "bob", None).with_trait("stripe_customer_id", "cus_5").at(at(-30)).build();
    assert!(bench.feed(&[vec![bob]]).await.is_empty());
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles, totals.external), (2, 1, 0));
    assert_eq!(totals.stages.values().sum::<u64>(), 1);
    let bob = bench.store.follow(user("bob"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(bob.profile.parts.len(), 2);
}

/// The first event of a customer with a known person is that person's: its messages go to them, once.
#[tokio::test]
async fn first_event_of_an_id_that_someone_has_sets_off_what_theirs_would() {
    for order in [[0, 1], [1, 0]] {
        let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
        let who = EventBuilder::identify("i", "bob", None)
            .with_trait("stripe_customer_id", "cus_5")
            .with_trait("email", "bob@acme.org")
            .at(at(-30))
            .build();
        let events = [who, trial()];
        for index in order {
            assert!(bench.feed(&[vec![events[index].clone()]]).await.is_empty());
        }
        let bob = bench.store.follow(user("bob"), Consistency::Strong).await.unwrap().unwrap();
        assert_eq!(bob.profile.parts.len(), 2);
        let sent = bench.messages.drain().len();
        assert_eq!(sent, 2, "the two messages of the welcome: {order:?}");
        assert!(bench.feed(&[vec![EventBuilder::track("s", "bob", "Signed In").at(at(-5)).build()]]).await.is_empty());
        assert_eq!(bench.messages.drain().len(), 0);
    }
}

/// A user id that is spelled like another person's login at another system is not that login.
#[tokio::test]
async fn user_id_equal_to_another_persons_login_joins_nobody() {
    let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
    let events = [
        trial(),
        EventBuilder::identify("i", "bob", None).with_trait("stripe_customer_id", "cus_5").at(at(-50)).build(),
        EventBuilder::identify("j", "cus_5", None).with_trait("first_name", "Eve").at(at(-40)).build(),
        EventBuilder::track("s", "cus_5", "Signed In").at(at(-30)).build(),
    ];
    for event in events {
        assert!(bench.feed(&[vec![event]]).await.is_empty());
    }
    let bob = bench.store.follow(user("bob"), Consistency::Strong).await.unwrap().unwrap();
    let eve = bench.store.follow(user("cus_5"), Consistency::Strong).await.unwrap().unwrap();
    assert_ne!(bob.profile.id, eve.profile.id);
    assert_eq!((bob.profile.parts.len(), eve.profile.parts.len()), (2, 1));
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.profiles, totals.external), (2, 0));
}

/// Returns a user's event with an id in another system, which need not be the user's own.
fn linked(id: &str, who: &str, name: &str, second: i64) -> EventBuilder {
    EventBuilder::track(id, who, name).at(at(second)).context(link_to("stripe_customer_id", &"cus_5".into()))
}

fn of_customer(id: &str, name: &str, second: i64) -> EventBuilder {
    EventBuilder::track(id, "cus_5", name).external("stripe_customer_id", "cus_5").at(at(second))
}

async fn dollars(bench: &Bench, who: &str) -> i64 {
    let stored = bench.store.follow(user(who), Consistency::Strong).await.unwrap().unwrap();
    stored.profile.view().revenue_in(Currency::USD)
}

/// Stripe copies the metadata of a subscription to its invoices but not to their charges: a refund names the customer
/// alone.
#[tokio::test]
async fn refund_that_names_the_customer_alone_is_taken_off_once() {
    let paid = linked("p", "bob", "Invoice Paid", -60).property("invoice", "in_1").property("revenue", 19).build();
    let refund = of_customer("r", "Payment Refunded", -30).property("refund", "ch_1").property("revenue", 5).build();
    let more = of_customer("s", "Payment Refunded", -20).property("refund", "ch_1").property("revenue", 12).build();
    let events = [paid, refund, more];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
        let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
        for index in order.into_iter().chain(order) {
            assert!(bench.feed(&[vec![events[index].clone()]]).await.is_empty());
        }
        assert_eq!(dollars(&bench, "bob").await, 700, "{order:?}");
        let totals = bench.store.totals().await.unwrap();
        assert_eq!((totals.profiles, totals.external), (1, 0), "{order:?}");
    }
}

/// Several users of a company may subscribe for one customer of the billing system: that does not make them one person.
#[tokio::test]
async fn users_whose_events_name_one_customer_stay_apart_until_one_has_it() {
    let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
    let events = [
        linked("a", "ann", "Invoice Paid", -60).property("invoice", "in_1").property("revenue", 10).build(),
        linked("b", "bob", "Invoice Paid", -50).property("invoice", "in_2").property("revenue", 20).build(),
        of_customer("r", "Payment Refunded", -40).property("refund", "ch_1").property("revenue", 1).build(),
    ];
    for event in events {
        assert!(bench.feed(&[vec![event]]).await.is_empty());
    }
    assert_eq!((dollars(&bench, "ann").await, dollars(&bench, "bob").await), (900, 2000), "the first user's");
    let owner = EventBuilder::identify("i", "bob", None).with_trait("stripe_customer_id", "cus_5").at(at(-30)).build();
    assert!(bench.feed(&[vec![owner]]).await.is_empty());
    assert_eq!((dollars(&bench, "ann").await, dollars(&bench, "bob").await), (1000, 1900), "whose id it is");
    let again = linked("c", "ann", "Invoice Paid", -20).property("invoice", "in_3").property("revenue", 10).build();
    assert!(bench.feed(&[vec![again]]).await.is_empty());
    assert_eq!((dollars(&bench, "ann").await, dollars(&bench, "bob").await), (2000, 1900));
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.profiles, totals.external), (2, 0));
}
