//! Computes when silence takes a score so far out of the band by which its profile is listed that the lists must change, or so far from what
//! the CRM knows that it must be written.

use crate::crm::Contact;
use crate::listing::{Bands, Scale};
use crate::person::Person;
use crate::profile::Profile;
use crate::score::values;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Score;
use perennial_domain::time::plus_days;

/// The days ahead that are looked at. Scores move evenly in silence, and ever more slowly: a look at each day would find the same.
const LOOKS: [i64; 15] = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 800];

/// The parts of a profile that silence may outdate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watched<'a> {
    /// The bands that the profile is listed in.
    pub(crate) bands: Option<&'a Bands>,
    /// The profile's contact in the CRM.
    pub(crate) contact: Option<Contact<'a>>,
}

impl<'a> Watched<'a> {
    /// Returns what may be outdated of `profile`, whose combined state is `view`.
    pub(crate) fn of(config: &'a Config, profile: &'a Profile, view: &State) -> Self {
        let bands = profile.listed.as_ref().map(|listed| &listed.bands);
        Self { bands, contact: Contact::of(config, profile, view) }
    }

    fn is_nothing(&self) -> bool {
        self.bands.is_none() && self.contact.is_none()
    }
}

/// Returns the first day on which a score of `person` is far outside of its band, or far from what the CRM knows, before `until` if given;
/// `until` itself if there is none before it.
pub(crate) fn next_drift(person: &Person<'_>, of: Watched<'_>, until: Option<Timestamp>) -> Option<Timestamp> {
    if of.is_nothing() {
        return until;
    }
    let now = person.moment.now;
    let is_adrift = |days: i64| {
        let mut person = person.at(plus_days(now, days));
        person.scores = values(&person);
        let is_unlisted = of.bands.is_some_and(|bands| bands.is_left_by(|scale| value_of(&person, scale)));
        is_unlisted
            || of.contact.is_some_and(|contact| {
                person.find_segments();
                contact.is_outdated(&person)
            })
    };
    let mut near = 0;
    for days in LOOKS {
        if is_adrift(days) {
            let first = first_after(near, days, is_adrift);
            return until.into_iter().chain([plus_days(now, first)]).min();
        }
        if until.is_some_and(|until| plus_days(now, days) >= until) {
            break;
        }
        near = days;
    }
    until
}

/// Returns the first day after `near`, on which it does not hold, and up to `far`, on which it does.
fn first_after(mut near: i64, mut far: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while far - near > 1 {
        let middle = near.midpoint(far);
        *(if holds(middle) { &mut far } else { &mut near }) = middle;
    }
    far
}

/// Returns the value by which a person is listed, of a person with scores.
pub(crate) fn value_of(person: &Person<'_>, scale: Scale) -> Option<Score> {
    match scale {
        Scale::Score(likelihood) => person.scores.get(likelihood),
        Scale::Engagement => Some(person.engagement().value),
    }
}
