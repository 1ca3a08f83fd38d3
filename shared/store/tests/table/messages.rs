//! Messages, claimed and recorded.

use crate::support::{at, person, store};
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId};
use perennial_store::messages::{Claim, MessageState, Outcome};

pub fn decision(step: u16, channel: Channel) -> Decision {
    Decision {
        id: DecisionId::of(person("u"), "welcome", step, b"once"),
        person: person("u"),
        journey: "welcome".to_owned(),
        step,
        channel,
        template: "welcome".to_owned(),
        endpoint: None,
        cause: Cause::Quiet { since: at(-100), days: 14 },
        properties: perennial_domain::Properties::new(),
        decided_at: at(i64::from(step)),
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    }
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_may_send() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    let claims = (0..24).map(|i| {
        let (store, decision) = (store.clone(), decision.clone());
        tokio::spawn(async move { store.claim(&decision, &format!("delivery-{i}"), at(0)).await.unwrap() })
    });
    let mut ours = 0;
    for claim in claims.collect::<Vec<_>>() {
        ours += u32::from(claim.await.unwrap() == Claim::Ours);
    }
    assert_eq!(ours, 1);
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_still_the_claimants() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    for _ in 0..2 {
        assert_eq!(store.claim(&decision, "m-1/1", at(0)).await.unwrap(), Claim::Ours);
    }
    let Claim::Taken(held) = store.claim(&decision, "m-1/2", at(9)).await.unwrap() else { panic!("claimed twice") };
    let record = held.record;
    assert_eq!(
        (record.state, record.cause, record.times[&MessageState::Claimed]),
        (MessageState::Claimed, decision.cause.clone(), at(0))
    );
    store.record(decision.person, decision.id, &Outcome::new(MessageState::Sent, at(1))).await.unwrap();
    assert!(matches!(store.claim(&decision, "m-1/1", at(9)).await.unwrap(), Claim::Taken(_)), "sent is sent");
    assert!(!store.release(decision.person, decision.id, "m-1/1").await.unwrap());
}

#[tokio::test]
async fn a_claim_given_up_can_be_claimed_again() {
    let store = store().await;
    let decision = decision(0, Channel::Webhook);
    store.claim(&decision, "a", at(0)).await.unwrap();
    assert!(!store.release(decision.person, decision.id, "b").await.unwrap());
    assert!(store.release(decision.person, decision.id, "a").await.unwrap());
    assert_eq!(store.claim(&decision, "b", at(1)).await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn outcomes_may_come_in_any_order_and_the_one_that_tells_most_stands() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    let (person, id) = (decision.person, decision.id);
    assert!(
        !store.record(person, id, &Outcome::new(MessageState::Delivered, at(3))).await.unwrap(),
        "nothing was claimed"
    );
    store.claim(&decision, "a", at(0)).await.unwrap();
    let outcomes = [(MessageState::Opened, 5), (MessageState::Delivered, 4), (MessageState::Opened, 9)];
    for (state, second) in outcomes {
        assert!(store.record(person, id, &Outcome::new(state, at(second))).await.unwrap());
    }
    let sent = Outcome {
        subject: Some("Hello".to_owned()),
        provider_id: Some("ses-1".to_owned()),
        ..Outcome::new(MessageState::Sent, at(2))
    };
    assert!(store.record(person, id, &sent).await.unwrap());
    let record = store.message(person, id).await.unwrap().unwrap();
    assert_eq!(record.state, MessageState::Opened);
    assert_eq!(record.times[&MessageState::Opened], at(5), "the first time counts");
    assert_eq!((record.times[&MessageState::Sent], record.times[&MessageState::Delivered]), (at(2), at(4)));
    assert_eq!((record.subject.as_deref(), record.provider_id.as_deref()), (Some("Hello"), Some("ses-1")));
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.messages, totals.channels["mail"]["opened"]), (1, 1));
}

#[tokio::test]
async fn the_inbox_shows_what_was_sent_in_the_product_until_it_is_dismissed() {
    let store = store().await;
    let decisions = [
        decision(0, Channel::InApp),
        decision(1, Channel::InApp),
        decision(2, Channel::Mail),
        decision(3, Channel::InApp),
    ];
    for decision in &decisions {
        store.claim(decision, "a", at(0)).await.unwrap();
    }
    for decision in &decisions[..3] {
        let sent = Outcome { text: Some("Text".to_owned()), ..Outcome::new(MessageState::Sent, at(1)) };
        store.record(decision.person, decision.id, &sent).await.unwrap();
    }
    let shown = |inbox: Vec<perennial_store::messages::MessageRecord>| {
        inbox.iter().map(|record| record.step).collect::<Vec<_>>()
    };
    assert_eq!(shown(store.inbox(person("u")).await.unwrap()), [1, 0], "the newest first, and only what was sent");
    assert!(store.mark_read(person("u"), decisions[0].id, at(5)).await.unwrap());
    assert!(store.mark_read(person("u"), decisions[0].id, at(6)).await.unwrap());
    assert!(store.dismiss(person("u"), decisions[1].id, at(7)).await.unwrap());
    assert!(!store.dismiss(person("u"), decisions[2].id, at(7)).await.unwrap(), "a mail is in no inbox");
    let inbox = store.inbox(person("u")).await.unwrap();
    assert_eq!((inbox.len(), inbox[0].read_at), (1, Some(at(5))));
    assert_eq!(store.messages(person("u")).await.unwrap().items.len(), 4);
}

