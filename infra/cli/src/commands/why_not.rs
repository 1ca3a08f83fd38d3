//! `perennial why-not`

use super::client::{Target, segment};
use super::tables::wrapped;
use perennial_engine::explain::why_not::{Check, Outcome, WhyNot};
use std::process::ExitCode;

/// The columns of a terminal.
const WIDTH: usize = 100;
/// The spaces before the words of a rule.
const INDENT: &str = "                  ";

/// The person and the journey.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every rule is shown in the order in which it is applied, with the values now: yes, NO, or wait.\n\n\
    Examples:\n  \
    perennial why-not ada@acme.example trial_rescue\n  \
    perennial why-not user-0020 churn_risk --stack perennial"
)]
pub(super) struct Args {
    /// The person: user id, anonymous id, id in another system (such as stripe:cus_5), mail address or profile id.
    person: String,
    /// The journey, by its id in journeys.toml.
    journey: String,
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = format!("/api/profiles/{}/why-not/{}", segment(&args.person), segment(&args.journey));
    let answer = args.target.get(&path).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", shown(&serde_json::from_value(answer)?));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(found: &WhyNot) -> String {
    let mut out = String::new();
    for line in wrapped(&format!("{}: {}.", found.journey, found.verdict), WIDTH) {
        out += &format!("{line}\n");
    }
    out += "\n";
    for check in &found.checks {
        out += &one(check);
    }
    out
}

fn one(check: &Check) -> String {
    let mark = match check.outcome {
        Outcome::Passes => "yes",
        Outcome::Blocks => "NO",
        Outcome::Waits => "wait",
    };
    let mut out = format!("{mark:<5}{:<13}", check.rule.as_str());
    for (at, line) in wrapped(&check.told, WIDTH - INDENT.len()).iter().enumerate() {
        let indent = if at == 0 { "" } else { INDENT };
        out += &format!("{indent}{line}\n");
    }
    for clause in &check.clauses {
        let holds = if clause.holds { "yes" } else { "NO " };
        out += &format!("{INDENT}{holds} {}\n", clause.condition);
        for (what, value) in &clause.values {
            out += &format!("{INDENT}    {what} is {value}\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_engine::explain::why_not::{ClauseValue, Rule};

    #[test]
    fn every_rule_is_shown_with_its_clauses_and_values() {
        let clause = ClauseValue {
            condition: "idle_days >= 14".to_owned(),
            holds: false,
            values: vec![("idle_days".to_owned(), "3".to_owned())],
        };
        let when = Check::new(Rule::When, Outcome::Blocks, "its condition does not hold for them");
        let checks = vec![
            Check::new(Rule::Stage, Outcome::Passes, "their stage is trial, and it is for trial"),
            Check { clauses: vec![clause], ..when },
            Check::new(
                Rule::QuietHours,
                Outcome::Waits,
                "it is night for them: messages wait until Wed 4 Mar 2026 08:00",
            ),
        ];
        let verdict = "condition: its condition does not hold for them".to_owned();
        let now = "2026-03-03T23:00:00Z".parse().unwrap();
        let found = WhyNot { journey: "course".to_owned(), verdict, checks, now };
        insta::assert_snapshot!(shown(&found), @r"
        course: condition: its condition does not hold for them.

        yes  stage        their stage is trial, and it is for trial
        NO   condition    its condition does not hold for them
                          NO  idle_days >= 14
                              idle_days is 3
        wait quiet hours  it is night for them: messages wait until Wed 4 Mar 2026 08:00
        ");
    }
}
