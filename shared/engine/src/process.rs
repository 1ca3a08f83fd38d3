//! Processes a batch of events, or a timer, for one profile.

use crate::account::{renewal, silence};
use crate::action::Action;
use crate::apply::{apply, is_of_subscriptions};
use crate::billing::{moves, report};
use crate::claims;
use crate::crm;
use crate::drift::Watched;
use crate::due::next_due;
use crate::evaluate::{Evaluation, look};
use crate::held;
use crate::limits;
use crate::moment::Moment;
use crate::person::Person;
use crate::profile::Profile;
use crate::publish::publish;
use crate::pushes;
use crate::relist::list;
use crate::runs;
use crate::seen::RolledBlock;
use crate::situation::Situation;
use crate::starts::{self, Onset};
use crate::taken::StepTaken;
use crate::trend;
use crate::unverified::told_at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::config::LEFT_TRAIT;
use perennial_domain::event::JOURNEYS;
use perennial_domain::{AccountId, Event, EventKind, Identity, PersonId};
use std::collections::HashSet;

/// Specifies whether decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Messages and everything else.
    Live,
    /// State only, as when rebuilding it from the archive: nothing is sent or published.
    Replay,
}

/// The result of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// Events counted.
    pub counted: u32,
    /// Events that had been counted before; those that journeys count are not among them.
    pub duplicates: u32,
    /// Ledger blocks, to be written before the profile is.
    pub rolled: Vec<RolledBlock>,
    /// `true` if the profile has to be written.
    pub changed: bool,
    /// The current evaluation of the profile.
    pub evaluation: Evaluation,
    /// The journeys' steps, in order; empty in [`Mode::Replay`].
    pub steps: Vec<StepTaken>,
}

/// Counts `events`, all of identities of `profile` (or new ones), and decides at the moment. `ledger` contains (owner,
/// id hash) of the events in the ledger, among those that [`crate::SeenIds::may_be_in_ledger`] returned.
pub fn process(
    moment: &Moment<'_>,
    profile: &mut Profile,
    events: &[Event],
    ledger: &HashSet<(PersonId, u64)>,
    mode: Mode,
) -> Processed {
    let moment = &moment.of(profile.id);
    let config = moment.config;
    let known = profile.counted();
    let mut rolled = Vec::new();
    let (mut counted, mut duplicates) = (0, 0);
    let mut touched: HashSet<PersonId> = HashSet::new();
    let mut fresh: Vec<(&Event, Identity)> = Vec::new();
    let had = moves::holders(profile);
    for event in events {
        let Some(identity) = event.identity() else { continue };
        // A journey's event may be sent again by its outbox, which is not a repetition of a sender.
        let repeated = u32::from(event.source.as_str() != JOURNEYS);
        let part = profile.part_mut(&identity);
        let owner = part.owner();
        let id = event.seen_id();
        if part.seen.contains(id) || ledger.contains(&(owner, id)) {
            duplicates += repeated;
            continue;
        }
        if touched.insert(owner) {
            let blocks = part.seen.roll(owner, moment.now);
            // Ids that just left the window still have to be recognized as repeats within this batch.
            let back = blocks.iter().flat_map(|block| &block.ids).any(|rolled| *rolled == id);
            rolled.extend(blocks);
            if back {
                duplicates += repeated;
                continue;
            }
        } else if rolled.iter().any(|block| block.owner == owner && block.ids.contains(&id)) {
            duplicates += repeated;
            continue;
        }
        if mode == Mode::Live {
            trend::note(moment, profile, event.timestamp);
        }
        let part = profile.part_mut(&identity);
        apply(config, &mut part.state, event);
        part.seen.record(event);
        counted += 1;
        fresh.push((event, identity));
    }
    let claimed = claims::note(&config.identity, profile, &fresh);
    let view = profile.view();
    let person = look(moment, &view);
    let evaluation = Evaluation::of(&person);
    let mut changed = counted > 0 || !rolled.is_empty();
    let mut steps = Vec::new();
    if mode == Mode::Live && counted > 0 {
        let is_open = claimed.iter().any(Action::may_join);
        profile.outbox.extend(claimed);
        let named = tell_account(config, profile, &fresh);
        moves::tell(profile, &view, &named, &had);
        limits::forget(moment, profile);
        let recent = i64::from(config.channels.max_event_age_hours) * 3600;
        let now = moment.now.as_second();
        let is_recent = |(event, _): &(&Event, Identity)| !event.history && now - event.timestamp.as_second() <= recent;
        let speak = fresh.iter().any(is_recent);
        let old = fresh.iter().filter(|event| !is_recent(event)).count() as u64;
        let was_imported = profile.parts.iter().any(|part| starts::is_of_import(part.facts.imported, moment.now));
        // A person who becomes known with a history is imported, even if they are active; and so is one whose history
        // follows their first events.
        let is_imported = old > known || (old > 0 && was_imported);
        if let Some(part) = profile.primary_mut().filter(|_| is_imported) {
            part.facts.imported = Some(now);
        }
        let mut situation = Situation::new(&person, profile);
        situation.release(is_open);
        situation.take_deferred(&fresh);
        situation.on_events(&fresh);
        // An old event of an active person does not start anything: its effect was over before it arrived. And an
        // import triggers no messages to people who left long ago.
        let idle = view.seen.map(|seen| now - seen.last_at().as_second());
        situation.on_state(match idle {
            _ if speak && !is_imported => Onset::Now,
            Some(idle) if idle <= recent && !is_imported => Onset::Note,
            idle => starts::onset_of_import(idle),
        });
        steps = situation.taken;
        publish(moment, profile, &view, &evaluation);
        list(moment, profile, &view, &evaluation);
        crm::write(&person, profile, speak && !is_imported);
        changed |= reschedule(profile, &person);
    }
    Processed { counted, duplicates, rolled, changed, evaluation, steps }
}

