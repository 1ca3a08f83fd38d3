//! A batch of events, or a timer, for one person.

use crate::action::Action;
use crate::apply::apply;
use crate::decide::Situation;
use crate::due::{lower_bound, next_due};
use crate::evaluate::{Evaluation, evaluate};
use crate::profile::Profile;
use crate::seen::RolledBlock;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, EventKind, Identity, Member, PersonId, Score, hash};
use std::collections::HashSet;

/// Whether decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Messages and everything else.
    Live,
    /// State only, as when rebuilding it from the archive: nothing is sent and nothing is published.
    Replay,
}

/// What came of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// Events counted.
    pub counted: u32,
    /// Events that had been counted before.
    pub duplicates: u32,
    /// Ledger blocks, to be written before the profile is.
    pub rolled: Vec<RolledBlock>,
    /// Whether the profile has to be written.
    pub changed: bool,
    /// What the profile means now.
    pub evaluation: Evaluation,
}

/// Counts `events`, all of identities that are parts of `profile` (or become so), and decides what follows at `now`.
/// `ledger` holds (owner, id hash) of what the ledger knows of those events that
/// [`crate::SeenIds::may_be_in_ledger`] asked about.
pub fn process(
    config: &Config,
    profile: &mut Profile,
    events: &[Event],
    ledger: &HashSet<(PersonId, u64)>,
    now: Timestamp,
    mode: Mode,
) -> Processed {
    let mut rolled = Vec::new();
    let (mut counted, mut duplicates) = (0, 0);
    let mut touched: HashSet<PersonId> = HashSet::new();
    let mut fresh: Vec<(&Event, Identity)> = Vec::new();
    for event in events {
        let Some(identity) = event.identity() else { continue };
        let part = profile.part_mut(&identity);
        let owner = part.owner();
        let id = event.message_id.hash64();
        if part.seen.contains(id) || ledger.contains(&(owner, id)) {
            duplicates += 1;
            continue;
        }
        if touched.insert(owner) {
            let blocks = part.seen.roll(owner);
            // Ids that just left the window still have to be told from repeats within this batch.
            let back = blocks.iter().flat_map(|block| &block.ids).any(|rolled| *rolled == id);
            rolled.extend(blocks);
            if back {
                duplicates += 1;
                continue;
            }
        } else if rolled.iter().any(|block| block.owner == owner && block.ids.contains(&id)) {
            duplicates += 1;
            continue;
        }
        apply(config, &mut part.state, event);
        part.seen.record(event);
        counted += 1;
        fresh.push((event, identity));
    }
    let view = profile.view();
    let evaluation = evaluate(config, &view, now);
    let mut changed = counted > 0 || !rolled.is_empty();
    if mode == Mode::Live && counted > 0 {
        index_addresses(profile, &fresh);
        tell_account_traits(profile, &fresh);
        let situation = Situation { config, view: &view, evaluation: &evaluation, now };
        situation.on_events(profile, &fresh);
        let recent = i64::from(config.channels.max_event_age_hours) * 3600;
        let speak = fresh.iter().any(|(event, _)| now.as_second() - event.timestamp.as_second() <= recent);
        situation.on_state(profile, speak);
        publish(profile, &view, &evaluation);
        changed |= reschedule(config, profile, &view, now);
    }
    Processed { counted, duplicates, rolled, changed, evaluation }
}

/// Looks at a person because time has passed.
pub fn tick(config: &Config, profile: &mut Profile, now: Timestamp) -> Processed {
    let before = (profile.outbox.len(), profile.facts());
    let view = profile.view();
    let evaluation = evaluate(config, &view, now);
    let situation = Situation { config, view: &view, evaluation: &evaluation, now };
    situation.on_state(profile, true);
    publish(profile, &view, &evaluation);
    let moved = reschedule(config, profile, &view, now);
    let changed = moved || before != (profile.outbox.len(), profile.facts());
    Processed { counted: 0, duplicates: 0, rolled: Vec::new(), changed, evaluation }
}

/// Moves the due index only where it has to be: when it holds nothing or something past, or something later than time
/// could now matter. What it holds otherwise rings early, is looked at, and is moved then.
fn reschedule(config: &Config, profile: &mut Profile, view: &State, now: Timestamp) -> bool {
    let held = profile.due_at.filter(|at| *at > now);
    let due = match (held, lower_bound(config, view, now)) {
        (Some(held), Some(bound)) if held <= bound => Some(held),
        _ => next_due(config, view, &profile.facts(), now),
    };
    let moved = due != profile.due_at;
    profile.due_at = due;
    moved
}

/// Lets mail addresses that are new to the profile be found as this person.
fn index_addresses(profile: &mut Profile, fresh: &[(&Event, Identity)]) {
    for (event, identity) in fresh {
        if event.kind != EventKind::Identify {
            continue;
        }
        let Some(address) = event.traits.get("email").and_then(|value| value.as_str()) else { continue };
        let address = address.trim().to_lowercase();
        if address.is_empty() || address.len() > 320 {
            continue;
        }
        if profile.part_mut(identity).facts.indexed.insert(hash::hash64(&[address.as_bytes()])) {
            profile.outbox.push(Action::IndexAddress { address });
        }
    }
}

fn tell_account_traits(profile: &mut Profile, fresh: &[(&Event, Identity)]) {
    for (event, _) in fresh {
        if let (EventKind::Group, Some(account), false) = (event.kind, &event.group_id, event.traits.is_empty()) {
            profile.outbox.push(Action::AccountTraits {
                account: account.clone(),
                traits: event.traits.clone(),
                at: event.timestamp,
                message_id: event.message_id.clone(),
            });
        }
    }
}

/// Gives the account the person's slim entry where it changed enough to matter: another account or stage, a score moved by
/// 5 points or over a tenth of the way to ready, engagement by 10, or a week of activity.
fn publish(profile: &mut Profile, view: &State, evaluation: &Evaluation) {
    let account = view.account_id();
    if let Some((old, _)) = &profile.published
        && account.as_ref() != Some(old)
    {
        profile.outbox.push(Action::LeaveAccount { account: old.clone(), person: profile.id });
        profile.published = None;
    }
    let Some(account) = account else { return };
    let scores = evaluation
        .scores
        .iter()
        .filter(|(_, scored)| scored.value.get() > 0)
        .map(|(likelihood, scored)| (*likelihood, scored.value));
    let member = Member {
        person: profile.id,
        stage: evaluation.stage,
        scores: scores.collect(),
        engagement: evaluation.engagement,
        last_seen: view.seen.map(|seen| seen.last_at()),
        personas: std::collections::BTreeSet::new(),
    };
    if profile.published.as_ref().is_none_or(|(_, old)| differs(old, &member)) {
        profile.published = Some((account.clone(), member.clone()));
        profile.outbox.push(Action::PublishMember { account, member });
    }
}

fn differs(old: &Member, new: &Member) -> bool {
    let apart = |a: Score, b: Score| a.get().abs_diff(b.get());
    let score = |member: &Member, likelihood| member.scores.get(likelihood).copied().unwrap_or_default();
    let mut likelihoods = old.scores.keys().chain(new.scores.keys());
    let week = 7 * perennial_domain::time::DAY_SECONDS;
    let seen = |member: &Member| member.last_seen.map_or(0, |at| at.as_second());
    old.stage != new.stage
        || likelihoods.any(|likelihood| apart(score(old, likelihood), score(new, likelihood)) >= 5)
        || apart(old.engagement, new.engagement) >= 10
        || seen(new) - seen(old) >= week
}
