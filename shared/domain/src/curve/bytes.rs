//! The binary encoding of a curve.
//!
//! Head: the second it begins at, counted from the last activity, the first value, and the day of its end counted from
//! that of its beginning (0 without an end). Then one entry a knot or stage: whole days since the entry before, the
//! kind of entry and its time of day (midnight UTC, the phase, or a second that follows) in one number; then the change
//! of the value, or the stage. All numbers are varints of seven bits a byte.

use super::{Curve, Knot, Line};
use crate::Stage;
use crate::time::DAY_SECONDS;
use jiff::Timestamp;

const BEND: u64 = 0;
const JUMP: u64 = 1;
const STAGE: u64 = 2;
const MIDNIGHT: u64 = 0;
const PHASE: u64 = 1;
const SECOND: u64 = 2;
/// Entries that are read at most, so that damaged bytes cannot take up memory.
const MAX_ENTRIES: usize = 256;
/// Values are below this on either side of zero: far beyond any points, and far below what a sum could not hold.
const VALUE_LIMIT: i64 = 1 << 20;

enum Entry {
    Knot(Knot),
    Stage(Stage),
}

pub(super) fn write(curve: &Curve, seen: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(super::MAX_BYTES);
    let mut day = curve.line.from.div_euclid(DAY_SECONDS);
    put(&mut out, zigzag(curve.line.from - seen));
    put(&mut out, zigzag(curve.line.start));
    put(&mut out, curve.end.map_or(0, |end| (end.div_euclid(DAY_SECONDS) - day + 1).max(1) as u64));
    let stages = curve.stages.iter().map(|(at, stage)| (*at, Entry::Stage(*stage)));
    let mut entries: Vec<(i64, Entry)> = curve.line.knots.iter().map(|knot| (knot.at, Entry::Knot(*knot))).collect();
    entries.extend(stages);
    entries.sort_by_key(|(at, _)| *at);
    let mut value = curve.line.start;
    for (at, entry) in entries {
        let second = at.rem_euclid(DAY_SECONDS) as u64;
        let place = match second {
            0 => MIDNIGHT,
            second if second == u64::from(curve.phase) => PHASE,
            _ => SECOND,
        };
        let what = match &entry {
            Entry::Knot(knot) if knot.jump => JUMP,
            Entry::Knot(_) => BEND,
            Entry::Stage(_) => STAGE,
        };
        let passed = (at.div_euclid(DAY_SECONDS) - day).max(0);
        day += passed;
        put(&mut out, passed as u64 * 9 + what * 3 + place);
        if place == SECOND {
            put(&mut out, second);
        }
        match entry {
            Entry::Knot(knot) => {
                put(&mut out, zigzag(knot.value - value));
                value = knot.value;
            }
            Entry::Stage(stage) => put(&mut out, stage as u64),
        }
    }
    out
}

pub(super) fn read(mut bytes: &[u8], seen: i64) -> Option<Curve> {
    let from = second_of_time(unzigzag(take(&mut bytes)?).checked_add(seen)?)?;
    let phase = u32::try_from(seen.rem_euclid(DAY_SECONDS)).ok()?;
    let start = within_limit(unzigzag(take(&mut bytes)?))?;
    let mut day = from.div_euclid(DAY_SECONDS);
    let end = match i64::try_from(take(&mut bytes)?).ok()? {
        0 => None,
        days => Some(second_of_time(day.checked_add(days - 1)?.checked_mul(DAY_SECONDS)?)?),
    };
    let mut curve = Curve { line: Line::constant(from, start), stages: Vec::new(), phase, end };
    let mut value = start;
    for _ in 0..MAX_ENTRIES {
        if bytes.is_empty() {
            return Some(curve);
        }
        let head = take(&mut bytes)?;
        day = day.checked_add(i64::try_from(head / 9).ok()?)?;
        let second = match head % 3 {
            MIDNIGHT => 0,
            PHASE => i64::from(phase),
            _ => i64::try_from(take(&mut bytes)?).ok()?,
        };
        let at = second_of_time(day.checked_mul(DAY_SECONDS)?.checked_add(second)?)?;
        match head / 3 % 3 {
            STAGE => {
                let stage = Stage::ALL.get(usize::try_from(take(&mut bytes)?).ok()?)?;
                curve.stages.push((at, *stage));
            }
            what => {
                value = within_limit(value.checked_add(unzigzag(take(&mut bytes)?))?)?;
                curve.line.knots.push(Knot { at, jump: what == JUMP, value });
            }
        }
    }
    None
}

