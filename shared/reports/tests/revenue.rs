//! Recurring revenue: prices, statuses, changes, currencies, order.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Event;
use perennial_reports::{Archived, Cell, Ledger, Name, Notice, Report, Tally, notice, rules, shown};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

mod whose;

/// The default configuration, compiled once.
fn config() -> &'static Config {
    static CONFIG: LazyLock<Config> = LazyLock::new(|| ConfigBuilder::shipped().load());
    &CONFIG
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A report of billing about subscription `id` of `account`.
fn event(number: usize, id: &str, when: &str, name: &str, said: serde_json::Value) -> Event {
    let mut said = said;
    said["subscription"] = id.into();
    let account = format!("account of {id}");
    EventBuilder::track(&format!("m{number}"), "payer", name).at(at(when)).group_id(&account).properties(said).build()
}

fn ledger(config: &Config, events: &[Event]) -> Ledger {
    let mut ledger = Ledger::default();
    events.iter().filter_map(|event| notice(config, event)).for_each(|notice| ledger.add(notice));
    ledger
}

fn report(config: &Config, ledger: &Ledger, name: Name, now: &str) -> Report {
    let archived = Archived { ledger: ledger.clone(), ..Archived::default() };
    Tally::new(at(now)).reports(config, &archived).into_iter().find(|report| report.name == name).unwrap()
}

fn rows(report: &Report, table: usize) -> Vec<Vec<String>> {
    report.tables[table].rows.iter().map(|row| row.iter().map(shown::text).collect()).collect()
}

/// Two subscriptions in dollars: one expands, ends and returns; one is paid by the year and loses seats.
fn story() -> Vec<Event> {
    let usd = |price: f64, quantity: u32, interval: &str| json!({"price": price, "quantity": quantity, "interval": interval, "currency": "USD", "status": "active"});
    let ended = json!({"status": "canceled"});
    vec![
        event(0, "s1", "2026-01-31T23:59:59Z", "Subscription Started", usd(10.0, 3, "month")),
        event(1, "s2", "2026-02-01T00:00:00Z", "Subscription Started", usd(100.0, 7, "year")),
        event(2, "s1", "2026-02-15T00:00:00Z", "Subscription Updated", usd(10.0, 5, "month")),
        event(3, "s1", "2026-03-31T23:59:59Z", "Subscription Cancelled", ended),
        event(4, "s2", "2026-04-01T00:00:00Z", "Subscription Updated", usd(100.0, 5, "year")),
        event(5, "s1", "2026-05-01T00:00:00Z", "Subscription Started", usd(10.0, 4, "month")),
    ]
}

#[test]
fn changes_of_each_month_add_up_from_opening_to_closing() {
    let (config, events) = (config(), story());
    let report = report(config, &ledger(config, &events), Name::Revenue, "2026-05-10T00:00:00Z");
    let usd = |amounts: [&str; 7]| amounts.map(|amount| format!("{amount} USD"));
    let expected = [
        ("2026-01", usd(["0.00", "30.00", "0.00", "0.00", "0.00", "0.00", "30.00"]), "1"),
        ("2026-02", usd(["30.00", "58.33", "20.00", "0.00", "0.00", "0.00", "108.33"]), "2"),
        ("2026-03", usd(["108.33", "0.00", "0.00", "0.00", "-50.00", "0.00", "58.33"]), "1"),
        ("2026-04", usd(["58.33", "0.00", "0.00", "-16.66", "0.00", "0.00", "41.67"]), "1"),
        ("2026-05", usd(["41.67", "0.00", "0.00", "0.00", "0.00", "40.00", "81.67"]), "2"),
    ];
    let shown = rows(&report, 0);
    assert_eq!(shown.len(), expected.len());
    for (row, (month, amounts, customers)) in shown.iter().zip(expected) {
        assert_eq!((row[0].as_str(), &row[2..9], row[9].as_str()), (month, &amounts[..], customers));
    }
    // Of 30.00 in January, the same customer pays 40.00 now: more net, no more than all gross.
    let kept = &report.tables[1].rows[0];
    assert_eq!(kept[1..3], [Cell::text("2026-01-31"), Cell::Count(4)]);
    assert_eq!(kept[4..6], [Cell::Share { part: 4000, of: 3000 }, Cell::Share { part: 3000, of: 3000 }]);
    assert_eq!(report.notes, ["USD: retention is over 4 months only; a year is intended"]);
}

