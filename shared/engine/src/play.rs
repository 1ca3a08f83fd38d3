//! Plays a journey for one person on a virtual clock: what would happen, and when. Nothing is written or sent.
//!
//! The engine runs as it does for everyone: time passes from one due time to the next, events that a journey records
//! are processed at once, and other journeys continue meanwhile, since scores and caps are those of the whole profile.
//! The account does not change, and no profiles are merged.

mod sample;
mod supposed;
pub mod words;

pub use crate::refusal::Refusal;
pub use sample::{NoSample, Sample};
pub use supposed::{InvalidSupposed, SOURCE, Supposed};

use crate::action::Action;
use crate::enter::enter;
use crate::evaluate::{Evaluation, evaluate};
use crate::held::until;
use crate::moment::{Accounts, Moment};
use crate::occurrence::Occurrence;
use crate::process::{Mode, Processed, process, tick};
use crate::profile::Profile;
use crate::taken::{StepTaken, Taken};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Trigger};
use perennial_domain::time::{day_of, plus_days};
use perennial_domain::{Cause, Decision, DecisionId, Entry, Event, Identity, Properties, Score, Stage};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// The most evaluations in one play: beyond it, journeys trigger each other forever.
pub const MAX_LOOKS: usize = 2_000;

/// The input of a play.
#[derive(Debug, Clone)]
pub struct Play<'a> {
    /// The rules.
    pub config: &'a Config,
    /// The person's accounts, as they are now.
    pub accounts: Accounts<'a>,
    /// The journey to trigger, from the configuration.
    pub journey: &'a Journey,
    /// The properties of the triggering event, if an event triggers the journey.
    pub properties: Properties,
    /// Other simulated events.
    pub supposed: Vec<Supposed>,
    /// The time of the profile's state. The clock begins here, or at `from` if that is earlier.
    pub now: Timestamp,
    /// When the trigger comes.
    pub from: Timestamp,
    /// The end of the clock.
    pub until: Timestamp,
}

/// The result of a play.
#[derive(Debug, Clone)]
pub struct Played {
    /// The reason why the person did not enter, if any.
    pub refusal: Option<Refusal>,
    /// The steps, in the order of time.
    pub steps: Vec<PlayedStep>,
    /// The profile at the end.
    pub profile: Profile,
}

/// One step.
#[derive(Debug, Clone)]
pub struct PlayedStep {
    /// When.
    pub at: Timestamp,
    /// The person's stage.
    pub stage: Stage,
    /// The event of the step.
    pub what: What,
}

/// An event of a step.
#[derive(Debug, Clone)]
pub enum What {
    /// A simulated event, including the trigger's own; its name.
    Supposed(String),
    /// A journey did something; messages have their own.
    Took(StepTaken),
    /// A message was decided, by this step.
    Message(StepTaken, Box<PlayedMessage>),
}

/// A message with the data to render it.
#[derive(Debug, Clone)]
pub struct PlayedMessage {
    /// The decision.
    pub decision: Decision,
    /// The profile at the time.
    pub profile: Profile,
    /// Its evaluation.
    pub evaluation: Evaluation,
}

/// Why a play has no end, or no beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// A supposed event cannot be.
    #[error(transparent)]
    Supposed(#[from] InvalidSupposed),
    /// Too much happens.
    #[error(
        "more than {MAX_LOOKS} things happen until {at}: `{busiest}` is entered again and again. If no circle of journeys is \
         meant, make it end; else play fewer days"
    )]
    Endless {
        /// Until when it was played.
        at: Timestamp,
        /// The journey that was entered most often.
        busiest: String,
    },
}

