//! Pages that stand for an event, under the default config: `page` and `screen` calls reach the rules of the event.

use super::life::{Life, start};
use crate::support::{config_with, default_config};
use jiff::SignedDuration;
use perennial_domain::{Event, EventName, Likelihood};
use perennial_testkit::EventBuilder;
use serde_json::{Value, json};

/// A page call of a user, as analytics.js makes it.
fn page(id: &str, hours: i64, name: Option<&str>, properties: Value) -> Event {
    let call = EventBuilder::page(id, "browser").user("u").properties(properties);
    let mut event = call.at(start() + SignedDuration::from_hours(hours)).build();
    event.event = name.map(|name| EventName::parse(name).unwrap());
    event
}

fn after(events: &[Event]) -> Life {
    let mut life = Life::new(default_config());
    life.does("Signed Up", json!({}), start());
    life.says(json!({"title": "CFO", "email": "ada@acme.example"}), start());
    for event in events {
        life.person.feed(&life.config, std::slice::from_ref(event), event.timestamp);
    }
    life
}

#[test]
fn a_page_call_to_the_price_list_scores_as_the_event_does() {
    for properties in [
        json!({"path": "/pricing", "url": "https://acme.example/pricing", "search": "", "title": "Pricing"}),
        json!({"path": "/de/pricing/", "url": "https://acme.example/de/pricing/?plan=pro"}),
        json!({"url": "https://acme.example/pricing?utm_source=x#plans"}),
        json!({"path": "/", "url": "https://acme.example/#/pricing"}),
        json!({"$current_url": "https://acme.example/pricing", "$pathname": "/pricing"}),
        json!({"path": "/pricing/enterprise"}),
    ] {
        let life = after(&[page("p", 1, None, properties.clone())]);
        let now = start() + SignedDuration::from_hours(1);
        assert_eq!(life.score(Likelihood::Purchase, now), 12, "{properties}");
        let counts = life.person.profile.view().counts;
        assert_eq!((counts.get("Pricing Page Viewed"), counts.get("$page")), (1, 0), "{properties}");
        assert_eq!(life.person.profile.view().tallies.get("consideration"), Some(&1));
    }
    let life = after(&[page("p", 1, Some("Pricing"), json!({}))]);
    assert_eq!(life.person.profile.view().counts.get("Pricing Page Viewed"), 1, "by its name");
    let life = after(&[page("p", 1, Some("Home"), json!({"path": "/"}))]);
    assert_eq!(life.person.profile.view().counts.get("$page"), 1, "any other page stays a page");
}

#[test]
fn a_track_call_that_stands_for_a_page_view_scores_as_the_event_does() {
    for (event, properties) in [
        ("$pageview", json!({"$current_url": "https://acme.example/us/en/pricing?x=1", "$pathname": "/us/en/pricing"})),
        ("Page Viewed", json!({"path": "/pricing"})),
        ("Viewed a Page", json!({"url": "https://acme.example/#/pricing"})),
        ("Viewed Pricing Page", json!({})),
        ("[Amplitude] Page Viewed", json!({"[Amplitude] Page Path": "/pricing/"})),
    ] {
        let mut life = after(&[]);
        let now = start() + SignedDuration::from_hours(1);
        life.does(event, properties.clone(), now);
        assert_eq!(life.score(Likelihood::Purchase, now), 12, "{event} {properties}");
        let counts = life.person.profile.view().counts;
        assert_eq!((counts.get("Pricing Page Viewed"), counts.get(event)), (1, 0), "{event} {properties}");
    }
    let mut life = after(&[]);
    life.does("Page Viewed", json!({"path": "/"}), start());
    assert_eq!(life.person.profile.view().counts.get("Page Viewed"), 1, "any other page stays what it is");
}

#[test]
fn the_third_page_call_of_a_week_triggers_the_journey() {
    let views = |n: i64| {
        (0..n).map(|nth| page(&format!("p{nth}"), nth * 20, None, json!({"path": "/pricing/"}))).collect::<Vec<_>>()
    };
    let entered = |n: i64| after(&views(n)).entered("pricing_third_visit");
    assert_eq!((entered(2), entered(3)), (0, 1));
}

#[test]
fn other_pages_of_the_shipped_config_reach_their_rules() {
    let now = start() + SignedDuration::from_hours(1);
    let life = after(&[page("p", 1, None, json!({"path": "/blog/churn/"}))]);
    assert_eq!(
        (life.score(Likelihood::Purchase, now), life.person.profile.view().counts.get("Content Viewed")),
        (4, 1)
    );
    let life = after(&[page("p", 1, None, json!({"path": "/blog"}))]);
    assert_eq!(life.person.profile.view().counts.get("$page"), 1, "the list of articles is none");
    let life = after(&[
        page("a", 1, None, json!({"path": "/pricing"})),
        page("b", 1, None, json!({"path": "/en/careers/engineer"})),
    ]);
    assert_eq!(life.score(Likelihood::Purchase, now), 0, "12, and 15 less for who looks for work");
    let mut life = after(&[]);
    life.does("Subscription Started", json!({}), start());
    life.person.feed(&life.config, &[page("p", 1, None, json!({"path": "/settings/billing/cancel"}))], now);
    assert_eq!(life.score(Likelihood::Churn, now), 45);
}

#[test]
fn milestones_waits_and_goals_know_the_event_of_a_page() {
    let journeys = r#"!
        [[journey]]
        id = "course"
        trigger = { event = "Trial Started" }
        goal = { event = "Done", within_days = 5 }
        [[journey.step]]
        wait = { event = "Help Opened", days = 3, timeout = "late" }
        [[journey.step]]
        channel = "in_app"
        template = "t"
        then = "end"
        [[journey.step]]
        id = "late"
        wait = { days = 1 }
    "#;
    let pages = "[[page]]\nevent = \"Help Opened\"\npath = [\"/help/**\"]\n[[page]]\nevent = \"Done\"\nname = [\"*finished\"]\n[[page]]\nevent = \"Order Completed\"\npath = [\"/thanks\"]\n";
    let config = config_with(&[("journeys.toml", journeys), ("sources.toml", pages)]);
    let key = config.journeys.all[0].key;
    let mut life = Life::new(config);
    life.does("Trial Started", json!({}), start());
    let mut sees = |id: &str, name: Option<&str>, properties: Value| {
        life.person.feed(&life.config, &[page(id, 1, name, properties)], start() + SignedDuration::from_hours(1));
        (life.person.sent().len(), life.person.profile.facts().entered[&key].reached.is_some())
    };
    assert_eq!(sees("p1", None, json!({"path": "/home"})), (0, false));
    assert_eq!(sees("p2", None, json!({"path": "/help/billing"})), (1, false), "what was waited for");
    assert_eq!(sees("p3", Some("Course finished"), json!({})), (0, true), "the goal");
    sees("p4", None, json!({"path": "/thanks?order=5"}));
    assert_eq!(
        life.person.at(&life.config, start() + SignedDuration::from_hours(1)).stage,
        perennial_domain::Stage::Onboarding
    );
}
