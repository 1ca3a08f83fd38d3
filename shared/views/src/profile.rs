//! A profile as of now.

use crate::journeys::{JourneyView, journeys};
use crate::memberships::{self, MembershipView};
use crate::person::Found;
use crate::subscriptions::{self, SubscriptionView};
use crate::trail::{self, MessageView};
use crate::who::{self, ApartView, IdentityView, JoinView};
use crate::{ViewError, Views};
use jiff::Timestamp;
use jiff::tz::TimeZone;
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
use perennial_store::updates::UpdateRecord;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A profile as of now.
#[derive(Debug, Serialize)]
pub struct ProfileView<'a> {
    /// The profile id.
    pub id: PersonId,
    /// The identities.
    pub identities: Vec<IdentityView<'a>>,
    /// Why the identities are linked.
    pub joins: Vec<JoinView<'a>>,
    /// Links that do not merge them with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<ApartView<'a>>,
    /// The traits.
    pub traits: BTreeMap<&'a str, Value>,
    /// Traits of which something was not kept for its size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_traits: Vec<&'a str>,
    /// The total number; 100 means 100 or more.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped_traits_count: u32,
    /// Identities of which less is kept than usual, as the profile would not fit into an item with all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reduced: Vec<&'a str>,
    /// The primary account.
    pub account: Option<&'a AccountId>,
    /// All accounts of the person, the primary first.
    pub memberships: Vec<MembershipView>,
    /// The stage.
    pub stage: Stage,
    /// The stage history, oldest first.
    pub stages: Vec<StageMove>,
    /// The personas, in the configuration's order.
    pub personas: Vec<&'a str>,
    /// The segments, in the configuration's order.
    pub segments: Vec<SegmentView<'a>>,
    /// Frequency and amount of activity, 0 to 100.
    pub engagement: Score,
    /// The components of engagement.
    pub engaged: Engagement,
    /// The latest answer to the recommendation survey.
    pub nps: NpsView,
    /// The latest answer to the satisfaction survey; `null` without one.
    pub csat: Option<AnswerView>,
    /// The sentiment of the texts of the last three months, -1 to 1; `null` without any.
    pub sentiment: Option<f64>,
    /// The number of texts of the last three months in unsupported languages, whose sentiment is unknown.
    #[serde(skip_serializing_if = "is_zero")]
    pub unread_texts: u32,
    /// The scores that apply to the person.
    pub scores: BTreeMap<Likelihood, ScoreView>,
    /// The tallies of the configuration.
    pub tallies: &'a BTreeMap<String, u32>,
    /// The number of events by name.
    pub counts: BTreeMap<&'a str, u32>,
    /// Events of names that are not counted separately.
    #[serde(skip_serializing_if = "is_zero")]
    pub other_events: u32,
    /// The number of all events.
    pub events: u64,
    /// Minor units by currency.
    pub revenue: BTreeMap<Currency, i64>,
    /// The person's own subscriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<SubscriptionView>,
    /// `true` if trials, payments or cancellations were counted before subscriptions were distinguished. They stay
    /// until
    /// `perennial rescore` recounts the archive.
    #[serde(skip_serializing_if = "is_false")]
    pub needs_rescore: bool,
    /// The time of the first event.
    pub first_seen: Option<Timestamp>,
    /// The time of the newest event.
    pub last_seen: Option<Timestamp>,
    /// Whole days since the last activity.
    pub idle_days: Option<i64>,
    /// Active days of late.
    pub active_days: ActiveDays,
    /// The journeys that the person entered, in the configuration's order.
    pub journeys: Vec<JourneyView<'a>>,
    /// The messages, the newest first.
    pub messages: Vec<MessageView>,
    /// Messages that cannot be read, and are not among these.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable_messages: u64,
    /// The updates of the person's contact in the CRM within the last 90 days, the newest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub crm: &'a [UpdateRecord],
    /// Updates of the CRM that cannot be read, and are not among these.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable_updates: u64,
    /// Messages that wait for their turn or for a cap, the one that is chosen next first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingView>,
    /// Mails that wait for an address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldView<'a>>,
    /// When a rule of time applies next.
    pub due_at: Option<Timestamp>,
    /// The configuration that it is evaluated under.
    pub config: &'a str,
    /// The time that it is of.
    pub now: Timestamp,
}

