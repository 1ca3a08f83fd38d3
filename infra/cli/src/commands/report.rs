//! The demo's table.

use super::feed::Feeder;
use super::scenarios;
use super::tables::{number, numbers as table};
use futures::TryStreamExt;
use perennial_domain::event::JOURNEYS;
use perennial_domain::{Channel, Likelihood, Stage};
use perennial_local::stack::Stack;
use serde_json::Value;
use std::collections::HashSet;
use std::pin::pin;

/// One part of the demo, with the counts of a correct run.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    /// Its name.
    pub(super) name: &'static str,
    /// Calls that were sent.
    pub(super) events: u64,
    /// The valid and new ones among them.
    pub(super) accepted: u64,
    /// The broken ones among them.
    pub(super) rejected: u64,
    /// The repeated ones among them.
    pub(super) duplicates: u64,
    /// People.
    pub(super) people: u64,
    /// Accounts.
    pub(super) accounts: u64,
    /// From the first call until the last was worked through.
    pub(super) seconds: f64,
}

/// The printed report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    /// `true` if all totals are as expected.
    pub(super) as_expected: bool,
}

/// Prints what came of it all.
///
/// # Errors
/// If the stack does not answer.
pub(super) async fn print(
    stack: &Stack,
    feeder: &Feeder,
    status: &Value,
    (phases, negative_mentions): (&[Phase], u64),
) -> anyhow::Result<Report> {
    let sum = |of: fn(&Phase) -> u64| phases.iter().map(of).sum::<u64>();
    // Each captured mail produces one delivery event, and steps of journeys record more.
    let captured = stack.aws().mails().count()?;
    let own = captured + of_journeys(stack).await?;
    let brand = feeder.get(&scenarios::brand_path()).await?;
    let checks = [
        ("events accepted, with the system's own", &status["events"]["accepted"], sum(|p| p.accepted) + own),
        ("events rejected", &status["events"]["rejected"], sum(|p| p.rejected)),
        ("duplicates", &status["events"]["duplicates"], sum(|p| p.duplicates)),
        ("people", &status["profiles"], sum(|p| p.people)),
        ("accounts", &status["accounts"], sum(|p| p.accounts)),
        ("negative mentions", &brand["counts"]["Negative Mention"], negative_mentions),
    ];
    let mut as_expected = true;
    let mut totals = table(&["", "counted", "expected", ""]);
    for (name, counted, expected) in checks {
        let right = counted.as_u64() == Some(expected);
        as_expected &= right;
        totals.add_row([
            name.to_owned(),
            number(counted.as_u64().unwrap_or(0)),
            number(expected),
            if right { "as expected" } else { "WRONG" }.to_owned(),
        ]);
    }
    println!("\n{totals}");

    let mut speed = table(&["events per second, sent until scored", ""]);
    for phase in phases {
        speed.add_row([phase.name.to_owned(), number((phase.events as f64 / phase.seconds.max(0.001)) as u64)]);
    }
    println!("{speed}");

    let totals_now = stack.store().totals().await?;
    let mut stages = table(&["stage", "people"]);
    for stage in Stage::ALL {
        stages.add_row([stage.as_str().to_owned(), number(totals_now.stages.get(&stage).copied().unwrap_or(0))]);
    }
    println!("{stages}");

    let mut answers = table(&["recommend us?", "people"]);
    let nps = totals_now.nps;
    for (class, people) in [("promoters", nps.promoters), ("passive", nps.passives), ("detractors", nps.detractors)] {
        answers.add_row([class.to_owned(), number(people)]);
    }
    let score = nps.score().map_or_else(|| "nobody answered".to_owned(), |score| format!("{score:+.0}"));
    answers.add_row(["net promoter score".to_owned(), score]);
    println!("{answers}");

    let config = stack.store().load_config().await?;
    let mut personas = table(&["persona", "people"]);
    for persona in &config.personas.all {
        personas.add_row([persona.name.clone(), number(totals_now.personas.get(&persona.name).copied().unwrap_or(0))]);
    }
    println!("{personas}");

    let mut segments = table(&["segment", "people", "net promoter score"]);
    for segment in &config.segments.all {
        let totals = totals_now.segments.get(&segment.name).copied().unwrap_or_default();
        let score = totals.nps.score().map_or_else(String::new, |score| format!("{score:+.0}"));
        segments.add_row([segment.name.clone(), number(totals.people), score]);
    }
    println!("{segments}");

    let mut scores = table(&["score", "0", "1-24", "25-49", "50-74", "75-100"]);
    for likelihood in Likelihood::ALL {
        let bands = totals_now.bands.get(&likelihood).copied().unwrap_or_default();
        let mut row = vec![likelihood.as_str().to_owned()];
        row.extend(bands.map(number));
        scores.add_row(row);
    }
    println!("{scores}");

    let mut messages = table(&["messages", "in all", "by state"]);
    for channel in Channel::ALL {
        let states = totals_now.channels.get(channel.as_str()).cloned().unwrap_or_default();
        let by_state: Vec<String> = states.iter().map(|(state, n)| format!("{n} {state}")).collect();
        messages.add_row([channel.as_str().to_owned(), number(states.values().sum()), by_state.join(", ")]);
    }
    messages.add_row(["updates of the CRM".to_owned(), number(totals_now.crm_updates), String::new()]);
    messages.add_row(["mails captured by the mail service".to_owned(), number(captured), String::new()]);
    println!("{messages}");

    let several = scenarios::several_accounts(stack).await?;
    println!("{}", scenarios::table(&config, &totals_now, &several));
    println!("{}", scenarios::features(&feeder.get("/api/features").await?));
    println!("{}", scenarios::mentions(&brand));
    Ok(Report { as_expected })
}

/// Returns the number of events in the archive that steps of journeys recorded.
async fn of_journeys(stack: &Stack) -> anyhow::Result<u64> {
    let mut ids = HashSet::new();
    let mut events = pin!(stack.archive().read_all().await?);
    while let Some(event) = events.try_next().await? {
        if event.source.as_str() == JOURNEYS {
            // A batch that was redelivered is in the archive twice.
            ids.insert(event.message_id);
        }
    }
    Ok(ids.len() as u64)
}
