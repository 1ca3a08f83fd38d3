//! Reasons why a person may not enter a journey.

use crate::instant::moment;
use crate::refusal::Refusal;
use crate::situation::Situation;
use perennial_config::cel::Program;
use perennial_config::journeys::{GoalBy, Journey, Reentry};
use perennial_config::vocabulary::PersonSlot;
use perennial_domain::time::DAY_SECONDS;

impl Situation<'_, '_> {
    /// Returns what keeps the person out of the journey; `None` if they may enter. A run in progress is not started
    /// again.
    pub(crate) fn refusal(&self, journey: &Journey) -> Option<Refusal> {
        if self.profile.is_external() {
            return Some(Refusal::External);
        }
        if let Some(run) = self.facts.runs.get(&journey.key) {
            return Some(Refusal::UnderWay { since: moment(run.entered) });
        }
        if let Some(before) = self.facts.entered.get(&journey.key) {
            let entered = moment(before.last);
            match journey.reentry {
                Reentry::Always => {}
                Reentry::Once => return Some(Refusal::Once { entered }),
                Reentry::AfterDays(days) => {
                    if self.now().as_millisecond() - before.last < i64::from(days) * DAY_SECONDS * 1000 {
                        return Some(Refusal::TooSoon { entered, days });
                    }
                }
            }
        }
        self.not_for(journey)
    }

    /// Returns why the journey is not for the person as they are now, whether they entered it or not.
    pub(crate) fn not_for(&self, journey: &Journey) -> Option<Refusal> {
        let holds = |condition: &&Program<PersonSlot>| condition.is_true(self.person);
        let source = |condition: &Program<PersonSlot>| condition.source().to_owned();
        if !journey.is_for(self.person.stage) {
            return Some(Refusal::Stage { stage: self.person.stage, allowed: journey.stages.clone() });
        }
        if let Some(when) = journey.when.as_ref().filter(|when| !holds(when)) {
            return Some(Refusal::When { condition: source(when) });
        }
        if let Some(exit) = journey.exit.as_ref().filter(holds) {
            return Some(Refusal::Exit { condition: source(exit) });
        }
        match journey.goal.as_ref().map(|goal| &goal.by) {
            Some(GoalBy::State(when)) if holds(&when) => Some(Refusal::Reached { condition: source(when) }),
            _ => None,
        }
    }
}
