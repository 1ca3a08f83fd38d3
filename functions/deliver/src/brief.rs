//! The context of a task besides its template: one more query for each task, which are few.

use crate::deps::Deps;
use crate::error::DeliverError;
use perennial_channels::brief::{Brief, MAX_STEPS, Step};
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{Decision, PersonId};
use perennial_engine::{Evaluation, Part, Profile};
use perennial_store::messages::{MessageRecord, MessageState};
use std::collections::BTreeSet;

/// The most merged people whose messages are read.
const MAX_PEOPLE: usize = 4;

/// Returns the brief of a task about `profile`.
pub(crate) async fn of(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    (profile, evaluation): (&Profile, &Evaluation),
    (owner, may_call): (Option<&str>, bool),
) -> Result<Brief, DeliverError> {
    let due_days = config.templates.get(&decision.template).and_then(|template| template.due_days).unwrap_or_default();
    let answers = config.scoring.answer_properties().into_iter();
    let answers = answers.filter_map(|name| Some((name.to_owned(), decision.properties.get(name)?.clone())));
    Ok(Brief {
        owner: owner.map(str::to_owned),
        due: plus_days(decision.decided_at, i64::from(due_days)),
        scores: evaluation.scores,
        answers: answers.collect(),
        steps: steps(deps, decision, profile).await?,
        page: config.channels.page_of(profile.id),
        may_call,
    })
}

/// The newest messages that reached the person, or may have.
async fn steps(deps: &Deps, decision: &Decision, profile: &Profile) -> Result<Vec<Step>, DeliverError> {
    let people: BTreeSet<PersonId> =
        profile.parts.iter().map(Part::owner).take(MAX_PEOPLE).chain([decision.person]).collect();
    let mut all = Vec::new();
    for person in people {
        all.extend(deps.store.messages(person).await?.items);
    }
    all.retain(|record| record.id != decision.id && !record.test && went_out(record));
    all.sort_by(|a, b| b.decided_at.cmp(&a.decided_at).then_with(|| a.id.cmp(&b.id)));
    all.truncate(MAX_STEPS);
    Ok(all.into_iter().map(step).collect())
}

fn went_out(record: &MessageRecord) -> bool {
    !record.state.is_withheld() && !matches!(record.state, MessageState::Claimed | MessageState::Failed)
}

fn step(record: MessageRecord) -> Step {
    Step {
        at: record.decided_at,
        channel: record.channel.as_str(),
        about: record.subject.unwrap_or(record.template),
        state: record.state.as_str(),
    }
}

#[cfg(test)]
#[path = "brief_tests.rs"]
mod tests;
