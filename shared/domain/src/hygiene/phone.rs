//! Phone numbers in one normal form: E.164.
//!
//! The numbering plans are those of Google's libphonenumber, by crate `rlibphonenumber`. They cost a function that looks at phone numbers
//! 0.2 MB of its zip, and some 6 ms of a whole core at the first number that it sees; the older port `phonenumber` costs 0.8 MB and 160 ms.

use super::Country;
use super::text::{is_absent, trimmed};
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region};

/// The longest text that is examined, in bytes: 15 digits with separators and an extension.
const MAX_BYTES: usize = 64;

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidPhone {
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// Contains more than digits and separators.
    #[error("not a phone number")]
    NotANumber,
    /// Without `+` and country code, and no country is known that it could be of.
    #[error("no country code, and no country beside it")]
    NoCountry,
    /// No such number exists in its country: too short, too long, or in no assigned range.
    #[error("no such number exists")]
    Impossible,
}

/// Returns the number in E.164, such as `+4930901820`: `+`, country code and at most 15 digits in all. A number without
/// country code is read as dialled within `country`. An extension is left out.
///
/// # Errors
/// [`InvalidPhone`] if it is not a phone number.
pub fn e164(text: &str, country: Option<Country>) -> Result<String, InvalidPhone> {
    let text = trimmed(text);
    if is_absent(text) {
        return Err(InvalidPhone::Absent);
    }
    if text.len() > MAX_BYTES {
        return Err(InvalidPhone::NotANumber);
    }
    let region = country.and_then(|country| Region::from_code(country.as_str()).ok());
    let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|error| match error {
        ParseError::InvalidCountryCode if region.is_none() && !text.starts_with('+') => InvalidPhone::NoCountry,
        ParseError::NotANumber(_) => InvalidPhone::NotANumber,
        _ => InvalidPhone::Impossible,
    })?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(InvalidPhone::Impossible);
    }
    Ok(PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}

#[cfg(test)]
mod tests {
    //! Phone numbers are cleaned and standardized, or rejected with a reason.
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str, country: &str) -> Result<String, InvalidPhone> {
        e164(text, Country::parse(country).ok())
    }

    #[test]
    fn numbers_are_written_as_e164() {
        for (text, country, expected) in [
            ("+49 (0)30 901820", "", "+4930901820"),
            ("030/90 18 20", "DE", "+4930901820"),
            ("0049 30 901820", "DE", "+4930901820"),
            ("+1 (650) 253-0000", "DE", "+16502530000"),
            ("650.253.0000", "US", "+16502530000"),
            ("tel:+1-650-253-0000", "", "+16502530000"),
            ("+1 650 253 0000 ext. 12", "", "+16502530000"),
            ("020 7946 0018", "GB", "+442079460018"),
            ("＋４９３０９０１８２０", "", "+4930901820"),
            ("\u{202a}+49 30 901820\u{202c}", "", "+4930901820"),
        ] {
            assert_eq!(of(text, country).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_rejected_with_a_reason() {
        for (text, country, reason) in [
            ("", "DE", InvalidPhone::Absent),
            ("n/a", "DE", InvalidPhone::Absent),
            ("call me", "DE", InvalidPhone::NotANumber),
            ("030 901820", "", InvalidPhone::NoCountry),
            ("+999 123 456", "", InvalidPhone::Impossible),
            ("123", "DE", InvalidPhone::Impossible),
            ("1111111111", "US", InvalidPhone::Impossible),
            (&"1".repeat(80), "US", InvalidPhone::NotANumber),
        ] {
            assert_eq!(of(text, country), Err(reason), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics_and_e164_is_its_own_normal_form(
            text in "(\\PC{0,16}|(tel:)?[+＋]?[0-9٠-٩ ()./x;=-]{0,24}(ext|;phone-context=)?[0-9+.a-z]{0,6})",
            country in "[A-Z]{2}"
        ) {
            let country = Country::parse(&country).ok();
            if let Ok(number) = e164(&text, country) {
                prop_assert!(number.len() <= 18 && number[1..].bytes().all(|c| c.is_ascii_digit()));
                prop_assert_eq!(e164(&number, country), Ok(number.clone()));
                prop_assert_eq!(e164(&number, None), Ok(number));
            }
        }
    }
}
