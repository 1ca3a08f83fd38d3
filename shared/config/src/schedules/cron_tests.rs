#![allow(clippy::unwrap_used, clippy::panic)]
use super::super::Rhythm;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The first moments after `from` in a zone.
fn next_in(zone: &str, fields: &str, from: &str, count: usize) -> Vec<String> {
    let rhythm = Rhythm::parse(&format!("cron({fields})")).unwrap_or_else(|error| panic!("{fields}: {error}"));
    let zone = TimeZone::get(zone).unwrap();
    let mut at: Timestamp = from.parse().unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = rhythm.after(at, &zone) else { break };
        found.push(next.to_string());
        at = next;
    }
    found
}

#[track_caller]
fn expect(fields: &str, from: &str, wanted: &[&str]) {
    assert_eq!(next_in("UTC", fields, from, wanted.len()), wanted, "{fields}");
}

fn error(fields: &str) -> String {
    Rhythm::parse(&format!("cron({fields})")).unwrap_err()
}

// The days are those of a printed calendar: 1 January 2026 is a Thursday, 1 February and 1 March 2026 are Sundays.

#[test]
fn examples_of_the_aws_reference_give_their_moments() {
    let new_year = "2026-01-01T00:00:00Z";
    expect("0 10 * * ? *", new_year, &["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"]);
    expect("15 12 * * ? *", new_year, &["2026-01-01T12:15:00Z"]);
    expect("0 18 ? * MON-FRI *", new_year, &["2026-01-01T18:00:00Z", "2026-01-02T18:00:00Z", "2026-01-05T18:00:00Z"]);
    expect("0 8 1 * ? *", new_year, &["2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"]);
    expect("0/15 * * * ? *", new_year, &["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]);
    expect("0/5 8-17 ? * MON-FRI *", "2026-01-02T17:50:00Z", &["2026-01-02T17:55:00Z", "2026-01-05T08:00:00Z"]);
    expect("1/10 * * * ? *", new_year, &["2026-01-01T00:01:00Z", "2026-01-01T00:11:00Z"]);
    // The last Friday of each month.
    expect("15 10 ? * 6L 2026-2027", new_year, &["2026-01-30T10:15:00Z", "2026-02-27T10:15:00Z"]);
    // The second Tuesday.
    expect("0 9 ? * 3#2 *", new_year, &["2026-01-13T09:00:00Z", "2026-02-10T09:00:00Z", "2026-03-10T09:00:00Z"]);
    // Monday to Friday nearest to the third: 3 January 2026 is a Saturday.
    expect("0 9 3W * ? *", new_year, &["2026-01-02T09:00:00Z", "2026-02-03T09:00:00Z"]);
}

#[test]
fn sunday_is_day_1_of_the_week() {
    let saturday = "2026-01-03T12:00:00Z";
    for sunday in ["1", "SUN", "sun", "Sun"] {
        expect(&format!("0 6 ? * {sunday} *"), saturday, &["2026-01-04T06:00:00Z", "2026-01-11T06:00:00Z"]);
    }
    for saturday_itself in ["7", "SAT", "L"] {
        expect(&format!("0 6 ? * {saturday_itself} *"), saturday, &["2026-01-10T06:00:00Z"]);
    }
}

#[test]
fn last_days_and_nearest_weekdays_stay_in_their_month() {
    let new_year = "2026-01-01T00:00:00Z";
    expect("0 0 L * ? *", new_year, &["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]);
    expect("0 0 L 2 ? *", "2027-12-31T00:00:00Z", &["2028-02-29T00:00:00Z"]);
    expect("0 0 L-3 * ? *", new_year, &["2026-01-28T00:00:00Z", "2026-02-25T00:00:00Z"]);
    // 31 January 2026 is a Saturday; 28 February too; 31 May a Sunday.
    expect("0 0 LW * ? *", new_year, &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z", "2026-03-31T00:00:00Z"]);
    expect("0 0 LW 5 ? *", new_year, &["2026-05-29T00:00:00Z"]);
    // 1 August 2026 is a Saturday, so the nearest is Monday the third; 1 February is a Sunday.
    expect("0 0 1W 2,8 ? *", new_year, &["2026-02-02T00:00:00Z", "2026-08-03T00:00:00Z"]);
    expect("0 0 31W * ? *", "2026-01-31T00:00:00Z", &["2026-03-31T00:00:00Z", "2026-05-29T00:00:00Z"]);
    expect("0 0 31 * ? *", "2026-03-31T00:00:00Z", &["2026-05-31T00:00:00Z"]);
    // A month with five Thursdays is needed.
    expect("0 0 ? * 5#5 *", new_year, &["2026-01-29T00:00:00Z", "2026-04-30T00:00:00Z"]);
}

#[test]
fn lists_ranges_and_increments_combine() {
    let new_year = "2026-01-01T00:00:00Z";
    expect("0 0 ? * SAT-MON *", new_year, &["2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z"]);
    expect("0 11-23/4 * * ? *", new_year, &["2026-01-01T11:00:00Z", "2026-01-01T15:00:00Z"]);
    expect("*/20 0 * * ? *", new_year, &["2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z"]);
    expect("0 0 1,15 JAN,jun ? *", new_year, &["2026-01-15T00:00:00Z", "2026-06-01T00:00:00Z"]);
    expect("0 0 1 NOV-FEB ? *", new_year, &["2026-02-01T00:00:00Z", "2026-11-01T00:00:00Z"]);
    expect(
        "0 0 1 1 ? 2028,2030/10",
        new_year,
        &["2028-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"],
    );
    expect("0  6  ? * * *", new_year, &["2026-01-01T06:00:00Z"]);
}

#[test]
fn what_never_comes_has_no_next_moment() {
    assert!(next_in("UTC", "0 0 30 2 ? *", "2026-01-01T00:00:00Z", 1).is_empty());
    assert!(next_in("UTC", "0 0 1 1 ? 2025", "2026-01-01T00:00:00Z", 1).is_empty());
}

#[test]
fn a_time_that_clocks_skip_is_left_out_and_one_that_they_repeat_comes_once() {
    // Berlin: 29 March 2026 02:00 becomes 03:00; 25 October 2026 03:00 becomes 02:00.
    let skipped = next_in("Europe/Berlin", "30 2 * * ? *", "2026-03-28T00:00:00Z", 2);
    assert_eq!(skipped, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"]);
    let repeated = next_in("Europe/Berlin", "30 2 * * ? *", "2026-10-24T12:00:00Z", 2);
    assert_eq!(repeated, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    let between = next_in("Europe/Berlin", "30 2 * * ? *", "2026-10-25T01:10:00Z", 1);
    assert_eq!(between, ["2026-10-26T01:30:00Z"]);
}

#[test]
fn what_eventbridge_refuses_is_refused_with_the_field_and_what_is_allowed() {
    assert!(error("0 6 * * * *").contains("the other one has to be `?`, such as `? * *`"), "{}", error("0 6 * * * *"));
    assert!(error("15 12 * * 1-5 *").contains("such as `? * 1-5`"));
    assert!(error("0 6 1 * * *").contains("such as `1 * ?`"));
    assert!(error("0 6 1 * 2 *").contains("Only one of them says which days"));
    assert!(error("0 6 ? * ? *").contains("both `?`"));
    assert!(error("60 6 * * ? *").contains("`60` is not allowed for minutes, which takes 0-59"));
    assert!(error("0 24 * * ? *").contains("hours"));
    assert!(error("0 6 0 * ? *").contains("day-of-month"));
    assert!(error("0 6 ? * 0 *").contains("1-7 (1 is Sunday)"));
    assert!(error("0 6 ? * MONDAY *").contains("day-of-week"));
    assert!(error("0 6 * 13 ? *").contains("month"));
    assert!(error("0 6 * * ? 1969").contains("1970-2199"));
    assert!(error("0 6 ? * 3#1,6#3 *").contains("# takes one day"));
    assert!(error("0 6 ? * 3#6 *").contains("1 to 5"));
    assert!(error("0 6 1W,15W * ? *").contains("W goes with one day"));
    assert!(error("0 6 ? * 2L,6L *").contains("L goes with one day"));
    for wrong in ["0/0 6 * * ? *", "0/60 6 * * ? *", "1-2-3 6 * * ? *", ",1 6 * * ? *", "+1 6 * * ? *", "x"] {
        assert!(Rhythm::parse(&format!("cron({wrong})")).is_err(), "{wrong}");
    }
}

#[test]
fn an_expression_of_crontab_is_answered_with_what_was_meant() {
    assert!(error("0 6 * * *").contains("did you mean cron(0 6 * * ? *)?"));
    assert!(error("*/5 9-17 * * MON-FRI").contains("did you mean cron(*/5 9-17 ? * MON-FRI *)?"));
    // crontab's 1 is Monday and EventBridge's is Sunday, so nothing is suggested.
    assert!(error("0 6 * * 1").ends_with("and this has 5"));
}

#[test]
fn rates_and_moments_are_read_by_the_same_parser() {
    let minutes = |text: &str| match Rhythm::parse(text) {
        Ok(Rhythm::Every(period)) => Some(period.as_mins()),
        _ => None,
    };
    assert_eq!(minutes("rate(5 minutes)"), Some(5));
    assert_eq!(minutes("rate(1 hour)"), Some(60));
    assert_eq!(minutes("rate(2 days)"), Some(2880));
    for wrong in ["rate(0 minutes)", "rate(5 weeks)", "rate 5", "rate(5)", "rate(-5 minutes)", "rate(1.5 hours)"] {
        assert_eq!(minutes(wrong), None, "{wrong}");
    }
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let at = Rhythm::parse("at(2026-02-01T06:00:00)").unwrap();
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(at.after(from, &zone).unwrap().to_string(), "2026-02-01T05:00:00Z");
    assert_eq!(at.after("2026-02-01T05:00:00Z".parse().unwrap(), &zone), None);
    assert!(Rhythm::parse("at(noon)").is_err() && Rhythm::parse("every(1 hour)").is_err());
}
