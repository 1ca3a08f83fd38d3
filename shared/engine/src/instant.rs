//! Times of a state: microseconds since 1970, so that the position within a batch decides between equal timestamps.
//!
//! Whole milliseconds, the usual case, are stored as such, which takes two bytes less; others as microseconds. The two
//! are distinguished by their size, and earlier versions' milliseconds are read unchanged.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds reached this in March 1973, milliseconds will in 5138. No event is as old as the one or as new as the other.
const FIRST_MICROSECOND: i64 = 100_000_000_000_000;

/// The moment as a timestamp; the end of jiff's range where it is beyond it.
pub fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The moment of a second that is written down.
pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// The moment of a millisecond that is written down.
pub(crate) fn moment(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or_default()
}

fn stored(micros: i64) -> i64 {
    let millis = micros.div_euclid(1000);
    let is_whole = micros.rem_euclid(1000) == 0 && millis.abs() < FIRST_MICROSECOND;
    if is_whole || micros.abs() < FIRST_MICROSECOND { millis } else { micros }
}

/// Returns the microseconds of a stored value.
pub fn of_stored(stored: i64) -> i64 {
    if stored.abs() < FIRST_MICROSECOND { stored * 1000 } else { stored }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(crate) fn serialize<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    stored(*micros).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    i64::deserialize(deserializer).map(of_stored)
}

/// A set of moments, each with something beside it.
pub(crate) mod set {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeSet;

    pub(crate) fn serialize<S: Serializer, V: Serialize>(
        set: &BTreeSet<(i64, V)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(set.iter().map(|(at, value)| (super::stored(*at), value)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de> + Ord>(
        deserializer: D,
    ) -> Result<BTreeSet<(i64, V)>, D::Error> {
        let stored = BTreeSet::<(i64, V)>::deserialize(deserializer)?;
        Ok(stored.into_iter().map(|(at, value)| (super::of_stored(at), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn milliseconds_of_earlier_versions_are_read_and_written_as_they_were() {
        for millis in [631_152_000_000, 1_772_357_400_123] {
            assert_eq!(of_stored(millis), millis * 1000);
            assert_eq!(stored(millis * 1000), millis);
        }
    }

    proptest! {
        #[test]
        fn every_moment_since_1990_is_read_as_it_was_written(micros in 631_152_000_000_000_i64..253_402_300_799_999_999) {
            prop_assert_eq!(of_stored(stored(micros)), micros);
        }
    }
}
