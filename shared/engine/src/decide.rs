//! Which journeys someone enters.

use crate::action::Action;
use crate::evaluate::Evaluation;
use crate::facts::Entered;
use crate::profile::Profile;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Reentry, Trigger};
use perennial_domain::time::{DAY_SECONDS, day_of, plus_days};
use perennial_domain::{Cause, Decision, DecisionId, Event, Identity};

/// Everything that a decision looks at.
pub(crate) struct Situation<'a> {
    pub(crate) config: &'a Config,
    pub(crate) view: &'a State,
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) now: Timestamp,
}

impl Situation<'_> {
    /// The events among `fresh` (new ones, with the identity whose part they belong to) that set a journey off.
    pub(crate) fn on_events(&self, profile: &mut Profile, fresh: &[(&Event, Identity)]) {
        for (event, identity) in fresh {
            if !self.is_recent(event.timestamp) {
                continue;
            }
            let name = event.counted_as();
            for journey in self
                .config
                .journeys
                .by_event
                .get(name)
                .into_iter()
                .flatten()
                .filter_map(|i| self.config.journeys.all.get(*i))
            {
                let Trigger::Event { times, within_days, .. } = &journey.trigger else { continue };
                if !journey.wants(event) {
                    continue;
                }
                if *times > 1 && self.view.windowed(name, day_of(event.timestamp), *within_days) < u32::from(*times) {
                    continue;
                }
                let cause = Cause::Event { name: name.to_owned(), message_id: event.message_id.clone() };
                self.enter(profile, journey, Some(identity), cause, event.message_id.as_str().as_bytes());
            }
        }
    }

    /// What time or a score sets off. `speak` is false where nothing new happened but old events came in: thresholds are
    /// then noted as passed, and nobody is written to about the past.
    pub(crate) fn on_state(&self, profile: &mut Profile, speak: bool) {
        for journey in &self.config.journeys.all {
            match &journey.trigger {
                Trigger::Idle { days } => self.on_idle(profile, journey, *days),
                Trigger::Score { score, above } => {
                    let value = self.evaluation.scores.get(score).map(|scored| scored.value).unwrap_or_default();
                    let over = value.get() >= *above;
                    let was_over = profile.facts().above.contains(&journey.key);
                    if over && !was_over {
                        if let Some(part) = profile.primary_mut() {
                            part.facts.above.insert(journey.key);
                        }
                        if speak {
                            let at = self.now.as_second().to_be_bytes();
                            self.enter(profile, journey, None, Cause::Score { score: *score, value }, &at);
                        }
                    } else if !over && was_over {
                        for part in &mut profile.parts {
                            part.facts.above.remove(&journey.key);
                        }
                    }
                }
                Trigger::Event { .. } => {}
            }
        }
    }

    fn on_idle(&self, profile: &mut Profile, journey: &Journey, days: u16) {
        let Some(seen) = self.view.seen else { return };
        let since = seen.last_at();
        let rang = plus_days(since, i64::from(days));
        // Who was quiet long before we were told of it gets no message about that.
        if rang <= self.now && self.is_recent(rang) {
            let since_bytes = since.as_millisecond().to_be_bytes();
            let entered = profile.facts().entered.get(&journey.key).copied();
            if entered.is_some_and(|entered| entered.last >= rang.as_millisecond()) {
                return;
            }
            self.enter(profile, journey, None, Cause::Quiet { since, days }, &since_bytes);
        }
    }

    fn is_recent(&self, at: Timestamp) -> bool {
        let age = self.now.as_second() - at.as_second();
        age <= i64::from(self.config.channels.max_event_age_hours) * 3600
    }

    /// Puts the journey's messages into the outbox, where its stages and its re-entry rule allow it.
    fn enter(
        &self,
        profile: &mut Profile,
        journey: &Journey,
        identity: Option<&Identity>,
        cause: Cause,
        cause_bytes: &[u8],
    ) {
        if !journey.stages.is_empty() && !journey.stages.contains(&self.evaluation.stage) {
            return;
        }
        let now = self.now.as_millisecond();
        let entered = profile.facts().entered.get(&journey.key).copied();
        let allowed = match (journey.reentry, entered) {
            (_, None) | (Reentry::Always, _) => true,
            (Reentry::Once, Some(_)) => false,
            (Reentry::AfterDays(days), Some(entered)) => now - entered.last >= i64::from(days) * DAY_SECONDS * 1000,
        };
        if !allowed {
            return;
        }
        // Who may enter only once gets the same decision id whatever the cause, so that no path leads to a second message.
        let cause_bytes = if journey.reentry == Reentry::Once { b"once".as_slice() } else { cause_bytes };
        let part = match identity {
            Some(identity) => Some(profile.part_mut(identity)),
            None => profile.primary_mut(),
        };
        if let Some(part) = part {
            let times = entered.map_or(0, |entered| entered.times);
            part.facts.entered.insert(journey.key, Entered { times: times + 1, last: now });
        }
        for (step, message) in (0_u16..).zip(&journey.steps) {
            profile.outbox.push(Action::Send(Decision {
                id: DecisionId::of(profile.id, &journey.id, step, cause_bytes),
                person: profile.id,
                journey: journey.id.clone(),
                step,
                channel: message.channel,
                template: message.template.clone(),
                endpoint: message.endpoint.clone(),
                cause: cause.clone(),
                decided_at: self.now,
                config: self.config.version.clone(),
            }));
        }
    }
}
