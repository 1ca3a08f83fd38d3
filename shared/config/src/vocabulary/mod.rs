//! The vocabularies of conditions: the names, their types, and their lookups.

mod event;
mod person;
mod person_names;

pub use event::{EVENT_NAMES, EventSlot, EventVocabulary};
pub use person::{ACCOUNT_FIELDS, AccountField, Level, PersonSlot, PersonVocabulary};
pub use person_names::PERSON_NAMES;

use crate::cel::{Const, Refused};

/// The text that argument `at` is.
fn text(args: &[Const], at: usize) -> Result<&str, Refused> {
    match args.get(at) {
        Some(Const::Text(text)) => Ok(text),
        _ => Err(refused(at, "has to be a text in quotes")),
    }
}

/// The whole number that argument `at` is, from 1 to `most`.
fn number(args: &[Const], at: usize, what: &str, most: u16) -> Result<u16, Refused> {
    let wrong = || refused(at, format!("has to be a whole number of {what} from 1 to {most}"));
    match args.get(at) {
        Some(Const::Int(n)) => u16::try_from(*n).ok().filter(|n| (1..=most).contains(n)).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn refused(argument: usize, message: impl Into<String>) -> Refused {
    Refused { argument: Some(argument), message: message.into() }
}
