//! An account in words.

use crate::commands::tables::plain;
use serde::Deserialize;

/// The displayed fields of the api's response.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    id: String,
    stage: Option<String>,
    touch: String,
    owner: Option<String>,
    people: u32,
    /// Those with another primary account. Older functions do not say.
    #[serde(default)]
    elsewhere: u32,
    score: u8,
    ready: bool,
    reasons: Vec<Reason>,
    health: Option<u8>,
    health_reasons: Vec<Reason>,
    trend: Vec<Point>,
    config: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    points: f64,
    text: String,
    people: u32,
    identity: Option<String>,
    person: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Point {
    score: u8,
    health: Option<u8>,
}

/// The account with the reasons for its score and its health. The points that are shown add up to the value that is shown.
pub(super) fn shown(account: &Account) -> String {
    let people = if account.people == 1 { "1 person".to_owned() } else { format!("{} people", account.people) };
    let mut out = format!("{}: {people}", account.id);
    if account.elsewhere > 0 {
        out += &format!(" ({} with another primary account)", account.elsewhere);
    }
    if let Some(stage) = &account.stage {
        out += &format!(", {}", stage.replace('_', " "));
    }
    out += &format!(", {} touch", account.touch);
    if let Some(owner) = &account.owner {
        out += &format!(", owned by {owner}");
    }
    let earlier = |of: fn(&Point) -> Option<u8>| account.trend.iter().rev().nth(1).and_then(of);
    let ready = if account.ready { ", ready for a talk" } else { "" };
    let moved = moved(account.score, earlier(|point| Some(point.score)));
    out += &format!(
        ".\n\nReadiness to buy {}{ready}{moved}\n\n{}\n",
        account.score,
        reasons(account.score, &account.reasons)
    );
    if let Some(health) = account.health {
        let moved = self::moved(health, earlier(|point| point.health));
        out += &format!("\nHealth {health}{moved}\n\n{}\n", reasons(health, &account.health_reasons));
    } else {
        out += "\nNobody of them pays, so there is no health to speak of.\n";
    }
    out += "\nWhy a person's own scores are what they are: perennial explain PERSON\n";
    if let Some(config) = &account.config {
        out += &format!("Config {config}.\n");
    }
    out
}

/// Against the week before the last one in which it changed.
fn moved(now: u8, before: Option<u8>) -> String {
    match before {
        Some(before) if before < now => format!(", up from {before}"),
        Some(before) if before > now => format!(", down from {before}"),
        _ => String::new(),
    }
}

fn reasons(value: u8, reasons: &[Reason]) -> String {
    let mut table = plain(&[0]);
    let mut sum = 0;
    for reason in reasons {
        // They are whole hundredths already.
        let hundredths = (reason.points * 100.0).round() as i64;
        sum += hundredths;
        let who = match (reason.identity.as_ref().or(reason.person.as_ref()), reason.people) {
            (Some(who), _) => who.clone(),
            (None, 0) => String::new(),
            (None, people) => format!("{people} people"),
        };
        table.row([points(hundredths), who, reason.text.clone()]);
    }
    let rounding = i64::from(value) * 100 - sum;
    if rounding != 0 {
        table.row([points(rounding), String::new(), "rounded to a whole number".to_owned()]);
    }
    table.row([value.to_string(), String::new(), "in all".to_owned()]);
    table.to_string()
}

fn points(hundredths: i64) -> String {
    let sign = if hundredths < 0 { '-' } else { '+' };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn score_and_health_are_told_down_to_the_people() {
        let account: Account = serde_json::from_value(serde_json::json!({
            "id": "acme", "stage": "at_risk", "touch": "high", "owner": "Grace", "people": 12, "score": 71, "ready": true,
            "reasons": [
                { "measure": "purchase", "points": 40.0, "people": 1, "person": "p_1", "identity": "ada", "text": "is getting ready to buy" },
                { "measure": "purchase", "points": 20.5, "people": 1, "person": "p_2", "text": "is getting ready to buy" },
                { "measure": "purchase", "points": 10.25, "people": 7, "person": null, "text": "others who are getting ready to buy" },
            ],
            "health": 48,
            "health_reasons": [{ "measure": "churn", "points": -12.0, "people": 12, "person": null, "text": "others who may leave" },
                               { "measure": "success", "points": 60.0, "people": 1, "person": "p_1", "identity": "ada", "text": "succeeds with the product" }],
            "trend": [{ "at": "2026-01-01T00:00:00Z", "score": 60, "health": 55 }, { "at": "2026-01-08T00:00:00Z", "score": 71, "health": 48 }],
            "config": "v1",
        }))
        .unwrap();
        insta::assert_snapshot!(shown(&account));
        let elsewhere = shown(&Account { elsewhere: 3, ..account });
        assert!(elsewhere.starts_with("acme: 12 people (3 with another primary account), at risk"), "{elsewhere}");
    }
}
