#![allow(clippy::unwrap_used)]

use super::*;

fn allowance(per_day: u64, sent: u64) -> Allowance {
    Allowance { per_second: Some(14.0), per_day: Some(per_day), sent }
}

#[test]
fn bulk_mails_are_as_far_apart_as_nine_tenths_of_the_rate_ask() {
    let micros = |lane| distance(14.0, lane).as_micros();
    assert_eq!((micros(Lane::Bulk), micros(Lane::Essential)), (79_365, 71_428));
    assert_eq!(distance(0.5, Lane::Essential), SignedDuration::from_secs(2));
}

#[test]
fn quota_is_used_up_sooner_for_bulk_mails() {
    let used_up = |sent| {
        (is_used_up(&allowance(50_000, sent), Lane::Bulk), is_used_up(&allowance(50_000, sent), Lane::Essential))
    };
    assert_eq!(used_up(44_999), (false, false));
    assert_eq!(used_up(45_000), (true, false));
    assert_eq!(used_up(50_000), (true, true));
    assert!(!is_used_up(&Allowance { per_day: None, ..allowance(0, 9) }, Lane::Bulk), "an account without a quota");
}

#[test]
fn account_is_asked_more_often_before_the_quota_is_used_up() {
    // 14 mails a second are 4,200 in five minutes.
    assert!(!is_scarce(&allowance(50_000, 40_000)));
    assert!(is_scarce(&allowance(50_000, 41_000)));
}

#[test]
fn those_whom_the_ramp_leaves_out_come_in_the_first_hour_of_the_next_day() {
    let now: Timestamp = "2026-03-02T23:59:59Z".parse().unwrap();
    let at = tomorrow(now, &DecisionId::derive(&[b"x"]));
    assert!(at >= "2026-03-03T00:00:00Z".parse().unwrap() && at < "2026-03-03T01:00:01Z".parse().unwrap(), "{at}");
}
