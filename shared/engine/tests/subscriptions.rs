//! Subscriptions as billing systems report them: their orders of events, several people and several accounts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with, default_config};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountFacts, AccountId, Currency, Event, Likelihood, Stage};
use perennial_engine::account::{Account, decide, facts, next_due};
use perennial_engine::{Accounts, Action, Moment, evaluate, stage_history, tick};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn day(days: i64) -> Timestamp {
    plus_days(at("2026-03-02T10:00:00Z"), days)
}

fn seconds_after(moment: Timestamp, seconds: i64) -> Timestamp {
    moment + SignedDuration::from_secs(seconds)
}

/// An event of `user` at a moment.
fn event_of(user: &str, moment: Timestamp, name: &str, said: Value) -> Event {
    let id = format!("{moment} {user} {name} {said}");
    EventBuilder::track(&id, user, name).at(moment).properties(said).build()
}

fn event(days: i64, name: &str, said: Value) -> Event {
    event_of("u", day(days), name, said)
}

fn in_account(mut event: Event, account: &str) -> Event {
    event.group_id = Some(AccountId::parse(account).unwrap());
    event
}

/// The status of a subscription of a plan for 19 dollars, as Stripe's hooks are read.
fn reported(days: i64, id: &str, status: &str, before: Option<&str>) -> Event {
    let name = match (status, before) {
        ("trialing", None) => "Trial Started",
        ("active", None | Some("trialing" | "incomplete" | "paused")) => "Subscription Started",
        ("canceled", _) => "Subscription Cancelled",
        _ => "Subscription Updated",
    };
    event(days, name, json!({ "subscription": id, "status": status, "previous_status": before, "price": 19 }))
}

fn invoice(days: i64, subscription: &str, revenue: f64) -> Event {
    let said = json!({ "invoice": format!("in_{days}"), "subscription": subscription, "revenue": revenue });
    event(days, "Invoice Paid", said)
}

/// Returns the stage and revenue of a person with these events, in every order, on that day; active then.
fn after(events: &[Event], days: i64) -> (Stage, i64) {
    let of = |events: Vec<&Event>| {
        let mut person = Person::new("u");
        for event in events {
            person.feed(&CONFIG, std::slice::from_ref(event), day(days));
        }
        person.feed(&CONFIG, &[event(days, "Signed In", json!({}))], day(days));
        (person.at(&CONFIG, day(days)).stage, person.profile.view().revenue_in(Currency::USD))
    };
    let straight = of(events.iter().collect());
    assert_eq!(of(events.iter().rev().collect()), straight, "delivered the other way round");
    for first in 0..events.len() {
        let turned = events.iter().cycle().skip(first).take(events.len());
        assert_eq!(of(turned.chain(events).collect()), straight, "delivered from {first} on, and twice");
    }
    straight
}

/// Stripe sends a paid invoice of zero at the beginning of a trial.
#[test]
fn invoice_of_nothing_is_no_payment() {
    let begun = [reported(0, "a", "trialing", None), invoice(0, "a", 0.0)];
    assert_eq!(after(&begun, 5), (Stage::Trial, 0));
    let lost = [&begun[..], &[reported(10, "a", "canceled", None)]].concat();
    assert_eq!(after(&lost, 11), (Stage::Lead, 0), "they never paid");
    let paid = [&begun[..], &[reported(14, "a", "active", Some("trialing")), invoice(14, "a", 19.0)]].concat();
    assert_eq!(after(&paid, 15), (Stage::Onboarding, 1900));
    let left = [&paid[..], &[reported(40, "a", "canceled", None)]].concat();
    assert_eq!(after(&left, 41), (Stage::Churned, 1900));
    // A month paid by a coupon is a customer's, according to the status.
    let free = [reported(0, "b", "active", None), invoice(0, "b", 0.0), invoice(30, "b", 0.0)];
    assert_eq!(after(&free, 31), (Stage::Adopting, 0));
}