/// Evaluates a profile because of time, or of a change of its account.
pub fn tick(moment: &Moment<'_>, profile: &mut Profile) -> Processed {
    look_again(moment, profile, true)
}

/// Evaluates a profile after a change other than events, such as of its identities. Without `speak`, thresholds are
/// recorded as passed and no messages are triggered.
pub fn look_again(moment: &Moment<'_>, profile: &mut Profile, speak: bool) -> Processed {
    let moment = &moment.of(profile.id);
    let planned = profile.outbox.len();
    let view = profile.view();
    let person = look(moment, &view);
    let evaluation = Evaluation::of(&person);
    let mut situation = Situation::new(&person, profile);
    let before = situation.facts.clone();
    let released = situation.release(false) | (speak && situation.take_deferred(&[]));
    let idle = view.seen.map(|seen| moment.now.as_second() - seen.last_at().as_second());
    situation.on_state(match speak {
        true if starts::is_of_import(situation.facts.imported, moment.now) => starts::onset_of_import(idle),
        true => Onset::Now,
        false => Onset::Note,
    });
    let decided = situation.facts != before;
    let steps = situation.taken;
    publish(moment, profile, &view, &evaluation);
    let listed = list(moment, profile, &view, &evaluation);
    let written = crm::write(&person, profile, false);
    let moved = reschedule(profile, &person);
    let changed = moved || listed || written || decided || released || profile.outbox.len() != planned;
    Processed { counted: 0, duplicates: 0, rolled: Vec::new(), changed, evaluation, steps }
}

/// The result of applying new journeys to a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Met {
    /// `true` if the profile has to be written: a repetition changes nothing.
    pub changed: bool,
    /// The current evaluation.
    pub evaluation: Evaluation,
}

