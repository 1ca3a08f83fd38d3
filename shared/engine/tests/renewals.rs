//! Renewals: the reports to an account, and messages by days until the next one for idle people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountFacts, AccountId, Event, MessageId};
use perennial_engine::account::{Account, facts};
use perennial_engine::{Action, Moment, tick};
use perennial_testkit::EventBuilder;
use serde_json::json;

const ACCOUNTS: &str = r#"
[renewal]
events = ["Subscription Renewed"]
trait = "renews_at"
"#;

fn config() -> Config {
    let journeys = r#"!
        [[journey]]
        id = "third"
        trigger = { becomes = 'account.renewals == 2 && account.renews_in_days <= 60' }
        step = [{ channel = "mail", template = "t" }]
        "#;
    let lifecycle = "!\n[milestones]\ncustomer = [\"Subscription Renewed\"]\nchurned = [\"Subscription Cancelled\"]\n\
        [customer]\nonboarding_days = 30\nadopting_days = 90\nat_risk_after_idle_days = 21\n\
        [activity]\npassive = [\"$identify\", \"Subscription Renewed\"]\n";
    config_with(&[("journeys.toml", journeys), ("accounts.toml", ACCOUNTS), ("lifecycle.toml", lifecycle)])
}

fn now() -> Timestamp {
    at("2026-01-10T10:00:00Z")
}

fn id() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn of_account(mut event: Event) -> Event {
    event.group_id = Some(id());
    event
}

/// Returns an account with so many renewals, which renews in so many days.
fn account(config: &Config, renewals: u32, days: i64) -> AccountFacts {
    let mut account = Account::new(id());
    (0..renewals).for_each(|n| account.renewed(&MessageId::parse(&format!("r{n}")).unwrap()));
    let said = json!({ "renews_at": plus_days(now(), days).to_string() });
    let domains = &config.accounts.domains;
    account.merge(domains, said.as_object().unwrap(), now(), &MessageId::parse("g").unwrap());
    facts(config, &account, now())
}

/// Returns a person who has never been active.
fn sponsor(config: &Config) -> Person {
    let mut person = Person::new("u");
    person.feed(config, &[EventBuilder::identify("i", "u", None).at(now()).build()], now());
    assert!(person.profile.view().seen.is_none() && person.profile.due_at.is_none());
    person
}

/// Evaluates the person now, and then whenever their timer fires; returns the days after which something was sent.
fn play(config: &Config, person: &mut Person, facts: &AccountFacts, days: i64) -> (Vec<f64>, usize) {
    let (mut sent, mut looks, mut moment) = (Vec::new(), 0, now());
    loop {
        tick(&Moment::new(config, moment).with_account(Some(facts)), &mut person.profile);
        looks += 1;
        let passed = (moment.as_second() - now().as_second()) as f64 / 86_400.0;
        sent.extend(person.sent().iter().map(|_| passed));
        match person.profile.due_at {
            Some(due) if due <= plus_days(now(), days) => {
                assert!(due > moment, "a timer lies ahead");
                moment = due;
            }
            _ => return (sent, looks),
        }
    }
}