/// The first payment needs a confirmation: `incomplete` until it arrives, and `incomplete_expired` after a day without
/// one.
#[test]
fn first_payment_that_takes_a_while_is_a_first_purchase() {
    let awaited = reported(0, "a", "incomplete", None);
    let paid = invoice(0, "a", 19.0);
    assert_eq!(after(std::slice::from_ref(&awaited), 1), (Stage::Visitor, 0));
    assert_eq!(after(&[awaited.clone(), paid.clone()], 1), (Stage::Onboarding, 1900), "before the status says so");
    let active = [awaited.clone(), paid, reported(0, "a", "active", Some("incomplete"))];
    assert_eq!(after(&active, 1), (Stage::Onboarding, 1900));
    let expired = [awaited.clone(), reported(1, "a", "incomplete_expired", Some("incomplete"))];
    assert_eq!(after(&expired, 2), (Stage::Lead, 0), "lost, and never a customer");
    let anew = [&expired[..], &[reported(3, "b", "active", None)]].concat();
    assert_eq!(after(&anew, 4).0, Stage::Onboarding, "and not won back");
    let account = account_of("acme", &[awaited, active[1].clone(), active[2].clone()]);
    assert_eq!(facts(&CONFIG, &account, day(1)).renewals, 0, "no renewal");
}

#[test]
fn first_payment_that_never_came_is_told_as_no_churn() {
    let mut person = Person::new("u");
    let events = [reported(0, "a", "incomplete", None), reported(1, "a", "incomplete_expired", Some("incomplete"))];
    person.feed(&CONFIG, &events, day(2));
    let told = stage_history(&Moment::new(&CONFIG, day(2)), &person.profile.view());
    assert_eq!(told.iter().map(|told| told.stage).collect::<Vec<_>>(), [Stage::Lead]);
}

/// Returns the accounts' reports from a person's events, which arrive in this order, each by itself.
fn told(events: &[Event]) -> BTreeMap<String, Account> {
    let mut person = Person::new("u");
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    for event in events {
        person.feed(&CONFIG, std::slice::from_ref(event), day(600));
        for action in std::mem::take(&mut person.profile.outbox) {
            if let Action::AccountSubscription { account, report } = action {
                let id = account.as_str().to_owned();
                accounts.entry(id).or_insert_with(|| Account::new(account)).subscribed(&report);
            }
        }
    }
    accounts
}

fn account_of(id: &str, events: &[Event]) -> Account {
    let named: Vec<Event> = events.iter().map(|event| in_account(event.clone(), id)).collect();
    told(&named).remove(id).unwrap()
}

/// The metadata of a subscription may be changed: the account that had it pays no more.
#[test]
fn subscription_that_goes_to_another_account_leaves_the_first() {
    let of = |days, account| in_account(reported(days, "s", "active", Some("active")), account);
    let events = [in_account(reported(0, "s", "active", None), "a"), of(10, "a"), of(20, "b"), of(30, "b")];
    let orders: [[usize; 4]; 5] = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [0, 2, 1, 3]];
    for order in orders {
        let accounts = told(&order.map(|place| events[place].clone()));
        let of = |id: &str| facts(&CONFIG, &accounts[id], day(31));
        assert_eq!((of("a").stage, of("a").value), (None, None), "{order:?}");
        assert_eq!((of("b").stage, of("b").value), (Some(Stage::Onboarding), Some(12 * 1900)), "{order:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_several_accounts_the_one_that_was_named_last_has_a_subscription(
        said in prop::collection::vec((0..3_usize, 0..2_usize, 0..400_i64), 1..12),
        seed in any::<u64>(),
    ) {
        let accounts = ["a", "b", "c"];
        let events: Vec<Event> = said.iter().enumerate().map(|(n, (account, id, days))| {
            let said = json!({ "subscription": format!("s{id}"), "status": "active", "price": 10 * (id + 1), "n": n });
            in_account(event(*days, "Subscription Updated", said), accounts[*account])
        }).collect();
        let mut shuffled = events.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        for order in [&events, &shuffled] {
            let found = told(order);
            for account in accounts {
                // Computed independently: the price of subscriptions whose last event, or at the same time the greatest
                // name, is of this account.
                let mut value = None;
                for id in 0..2 {
                    let last = said.iter().filter(|(_, of, _)| *of == id).map(|(account, _, days)| (*days, accounts[*account])).max();
                    if last.is_some_and(|(_, holder)| holder == account) {
                        value = Some(value.unwrap_or(0) + 12 * 1000 * (id as i64 + 1));
                    }
                }
                let known = found.get(account).map(|account| facts(&CONFIG, account, day(500)));
                prop_assert_eq!(known.as_ref().and_then(|facts| facts.value), value, "{}", account);
                prop_assert_eq!(known.is_some_and(|facts| facts.stage.is_some_and(Stage::pays)), value.is_some(), "{}", account);
            }
        }
    }
}

