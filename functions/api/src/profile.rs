//! `GET /api/profiles/{identity}`: a profile as of now.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::journeys::{JourneyView, journeys};
use crate::memberships::{self, MembershipView};
use crate::person::Found;
use crate::subscriptions::{self, SubscriptionView};
use crate::trail::{self, MessageView};
use crate::who::{self, ApartView, IdentityView, JoinView};
use http::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lambda_http::Body;
use perennial_config::Config;
use perennial_domain::time::day_of;
use perennial_domain::{AccountId, Currency, Decision, Identity, Likelihood, PersonId, Score, Stage};
use perennial_engine::billing::has_old_milestones;
use perennial_engine::explain::{Reason, reasons_of};
use perennial_engine::facts::Facts;
use perennial_engine::instant::timestamp;
use perennial_engine::play::words::waits;
use perennial_engine::trend::{TrendPoint, trend};
use perennial_engine::{
    Engagement, Evaluation, NpsClass, Profile, StageMove, State, WaitingMessage, candidates, evaluate, held,
    stage_history, time_zone,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct ProfileView<'a> {
    id: PersonId,
    identities: Vec<IdentityView<'a>>,
    /// Why the identities are linked.
    joins: Vec<JoinView<'a>>,
    /// Links that do not merge them with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apart: Vec<ApartView<'a>>,
    traits: BTreeMap<&'a str, Value>,
    /// Traits of which something was not kept for its size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped_traits: Vec<&'a str>,
    /// The total number; 100 means 100 or more.
    #[serde(skip_serializing_if = "is_zero")]
    dropped_traits_count: u32,
    /// Identities of which less is kept than usual, as the profile would not fit into an item with all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reduced: Vec<&'a str>,
    /// The primary account.
    account: Option<&'a AccountId>,
    /// All accounts of the person, the primary first.
    memberships: Vec<MembershipView>,
    stage: Stage,
    /// The stage history, oldest first.
    stages: Vec<StageMove>,
    personas: Vec<&'a str>,
    segments: Vec<SegmentView<'a>>,
    /// Frequency and amount of activity, 0 to 100.
    engagement: Score,
    /// The components of engagement.
    engaged: Engagement,
    nps: NpsView,
    /// The latest answer to the satisfaction survey; `null` without one.
    csat: Option<AnswerView>,
    /// The sentiment of the texts of the last three months, -1 to 1; `null` without any.
    sentiment: Option<f64>,
    /// The number of texts of the last three months in unsupported languages, whose sentiment is unknown.
    #[serde(skip_serializing_if = "is_zero")]
    unread_texts: u32,
    /// The scores that apply to the person.
    scores: BTreeMap<Likelihood, ScoreView>,
    tallies: &'a BTreeMap<String, u32>,
    counts: BTreeMap<&'a str, u32>,
    /// Events of names that are not counted separately.
    #[serde(skip_serializing_if = "is_zero")]
    other_events: u32,
    events: u64,
    /// Minor units by currency.
    revenue: BTreeMap<Currency, i64>,
    /// The person's own subscriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions: Vec<SubscriptionView>,
    /// `true` if trials, payments or cancellations were counted before subscriptions were distinguished. They stay
    /// until
    /// `perennial rescore` recounts the archive.
    #[serde(skip_serializing_if = "is_false")]
    needs_rescore: bool,
    first_seen: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    idle_days: Option<i64>,
    active_days: ActiveDays,
    /// The journeys that the person entered, in the configuration's order.
    journeys: Vec<JourneyView<'a>>,
    messages: Vec<MessageView>,
    /// Messages that cannot be read, and are not among these.
    #[serde(skip_serializing_if = "is_zero")]
    unreadable_messages: u64,
    /// Messages that wait for their turn or for a cap, the one that is chosen next first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<WaitingView>,
    /// Mails that wait for an address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<HeldView<'a>>,
    due_at: Option<Timestamp>,
    config: &'a str,
    now: Timestamp,
}

/// A message that waits for its turn.
#[derive(Serialize)]
struct WaitingView {
    #[serde(flatten)]
    message: WaitingMessage,
    /// The step in words; times are in the person's zone.
    told: String,
}

/// A mail that waits for an address.
#[derive(Serialize)]
struct HeldView<'a> {
    journey: &'a str,
    template: &'a str,
    decided_at: Timestamp,
    /// When it counts as not deliverable.
    until: Timestamp,
}

/// A segment of the person.
#[derive(Serialize)]
pub(crate) struct SegmentView<'a> {
    name: &'a str,
    /// Since when; `null` if the person has not been evaluated since entering it.
    since: Option<Timestamp>,
}

/// The latest answer to the recommendation survey.
#[derive(Serialize)]
pub(crate) struct NpsView {
    class: NpsClass,
    /// 0 to 10.
    answer: Option<u8>,
    at: Option<Timestamp>,
}

#[derive(Serialize)]
struct AnswerView {
    answer: u8,
    at: Timestamp,
}