#[test]
fn events_that_name_the_account_tell_it_of_renewals_and_of_the_next_one() {
    let config = config();
    let renewed = |id: &str| EventBuilder::track(id, "u", "Subscription Renewed").at(now());
    let mut person = Person::new("u");
    let events = [
        of_account(renewed("m1").property("renews_at", 1_777_593_600).build()),
        renewed("m2").property("renews_at", 1).build(),
        of_account(EventBuilder::track("m3", "u", "Subscription Updated").property("plan", "team").at(now()).build()),
    ];
    person.feed(&config, &events, now());
    let told: Vec<String> = person
        .profile
        .outbox
        .iter()
        .filter_map(|action| match action {
            Action::AccountRenewal { account, message_id } => Some(format!("{account} renewed by {message_id}")),
            Action::AccountTraits { account, traits, message_id, .. } => {
                Some(format!("{account} {} by {message_id}", serde_json::to_string(traits).unwrap()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, ["acme renewed by m1", r#"acme {"renews_at":1777593600} by m1"#]);
}

#[test]
fn each_renewal_counts_once_in_any_order_and_who_has_left_renews_no_more() {
    let config = config();
    let ids = ["m1", "m2", "m3"].map(|id| MessageId::parse(id).unwrap());
    let count = |order: &[usize]| {
        let mut account = Account::new(id());
        order.iter().for_each(|at| account.renewed(&ids[*at]));
        facts(&config, &account, now()).renewals
    };
    assert_eq!((count(&[0, 1, 2]), count(&[2, 0, 2, 1, 0]), count(&[])), (3, 3, 0));

    let known = account(&config, 1, 30);
    assert_eq!(known.renews_at, Some(plus_days(now(), 30)));
    let mut left = Account::new(id());
    let said = json!({ "renews_at": plus_days(now(), 30).to_string() });
    left.merge(&config.accounts.domains, said.as_object().unwrap(), now(), &ids[0]);
    left.mark_milestone(Milestone::Customer, plus_days(now(), -300));
    assert!(facts(&config, &left, now()).renews_at.is_some());
    left.mark_milestone(Milestone::Churned, plus_days(now(), -1));
    assert_eq!(facts(&config, &left, now()).renews_at, None);
}

#[test]
fn begun_days_count_and_nothing_is_known_once_the_day_has_passed() {
    let facts = account(&config(), 1, 60);
    let after = |seconds: i64| facts.renews_in_days(now() + SignedDuration::from_secs(seconds));
    assert_eq!((after(-1), after(0), after(1)), (Some(61), Some(60), Some(60)));
    assert_eq!((after(60 * 86_400 - 1), after(60 * 86_400), after(60 * 86_400 + 1)), (Some(1), Some(0), None));
}

#[test]
fn who_was_never_active_hears_sixty_days_before_the_third_renewal_to_the_second() {
    let config = config();
    for days in [61, 100, 200, 365] {
        let (sent, looks) = play(&config, &mut sponsor(&config), &account(&config, 2, days), 1000);
        assert_eq!(sent, [(days - 60) as f64], "a renewal in {days} days");
        assert!(looks <= 8, "{looks} looks");
    }
}

#[test]
fn who_is_idle_for_long_hears_of_it_on_the_day_however_late_the_account_said_so() {
    let config = config();
    let mut idle = Person::new("u");
    idle.feed(&config, &[EventBuilder::track("m", "u", "Login").at(now()).build()], now());
    let first = idle.profile.due_at;
    idle.profile.due_at = first.filter(|at| *at > plus_days(now(), 5));
    assert_eq!(play(&config, &mut idle, &account(&config, 2, 65), 1000).0, [5.0]);
}

#[test]
fn a_date_at_the_end_of_time_does_no_harm() {
    let config = config();
    let endless = AccountFacts { renews_at: Some(Timestamp::MAX), ..account(&config, 2, 100) };
    let (sent, looks) = play(&config, &mut sponsor(&config), &endless, 1000);
    assert_eq!(sent, [0.0; 0]);
    assert!(looks <= 12, "{looks} looks");
}

#[test]
fn another_renewal_a_passed_one_and_a_config_that_does_not_ask_send_nothing_and_set_no_timer() {
    let config = config();
    for (renewals, days) in [(1, 100), (3, 100), (2, -1)] {
        let (sent, _) = play(&config, &mut sponsor(&config), &account(&config, renewals, days), 1000);
        assert_eq!(sent, [0.0; 0], "{renewals} renewals, the next in {days} days");
    }
    let silent = config_with(&[("journeys.toml", "!"), ("accounts.toml", ACCOUNTS)]);
    let mut person = Person::new("u");
    person.feed(&silent, &[EventBuilder::identify("i", "u", None).at(now()).build()], now());
    let before = person.profile.due_at;
    tick(&Moment::new(&silent, now()).with_account(Some(&account(&silent, 2, 100))), &mut person.profile);
    assert_eq!(person.profile.due_at, before);
}