/// Returns the second if a clock can show it; differences of two such seconds cannot overflow.
fn second_of_time(second: i64) -> Option<i64> {
    Timestamp::from_second(second).is_ok().then_some(second)
}

fn within_limit(value: i64) -> Option<i64> {
    (value.unsigned_abs() < VALUE_LIMIT.unsigned_abs()).then_some(value)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn curve_survives_its_bytes(
            from in 1_600_000_000_i64..2_000_000_000,
            days in 0_i64..400,
            phase in 0_u32..86_400,
            start in -800_i64..=800,
            end in prop::option::of(20_000_i64..30_000),
            knots in prop::collection::vec((0_i64..40, 0_u8..3, any::<bool>(), -800_i64..=800), 0..30),
            stage in prop::option::of((0_i64..400, 0_usize..10)),
        ) {
            let mut at = from;
            let knots = knots.into_iter().map(|(days, place, jump, value)| {
                let day = (at.div_euclid(DAY_SECONDS) + 1 + days) * DAY_SECONDS;
                at = day + match place { 0 => 0, 1 => i64::from(phase), _ => 12_345 };
                Knot { at, jump, value }
            });
            let line = Line { from, start, knots: knots.collect() };
            let stages = stage.map(|(days, index)| (from + days * 3600, Stage::ALL[index])).into_iter().collect();
            let end = end.map(|day| day * DAY_SECONDS).filter(|end| *end > from);
            let curve = Curve { line, stages, phase, end };
            let seen = (from.div_euclid(DAY_SECONDS) - days) * DAY_SECONDS + i64::from(phase);
            prop_assert_eq!(read(&write(&curve, seen), seen), Some(curve.clone()));
            let json = serde_json::to_string(&curve).unwrap();
            prop_assert_eq!(serde_json::from_str::<Curve>(&json).unwrap(), curve);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, seen in -4_000_000_000_i64..4_000_000_000) {
            evaluate(&bytes, seen);
        }

        /// Varints of every size, which random bytes seldom make.
        #[test]
        fn any_numbers_are_read_or_refused(
            numbers in prop::collection::vec(
                prop_oneof![0_u64..30, any::<u64>(), (0_u32..63).prop_map(|bits| 1 << bits)], 3..12),
            seen in prop_oneof![Just(0), -4_000_000_000_i64..4_000_000_000],
        ) {
            let mut bytes = Vec::new();
            numbers.into_iter().for_each(|number| put(&mut bytes, number));
            evaluate(&bytes, seen);
        }
    }

    /// Reads the bytes and, if they are a curve, computes its values over the whole time range.
    fn evaluate(bytes: &[u8], seen: i64) {
        if let Some(curve) = read(bytes, seen) {
            let knots = curve.line.knots.iter().map(|knot| knot.at);
            for at in knots.chain([i64::MIN, seen, i64::MAX]) {
                let at = Timestamp::from_second(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX });
                curve.points(at);
                curve.reaches(at);
            }
        }
    }

    #[test]
    fn knot_of_a_day_takes_two_bytes() {
        let line = |days: i64| Line {
            from: 1_772_409_600,
            start: 576,
            knots: (1..=days)
                .map(|day| Knot { at: 1_772_409_600 + day * DAY_SECONDS, jump: true, value: 576 - day * 40 })
                .collect(),
        };
        let size =
            |days| write(&Curve { line: line(days), stages: Vec::new(), phase: 0, end: None }, 1_772_409_600).len();
        assert_eq!(size(14) - size(0), 28);
        assert_eq!(size(0), 4);
    }
}
