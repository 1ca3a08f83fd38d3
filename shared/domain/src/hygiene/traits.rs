//! Normalizes the traits of `identify` and `group` calls.
//!
//! | trait of `identify` | becomes |
//! |---|---|
//! | `email` | [`MailAddress`] |
//! | `name`, `first_name`, `last_name` | [`name_part`] |
//! | `phone` | [`e164`], read as dialled in `country` or `address.country` |
//! | `country`, `address.country` | [`Country`] |
//! | `timezone`, `utc_offset`, `timezone_offset`, `geoip_time_zone` | [`Zone`] |
//! | `company` (if it is text), `company.name` | [`company_name`] |
//!
//! Each is recognized in every spelling that clients send ([`crate::traits::Fact`]), such as `firstName`, `given_name`
//! and `phoneNumber`, and keeps its name.
//!
//! | trait of `group` | becomes |
//! |---|---|
//! | `name` | [`company_name`] |
//! | `website`, `domain` | [`website`]: the host |
//! | `email`, `phone`, `country`, `address.country` | as above |
//!
//! A value without a normal form is dropped and the event is kept: an invalid phone number says nothing about the mail
//! address beside it, and no value is better than one that other rules would trust. `null` is kept, because it removes
//! a trait.

use super::name::MAX_CHARS;
use super::note::{Change, Note, Outcome, Reason};
use super::text::{is_absent, trimmed};
use super::{Country, MailAddress, NamePart, Zone, company_name, e164, name_part, website};
use crate::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use crate::traits::{Fact, find, is_same, place};
use crate::{EventKind, Properties, full_name};
use serde_json::Value;
use std::borrow::Cow;

/// The most notes about traits or properties that are too large.
pub const MAX_NOTES: usize = 100;

/// The kind of value in a trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standard {
    Mail,
    PersonName(NamePart),
    CompanyName,
    Country,
    Phone,
    Website,
    TimeZone(Fact),
}

/// A trait: its path, one or two names deep, and the kind of its value.
type Field = (&'static str, Standard);

// Countries come first: phone numbers are read by them.
const OF_PERSON: [Field; 13] = [
    ("country", Standard::Country),
    ("address.country", Standard::Country),
    ("email", Standard::Mail),
    ("name", Standard::PersonName(NamePart::Full)),
    ("first_name", Standard::PersonName(NamePart::First)),
    ("last_name", Standard::PersonName(NamePart::Last)),
    ("phone", Standard::Phone),
    ("company", Standard::CompanyName),
    ("company.name", Standard::CompanyName),
    ("timezone", Standard::TimeZone(Fact::TimeZone)),
    ("utc_offset", Standard::TimeZone(Fact::UtcOffset)),
    ("timezone_offset", Standard::TimeZone(Fact::TimeZoneOffset)),
    ("geoip_time_zone", Standard::TimeZone(Fact::GuessedTimeZone)),
];
const OF_ACCOUNT: [Field; 7] = [
    ("country", Standard::Country),
    ("address.country", Standard::Country),
    ("name", Standard::CompanyName),
    ("website", Standard::Website),
    ("domain", Standard::Website),
    ("email", Standard::Mail),
    ("phone", Standard::Phone),
];

const fn fields(kind: EventKind) -> &'static [Field] {
    match kind {
        EventKind::Identify => &OF_PERSON,
        EventKind::Group => &OF_ACCOUNT,
        _ => &[],
    }
}

/// Returns whether [`standardise`] handles a trait of this name in a call of this kind.
pub fn concerns(kind: EventKind, name: &str) -> bool {
    fields(kind).iter().any(|(field, _)| is_same(field.split_once('.').map_or(*field, |(parent, _)| parent), name))
}

