//! The stage, from the person's own facts and those of the account.

use crate::billing::{CHANGEOVER, Phase, Standing, phases};
use crate::instant::timestamp;
use crate::moment::Moment;
use crate::state::State;
use jiff::{SignedDuration, Timestamp};
use perennial_config::lifecycle::{Lifecycle, Milestone};
use perennial_domain::time::{days_between, plus_days};
use perennial_domain::{AccountId, Stage};
use serde::Serialize;

/// How long after the end of a subscription the resulting stage triggers nothing: a plan is changed by cancelling it
/// and subscribing again a moment later.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);

/// Returns the stage at a moment. A person who pays for anything is a customer: at risk once idle for the configured
/// days; won back for as long as customers are new, if they had paid before and stopped; else new, adopting or
/// established by the days since they began to pay without a break. For others, a trial or a free plan decides,
/// whichever is newer; else whether they ever paid. A trial ends with its period, and a person whose trial ends without
/// a payment is a lead again.
///
/// If people follow their account, a person who is not a customer by their own facts becomes one as soon as the account
/// pays (by the days since they were first seen), and a customer has churned when the account has, unless they pay for
/// another account's or their own subscription. The same applies to a person who belongs to another account that pays:
/// a trial elsewhere is that account's. A person whose subscription for an account has ended while the account pays for
/// another one has not churned.
pub fn stage(moment: &Moment<'_>, state: &State) -> Stage {
    stage_of(moment, state, &Standing::of(moment, state))
}

pub(crate) fn stage_of(moment: &Moment<'_>, state: &State, standing: &Standing) -> Stage {
    let lifecycle = &moment.config.lifecycle;
    let (own, _) = own_stage(moment, state, standing);
    if !lifecycle.people_follow_account {
        return own;
    }
    let customer_for = |days: i64| {
        if is_idle(lifecycle, state, moment.now) { Stage::AtRisk } else { by_tenure(lifecycle, days) }
    };
    let theirs = moment.account.and_then(|account| Some((account, account.stage?)));
    let has_payer = moment.pays_elsewhere || theirs.is_some_and(|(_, stage)| stage.pays());
    if has_payer && matches!(own, Stage::Visitor | Stage::Lead | Stage::Trial | Stage::Freemium) {
        return customer_for(state.seen.map_or(0, |seen| days_between(seen.first_at(), moment.now)));
    }
    if let Some((account, stage)) = theirs
        && own == Stage::Churned
        && stage.pays()
        && has_ended_for(&account.id, state, standing)
    {
        return customer_for(standing.first_paid.map_or(0, |first| days_between(timestamp(first), moment.now)));
    }
    let Some((account, Stage::Churned)) = theirs else { return own };
    let is_elsewhere = |payer: &Option<String>| payer.as_deref().is_some_and(|payer| payer != account.id.as_str());
    if own.pays() && !moment.pays_elsewhere && !standing.payers.iter().any(is_elsewhere) {
        return Stage::Churned;
    }
    own
}

/// Returns whether all that a person stopped paying for were subscriptions of `account`, which may pay for another one:
/// nobody has churned that way.
fn has_ended_for(account: &AccountId, state: &State, standing: &Standing) -> bool {
    let is_theirs = |ended: &Option<String>| ended.as_deref() == Some(account.as_str());
    !state.milestones.contains_key(&Milestone::Churned)
        && !standing.ended_for.is_empty()
        && standing.ended_for.iter().all(is_theirs)
}

/// Returns when it is final that a person in `stage`, who pays for nothing, has really stopped; `None` if it is, or
/// they have not.
pub(crate) fn settles_at(moment: &Moment<'_>, stage: Stage, standing: &Standing) -> Option<Timestamp> {
    if stage.pays() {
        return None;
    }
    let of_account = moment.account.filter(|_| moment.config.lifecycle.people_follow_account);
    let of_account = of_account.and_then(|account| account.left).filter(|_| stage == Stage::Churned);
    settled(standing.ended.map(timestamp).max(of_account)?, moment.now)
}

/// When it is settled that what ended at `ended` is really over; `None` where it is.
pub(crate) fn settled(ended: Timestamp, now: Timestamp) -> Option<Timestamp> {
    ended.checked_add(SETTLING).ok().filter(|settles| ended <= now && now < *settles)
}