/// Evaluates a profile because the journeys with the keys `new` were pushed: those whose triggers already hold are
/// planned, see [`crate::facts::Facts::starts`], and the profile is due by the earliest time at which time alone
/// matters now. Nothing is sent.
pub fn meet(moment: &Moment<'_>, profile: &mut Profile, new: &HashSet<u32>) -> Met {
    let moment = &moment.of(profile.id);
    let view = profile.view();
    let person = look(moment, &view);
    let evaluation = Evaluation::of(&person);
    let mut situation = Situation::new(&person, profile);
    let before = situation.facts.clone();
    situation.on_new(new);
    let planned = situation.facts != before;
    // The stored time stays if nothing is earlier, even if it is past: it is yet to be processed.
    let until = profile.due_at.into_iter().chain(starts::next_due(profile)).min();
    let listed = list(moment, profile, &view, &evaluation);
    let due = next_due(&person, Watched::of(moment.config, profile, &view), until);
    let is_earlier = due != profile.due_at;
    profile.due_at = due;
    Met { changed: planned || is_earlier || listed, evaluation }
}

/// Updates the due time only if necessary: if it is unset or past, or later than time could now matter. Otherwise its
/// timer fires early, the profile is evaluated, and the time is updated then.
pub(crate) fn reschedule(profile: &mut Profile, person: &Person<'_>) -> bool {
    let (moment, view) = (&person.moment, person.state);
    let held = held::next_due(moment, profile, view);
    let left_alone = pushes::next_due(moment.config, profile, moment.now);
    if let Some(settles) = settling(person) {
        // Until then only mails that wait for an address are processed.
        let due = held.map_or(settles, |held| held.min(settles));
        return profile.due_at.replace(due) != Some(due);
    }
    let known = profile.due_at.filter(|at| *at > moment.now);
    let unwritten = crm::next_due(person, profile);
    let waiting = [runs::next_due(profile), starts::next_due(profile), held, left_alone, unwritten];
    let until = waiting.into_iter().chain([known]).flatten().min();
    let until = match &profile.published {
        Some((_, member)) => silence::next_departure(moment, view, member, until),
        None => until,
    };
    let due = next_due(person, Watched::of(moment.config, profile, view), until);
    let moved = due != profile.due_at;
    profile.due_at = due;
    moved
}

/// Returns when it is settled that the person has stopped paying, rounded up to a second; `None` if it is.
fn settling(person: &Person<'_>) -> Option<Timestamp> {
    let at = person.settles_at()?;
    Timestamp::from_second(at.as_second() + i64::from(at.subsec_nanosecond() > 0)).ok()
}

/// Forwards what the events contain about whole accounts: traits, renewals, and stages. Returns the reported
/// subscriptions with an id, by their keys, each with the account in the event.
fn tell_account<'e>(
    config: &Config,
    profile: &mut Profile,
    fresh: &[(&'e Event, Identity)],
) -> Vec<(u64, &'e AccountId)> {
    let mut named = Vec::new();
    for (event, _) in fresh {
        let Some(account) = event.account() else { continue };
        let mut traits = event.traits.clone();
        // It is about the person.
        traits.retain(|name, value| name != LEFT_TRAIT || !value.is_boolean());
        if event.kind == EventKind::Group && !traits.is_empty() {
            profile.outbox.push(Action::AccountTraits {
                account: account.clone(),
                traits,
                at: told_at(event),
                message_id: event.message_id.clone(),
                signed: !event.vouches(),
            });
        }
        let report = report(config, event);
        named.extend(report.iter().filter(|report| report.named).map(|report| (report.key, account)));
        let report = report.filter(|report| report.named || config.tells_stage(event));
        for milestone in config.account_milestones(event) {
            let (account, milestone) = (account.clone(), *milestone);
            if report.is_none() || !is_of_subscriptions(milestone) {
                profile.outbox.push(Action::AccountMilestone { account, milestone, at: event.timestamp });
            }
        }
        match report {
            Some(report) => {
                profile.outbox.push(Action::AccountSubscription { account: account.clone(), report: Box::new(report) });
            }
            None => profile.outbox.extend(renewal::told_by(config, account, event)),
        }
    }
    named
}
