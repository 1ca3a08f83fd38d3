#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use perennial_domain::hash;
use perennial_domain::hygiene::{MailAddress, is_shared};
use perennial_domain::time::DAY_SECONDS;
use perennial_testkit::ConfigBuilder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

fn end() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn sample() -> Company {
    company(end(), SEED)
}

fn text<'a>(call: &'a Call, field: &str) -> Option<&'a str> {
    call.body.get(field).and_then(Value::as_str)
}

/// Counts the calls by the tracking API's rules, without knowledge of how the story was written.
fn counted(company: &Company) -> Expected {
    let mut found = Expected::default();
    let mut ids = HashSet::new();
    let (mut people, mut joined, mut accounts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut by_mail: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut domains, mut claimed) = (BTreeSet::new(), BTreeSet::new());
    for call in company.calls() {
        let (user, anonymous, group) = (text(call, "userId"), text(call, "anonymousId"), text(call, "groupId"));
        let name = match text(call, "type") {
            Some("track") => text(call, "event").map(str::to_owned),
            Some("group") => group.map(|_| "$group".to_owned()),
            Some(kind @ ("identify" | "page" | "alias")) => Some(format!("${kind}")),
            _ => None,
        };
        let (Some(name), Some(who)) = (name, user.or(anonymous)) else {
            found.rejected += 1;
            continue;
        };
        if !ids.insert(text(call, "messageId").unwrap().to_owned()) {
            found.duplicates += 1;
            continue;
        }
        found.accepted += 1;
        people.insert(who.to_owned());
        if let (Some(anonymous), Some(_), "$identify") = (anonymous, user, name.as_str()) {
            joined.insert(anonymous.to_owned());
        }
        joined.extend(text(call, "previousId").map(str::to_owned));
        if let Some(mail) = call.body.pointer("/traits/email").and_then(Value::as_str) {
            let mail = mail.trim().to_lowercase();
            domains.insert(mail.split_once('@').unwrap().1.to_owned());
            if !mail.starts_with("info@") {
                by_mail.entry(mail).or_default().insert(who.to_owned());
            }
        }
        let own = ["/traits/website", "/traits/domain"].map(|place| call.body.pointer(place).and_then(Value::as_str));
        claimed
            .extend(own.into_iter().flatten().map(|own| own.trim_start_matches("https://www.").replace("/about", "")));
        found.revenue_cents += call.body["properties"]["revenue"].as_i64().unwrap_or_default() * 100;
        accounts.extend(group.or(call.body["context"]["groupId"].as_str()).map(str::to_owned));
        *found.by_event.entry(name).or_default() += 1;
    }
    let second_ids: usize = by_mail.values().map(|ids| ids.len() - 1).sum();
    assert!(second_ids >= 4, "some people have two user ids");
    found.people = (people.difference(&joined).count() - second_ids) as u64;
    found.accounts = (accounts.len() + domains.difference(&claimed).count()) as u64;
    found
}

#[test]
fn the_totals_are_what_a_reader_counts() {
    let company = sample();
    assert_eq!(*company.expected(), counted(&company));
}

#[test]
fn the_company_is_of_a_useful_size() {
    let company = sample();
    let expected = company.expected();
    assert_eq!(expected.accounts, ACCOUNTS + PROSPECTS);
    assert!((500..=900).contains(&expected.people), "{expected:?}");
    assert!((20_000..=60_000).contains(&expected.accepted), "{expected:?}");
    assert!(expected.revenue_cents > 1_000_000, "{expected:?}");
    assert!(expected.duplicates > 50 && expected.rejected >= 20, "{expected:?}");
}

#[test]
fn the_same_seed_and_end_give_the_same_calls() {
    let digest = |company: &Company| {
        let lines: Vec<String> =
            company.calls().map(|call| format!("{} {} {}", call.at, call.source, call.body)).collect();
        hash::base32(&hash::sha256(&[lines.join("\n").as_bytes()]))
    };
    assert_eq!(digest(&sample()), digest(&sample()));
    assert_ne!(digest(&sample()), digest(&company(end(), SEED + 1)));
    // Pinned: the demo's totals must not change unnoticed.
    assert_eq!(digest(&sample()), "jtcyyuueg6xocbothr3yqdsiuwjqieec5isxrtmipjayxheyosoq");
}

#[test]
fn calls_are_in_order_and_inside_the_time_that_is_told() {
    let company = sample();
    let times: Vec<Timestamp> = company.calls().map(|call| call.at).collect();
    assert!(times.is_sorted());
    assert!(times.iter().all(|at| *at < end() && end().as_second() - at.as_second() <= DAYS * DAY_SECONDS));
    for call in company.calls() {
        let happened: Timestamp = text(call, "timestamp").unwrap().parse().unwrap();
        assert!(happened <= call.at, "{call:?}");
    }
}

#[test]
fn every_address_is_of_a_reserved_domain() {
    for call in sample().calls() {
        if let Some(mail) = call.body.pointer("/traits/email").and_then(Value::as_str) {
            let mail = MailAddress::parse(mail).unwrap();
            assert!(mail.domain().ends_with(".example"), "{mail:?}");
            // A shared address would not identify anyone who has two ids.
            assert_eq!(is_shared(&mail), mail.local().eq_ignore_ascii_case("info"), "{mail:?}");
        }
    }
}

#[test]
fn the_reception_desks_share_an_address_and_are_several_people() {
    let company = sample();
    let desks: BTreeSet<(&str, &str)> = company
        .calls()
        .filter_map(|call| Some((call.body.pointer("/traits/email")?.as_str()?.trim(), text(call, "userId")?)))
        .filter(|(mail, _)| mail.to_lowercase().starts_with("info@"))
        .collect();
    let addresses: BTreeSet<String> = desks.iter().map(|(mail, _)| mail.to_lowercase()).collect();
    assert!(addresses.len() >= 2 && desks.len() == 2 * addresses.len(), "{desks:?}");
}

#[test]
fn promoters_and_detractors_both_answer() {
    let company = sample();
    let answers = company.calls().filter_map(|call| call.body.pointer("/properties/nps").and_then(Value::as_i64));
    let (promoters, others): (Vec<i64>, Vec<i64>) = answers.partition(|nps| *nps >= 9);
    let detractors = others.iter().filter(|nps| **nps <= 6).count();
    assert!(promoters.len() >= 10 && detractors >= 10, "{} promoters, {detractors} detractors", promoters.len());
}

#[test]
fn every_rule_of_the_default_config_finds_an_event() {
    let config = ConfigBuilder::shipped().load();
    let company = sample();
    let events = company.calls().filter_map(super::analysis_tests::event);
    let counted: BTreeSet<String> = events.map(|event| config.counted_as(&event).to_owned()).collect();
    // The sample company sells subscriptions alone, and its customers leave rather than take a smaller plan.
    let elsewhere = ["Order Completed", "Subscription Downgraded"];
    for rule in &config.scoring.rules {
        assert!(
            counted.contains(&rule.event) || elsewhere.contains(&rule.event.as_str()),
            "nobody does what `{}` counts",
            rule.id
        );
    }
}

#[test]
fn example_user_belongs_to_the_example_account() {
    let company = sample();
    let is_theirs = |call: &Call| {
        text(call, "userId") == Some(EXAMPLE_USER)
            && (text(call, "groupId") == Some(EXAMPLE_ACCOUNT)
                || call.body.pointer("/context/groupId").and_then(Value::as_str) == Some(EXAMPLE_ACCOUNT))
    };
    assert!(company.calls().any(is_theirs));
}