/// Returns the stage by the person's own facts, and since when the facts have been so, in microseconds since 1970: for
/// a customer, since when they have paid.
fn own_stage(moment: &Moment<'_>, state: &State, standing: &Standing) -> (Stage, Option<i64>) {
    if let Some(since) = standing.paying_since {
        let stage = paying(&moment.config.lifecycle, state, moment.now, since, standing.returned);
        return (stage, Some(since));
    }
    let of = |milestone| state.milestones.get(&milestone).map(|span| span.last);
    let free = standing.free_since.max(of(Milestone::Freemium));
    let trial = match told_trial(moment, of(Milestone::Trial)) {
        Some(Ok(since)) => standing.trial_since.max(Some(since)),
        _ => standing.trial_since,
    };
    let lost = lost_trial(moment, state, standing);
    // A cancellation without a known start is of a paid subscription, unless a trial is known.
    let cancelled = of(Milestone::Churned);
    let was_paid = standing.first_paid.is_some() || of(Milestone::Trial).is_none();
    let left = standing.left.max(cancelled.filter(|_| was_paid));
    let trial = trial.filter(|since| Some(*since) > cancelled);
    let newest = [(trial, Stage::Trial), (free, Stage::Freemium)];
    let open = newest.into_iter().filter_map(|(at, stage)| Some((at?, stage))).max();
    match open {
        Some((at, Stage::Trial)) => (Stage::Trial, Some(at)),
        Some((at, stage)) if left.is_none_or(|left| at >= left) => (stage, Some(at)),
        _ if left.is_some() => (Stage::Churned, left),
        _ if lost.is_some() || of(Milestone::Lead).is_some() => (Stage::Lead, lost.or(of(Milestone::Lead))),
        _ => (Stage::Visitor, None),
    }
}

/// Returns when a trial last ended without a payment, in microseconds since 1970.
pub(crate) fn lost_trial(moment: &Moment<'_>, state: &State, standing: &Standing) -> Option<i64> {
    let of = |milestone| state.milestones.get(&milestone).map(|span| span.last);
    let ended = told_trial(moment, of(Milestone::Trial)).and_then(Result::err);
    let was_paid = standing.first_paid.is_some() || of(Milestone::Trial).is_none();
    standing.lost.max(ended).max(of(Milestone::Churned).filter(|_| !was_paid))
}

/// Returns the trial that was counted as a milestone, before subscriptions were distinguished: since when, or when it
/// ended.
fn told_trial(moment: &Moment<'_>, since: Option<i64>) -> Option<Result<i64, i64>> {
    let since = since?;
    let end = plus_days(timestamp(since), i64::from(moment.config.billing.trial_days));
    Some(if moment.now < end { Ok(since) } else { Err(end.as_microsecond()) })
}

fn paying(lifecycle: &Lifecycle, state: &State, now: Timestamp, since: i64, returned: bool) -> Stage {
    let days = days_between(timestamp(since), now);
    if is_idle(lifecycle, state, now) {
        Stage::AtRisk
    } else if returned && days < i64::from(lifecycle.onboarding_days) {
        Stage::WonBack
    } else {
        by_tenure(lifecycle, days)
    }
}

fn is_idle(lifecycle: &Lifecycle, state: &State, now: Timestamp) -> bool {
    let idle = state.seen.map_or(0, |seen| days_between(seen.last_at(), now));
    idle >= i64::from(lifecycle.at_risk_after_idle_days)
}

fn by_tenure(lifecycle: &Lifecycle, days: i64) -> Stage {
    if days < i64::from(lifecycle.onboarding_days) {
        Stage::Onboarding
    } else if days < i64::from(lifecycle.adopting_days) {
        Stage::Adopting
    } else {
        Stage::Established
    }
}

/// One change of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageMove {
    /// When.
    pub at: Timestamp,
    /// The new stage.
    pub stage: Stage,
}

