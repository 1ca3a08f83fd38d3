//! Ids of other systems: nobody in the numbers and nobody's colleague, until someone is known by them.

use crate::support::{Database, at, config_with, user};
use perennial_domain::Event;
use perennial_store::Consistency;
use perennial_testkit::EventBuilder;

const IDENTITY: &str =
    "[evidence]\nexternal_types = [\"stripe_customer_id\"]\nexternal_traits = [\"stripe_customer_id\"]\n";

/// A trial that begins, as a billing system says that knows its own id alone.
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

/// The first event of a customer whom someone is known to be is theirs: what it sets off goes to them, once.
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

/// A user id that is spelled as somebody else's login at another system is not that login.
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
