//! The life of an account: its people, its subscription, and what billing says of it.

use super::plan::{MONTH, Person, Plot, TRIAL_DAYS};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::{DAYS, person};
use serde_json::json;

/// A seat's price a month, in whole dollars.
const SEAT_DOLLARS: i64 = 29;

/// Tells the whole life of account `number`.
pub(super) fn live(record: &mut Recorder, number: u64, mut rng: Rng) {
    let plot = Plot::draw(number, &mut rng);
    let people: Vec<Person> =
        (0..plot.people).map(|position| Person::draw(&plot, position, &mut rng.fork(position))).collect();
    for (position, who) in people.iter().enumerate() {
        person::live(record, &plot, who, position == 0, rng.fork(100 + position as u64));
    }
    if let [admin, others @ ..] = people.as_slice() {
        invitations(record, admin, others, &mut rng);
        match plot.pays() {
            Some(first) => subscription(record, &plot, &people, first, &mut rng),
            None => free_plan(record, &plot, &people),
        }
    }
}

/// The administrator asks the others in, some hours before each signs up.
fn invitations(record: &mut Recorder, admin: &Person, others: &[Person], rng: &mut Rng) {
    for invited in others {
        let second = rng.between(8, 9) * 3600 + rng.between(0, 3599);
        record.track(
            "product",
            Who::User(&admin.user),
            (invited.joins, second),
            "Invite Sent",
            json!({"role": invited.role.as_str()}),
        );
    }
}

/// The trial ran out and nobody bought: everyone falls back to the free plan.
fn free_plan(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    let ends = plot.trial + TRIAL_DAYS;
    for person in people {
        record.track(
            "product",
            Who::User(&person.user),
            (ends.max(person.joins), 70_000),
            "Free Plan Started",
            json!({"plan": "free"}),
        );
    }
}

/// Billing: the first payment, the renewals, failures, an upgrade, the end. The buyer is who billing knows.
fn subscription(record: &mut Recorder, plot: &Plot, people: &[Person], first: i64, rng: &mut Rng) {
    let Some(payer) = people.get(1).or(people.first()) else {
        return;
    };
    let payer_id = Who::User(&payer.user);
    let mut plan = "team";
    let mut seats = people.len() as i64;
    let sum = |plan: &str, seats: i64, what: &str| json!({"plan": plan, "seats": seats, what: seats * SEAT_DOLLARS, "currency": "USD"});
    let paid = |plan: &str, seats: i64| sum(plan, seats, "revenue");
    let owed = |plan: &str, seats: i64| sum(plan, seats, "amount");
    // Who buys signs up at the latest when paying.
    let first = first.max(payer.joins);
    record.track("billing", payer_id, (first, 50_000), "Subscription Started", paid(plan, seats));
    for person in people.iter().filter(|person| person.user != payer.user) {
        record.track(
            "product",
            Who::User(&person.user),
            (first.max(person.joins), 50_060),
            "Seat Assigned",
            json!({"plan": plan}),
        );
    }
    let mut due = first + MONTH;
    let upgrades = rng.percent(30);
    while due < DAYS && plot.cancels.is_none_or(|end| due < end) {
        if upgrades && due == first + MONTH {
            (plan, seats) = ("business", seats + 5);
            record.track("billing", payer_id, (due - 3, 51_000), "Subscription Upgraded", owed(plan, seats));
        }
        if rng.percent(12) {
            record.track("billing", payer_id, (due, 50_100), "Payment Failed", owed(plan, seats));
            record.track("billing", payer_id, (due + 3, 50_100), "Subscription Renewed", paid(plan, seats));
        } else {
            record.track("billing", payer_id, (due, 50_100), "Subscription Renewed", paid(plan, seats));
        }
        due += MONTH;
    }
    if let (Some(end), Some(admin)) = (plot.cancels, people.first()) {
        record.track(
            "web",
            Who::User(&admin.user),
            (end - 2, 36_000),
            "Cancel Page Viewed",
            json!({"path": "/billing/cancel"}),
        );
        record.track(
            "billing",
            payer_id,
            (end, 60_000),
            "Subscription Cancelled",
            json!({"plan": plan, "reason": rng.pick(["price", "missing_feature", "unused"])}),
        );
        for person in people.iter().filter(|person| person.user != payer.user && person.joins <= end) {
            record.track("product", Who::User(&person.user), (end, 60_060), "Seat Removed", json!({"plan": plan}));
        }
    }
}
