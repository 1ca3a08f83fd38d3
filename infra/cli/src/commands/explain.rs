//! `perennial explain`

mod account;

use super::client::{Target, segment};
use super::tables::plain;
use perennial_domain::Likelihood;
use perennial_engine::explain::words::{ToldGlance, ToldScore, name};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// The person or account, and the score.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    perennial explain ada@acme.example          an overview of all nine scores\n  \
    perennial explain ada@acme.example churn    one score with its reasons, and what would change it\n  \
    perennial explain --account acme            an account's score and health, down to its people")]
pub(super) struct Args {
    /// The person: user id, anonymous id, id in another system (such as stripe:cus_5), mail address or profile id.
    #[arg(required_unless_present = "account")]
    person: Option<String>,
    /// One score: purchase, conversion, trial_success, upgrade, success, churn, recommendation, influence_inside or
    /// influence_outside; default: an overview of all nine.
    score: Option<String>,
    /// Explain an account instead.
    #[arg(long, value_name = "ID", conflicts_with = "person")]
    account: Option<String>,
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = match (&args.account, &args.person, &args.score) {
        (Some(account), ..) => format!("/api/accounts/{}", segment(account)),
        (None, Some(person), Some(score)) => {
            format!("/api/profiles/{}/explain/{}", segment(person), segment(&score.replace('-', "_")))
        }
        (None, Some(person), None) => format!("/api/profiles/{}/explain", segment(person)),
        (None, None, _) => anyhow::bail!("name a person, or an account with --account"),
    };
    let answer = args.target.get(&path).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else if args.account.is_some() {
        print!("{}", account::shown(&serde_json::from_value(answer)?));
    } else {
        print!("{}", shown(&serde_json::from_value(answer)?));
    }
    Ok(ExitCode::SUCCESS)
}

/// The displayed fields of the api's response.
#[derive(Debug, Deserialize)]
struct Answer {
    person: Person,
    scores: BTreeMap<Likelihood, Score>,
    /// Scores that do not apply to the person, and whom they apply to.
    #[serde(default)]
    absent: BTreeMap<Likelihood, String>,
    config: String,
}

#[derive(Debug, Deserialize)]
struct Person {
    told: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Score {
    told: ToldScore,
    glance: ToldGlance,
}

/// Renders one score in full, or several as an overview.
fn shown(answer: &Answer) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    if let ([score], [who, ..]) = (answer.scores.values().collect::<Vec<_>>().as_slice(), answer.person.told.as_slice())
    {
        line(who);
        line("");
        line(&in_full(&score.told));
    } else {
        answer.person.told.iter().for_each(|told| line(told));
        line("");
        if !answer.scores.is_empty() {
            line(&at_a_glance(answer.scores.values().map(|score| &score.glance)));
        }
    }
    if !answer.absent.is_empty() {
        line("");
    }
    for (likelihood, why) in &answer.absent {
        line(&format!("{}: absent, {why}.", name(*likelihood)));
    }
    line(&format!("\nConfig {}.", answer.config));
    out
}

fn in_full(told: &ToldScore) -> String {
    let mut table = plain(&[0]);
    for row in &told.rows {
        table.row([row.points.clone(), row.why.clone(), row.how.clone()]);
    }
    table.row([told.total.clone(), "in all".to_owned(), String::new()]);
    let mut out = format!("{}\n\n{table}", told.title);
    if !told.changes.is_empty() {
        out += "\n\nWhat would move it most:";
        for change in &told.changes {
            out += &format!("\n  {change}");
        }
    }
    out
}

fn at_a_glance<'a>(scores: impl Iterator<Item = &'a ToldGlance>) -> String {
    let mut table = plain(&[1, 3]);
    for told in scores {
        table.row([&told.name, &told.value, &told.trend, &told.moved, &told.reason].map(Clone::clone));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn score(told: Value) -> Value {
        json!({ "told": told, "glance": { "name": "Churn", "value": "62", "trend": "▂▃▅", "moved": "+14", "reason": "has gone quiet (+36)" } })
    }

    fn answer(scores: Value) -> Answer {
        let told = [
            "ada is an established customer, power user, of acme (high touch).",
            "Engagement 60: active on 12 of the last 28 days.",
        ];
        serde_json::from_value(json!({ "person": { "told": told }, "scores": scores, "config": "v1" })).unwrap()
    }

    #[test]
    fn one_score_is_shown_in_full() {
        let told = json!({
            "title": "Churn 62, up 14 since Monday a week ago",
            "rows": [
                { "points": "+36.0", "why": "has gone quiet", "how": "17 days without activity, of 25 that count in full" },
                { "points": "+16.4", "why": "a payment failed", "how": "1 event gave 25, 8.6 of it has faded" },
                { "points": "+10.0", "why": "what everyone starts with", "how": "" },
                { "points": "-0.4", "why": "rounded to a whole number", "how": "" },
            ],
            "total": "62",
            "changes": ["two quiet weeks would add 24", "being active on 16 of 28 days would take 25"],
        });
        insta::assert_snapshot!(shown(&answer(json!({ "churn": score(told) }))));
    }

    #[test]
    fn several_scores_are_shown_at_a_glance() {
        let told = json!({ "title": "", "rows": [], "total": "", "changes": [] });
        insta::assert_snapshot!(shown(&answer(json!({ "churn": score(told.clone()), "purchase": score(told) }))));
    }
}
