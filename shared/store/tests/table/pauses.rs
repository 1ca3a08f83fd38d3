//! The outcomes of a journey's mails: counted completely in a burst, over days and their shards.

use crate::support::{at, person, store};
use futures::stream::{self, StreamExt};
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, Properties};
use perennial_store::Store;
use perennial_store::pauses::{Harm, Tally};

fn decision(number: u32) -> Decision {
    let person = person("ada");
    Decision {
        id: DecisionId::of(person, "news", 0, &number.to_be_bytes()),
        person,
        journey: "news".to_owned(),
        step: 0,
        channel: Channel::Mail,
        template: "t".to_owned(),
        endpoint: None,
        cause: Cause::Became { condition: "c".to_owned() },
        properties: Properties::new(),
        decided_at: at(0),
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    }
}

/// Reports `number` bounces of the mails from `first` on, 40 at once.
async fn bounce(store: &Store, first: u32, number: u32, second: i64) -> usize {
    let one = |number| async move {
        let decision = decision(number);
        store.claim(&decision, "m/1", at(second)).await.unwrap();
        store.count_harm("news", decision.person, decision.id, Harm::Bounced, at(second)).await.unwrap()
    };
    stream::iter(first..first + number)
        .map(one)
        .buffer_unordered(40)
        .filter(|new| std::future::ready(*new))
        .count()
        .await
}

#[tokio::test]
async fn burst_of_bounces_is_counted_whole_and_each_bounce_once() {
    let store = store().await;
    assert_eq!(bounce(&store, 0, 300, 10).await, 300);
    assert_eq!(bounce(&store, 0, 300, 20).await, 0, "reported again");
    store.count_sent("news", 400, at(10)).await.unwrap();
    let health = store.journey_health("news", 7, at(30)).await.unwrap();
    assert_eq!(health.tally, Tally { sent: 400, bounced: 300, complained: 0 });
}

#[tokio::test]
async fn resumed_journey_counts_from_then_on_over_all_shards_of_its_days() {
    let (store, day) = (store().await, 86_400);
    bounce(&store, 0, 40, 10).await;
    let health = store.journey_health("news", 7, at(20)).await.unwrap();
    store.pause_journey("news", &health, at(20)).await.unwrap();
    bounce(&store, 100, 20, 30).await;
    assert!(store.resume_journey("news", at(40)).await.unwrap());
    assert_eq!(store.journey_health("news", 7, at(50)).await.unwrap().tally.bounced, 0);
    bounce(&store, 200, 5, 60).await;
    bounce(&store, 300, 7, day + 60).await;
    assert_eq!(store.journey_health("news", 7, at(day + 70)).await.unwrap().tally.bounced, 12);
    assert_eq!(store.journey_health("news", 1, at(day + 70)).await.unwrap().tally.bounced, 7, "of the last day");
}
