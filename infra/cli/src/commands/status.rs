//! `perennial status`

mod attention;

use super::client::Target;
use super::tables::{counted_at, framed, number, numbers};
use crate::operate::alarms::{self, Alarm};
use crate::operate::{Kind, Operated, concurrency};
use attention::attention;
use indicatif::HumanDuration;
use jiff::{SignedDuration, Timestamp};
use perennial_lambda_kit::{Env, aws};
use perennial_store::sweeps::Sweep;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// The system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs attention: dead letters, alarms in alarm, paused journeys, a sweep that did not run for three \
    periods or did not finish.\n\
    Exit code: 0 if nothing needs attention, else 1, also without a response or an active configuration.\n\n  \
    perennial status --stack perennial          a deployed stack, with your own AWS credentials\n  \
    perennial status --stack perennial --json   for machines"
)]
pub(super) struct Args {
    /// Print the status as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// The displayed fields of the api's response.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct House {
    counted_at: Option<Timestamp>,
    /// `None` before a large table was counted for the first time.
    #[serde(flatten)]
    numbers: Option<Numbers>,
    #[serde(default)]
    paused_journeys: Vec<Paused>,
    queues: BTreeMap<String, Queue>,
    #[serde(default)]
    sweeps: Vec<Sweep>,
    in_force: Option<InForce>,
    now: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Numbers {
    events: Events,
    profiles: u64,
    #[serde(default)]
    unlinked_ids: u64,
    #[serde(default)]
    unreadable: u64,
    accounts: u64,
    messages: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Events {
    accepted: u64,
    rejected: u64,
    duplicates: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Paused {
    journey: String,
    since: Timestamp,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Queue {
    depth: u64,
    in_flight: u64,
    delayed: u64,
    dlq: u64,
    /// Seconds that the oldest message has been waiting, where that is known.
    oldest_seconds: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct InForce {
    version: String,
    since: Timestamp,
    rolled_back: bool,
    previous: Option<String>,
}

/// The data that is visible only with access to the services themselves.
#[derive(Debug, Clone, Default, Serialize)]
struct Inside {
    /// When the longest overdue profile was due.
    oldest_due: Option<Timestamp>,
    /// The period of the sweep in seconds, if it is called at a rate.
    sweep_every_seconds: Option<i64>,
    /// Failed calls of schedules, if the stack has a queue for them.
    schedules_dlq: Option<u64>,
    /// The alarms that are in alarm; `None` without CloudWatch.
    alarms: Option<Vec<Alarm>>,
    /// Recommendations to the operator that would make the stack safer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<String>,
    /// The checks that failed, and why.
    unknown: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Found {
    #[serde(flatten)]
    house: House,
    /// `None` where only the api can be reached.
    #[serde(flatten)]
    inside: Option<Inside>,
    attention: Vec<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut house: House = serde_json::from_value(args.target.get("/api/status").await?)?;
    // With only a key and a URL, the status is what the api shows.
    let inside = match args.target.operated().await {
        Ok(operated) => Some(look_inside(operated, &mut house).await?),
        Err(_) => None,
    };
    let attention = attention(&house, inside.as_ref());
    let found = Found { house, inside, attention };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", shown(&found));
    }
    Ok(if found.attention.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn look_inside(operated: &Operated, house: &mut House) -> anyhow::Result<Inside> {
    let mut inside = Inside::default();
    match operated.store.oldest_due(house.now).await {
        Ok(since) => inside.oldest_due = since,
        Err(error) => inside.unknown.push(format!("overdue profiles: {error}")),
    }
    let active = operated.store.load_config().await?;
    let sweep = active.schedules.iter().find(|schedule| schedule.function == "sweep");
    inside.sweep_every_seconds = sweep.and_then(|schedule| Some(schedule.every()?.as_secs()));
    if let Kind::Deployed(config) = &operated.kind {
        let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
        let stack = operated.name.as_str();
        let (alarms, ages) =
            tokio::join!(alarms::ringing(&cloudwatch, stack), alarms::ages(&cloudwatch, stack, operated.now()));
        match alarms {
            Ok(alarms) => inside.alarms = Some(alarms),
            Err(error) => inside.unknown.push(format!("alarms: {error}")),
        }
        match ages {
            Ok(ages) => {
                for (queue, age) in ages {
                    house.queues.entry(queue).and_modify(|queue| queue.oldest_seconds = Some(age));
                }
            }
            Err(error) => inside.unknown.push(format!("ages of messages: {error}")),
        }
        match concurrency::quota(config, &aws::http_connector(&Env::process())?, operated.now()).await {
            Ok(quota) => inside.advice.extend(concurrency::advice(quota, &active.deployment)),
            Err(error) => inside.unknown.push(format!("concurrent invocations: {error}")),
        }
        match operated.schedules_dlq().await {
            Ok(depth) => inside.schedules_dlq = Some(depth),
            Err(error) => inside.unknown.push(format!("calls of schedules: {error:#}")),
        }
    }
    Ok(inside)
}

/// `2 minutes`.
fn lasting(duration: SignedDuration) -> String {
    HumanDuration(duration.unsigned_abs()).to_string()
}

fn shown(found: &Found) -> String {
    let Found { house, inside, attention } = found;
    let mut out = match &house.numbers {
        Some(numbers) => counted(numbers),
        None => "Not counted yet: the sweep counts a large table a part at a time.\n".to_owned(),
    };
    out += &house.counted_at.map_or_else(String::new, |at| counted_at(at, house.now));
    if let Some(config) = &house.in_force {
        let by = if config.rolled_back { ", by a rollback" } else { "" };
        let before = config.previous.as_ref().map_or_else(String::new, |before| format!("; before it {before}"));
        out += &format!("Config {} since {:.0}{by}{before}.\n", config.version, config.since);
    }
    let mut queues = numbers(&["queue", "waiting", "in flight", "put off", "oldest", "dead letters"]);
    for (name, queue) in &house.queues {
        let oldest = queue
            .oldest_seconds
            .map_or_else(String::new, |age| lasting(SignedDuration::from_secs(age.try_into().unwrap_or(i64::MAX))));
        let [waiting, in_flight, delayed, dlq] = [queue.depth, queue.in_flight, queue.delayed, queue.dlq].map(number);
        queues.add_row([name.clone(), waiting, in_flight, delayed, oldest, dlq]);
    }
    out += &format!("{queues}\n");
    out += &sweeps(house, inside.as_ref());
    let ringing = inside.as_ref().and_then(|inside| inside.alarms.as_ref());
    if let Some(alarms) = ringing.filter(|alarms| !alarms.is_empty()) {
        let mut table = framed(&["alarm", "since", "what it means"]);
        for alarm in alarms {
            let since = alarm.since.map_or_else(String::new, |since| format!("{since:.0}"));
            table.add_row([alarm.name.clone(), since, alarm.about.clone()]);
        }
        out += &format!("{table}\n");
    }
    for unknown in inside.iter().flat_map(|inside| &inside.unknown) {
        out += &format!("Not known: {unknown}\n");
    }
    for advice in inside.iter().flat_map(|inside| &inside.advice) {
        out += &format!("Advice: {advice}\n");
    }
    if attention.is_empty() {
        return out + "Nothing needs attention.\n";
    }
    out += "Needs attention:\n";
    attention.iter().for_each(|line| out += &format!("  - {line}\n"));
    out
}

fn counted(numbers: &Numbers) -> String {
    let mut out = format!(
        "{} events accepted, {} rejected and still kept, {} duplicates; {} people, {} accounts, {} messages.\n",
        number(numbers.events.accepted),
        number(numbers.events.rejected),
        number(numbers.events.duplicates),
        number(numbers.profiles),
        number(numbers.accounts),
        number(numbers.messages),
    );
    if numbers.unlinked_ids > 0 {
        out += &format!("{} ids in other systems are not linked to a person yet.\n", number(numbers.unlinked_ids));
    }
    out
}

fn sweeps(house: &House, inside: Option<&Inside>) -> String {
    if house.sweeps.is_empty() {
        return "The sweep has not run within a week.\n".to_owned();
    }
    let mut table = numbers(&["last sweeps", "took ms", "were due", "not taken"]);
    for sweep in &house.sweeps {
        let failed = if sweep.failed { " (not all of the index was read)" } else { "" };
        let due = sweep.sent + sweep.unsent;
        let due = if sweep.more { format!("{} and more", number(due)) } else { number(due) };
        table.add_row([format!("{:.0}{failed}", sweep.at), number(sweep.took_ms), due, number(sweep.unsent)]);
    }
    let mut out = format!("{table}\n");
    if let Some(inside) = inside {
        out += &match inside.oldest_due {
            None if inside.unknown.iter().any(|unknown| unknown.starts_with("who is overdue")) => String::new(),
            None => "No profile is overdue.\n".to_owned(),
            Some(since) => format!(
                "The longest overdue timer was due {} ago, at {since:.0}; the next sweep finds it.\n",
                lasting(house.now.duration_since(since))
            ),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    pub(super) fn house() -> House {
        let queue = |dlq: u64| json!({ "depth": 3, "in_flight": 1, "delayed": 0, "dlq": dlq });
        serde_json::from_value(json!({
            "counted_at": "2026-03-02T08:15:30Z", "events": { "accepted": 93_229, "rejected": 3, "duplicates": 12 }, "profiles": 23_570, "unlinked_ids": 12, "accounts": 42, "messages": 1_200,
            "queues": { "events": queue(0), "messages": queue(0) }, "idle": false,
            "sweeps": [{ "at": "2026-03-02T08:10:00Z", "took_ms": 812, "sent": 40, "unsent": 0, "more": false, "failed": false }],
            "in_force": { "version": "abc", "since": "2026-03-01T08:00:00Z", "rolled_back": true, "previous": "def" },
            "now": "2026-03-02T08:15:30Z", "config": "abc",
        }))
        .unwrap()
    }

    #[test]
    fn a_house_in_order_is_told_in_a_few_lines() {
        let inside = Inside { alarms: Some(Vec::new()), sweep_every_seconds: Some(300), ..Inside::default() };
        let attention = attention(&house(), Some(&inside));
        insta::assert_snapshot!(shown(&Found { house: house(), inside: Some(inside), attention }));
    }

    #[test]
    fn a_table_that_was_not_counted_yet_shows_no_numbers_and_old_ones_their_age() {
        let mut house = house();
        house.counted_at = Some("2026-03-02T05:15:30Z".parse().unwrap());
        let text = |house: &House| shown(&Found { house: house.clone(), inside: None, attention: Vec::new() });
        assert!(text(&house).contains("\nCounted at 2026-03-02T05:15:30Z, 3 hours ago.\n"), "{}", text(&house));
        let mut json = serde_json::to_value(&house).unwrap();
        for number in ["events", "profiles", "unlinked_ids", "unreadable", "accounts", "messages"] {
            json.as_object_mut().unwrap().remove(number);
        }
        json["counted_at"] = json!(null);
        let house: House = serde_json::from_value(json).unwrap();
        assert!(text(&house).starts_with("Not counted yet: "), "{}", text(&house));
    }

    #[test]
    fn what_needs_attention_is_said_with_what_to_do() {
        let mut house = house();
        house.queues.get_mut("events").unwrap().dlq = 2;
        house.queues.get_mut("events").unwrap().oldest_seconds = Some(125);
        house.paused_journeys = vec![Paused { journey: "welcome".into(), since: house.now }];
        house.sweeps[0].at = "2026-03-02T07:00:00Z".parse().unwrap();
        let alarm = Alarm {
            name: "perennial-events-dlq".into(),
            since: Some(house.now),
            about: "Events that no attempt got through.".into(),
            why: "Threshold Crossed".into(),
        };
        let inside = Inside {
            oldest_due: Some("2026-03-02T07:05:00Z".parse().unwrap()),
            alarms: Some(vec![alarm]),
            sweep_every_seconds: Some(300),
            schedules_dlq: Some(1),
            advice: vec!["the account allows 1,000 concurrent invocations".into()],
            unknown: vec!["ages of messages: access denied".into()],
        };
        let attention = attention(&house, Some(&inside));
        insta::assert_snapshot!(shown(&Found { house, inside: Some(inside), attention }));
    }
}
