//! The life of an account: its people, its subscription, and its billing events.

use super::plan::{MONTH, Person, Plot, TRIAL_DAYS};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::{DAYS, double, person, voice};
use serde_json::{Value, json};

/// Records the whole life of account `number`.
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
            None => free_plan(record, &plot, admin, others),
        }
    }
    voice::outage(record, &plot, &people, &mut rng.fork(200));
    voice::mentions_by_colleagues(record, &plot, &people, &mut rng.fork(201));
    double::second_sign_on(record, &plot, &people, &mut rng.fork(202));
    double::guest(record, &plot, &mut rng.fork(203));
}

/// The administrator invites the others, some hours before each signs up.
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

/// The trial ended without a purchase: the account and everyone in it falls back to the free plan.
fn free_plan(record: &mut Recorder, plot: &Plot, admin: &Person, others: &[Person]) {
    let (ends, free) = (plot.trial + TRIAL_DAYS, json!({"plan": "free"}));
    record.track_of("product", Who::User(&admin.user), plot, (ends, 70_000), "Free Plan Started", free.clone());
    for person in others {
        let when = (ends.max(person.joins), 70_000);
        record.track("product", Who::User(&person.user), when, "Free Plan Started", free.clone());
    }
}

/// An account's subscription.
#[derive(Debug, Clone, Copy)]
struct Subscription {
    plan: &'static str,
    seats: i64,
    /// The monthly price of a seat, in whole dollars.
    seat: i64,
}

impl Subscription {
    fn monthly(self) -> i64 {
        self.seats * self.seat
    }

    /// The properties of a billing event: the terms, and what the month costs as `what`.
    fn priced(self, what: &str) -> Value {
        json!({
            "plan": self.plan, "seats": self.seats, what: self.monthly(), "currency": "USD",
            "price": self.seat, "quantity": self.seats, "interval": "month",
        })
    }
}

/// Billing: the first payment, the renewals, failures, an upgrade, the end, and sometimes a new beginning. The buyer is who
/// billing knows.
fn subscription(record: &mut Recorder, plot: &Plot, people: &[Person], first: i64, rng: &mut Rng) {
    let Some(payer) = people.get(1).or(people.first()) else {
        return;
    };
    // A buyer signs up no later than the payment.
    let first = first.max(payer.joins);
    let mut paid = Subscription { plan: "team", seats: plot.seats, seat: 29 };
    let upgrades = rng.percent(30);
    begin(record, plot, people, payer, first, paid);
    let mut due = first + MONTH;
    while due < DAYS && plot.cancels.is_none_or(|end| due < end) {
        if upgrades && due == first + MONTH {
            paid = Subscription { plan: "business", seats: paid.seats + 5, seat: 49 };
            let upgraded = paid.priced("amount");
            record.track_of(
                "billing",
                Who::User(&payer.user),
                plot,
                (due - 3, 51_000),
                "Subscription Upgraded",
                upgraded,
            );
            tell_value(record, plot, payer, due - 3, paid);
        }
        renew(record, plot, payer, due, paid, rng);
        due += MONTH;
    }
    let Some(end) = plot.cancels else { return };
    cancel(record, plot, people, payer, end, paid, rng);
    if let Some(again) = plot.returns {
        begin(record, plot, people, payer, again, paid);
        let mut due = again + MONTH;
        while due < DAYS {
            renew(record, plot, payer, due, paid, rng);
            due += MONTH;
        }
    }
}

/// The first payment, and a seat for everyone.
fn begin(record: &mut Recorder, plot: &Plot, people: &[Person], payer: &Person, day: i64, paid: Subscription) {
    let bought = paid.priced("revenue");
    record.track_of("billing", Who::User(&payer.user), plot, (day, 50_000), "Subscription Started", bought);
    tell_value(record, plot, payer, day, paid);
    for person in people.iter().filter(|person| person.user != payer.user) {
        let when = (day.max(person.joins), 50_060);
        record.track("product", Who::User(&person.user), when, "Seat Assigned", json!({"plan": paid.plan}));
    }
}

/// Billing reports the account's monthly value. Large ones have an owner.
fn tell_value(record: &mut Recorder, plot: &Plot, payer: &Person, day: i64, paid: Subscription) {
    let mut traits = json!({"plan": paid.plan, "mrr": paid.monthly()});
    if plot.seats >= 100 {
        traits["owner"] = "team north".into();
    }
    record.group("billing", Who::User(&payer.user), (day, 51_010), plot, traits);
}

/// The invoice is paid, in one of eight cases only three days later.
fn renew(record: &mut Recorder, plot: &Plot, payer: &Person, day: i64, paid: Subscription, rng: &mut Rng) {
    let payer = Who::User(&payer.user);
    let due = day;
    let mut day = day;
    if rng.percent(12) {
        record.track("billing", payer, (day, 50_100), "Payment Failed", paid.priced("amount"));
        day += 3;
    }
    let mut renewed = paid.priced("revenue");
    renewed["renews_at"] = record.moment(due + MONTH, 50_100).to_string().into();
    record.track_of("billing", payer, plot, (day, 50_100), "Subscription Renewed", renewed);
}

fn cancel(
    record: &mut Recorder,
    plot: &Plot,
    people: &[Person],
    payer: &Person,
    end: i64,
    paid: Subscription,
    rng: &mut Rng,
) {
    if let Some(admin) = people.first() {
        let path = json!({"path": "/billing/cancel"});
        record.track("web", Who::User(&admin.user), (end - 2, 36_000), "Cancel Page Viewed", path);
    }
    let why = json!({"plan": paid.plan, "reason": rng.pick(["price", "missing_feature", "unused"])});
    record.track_of("billing", Who::User(&payer.user), plot, (end, 60_000), "Subscription Cancelled", why);
    tell_value(record, plot, payer, end, Subscription { seats: 0, ..paid });
    for person in people.iter().filter(|person| person.user != payer.user && person.joins <= end) {
        record.track("product", Who::User(&person.user), (end, 60_060), "Seat Removed", json!({"plan": paid.plan}));
    }
}
