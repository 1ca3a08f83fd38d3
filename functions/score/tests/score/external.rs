//! Ids of other systems: nobody in the numbers and nobody's colleague, until someone is known by them.

use crate::support::{Database, at, config_with, user};
use perennial_domain::Event;
use perennial_store::Consistency;
use perennial_testkit::EventBuilder;
use serde_json::json;

const IDENTITY: &str =
    "[evidence]\nexternal_types = [\"stripe_customer_id\"]\nexternal_traits = [\"stripe_customer_id\"]\n";

/// A trial that begins, as a billing system says that knows its own id alone.
fn trial() -> Event {
    let mut event = EventBuilder::track("t", "cus_5", "Trial Started").group_id("acme").at(at(-60)).build();
    let id = json!([{ "type": "stripe_customer_id", "id": "cus_5", "collection": "users" }]);
    event.context.insert("externalIds".to_owned(), id);
    event
}

#[tokio::test]
async fn id_of_another_system_is_nobody_in_the_totals_until_someone_is_known_by_it() {
    let bench = Database::start().bench_with("perennial", config_with(&[("identity.toml", IDENTITY)])).await;
    assert!(bench.feed(&[vec![trial()]]).await.is_empty());
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles, totals.external), (1, 0, 1));
    assert!(totals.stages.is_empty() && totals.bands.is_empty() && totals.segments.is_empty(), "{totals:?}");
    let phantom = bench.stored(user("cus_5")).await.unwrap();
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
