//! Countries in one normal form: the two letters of ISO 3166-1.

use super::text::{is_absent, trimmed};
use icu_normalizer::DecomposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The longest text that is examined, in bytes; the longest English name has 52.
const MAX_BYTES: usize = 200;

/// Common names that are not in ISO 3166-1, each as [`folded`] returns it, then its code. In a data file beside this
/// one, sorted.
const ALIASES: &str = include_str!("data/countries.txt");

/// Folded names and three-letter codes.
static NAMES: LazyLock<HashMap<String, Country>> = LazyLock::new(names);

/// A country of ISO 3166-1, as its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(&'static str);

/// Why a text is no country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidCountry {
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// No country has this code or name.
    #[error("no country has this code or name")]
    Unknown,
}

impl Country {
    /// Parses a two- or three-letter code, or a name: the English one of the standard, a common English one (`UK`,
    /// `South Korea`), or the country's own (`Deutschland`, `日本`). Case, accents, spaces and punctuation are ignored.
    ///
    /// # Errors
    /// [`InvalidCountry`] if it is not a country.
    pub fn parse(text: &str) -> Result<Self, InvalidCountry> {
        if let Some(country) = rust_iso3166::from_alpha2(text) {
            return Ok(Self(country.alpha2));
        }
        let text = trimmed(text);
        if is_absent(text) {
            return Err(InvalidCountry::Absent);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidCountry::Unknown);
        }
        NAMES.get(&folded(text)).copied().ok_or(InvalidCountry::Unknown)
    }

    /// The two letters, in upper case.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Returns `text` reduced to letters and digits, in lower case and without accents.
fn folded(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    decomposed.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn names() -> HashMap<String, Country> {
    let mut names: HashMap<String, Country> = HashMap::new();
    // `Bolivia (Plurinational State of)` is Bolivia; but there are two of `Korea (…)`.
    let mut short: HashMap<String, Vec<Country>> = HashMap::new();
    for country in rust_iso3166::ALL {
        let code = Country(country.alpha2);
        for name in [country.alpha2, country.alpha3, country.name] {
            names.insert(folded(name), code);
        }
        if let Some((name, _)) = country.name.split_once('(') {
            short.entry(folded(name)).or_default().push(code);
        }
    }
    for (name, countries) in short {
        if let [country] = countries[..] {
            names.entry(name).or_insert(country);
        }
    }
    for (name, code) in aliases() {
        // A test verifies that every code is valid.
        if let Some(country) = rust_iso3166::from_alpha2(code) {
            names.insert(name.to_owned(), Country(country.alpha2));
        }
    }
    names
}

fn aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALIASES.lines().filter_map(|line| line.split_once(' '))
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;
    fn try_from(text: String) -> Result<Self, InvalidCountry> {
        Self::parse(&text)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0.to_owned()
    }
}

#[cfg(test)]
mod tests {
    //! Countries are cleaned and standardized, or rejected with a reason.
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn countries_are_known_by_their_codes_and_names() {
        for (text, code) in [
            ("DE", "DE"),
            ("de", "DE"),
            (" deu ", "DE"),
            ("Germany", "DE"),
            ("DEUTSCHLAND", "DE"),
            ("Allemagne", "DE"),
            ("UK", "GB"),
            ("u.k.", "GB"),
            ("England", "GB"),
            ("United Kingdom", "GB"),
            ("U.S.A.", "US"),
            ("USA", "US"),
            ("United States", "US"),
            ("the united states of america", "US"),
            ("Österreich", "AT"),
            ("O\u{308}sterreich", "AT"),
            ("Cote d’Ivoire", "CI"),
            ("Bolivia", "BO"),
            ("Viet Nam", "VN"),
            ("South Korea", "KR"),
            ("Korea (Republic of)", "KR"),
            ("Turkey", "TR"),
            ("Turkiye", "TR"),
            ("日本", "JP"),
            ("대한민국", "KR"),
            ("España", "ES"),
            ("Congo", "CG"),
            ("EL", "GR"),
            ("The Netherlands", "NL"),
        ] {
            assert_eq!(Country::parse(text).map(Country::as_str), Ok(code), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_country_or_could_be_two_is_rejected_with_a_reason() {
        for text in ["", "n/a", "--", "null"] {
            assert_eq!(Country::parse(text), Err(InvalidCountry::Absent), "{text:?}");
        }
        for text in ["XX", "ZZZ", "Korea", "Virgin Islands", "Atlantis", "DE, FR", &"x".repeat(300)] {
            assert_eq!(Country::parse(text), Err(InvalidCountry::Unknown), "{text:?}");
        }
    }

    #[test]
    fn the_aliases_are_sorted_folded_and_of_countries_and_hide_no_code() {
        let listed: Vec<_> = aliases().collect();
        assert!(listed.len() == ALIASES.lines().count() && listed.is_sorted_by(|a, b| a.0 < b.0));
        for (name, code) in listed {
            assert_eq!(folded(name), name);
            assert!(rust_iso3166::from_alpha2(code).is_some(), "{code}");
            let upper = name.to_uppercase();
            let other = rust_iso3166::from_alpha2(&upper).or_else(|| rust_iso3166::from_alpha3(&upper));
            assert!(other.is_none_or(|other| other.alpha2 == code), "{name} is another country's code");
        }
    }

    #[test]
    fn every_code_and_name_of_the_standard_is_its_country() {
        for country in rust_iso3166::ALL {
            for text in [country.alpha2, country.alpha3, country.name, &country.name.to_lowercase()] {
                assert_eq!(Country::parse(text).map(Country::as_str), Ok(country.alpha2), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics_and_a_country_is_its_own_normal_form(text in any::<String>()) {
            if let Ok(country) = Country::parse(&text) {
                prop_assert_eq!(Country::parse(country.as_str()), Ok(country));
            }
        }
    }
}