/// Normalizes the traits of a call and returns notes on the changes, in the order of the tables above.
pub fn standardise(kind: EventKind, traits: &mut Properties) -> Vec<Note> {
    let mut notes = Vec::new();
    let [first, last] = [NamePart::First, NamePart::Last].map(|part| text_of(kind, traits, part));
    for (field, standard) in fields(kind) {
        for place in places(traits, field) {
            // An object there has fields of its own.
            let skipped = |value: &Value| value.is_null() || (*field == "company" && value.is_object());
            let Some(value) = place.find(traits).filter(|value| !skipped(value)) else { continue };
            let text = match value {
                Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                Value::Number(number) if matches!(standard, Standard::Phone | Standard::TimeZone(_)) => {
                    Some(Cow::Owned(number.to_string()))
                }
                Value::Object(parts) if *standard == Standard::PersonName(NamePart::Full) => {
                    full_name::of_parts(parts).map(Cow::Owned)
                }
                _ => None,
            };
            let beside = Beside {
                country: if *standard == Standard::Phone { country_of(traits) } else { None },
                name: match standard {
                    Standard::PersonName(NamePart::First) => last.as_deref(),
                    Standard::PersonName(NamePart::Last) => first.as_deref(),
                    _ => None,
                },
            };
            let joined = text.as_deref().filter(|_| value.is_object()).map(str::to_owned);
            let outcome = match text.ok_or(Reason::NotText).and_then(|text| apply(*standard, &text, &beside)) {
                Ok(None) if joined.is_none() => continue,
                Ok(None) => {
                    place.set(traits, joined);
                    Outcome::Changed(Change::Cleaned)
                }
                Ok(Some((normal, change))) => {
                    place.set(traits, Some(normal));
                    Outcome::Changed(change)
                }
                Err(reason) => {
                    place.set(traits, None);
                    Outcome::Dropped(reason)
                }
            };
            notes.push(Note { field: Cow::Owned(place.path()), outcome });
        }
    }
    notes
}

/// Other traits of the call that affect how a trait is read.
struct Beside<'a> {
    /// The country, for a phone number.
    country: Option<Country>,
    /// The last name for a first name and the reverse, as sent.
    name: Option<&'a str>,
}

/// Returns the text of a part of the person's name in a call.
fn text_of(kind: EventKind, traits: &Properties, part: NamePart) -> Option<String> {
    let wanted = fields(kind).iter().filter(|(_, standard)| *standard == Standard::PersonName(part));
    wanted.filter_map(|(field, _)| find(traits, field)?.as_str()).next().map(str::to_owned)
}

/// Returns notes on traits that are too large to keep, at most [`MAX_NOTES`]: values, names, and those beyond
/// [`MAX_TRAITS`]. They stay in the event: the archive keeps what the profile does not.
pub fn oversized(traits: &Properties) -> Vec<Note> {
    // In the order in which a profile keeps them.
    let mut names: Vec<&String> = traits.keys().collect();
    names.sort_unstable_by_key(|name| place(name));
    let is_short = |name: &&&String| name.len() <= MAX_TRAIT_NAME_BYTES;
    let kept = names.iter().filter(is_short).nth(MAX_TRAITS.saturating_sub(1)).copied();
    let reason = |name: &String| {
        if name.len() > MAX_TRAIT_NAME_BYTES {
            Some(Reason::NameTooLong)
        } else if kept.is_some_and(|last| place(name) > place(last)) {
            Some(Reason::TooMany)
        } else {
            let is_long = traits.get(name).is_some_and(|value| value.to_string().len() > MAX_TRAIT_BYTES);
            is_long.then_some(Reason::TooLong)
        }
    };
    let notes = names.into_iter().filter_map(|name| {
        let reason = reason(name)?;
        let shown = name[..name.floor_char_boundary(MAX_TRAIT_NAME_BYTES)].to_owned();
        Some(Note { field: Cow::Owned(shown), outcome: Outcome::Dropped(reason) })
    });
    notes.take(MAX_NOTES).collect()
}

