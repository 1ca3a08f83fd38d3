//! Reads a person's traits by their meaning, in any spelling, and without removed ones.
//!
//! States keep traits as they were sent. All readers use this module: of several spellings of one fact ([`Fact`]) the
//! newest counts, `null` removes a trait, and a missing given name is derived from the full name.

use crate::state::State;
use crate::unverified::{comparable, is_unverified};
use perennial_domain::full_name;
use perennial_domain::traits::{Fact, is_same, readable};
use serde_json::Value;

/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// The latest value of a trait: its time, and its JSON text; `None` if it was removed.
type Said<'a> = (i64, Option<&'a str>);

impl State {
    /// Returns a trait's JSON text, in its latest spelling; `None` if it is unknown or was removed.
    pub fn newest_json(&self, name: &str) -> Option<&str> {
        let (at, json) = self.newest(name)?;
        json.filter(|_| !self.is_outranked(name, at))
    }

    /// Returns a trait's value; `None` where it is not known or was removed.
    pub fn trait_value(&self, name: &str) -> Option<Value> {
        let newest = self.newest(name);
        let vouched = newest.filter(|(at, _)| !self.is_outranked(name, *at));
        match vouched.and_then(|(at, json)| json.filter(|json| !is_unverified(at) || may_greet(name, json))) {
            Some(json) => serde_json::from_str(json).ok(),
            None => self.derived(Fact::of(name)?, vouched.map(|(at, _)| at)).map(Value::String),
        }
    }

    /// Returns a trait's text, for an object its `name`; `None` if it is unknown, was removed, or is neither.
    pub fn text_trait(&self, name: &str) -> Option<String> {
        match self.trait_value(name)? {
            Value::String(text) => Some(text),
            value @ Value::Object(_) => readable(&value),
            _ => None,
        }
    }

    /// Returns the latest value of a trait, in any of its spellings. At the same time one with a value counts.
    fn newest(&self, name: &str) -> Option<Said<'_>> {
        let Some(fact) = Fact::of(name) else { return self.said(name) };
        let all = self.traits.keys().chain(self.once.keys());
        let spelled = all.filter(|spelling| Fact::of(spelling) == Some(fact));
        spelled.filter_map(|spelling| self.said(spelling)).max_by_key(|&(at, json)| (at, json.is_some(), json))
    }

    /// Returns the latest value of a trait of exactly this name.
    fn said(&self, name: &str) -> Option<Said<'_>> {
        let vouched = self.vouched_once(name).map(|once| once.first.at);
        let written = vouched.or_else(|| self.traits.get(name).map(|register| register.at));
        let at = written.or_else(|| self.once.get(name).map(|once| once.first.at))?;
        Some((comparable(at), self.trait_json(name)))
    }

    /// Returns whether a part of a name, reported at `at` by a public source, is outranked by a trusted full name:
    /// mails greet by it.
    fn is_outranked(&self, name: &str, at: i64) -> bool {
        is_unverified(at)
            && matches!(Fact::of(name), Some(Fact::FirstName | Fact::LastName))
            && self.newest(Fact::Name.as_str()).is_some_and(|(at, json)| !is_unverified(at) && json.is_some())
    }

    /// Returns whether a trait was known by any name and then removed.
    pub fn is_removed_trait(&self, name: &str) -> bool {
        self.newest(name).is_some_and(|(_, json)| json.is_none())
    }

    /// Returns whether only a public source set the trait.
    pub fn is_unverified_trait(&self, name: &str) -> bool {
        self.newest(name).is_some_and(|(at, _)| is_unverified(at))
    }

    /// Returns a fact's value derived from other traits, if it is missing, or was removed at `removed` before they were
    /// sent.
    fn derived(&self, fact: Fact, removed: Option<i64>) -> Option<String> {
        let other = |fact: Fact| {
            let (at, json) = self.newest(fact.as_str())?;
            let json = json.filter(|json| !is_unverified(at) || may_greet(fact.as_str(), json));
            let text =
                serde_json::from_str::<String>(json.filter(|_| removed.is_none_or(|removed| removed <= at))?).ok();
            text.filter(|text| !text.trim().is_empty())
        };
        match fact {
            Fact::FirstName => full_name::split(&other(Fact::Name)?).0.map(str::to_owned),
            Fact::LastName => full_name::split(&other(Fact::Name)?).1,
            Fact::Name => {
                let parts: Vec<String> =
                    [other(Fact::FirstName), other(Fact::LastName)].into_iter().flatten().collect();
                (!parts.is_empty()).then(|| parts.join(" "))
            }
            _ => None,
        }
    }
}

/// The longest unverified name, in characters.
const MAX_NAME: usize = 40;
/// And the most words.
const MAX_WORDS: usize = 4;

