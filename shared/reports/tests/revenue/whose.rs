//! Owners and months of revenue: merged profiles, changes without an id, and ends on the last day of a month.

use super::{Config, Event, EventBuilder, Ledger, Name, Tally, at, config, ledger, report, rows, shown};
use crate::support::{count, person_of};
use perennial_engine::Profile;
use perennial_reports::Archived;
use serde_json::{Value, json};

const NOW: &str = "2026-06-15T00:00:00Z";

/// A report of billing for a user, without a subscription's id.
fn unnamed(id: &str, user: &str, name: &str, when: &str, said: Value) -> Event {
    EventBuilder::track(id, user, name).at(at(when)).properties(said).build()
}

fn month(price: i64) -> Value {
    json!({"price": price, "interval": "month", "currency": "USD", "status": "active"})
}

/// The closing revenue of each month, and the customers of the last.
fn closing(ledger: &Ledger, tally: &Tally, config: &Config) -> (Vec<String>, String) {
    let archived = Archived { ledger: ledger.clone(), ..Archived::default() };
    let report = tally.reports(config, &archived).into_iter().find(|report| report.name == Name::Revenue).unwrap();
    let rows: Vec<Vec<String>> =
        report.tables[0].rows.iter().map(|row| row.iter().map(shown::text).collect()).collect();
    let customers = rows.last().map_or_else(String::new, |row| row[9].clone());
    (rows.into_iter().map(|row| row[8].clone()).collect(), customers)
}

/// One profile of these, as a merge makes it.
fn merged(mut one: Profile, other: Profile) -> Profile {
    one.parts.extend(other.parts);
    one
}

#[test]
fn subscription_without_an_id_counts_once_when_its_two_users_are_merged() {
    let config = config();
    let events = [
        unnamed("1", "work", "Subscription Started", "2026-05-01T00:00:00Z", month(100)),
        unnamed("2", "home", "Subscription Started", "2026-05-03T00:00:00Z", month(100)),
    ];
    let ledger = ledger(config, &events);
    let person = |user: &str, event: &Event| person_of(config, user, std::slice::from_ref(event), at(NOW));
    let (work, home) = (person("work", &events[0]), person("home", &events[1]));
    let apart = count(config, &[work.clone(), home.clone()], at(NOW));
    assert_eq!(closing(&ledger, &apart, config), (vec!["200.00 USD".to_owned(); 2], "2".to_owned()));
    for people in [merged(work.clone(), home.clone()), merged(home, work)] {
        let together = count(config, &[people], at(NOW));
        assert_eq!(closing(&ledger, &together, config), (vec!["100.00 USD".to_owned(); 2], "1".to_owned()));
    }
}

#[test]
fn change_of_terms_without_an_id_or_status_changes_revenue() {
    let config = config();
    let down = |said: Value| unnamed("2", "u", "Subscription Downgraded", "2026-06-01T00:00:00Z", said);
    let started = |id: Option<&str>| {
        let mut said = month(100);
        id.into_iter().for_each(|id| said["subscription"] = id.into());
        unnamed("1", "u", "Subscription Started", "2026-05-01T00:00:00Z", said)
    };
    for id in [None, Some("sub_1")] {
        for (said, now) in [
            (json!({"price": 40, "currency": "USD"}), "40.00 USD"),
            (json!({"price": 100, "quantity": 2, "currency": "USD"}), "200.00 USD"),
            (json!({"price": 120, "interval": "year", "currency": "USD"}), "10.00 USD"),
            (json!({"reason": "too dear"}), "100.00 USD"),
        ] {
            let ledger = ledger(config, &[started(id), down(said.clone())]);
            let shown = rows(&report(config, &ledger, Name::Revenue, NOW), 0);
            assert_eq!((shown[0][8].as_str(), shown[1][8].as_str()), ("100.00 USD", now), "{id:?} {said}");
            assert_eq!(shown[1][9], "1", "{id:?} {said}");
        }
    }
    // Nobody pays because of a change alone, and of two subscriptions nobody knows which one it is.
    let alone = ledger(config, &[down(json!({"price": 40, "currency": "USD"}))]);
    assert!(rows(&report(config, &alone, Name::Revenue, NOW), 0).is_empty());
    let mut other = month(10);
    other["subscription"] = "sub_2".into();
    let other = unnamed("3", "u", "Subscription Started", "2026-05-01T00:00:00Z", other);
    let two = ledger(config, &[started(Some("sub_1")), other, down(json!({"price": 40, "currency": "USD"}))]);
    assert_eq!(rows(&report(config, &two, Name::Revenue, NOW), 0)[1][8], "110.00 USD");
}

