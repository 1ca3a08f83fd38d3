//! A person's id in another system.

use crate::id::{InvalidId, check, text_conversions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const FIELD: &str = "externalId";

/// A person's id in another system, prefixed with the type of the id: `stripe_customer_id:cus_5`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalId(Box<str>);

impl ExternalId {
    /// The most bytes that the type and the id may have together.
    pub const MAX_BYTES: usize = 256;
    const FORM: &str = "TYPE:ID, such as stripe_customer_id:cus_5";

    /// Returns the id `id` of type `kind`, both trimmed. The type may not contain a colon. Ids whose type ends in `_email`, `_login` or
    /// `_handle` are in lower case: `github_login:Octo` and `github_login:octo` are one.
    ///
    /// # Errors
    /// [`InvalidId`] if one of them is empty, both are too long together, or contain a forbidden character.
    pub fn new(kind: &str, id: &str) -> Result<Self, InvalidId> {
        let (kind, id) = (kind.trim(), id.trim());
        let folded = Self::is_without_case(kind).then(|| id.to_lowercase());
        let id = folded.as_deref().unwrap_or(id);
        if kind.contains(':') {
            return Err(InvalidId::Form { field: FIELD, form: Self::FORM });
        }
        for part in [kind, id] {
            check(FIELD, part, Self::MAX_BYTES)?;
        }
        let text = format!("{kind}:{id}");
        check(FIELD, &text, Self::MAX_BYTES).map(|text| Self(text.into()))
    }

    /// Returns whether the system that gives ids of type `kind` takes them in any case: addresses, logins and handles, by the
    /// end of the type's name.
    fn is_without_case(kind: &str) -> bool {
        ["_email", "_login", "_handle"].iter().any(|end| kind.ends_with(end))
    }

    /// Parses `TYPE:ID`.
    ///
    /// # Errors
    /// As [`Self::new`], and where there is no colon.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let (kind, id) = text.split_once(':').ok_or(InvalidId::Form { field: FIELD, form: Self::FORM })?;
        Self::new(kind, id)
    }

    /// Returns the id of type `kind` from a JSON value: text, or a whole number.
    ///
    /// # Errors
    /// As [`Self::new`], and if it is neither.
    pub fn of_json(kind: &str, value: &Value) -> Result<Self, InvalidId> {
        match value {
            Value::String(text) => Self::new(kind, text),
            Value::Number(number) if !number.is_f64() => Self::new(kind, &number.to_string()),
            _ => Err(InvalidId::Form { field: FIELD, form: "text or a whole number" }),
        }
    }

    /// Returns the type, such as `stripe_customer_id`.
    pub fn kind(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind, _)| kind)
    }

    /// Returns the id in that system, such as `cus_5`.
    pub fn id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }

    /// `TYPE:ID`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_conversions!(ExternalId);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn logins_handles_and_addresses_are_one_in_any_case_and_other_ids_are_not() {
        for kind in ["github_login", "social_handle", "zoom_email"] {
            assert_eq!(ExternalId::new(kind, "Octo@X"), ExternalId::new(kind, "octo@x"), "{kind}");
        }
        assert_ne!(ExternalId::new("stripe_customer_id", "cus_A"), ExternalId::new("stripe_customer_id", "cus_a"));
    }

    #[test]
    fn type_ends_at_the_first_colon() {
        let id = ExternalId::parse(" social_handle : x:@ada ").unwrap();
        assert_eq!((id.kind(), id.id(), id.as_str()), ("social_handle", "x:@ada", "social_handle:x:@ada"));
        assert_eq!(ExternalId::new("social_handle", "x:@ada").unwrap(), id);
        let stored = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ExternalId>(&stored).unwrap(), id);
    }

    #[test]
    fn text_without_a_type_or_an_id_is_none() {
        for text in ["", "cus_5", ":cus_5", "stripe:", "stripe: ", "a\u{7}:b", "a:b\nc"] {
            assert!(ExternalId::parse(text).is_err(), "{text:?}");
        }
        assert!(ExternalId::new("a:b", "c").is_err());
        let longest = "x".repeat(ExternalId::MAX_BYTES - 2);
        assert!(ExternalId::new("k", &longest).is_ok());
        assert!(ExternalId::new("kk", &longest).is_err());
    }

    #[test]
    fn numbers_are_ids_where_they_are_whole() {
        assert_eq!(ExternalId::of_json("hubspot_contact_id", &json!(51)).unwrap().id(), "51");
        for value in [json!(5.1), json!(null), json!(true), json!(["a"]), json!({})] {
            assert!(ExternalId::of_json("hubspot_contact_id", &value).is_err(), "{value}");
        }
    }
}