/// Adds an in-app message to its person's inbox, as `deliver` does.
async fn deliver(store: &perennial_store::Store, step: u16) -> Decision {
    let decision = decision(step, Channel::InApp);
    store.claim(&decision, "a", at(0)).await.unwrap();
    let sent = Outcome { text: Some("Text".to_owned()), ..Outcome::new(MessageState::Sent, at(i64::from(step) + 1)) };
    assert!(store.record_in_app(&decision, &sent).await.unwrap());
    decision
}

async fn steps(store: &perennial_store::Store) -> Vec<u16> {
    store.inbox(person("u")).await.unwrap().iter().map(|record| record.step).collect()
}

#[tokio::test]
async fn inbox_shows_the_newest_fifty_by_time() {
    let store = store().await;
    for step in 0..60 {
        deliver(&store, step).await;
        // Mails between them are not read for it.
        store.claim(&decision(1_000 + step, Channel::Mail), "a", at(0)).await.unwrap();
    }
    assert_eq!(steps(&store).await, (10..60).rev().collect::<Vec<u16>>());
    let newest = &store.inbox(person("u")).await.unwrap()[0];
    assert_eq!((newest.text.as_deref(), newest.state), (Some("Text"), MessageState::Sent));
    let decision = decision(59, Channel::InApp);
    assert!(store.dismiss(person("u"), decision.id, at(99)).await.unwrap());
    assert_eq!(steps(&store).await, (9..59).rev().collect::<Vec<u16>>(), "the next one moves up");
}

#[tokio::test]
async fn message_that_is_delivered_again_is_shown_once_and_stays_as_its_reader_left_it() {
    let store = store().await;
    let decision = deliver(&store, 3).await;
    assert!(store.mark_read(person("u"), decision.id, at(5)).await.unwrap());
    deliver(&store, 3).await;
    let inbox = store.inbox(person("u")).await.unwrap();
    assert_eq!(
        inbox.iter().map(|record| (record.id, record.read_at)).collect::<Vec<_>>(),
        [(decision.id, Some(at(5)))]
    );
}

#[tokio::test]
async fn messages_stored_before_inboxes_had_entries_are_shown_with_those_after() {
    let store = store().await;
    for step in [1, 2] {
        let old = decision(step, Channel::InApp);
        store.claim(&old, "a", at(0)).await.unwrap();
        store.record(old.person, old.id, &Outcome::new(MessageState::Sent, at(1))).await.unwrap();
    }
    store.mark_read(person("u"), decision(1, Channel::InApp).id, at(4)).await.unwrap();
    deliver(&store, 3).await;
    assert_eq!(steps(&store).await, [3, 2, 1]);
    assert_eq!(store.inbox(person("u")).await.unwrap()[2].read_at, Some(at(4)));
    store.dismiss(person("u"), decision(2, Channel::InApp).id, at(5)).await.unwrap();
    deliver(&store, 4).await;
    assert_eq!(steps(&store).await, [4, 3, 1]);
}

#[tokio::test]
async fn what_is_withheld_is_written_once_and_stays_what_it_is() {
    let store = store().await;
    let withheld = Decision { variant: Some("2=a".to_owned()), ..decision(0, Channel::InApp) };
    let (person, id) = (withheld.person, withheld.id);
    assert!(store.record_withheld(&withheld, MessageState::HeldOut, "m-1/1", at(1)).await.unwrap());
    assert!(!store.record_withheld(&withheld, MessageState::Capped, "m-1/2", at(2)).await.unwrap());
    assert!(matches!(store.claim(&withheld, "m-1/1", at(3)).await.unwrap(), Claim::Taken(_)), "nobody may send it");
    for state in MessageState::ALL.into_iter().filter(|state| *state <= MessageState::HeldOut) {
        store.record(person, id, &Outcome::new(state, at(4))).await.unwrap();
    }
    let record = store.message(person, id).await.unwrap().unwrap();
    assert_eq!((record.state, record.variant.as_deref()), (MessageState::HeldOut, Some("2=a")));
    assert_eq!(record.times[&MessageState::HeldOut], at(1));

    let sent = decision(1, Channel::Mail);
    store.claim(&sent, "a", at(0)).await.unwrap();
    store.record(sent.person, sent.id, &Outcome::new(MessageState::Sent, at(1))).await.unwrap();
    assert!(!store.record_withheld(&sent, MessageState::Capped, "b", at(2)).await.unwrap());
    assert_eq!(store.message(sent.person, sent.id).await.unwrap().unwrap().state, MessageState::Sent);
}

