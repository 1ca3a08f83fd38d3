#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use serde_json::json;

/// 2026-03-01T09:30:00Z, as `date -u -d @1772357400` says.
const SECOND: i64 = 1_772_357_400;

fn second() -> Timestamp {
    Timestamp::from_second(SECOND).unwrap()
}

#[test]
fn one_moment_is_read_in_every_spelling() {
    for text in [
        "2026-03-01T09:30:00Z",
        "2026-03-01t09:30:00z",
        "2026-03-01T09:30:00.000Z",
        "2026-03-01T09:30:00.0000000Z",
        "2026-03-01T09:30:00,000Z",
        "2026-03-01T09:30:00.000000000+00:00",
        "2026-03-01T10:30:00+01:00",
        "2026-03-01T10:30:00+0100",
        "2026-03-01T10:30:00+01",
        "2026-03-01T09:30:00.000+0000",
        "2026-03-01T09:30:00-00:00",
        "2026-03-01T09:30Z",
        "2026-03-01T09:30",
        "2026-03-01T10:30:00+01:00[Europe/Rome]",
        "2026-03-01T10:30:00[Europe/Rome]",
        "2026-03-01T09:30:00Z[UTC]",
        "20260301T093000Z",
        "20260301T093000",
        "20260301T093000+0000",
        "20260301093000",
        "20260301093000Z",
        "20260301093000.000",
        "20260301093000.0Z",
        "20260301103000+0100",
        "2026-03-01-09.30.00.000000",
        "2026-03-01-09.30.00",
        "2026-03-01 09.30.00",
        "01-MAR-26 09.30.00.000000 AM",
        "01-MAR-26 09.30.00.000000000 AM +00:00",
        "2026-03-01 09:30:00",
        "2026-03-01 09:30",
        "2026-03-01 09:30:00Z",
        "2026-03-01 09:30:00 Z",
        "2026-03-01 09:30:00 UTC",
        "2026-03-01 09:30:00 GMT",
        "2026-03-01 09:30:00+00",
        "2026-03-01 10:30:00+01",
        "2026-03-01 15:00:00.000+05:30",
        "2026-03-01 09:30:00 +0000",
        "2026-03-01 09:30:00 +00:00",
        "2026-03-01 09:30:00.000 -0000",
        "2026-03-01 09:30:00.000000 UTC",
        "2026-03-01 10:30:00 Europe/Rome",
        "2026-03-01T09:30:00 +0000",
        "2026-03-01 09:30:00 +0000 UTC",
        "2026-03-01 10:30:00 +0100 CET",
        "2026-03-01 09:30:00 +0000 UTC m=+0.000123",
        "2026-03-01 04:30:00 EST",
        "2026-03-01 01:30:00 PST",
        "2026-03-01 9:30:00 AM",
        "2026-03-01 09:30:00am",
        "2026/03/01 09:30:00",
        "2026/3/1 9:30:00",
        "2026.03.01 09:30:00",
        "Sun, 01 Mar 2026 09:30:00 +0000",
        "Sun, 1 Mar 2026 09:30:00 GMT",
        "1 Mar 2026 09:30 UT",
        "01 Mar 2026 09:30:00 Z",
        "Sun, 01 Mar 2026 01:30:00 -0800 (PST)",
        "Sun, 01 Mar 2026 01:30:00 PST",
        "Sunday, 01-Mar-26 09:30:00 GMT",
        "01-Mar-2026 09:30:00 UTC",
        "01/Mar/2026:09:30:00 +0000",
        "Sun Mar  1 09:30:00 2026",
        "Sun Mar  1 09:30:00 UTC 2026",
        "Sun Mar 01 2026 09:30:00 GMT+0000 (Coordinated Universal Time)",
        "Sun Mar 01 2026 10:30:00 GMT+0100 (Central European Standard Time)",
        "Sun Mar 01 2026 10:30:00 GMT+01:00",
        "March 1, 2026 9:30 AM",
        "Mar 1, 2026, 9:30:00\u{202f}AM UTC",
        "March 1st, 2026 at 09:30:00 UTC+00:00",
        "01:30:00 Mar 01, 2026 PST",
        "1772357400",
        "+1772357400",
        "@1772357400",
        "@1772357400.0",
        "639079542000000000",
        "639079542000000000.0",
        "6.39079542e17",
        "1772357400.0",
        "1772357400000",
        "1772357400000000",
        "1772357400000000000",
        "1.7723574e9",
        "1.7723574E+12",
        "/Date(1772357400000)/",
        "/Date(1772357400000+0100)/",
        " \u{feff}2026-03-01T09:30:00Z\n",
        "2026-03-01T09:30:00Z\u{200b}",
        "'2026-03-01T09:30:00Z'",
        "2026-W09-7T09:30:00Z",
        "2026W097T093000Z",
        "2026-W09-7 09:30:00",
        "2026-060T09:30:00Z",
        "2026060T093000Z",
        "Mar  1 2026  9:30AM",
        "Mar  1 2026  9:30:00:000AM",
        "01 Mar 2026 09:30:00:000",
        "2026-03-01 09:30:00:000",
        "2026/03/01T09:30:00Z",
        "2026:03:01 09:30:00",
        "\\/Date(1772357400000)\\/",
        "Date(1772357400000)",
        "new Date(1772357400000)",
        "ISODate(\"2026-03-01T09:30:00Z\")",
    ] {
        assert_eq!(parse(text), Some(second()), "{text}");
    }
}