impl Play<'_> {
    /// Plays for `profile`.
    ///
    /// # Errors
    /// [`PlayError`] where a supposed event cannot be, or too much happens.
    pub fn run(&self, mut profile: Profile) -> Result<Played, PlayError> {
        profile.outbox.clear();
        let mut events: VecDeque<Come> = self.events(&profile)?.into();
        let mut table = Table { play: self, steps: Vec::new(), looks: 0, held: BTreeMap::new(), profile };
        let mut refusal = None;
        let mut now = self.now.min(self.from);
        loop {
            let due = table.profile.due_at.map(|due| due.max(now));
            let comes = events.front().map(|come| come.at);
            let Some(next) = [due, comes].into_iter().flatten().min().filter(|next| *next <= self.until) else { break };
            now = next;
            if comes == Some(now) {
                match events.pop_front().map(|come| come.what) {
                    Some(Comes::Event(event)) => table.count(now, &event)?,
                    Some(Comes::Trigger(events)) => refusal = table.trigger(now, &events)?,
                    None => {}
                }
            } else {
                table.look(now)?;
            }
        }
        Ok(Played { refusal, steps: table.steps, profile: table.profile })
    }

    /// Returns the simulated events and the trigger, in the order of time; at the same time in the given order, after
    /// the trigger.
    fn events(&self, profile: &Profile) -> Result<Vec<Come>, InvalidSupposed> {
        let own = profile.parts.iter().find(|part| part.owner() == profile.id).or(profile.parts.first());
        let Some(identity) = own.map(|part| &part.identity) else { return Ok(Vec::new()) };
        let begin = self.now.min(self.from);
        let trigger = Come { at: self.from, what: Comes::Trigger(self.trigger_events(profile, identity)?) };
        let mut all = vec![trigger];
        for (number, supposed) in self.supposed.iter().enumerate() {
            let supposed = Supposed { at: supposed.at.max(begin), ..supposed.clone() };
            let event = supposed.event(identity, SOURCE, number)?;
            all.push(Come { at: supposed.at, what: Comes::Event(Box::new(event)) });
        }
        all.sort_by_key(|come| come.at);
        Ok(all)
    }

    /// Returns the events that trigger the journey: as many as its trigger requires, minus the person's own within its
    /// days.
    fn trigger_events(&self, profile: &Profile, identity: &Identity) -> Result<Vec<Event>, InvalidSupposed> {
        let Trigger::Event { event, key, times, within_days, .. } = &self.journey.trigger else {
            return Ok(Vec::new());
        };
        let done = if *times > 1 { profile.view().windowed(*key, day_of(self.from), *within_days) } else { 0 };
        let missing = u32::from(*times).saturating_sub(done).max(1) as usize;
        let supposed = Supposed { at: self.from, event: event.clone(), properties: self.properties.clone() };
        (0..missing).map(|number| supposed.event(identity, "trigger", number)).collect()
    }

    fn moment(&self, now: Timestamp) -> Moment<'_> {
        Moment::new(self.config, now).with_account(self.accounts)
    }
}

/// Something that comes from outside.
struct Come {
    at: Timestamp,
    what: Comes,
}

enum Comes {
    Event(Box<Event>),
    /// The trigger, by these events if it is one.
    Trigger(Vec<Event>),
}

/// The immediate result of an action.
enum Follows {
    /// An event of a journey's own.
    Event(Box<Event>),
    /// The account found the person for a journey.
    Entry(Entry),
}

/// The played person, and the steps so far.
struct Table<'a> {
    play: &'a Play<'a>,
    steps: Vec<PlayedStep>,
    looks: usize,
    /// The steps that decided on mails which wait for an address.
    held: BTreeMap<DecisionId, StepTaken>,
    profile: Profile,
}