/// Returns the account from two people's events: "u" subscribed, "w" cancels.
fn cancelled_by_another() -> (Person, Person, AccountFacts) {
    let begun = in_account(reported(0, "s", "active", None), "acme");
    let ended = in_account(
        event_of("w", day(40), "Subscription Cancelled", json!({ "subscription": "s", "status": "canceled" })),
        "acme",
    );
    let (mut u, mut w) = (Person::new("u"), Person::new("w"));
    u.feed(&CONFIG, &[begun, event(41, "Signed In", json!({}))], day(41));
    w.feed(&CONFIG, &[ended], day(41));
    let mut account = Account::new(AccountId::parse("acme").unwrap());
    for action in u.profile.outbox.drain(..).chain(w.profile.outbox.drain(..)) {
        if let Action::AccountSubscription { report, .. } = action {
            account.subscribed(&report);
        }
    }
    (u, w, facts(&CONFIG, &account, day(41)))
}

#[test]
fn end_that_another_person_reports_ends_the_subscription_for_all() {
    let (u, w, account) = cancelled_by_another();
    assert_eq!(account.stage, Some(Stage::Churned));
    for (who, person) in [("u", &u), ("w", &w)] {
        let view = person.profile.view();
        let moment = Moment::new(&CONFIG, day(41)).with_account(Some(&account));
        assert_eq!(evaluate(&moment, &view).stage, Stage::Churned, "{who}");
    }
    // The end is known without following the account, too.
    let alone = config_with(&[(
        "lifecycle.toml",
        "![customer]\nonboarding_days = 30\nadopting_days = 90\nat_risk_after_idle_days = 21\n[milestones]\n\
         customer = [\"Subscription Started\"]\nchurned = [\"Subscription Cancelled\"]\n[account]\npeople_follow = false\n",
    )]);
    let view = u.profile.view();
    let of = |account| evaluate(&Moment::new(&alone, day(41)).with_account(account), &view).stage;
    assert_eq!((of(None), of(Some(&account))), (Stage::Adopting, Stage::Churned));
    // Subscribing again is a return after the pause, and not a tenure without a break.
    let mut u = u;
    u.feed(&CONFIG, &[in_account(reported(60, "t", "active", None), "acme")], day(60));
    let again = AccountFacts { stage: Some(Stage::WonBack), left: None, ..account };
    let moment = Moment::new(&CONFIG, day(60)).with_account(Some(&again));
    assert_eq!(evaluate(&moment, &u.profile.view()).stage, Stage::WonBack);
}

