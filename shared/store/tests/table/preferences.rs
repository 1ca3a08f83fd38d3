//! Readers' preferences, the state of addresses, and their effect on a mail.

use crate::support::{at, person, store};
use jiff::Timestamp;
use perennial_config::soft_bounces::SoftBounces;
use perennial_config::topics::Topic;
use perennial_domain::hash;
use perennial_store::Store;
use perennial_store::preferences::{Preferences, Withheld};
use perennial_store::suppressions::Reason;

const ADA: &str = "ada@example.com";

fn ada() -> [u8; 32] {
    hash::sha256(&[ADA.as_bytes()])
}

fn topic(id: &str, default: bool, essential: bool) -> Topic {
    Topic { id: id.to_owned(), title: id.to_owned(), description: String::new(), default, essential }
}

async fn known(store: &Store) -> Preferences {
    store.preferences(&ada()).await.unwrap()
}

async fn choose(store: &Store, choices: &[(&str, bool)], now: Timestamp) {
    let choices = choices.iter().map(|(topic, wants)| ((*topic).to_owned(), *wants)).collect();
    store.choose(&ada(), &choices, now).await.unwrap();
}

#[tokio::test]
async fn who_chose_nothing_gets_what_is_on_by_default() {
    let store = store().await;
    let nothing = known(&store).await;
    assert_eq!(nothing, Preferences::default());
    assert_eq!(nothing.withholds(None, at(1)), None);
    assert_eq!(nothing.withholds(Some(&topic("tips", true, false)), at(1)), None);
    assert_eq!(nothing.withholds(Some(&topic("news", false, false)), at(1)), Some(Withheld::Topic));
}

#[tokio::test]
async fn a_topic_that_is_switched_off_holds_back_its_mails_and_no_others() {
    let store = store().await;
    choose(&store, &[("tips", false), ("news", true)], at(1)).await;
    let chosen = known(&store).await;
    assert_eq!(chosen.withholds(Some(&topic("tips", true, false)), at(2)), Some(Withheld::Topic));
    for wanted in [None, Some(&topic("news", false, false)), Some(&topic("other", true, false))] {
        assert_eq!(chosen.withholds(wanted, at(2)), None);
    }
    assert_eq!(chosen.withholds(Some(&topic("tips", true, true)), at(2)), None, "what is essential cannot be chosen");
    assert_eq!(store.suppression(ADA).await.unwrap(), None);
    choose(&store, &[("tips", true)], at(3)).await;
    let again = known(&store).await;
    assert!(again.topics["tips"].wants && again.topics["tips"].since == at(3));
    assert_eq!(again.topics["news"], chosen.topics["news"], "what was not asked stays");
}

#[tokio::test]
async fn who_unsubscribes_gets_what_is_essential_alone_and_may_come_back() {
    let store = store().await;
    choose(&store, &[("news", true)], at(1)).await;
    assert!(store.suppress_hashed(&ada(), Reason::Unsubscribe, at(2)).await.unwrap());
    let stopped = known(&store).await;
    let unsubscribed = Some(Withheld::Suppressed(Reason::Unsubscribe));
    assert_eq!(stopped.withholds(None, at(3)), unsubscribed);
    assert_eq!(stopped.withholds(Some(&topic("news", false, false)), at(3)), unsubscribed);
    assert_eq!(stopped.withholds(Some(&topic("billing", true, true)), at(3)), None);
    assert!(store.resubscribe(&ada()).await.unwrap());
    assert!(!store.resubscribe(&ada()).await.unwrap(), "there is nothing left to lift");
    let back = known(&store).await;
    assert_eq!(back.withholds(Some(&topic("news", false, false)), at(4)), None, "what was chosen before is kept");
}

#[tokio::test]
async fn nobody_lifts_a_bounce_or_a_complaint_also_where_it_came_after_unsubscribing() {
    for (reason, after) in [(Reason::Bounce, false), (Reason::Complaint, true)] {
        let store = store().await;
        choose(&store, &[("news", true)], at(1)).await;
        if after {
            store.suppress(ADA, Reason::Unsubscribe, at(2)).await.unwrap();
        }
        assert!(store.suppress(ADA, reason, at(3)).await.unwrap());
        assert!(!store.suppress(ADA, Reason::Unsubscribe, at(4)).await.unwrap());
        assert!(!store.resubscribe(&ada()).await.unwrap());
        let known = known(&store).await;
        assert_eq!(known.suppression.map(|it| (it.reason, it.since)), Some((reason, at(3))));
        let withheld = known.withholds(Some(&topic("billing", true, true)), at(5));
        assert_eq!(withheld, Some(Withheld::Suppressed(reason)), "an essential mail too");
        assert!(known.topics["news"].wants, "what was chosen is kept");
    }
}

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + day * 86_400).unwrap()
}

