//! The reasons of scores, in numbers and in words.

use crate::ViewError;
use crate::memberships::{self, MembershipView};
use crate::person::Found;
use crate::profile::{NpsView, SegmentView, nps, segments};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_domain::{AccountId, Channel, Likelihood, PersonId, Score, Stage, Touch};
use perennial_engine::explain::words::{self, ToldGlance, ToldScore, about, absent, glance, identities, tell};
use perennial_engine::play::words::waits;
use perennial_engine::{
    Explanation, StageMove, WaitingMessage, candidates, evaluate, explain, stage_history, time_zone,
};
use perennial_store::messages::MessageState;
use serde::Serialize;
use std::collections::BTreeMap;

/// The reasons of a person's scores.
#[derive(Debug, Serialize)]
pub struct ExplainView<'a> {
    /// The person.
    pub person: PersonView<'a>,
    /// The requested scores that apply to the person.
    pub scores: BTreeMap<Likelihood, ScoreView>,
    /// Scores that do not apply, and whom they apply to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<Likelihood, String>,
    /// The configuration that they are evaluated under.
    pub config: &'a str,
    /// The time that they are of.
    pub now: Timestamp,
}

/// A person in short, and in words.
#[derive(Debug, Serialize)]
pub struct PersonView<'a> {
    /// The profile id.
    pub id: PersonId,
    /// The stage.
    pub stage: Stage,
    /// The stage history, oldest first.
    pub stages: Vec<StageMove>,
    /// The personas.
    pub personas: Vec<&'a str>,
    /// The segments.
    pub segments: Vec<SegmentView<'a>>,
    /// The primary account.
    pub account: Option<AccountView<'a>>,
    /// All accounts of the person, the primary first.
    pub memberships: Vec<MembershipView>,
    /// Frequency and amount of activity, 0 to 100.
    pub engagement: Score,
    /// The latest answer to the recommendation survey.
    pub nps: NpsView,
    /// The sentiment of recent texts, -1 to 1.
    pub sentiment: Option<f64>,
    /// The tallies of the configuration.
    pub tallies: &'a BTreeMap<String, u32>,
    /// All of this in words, and why the person's ids are linked: a sentence or two each.
    pub told: Vec<String>,
}

/// The primary account in short.
#[derive(Debug, Serialize)]
pub struct AccountView<'a> {
    /// Its id.
    pub id: &'a AccountId,
    /// `null` if nothing is known of the account yet.
    pub touch: Option<Touch>,
    /// The colleague in charge.
    pub owner: Option<&'a str>,
}

/// A score's reasons, in numbers and in words.
#[derive(Debug, Serialize)]
pub struct ScoreView {
    /// In numbers.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// In words.
    pub told: ToldScore,
    /// In one sentence or two.
    pub glance: ToldGlance,
}

/// Returns the score called `score`, or all of them without a name.
///
/// # Errors
/// [`ViewError::NotFound`] for another name.
pub fn asked(score: Option<&str>) -> Result<Vec<Likelihood>, ViewError> {
    match score {
        None => Ok(Likelihood::ALL.into()),
        Some(name) => Ok(vec![likelihood(name)?]),
    }
}

fn likelihood(name: &str) -> Result<Likelihood, ViewError> {
    const UNKNOWN: ViewError = ViewError::NotFound(
        "no such score; there are purchase, conversion, trial_success, upgrade, success, churn, recommendation, \
         influence_inside and influence_outside",
    );
    Likelihood::ALL.into_iter().find(|likelihood| likelihood.as_str() == name).ok_or(UNKNOWN)
}

/// Returns the reasons of those of the scores `asked` that apply to the person.
pub fn view<'a>(found: &'a Found, asked: &[Likelihood]) -> ExplainView<'a> {
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
                .chain(crm(found))
                .collect(),
        },
        absent: missing.map(|likelihood| (*likelihood, absent(config, *likelihood))).collect(),
        scores,
        config: config.version.as_str(),
        now: found.now,
    }
}

/// The result of the last update of the person's contact in the CRM, in a sentence.
fn crm(found: &Found) -> Option<String> {
    let last = found.updates.items.first()?;
    let day = last.decided_at.to_zoned(TimeZone::UTC).date();
    let why = last.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
    Some(match last.state {
        MessageState::Sent => format!("The CRM was last updated on {day}."),
        MessageState::Failed => format!("The CRM refused the last update, of {day}{why}."),
        MessageState::Suppressed => format!("The last update of the CRM, of {day}, was not sent{why}."),
        _ => format!("The last update of the CRM, of {day}, is on its way{why}."),
    })
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