/// Row 1 of the wrong results, for a colleague: their account pays, and they try another.
#[test]
fn colleague_of_a_payer_who_tries_elsewhere_is_a_customer() {
    let mut person = Person::new("u");
    let grouped = EventBuilder::group("g", "u", "a").at(day(0)).build();
    let tries = in_account(event(9, "Trial Started", json!({ "subscription": "t", "status": "trialing" })), "b");
    person.feed(&CONFIG, &[grouped, tries.clone()], day(9));
    let view = person.profile.view();
    let of_trial = facts(&CONFIG, &account_of("b", &[tries]), day(10));
    assert_eq!(of_trial.stage, Some(Stage::Trial), "it is that account's fact");
    let stage = |pays_elsewhere| {
        let accounts = Accounts { primary: Some(&of_trial), pays_elsewhere };
        evaluate(&Moment::new(&CONFIG, day(10)).with_account(accounts), &view).stage
    };
    assert_eq!((stage(true), stage(false)), (Stage::Onboarding, Stage::Trial));
    // Nor has a person churned because one of several accounts did.
    let mut payer = Person::new("u");
    payer.feed(&CONFIG, &[in_account(reported(0, "s", "active", None), "b"), event(9, "Signed In", json!({}))], day(9));
    let left = AccountFacts { stage: Some(Stage::Churned), ..of_trial };
    let accounts = |pays_elsewhere| Accounts { primary: Some(&left), pays_elsewhere };
    let of = |pays| evaluate(&Moment::new(&CONFIG, day(10)).with_account(accounts(pays)), &payer.profile.view()).stage;
    assert_eq!((of(true), of(false)), (Stage::Onboarding, Stage::Churned));
}

/// Returns a configuration with a win-back mail, and one for former customers by a segment.
fn win_back() -> Config {
    let journeys = "![[journey]]\nid = \"win_back\"\ntrigger = { becomes = 'stage == \"churned\"' }\n\
        step = [{ channel = \"in_app\", template = \"t\" }]\n\
        [[journey]]\nid = \"gone\"\ntrigger = { segment = \"gone\", change = \"entered\" }\n\
        step = [{ channel = \"webhook\", template = \"t\", endpoint = \"crm\" }]\n\
        [[journey]]\nid = \"welcome_back\"\ntrigger = { becomes = 'stage == \"won_back\"' }\n\
        step = [{ channel = \"in_app\", template = \"t\" }]\n";
    let segments = "[[segment]]\nname = \"gone\"\nwhen = '!pays && customer_days >= 1'\n";
    let lifecycle = "![customer]\nonboarding_days = 30\nadopting_days = 90\nat_risk_after_idle_days = 900\n[milestones]\n\
        trial = [\"Trial Started\"]\ncustomer = [\"Subscription Started\"]\nchurned = [\"Subscription Cancelled\"]\n\
        [account]\npeople_follow = true\n";
    let channels = "[webhook.crm]\nurl = \"https://example.com\"\nsecret_env = \"S\"\n";
    config_with(&[
        ("journeys.toml", journeys),
        ("segments.toml", segments),
        ("lifecycle.toml", lifecycle),
        ("channels.toml", channels),
    ])
}

/// Fires the timers of `person` up to a moment; returns what was sent.
fn ring(config: &Config, person: &mut Person, account: Option<&AccountFacts>, until: Timestamp) -> Vec<String> {
    let mut sent = person.sent();
    for _ in 0..50 {
        let Some(due) = person.profile.due_at.filter(|due| *due <= until) else { break };
        tick(&Moment::new(config, due).with_account(account), &mut person.profile);
        sent.extend(person.sent());
    }
    sent.sort_unstable();
    sent
}

