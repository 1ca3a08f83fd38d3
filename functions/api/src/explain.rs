//! `GET /api/profiles/{identity}/explain` and `…/explain/{score}`: the reasons of scores, in numbers and in words.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::memberships::{self, MembershipView};
use crate::person::Found;
use crate::profile::{NpsView, SegmentView, nps, segments};
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_domain::{AccountId, Channel, Likelihood, PersonId, Score, Stage, Touch};
use perennial_engine::explain::words::{self, ToldGlance, ToldScore, about, absent, glance, identities, tell};
use perennial_engine::play::words::waits;
use perennial_engine::{
    Explanation, StageMove, WaitingMessage, candidates, evaluate, explain, stage_history, time_zone,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct ExplainView<'a> {
    person: PersonView<'a>,
    /// The requested scores that apply to the person.
    scores: BTreeMap<Likelihood, ScoreView>,
    /// Scores that do not apply, and whom they apply to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    absent: BTreeMap<Likelihood, String>,
    config: &'a str,
    now: Timestamp,
}

#[derive(Serialize)]
struct PersonView<'a> {
    id: PersonId,
    stage: Stage,
    stages: Vec<StageMove>,
    personas: Vec<&'a str>,
    segments: Vec<SegmentView<'a>>,
    /// The primary account.
    account: Option<AccountView<'a>>,
    /// All accounts of the person, the primary first.
    memberships: Vec<MembershipView>,
    engagement: Score,
    nps: NpsView,
    sentiment: Option<f64>,
    tallies: &'a BTreeMap<String, u32>,
    /// All of this in words, and why the person's ids are linked: a sentence or two each.
    told: Vec<String>,
}

#[derive(Serialize)]
struct AccountView<'a> {
    id: &'a AccountId,
    /// `null` if nothing is known of the account yet.
    touch: Option<Touch>,
    owner: Option<&'a str>,
}

#[derive(Serialize)]
struct ScoreView {
    #[serde(flatten)]
    explanation: Explanation,
    told: ToldScore,
    glance: ToldGlance,
}

/// Returns the reasons of one score of the person with `identity`, or of all that apply.
pub(crate) async fn show(deps: &Deps, identity: &str, score: Option<&str>) -> Result<Response<Body>, Failure> {
    let asked: Vec<Likelihood> = match score {
        None => Likelihood::ALL.into(),
        Some(name) => vec![likelihood(name)?],
    };
    let found = Found::look_up(deps, identity).await?;
    answer::json(&view(&found, &asked))
}

fn likelihood(name: &str) -> Result<Likelihood, Failure> {
    const UNKNOWN: Failure = Failure::NotFound(
        "no such score; there are purchase, conversion, trial_success, upgrade, success, churn, recommendation, \
         influence_inside and influence_outside",
    );
    Likelihood::ALL.into_iter().find(|likelihood| likelihood.as_str() == name).ok_or(UNKNOWN)
}

fn view<'a>(found: &'a Found, asked: &[Likelihood]) -> ExplainView<'a> {
    let (moment, state, config) = (found.moment(), &found.state, &*found.config);
    let evaluation = evaluate(&moment, state);
    let name = found.name();
    let account = found.account.as_ref().map(|(id, facts)| (id, facts.as_ref()));
    let score = |likelihood: &Likelihood| {
        let explanation = explain(&moment, state, &found.facts, *likelihood)?;
        let (told, glance) = (tell(&explanation, found.now), glance(&explanation, found.now));
        Some((*likelihood, ScoreView { explanation, told, glance }))
    };
    let scores: BTreeMap<Likelihood, ScoreView> = asked.iter().filter_map(score).collect();
    let missing = asked.iter().filter(|likelihood| !scores.contains_key(likelihood));
    ExplainView {
        person: PersonView {
            id: found.profile.id,
            stage: evaluation.stage,
            stages: stage_history(&moment, state),
            personas: evaluation.personas(config).collect(),
            segments: segments(config, &evaluation, &found.facts),
            account: account.map(|(id, facts)| AccountView {
                id,
                touch: facts.map(|facts| facts.touch),
                owner: facts.and_then(|facts| facts.owner.as_deref()),
            }),
            memberships: memberships::all(config, state),
            engagement: evaluation.engagement,
            nps: nps(&evaluation, state),
            sentiment: evaluation.sentiment,
            tallies: &state.tallies,
            told: about(config, &name, state, &evaluation, account, found.now)
                .into_iter()
                .chain(words::memberships(&name, &perennial_engine::membership::memberships(config, state)))
                .chain(identities(&found.profile, &name, found.now))
                .chain(waiting(found))
                .collect(),
        },
        absent: missing.map(|likelihood| (*likelihood, absent(config, *likelihood))).collect(),
        scores,
        config: config.version.as_str(),
        now: found.now,
    }
}

/// The messages that wait for their turn, a sentence each.
fn waiting(found: &Found) -> impl Iterator<Item = String> {
    let zone = time_zone(&found.config, &found.state);
    let told = move |message: WaitingMessage| {
        let WaitingMessage { channel, template, journey, .. } = &message;
        format!("The {} {template} of {journey} {}.", channel_name(*channel), waits(&message, &zone))
    };
    candidates(&found.config, &found.profile).into_iter().map(told)
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Mail => "mail",
        Channel::InApp => "in-app message",
        Channel::Webhook => "webhook",
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