#[test]
fn change_without_an_id_goes_to_the_subscription_that_is_paid_at_the_time() {
    let config = config();
    let named = |message: &str, id: &str, name: &str, when: &str, mut said: Value| {
        said["subscription"] = id.into();
        EventBuilder::track(message, "payer", name).at(at(when)).group_id("acme").properties(said).build()
    };
    let events = [
        named("1", "old", "Subscription Started", "2026-01-10T00:00:00Z", month(50)),
        named("2", "old", "Subscription Cancelled", "2026-02-10T00:00:00Z", json!({"status": "canceled"})),
        named("3", "new", "Subscription Started", "2026-03-10T00:00:00Z", month(100)),
        // Of a colleague, and so of the account.
        EventBuilder::track("4", "colleague", "Subscription Downgraded")
            .at(at("2026-04-10T00:00:00Z"))
            .group_id("acme")
            .properties(json!({"price": 70, "currency": "USD"}))
            .build(),
    ];
    let shown = rows(&report(config, &ledger(config, &events), Name::Revenue, "2026-04-20T00:00:00Z"), 0);
    let closing: Vec<&str> = shown.iter().map(|row| row[8].as_str()).collect();
    assert_eq!(closing, ["50.00 USD", "0.00 USD", "100.00 USD", "70.00 USD"]);
    assert_eq!(shown[3][5], "-30.00 USD", "a contraction");
}

#[test]
fn last_period_that_ends_on_the_last_day_of_a_month_is_churn_of_that_month() {
    let config = config();
    for (begins, ends, next, month_of_end) in [
        ("2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-15T00:00:00Z", "2026-02"),
        ("2024-01-30T10:00:00Z", "2024-02-29T10:00:00Z", "2024-03-15T00:00:00Z", "2024-02"),
        ("2026-03-31T23:59:59Z", "2026-04-30T23:59:59Z", "2026-05-15T00:00:00Z", "2026-04"),
        ("2025-12-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-15T00:00:00Z", "2026-01"),
    ] {
        let mut said = month(30);
        said["cancel_at_period_end"] = true.into();
        said["current_period_end"] = ends.into();
        let event = unnamed("1", "u", "Subscription Started", begins, said);
        let report = report(config, &ledger(config, &[event]), Name::Revenue, next);
        let churned: Vec<(String, String)> = rows(&report, 0)
            .into_iter()
            .filter(|row| row[6] != "0.00 USD")
            .map(|row| (row[0].clone(), row[6].clone()))
            .collect();
        assert_eq!(churned, [(month_of_end.to_owned(), "-30.00 USD".to_owned())], "{ends}");
    }
}

#[test]
fn renewal_on_the_last_day_of_a_shorter_month_keeps_the_customer() {
    let config = config();
    let said = |end: &str| {
        let mut said = month(30);
        said["current_period_end"] = end.into();
        said
    };
    let events = [
        unnamed("1", "u", "Subscription Started", "2026-01-31T10:00:00Z", said("2026-02-28T10:00:00Z")),
        unnamed("2", "u", "Subscription Renewed", "2026-02-28T10:00:00Z", said("2026-03-31T10:00:00Z")),
        unnamed("3", "u", "Subscription Renewed", "2026-03-31T10:00:00Z", said("2026-04-30T10:00:00Z")),
    ];
    let shown = rows(&report(config, &ledger(config, &events), Name::Revenue, "2026-04-30T11:00:00Z"), 0);
    let moves: Vec<[&str; 3]> = shown.iter().map(|row| [row[0].as_str(), row[3].as_str(), row[8].as_str()]).collect();
    let none = "0.00 USD";
    let expected = [("2026-01", "30.00 USD"), ("2026-02", none), ("2026-03", none), ("2026-04", none)];
    assert_eq!(moves, expected.map(|(month, new)| [month, new, "30.00 USD"]));
    assert!(shown.iter().all(|row| row[6] == none && row[7] == none));
}