#[test]
fn plan_that_is_replaced_within_a_minute_sets_nothing_off() {
    let config = win_back();
    let begun = event(0, "Subscription Started", json!({ "subscription": "a", "status": "active" }));
    let ended = event(40, "Subscription Cancelled", json!({ "subscription": "a", "status": "canceled" }));
    let moment = seconds_after(day(40), 30);
    let anew = event_of("u", moment, "Subscription Started", json!({ "subscription": "b", "status": "active" }));
    let mut person = Person::new("u");
    person.feed(&config, std::slice::from_ref(&begun), day(0));
    person.feed(&config, std::slice::from_ref(&ended), day(40));
    assert_eq!(person.at(&config, day(40)).stage, Stage::Churned, "the stage follows at once");
    person.feed(&config, std::slice::from_ref(&anew), moment);
    assert_eq!(ring(&config, &mut person, None, day(41)), Vec::<String>::new());
    let now = Moment::new(&config, day(41));
    let told: Vec<Stage> = stage_history(&now, &person.profile.view()).iter().map(|told| told.stage).collect();
    assert_eq!(told, [Stage::Onboarding, Stage::Adopting], "neither churned nor won back");
    // A person who does not return gets the mail once that is final, whatever else they do meanwhile.
    let mut person = Person::new("u");
    person.feed(&config, std::slice::from_ref(&begun), day(0));
    person.feed(&config, std::slice::from_ref(&ended), day(40));
    person.feed(
        &config,
        &[event_of("u", seconds_after(day(40), 60), "Signed In", json!({}))],
        seconds_after(day(40), 60),
    );
    assert_eq!(ring(&config, &mut person, None, seconds_after(day(40), 599)), Vec::<String>::new());
    let sent = ring(&config, &mut person, None, seconds_after(day(40), 600));
    assert_eq!(sent, ["gone", "win_back"]);
    // A report that comes late is settled already.
    let mut person = Person::new("u");
    person.feed(&config, &[begun], day(0));
    person.feed(&config, &[ended], seconds_after(day(40), 3600));
    assert_eq!(ring(&config, &mut person, None, seconds_after(day(40), 3600)), ["gone", "win_back"]);
}

#[test]
fn colleagues_are_not_written_to_while_their_accounts_plan_is_replaced() {
    let config = win_back();
    let left = |at: Timestamp| {
        let ended = [
            reported(0, "s", "active", None),
            event_of("u", at, "Subscription Cancelled", json!({ "subscription": "s" })),
        ];
        facts(&config, &account_of("acme", &ended), at)
    };
    let account = left(day(40));
    assert_eq!((account.stage, account.left), (Some(Stage::Churned), Some(day(40))));
    let mut person = Person::new("x");
    let seat = |days| event_of("x", day(days), "Subscription Started", json!({}));
    person.feed(&config, &[in_account(seat(0), "acme")], day(0));
    tick(&Moment::new(&config, seconds_after(day(40), 20)).with_account(Some(&account)), &mut person.profile);
    assert_eq!(person.sent(), Vec::<String>::new());
    assert_eq!(ring(&config, &mut person, Some(&account), seconds_after(day(40), 600)), ["gone", "win_back"]);
}

#[test]
fn crm_hears_of_an_end_once_it_is_settled() {
    let mut account = account_of("acme", &[reported(0, "s", "active", None)]);
    let stage_at = |account: &mut Account, now: Timestamp| {
        account.outbox.clear();
        let known = facts(&CONFIG, account, now);
        decide(&CONFIG, account, &known, now, SignedDuration::from_secs(30));
        account.written.as_ref().map(|written| written.fields["perennial_stage"].clone())
    };
    assert_eq!(stage_at(&mut account, day(1)), Some(json!("onboarding")));
    let ended = event(10, "Subscription Cancelled", json!({ "subscription": "s", "status": "canceled" }));
    for told in told(&[in_account(ended, "acme")]).into_values() {
        account
            .billing
            .subscriptions
            .values_mut()
            .zip(told.billing.subscriptions.values())
            .for_each(|(known, ended)| known.merge(ended.clone()));
    }
    let now = seconds_after(day(10), 30);
    assert_eq!(facts(&CONFIG, &account, now).stage, Some(Stage::Churned));
    assert_eq!(stage_at(&mut account, now), Some(json!("onboarding")), "it may be a change of plan");
    let due = next_due(&CONFIG, &account, now);
    assert_eq!(due, Some(seconds_after(day(10), 600)));
    assert_eq!(stage_at(&mut account, due.unwrap()), Some(json!("churned")));
}

