//! `GET /api/profiles/{identity}`: a person as of now.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_domain::time::day_of;
use perennial_domain::{AccountId, Currency, Identity, PersonId, Score, Scores, Stage};
use perennial_engine::{Moment, Profile, State, evaluate};
use perennial_store::messages::MessageRecord;
use perennial_store::{Store, StoreError, Stored};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
struct ProfileView<'a> {
    id: PersonId,
    identities: Vec<IdentityView<'a>>,
    traits: BTreeMap<&'a str, Value>,
    account: Option<AccountId>,
    stage: Stage,
    /// Active days of the last 28, as 0 to 100.
    engagement: Score,
    scores: Scores,
    tallies: &'a BTreeMap<String, u32>,
    counts: BTreeMap<&'a str, u32>,
    /// Events of names that are not counted by themselves.
    #[serde(skip_serializing_if = "is_zero")]
    other_events: u32,
    events: u64,
    /// Minor units by currency.
    revenue: &'a BTreeMap<Currency, i64>,
    first_seen: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    idle_days: Option<i64>,
    active_days: ActiveDays,
    messages: Vec<MessageRecord>,
    due_at: Option<Timestamp>,
    config: &'a str,
    now: Timestamp,
}

#[derive(Serialize)]
struct IdentityView<'a> {
    kind: &'static str,
    id: &'a str,
    /// When it was joined to the user, for an anonymous id that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct ActiveDays {
    last_7: u32,
    last_28: u32,
    last_90: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Answers with the person behind `identity`.
pub(crate) async fn show(deps: &Deps, identity: &str) -> Result<Response<Body>, Failure> {
    let stored = find(&deps.store, identity).await?;
    let messages = messages(&deps.store, &stored.profile).await?;
    let config = deps.config.current().await;
    let now = deps.clock.now();
    let state = stored.profile.view();
    let evaluation = evaluate(&Moment::new(&config, now), &state);
    answer::json(&ProfileView {
        id: stored.profile.id,
        identities: stored
            .profile
            .parts
            .iter()
            .map(|part| identity_view(&part.identity, part.link.as_ref().map(|link| link.at)))
            .collect(),
        traits: traits(&state),
        account: state.account_id(),
        stage: evaluation.stage,
        engagement: evaluation.engagement,
        scores: evaluation.scores,
        tallies: &state.tallies,
        counts: state.counts.iter().collect(),
        other_events: state.counts.other(),
        events: state.counts.total(),
        revenue: &state.revenue,
        first_seen: state.seen.map(|seen| seen.first_at()),
        last_seen: state.seen.map(|seen| seen.last_at()),
        idle_days: evaluation.idle_days,
        active_days: active_days(&state, now),
        messages,
        due_at: stored.profile.due_at,
        config: config.version.as_str(),
        now,
    })
}

/// The profile behind any identity.
pub(crate) async fn find(store: &Store, identity: &str) -> Result<Stored, Failure> {
    let found = store.resolve(identity).await?;
    found.ok_or(Failure::NotFound("no person has this person id, user id, anonymous id or mail address"))
}

/// Who the person was before parts were joined: messages stay with whom they were decided for.
pub(crate) fn people(profile: &Profile) -> BTreeSet<PersonId> {
    profile.parts.iter().map(perennial_engine::Part::owner).chain([profile.id]).collect()
}

async fn messages(store: &Store, profile: &Profile) -> Result<Vec<MessageRecord>, StoreError> {
    let mut messages = Vec::new();
    for person in people(profile) {
        messages.extend(store.messages(person).await?);
    }
    messages.sort_by(|a, b| b.decided_at.cmp(&a.decided_at).then_with(|| a.id.cmp(&b.id)));
    Ok(messages)
}

fn identity_view(identity: &Identity, joined: Option<i64>) -> IdentityView<'_> {
    let kind = match identity {
        Identity::User(_) => "user",
        Identity::Anonymous(_) => "anonymous",
    };
    IdentityView { kind, id: identity.as_str(), joined_at: joined.and_then(|at| Timestamp::from_millisecond(at).ok()) }
}

fn traits(state: &State) -> BTreeMap<&str, Value> {
    let traits = state.traits.iter();
    traits
        .map(|(name, register)| (name.as_str(), serde_json::from_str(&register.value).unwrap_or(Value::Null)))
        .collect()
}

fn active_days(state: &State, now: Timestamp) -> ActiveDays {
    let today = day_of(now);
    ActiveDays {
        last_7: state.days.active(today, 7),
        last_28: state.days.active(today, 28),
        last_90: state.days.active(today, 90),
    }
}
