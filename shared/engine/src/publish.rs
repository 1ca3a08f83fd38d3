//! Publishes a profile's entries to its accounts.

use crate::account::{fingerprint, member, silence};
use crate::action::Action;
use crate::evaluate::Evaluation;
use crate::membership::{last_active_in, memberships};
use crate::moment::Moment;
use crate::profile::Profile;
use crate::state::State;
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{AccountId, Member, Score};
use std::collections::BTreeMap;

/// Publishes the profile's entry to each account if it is new or changed enough to matter: another stage or persona, a
/// score changed by 5 points, engagement by 10, or a week of activity; for the primary account also if the entry's
/// curve no longer matches the state, or ends. Removes it from former accounts. Adds at most one outbox action for each
/// current or former account, and one if the primary account is new.
pub(crate) fn publish(moment: &Moment<'_>, profile: &mut Profile, view: &State, evaluation: &Evaluation) {
    let config = moment.config;
    // An id of another system belongs to no account.
    let known = if profile.is_external() { Vec::new() } else { memberships(config, view) };
    let mut accounts = known.into_iter();
    let (primary, others): (Option<AccountId>, Vec<AccountId>) = (accounts.next(), accounts.collect());
    leave(profile, |account| primary.as_ref() == Some(account) || others.contains(account));
    let Some(primary) = primary else { return };
    let mut entry = member(config, profile.id, view, evaluation);
    let known = profile.published.take().filter(|(account, _)| *account == primary);
    profile.elsewhere.remove(&primary);
    if known.is_none() && config.asks_account() {
        let saw = moment.account.map(|facts| fingerprint(config, facts));
        profile.outbox.push(Action::Join { account: primary.clone(), saw });
    }
    profile.published = match known {
        Some((account, old)) if !differs(&old, &entry, moment.now) && !silence::is_outdated(moment, view, &old) => {
            Some((account, old))
        }
        _ => {
            entry.curve = Some(silence::curve(moment, view, &entry));
            supersede(profile, &primary);
            profile.outbox.push(Action::PublishMember { account: primary.clone(), member: entry.clone() });
            Some((primary, entry.clone()))
        }
    };
    for account in others {
        let member = seen_elsewhere(&entry, view, &account);
        if profile.elsewhere.get(&account).is_none_or(|old| differs(old, &member, moment.now)) {
            profile.elsewhere.insert(account.clone(), member.clone());
            supersede(profile, &account);
            profile.outbox.push(Action::PublishMember { account, member });
        }
    }
}

/// Removes the profile's entry from every account that should no longer have it.
fn leave(profile: &mut Profile, belongs: impl Fn(&AccountId) -> bool) {
    let published = profile.published.iter().map(|(account, _)| account).chain(profile.elsewhere.keys());
    let left: Vec<AccountId> = published.filter(|account| !belongs(account)).cloned().collect();
    profile.published.take_if(|(account, _)| !belongs(account));
    profile.elsewhere.retain(|account, _| belongs(account));
    let person = profile.id;
    for account in left {
        supersede(profile, &account);
        profile.outbox.push(Action::LeaveAccount { account, person, version: None });
    }
}

/// Drops what is yet to be written of the profile's own entry in `account`. Entries are written by the version of the
/// profile's write, of which only the first is accepted: with both in one outbox, the earlier one would win.
fn supersede(profile: &mut Profile, account: &AccountId) {
    let person = profile.id;
    profile.outbox.retain(|action| match action {
        Action::PublishMember { account: of, .. } => of != account,
        Action::LeaveAccount { account: of, person: whose, version: None } => of != account || *whose != person,
        _ => true,
    });
}

/// Returns the entry in an account that is not the primary one: the person, and when they were last active there, to
/// the day. Their scores count in the primary account.
fn seen_elsewhere(entry: &Member, view: &State, account: &AccountId) -> Member {
    let day = last_active_in(view, account);
    Member {
        person: entry.person,
        stage: entry.stage,
        scores: BTreeMap::new(),
        engagement: Score::default(),
        last_seen: day.and_then(|day| Timestamp::from_second(i64::from(day) * DAY_SECONDS).ok()),
        personas: entry.personas.clone(),
        elsewhere: true,
        curve: None,
    }
}

fn differs(old: &Member, new: &Member, now: Timestamp) -> bool {
    let apart = |a: Score, b: Score| a.get().abs_diff(b.get());
    let score = |member: &Member, likelihood| member.scores.get(likelihood).copied().unwrap_or_default();
    let mut likelihoods = old.scores.keys().chain(new.scores.keys());
    let week = 7 * DAY_SECONDS;
    let seen = |member: &Member| member.last_seen.map_or(0, |at| at.as_second());
    old.stage_at(now) != new.stage
        || old.personas != new.personas
        || likelihoods.any(|likelihood| apart(score(old, likelihood), score(new, likelihood)) >= 5)
        || apart(old.engagement, new.engagement) >= 10
        || seen(new) - seen(old) >= week
}