impl Table<'_> {
    /// Time has come.
    fn look(&mut self, now: Timestamp) -> Result<(), PlayError> {
        let processed = tick(&self.play.moment(now), &mut self.profile);
        self.perform(now, processed)
    }

    /// An event happens.
    fn count(&mut self, now: Timestamp, event: &Event) -> Result<(), PlayError> {
        let events = std::slice::from_ref(event);
        let processed = process(&self.play.moment(now), &mut self.profile, events, &HashSet::new(), Mode::Live);
        let stage = processed.evaluation.stage;
        self.steps.push(PlayedStep {
            at: now,
            stage,
            what: What::Supposed(self.play.config.counted_as(event).to_owned()),
        });
        self.perform(now, processed)
    }

    /// Triggers the journey: by its events, or, without an event, as if its trigger had started to hold. Returns what
    /// keeps the person out.
    fn trigger(&mut self, now: Timestamp, events: &[Event]) -> Result<Option<Refusal>, PlayError> {
        let journey = self.play.journey;
        let (before, known) = (self.times_entered(), self.steps.len());
        if events.is_empty() {
            self.suppose(now)?;
        }
        for event in events {
            self.count(now, event)?;
        }
        if self.times_entered() > before {
            return Ok(None);
        }
        let refused = self.steps.iter().skip(known).find_map(|step| match &step.what {
            What::Took(StepTaken { journey: id, what: Taken::Refused(refusal), .. }) if *id == journey.id => {
                Some(refusal.clone())
            }
            _ => None,
        });
        let unwanted = || {
            let filter = journey.filter.as_ref()?;
            let config = self.play.config;
            let wanted = events.last().is_some_and(|event| filter.is_true(&Occurrence::new(config, event)));
            (!wanted).then(|| Refusal::Where { condition: filter.source().to_owned() })
        };
        Ok(refused.or_else(unwanted))
    }

    /// Enters the journey as if its trigger had started to hold, unless it does by itself.
    fn suppose(&mut self, now: Timestamp) -> Result<(), PlayError> {
        let (journey, config) = (self.play.journey, self.play.config);
        let before = self.times_entered();
        self.look(now)?;
        if self.times_entered() > before {
            return Ok(());
        }
        let moment = self.play.moment(now);
        let cause = match &journey.trigger {
            Trigger::Event { .. } => return Ok(()),
            Trigger::Idle { days } => Cause::Quiet { since: plus_days(now, -i64::from(*days)), days: *days },
            Trigger::Score { score, above } => {
                let value = evaluate(&moment, &self.profile.view()).scores.get(*score);
                Cause::Score {
                    score: *score,
                    value: value.unwrap_or_default().max(Score::from_points(f64::from(*above))),
                }
            }
            Trigger::Segment { segment, entered } => {
                let name = config.segments.all.get(*segment).map(|segment| segment.name.clone()).unwrap_or_default();
                Cause::Segment { name, entered: *entered }
            }
            Trigger::Becomes { when } => Cause::Became { condition: when.source().to_owned() },
        };
        let entry = Entry { journey: journey.id.clone(), cause, properties: Properties::new(), at: now };
        let processed = self.enter(now, entry);
        self.perform(now, processed)
    }

    fn enter(&mut self, now: Timestamp, entry: Entry) -> Processed {
        let moment = self.play.moment(now);
        let evaluation = evaluate(&moment, &self.profile.view());
        let mut processed =
            Processed { counted: 0, duplicates: 0, rolled: Vec::new(), changed: false, evaluation, steps: Vec::new() };
        enter(&moment, &mut self.profile, &[entry], &HashSet::new(), &mut processed);
        processed
    }

    fn times_entered(&self) -> u32 {
        self.profile.facts().entered.get(&self.play.journey.key).map_or(0, |entered| entered.times)
    }

    /// Removes the actions, and processes their immediate results, until there are no more.
    fn perform(&mut self, now: Timestamp, processed: Processed) -> Result<(), PlayError> {
        let mut next = Some(processed);
        let mut follows = VecDeque::new();
        while let Some(processed) = next {
            self.looks += 1;
            if self.looks > MAX_LOOKS {
                return Err(PlayError::Endless { at: now, busiest: self.busiest() });
            }
            let mut decided = BTreeMap::new();
            let mut waiting = BTreeMap::new();
            for action in std::mem::take(&mut self.profile.outbox) {
                match action {
                    Action::Hold(decision) => {
                        waiting.insert(decision.id, until(self.play.config, &decision));
                        self.profile.outbox.push(Action::Hold(decision));
                    }
                    Action::Send(decision) => drop(decided.insert(decision.id, decision)),
                    Action::Recall { .. } | Action::Defer { .. } => self.profile.outbox.push(action),
                    Action::Count { event } => follows.push_back(Follows::Event(Box::new(event))),
                    // The account's other people are not known here; the play assumes that the event is for this
                    // person.
                    Action::ForAccount { entry, .. } if entry.journey == self.play.journey.id => {
                        follows.push_back(Follows::Entry(entry));
                    }
                    // Accounts and identities do not change. Profiles to evaluate again are due.
                    Action::ForAccount { .. }
                    | Action::PublishMember { .. }
                    | Action::Join { .. }
                    | Action::LeaveAccount { .. }
                    | Action::AccountTraits { .. }
                    | Action::AccountMilestone { .. }
                    | Action::AccountSubscription { .. }
                    | Action::AccountRenewal { .. }
                    | Action::IndexAddress { .. }
                    | Action::Claim { .. }
                    | Action::LookAgain { .. }
                    | Action::Alias { .. }
                    | Action::List(_)
                    | Action::UpdateCrm(_)
                    | Action::Unlist { .. }
                    | Action::Regroup { .. } => {}
                }
            }
            for step in processed.steps {
                let decision = match &step.what {
                    Taken::Decided { decision, .. } => Some(*decision),
                    _ => None,
                };
                let what = match decision.map(|id| (decided.remove(&id), waiting.get(&id), id)) {
                    Some((Some(decision), ..)) => self.message(step, decision, &processed.evaluation),
                    Some((None, Some(until), id)) => {
                        let waits = StepTaken { what: Taken::Held { until: *until }, ..step.clone() };
                        self.held.insert(id, step);
                        What::Took(waits)
                    }
                    _ => What::Took(step),
                };
                self.steps.push(PlayedStep { at: now, stage: processed.evaluation.stage, what });
            }
            // Mails that have an address by now, or have waited for one long enough.
            for (id, decision) in decided {
                if let Some(step) = self.held.remove(&id) {
                    let what = self.message(step, decision, &processed.evaluation);
                    self.steps.push(PlayedStep { at: now, stage: processed.evaluation.stage, what });
                }
            }
            next = follows.pop_front().map(|follows| match follows {
                Follows::Event(event) => {
                    process(&self.play.moment(now), &mut self.profile, &[*event], &HashSet::new(), Mode::Live)
                }
                Follows::Entry(entry) => self.enter(now, entry),
            });
        }
        Ok(())
    }

    fn message(&self, step: StepTaken, decision: Decision, evaluation: &Evaluation) -> What {
        let (profile, evaluation) = (self.profile.clone(), evaluation.clone());
        What::Message(step, Box::new(PlayedMessage { decision, profile, evaluation }))
    }

    fn busiest(&self) -> String {
        let facts = self.profile.facts();
        let most = facts.entered.iter().max_by_key(|(_, entered)| entered.times);
        let journey = most.and_then(|(key, _)| self.play.config.journeys.get(*key));
        journey.map(|journey| journey.id.clone()).unwrap_or_default()
    }
}
