//! The trigger of a journey: if it has come, and the reason if it did not start the journey.

use super::{Check, Rule, clock};
use crate::explain::words::{event_name, name};
use crate::instant::second;
use crate::situation::Situation;
use jiff::tz::TimeZone;
use perennial_config::journeys::{Journey, Trigger};

impl Situation<'_, '_> {
    pub(super) fn trigger_check(&self, journey: &Journey, zone: &TimeZone) -> Check {
        if let Some(planned) = self.facts.starts.get(&journey.key) {
            let at = clock(second(*planned), zone);
            let told = format!(
                "its trigger held before the journey could act on it, so it starts on {at} if it still holds then"
            );
            return Check::waits(Rule::Trigger, told);
        }
        match &journey.trigger {
            Trigger::Event { event, key, times, within_days, .. } => {
                self.event_check(journey, event, *key, *times, *within_days)
            }
            trigger => self.state_check(journey, trigger, zone),
        }
    }

    fn event_check(&self, journey: &Journey, event: &str, key: u32, times: u16, within_days: u16) -> Check {
        let happened = self.person.state.counts.get(event);
        let quoted = format!("\"{}\"", event_name(event));
        if happened == 0 {
            return Check::blocks(Rule::Trigger, format!("{quoted} never happened"));
        }
        let filter = journey.filter.as_ref().map(|filter| {
            let source = filter.source().split_whitespace().collect::<Vec<_>>().join(" ");
            format!(" with {source}")
        });
        let filter = filter.unwrap_or_default();
        let ever = in_times(happened);
        if times > 1 {
            let lately = self.person.state.windowed(key, self.person.today, within_days);
            let told = format!(
                "{quoted}{filter} has to happen {times} times in {within_days} days; it happened {} in the last {within_days}, {ever} in all",
                in_times(lately)
            );
            return if lately < u32::from(times) {
                Check::blocks(Rule::Trigger, told)
            } else {
                Check::passes(Rule::Trigger, told)
            };
        }
        let has_entered = self.facts.entered.contains_key(&journey.key);
        let told = format!("{quoted} happened {ever}");
        match (has_entered, filter.is_empty()) {
            (true, _) => Check::passes(Rule::Trigger, told),
            (false, true) => Check::waits(
                Rule::Trigger,
                format!("{told}; the rules below were applied at that time, and are at the next"),
            ),
            (false, false) => Check::waits(
                Rule::Trigger,
                format!("{told}; it starts with one{filter}, which earlier ones may not have been"),
            ),
        }
    }

    fn state_check(&self, journey: &Journey, trigger: &Trigger, zone: &TimeZone) -> Check {
        let is_met = self.person.is_met(trigger);
        let (told, clauses) = match trigger {
            Trigger::Idle { days } => {
                let last = self.person.state.seen.map(|seen| clock(seen.last_at(), zone));
                let told = match last {
                    Some(last) => {
                        format!("it starts after {days} days without activity; they were last active on {last}")
                    }
                    None => "it starts after a time without activity, and they were never active".to_owned(),
                };
                (told, Vec::new())
            }
            Trigger::Score { score, above } => {
                let told = match self.person.scores.get(*score) {
                    Some(value) => {
                        format!("{} is {}, and it starts when that rises to {above}", name(*score), value.get())
                    }
                    None => format!("{} does not apply to them", name(*score)),
                };
                (told, Vec::new())
            }
            Trigger::Segment { segment, entered } => {
                let config = self.config();
                let found = config.segments.all.get(*segment);
                let of = found.map_or("", |segment| segment.name.as_str());
                let is_in = self.person.segments & (1 << segment) != 0;
                let (are, when) = (if is_in { "are" } else { "are not" }, if *entered { "enter" } else { "leave" });
                let clauses = found.map(|segment| self.person.clause_values(&segment.when)).unwrap_or_default();
                (format!("they {are} in the segment {of}, and it starts when they {when} it"), clauses)
            }
            Trigger::Becomes { when } => {
                let holds = if is_met { "holds" } else { "does not hold" };
                (format!("its trigger {holds} for them"), self.person.clause_values(when))
            }
            Trigger::Event { .. } => (String::new(), Vec::new()),
        };
        let was_met = self.facts.above.contains(&journey.key);
        let has_entered = self.facts.entered.contains_key(&journey.key);
        let check = match (is_met, was_met && !has_entered) {
            (false, _) => Check::blocks(Rule::Trigger, told),
            (true, true) => Check::waits(
                Rule::Trigger,
                format!(
                    "{told}; it has held since an earlier evaluation, at which another rule kept them out or the event was too old: it starts when it begins to hold again"
                ),
            ),
            (true, false) => Check::passes(Rule::Trigger, told),
        };
        Check { clauses, ..check }
    }
}

fn in_times(times: u32) -> String {
    match times {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}
