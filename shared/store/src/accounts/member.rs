//! The binary encoding of a member: a rollup reads as many as an account has people, 4 KB a unit, so each byte counts.
//!
//! One byte of format, then postcard, then the curve, which older versions ignore. An entry that is a text is JSON, the
//! original format.

use crate::error::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_domain::{Curve, Likelihood, Member, PersonId, Score, Stage};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The format that is written.
const FORMAT: u8 = 1;
/// Set in the first byte if the person's primary account is another one.
const ELSEWHERE: u8 = 0x80;

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    stage: Stage,
    scores: Cow<'a, BTreeMap<Likelihood, Score>>,
    engagement: Score,
    /// Seconds since 1970, and nanoseconds.
    last_seen: Option<(i64, i32)>,
    personas: Cow<'a, BTreeSet<String>>,
}

/// Encodes the entry; the person is in its key.
pub(super) fn encode(member: &Member) -> Result<Vec<u8>, StoreError> {
    let entry = Entry {
        stage: member.stage,
        scores: Cow::Borrowed(&member.scores),
        engagement: member.engagement,
        last_seen: member.last_seen.map(|at| (at.as_second(), at.subsec_nanosecond())),
        personas: Cow::Borrowed(&member.personas),
    };
    let format = if member.elsewhere { FORMAT | ELSEWHERE } else { FORMAT };
    let bytes = postcard::to_extend(&entry, vec![format]);
    let mut bytes = bytes.map_err(|error| StoreError::Unstorable(error.to_string()))?;
    bytes.extend(member.curve.iter().flat_map(|curve| curve.to_bytes(member.last_seen)));
    Ok(bytes)
}

/// Decodes the entry of `person`.
pub(super) fn decode(person: PersonId, value: Option<&AttributeValue>) -> Result<Member, StoreError> {
    let wrong = || StoreError::corrupt("a member cannot be read");
    let bytes = match value {
        Some(AttributeValue::B(blob)) => blob.as_ref(),
        Some(AttributeValue::S(json)) => return serde_json::from_str(json).map_err(|_| wrong()),
        _ => return Err(wrong()),
    };
    let (head, rest) = bytes.split_first().ok_or_else(wrong)?;
    if head & !ELSEWHERE != FORMAT {
        return Err(wrong());
    }
    let (entry, rest): (Entry<'_>, _) = postcard::take_from_bytes(rest).map_err(|_| wrong())?;
    let last_seen = entry.last_seen.map(|(second, nanosecond)| Timestamp::new(second, nanosecond)).transpose();
    let last_seen = last_seen.map_err(|_| wrong())?;
    let curve = (!rest.is_empty()).then(|| Curve::from_bytes(rest, last_seen).ok_or_else(wrong)).transpose()?;
    Ok(Member {
        person,
        stage: entry.stage,
        scores: entry.scores.into_owned(),
        engagement: entry.engagement,
        last_seen,
        personas: entry.personas.into_owned(),
        elsewhere: head & ELSEWHERE != 0,
        curve,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::curve::{Knot, Line};

    fn member() -> Member {
        let scores =
            Likelihood::ALL.into_iter().zip(1..).map(|(likelihood, score)| (likelihood, Score::from(score * 11)));
        Member {
            person: PersonId::derive(&[b"p"]),
            stage: Stage::WonBack,
            scores: scores.collect(),
            engagement: Score::from(100),
            last_seen: Some("2026-03-02T08:15:30.123Z".parse().unwrap()),
            personas: ["administrator".to_owned(), "power_user".to_owned()].into(),
            curve: None,
            elsewhere: false,
        }
    }

    #[test]
    fn entry_with_a_curve_survives_its_bytes_and_versions_without_curves_read_it() {
        let curve = Curve {
            line: Line {
                from: 1_772_442_930,
                start: 300,
                knots: vec![Knot { at: 1_772_496_000, jump: true, value: 260 }],
            },
            stages: vec![(1_774_254_930 + 27_600, Stage::AtRisk)],
            phase: 29_730,
            end: Some(1_777_000_000 / 86_400 * 86_400),
        };
        let member = Member { curve: Some(curve), ..member() };
        let bytes = encode(&member).unwrap();
        let as_before: Entry<'_> = postcard::from_bytes(&bytes[1..]).unwrap();
        assert_eq!(as_before.stage, member.stage);
        let read = |bytes: &[u8]| decode(member.person, Some(&AttributeValue::B(bytes.to_vec().into())));
        assert_eq!(read(&bytes).unwrap(), member);
        assert!(read(&bytes[..bytes.len() - 1]).is_err(), "a curve that is cut off is an error");
    }

    #[test]
    fn an_entry_survives_its_bytes_and_is_slim() {
        let bytes = encode(&member()).unwrap();
        assert!(bytes.len() <= 64, "{} bytes", bytes.len());
        assert_eq!(decode(member().person, Some(&AttributeValue::B(bytes.into()))).unwrap(), member());
        let elsewhere = Member { elsewhere: true, ..member() };
        let bytes = encode(&elsewhere).unwrap();
        assert_eq!(decode(member().person, Some(&AttributeValue::B(bytes.into()))).unwrap(), elsewhere);
    }

    #[test]
    fn entries_of_the_first_days_are_still_read() {
        let json = serde_json::to_string(&member()).unwrap();
        assert_eq!(decode(member().person, Some(&AttributeValue::S(json))).unwrap(), member());
    }

    #[test]
    fn what_is_none_is_an_error_and_no_panic() {
        let person = member().person;
        for bytes in [vec![], vec![FORMAT], vec![9, 1, 2], vec![FORMAT, 200, 200, 200]] {
            assert!(decode(person, Some(&AttributeValue::B(bytes.into()))).is_err());
        }
        assert!(decode(person, None).is_err());
    }
}
