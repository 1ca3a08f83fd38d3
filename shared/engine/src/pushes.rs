//! The minute after a configuration is pushed, in which some instances use it already and others still use the one
//! before.
//!
//! A threshold that is crossed under the new rules and not under the old ones would be recorded as crossed, then as not
//! crossed, and then as crossed again, and its journey would start twice. So a profile remembers the configuration
//! under which such a state was last recorded, and an instance with an older one does not change it. A few minutes
//! after the push every instance has the new configuration, and the profile forgets it.

use crate::profile::Profile;
use crate::situation::Situation;
use jiff::Timestamp;
use perennial_config::Config;

/// How long after a push an instance may still work by the configuration before, in milliseconds: a minute until it looks, the longest time that an
/// invocation takes, and some for clocks.
const PUSH: i64 = 20 * 60_000;
/// The delay after a push at which a skipped profile is evaluated again, in milliseconds.
const SETTLED: i64 = 2 * 60_000;

/// Returns whether a configuration that is active since `since`, in milliseconds since 1970, may not have reached every
/// instance at `now`.
pub(crate) fn is_lately(since: i64, now: Timestamp) -> bool {
    now.as_millisecond() - since < PUSH
}

/// Returns whether `config` is older than the one under which the profile's state was recorded.
fn is_older(config: &Config, noted_under: Option<i64>, now: Timestamp) -> bool {
    let noted = noted_under.filter(|since| is_lately(*since, now));
    let own = config.active_since.map(Timestamp::as_millisecond);
    noted.zip(own).is_some_and(|(noted, own)| own < noted)
}

/// Returns the second at which a profile that `config` must skip is evaluated again; `None` for any other profile.
pub(crate) fn next_due(config: &Config, profile: &Profile, now: Timestamp) -> Option<Timestamp> {
    let noted = profile.parts.iter().filter_map(|part| part.facts.noted_under).max();
    let settled = noted.filter(|_| is_older(config, noted, now))?.saturating_add(SETTLED).div_euclid(1000) + 1;
    Timestamp::from_second(settled.max(now.as_second() + 1)).ok()
}

impl Situation<'_, '_> {
    /// Returns whether the recorded state of thresholds and segments must stay: it is from a newer configuration.
    pub(crate) fn is_superseded(&self) -> bool {
        is_older(self.config(), self.facts.noted_under, self.now())
    }

    /// Remembers that a note was made under this configuration, if it was pushed lately.
    pub(crate) fn note_config(&mut self) {
        let since = self.config().active_since.map(Timestamp::as_millisecond);
        let Some(since) = since.filter(|since| is_lately(*since, self.now())) else { return };
        self.facts.noted_under = Some(since);
        if let Some(part) = self.profile.primary_mut() {
            part.facts.noted_under = Some(since);
        }
    }
}