#[tokio::test]
async fn a_claim_in_doubt_is_replaced_once_however_many_ask_for_it() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    let (person, id) = (decision.person, decision.id);
    assert!(!store.claim_again(person, id, "a", "b", at(1)).await.unwrap(), "nothing was claimed");
    store.claim(&decision, "a", at(0)).await.unwrap();
    let doubt = Outcome { detail: Some("died".to_owned()), ..Outcome::new(MessageState::Unknown, at(1)) };
    store.record(person, id, &doubt).await.unwrap();
    let again = (0..24).map(|i| {
        let store = store.clone();
        tokio::spawn(async move { store.claim_again(person, id, "a", &format!("b-{i}"), at(2)).await.unwrap() })
    });
    let mut ours = 0;
    for claim in again.collect::<Vec<_>>() {
        ours += u32::from(claim.await.unwrap());
    }
    assert_eq!(ours, 1);
    let held = store.held(person, id).await.unwrap().unwrap();
    assert_eq!((held.record.state, held.tries(), held.record.detail.as_deref()), (MessageState::Claimed, 2, None));
    assert_eq!(held.record.times, [(MessageState::Claimed, at(2))].into());
    assert!(
        store.claim_again(person, id, "a", &held.claimant, at(9)).await.unwrap(),
        "its answer was lost: still ours"
    );
    // A known outcome is final.
    store.record(person, id, &Outcome::new(MessageState::Sent, at(3))).await.unwrap();
    assert!(!store.claim_again(person, id, &held.claimant, "c", at(4)).await.unwrap());
    assert!(!store.hand_back(person, id, &held.claimant, "a", at(1)).await.unwrap());
}

#[tokio::test]
async fn a_claim_that_sent_nothing_is_handed_back_and_can_be_replaced_again() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    let (person, id) = (decision.person, decision.id);
    store.claim(&decision, "a", at(0)).await.unwrap();
    store.record(person, id, &Outcome::new(MessageState::Unknown, at(1))).await.unwrap();
    assert!(store.claim_again(person, id, "a", "b", at(2)).await.unwrap());
    assert!(!store.hand_back(person, id, "other", "a", at(1)).await.unwrap());
    assert!(store.hand_back(person, id, "b", "a", at(1)).await.unwrap());
    let held = store.held(person, id).await.unwrap().unwrap();
    assert_eq!((held.claimant.as_str(), held.record.state, held.tries()), ("a", MessageState::Unknown, 1));
    assert_eq!(held.record.times[&MessageState::Unknown], at(1));
    assert!(store.claim_again(person, id, "a", "c", at(3)).await.unwrap());
}

#[tokio::test]
async fn who_knows_that_nothing_was_sent_gives_up_a_claim_that_another_doubts() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    store.claim(&decision, "a", at(0)).await.unwrap();
    store.record(decision.person, decision.id, &Outcome::new(MessageState::Unknown, at(1))).await.unwrap();
    assert!(store.release(decision.person, decision.id, "a").await.unwrap());
    assert_eq!(store.claim(&decision, "b", at(1)).await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn clicks_on_other_links_within_moments_are_told_from_those_of_a_reader() {
    let store = store().await;
    let decision = decision(0, Channel::Mail);
    let within = jiff::SignedDuration::from_secs(2);
    let click = async |link: &str, seconds: i64| {
        let when = at(0) + jiff::SignedDuration::from_secs(seconds);
        store.note_click(decision.person, decision.id, link, when, within).await.unwrap()
    };
    assert!(!click("/a", 0).await, "there is no such message");
    assert_eq!(store.message(decision.person, decision.id).await.unwrap(), None, "and none is made");
    store.claim(&decision, "d-1/1", at(0)).await.unwrap();
    for (link, seconds, expected) in [
        ("/a", 0, false),
        ("/a", 0, false),
        ("/b", 0, true),
        ("/c", 1, true),
        ("/d", 3, true),
        ("/a", 60, false),
        ("/a", 61, false),
    ] {
        assert_eq!(click(link, seconds).await, expected, "{link} at {seconds}");
    }
}
