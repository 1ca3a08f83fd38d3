#![allow(clippy::unwrap_used)]
use super::*;
use crate::lists::PersonRow;
use crate::today::{AccountCall, PersonCall};
use perennial_domain::{AccountId, Currency, Likelihood, PersonId, Score, Scores, Stage, Touch};
use perennial_engine::NpsClass;
use perennial_reports::{Cell, Table, Unit};
use perennial_testkit::ConfigBuilder;

const NOW: &str = "2026-11-30T07:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn config() -> Config {
    let segments = r#"
[[segment]]
name = "key_accounts"
when = 'pays'
owner = "success"
retention_target = 95
description = "Companies that pay most."
[[segment]]
name = "no_calls"
when = 'pays'
owner = "success"
phone = false
[[segment]]
name = "trials"
when = 'pays'
owner = "sales"
retention_target = 50
"#;
    let mut config = ConfigBuilder::least().with(&[("segments.toml", segments)]).load();
    config.channels.person_page = Some("https://dashboard.example/people/{id}".to_owned());
    config.limits.time_zone = jiff::tz::TimeZone::get("Europe/Zagreb").unwrap();
    config
}

fn report(config: &Config, name: Name, table: &str, rows: Vec<Vec<Cell>>) -> Report {
    let mut table = Table::new(table, &vec![("column", Unit::Text); rows[0].len()]);
    rows.into_iter().for_each(|row| table.row(row));
    let day = "2026-11-30".parse().unwrap();
    Report {
        name,
        at: at("2026-11-30T05:00:00Z"),
        config: config.version.clone(),
        from: day,
        to: day,
        people: 9,
        unreadable: 0,
        notes: Vec::new(),
        tables: vec![table],
    }
}

fn account(id: &str, name: &str, renews_at: Option<&str>) -> AccountRow {
    AccountRow {
        id: AccountId::parse(id).unwrap(),
        name: Some(name.to_owned()),
        owner: Some("success".to_owned()),
        touch: Touch::High,
        stage: Some(Stage::Established),
        people: 3,
        readiness: Score::from_points(80.0),
        health: Some(Score::from_points(22.0)),
        value: Some(1_200_000),
        currency: Some(Currency::USD),
        renews_at: renews_at.map(at),
        last_seen: None,
    }
}

fn person(name: &str, segments: &[&str], phone: Option<&str>) -> PersonCall {
    let scores = Scores::new(|of| (of == Likelihood::Churn).then(|| Score::from_points(81.0)));
    let row = PersonRow {
        id: PersonId::derive(&[name.as_bytes()]),
        identity: Some(format!("user of {name}")),
        name: Some(name.to_owned()),
        email: None,
        company: Some("Acme <b>".to_owned()),
        account: None,
        owner: Some("success".to_owned()),
        stage: Stage::AtRisk,
        segments: segments.iter().map(|name| (*name).to_owned()).collect(),
        personas: Vec::new(),
        scores,
        engagement: Score::from_points(5.0),
        nps: NpsClass::None,
        last_seen: None,
        idle_days: Some(30),
        sorted_by: None,
    };
    PersonCall { row, because: "silent for 30 days (+40)".to_owned(), phone: phone.map(str::to_owned) }
}

