//! Subscriptions and payments: the effect of billing events on people and accounts, in any order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, default_config};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountId, Currency, Event, Stage};
use perennial_engine::account::{Account, facts};
use perennial_engine::billing::has_old_milestones;
use perennial_engine::span::Span;
use perennial_engine::{Action, Moment, Profile, stage_history, tick};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn start() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn day(days: i64) -> Timestamp {
    plus_days(start(), days)
}

/// Returns an event of "u" so many days after the start.
fn event(days: i64, name: &str, properties: Value) -> Event {
    let id = format!("{days} {name} {properties}");
    EventBuilder::track(&id, "u", name).at(day(days)).properties(properties).build()
}

fn of_account(mut event: Event, account: &str) -> Event {
    event.group_id = Some(AccountId::parse(account).unwrap());
    event
}

/// Returns a billing system's report of a subscription's status.
fn status(days: i64, id: &str, status: &str) -> Event {
    let name = match status {
        "trialing" => "Trial Started",
        "active" => "Subscription Started",
        "canceled" => "Subscription Cancelled",
        _ => "Subscription Updated",
    };
    event(days, name, json!({ "subscription": id, "status": status }))
}

/// Returns the stage after these days, of a person who is active then.
fn stage(events: &[Event], days: i64) -> Stage {
    let mut person = Person::new("u");
    let mut all = events.to_vec();
    all.push(event(days, "Signed In", json!({})));
    person.feed(&CONFIG, &all, day(days));
    person.at(&CONFIG, day(days)).stage
}

fn dollars(events: &[Event]) -> i64 {
    let mut person = Person::new("u");
    person.feed(&CONFIG, events, day(1000));
    person.profile.view().revenue_in(Currency::USD)
}

#[test]
fn an_order_without_revenue_is_of_its_total() {
    let order = |days: i64, properties: Value| event(days, "Order Completed", properties);
    assert_eq!(dollars(&[order(0, json!({ "order_id": "o1", "total": 27.5, "shipping": 3 }))]), 2_750);
    assert_eq!(dollars(&[order(0, json!({ "order_id": "o1", "total": 27.5, "revenue": 22 }))]), 2_200);
    assert_eq!(dollars(&[order(0, json!({ "total": "27.50", "revenue": null }))]), 2_750);
    let corrected = event(1, "Order Updated", json!({ "order_id": "o1", "total": 20 }));
    assert_eq!(dollars(&[order(0, json!({ "order_id": "o1", "total": 27.5 })), corrected]), 2_000);
    assert_eq!(dollars(&[event(0, "Checkout Started", json!({ "order_id": "o1", "total": 27.5 }))]), 0);
}

#[test]
fn every_status_has_a_meaning() {
    let paid = status(0, "a", "active");
    for (reported, expected) in [
        ("active", Stage::Onboarding),
        ("past_due", Stage::Onboarding),
        ("unpaid", Stage::Churned),
        ("paused", Stage::Churned),
        ("canceled", Stage::Churned),
    ] {
        assert_eq!(stage(&[paid.clone(), status(5, "a", reported)], 6), expected, "{reported}");
    }
    let trial = status(0, "a", "trialing");
    for (reported, expected) in [
        ("trialing", Stage::Trial),
        ("active", Stage::Onboarding),
        ("past_due", Stage::Onboarding),
        ("unpaid", Stage::Lead),
        ("paused", Stage::Lead),
        ("canceled", Stage::Lead),
    ] {
        assert_eq!(stage(&[trial.clone(), status(5, "a", reported)], 6), expected, "after a trial, {reported}");
    }
    assert_eq!(stage(&[status(0, "a", "incomplete")], 1), Stage::Visitor, "nothing has begun");
    assert_eq!(stage(&[status(0, "a", "incomplete_expired")], 1), Stage::Lead, "and now nothing will");
    let free = event(0, "Subscription Started", json!({ "subscription": "a", "status": "active", "price": 0 }));
    assert_eq!(stage(&[free], 1), Stage::Freemium);
}