#[test]
fn trials_pauses_unpaid_and_incomplete_subscriptions_are_zero_and_overdue_ones_are_not() {
    let config = config();
    let said = |status: &str| json!({"price": 12, "interval": "month", "currency": "EUR", "status": status});
    for (status, counts) in [
        ("trialing", false),
        ("paused", false),
        ("unpaid", false),
        ("incomplete", false),
        ("canceled", false),
        ("active", true),
        ("past_due", true),
    ] {
        let events = [event(0, "s", "2026-05-01T00:00:00Z", "Subscription Updated", said(status))];
        let report = report(config, &ledger(config, &events), Name::Revenue, "2026-05-02T00:00:00Z");
        assert_eq!(!report.tables[0].rows.is_empty(), counts, "{status}");
    }
}

#[test]
fn currencies_keep_their_decimals_and_are_never_added_up() {
    let config = config();
    let said = |price: &str, interval: &str, currency: &str| json!({"price": price, "interval": interval, "currency": currency, "status": "active"});
    let events = [
        event(0, "a", "2026-05-01T00:00:00Z", "Subscription Started", said("1200", "month", "JPY")),
        event(1, "b", "2026-05-01T00:00:00Z", "Subscription Started", said("10.005", "year", "KWD")),
        event(2, "c", "2026-05-01T00:00:00Z", "Subscription Started", said("99.90", "quarter", "EUR")),
    ];
    let report = report(config, &ledger(config, &events), Name::Revenue, "2026-05-02T00:00:00Z");
    let closing: Vec<String> = rows(&report, 0).into_iter().map(|row| row[8].clone()).collect();
    // 10005 thousandths by 12 are 833.75; 9990 * 4 by 12 are 3330.
    assert_eq!(closing, ["33.30 EUR", "1200 JPY", "0.834 KWD"]);
}

#[test]
fn a_payment_stands_for_a_price_that_is_never_named() {
    let config = config();
    let paid = |id: &str, when: &str, name: &str, revenue: i64| {
        EventBuilder::track(id, "u", name).at(at(when)).group_id("g").property("revenue", revenue).build()
    };
    let events = [
        paid("1", "2026-01-10T00:00:00Z", "Subscription Started", 145),
        paid("2", "2026-02-10T00:00:00Z", "Subscription Renewed", 245),
    ];
    let report = report(config, &ledger(config, &events), Name::Revenue, "2026-02-20T00:00:00Z");
    let shown = rows(&report, 0);
    assert_eq!((shown[0][3].as_str(), shown[1][4].as_str()), ("145.00 USD", "100.00 USD"));
    // A browser is not trusted about money.
    let public = EventBuilder::track("3", "u", "Subscription Started").property("revenue", 9).public().build();
    assert_eq!(notice(config, &public), None);
}

#[test]
fn subscriptions_are_told_apart_by_interval_in_plans() {
    let (config, events) = (config(), story());
    let plans = report(config, &ledger(config, &events), Name::Plans, "2026-04-10T00:00:00Z");
    assert_eq!(
        rows(&plans, 0),
        [["monthly", "USD", "1", "0", "100.0 %", "0.00 USD"], ["yearly", "USD", "1", "1", "0.0 %", "41.67 USD"]]
    );
}