#[tokio::test]
async fn soft_bounces_hold_mails_back_when_they_are_many_within_the_time_and_for_a_while() {
    let store = store().await;
    let policy = SoftBounces { count: 3, within_days: 7, rest_days: 14 };
    // The first is too old by the time of the third; the second is reported twice.
    for (mail, at) in [("m1", 0), ("m2", 6), ("m2", 6), ("m3", 8)] {
        assert_eq!(store.soft_bounce(ADA, mail, day(at), &policy).await.unwrap(), None, "{mail}");
        assert_eq!(known(&store).await.withholds(None, day(at)), None);
    }
    assert_eq!(store.soft_bounce(ADA, "m4", day(9), &policy).await.unwrap(), Some(day(23)));
    let held = known(&store).await;
    for (when, withheld) in
        [(day(9), Some(Withheld::SoftBounces)), (day(22), Some(Withheld::SoftBounces)), (day(23), None)]
    {
        assert_eq!(held.withholds(None, when), withheld);
    }
    assert_eq!(held.withholds(Some(&topic("billing", true, true)), day(10)), Some(Withheld::SoftBounces));
    // Long after the pause, it takes as many again.
    assert_eq!(store.soft_bounce(ADA, "m5", day(40), &policy).await.unwrap(), None);
    assert_eq!(known(&store).await.withholds(None, day(40)), None);
}

#[tokio::test]
async fn one_bounce_reported_late_or_by_two_at_once_is_neither_lost_nor_counted_twice() {
    let store = store().await;
    let policy = SoftBounces { count: 2, within_days: 7, rest_days: 1 };
    let (left, right) =
        tokio::join!(store.soft_bounce(ADA, "m1", day(1), &policy), store.soft_bounce(ADA, "m2", day(2), &policy));
    let mut until = [left.unwrap(), right.unwrap()];
    until.sort_unstable();
    assert_eq!(until, [None, Some(day(3))]);
    assert_eq!(store.soft_bounce(ADA, "m0", day(-20), &policy).await.unwrap(), None, "too old to count");
    assert_eq!(known(&store).await.held_until, Some(day(3)));
}

#[tokio::test]
async fn what_a_person_chose_counts_at_every_address_they_have() {
    let store = store().await;
    let (tips, billing) = (topic("tips", true, false), topic("billing", true, true));
    assert!(!store.stop_mails(person("u"), at(1)).await.unwrap());
    assert!(store.stop_mails(person("u"), at(2)).await.unwrap(), "they had stopped them before");
    let with =
        async |people: &[&str]| store.preferences_with(&ada(), people.iter().map(|name| person(name))).await.unwrap();
    let stopped = with(&["v", "u"]).await;
    assert_eq!(stopped.withholds(Some(&tips), at(3)), Some(Withheld::Suppressed(Reason::Unsubscribe)));
    assert_eq!(stopped.suppression.map(|it| it.since), Some(at(1)), "the moment of the first time counts");
    assert_eq!(stopped.withholds(Some(&billing), at(3)), None, "what is essential goes on");
    assert_eq!(with(&["v"]).await, Preferences::default(), "nobody else stopped anything");
    assert!(store.resume_mails(person("u")).await.unwrap() && !store.resume_mails(person("u")).await.unwrap());
    assert_eq!(with(&["u"]).await, Preferences::default());
}

#[tokio::test]
async fn of_choices_about_one_topic_the_latest_counts_and_a_bounce_is_never_covered() {
    let store = store().await;
    choose(&store, &[("tips", false)], at(5)).await;
    let choice = |wants| [("tips".to_owned(), wants)].into();
    store.choose_for(person("u"), &choice(true), at(4)).await.unwrap();
    let tips = async || {
        let known = store.preferences_with(&ada(), [person("u")]).await.unwrap();
        known.topics["tips"].wants
    };
    assert!(!tips().await, "the address said so later");
    store.choose_for(person("u"), &choice(true), at(6)).await.unwrap();
    assert!(tips().await);
    store.stop_mails(person("u"), at(7)).await.unwrap();
    store.suppress(ADA, Reason::Bounce, at(8)).await.unwrap();
    let known = store.preferences_with(&ada(), [person("u")]).await.unwrap();
    assert_eq!(known.suppression.map(|it| it.reason), Some(Reason::Bounce));
}