/// Returns whether a value of a public source may be used in a greeting: a name of a few words of letters, and not free
/// text, such as an address that mail programs turn into a link.
fn may_greet(name: &str, json: &str) -> bool {
    if !matches!(Fact::of(name), Some(Fact::Name | Fact::FirstName | Fact::LastName)) {
        return true;
    }
    let Ok(text) = serde_json::from_str::<String>(json) else { return false };
    let is_of_name = |letter: char| letter.is_alphabetic() || matches!(letter, ' ' | '-' | '\'' | '’');
    text.chars().count() <= MAX_NAME && text.split(' ').count() <= MAX_WORDS && text.chars().all(is_of_name)
}

/// Returns the value at a path below a trait's value. The `name` of a company that is known only by its name is that
/// name.
pub(crate) fn below(trait_name: &str, value: Value, path: &[String]) -> Option<Value> {
    let mut value = value;
    for (depth, name) in path.iter().enumerate() {
        value = match value {
            Value::Object(mut object) => object.remove(name)?,
            text @ Value::String(_) if depth == 0 && name == "name" && is_same(trait_name, Fact::Company.as_str()) => {
                text
            }
            _ => return None,
        };
    }
    Some(value)
}

/// Returns whether a mail address of the person is known.
pub(crate) fn has_address(view: &State) -> bool {
    view.text_trait(ADDRESS_TRAIT).is_some_and(|address| !address.trim().is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::register::Register;
    use serde_json::json;

    fn state(traits: &[(&str, i64, Value)]) -> State {
        let mut state = State::default();
        for (name, at, value) in traits {
            state.write_trait(name, Register { at: *at, value: value.to_string() });
        }
        state
    }

    #[test]
    fn of_all_spellings_of_a_fact_the_newest_counts() {
        let state =
            state(&[("firstName", 1, json!("Ada")), ("first_name", 2, json!("Augusta")), ("FNAME", 0, json!("A"))]);
        for name in ["first_name", "firstName", "FirstName", "given_name", "fname"] {
            assert_eq!(state.text_trait(name).as_deref(), Some("Augusta"), "{name}");
        }
        assert_eq!(state.present_traits().count(), 3, "what was sent stays readable");
    }

    #[test]
    fn null_removes_a_trait_under_every_spelling() {
        let removed =
            state(&[("firstName", 1, json!("Ada")), ("first_name", 2, json!(null)), ("plan", 3, json!(null))]);
        assert_eq!((removed.trait_value("firstName"), removed.trait_value("plan")), (None, None));
        let back = state(&[("firstName", 3, json!("Ada")), ("first_name", 2, json!(null))]);
        assert_eq!(back.text_trait("first_name").as_deref(), Some("Ada"));
        let same_call = state(&[("firstName", 3, json!("Ada")), ("first_name", 3, json!(null))]);
        assert_eq!(same_call.text_trait("first_name").as_deref(), Some("Ada"));
    }

    #[test]
    fn a_given_name_is_that_of_the_whole_name_where_nobody_sent_it() {
        assert_eq!(state(&[("name", 1, json!("Ada Byron"))]).text_trait("first_name").as_deref(), Some("Ada"));
        assert_eq!(state(&[("name", 1, json!("Ada Byron"))]).text_trait("lastName").as_deref(), Some("Byron"));
        let both = state(&[("firstName", 1, json!("Ada")), ("lastName", 1, json!("Byron"))]);
        assert_eq!(both.text_trait("name").as_deref(), Some("Ada Byron"));
        // An empty form field says nothing about the name beside it; one that is emptied later does.
        let empty_field = state(&[("name", 1, json!("Ada Byron")), ("first_name", 1, json!(null))]);
        assert_eq!(empty_field.text_trait("first_name").as_deref(), Some("Ada"));
        let emptied = state(&[("name", 1, json!("Ada Byron")), ("first_name", 2, json!(null))]);
        assert_eq!(emptied.text_trait("first_name"), None);
        assert_eq!(state(&[("name", 1, json!("ada@example.com"))]).text_trait("first_name"), None);
    }

    #[test]
    fn a_company_is_its_name_be_it_text_or_an_object() {
        let object = state(&[("company", 1, json!({"name": "Initech", "id": 5}))]);
        assert_eq!(object.text_trait("company_name").as_deref(), Some("Initech"));
        let path = ["name".to_owned()];
        assert_eq!(below("company", object.trait_value("company").unwrap(), &path), Some(json!("Initech")));
        assert_eq!(below("companyName", json!("Initech"), &path), Some(json!("Initech")));
        assert_eq!(below("plan", json!("pro"), &path), None);
        assert_eq!(state(&[("company", 1, json!({"id": 5}))]).text_trait("company"), None);
    }
}