fn source(config: &Config) -> Source<'_> {
    let money = |minor| Cell::Money { minor, currency: Currency::USD };
    let stayed = |segment: &str, then, now| {
        vec![
            Cell::text(segment),
            Cell::Count(365),
            Cell::text("2025-11-30"),
            Cell::Count(then),
            Cell::Count(now),
            Cell::share(now, then),
            Cell::share(95, 100),
        ]
    };
    let risk = |segment: &str| {
        vec![Cell::text(segment), Cell::text("USD"), Cell::Count(4), money(500_000), Cell::Count(1), money(120_000)]
    };
    let sent = |owner: &str, journey: &str, channel: &str, counts: [u64; 4]| {
        [owner, journey, channel].map(Cell::text).into_iter().chain(counts.map(Cell::Count)).collect()
    };
    let retention = vec![stayed("key_accounts", 20, 18), stayed("trials", 10, 9)];
    let messages = vec![
        sent("success", "churn_risk", "mail", [12, 3, 0, 1]),
        sent("success", "churn_risk", "webhook", [2, 0, 1, 0]),
        sent("sales", "trial_rescue", "mail", [99, 0, 0, 0]),
    ];
    let of = |name, table, rows| Some(report(config, name, table, rows));
    Source {
        config,
        retention: of(Name::Retention, "segments", retention),
        risk: of(Name::Risk, "segments", vec![risk("key_accounts"), risk("trials")]),
        messages: of(Name::Messages, "owners", messages),
        today: Today {
            unhealthy: vec![AccountCall {
                row: account("acme", "Acme & Sons", None),
                because: "Ada may leave (−20)".to_owned(),
            }],
            ready: Vec::new(),
            leaving: vec![
                person("Ada", &["key_accounts"], Some("+385 1 234")),
                person("Bob", &["key_accounts", "no_calls"], Some("+385 9 999")),
            ],
        },
        renewals: vec![account("umbrella", "Umbrella", Some("2026-12-05T23:30:00Z"))],
        now: at(NOW),
    }
}

#[test]
fn digest_says_retention_needs_and_messages_of_the_owner_alone() {
    let config = config();
    let digest = Digest::of("success", &source(&config));
    assert_eq!((digest.week.name.as_str(), digest.week.days.as_str()), ("2026-W49", "Mon 23 Nov to Sun 29 Nov 2026"));
    assert_eq!(digest.preview, "4 need you, 1 segment below target");
    assert_eq!(digest.segments.len(), 2);
    // 18 of 20 are 90 %.
    assert_eq!(digest.segments[0].retention, "18 of 20 stayed over 365 days: 90.0 %, target 95 %, below target.");
    assert_eq!(digest.segments[0].revenue, ["$5,000 a month, $1,200 of it at risk"]);
    assert_eq!(digest.segments[1].retention, "No retention target is set.");
    let results: Vec<&str> = digest.sent.iter().map(|line| line.result.as_str()).collect();
    assert_eq!(results, ["12 sent, 3 withheld, 1 under way", "2 sent, 1 failed"]);
    assert_eq!(
        digest.needs[2].rows[0].facts, "renews on Sun 6 Dec 2026, $12,000 a year",
        "the day in the company's zone"
    );
}

#[test]
fn person_who_may_not_be_called_is_marked_and_shown_without_a_number() {
    let config = config();
    let digest = Digest::of("success", &source(&config));
    let leaving = &digest.needs[1].rows;
    assert_eq!((leaving[0].contact.as_str(), leaving[0].tone.as_str()), ("Phone +385 1 234", "mute"));
    assert_eq!((leaving[1].contact.as_str(), leaving[1].tone.as_str()), ("Do not call: a segment forbids it.", "bad"));
    let mail = digest.mail().unwrap();
    for part in [&mail.text, mail.html.as_ref().unwrap()] {
        assert!(part.contains("+385 1 234") && !part.contains("+385 9 999"));
        assert!(part.contains(&PersonId::derive(&[b"Ada"]).to_string()), "a link to the person's page");
    }
}

#[test]
fn mail_has_text_and_html_with_the_values_escaped() {
    let config = config();
    let mail = Digest::of("success", &source(&config)).mail().unwrap();
    assert_eq!(mail.subject, "Week 49: 4 need you, 1 segment below target");
    let html = mail.html.unwrap();
    assert!(html.contains("Acme &lt;b&gt;") && html.contains("Acme &amp; Sons") && !html.contains("Acme <b>"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("lang=\"en\""));
    insta::assert_snapshot!(mail.text);
}

#[test]
fn without_reports_and_without_needs_it_says_so() {
    let config = config();
    let source = Source {
        retention: None,
        risk: None,
        messages: None,
        today: Today { unhealthy: Vec::new(), ready: Vec::new(), leaving: Vec::new() },
        renewals: Vec::new(),
        ..source(&config)
    };
    let digest = Digest::of("success", &source);
    assert_eq!(digest.preview, "nobody needs you");
    assert_eq!(digest.segments[0].retention, "Target 95 %: too little history to compare.");
    let text = digest.mail().unwrap().text;
    assert!(text.contains("Nothing was sent in this week.") && text.contains("The reports were not made yet"));
}
