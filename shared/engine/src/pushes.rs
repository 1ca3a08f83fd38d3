//! The minute in which a pushed configuration comes into force: some instances work by it already, and others still by the one before.
//!
//! A threshold that is crossed by the new rules and not by the old ones would be noted as crossed, then as not crossed, and then as crossed again, and its
//! journey would start twice. So a profile remembers the configuration under which such a note was last made, and whoever works by an older one leaves the
//! notes alone. A few minutes after the push every instance has the new one, and nothing is remembered any more.

use crate::decide::Situation;
use crate::profile::Profile;
use jiff::Timestamp;
use perennial_config::Config;

/// How long after a push an instance may still work by the configuration before, in milliseconds: a minute until it looks, the longest time that an
/// invocation takes, and some for clocks.
const PUSH: i64 = 20 * 60_000;
/// When a profile that an instance left alone is looked at again, in milliseconds after the push.
const SETTLED: i64 = 2 * 60_000;

/// Whether a configuration that was active `since` then, in milliseconds since 1970, may not have reached every instance at `now`.
pub(crate) fn is_lately(since: i64, now: Timestamp) -> bool {
    now.as_millisecond() - since < PUSH
}

/// Whether `config` is older than the one under which the profile's notes were made.
fn is_older(config: &Config, noted_under: Option<i64>, now: Timestamp) -> bool {
    let noted = noted_under.filter(|since| is_lately(*since, now));
    let own = config.active_since.map(Timestamp::as_millisecond);
    noted.zip(own).is_some_and(|(noted, own)| own < noted)
}

/// The second at which a profile whose notes `config` must leave alone is looked at again; `None` for any other.
pub(crate) fn next_due(config: &Config, profile: &Profile, now: Timestamp) -> Option<Timestamp> {
    let noted = profile.parts.iter().filter_map(|part| part.facts.noted_under).max();
    let settled = noted.filter(|_| is_older(config, noted, now))?.saturating_add(SETTLED).div_euclid(1000) + 1;
    Timestamp::from_second(settled.max(now.as_second() + 1)).ok()
}

impl Situation<'_, '_> {
    /// Whether what the profile notes of thresholds and segments is left alone: it was noted under a newer configuration.
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