#[test]
fn a_time_without_a_zone_is_read_in_the_given_one_in_every_spelling() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let expected: Timestamp = "2026-02-01T09:00:00Z".parse().unwrap();
    for text in [
        "2026-02-01 10:00:00",
        "2026-02-01T10:00:00",
        "2026-02-01 10:00",
        "2026/02/01 10:00:00",
        "20260201100000",
        "20260201T100000",
        "2026-02-01 10:00 AM",
        "Feb 1 2026 10:00",
        "1 Feb 2026 10:00 AM",
        "Sun, 01 Feb 2026 10:00:00",
        "1-Feb-2026 10:00:00",
        "2026-02-01T09:00:00Z",
        "2026-02-01 10:00:00+01",
        "2026-02-01 09:00:00 UTC",
        "Sun, 01 Feb 2026 09:00:00 GMT",
        "1769936400",
        "2026-02-01T10:00:00+01:00",
    ] {
        assert_eq!(parse_in(text, &berlin), Some(expected), "{text}");
    }
    let midnight: Timestamp = "2026-01-31T23:00:00Z".parse().unwrap();
    for text in ["2026-02-01", "20260201", "Feb 1 2026", "2026/02/01"] {
        assert_eq!(parse_in(text, &berlin), Some(midnight), "{text}");
    }
}

#[test]
fn json_values_of_every_kind_are_read() {
    for value in [
        json!(SECOND),
        json!(SECOND * 1000),
        json!(SECOND * 1_000_000),
        json!(SECOND * 1_000_000_000),
        json!(1_772_357_400.0),
        json!(1.772_357_4e12),
        json!("2026-03-01 09:30:00 UTC"),
        json!({ "$date": "2026-03-01T09:30:00Z" }),
        json!({ "$date": 1_772_357_400_000_i64 }),
        json!({ "$date": { "$numberLong": "1772357400000" } }),
        json!({ "seconds": "1772357400", "nanos": 0 }),
        json!({ "seconds": SECOND }),
        json!({ "_seconds": SECOND, "_nanoseconds": 0 }),
        json!([2026, 3, 1, 9, 30]),
        json!([2026, 3, 1, 9, 30, 0, 0]),
        json!(639_079_542_000_000_000_i64),
        json!({ "date": "2026-03-01 09:30:00.000000", "timezone_type": 3, "timezone": "UTC" }),
        json!({ "date": "2026-03-01 10:30:00.000000", "timezone_type": 3, "timezone": "Europe/Rome" }),
        json!({ "date": "2026-03-01 10:30:00.000000", "timezone_type": 1, "timezone": "+01:00" }),
        json!({ "__type": "Date", "iso": "2026-03-01T09:30:00.000Z" }),
        json!({ "value": "2026-03-01T09:30:00.000Z" }),
        json!({ "$timestamp": { "t": SECOND, "i": 1 } }),
        json!({ "N": "1772357400" }),
        json!({ "S": "2026-03-01T09:30:00Z" }),
        json!({ "seconds": SECOND, "nanoseconds": 0 }),
        json!({ "epochSecond": SECOND, "nano": 0 }),
        json!({ "dateTime": "2026-03-01T09:30:00.0000000", "timeZone": "UTC" }),
        json!({ "dateTime": "2026-03-01T01:30:00.0000000", "timeZone": "Pacific Standard Time" }),
        json!({ "dateTime": "2026-03-01T10:30:00+01:00", "timeZone": "Europe/Rome" }),
        json!({ "date": "2026-03-01 10:30:00.000000", "timezone_type": 2, "timezone": "CET" }),
    ] {
        assert_eq!(of_json(&value), Some(second()), "{value}");
    }
}

