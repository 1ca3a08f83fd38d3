//! A slim entry as bytes: a rollup reads as many as an account has people, 4 KB a unit, so each byte counts.
//!
//! One byte of format, then postcard. An entry that is a text is JSON, as all were written at first.

use crate::error::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_domain::{Likelihood, Member, PersonId, Score, Stage};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The format that is written.
const FORMAT: u8 = 1;
/// Set in the first byte where the person's primary account is another one.
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

/// The entry's bytes; whose it is stands in its key.
pub(super) fn encode(member: &Member) -> Result<Vec<u8>, StoreError> {
    let entry = Entry {
        stage: member.stage,
        scores: Cow::Borrowed(&member.scores),
        engagement: member.engagement,
        last_seen: member.last_seen.map(|at| (at.as_second(), at.subsec_nanosecond())),
        personas: Cow::Borrowed(&member.personas),
    };
    let format = if member.elsewhere { FORMAT | ELSEWHERE } else { FORMAT };
    postcard::to_extend(&entry, vec![format]).map_err(|error| StoreError::Unstorable(error.to_string()))
}

/// The entry of `person`.
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
    let entry: Entry<'_> = postcard::from_bytes(rest).map_err(|_| wrong())?;
    let last_seen = entry.last_seen.map(|(second, nanosecond)| Timestamp::new(second, nanosecond)).transpose();
    Ok(Member {
        person,
        stage: entry.stage,
        scores: entry.scores.into_owned(),
        engagement: entry.engagement,
        last_seen: last_seen.map_err(|_| wrong())?,
        personas: entry.personas.into_owned(),
        elsewhere: head & ELSEWHERE != 0,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
            elsewhere: false,
        }
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