#[test]
fn who_pays_anywhere_is_a_customer() {
    let both = [status(0, "a", "active"), status(1, "b", "active")];
    assert_eq!(stage(&[&both[..], &[status(2, "b", "canceled")]].concat(), 3), Stage::Onboarding);
    let all = [&both[..], &[status(2, "b", "canceled"), status(2, "a", "canceled")]].concat();
    assert_eq!(stage(&all, 3), Stage::Churned);
    // A trial in another account, with and without ids.
    assert_eq!(stage(&[both[0].clone(), status(9, "t", "trialing")], 10), Stage::Onboarding);
    let paid = of_account(event(0, "Subscription Started", json!({})), "a");
    let tries = of_account(event(9, "Trial Started", json!({})), "b");
    assert_eq!(stage(&[paid.clone(), tries.clone()], 10), Stage::Onboarding);
    assert_eq!(
        stage(&[paid, tries, of_account(event(20, "Subscription Cancelled", json!({})), "b")], 21),
        Stage::Onboarding
    );
    // A plan that is changed by cancelling and subscribing again, in one second.
    let changed = [status(0, "a", "active"), status(40, "a", "canceled"), status(40, "b", "active")];
    assert_eq!(stage(&changed, 41), Stage::Adopting, "a customer without a break");
}

#[test]
fn a_trial_ends_with_its_period_and_is_no_payment() {
    let trial = event(0, "Trial Started", json!({ "subscription": "a", "trial_end": day(14).to_string() }));
    let of = |days| stage(std::slice::from_ref(&trial), days);
    assert_eq!((of(13), of(14), of(16), of(365)), (Stage::Trial, Stage::Trial, Stage::Lead, Stage::Lead));
    let untold = event(0, "Trial Started", json!({}));
    assert_eq!(stage(std::slice::from_ref(&untold), 29), Stage::Trial);
    assert_eq!(stage(std::slice::from_ref(&untold), 365), Stage::Lead);
    let lost = [untold.clone(), event(10, "Subscription Cancelled", json!({}))];
    assert_eq!(stage(&lost, 11), Stage::Lead);
    assert_eq!(stage(&[&lost[..], &[event(50, "Subscription Started", json!({}))]].concat(), 51), Stage::Onboarding);
}

#[test]
fn the_end_of_a_trial_is_noticed_without_an_event() {
    let mut person = Person::new("u");
    person.feed(&CONFIG, &[event(0, "Trial Started", json!({ "trial_end": day(14).to_string() }))], start());
    let mut seen = Vec::new();
    for _ in 0..60 {
        let Some(due) = person.profile.due_at.filter(|due| *due <= day(20)) else { break };
        tick(&Moment::new(&CONFIG, due), &mut person.profile);
        seen.push((due, person.at(&CONFIG, due).stage));
    }
    assert!(seen.contains(&(day(15), Stage::Lead)), "{seen:?}");
}

