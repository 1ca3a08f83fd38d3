//! Answers to the recommendation survey, from events: a profile knows a person's latest one only.

use crate::merged::{Merged, hash_of};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::scoring::SurveyKind;
use perennial_domain::time::month_of;
use perennial_domain::{Event, Identity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer, as it is kept for each closed day. It names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surveyed {
    /// The hash of the identity that the event is of.
    identity: u64,
    at: Timestamp,
    /// 0 to 10.
    points: u8,
    /// `true` if the identity is an id in another system, which is a person only once it is linked to one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    external: bool,
}

/// Returns the answer to the recommendation survey that an event brings; `None` for any other event.
pub fn surveyed(config: &Config, event: &Event) -> Option<Surveyed> {
    let name = config.counted_as(event);
    let survey = config.scoring.survey(SurveyKind::Nps).filter(|survey| survey.event == name)?;
    let points = survey.read(event.properties.get(&survey.property)?)?;
    let identity = event.identity()?;
    let external = matches!(identity, Identity::External(_));
    Some(Surveyed { identity: hash_of(identity.person_id()), at: event.timestamp, points, external })
}

/// The latest answer of each identity in each month. Grows with the number of answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surveys(BTreeMap<(u64, i32), Surveyed>);

impl Extend<Surveyed> for Surveys {
    /// Adds answers, in any order and any number of times.
    fn extend<I: IntoIterator<Item = Surveyed>>(&mut self, answers: I) {
        for answer in answers {
            keep_latest(&mut self.0, (answer.identity, month_of(answer.at)), answer);
        }
    }
}

/// Keeps the later of two answers, and of the same time the higher, as profiles do.
fn keep_latest(all: &mut BTreeMap<(u64, i32), Surveyed>, key: (u64, i32), answer: Surveyed) {
    let rank = |answer: &Surveyed| (answer.at.as_microsecond(), answer.points);
    let known = all.entry(key).or_insert(answer);
    if rank(known) < rank(&answer) {
        *known = answer;
    }
}

impl Surveys {
    /// Returns the points of each person's latest answer within each month, until `now`.
    pub(crate) fn by_month(&self, merged: &Merged, now: Timestamp) -> BTreeMap<i32, Vec<u8>> {
        let mut people = BTreeMap::new();
        for ((identity, month), answer) in &self.0 {
            let is_person = !answer.external || merged.profile(*identity).is_some();
            if is_person && answer.at <= now {
                keep_latest(&mut people, (merged.of(*identity), *month), *answer);
            }
        }
        let mut months = BTreeMap::<i32, Vec<u8>>::new();
        for ((_, month), answer) in people {
            months.entry(month).or_default().push(answer.points);
        }
        months
    }
}
