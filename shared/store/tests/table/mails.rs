//! The number of mails to an address, whatever profiles they are for.

use crate::support::{at, store};
use futures::future::join_all;
use perennial_config::limits::Cap;
use perennial_domain::{Channel, DecisionId, hash};
use perennial_store::Store;
use perennial_store::mails::Counted;

fn ada() -> [u8; 32] {
    hash::sha256(&[b"ada@example.com"])
}

fn caps() -> Vec<Cap> {
    vec![Cap { messages: 4, within_days: 7, channels: vec![Channel::Mail] }]
}

fn decision(n: u8) -> DecisionId {
    DecisionId::derive(&[&[n]])
}

/// Counts the mail as a delivery does: with its earlier read.
async fn count(store: &Store, n: u8, caps: &[Cap]) -> bool {
    let known = store.preferences(&ada()).await.unwrap().mails;
    store.count_mail(&ada(), &known, (decision(n), at(n.into())), caps).await.unwrap() == Counted::Within
}

#[tokio::test]
async fn mails_that_are_claimed_at_once_do_not_exceed_the_cap_of_their_address() {
    let (store, caps) = (store().await, caps());
    let first = join_all((0..12).map(|n| count(&store, n, &caps))).await;
    assert_eq!(first.iter().filter(|within| **within).count(), 4);
    let again = join_all((0..12).map(|n| count(&store, n, &caps))).await;
    assert_eq!(first, again, "a redelivery changes nothing");
    let other = hash::sha256(&[b"ben@example.com"]);
    let known = store.preferences(&other).await.unwrap().mails;
    let counted = store.count_mail(&other, &known, (decision(13), at(13)), &caps).await.unwrap();
    assert_eq!(counted, Counted::Within);
}

#[tokio::test]
async fn the_other_facts_of_an_address_stay() {
    let store = store().await;
    store.choose(&ada(), &[("tips".to_owned(), false)].into(), at(1)).await.unwrap();
    assert!(count(&store, 1, &caps()).await);
    let known = store.preferences(&ada()).await.unwrap();
    assert!(!known.topics["tips"].wants && known.suppression.is_none());
}