#[test]
fn sdks_ways_of_writing_are_read() {
    let expected = "2026-11-21T20:48:44.396Z".parse().ok();
    for text in [
        "2026-11-21T20:48:44.396Z",
        "2026-11-21T20:48:44.396000+00:00",
        "2026-11-21T22:48:44.396+02:00",
        "2026-11-21T20:48:44.396",
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
    for text in ["", "yesterday", "2026-13-01T00:00:00Z"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

/// The format of an account's renewal trait.
#[test]
fn dates_of_renewal_are_read() {
    let second = "2026-05-01T00:00:00Z".parse().ok();
    for value in [
        json!("2026-05-01T00:00:00Z"),
        json!("2026-05-01T02:00:00+02:00"),
        json!(" 2026-05-01 "),
        json!(1_777_593_600),
        json!("1777593600"),
        json!(1_777_593_600_000_i64),
    ] {
        assert_eq!(of_json(&value), second, "{value}");
    }
    for value in [json!("next spring"), json!(""), json!(null), json!(true), json!(1.5), json!([1])] {
        assert_eq!(of_json(&value), None, "{value}");
    }
}

#[test]
fn fractions_are_kept() {
    let half = Timestamp::from_millisecond(SECOND * 1000 + 500).unwrap();
    for text in
        ["1772357400.5", "1772357400500", "1772357400500000", "2026-03-01 09:30:00.5 UTC", "2026-03-01 09:30:00,500"]
    {
        assert_eq!(parse(text), Some(half), "{text}");
    }
    assert_eq!(of_json(&json!(1_772_357_400.5)), Some(half));
    assert_eq!(of_json(&json!({ "_seconds": SECOND, "_nanoseconds": 500_000_000 })), Some(half));
    // Slack's format, whose fraction distinguishes messages of one second.
    assert_eq!(parse("1772357400.000100").unwrap().as_microsecond(), SECOND * 1_000_000 + 100);
}

#[test]
fn dates_are_their_midnight() {
    let midnight = "2026-03-01T00:00:00Z".parse().ok();
    for text in [
        "2026-060",
        "2026-W09-7",
        "2026-03-01",
        "20260301",
        "2026/03/01",
        "2026-3-1",
        "1 March 2026",
        "Mar 1, 2026",
        "01-MAR-26",
    ] {
        assert_eq!(parse(text), midnight, "{text}");
    }
    assert_eq!(of_json(&json!(20_260_301)), midnight);
    assert_eq!(of_json(&json!([2026, 3, 1])), midnight);
    assert_eq!(parse("2026-02-28 24:00:00"), midnight);
    assert_eq!(parse("2026-03-01 12:00:00 AM"), midnight);
    assert_eq!(parse("2026-03-01 12:00:00 PM"), "2026-03-01T12:00:00Z".parse().ok());
}

#[test]
fn what_may_mean_several_moments_or_none_is_none() {
    for text in [
        "",
        " ",
        "null",
        "yesterday",
        "soon",
        "Invalid Date",
        "NaN",
        "0000-00-00 00:00:00",
        "03/04/2026",
        "3/4/2026 9:30:00 AM",
        "01-03-2026",
        "2026-13-01",
        "2026-02-30 09:30:00",
        "2026-03-01 25:00:00",
        "2026-03-01 09:61:00",
        "2026-03-01 13:30:00 PM",
        "09:30:00",
        "March 2026",
        "2026-03-01 09:30:00 XYZ",
        "2026-03-01 09:30:00 +99:99",
        "2026-03-01 2026-03-01",
        "42",
        "1.5",
        "1772357400 1772357400",
        "17723574000000000000000",
        "/Date(x)/",
        "@",
        "@2026",
        "09.30.00",
        "01.03.26",
        "20261301093000Z",
        "2026-03-01-25.00.00",
        "2026-W54-1",
        "2026-W09-8T09:30:00Z",
        "2026-W09",
        "2026-366",
        "1772357",
        "2026:13:01 09:30:00",
        "9:30:00:000:000",
        "Date(x)",
        "ISODate()",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    for value in [
        json!(null),
        json!(true),
        json!(0),
        json!(42),
        json!([1]),
        json!([2026, 13, 1]),
        json!({}),
        json!({"$date": {}}),
        json!({"value": "2026-03-01", "unit": "day"}),
        json!({"iso": "2026-03-01"}),
        json!({"date": "2026-03-01", "timezone": "Mars"}),
    ] {
        assert_eq!(of_json(&value), None, "{value}");
    }
}

#[test]
fn what_programs_write_for_no_moment_is_told_from_moments() {
    for text in [
        "",
        "null",
        "undefined",
        "NaN",
        "None",
        "NaT",
        "0",
        "0.0",
        "-1",
        "Invalid Date",
        "\"Invalid DateTime\"",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01 00:00:00 +0000 UTC",
        "0001-01-01T00:00:00+01:00",
        "1/1/0001 12:00:00 AM",
        "01-01-0001",
        "-62135596800",
        "-62135596800.0",
        "-62135596800000",
    ] {
        assert!(is_nothing(text), "{text}");
    }
    for text in [
        "-62135596801",
        "-621355968001",
        "2026-03-01",
        "1970-01-01T00:00:00Z",
        "42",
        "yesterday",
        "2000-01-01",
        "0002-01-01",
        "1772357400",
    ] {
        assert!(!is_nothing(text), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_hostile(text in ".{0,60}") {
        parse(&text);
        is_nothing(&text);
    }

    #[test]
    fn nor_are_pieces_of_moments(pieces in proptest::collection::vec("[0-9]{1,5}|[A-Za-z]{1,9}|[-+:/.,() T]|é", 0..12)) {
        parse(&pieces.concat());
    }

    #[test]
    fn whatever_is_printed_is_read(seconds in 631_152_000_i64..4_102_444_800, millis in 0..1000_i64) {
        let at = Timestamp::from_millisecond(seconds * 1000 + millis).unwrap();
        prop_assert_eq!(parse(&at.to_string()), Some(at));
        prop_assert_eq!(parse(&at.as_millisecond().to_string()), Some(at));
        prop_assert_eq!(parse(&format!("{}.{millis:03}", seconds)), Some(at));
        let whole = Timestamp::from_second(seconds).unwrap();
        for pattern in ["%a, %d %b %Y %H:%M:%S +0000", "%Y-%m-%d %H:%M:%S UTC", "%A, %d-%b-%y %H:%M:%S GMT", "%B %-d, %Y %I:%M:%S %p"] {
            let text = whole.strftime(pattern).to_string();
            // Two figures say the years from 1950 to 2049.
            if !pattern.contains("%y") || seconds < 2_493_072_000 {
                prop_assert_eq!(parse(&text), Some(whole), "{}", text);
            }
        }
    }
}