#[derive(Serialize)]
struct ScoreView {
    value: Score,
    /// The contributions, largest first; their points add up to the value, except for up to half a point of rounding.
    reasons: Vec<Reason>,
    /// The score at the beginnings of the newest weeks, the oldest first.
    trend: Vec<TrendPoint>,
}

#[derive(Serialize)]
struct ActiveDays {
    last_7: u32,
    last_28: u32,
    last_90: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(is: &bool) -> bool {
    !is
}

fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}

/// Answers with the person behind `identity`.
pub(crate) async fn show(deps: &Deps, identity: &str) -> Result<Response<Body>, Failure> {
    let found = Found::look_up(deps, identity).await?;
    let (profile, state, config) = (&found.profile, &found.state, &found.config);
    let messages = trail::messages(deps, profile, config, &found.facts).await?;
    let evaluation = evaluate(&found.moment(), state);
    answer::json(&ProfileView {
        id: profile.id,
        identities: who::identities(profile),
        joins: who::joins(profile),
        apart: who::apart(profile),
        traits: traits(state),
        dropped_traits: state.dropped_traits().collect(),
        dropped_traits_count: u32::try_from(state.dropped_traits_count()).unwrap_or(u32::MAX),
        reduced: profile.reduced().map(Identity::as_str).collect(),
        account: found.account.as_ref().map(|(id, _)| id),
        memberships: memberships::all(config, state),
        stage: evaluation.stage,
        stages: stage_history(&found.moment(), state),
        personas: evaluation.personas(config).collect(),
        segments: segments(config, &evaluation, &found.facts),
        engagement: evaluation.engagement,
        engaged: evaluation.engaged,
        nps: nps(&evaluation, state),
        csat: state.csat.map(|answer| AnswerView { answer: answer.points, at: timestamp(answer.at) }),
        sentiment: evaluation.sentiment,
        unread_texts: evaluation.unread_texts,
        scores: Likelihood::ALL.into_iter().filter_map(|one| Some((one, score(&found, one)?))).collect(),
        tallies: &state.tallies,
        counts: state.counts.iter().collect(),
        other_events: state.counts.other(),
        events: state.counts.total(),
        revenue: state.revenues(),
        subscriptions: subscriptions::all(config, &state.billing, found.now),
        needs_rescore: has_old_milestones(config, state),
        first_seen: state.seen.map(|seen| seen.first_at()),
        last_seen: state.seen.map(|seen| seen.last_at()),
        idle_days: evaluation.idle_days,
        active_days: active_days(state, found.now),
        journeys: journeys(config, &found.facts),
        messages: messages.items,
        unreadable_messages: messages.unreadable,
        waiting: waiting(config, profile, &time_zone(config, state)),
        held: held(config, profile).map(held_view).collect(),
        due_at: profile.due_at,
        config: config.version.as_str(),
        now: found.now,
    })
}

/// Returns the person's segments, in the configuration's order.
pub(crate) fn segments<'c>(config: &'c Config, evaluation: &Evaluation, facts: &Facts) -> Vec<SegmentView<'c>> {
    let since = |name: &str| {
        let (_, segment) = config.segments.get(name)?;
        Timestamp::from_millisecond(*facts.segments.get(&segment.key)?).ok()
    };
    evaluation.segments(config).map(|name| SegmentView { name, since: since(name) }).collect()
}

/// Returns the latest answer and its class.
pub(crate) fn nps(evaluation: &Evaluation, state: &State) -> NpsView {
    NpsView {
        class: evaluation.nps,
        answer: state.nps.map(|answer| answer.points),
        at: state.nps.map(|answer| timestamp(answer.at)),
    }
}

fn score(found: &Found, likelihood: Likelihood) -> Option<ScoreView> {
    let moment = found.moment();
    let (value, reasons) = reasons_of(&moment, &found.state, likelihood)?;
    Some(ScoreView { value, reasons, trend: trend(&moment, &found.state, &found.facts, likelihood) })
}

fn held_view((decision, until): (&Decision, Timestamp)) -> HeldView<'_> {
    let Decision { journey, template, decided_at, .. } = decision;
    HeldView { journey, template, decided_at: *decided_at, until }
}

fn waiting(config: &Config, profile: &Profile, zone: &TimeZone) -> Vec<WaitingView> {
    let view = |message: WaitingMessage| WaitingView { told: waits(&message, zone), message };
    candidates(config, profile).into_iter().map(view).collect()
}

fn traits(state: &State) -> BTreeMap<&str, Value> {
    let traits = state.present_traits();
    traits.map(|(name, value)| (name, serde_json::from_str(value).unwrap_or(Value::Null))).collect()
}

fn active_days(state: &State, now: Timestamp) -> ActiveDays {
    let today = day_of(now);
    ActiveDays {
        last_7: state.days.active(today, 7),
        last_28: state.days.active(today, 28),
        last_90: state.days.active(today, 90),
    }
}