/// Returns a person's stage history by their own facts, the oldest change first and the current stage last: from the
/// first time of each milestone, the newest changes, the ends of subscriptions and trials, and the days that make a
/// customer adopting or established. Of several pauses that made them at risk only the last is included.
pub fn stage_history(moment: &Moment<'_>, state: &State) -> Vec<StageMove> {
    let standing = Standing::of(moment, state);
    let firsts = state.milestones.iter().map(|(milestone, span)| (span.first, *milestone));
    // A subscription that has not begun, by its last status, is not a change, whatever was reported before.
    let told_of: Vec<_> = phases(moment, state).filter(|(_, phase)| !matches!(phase, Phase::Nothing)).collect();
    let trials = told_of.iter().filter_map(|(each, _)| Some((each.trial?.first, Milestone::Trial)));
    let free = told_of.iter().filter_map(|(each, phase)| match *phase {
        Phase::Free { since } if each.began.is_none() => Some((since, Milestone::Freemium)),
        _ => None,
    });
    let begun = told_of.iter().filter_map(|(each, _)| Some((each.began?, Milestone::Customer)));
    // Also changes without an event: a trial that ran out, a status, a period after which it was to end.
    let ends = told_of.iter().filter_map(|(each, phase)| match *phase {
        // A first payment that never arrived ended nothing.
        Phase::Ended { at, paid: false } if each.trial.is_none() => Some((at, Milestone::Lead)),
        Phase::Ended { at, .. } => Some((at, Milestone::Churned)),
        _ => None,
    });
    // The end of a trial that was never paid for ends nothing that is paid for beside it.
    let lapsed = |at: i64| {
        let ended = told_of.iter().filter_map(|(each, phase)| match *phase {
            Phase::Ended { at: end, paid } if end == at => Some(paid || each.trial.is_none()),
            _ => None,
        });
        let mut paid = ended.peekable();
        paid.peek().is_some() && paid.all(|is_paid| !is_paid)
    };
    let mut moves: Vec<(i64, Milestone)> =
        firsts.chain(trials).chain(free).chain(begun).chain(ends).chain(state.moves.iter().copied()).collect();
    moves.sort_unstable();
    moves.dedup();
    let mut told: Vec<StageMove> = Vec::new();
    // Since when they pay without a break, and whether they had paid before and stopped.
    let (mut since, mut left) = (None, false);
    for (index, (at, milestone)) in moves.iter().enumerate() {
        let when = timestamp(*at);
        let until = moves.get(index + 1).map_or(moment.now, |(next, _)| timestamp(*next));
        match milestone {
            Milestone::Lead if told.is_empty() => tell(&mut told, when, Stage::Lead),
            Milestone::Lead => {}
            Milestone::Trial if since.is_none() => tell(&mut told, when, Stage::Trial),
            Milestone::Freemium if since.is_none() => tell(&mut told, when, Stage::Freemium),
            Milestone::Trial | Milestone::Freemium => {}
            // One of several subscriptions.
            Milestone::Churned if standing.paying_since.is_some_and(|since| since <= at.saturating_add(CHANGEOVER)) => {
            }
            Milestone::Churned if since.is_some() && lapsed(*at) => {}
            // A cancellation without a known start is of a paid subscription.
            Milestone::Churned => {
                left |= since.take().is_some() || told.is_empty();
                tell(&mut told, when, if left { Stage::Churned } else { Stage::Lead });
            }
            Milestone::Customer => {
                let began = *since.get_or_insert(*at);
                grow(&mut told, moment, left, timestamp(began), when, until);
            }
        }
    }
    let (now, since) = own_stage(moment, state, &standing);
    settle(&mut told, moment, state, standing.returned, now, since.map(timestamp));
    told
}

/// Ends a history with the current stage, even if no event reported the last change.
fn settle(
    told: &mut Vec<StageMove>,
    moment: &Moment<'_>,
    state: &State,
    returned: bool,
    now: Stage,
    since: Option<Timestamp>,
) {
    if now == Stage::AtRisk
        && let Some(seen) = state.seen
    {
        let idle = plus_days(seen.last_at(), i64::from(moment.config.lifecycle.at_risk_after_idle_days));
        // A person who starts to pay while inactive is at risk from that moment on, not earlier.
        let from = since.map_or(idle, |since| idle.max(since));
        told.retain(|told| told.at < from);
        return tell(told, from, now);
    }
    if now == Stage::Visitor {
        // Nobody becomes a visitor again: an announced event, such as a trial, has not begun by its subscription's last
        // status.
        return told.clear();
    }
    if told.last().is_some_and(|last| last.stage == now) {
        return;
    }
    let Some(since) = since else { return };
    told.retain(|told| told.at < since);
    if now.pays() {
        grow(told, moment, returned, since, since, moment.now);
    } else {
        tell(told, since, now);
    }
}

/// Adds the growth of a customer of `began` from `when` to `until`.
fn grow(
    told: &mut Vec<StageMove>,
    moment: &Moment<'_>,
    left: bool,
    began: Timestamp,
    when: Timestamp,
    until: Timestamp,
) {
    let lifecycle = &moment.config.lifecycle;
    let of = |days: i64| {
        let is_new = left && days < i64::from(lifecycle.onboarding_days);
        if is_new { Stage::WonBack } else { by_tenure(lifecycle, days) }
    };
    tell(told, when, of(days_between(began, when)));
    for days in [lifecycle.onboarding_days, lifecycle.adopting_days].map(i64::from) {
        let grown = plus_days(began, days);
        if grown > when && grown <= until && grown <= moment.now {
            tell(told, grown, of(days));
        }
    }
}

fn tell(told: &mut Vec<StageMove>, at: Timestamp, stage: Stage) {
    if told.last().is_none_or(|last| last.stage != stage) {
        told.push(StageMove { at, stage });
    }
}
