//! Segments, and who enters and leaves them when.

use super::life::{Life, account, start};
use crate::support::{config_with, default_config};
use jiff::Timestamp;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountFacts, Touch};
use perennial_engine::{Moment, evaluate, tick};
use perennial_testkit::EventBuilder;
use serde_json::json;

#[test]
fn a_person_enters_and_leaves_a_segment_within_the_batch_that_caused_it() {
    let config = config_with(&[
        (
            "segments.toml",
            "[[segment]]\nname = \"customers\"\nwhen = 'pays'\n[[segment]]\nname = \"fresh\"\nwhen = 'segment(\"customers\") && tenure_days < 7'\n",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"hello\"\ntrigger = { segment = \"customers\", change = \"entered\" }\nreentry = \"always\"\nstep = [{ channel = \"in_app\", template = \"t\" }]\n[[journey]]\nid = \"bye\"\ntrigger = { segment = \"customers\", change = \"left\" }\nstep = [{ channel = \"in_app\", template = \"t\" }]\n",
        ),
    ]);
    let key = config.segments.get("customers").unwrap().1.key;
    let mut life = Life::new(config);
    life.does("Order Completed", json!({}), start());
    assert_eq!(life.segments(start()), ["customers", "fresh"]);
    assert_eq!(life.person.profile.facts().segments.get(&key), Some(&start().as_millisecond()));
    assert_eq!(life.person.sent(), ["hello"]);
    life.does("Order Completed", json!({}), plus_days(start(), 1));
    assert_eq!(life.person.sent(), Vec::<String>::new(), "who is in it does not enter it");
    life.does("Subscription Cancelled", json!({}), plus_days(start(), 2));
    assert_eq!(life.person.sent(), ["bye"]);
    assert!(!life.person.profile.facts().segments.contains_key(&key));
}

#[test]
fn time_alone_moves_someone_out_of_a_segment_on_the_day_it_does() {
    let config = config_with(&[("segments.toml", "[[segment]]\nname = \"keen\"\nwhen = 'count(\"$page\", 7) >= 3'\n")]);
    let key = config.segments.get("keen").unwrap().1.key;
    let mut life = Life::new(config);
    for (minute, id) in (0..).zip(["a", "b", "c"]) {
        let when = Timestamp::from_second(start().as_second() + minute * 60).unwrap();
        let page = EventBuilder::page(id, "x").user("u").at(when).build();
        life.person.feed(&life.config, &[page], when);
    }
    assert!(life.person.profile.facts().segments.contains_key(&key));
    let due = life.person.profile.due_at.unwrap();
    assert_eq!(due.as_second() - start().as_second() - 120, 7 * 86_400, "the day of the visits is out of the window");
    tick(&Moment::new(&life.config, due), &mut life.person.profile);
    assert!(!life.person.profile.facts().segments.contains_key(&key));
}

#[test]
fn segments_speak_of_the_account() {
    let mut life = Life::new(default_config());
    life.does("Subscription Started", json!({}), start());
    let account = AccountFacts { touch: Touch::High, ..account(5, None) };
    let moment = Moment::new(&life.config, start()).with_account(Some(&account));
    let of = |moment: &Moment<'_>| {
        evaluate(moment, &life.person.profile.view()).segments(&life.config).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&moment), ["key_accounts"]);
    assert_eq!(of(&Moment::new(&life.config, start())), ["long_tail"], "who has no account is an account of one");
    life.says(json!({ "email": "ada@acme.example" }), start());
    assert_eq!(
        of_person(&life, &Moment::new(&life.config, start())),
        Vec::<String>::new(),
        "of an account that has not been worked out yet nothing is said"
    );
}

/// A customer at gmail.com without an account belongs to the long tail, or to the key accounts, by what their own subscription costs.
#[test]
fn customer_without_an_account_is_in_the_segments_of_an_account_of_one() {
    let segments = |price: Option<i64>| {
        let mut life = Life::new(default_config());
        life.says(json!({ "email": "ada@gmail.com" }), start());
        let properties = price.map_or(json!({}), |price| {
            json!({ "subscription": "s1", "status": "active", "price": price, "currency": "USD", "interval": "year" })
        });
        life.does("Subscription Started", properties, start());
        of_person(&life, &Moment::new(&life.config, start()))
    };
    assert_eq!(segments(None), ["long_tail"]);
    assert_eq!(segments(Some(600)), ["long_tail"]);
    assert_eq!(segments(Some(60_000)), ["key_accounts"]);
    assert_eq!(segments(Some(6_000)), Vec::<String>::new(), "low touch");
}

fn of_person(life: &Life, moment: &Moment<'_>) -> Vec<String> {
    evaluate(moment, &life.person.profile.view()).segments(&life.config).map(str::to_owned).collect()
}
