//! The number of mails to an address, whatever profiles they are for.

use crate::support::{at, store};
use futures::future::join_all;
use perennial_config::limits::Cap;
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, PersonId, Properties, hash};
use perennial_store::Store;
use perennial_store::mails::{Counted, Counting};

fn ada() -> [u8; 32] {
    hash::sha256(&[b"ada@example.com"])
}

fn caps() -> Vec<Cap> {
    vec![Cap { messages: 4, within_days: 7, channels: vec![Channel::Mail] }]
}

/// A mail of the first step of a journey.
fn decision(n: u8, journey: &str, person: &str) -> Decision {
    Decision {
        id: DecisionId::derive(&[&[n]]),
        person: PersonId::derive(&[person.as_bytes()]),
        journey: journey.to_owned(),
        step: 0,
        channel: Channel::Mail,
        template: "welcome".to_owned(),
        endpoint: None,
        cause: Cause::Quiet { since: at(0), days: 1 },
        properties: Properties::new(),
        decided_at: at(n.into()),
        config: ConfigVersion::parse("v").unwrap(),
        variant: None,
        withheld: None,
    }
}

fn counting<'a>(decision: &'a Decision, caps: &'a [Cap]) -> Counting<'a> {
    Counting { decision, caps, same_within_days: 30 }
}

/// Counts the mail as a delivery does: with its earlier read.
async fn count(store: &Store, n: u8, caps: &[Cap]) -> bool {
    let known = store.preferences(&ada()).await.unwrap().mails;
    let decision = decision(n, &format!("j{n}"), "ada");
    store.count_mail(&ada(), &known, counting(&decision, caps)).await.unwrap() == Counted::Within
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
    let decision = decision(13, "j13", "ben");
    let counted = store.count_mail(&other, &known, counting(&decision, &caps)).await.unwrap();
    assert_eq!(counted, Counted::Within);
}

#[tokio::test]
async fn of_one_mail_for_several_profiles_of_an_address_one_goes_out() {
    let (store, caps) = (store().await, Vec::new());
    let all: Vec<Decision> = (0..6).map(|n| decision(n, "welcome", ["x", "y", "z"][usize::from(n) % 3])).collect();
    let first = &all[..3];
    let known = store.preferences(&ada()).await.unwrap().mails;
    let address = ada();
    let counts = first.iter().map(|decision| store.count_mail(&address, &known, counting(decision, &caps)));
    let counted: Vec<Counted<'_>> = join_all(counts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(counted.iter().filter(|counted| **counted == Counted::Within).count(), 1, "{counted:?}");
    assert_eq!(counted.iter().filter(|counted| **counted == Counted::Same).count(), 2);
    // Who got it gets it again where their journey begins again, and a repeated delivery changes nothing.
    let known = store.preferences(&ada()).await.unwrap().mails;
    for (decision, before) in all.iter().zip(counted.iter().cycle()) {
        let again = store.count_mail(&ada(), &known, counting(decision, &caps)).await.unwrap();
        assert_eq!(again, *before, "{decision:?}");
    }
}

#[tokio::test]
async fn the_other_facts_of_an_address_stay() {
    let store = store().await;
    store.choose(&ada(), &[("tips".to_owned(), false)].into(), at(1)).await.unwrap();
    assert!(count(&store, 1, &caps()).await);
    let known = store.preferences(&ada()).await.unwrap();
    assert!(!known.topics["tips"].wants && known.suppression.is_none());
}
