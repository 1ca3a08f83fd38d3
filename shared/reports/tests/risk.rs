//! Revenue at risk: each subscription once.

use crate::support::{at, count, person_of, report};
use perennial_config::Config;
use perennial_domain::Event;
use perennial_engine::Profile;
use perennial_reports::{Name, Tally, shown};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use serde_json::json;

const NOW: &str = "2026-06-15T00:00:00Z";

fn config() -> Config {
    let files = [
        ("lifecycle.toml", "customer = [\"Paid\"]\nchurned = [\"Left\"]\n"),
        ("segments.toml", "[[segment]]\nname = \"users\"\nwhen = 'count(\"Used\") > 0'\n"),
    ];
    ConfigBuilder::least().with(&files).load()
}

/// A payment of 100 a month for subscription `id` of an account, which the billing system reports for a contact.
fn paid(contact: &str, id: &str, account: Option<&str>, when: &str, price: i64) -> Event {
    let said = json!({"subscription": id, "status": "active", "price": price, "interval": "month", "currency": "USD"});
    let event = EventBuilder::track(&format!("{contact} {id} {price}"), contact, "Paid").at(at(when)).properties(said);
    account.map_or_else(|| event.clone(), |account| event.clone().group_id(account)).build()
}

fn used(contact: &str, when: &str) -> Event {
    EventBuilder::track(&format!("{contact} used {when}"), contact, "Used").at(at(when)).build()
}

fn rows(config: &Config, tally: &Tally) -> Vec<[String; 6]> {
    let report = report(config, tally, Name::Risk);
    let rows = report.tables[0].rows.iter();
    rows.map(|row| [0, 2, 3, 4, 5, 7].map(|column| shown::text(&row[column]))).collect()
}

/// Three contacts of one subscription, of whom one has been silent, and a customer without an account.
fn people(config: &Config) -> Vec<Profile> {
    let of = |user: &str, events: &[Event]| person_of(config, user, events, at(NOW));
    vec![
        of("a", &[paid("a", "s", Some("acme"), "2026-06-01T00:00:00Z", 100), used("a", "2026-06-14T00:00:00Z")]),
        of("b", &[paid("b", "s", Some("acme"), "2026-06-02T00:00:00Z", 120), used("b", "2026-06-14T00:00:00Z")]),
        of("c", &[paid("c", "s", Some("acme"), "2026-03-01T00:00:00Z", 90)]),
        of("d", &[paid("d", "own", None, "2026-06-01T00:00:00Z", 7), used("d", "2026-06-14T00:00:00Z")]),
    ]
}

#[test]
fn subscription_of_an_account_counts_once_however_many_contacts_it_is_reported_for() {
    let config = config();
    let people = people(&config);
    // By hand: the newest report says 120 a month, and d pays 7. c has been silent for three months.
    let everyone = ["everyone", "4", "127.00 USD", "1", "120.00 USD", "0.00 USD"].map(str::to_owned);
    let users = ["users", "3", "127.00 USD", "0", "120.00 USD", "0.00 USD"].map(str::to_owned);
    assert_eq!(rows(&config, &count(&config, &people, at(NOW))), [everyone.clone(), users.clone()]);
    for (one, other) in [(0, 1), (1, 2), (3, 3)] {
        let mut parts = count(&config, &people[..=one.min(2)], at(NOW));
        parts.merge(&count(&config, &people[one.min(2) + 1..], at(NOW)));
        assert_eq!(rows(&config, &parts), [everyone.clone(), users.clone()], "{one} {other}");
    }
}

#[test]
fn report_with_an_id_and_one_without_are_one_subscription_of_an_account() {
    let config = config();
    let without = EventBuilder::track("b", "b", "Paid").at(at("2026-06-01T00:00:00Z")).group_id("acme");
    let without = without.properties(json!({"price": 100, "interval": "month", "currency": "USD"})).build();
    let people = [
        person_of(&config, "a", &[paid("a", "s", Some("acme"), "2026-06-01T00:00:00Z", 100)], at(NOW)),
        person_of(&config, "b", &[without], at(NOW)),
    ];
    assert_eq!(rows(&config, &count(&config, &people, at(NOW)))[0][2], "100.00 USD");
}

#[test]
fn merged_profile_has_one_subscription_without_an_id() {
    let config = config();
    let of = |user: &str| {
        let event = EventBuilder::track(user, user, "Paid").at(at("2026-06-01T00:00:00Z"));
        let event = event.properties(json!({"price": 100, "interval": "month", "currency": "USD"})).build();
        person_of(&config, user, &[event], at(NOW))
    };
    let (mut one, other) = (of("work"), of("home"));
    one.parts.extend(other.parts);
    assert_eq!(rows(&config, &count(&config, &[one], at(NOW)))[0][1..3], ["1", "100.00 USD"]);
}