/// Chargebee's `non_renewing`, Lemon Squeezy's `cancelled` with `ends_at` and Recurly's `canceled` with `expires_at` are paid for until then.
#[test]
fn cancellation_that_takes_effect_later_ends_nothing_until_then() {
    let end = day(30).to_string();
    let begun = event(0, "Subscription Started", json!({ "subscription": "a", "status": "active", "renews_at": end }));
    for said in [
        json!({ "subscription": "a", "status": "non_renewing", "renews_at": end }),
        json!({ "subscription": "a", "status": "cancelled", "ends_at": end }),
        json!({ "subscription": "a", "status": "canceled", "expires_at": end }),
    ] {
        for name in ["Subscription Updated", "Subscription Cancelled"] {
            let events = [begun.clone(), event(5, name, said.clone())];
            let mut person = Person::new("u");
            person.feed(&CONFIG, &events, day(6));
            let churn = |days| person.at(&CONFIG, day(days)).scores.get(Likelihood::Churn).unwrap().get();
            assert!(churn(6) >= 55, "{name} {said}: it is to end");
            assert_eq!(after(&events, 29).0, Stage::Onboarding, "{name} {said}");
            assert_eq!(after(&events, 32).0, Stage::Churned, "{name} {said}");
            let over = event(30, "Subscription Updated", json!({ "subscription": "a", "status": "expired" }));
            assert_eq!(after(&[&events[..], &[over]].concat(), 31).0, Stage::Churned, "{name} {said}");
        }
    }
    // A moment that has passed is an end.
    let past = json!({ "subscription": "a", "status": "canceled", "ends_at": day(5).to_string() });
    assert_eq!(after(&[begun.clone(), event(5, "Subscription Cancelled", past)], 6).0, Stage::Churned);
    // Subscriptions without an id end then, too.
    let unnamed = [
        event(0, "Subscription Started", json!({})),
        event(5, "Subscription Cancelled", json!({ "ends_at": day(30).to_string() })),
    ];
    assert_eq!((after(&unnamed, 29).0, after(&unnamed, 32).0), (Stage::Onboarding, Stage::Churned));
}

/// A colleague subscribes for the account in the stead of the one who did.
#[test]
fn who_subscribed_for_an_account_that_still_pays_has_not_left() {
    let mut person = Person::new("u");
    let events = [reported(0, "s", "active", None), reported(40, "s", "canceled", None)];
    let events: Vec<Event> = events.into_iter().map(|event| in_account(event, "acme")).collect();
    person.feed(&CONFIG, &events, day(41));
    person.feed(&CONFIG, &[event(41, "Signed In", json!({}))], day(41));
    let other = event_of("w", day(40), "Subscription Started", json!({ "subscription": "t", "status": "active" }));
    let mut theirs = Person::new("w");
    theirs.feed(&CONFIG, &[in_account(other, "acme")], day(41));
    let mut account = account_of("acme", &events);
    for action in theirs.profile.outbox.drain(..) {
        if let Action::AccountSubscription { report, .. } = action {
            account.subscribed(&report);
        }
    }
    let stage = |person: &Person, account: &AccountFacts| {
        let moment = Moment::new(&CONFIG, day(41)).with_account(Some(account));
        evaluate(&moment, &person.profile.view()).stage
    };
    let account = facts(&CONFIG, &account, day(41));
    assert_eq!(stage(&person, &account), Stage::Adopting);
    // Without a colleague's subscription they have, and so has a person whose seat was removed.
    let alone = facts(&CONFIG, &account_of("acme", &events), day(41));
    assert_eq!(stage(&person, &alone), Stage::Churned);
    let mut seat = Person::new("u");
    let seats = ["Seat Assigned", "Seat Removed"].into_iter().zip(0..);
    let seats: Vec<Event> = seats.map(|(name, days)| in_account(event(days, name, json!({})), "acme")).collect();
    seat.feed(&CONFIG, &seats, day(41));
    assert_eq!(stage(&seat, &account), Stage::Churned);
}
