//! Messages are counted once each, by what became of them.

use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::Channel;
use perennial_reports::{Archived, Cell, Fate, Message, Name, Report, Tally};
use perennial_testkit::ConfigBuilder;

const NOW: &str = "2026-03-31T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

const SENT: Fate = Fate::Sent { delivered: false, opened: false, clicked: false, bounced: false, complained: false };
const DELIVERED: Fate =
    Fate::Sent { delivered: true, opened: false, clicked: false, bounced: false, complained: false };
const CLICKED: Fate = Fate::Sent { delivered: false, opened: false, clicked: true, bounced: false, complained: false };
const BOUNCED: Fate = Fate::Sent { delivered: false, opened: false, clicked: false, bounced: true, complained: false };
const COMPLAINED: Fate =
    Fate::Sent { delivered: true, opened: false, clicked: false, bounced: false, complained: true };

/// A mail of the journey `welcome`, decided an hour ago.
fn mail(domain: Option<&'static str>, fate: Fate) -> Message<'static> {
    Message {
        channel: Channel::Mail,
        journey: "welcome",
        step: 0,
        template: "hello",
        variant: None,
        domain,
        owners: &[],
        decided_at: now() - SignedDuration::from_hours(1),
        fate,
    }
}

fn count(messages: &[Message<'_>]) -> Tally {
    let mut tally = Tally::new(now());
    messages.iter().for_each(|message| tally.add_message(message));
    tally
}

fn report(tally: &Tally, name: Name) -> Report {
    let config: Config = ConfigBuilder::least().load();
    tally.reports(&config, &Archived::default()).into_iter().find(|report| report.name == name).unwrap()
}

fn table<'a>(report: &'a Report, name: &str) -> &'a [Vec<Cell>] {
    &report.tables.iter().find(|table| table.name == name).unwrap().rows
}

fn texts(row: &[Cell]) -> Vec<String> {
    row.iter().map(perennial_reports::shown::text).collect()
}

#[test]
fn a_message_is_counted_by_the_best_and_the_worst_that_became_of_it() {
    let all = [
        mail(Some("a.example"), SENT),
        mail(Some("a.example"), DELIVERED),
        mail(Some("a.example"), CLICKED),
        mail(Some("b.example"), BOUNCED),
        mail(Some("b.example"), COMPLAINED),
        mail(None, Fate::UnderWay),
        mail(None, Fate::Failed),
        mail(None, Fate::Withheld("capped")),
        Message { channel: Channel::InApp, ..mail(None, CLICKED) },
    ];
    let tally = count(&all);
    let messages = report(&tally, Name::Messages);
    // Sent 5; delivered 3, as who clicked or complained has it; of these opened and clicked 1.
    let mails = ["welcome", "mail", "5", "60.0 %", "33.3 %", "33.3 %", "20.0 %", "33.3 %", "1", "1"];
    let in_app = ["welcome", "in_app", "1", "100.0 %", "100.0 %", "100.0 %", "0.0 %", "0.0 %", "0", "0"];
    let rows: Vec<Vec<String>> = table(&messages, "journeys").iter().map(|row| texts(row)).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| *row == mails) && rows.iter().any(|row| *row == in_app), "{rows:?}");
    assert_eq!(texts(&table(&messages, "withheld")[0]), ["welcome", "capped", "1"]);
    assert_eq!(texts(&table(&messages, "content")[0])[..5], ["welcome", "1", "hello", "mail", ""]);

    let mails = report(&tally, Name::Deliverability);
    let sent: Vec<Vec<String>> = table(&mails, "domains").iter().map(|row| texts(row)[..3].to_vec()).collect();
    assert_eq!(sent, [["a.example", "3", "66.7 %"], ["b.example", "2", "50.0 %"], ["unknown", "0", ""]]);
    assert_eq!(texts(&table(&mails, "days")[0])[..2], ["2026-03-31", "5"]);
    assert!(Name::Deliverability.names_people(), "a domain may be a person's own: no history");
}

#[test]
fn only_messages_of_thirty_days_count() {
    let decided = |at: &str| Message { decided_at: at.parse().unwrap(), ..mail(Some("a.example"), SENT) };
    let tally =
        count(&[decided("2026-02-28T23:59:59Z"), decided("2026-03-01T00:00:00Z"), decided("2026-03-31T12:00:01Z")]);
    let mails = report(&tally, Name::Deliverability);
    assert_eq!(table(&mails, "domains")[0][1], Cell::Count(1), "too old, counted, and after the pass began");
    assert_eq!(table(&mails, "days").len(), 31, "each day from the first one with mails");
}

#[test]
fn domains_beyond_the_first_fifty_are_one_row_and_parts_add_up() {
    let names: Vec<String> = (0..60).map(|i| format!("d{i:02}.example")).collect();
    let mut all = Vec::new();
    for (i, name) in names.iter().enumerate() {
        all.extend(std::iter::repeat_n(Message { domain: Some(name), ..mail(None, DELIVERED) }, 60 - i));
    }
    let (one, other) = all.split_at(700);
    let mut sum = count(other);
    sum.merge(&count(one));
    assert_eq!(sum, count(&all));
    let mails = report(&sum, Name::Deliverability);
    let domains = table(&mails, "domains");
    assert_eq!(
        (domains.len(), texts(&domains[0])[..2].to_vec()),
        (51, vec!["d00.example".to_owned(), "60".to_owned()])
    );
    assert_eq!(texts(&domains[50])[..2], ["other domains", "55"], "10 + 9 + … + 1");
}

#[test]
fn messages_of_seven_closed_days_are_counted_for_each_owner_of_the_recipient() {
    let on = |time: &str, owners: &'static [&'static str], fate: Fate| Message {
        owners,
        decided_at: time.parse().unwrap(),
        ..mail(None, fate)
    };
    let all = [
        on("2026-03-24T00:00:00Z", &["sales", "success"], SENT),
        on("2026-03-30T23:59:59Z", &["sales"], CLICKED),
        on("2026-03-28T00:00:00Z", &["sales"], Fate::Withheld("capped")),
        on("2026-03-28T00:00:00Z", &["sales"], Fate::Failed),
        Message { channel: Channel::Webhook, ..on("2026-03-28T00:00:00Z", &["sales"], Fate::UnderWay) },
        // Before the week, today, and of nobody.
        on("2026-03-23T23:59:59Z", &["sales"], SENT),
        on("2026-03-31T00:00:00Z", &["sales"], SENT),
        on("2026-03-28T00:00:00Z", &[], SENT),
    ];
    let mut rows: Vec<Vec<String>> =
        table(&report(&count(&all), Name::Messages), "owners").iter().map(|row| texts(row)).collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            ["sales", "welcome", "mail", "2", "1", "1", "0"],
            ["sales", "welcome", "webhook", "0", "0", "0", "1"],
            ["success", "welcome", "mail", "1", "0", "0", "0"],
        ]
    );
    let (one, other) = all.split_at(3);
    let mut parts = count(one);
    parts.merge(&count(other));
    assert_eq!(parts, count(&all));
}
