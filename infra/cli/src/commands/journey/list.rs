//! `perennial journey list`

use crate::commands::client::Target;
use crate::commands::tables::{counted_at, number, unreadable, wrapped};
use perennial_views::journey_list::{JourneyView, Journeys, MessageView};
use std::process::ExitCode;

/// The columns of a terminal.
const WIDTH: usize = 80;

/// The system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let answer = args.target.get("/api/journeys").await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", shown(&serde_json::from_value(answer)?));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(answer: &Journeys) -> String {
    let mut out = String::new();
    for journey in &answer.journeys {
        out += &one(journey);
    }
    let count = match answer.journeys.len() {
        1 => "1 journey".to_owned(),
        all => format!("{all} journeys"),
    };
    out += &format!("{count}, people looked at: {}, config {}.\n", number(answer.people), answer.config);
    out += &counted_at(answer.counted_at, answer.now);
    out + &unreadable(answer.unreadable)
}

/// Renders the name and number of people, and a description below.
fn one(journey: &JourneyView) -> String {
    let reached = journey.reached.map(|reached| format!(", {} reached the goal", number(reached))).unwrap_or_default();
    let people = match (journey.entered, journey.under_way) {
        (Some(entered), Some(under_way)) => {
            format!("{} entered, {} on the way{reached}", number(entered), number(under_way))
        }
        _ => "not counted yet".to_owned(),
    };
    let gap = WIDTH.saturating_sub(journey.name.chars().count() + people.chars().count()).max(2);
    let mut out = format!("{}{}{people}\n", journey.name, " ".repeat(gap));
    let stages: Vec<&str> = journey.stages.iter().map(|stage| stage.as_str()).collect();
    let stages = if stages.is_empty() { String::new() } else { format!("; for {}", stages.join(", ")) };
    let steps = if journey.steps == 1 { "1 step".to_owned() } else { format!("{} steps", journey.steps) };
    let messages: Vec<String> = journey.messages.iter().map(message).collect();
    let messages = if messages.is_empty() { "no message".to_owned() } else { messages.join(", ") };
    let trigger = format!("when {}{stages}; reentry {}", journey.trigger, journey.reentry);
    for text in [journey.description.as_str(), &trigger, &format!("{steps}: {messages}")] {
        for line in wrapped(text, WIDTH - 2).iter().filter(|line| !line.is_empty()) {
            out += &format!("  {line}\n");
        }
    }
    out + "\n"
}

fn message(message: &MessageView) -> String {
    let to = message.endpoint.as_ref().map(|endpoint| format!(" to {endpoint}")).unwrap_or_default();
    format!("{} {}{to}", message.channel.as_str(), message.template)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn journeys_are_listed_with_what_sets_them_off_and_whom_they_have_seen() {
        let journeys = serde_json::from_value(json!({
            "journeys": [
                {
                    "name": "trial_rescue", "description": "Brings back who has gone quiet in a trial: help, a chat, a colleague.",
                    "trigger": "nothing happens for 3 days", "stages": ["trial"], "reentry": "after 10 days", "steps": 6,
                    "messages": [
                        { "channel": "in_app", "template": "trial_help", "endpoint": null },
                        { "channel": "mail", "template": "trial_rescue", "endpoint": null },
                        { "channel": "webhook", "template": "task_trial_idle", "endpoint": "tasks" },
                    ],
                    "entered": 1204, "under_way": 31, "reached": 240,
                },
                {
                    "name": "news", "description": "pushed since", "trigger": "\"Login\" happens", "stages": [], "reentry": "once", "steps": 1,
                    "messages": [], "entered": null, "under_way": null, "reached": null,
                },
                {
                    "name": "marks", "description": "", "trigger": "\"Login\" happens", "stages": [], "reentry": "once", "steps": 1,
                    "messages": [], "entered": 0, "under_way": 0, "reached": null,
                },
            ],
            "people": 23570, "config": "v1", "counted_at": "2026-02-28T21:00:00Z", "now": "2026-03-01T00:00:00Z",
        }));
        let text = shown(&journeys.unwrap());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
    }
}