#[test]
fn won_back_leads_on_to_adopting_and_established() {
    let events = [status(0, "a", "active"), status(100, "a", "canceled"), status(150, "b", "active")];
    let of = |days| stage(&events, days);
    assert_eq!((of(151), of(181), of(241)), (Stage::WonBack, Stage::Adopting, Stage::Established));
    let mut person = Person::new("u");
    let mut all = events.to_vec();
    all.extend([151, 170, 190, 210, 230, 241].map(|days| event(days, "Signed In", json!({}))));
    person.feed(&CONFIG, &all, day(241));
    let told = stage_history(&Moment::new(&CONFIG, day(241)), &person.profile.view());
    let told: Vec<_> = told.iter().map(|told| told.stage).collect();
    let expected = [
        Stage::Onboarding,
        Stage::Adopting,
        Stage::Established,
        Stage::Churned,
        Stage::WonBack,
        Stage::Adopting,
        Stage::Established,
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_subscription_that_is_to_end_ends_with_its_period_even_where_nobody_says_so() {
    let ends = |cancels: bool| {
        let said = json!({ "subscription": "a", "status": "active", "cancel_at_period_end": cancels, "renews_at": day(30).to_string() });
        [status(0, "a", "active"), event(5, "Subscription Updated", said)]
    };
    assert_eq!((stage(&ends(true), 29), stage(&ends(true), 32)), (Stage::Onboarding, Stage::Churned));
    assert_eq!(stage(&ends(false), 32), Stage::Adopting);
}

#[test]
fn what_a_tracking_call_and_a_billing_system_both_report_is_one_subscription() {
    let told =
        [event(0, "Subscription Started", json!({})), status(1, "sub_1", "active"), status(60, "sub_1", "canceled")];
    assert_eq!(stage(&told, 61), Stage::Churned);
    let trial = [event(0, "Trial Started", json!({})), status(0, "sub_1", "trialing"), status(10, "sub_1", "canceled")];
    assert_eq!(stage(&trial, 11), Stage::Lead);
}

#[test]
fn of_one_second_the_status_before_and_then_the_life_cycle_decide() {
    let updated = |n: u8, status: &str, before: &str| {
        let said = json!({ "subscription": "a", "status": status, "previous_status": before, "n": n });
        event(5, "Subscription Updated", said)
    };
    let (failed, recovered) = (updated(1, "unpaid", "active"), updated(2, "active", "unpaid"));
    for order in [[failed.clone(), recovered.clone()], [recovered, failed]] {
        assert_eq!(stage(&[&[status(0, "a", "active")], &order[..]].concat(), 6), Stage::Onboarding);
    }
    for order in
        [[status(5, "a", "active"), status(5, "a", "canceled")], [status(5, "a", "canceled"), status(5, "a", "active")]]
    {
        assert_eq!(stage(&order, 6), Stage::Churned);
    }
}

#[test]
fn only_what_was_paid_is_revenue_and_what_is_given_back_is_taken_off() {
    let order = |days, name: &str, revenue: f64| {
        event(days, name, json!({ "order_id": "7", "revenue": revenue, "currency": "USD" }))
    };
    for begun in
        ["Checkout Started", "Product Added", "Cart Viewed", "Order Updated", "Order Cancelled", "Payment Failed"]
    {
        assert_eq!(dollars(&[order(0, begun, 25.0)]), 0, "{begun}");
    }
    let paid = order(1, "Order Completed", 25.0);
    assert_eq!(dollars(&[paid.clone(), order(2, "Order Updated", 30.0)]), 3000);
    assert_eq!(dollars(&[paid.clone(), order(2, "Order Refunded", 10.0)]), 1500);
    assert_eq!(dollars(&[paid.clone(), order(2, "Order Refunded", 10.0), order(3, "Order Refunded", 5.0)]), 1000);
    assert_eq!(dollars(&[paid.clone(), order(2, "Order Refunded", 99.0)]), 0, "no more than was paid");
    assert_eq!(dollars(&[paid.clone(), event(2, "Order Refunded", json!({ "order_id": "7" }))]), 0, "all of it");
    assert_eq!(dollars(&[paid.clone(), order(2, "Order Cancelled", 25.0)]), 0);
    assert_eq!(dollars(&[order(2, "Order Refunded", 10.0)]), 0, "of an order that nobody saw");
    let plain = |days, name: &str, revenue: f64| event(days, name, json!({ "revenue": revenue }));
    assert_eq!(dollars(&[plain(0, "Order Completed", 25.0), plain(1, "Order Refunded", -10.0)]), 1500);
    // Stripe reports one refund whenever it grows, each time with the total.
    let charge = |days, revenue: f64| event(days, "Payment Refunded", json!({ "refund": "ch_1", "revenue": revenue }));
    assert_eq!(dollars(&[paid, charge(2, 5.0), charge(3, 12.0)]), 1300);
}

#[test]
fn an_invoice_counts_once_however_many_events_tell_of_it() {
    let invoice = |name: &str, id: &str| event(0, name, json!({ "invoice": id, "subscription": "a", "revenue": 19 }));
    assert_eq!(dollars(&[invoice("Invoice Paid", "in_1"), invoice("Subscription Renewed", "in_1")]), 1900);
    assert_eq!(dollars(&[invoice("Invoice Paid", "in_1"), invoice("Invoice Paid", "in_2")]), 3800);
    let many: Vec<Event> =
        (0..100).map(|n| event(n, "Invoice Paid", json!({ "invoice": format!("in_{n}"), "revenue": 1 }))).collect();
    assert_eq!(dollars(&many), 10_000, "also of those that are too many to be kept by their ids");
}

#[test]
fn a_paid_invoice_does_not_begin_a_subscription_anew_that_was_cancelled() {
    let last = event(11, "Subscription Renewed", json!({ "invoice": "in_9", "subscription": "a", "revenue": 3 }));
    assert_eq!(stage(&[status(0, "a", "active"), status(10, "a", "canceled"), last], 12), Stage::Churned);
    let alone = event(0, "Subscription Renewed", json!({ "invoice": "in_1", "subscription": "a", "revenue": 3 }));
    assert_eq!(stage(&[alone], 1), Stage::Onboarding, "who pays an invoice of a subscription has it");
}

/// Returns the account from its people's events.
fn account(events: Vec<Event>) -> Account {
    let id = AccountId::parse("acme").unwrap();
    let mut account = Account::new(id);
    for event in events {
        let mut person = Person::new("u");
        person.feed(&CONFIG, &[of_account(event, "acme")], day(2000));
        for action in &person.profile.outbox {
            if let Action::AccountSubscription { report, .. } = action {
                account.subscribed(report);
            }
        }
    }
    account
}

fn renewal(days: i64, id: &str) -> Event {
    let said = json!({ "invoice": format!("in_{id}_{days}"), "subscription": id, "revenue": 228, "period_start": day(days).to_string(), "renews_at": day(days + 365).to_string() });
    event(days, "Subscription Renewed", said)
}

#[test]
fn renewals_by_name_count_from_the_first_day_and_only_since_the_last_end() {
    let named = |days: i64, n: u32| event(days, "Subscription Renewed", json!({ "n": n }));
    let begun = |days: i64| event(days, "Subscription Started", json!({}));
    let renewed = vec![begun(0), named(0, 1), named(0, 2)];
    assert_eq!(facts(&CONFIG, &account(renewed.clone()), day(1)).renewals, 2, "no invoice's first payment");
    let left = event(100, "Subscription Cancelled", json!({}));
    let returned = [renewed, vec![left, begun(200), named(230, 3)]].concat();
    assert_eq!(facts(&CONFIG, &account(returned), day(231)).renewals, 1, "the first since they came back");
}

#[test]
fn renewals_are_counted_per_subscription_and_the_first_payment_is_none() {
    let trial = vec![status(0, "a", "trialing"), status(14, "a", "active"), renewal(14, "a")];
    let at_first = facts(&CONFIG, &account(trial.clone()), day(15));
    assert_eq!((at_first.renewals, at_first.renews_at), (0, Some(day(14 + 365))));
    let renewed = [trial.clone(), vec![renewal(14 + 365, "a"), renewal(14 + 730, "a")]].concat();
    assert_eq!(facts(&CONFIG, &account(renewed.clone()), day(800)).renewals, 2);
    let repeated = [renewed.clone(), renewed.clone()].concat();
    assert_eq!(facts(&CONFIG, &account(repeated), day(800)).renewals, 2, "however often they are told");
    let returned =
        [renewed, vec![status(800, "a", "canceled"), status(900, "b", "active"), renewal(1265, "b")]].concat();
    assert_eq!(facts(&CONFIG, &account(returned), day(1300)).renewals, 1, "of the new subscription");
    // This one has no known start.
    assert_eq!(facts(&CONFIG, &account(vec![renewal(0, "a"), renewal(365, "a")]), day(400)).renewals, 2);
}

#[test]
fn an_account_is_worth_what_it_subscribes_to_and_renews_with_the_greatest() {
    let priced = |id: &str, price: i64, interval: &str, quantity: i64, ends: i64| {
        let said = json!({ "subscription": id, "status": "active", "price": price, "interval": interval, "quantity": quantity, "renews_at": day(ends).to_string() });
        event(0, "Subscription Started", said)
    };
    let account = account(vec![priced("a", 100, "year", 3, 365), priced("b", 10, "month", 1, 30)]);
    let found = facts(&CONFIG, &account, day(1));
    assert_eq!((found.value, found.renews_at), (Some(30_000 + 12_000), Some(day(365))));
    assert_eq!(found.stage, Some(Stage::Onboarding));
}

/// Events about a few subscriptions and payments.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0..9_usize, 0..3_u8, 0..400_i64, 0..50_i64, any::<bool>());
    proptest::collection::vec(one, 1..24).prop_map(|all| {
        let each = all.into_iter().enumerate().map(|(n, (kind, which, days, amount, named))| {
            let currency = ["USD", "EUR", "JPY"][usize::from(which)];
            let mut said = json!({ "n": n, "revenue": amount, "currency": currency });
            if named {
                said["subscription"] = json!(format!("sub_{which}"));
                said["order_id"] = json!(format!("order_{which}"));
            }
            let statuses =
                ["trialing", "active", "past_due", "unpaid", "canceled", "paused", "incomplete", "incomplete_expired"];
            // Any status of an update; for the others some that contradict their names.
            said["status"] = json!(if kind < 2 { statuses.get(amount as usize % 8) } else { statuses.get(kind) });
            let names = [
                "Subscription Updated",
                "Subscription Updated",
                "Trial Started",
                "Subscription Started",
                "Subscription Cancelled",
                "Order Completed",
                "Order Updated",
                "Order Refunded",
                "Invoice Paid",
            ];
            event(days, names[kind], said)
        });
        each.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn billing_is_the_same_in_any_order_and_batching(events in events(), seed in any::<u64>(), size in 1..6_usize) {
        let bytes = |events: &[Event], size: usize| {
            let mut person = Person::new("u");
            for batch in events.chunks(size) {
                person.feed(&CONFIG, batch, day(500));
            }
            let view = person.profile.view();
            (person.profile.derived_bytes().unwrap(), view.revenues(), person.at(&CONFIG, day(500)).stage)
        };
        let straight = bytes(&events, usize::MAX);
        let mut shuffled = [events.clone(), events].concat();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert!(straight.1.values().all(|sum| *sum > 0));
        prop_assert_eq!(bytes(&shuffled, size), straight);
    }

    #[test]
    fn history_of_stages_ends_where_the_person_stands(events in events(), now in 0..600_i64) {
        let known: Vec<Event> = events.into_iter().filter(|event| event.timestamp <= day(now)).collect();
        let mut person = Person::new("u");
        person.feed(&CONFIG, &known, day(now));
        let told = stage_history(&Moment::new(&CONFIG, day(now)), &person.profile.view());
        let last = told.last().map_or(Stage::Visitor, |told| told.stage);
        prop_assert_eq!(last, person.at(&CONFIG, day(now)).stage, "{:?}", told);
        prop_assert!(told.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].stage != pair[1].stage), "{:?}", told);
        prop_assert!(told.iter().all(|told| told.at <= day(now)), "{:?}", told);
    }

    #[test]
    fn what_is_stored_of_a_subscription_is_read_as_it_was(events in events()) {
        let mut person = Person::new("u");
        person.feed(&CONFIG, &events, day(500));
        let billing = person.profile.view().billing;
        let bytes = postcard::to_stdvec(&billing).unwrap();
        prop_assert_eq!(postcard::from_bytes::<perennial_engine::billing::Billing>(&bytes).unwrap(), billing);
    }
}

#[test]
fn there_are_never_more_than_eight_subscriptions_and_those_that_ended_leave_first() {
    let mut person = Person::new("u");
    let ended: Vec<Event> = (0..20)
        .flat_map(|n| [status(n, &format!("old{n}"), "active"), status(n + 30, &format!("old{n}"), "canceled")])
        .collect();
    person.feed(&CONFIG, &[status(0, "kept", "active")], day(100));
    person.feed(&CONFIG, &ended, day(100));
    let profile: &Profile = &person.profile;
    assert_eq!(profile.view().billing.subscriptions.len(), 8);
    assert!(person.at(&CONFIG, day(100)).stage.pays());
}

#[test]
fn milestones_of_before_subscriptions_are_said_to_be_old() {
    let old = |events: &[Event], milestone: Option<Milestone>| {
        let mut person = Person::new("u");
        person.feed(&CONFIG, events, day(1));
        let mut state = person.profile.view();
        let at = start().as_microsecond();
        state.milestones.extend(milestone.map(|milestone| (milestone, Span { first: at, last: at })));
        has_old_milestones(&CONFIG, &state)
    };
    let told = [status(0, "a", "trialing"), status(1, "a", "active"), status(1, "b", "canceled")];
    let bought = [event(0, "Order Completed", json!({ "revenue": 5 }))];
    assert!(!old(&told, None) && !old(&bought, None), "what is told now is told by subscriptions and purchases");
    for milestone in [Milestone::Trial, Milestone::Customer, Milestone::Churned] {
        assert!(old(&told, Some(milestone)), "{milestone:?}");
    }
    assert!(!old(&bought, Some(Milestone::Customer)) && old(&bought, Some(Milestone::Churned)));
    assert!(!old(&told, Some(Milestone::Freemium)));
}

#[test]
fn subscription_without_an_id_is_told_with_its_invoice_too() {
    let plan = |events: &[Event]| {
        let mut person = Person::new("u");
        person.feed(&CONFIG, events, day(3));
        let view = person.profile.view();
        let plans = view.billing.subscriptions.values().map(|each| each.plan.as_ref().map(|plan| plan.value.clone()));
        (plans.collect::<Vec<_>>(), person.at(&CONFIG, day(3)).stage)
    };
    let started = |said: Value| event(0, "Subscription Started", said);
    let invoice = json!({ "plan": "p", "price": 10, "invoice": "i1", "revenue": 10 });
    let p = Some("p".to_owned());
    assert_eq!(plan(&[started(invoice)]), (vec![p.clone()], Stage::Onboarding));
    let free = json!({ "plan": "p", "price": 0, "invoice": "i1" });
    assert_eq!(plan(&[started(free)]), (vec![p], Stage::Freemium));
    let ends = json!({ "price": 10, "invoice": "i1", "cancel_at_period_end": true, "renews_at": day(2).to_string() });
    assert_eq!(plan(&[started(ends)]).1, Stage::Churned);
    let upgraded =
        event(1, "Subscription Upgraded", json!({ "plan": "q", "price": 20, "invoice": "i2", "revenue": 20 }));
    let before = started(json!({ "plan": "p", "price": 10 }));
    assert_eq!(plan(&[before, upgraded]).0, [Some("q".to_owned())]);
}