/// A message that waits for its turn.
#[derive(Debug, Serialize)]
pub struct WaitingView {
    /// The message.
    #[serde(flatten)]
    pub message: WaitingMessage,
    /// The step in words; times are in the person's zone.
    pub told: String,
}

/// A mail that waits for an address.
#[derive(Debug, Serialize)]
pub struct HeldView<'a> {
    /// The journey.
    pub journey: &'a str,
    /// The template.
    pub template: &'a str,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it counts as not deliverable.
    pub until: Timestamp,
}

/// A segment of the person.
#[derive(Debug, Serialize)]
pub struct SegmentView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Since when; `null` if the person has not been evaluated since entering it.
    pub since: Option<Timestamp>,
}

/// The latest answer to the recommendation survey.
#[derive(Debug, Serialize)]
pub struct NpsView {
    /// The class of the answer.
    pub class: NpsClass,
    /// 0 to 10.
    pub answer: Option<u8>,
    /// When it was given.
    pub at: Option<Timestamp>,
}

/// An answer to a survey.
#[derive(Debug, Serialize)]
pub struct AnswerView {
    /// The answer.
    pub answer: u8,
    /// When it was given.
    pub at: Timestamp,
}

/// A score with its reasons.
#[derive(Debug, Serialize)]
pub struct ScoreView {
    /// The score, 0 to 100.
    pub value: Score,
    /// The contributions, largest first; their points add up to the value, except for up to half a point of rounding.
    pub reasons: Vec<Reason>,
    /// The score at the beginnings of the newest weeks, the oldest first.
    pub trend: Vec<TrendPoint>,
}

/// The numbers of active days.
#[derive(Debug, Serialize)]
pub struct ActiveDays {
    /// Of the last 7 days.
    pub last_7: u32,
    /// Of the last 28 days.
    pub last_28: u32,
    /// Of the last 90 days.
    pub last_90: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(is: &bool) -> bool {
    !is
}

fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}

/// Returns the profile of a person who was found: half a read unit for each 4 KB of their messages.
///
/// # Errors
/// [`ViewError`] if the table fails.
pub async fn view<'a>(views: &Views, found: &'a Found) -> Result<ProfileView<'a>, ViewError> {
    let (profile, state, config) = (&found.profile, &found.state, &found.config);
    let messages = trail::messages(views, profile, config, &found.facts).await?;
    let evaluation = evaluate(&found.moment(), state);
    Ok(ProfileView {
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
        scores: Likelihood::ALL.into_iter().filter_map(|one| Some((one, score(found, one)?))).collect(),
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
        crm: &found.updates.items,
        unreadable_updates: found.updates.unreadable,
        waiting: waiting(config, profile, &time_zone(config, state)),
        held: held(config, profile).map(held_view).collect(),
        due_at: profile.due_at,
        config: config.version.as_str(),
        now: found.now,
    })
}

/// Returns the person's segments, in the configuration's order.
pub fn segments<'c>(config: &'c Config, evaluation: &Evaluation, facts: &Facts) -> Vec<SegmentView<'c>> {
    let since = |name: &str| {
        let (_, segment) = config.segments.get(name)?;
        Timestamp::from_millisecond(*facts.segments.get(&segment.key)?).ok()
    };
    evaluation.segments(config).map(|name| SegmentView { name, since: since(name) }).collect()
}

/// Returns the latest answer and its class.
pub fn nps(evaluation: &Evaluation, state: &State) -> NpsView {
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
