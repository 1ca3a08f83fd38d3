//! The scores of weeks as they are stored: of each week only those that differ from the week before. Scores move slowly, so that is
//! a few bytes a week instead of eleven.
//!
//! A week is its distance to the one before (the first one: to week 0) as a postcard number, two bytes with a bit for each score that
//! differs, the lowest for the first, and the values of these.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use std::collections::BTreeMap;

type Weeks = BTreeMap<i32, [u8; 9]>;

pub(crate) fn serialize<S: Serializer>(weeks: &Weeks, serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(weeks.len() * 6);
    let (mut last, mut before) = (0, [0; 9]);
    for (week, scores) in weeks {
        bytes = postcard::to_extend(&(i64::from(*week) - last), bytes).map_err(S::Error::custom)?;
        let differ = || scores.iter().zip(before).enumerate().filter(|(_, (now, before))| *now != before);
        let mask = differ().fold(0_u16, |mask, (at, _)| mask | 1 << at);
        bytes.extend(mask.to_le_bytes());
        bytes.extend(differ().map(|(_, (now, _))| *now));
        (last, before) = (i64::from(*week), *scores);
    }
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weeks, D::Error> {
    let bytes = <&[u8]>::deserialize(deserializer)?;
    read(bytes).ok_or_else(|| D::Error::custom("the scores of weeks are cut off or out of range"))
}

fn read(mut bytes: &[u8]) -> Option<Weeks> {
    let mut weeks = Weeks::new();
    let (mut week, mut scores) = (0_i64, [0; 9]);
    while !bytes.is_empty() {
        let (step, rest) = postcard::take_from_bytes::<i64>(bytes).ok()?;
        let ([low, high], rest) = rest.split_first_chunk::<2>()?;
        let mask = u16::from_le_bytes([*low, *high]);
        bytes = rest;
        for (at, score) in scores.iter_mut().enumerate() {
            if mask & (1 << at) != 0 {
                let (value, rest) = bytes.split_first()?;
                (*score, bytes) = (*value, rest);
            }
        }
        week = week.checked_add(step)?;
        weeks.insert(i32::try_from(week).ok()?, scores);
    }
    Some(weeks)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Kept(#[serde(with = "super")] Weeks);

    proptest! {
        #[test]
        fn what_was_written_is_read(weeks: BTreeMap<i32, [u8; 9]>) {
            let kept = Kept(weeks);
            let bytes = postcard::to_stdvec(&kept).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Kept>(&bytes).unwrap(), kept);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn weeks_in_which_nothing_moves_take_three_bytes() {
        let weeks = |n| Kept((3064..3064 + n).map(|week| (week, [0, 0, 7, 0, 0, 10, 0, 40, 0])).collect());
        let size = |n| postcard::to_stdvec(&weeks(n)).unwrap().len();
        assert_eq!((size(1), size(4)), (8, 17));
    }
}
