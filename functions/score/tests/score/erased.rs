//! Imported history does not bring back who was erased.

use crate::support::{Bench, at, user};
use futures::TryStreamExt;
use perennial_domain::Event;
use perennial_testkit::EventBuilder;

fn history(id: &str, user: &str, second: i64) -> Event {
    Event { history: true, ..EventBuilder::track(id, user, "Order Completed").at(at(second)).build() }
}

#[tokio::test]
async fn history_from_before_an_erasure_is_neither_counted_nor_archived() {
    let bench = Bench::new().await;
    bench.store.note_erased(&[user("u1")].into(), at(-100)).await.unwrap();
    let link = Event { history: true, ..EventBuilder::identify("i1", "u1", Some("a1")).at(at(-150)).build() };
    let old = EventBuilder::track("late", "u1", "Order Completed").at(at(-200_000)).build();
    let late = Event { received_at: at(-10), ..old };
    let batch = vec![history("m1", "u1", -200), link, late, history("m2", "u2", -200)];
    assert!(bench.feed(&[batch]).await.is_empty());
    assert!(bench.stored(user("u1")).await.is_none());
    assert_eq!(bench.stored(user("u2")).await.unwrap().profile.counted(), 1, "others are not affected");
    // A person who returns later is a new one, with the events from then on.
    let after = vec![history("m3", "u1", -50), EventBuilder::track("m4", "u1", "Order Completed").at(at(-5)).build()];
    assert!(bench.feed(&[after, vec![history("m1", "u1", -200)]]).await.is_empty());
    assert_eq!(bench.stored(user("u1")).await.unwrap().profile.counted(), 2);
    let archived: Vec<Event> = bench.archive.read_all().await.unwrap().try_collect().await.unwrap();
    let mut ids: Vec<&str> = archived.iter().map(|event| event.message_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["m2", "m3", "m4"]);
}