/// The position of a value: a trait, under the name it was sent with, or a member of one.
struct Place {
    name: String,
    member: Option<&'static str>,
}

/// The places of a field, under each spelling that is there.
fn places(traits: &Properties, field: &'static str) -> Vec<Place> {
    let (name, member) = field.split_once('.').map_or((field, None), |(name, member)| (name, Some(member)));
    let spelled = traits.keys().filter(|spelling| is_same(spelling, name));
    spelled.map(|spelling| Place { name: spelling.clone(), member }).collect()
}

impl Place {
    fn path(&self) -> String {
        self.member.map_or_else(|| self.name.clone(), |member| format!("{}.{member}", self.name))
    }

    fn find<'a>(&self, traits: &'a Properties) -> Option<&'a Value> {
        let value = traits.get(&self.name)?;
        self.member.map_or(Some(value), |member| value.as_object()?.get(member))
    }

    fn set(&self, traits: &mut Properties, value: Option<String>) {
        let (holder, name) = match self.member {
            Some(member) => (traits.get_mut(&self.name).and_then(Value::as_object_mut), member),
            None => (Some(traits), self.name.as_str()),
        };
        let Some(holder) = holder else { return };
        match value {
            Some(value) => {
                holder.insert(name.to_owned(), value.into());
            }
            None => {
                holder.remove(name);
            }
        }
    }
}

/// Returns the country in the traits, which are normalized already.
fn country_of(traits: &Properties) -> Option<Country> {
    let named = ["country", "address.country"].into_iter().flat_map(|field| places(traits, field));
    named.into_iter().find_map(|place| Country::parse(place.find(traits)?.as_str()?).ok())
}

/// Returns the normal form and the kind of change; `None` if `text` is in its normal form.
fn apply(standard: Standard, text: &str, beside: &Beside<'_>) -> Result<Option<(String, Change)>, Reason> {
    let bare = trimmed(text);
    // Some words for no value are names of people.
    if !matches!(standard, Standard::PersonName(_)) && is_absent(bare) {
        return Err(Reason::Absent);
    }
    let (normal, change): (String, fn(&str, &str) -> Change) = match standard {
        Standard::Mail => (MailAddress::parse(text).map_err(Reason::Mail)?.into(), mail_change),
        Standard::PersonName(part) => (name_part(part, text, beside.name).map_err(Reason::Name)?, name_change),
        Standard::CompanyName => (company_name(text).map_err(Reason::Name)?, name_change),
        Standard::Country => {
            (Country::parse(text).map_err(Reason::Country)?.as_str().to_owned(), |_, _| Change::CountryCode)
        }
        Standard::Phone => (e164(text, beside.country).map_err(Reason::Phone)?, |_, _| Change::E164),
        Standard::TimeZone(fact) => {
            (Zone::parse_fact(fact, text).map_err(Reason::Zone)?.name().to_owned(), |_, _| Change::TimeZone)
        }
        Standard::Website => (website(text).map_err(Reason::Website)?, |_, _| Change::Host),
    };
    if normal == text {
        return Ok(None);
    }
    let change = change(bare, &normal);
    Ok(Some((normal, change)))
}

fn mail_change(bare: &str, normal: &str) -> Change {
    if bare == normal {
        Change::Cleaned
    } else if bare.eq_ignore_ascii_case(normal) {
        Change::DomainCase
    } else if bare.is_ascii() {
        Change::Unwrapped
    } else if normal.contains("xn--") {
        Change::DomainAscii
    } else {
        Change::Cleaned
    }
}

fn name_change(bare: &str, normal: &str) -> Change {
    if bare.chars().nth(MAX_CHARS).is_some() {
        Change::Shortened
    } else if company_name(bare).is_ok_and(|cleaned| cleaned != normal) {
        // Only the case differs.
        Change::TitleCase
    } else {
        Change::Cleaned
    }
}

#[cfg(test)]
#[path = "traits_tests.rs"]
mod tests;
