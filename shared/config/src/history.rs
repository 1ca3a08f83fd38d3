//! The history that the compiled rules need. Nothing else is kept by day, so that a profile stays small.

use crate::cel::Program;
use crate::vocabulary::{EventSlot, PersonSlot};
use perennial_domain::hash::hash32;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The most days that a count may look back.
pub const MAX_WINDOW_DAYS: u16 = 92;

/// The most hours that a count may look back.
pub const MAX_WINDOW_HOURS: u16 = 168;

/// A history: of an event by its name, or of a feature of the product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tracked {
    /// Which stored state it is; of [`event_key`] or [`feature_key`].
    pub key: u32,
    /// The number of past days for which events are counted by day; 0 if no rule needs them.
    pub window_days: u16,
    /// The number of past hours for which events are counted by hour; 0 if no rule needs them.
    pub window_hours: u16,
    /// `true` if the first and the last time are kept.
    pub span: bool,
    /// `true` if the days on which it happened are kept, as a bitmap.
    pub days: bool,
    /// The events that count; all of the name if `None`.
    pub filter: Option<Program<EventSlot>>,
}

/// The key of an event's history.
pub fn event_key(event: &str) -> u32 {
    hash32(&format!("event {event}"))
}

/// The key of an event's history by hours.
pub fn hours_key(event: &str) -> u32 {
    hash32(&format!("hours {event}"))
}

/// The key of a feature's history.
pub fn feature_key(feature: &str) -> u32 {
    hash32(&format!("feature {feature}"))
}

/// Returns the key of the history of errors in a feature.
pub fn errors_key(feature: &str) -> u32 {
    hash32(&format!("errors {feature}"))
}

/// Returns the key of the history of attending an education.
pub fn education_key(education: &str) -> u32 {
    hash32(&format!("education {education}"))
}

/// All histories, by the event's name as counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    #[serde(serialize_with = "crate::stored::sorted_map")]
    by_event: HashMap<String, Vec<Tracked>>,
}

impl History {
    /// Returns the histories that an event of that name may belong to.
    pub fn of(&self, event: &str) -> &[Tracked] {
        self.by_event.get(event).map_or(&[], Vec::as_slice)
    }

    /// Returns all events with a history, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tracked)> {
        let sorted: BTreeMap<_, _> = self.by_event.iter().collect();
        sorted.into_iter().flat_map(|(event, tracked)| tracked.iter().map(move |one| (event.as_str(), one)))
    }

    /// Requires `event` to be counted by day for at least `days` days.
    pub(crate) fn count(&mut self, event: &str, days: u16) {
        let tracked = self.event(event);
        tracked.window_days = tracked.window_days.max(days.min(MAX_WINDOW_DAYS));
    }

    /// Requires `event` to be counted by hour for at least `hours` hours.
    pub(crate) fn count_hours(&mut self, event: &str, hours: u16) {
        let tracked = self.tracked(event, hours_key(event));
        tracked.window_hours = tracked.window_hours.max(hours.min(MAX_WINDOW_HOURS));
    }

    /// Requires the days of a feature's use.
    pub(crate) fn follow_feature(&mut self, feature: &str, event: &str, filter: Option<Program<EventSlot>>) {
        let tracked =
            Tracked { key: feature_key(feature), window_days: 0, window_hours: 0, span: false, days: true, filter };
        self.by_event.entry(event.to_owned()).or_default().push(tracked);
    }

    /// Requires the errors of a feature to be counted by day, for `days` days: the events for which `filter` holds.
    pub(crate) fn follow_errors(&mut self, feature: &str, event: &str, filter: Program<EventSlot>, days: u16) {
        let key = errors_key(feature);
        let tracked =
            Tracked { key, window_days: days, window_hours: 0, span: false, days: false, filter: Some(filter) };
        self.by_event.entry(event.to_owned()).or_default().push(tracked);
    }

    /// Requires the first time of an education: of the events for which `filter` holds.
    pub(crate) fn follow_education(&mut self, education: &str, event: &str, filter: Option<Program<EventSlot>>) {
        let key = education_key(education);
        let tracked = Tracked { key, window_days: 0, window_hours: 0, span: true, days: false, filter };
        self.by_event.entry(event.to_owned()).or_default().push(tracked);
    }

    /// Requires everything that a condition looks up.
    pub(crate) fn ask(&mut self, slots: &[PersonSlot]) {
        for slot in slots {
            match slot {
                PersonSlot::CountWithin { event, days, .. } => self.count(event, *days),
                PersonSlot::CountHours { event, hours, .. } => self.count_hours(event, *hours),
                PersonSlot::DaysSince { event, .. } => self.event(event).span = true,
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &str) -> &mut Tracked {
        self.tracked(event, event_key(event))
    }

    fn tracked(&mut self, event: &str, key: u32) -> &mut Tracked {
        let all = self.by_event.entry(event.to_owned()).or_default();
        let at = match all.iter().position(|tracked| tracked.key == key) {
            Some(at) => at,
            None => {
                all.push(Tracked { key, window_days: 0, window_hours: 0, span: false, days: false, filter: None });
                all.len() - 1
            }
        };
        &mut all[at]
    }
}