#[test]
fn a_subscription_that_is_reported_with_and_without_an_id_ends_once() {
    let config = config();
    let report_of = |name: &str, id: &str, when: &str, said: serde_json::Value| {
        EventBuilder::track(id, "a", name).at(at(when)).group_id("acme").properties(said).build()
    };
    let price = |subscription: Option<&str>| {
        let said = json!({"price": 100, "interval": "month", "currency": "USD", "status": "active"});
        let mut said = said.as_object().unwrap().clone();
        said.extend(subscription.map(|id| ("subscription".to_owned(), id.into())));
        serde_json::Value::Object(said)
    };
    let events = [
        report_of("Subscription Started", "1", "2026-01-10T00:00:00Z", price(None)),
        report_of("Subscription Started", "2", "2026-02-10T00:00:00Z", price(Some("sub_1"))),
        report_of(
            "Subscription Cancelled",
            "3",
            "2026-04-10T00:00:00Z",
            json!({"subscription": "sub_1", "status": "canceled"}),
        ),
    ];
    let report = report(config, &ledger(config, &events), Name::Revenue, "2026-06-15T00:00:00Z");
    let closing: Vec<String> = rows(&report, 0).into_iter().map(|row| row[8].clone()).collect();
    assert_eq!(closing, ["100.00 USD", "100.00 USD", "100.00 USD", "0.00 USD", "0.00 USD", "0.00 USD"]);
    assert_eq!(rows(&report, 1)[0][4..], ["0.0 %", "0.0 %", "1", "0.0 %"]);
}

#[test]
fn retention_is_that_of_exactly_a_year() {
    let config = config();
    let said = json!({"price": 100, "interval": "month", "currency": "USD", "status": "active"});
    let events = [
        event(0, "before", "2025-10-20T00:00:00Z", "Subscription Started", said.clone()),
        event(1, "within", "2025-11-15T00:00:00Z", "Subscription Started", said),
        event(2, "before", "2026-06-01T00:00:00Z", "Subscription Cancelled", json!({"status": "canceled"})),
    ];
    let report = report(config, &ledger(config, &events), Name::Revenue, "2026-11-01T00:00:00Z");
    assert_eq!(rows(&report, 1)[0][..2], ["USD", "2025-11-01"]);
    assert_eq!(rows(&report, 1)[0][6..], ["1", "0.0 %"], "who came in the year is not in it");
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

#[test]
fn free_plans_and_seats_are_no_plans_that_are_paid_for() {
    let config = config();
    let said = |price: i64| json!({"price": price, "interval": "month", "currency": "USD", "status": "active"});
    let seat =
        EventBuilder::track("seat", "b", "Seat Assigned").at(at("2026-01-10T00:00:00Z")).group_id("acme").build();
    let events = [
        event(0, "free", "2026-01-10T00:00:00Z", "Subscription Started", said(0)),
        event(1, "paid", "2026-01-10T00:00:00Z", "Subscription Started", said(20)),
        seat,
    ];
    let plans = report(config, &ledger(config, &events), Name::Plans, "2026-04-10T00:00:00Z");
    assert_eq!(rows(&plans, 0), [["monthly", "USD", "1", "1", "0.0 %", "20.00 USD"]]);
}

#[test]
fn rules_change_with_the_events_that_are_read_and_with_nothing_else() {
    let shipped = rules(config());
    assert_eq!(shipped, rules(config()), "the same in every process");
    let other = ConfigBuilder::shipped().with(&[("features.toml", "[[feature]]\nname = \"new\"\nevent = \"New\"\n")]);
    assert_eq!(shipped, rules(&other.load()));
    let other = ConfigBuilder::least().with(&[("lifecycle.toml", "customer = [\"Paid\"]\n")]);
    assert_ne!(rules(&ConfigBuilder::least().load()), rules(&other.load()));
}

proptest! {
    #[test]
    fn notices_add_up_in_any_order_and_repetition(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(), again in 0..6_usize) {
        let (config, events) = (config(), story());
        let straight = ledger(config, &events);
        let mut shuffled: Vec<Event> = order.iter().map(|at| events[*at].clone()).collect();
        shuffled.push(events[again].clone());
        let notices: Vec<Notice> = shuffled.iter().filter_map(|event| notice(config, event)).collect();
        let stored: Vec<Notice> = serde_json::from_str(&serde_json::to_string(&notices).unwrap()).unwrap();
        prop_assert_eq!(&stored, &notices);
        let mut other = Ledger::default();
        stored.into_iter().for_each(|notice| other.add(notice));
        prop_assert_eq!(other, straight);
    }
}
