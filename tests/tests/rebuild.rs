//! All state can be rebuilt from the archive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures::TryStreamExt;
use perennial::sample;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::Event;
use support::{derived, everyone, feed, stack};

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_rebuilds_every_profile_of_the_sample_company() {
    let end = "2026-11-01T00:00:00Z";
    let company = sample::company(end.parse().unwrap(), sample::SEED);
    let calls: Vec<String> = company.calls().map(|call| call.body.to_string()).collect();
    let (first, _) = stack(end).await;
    feed(&first, &calls, || 200).await;
    let original = derived(&everyone(first.store()).await);
    assert_eq!(original.len() as u64, company.expected().people);
    let archived: Vec<Event> = first.archive().read_all().await.unwrap().try_collect().await.unwrap();
    assert!(archived.len() as u64 >= company.expected().accepted, "every accepted event is in the archive");
    first.stop().await;

    // Much later, so that nothing of it is news and nobody is written to again.
    let (second, _) = stack("2027-06-01T00:00:00Z").await;
    for events in archived.chunks(60) {
        let body = serde_json::to_string(&EventsPayload::Events { events: events.to_vec() }).unwrap();
        second.sqs().send_message().queue_url(&second.queue_urls().events).message_body(body).send().await.unwrap();
    }
    second.wait_idle().await.unwrap();
    let rebuilt = derived(&everyone(second.store()).await);
    assert_eq!(rebuilt.len(), original.len());
    for (person, bytes) in &original {
        assert_eq!(Some(bytes), rebuilt.get(person), "{person} is not as it was");
    }
    second.stop().await;
}
