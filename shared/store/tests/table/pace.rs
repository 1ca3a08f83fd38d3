//! The line of mails that all instances share, and the ramp of a new sender.

use crate::support::{at, store};
use futures::future::join_all;
use jiff::SignedDuration;
use perennial_store::Store;
use perennial_store::pace::{Lane, Reserved};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HORIZON: SignedDuration = SignedDuration::from_mins(15);

/// The seconds after `at(0)` at which the places are that were reserved; `None` where the lane is full.
async fn reserve(store: &Store, lane: Lane, places: u32, second: i64) -> Option<i64> {
    match store.reserve_mails(lane, places, SECOND, HORIZON, at(second), second % 2 == 0).await.unwrap() {
        Reserved::From(first, _) => Some((first - at(0).as_microsecond()) / 1_000_000),
        Reserved::Full(_) => None,
    }
}

#[tokio::test]
async fn places_follow_each_other_whoever_reserves_them() {
    let store = store().await;
    let first = join_all((0..20).map(|_| reserve(&store, Lane::Bulk, 5, 0))).await;
    let mut first: Vec<i64> = first.into_iter().flatten().collect();
    first.sort_unstable();
    assert_eq!(first, (0..20).map(|batch| batch * 5).collect::<Vec<_>>(), "no place twice, and none left out");
    assert_eq!(reserve(&store, Lane::Bulk, 1, 40).await, Some(100));
    assert_eq!(reserve(&store, Lane::Bulk, 1, 500).await, Some(500), "a lane in which nobody waits begins now");
}

#[tokio::test]
async fn bulk_lane_is_full_beyond_its_horizon_and_has_room_again_later() {
    let store = store().await;
    assert_eq!(reserve(&store, Lane::Bulk, 900, 0).await, Some(0));
    assert_eq!(reserve(&store, Lane::Bulk, 10, 0).await, Some(900));
    assert_eq!(reserve(&store, Lane::Bulk, 10, 0).await, None);
    assert_eq!(reserve(&store, Lane::Bulk, 10, 9).await, None);
    assert_eq!(reserve(&store, Lane::Bulk, 10, 10).await, Some(910));
}

#[tokio::test]
async fn essential_mails_wait_for_no_bulk_mail_and_move_them_back() {
    let store = store().await;
    assert_eq!(reserve(&store, Lane::Bulk, 100, 0).await, Some(0));
    let before = store.mail_line().await.unwrap();
    assert_eq!(reserve(&store, Lane::Essential, 3, 1).await, Some(1));
    assert_eq!(reserve(&store, Lane::Essential, 2, 1).await, Some(4));
    let after = store.mail_line().await.unwrap();
    assert_eq!((after.bulk - before.bulk, after.yielded - before.yielded), (5_000_000, 5_000_000));
    assert_eq!(reserve(&store, Lane::Bulk, 1, 2).await, Some(105));
    // However many there are.
    assert_eq!(reserve(&store, Lane::Essential, 2000, 2).await, Some(6));
    assert_eq!(reserve(&store, Lane::Essential, 1, 2).await, Some(2006));
}

#[tokio::test]
async fn no_more_mails_of_a_ramp_day_are_counted_than_it_allows() {
    let store = store().await;
    let day = "2026-01-01".parse().unwrap();
    let counted = join_all((0..30).map(|_| store.count_ramp(day, 12, at(0)))).await;
    assert_eq!(counted.into_iter().filter(|counted| *counted.as_ref().unwrap()).count(), 12);
    assert!(store.count_ramp("2026-01-02".parse().unwrap(), 12, at(86_400)).await.unwrap(), "another day");
}
