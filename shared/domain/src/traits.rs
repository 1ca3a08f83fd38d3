//! Names of traits: one fact has one name here, however a client spells it.
//!
//! | fact | name | also sent as |
//! |---|---|---|
//! | [`Fact::Email`] | `email` | `Email`, `e-mail`, `emailAddress`, `user_email` |
//! | [`Fact::Name`] | `name` | `Name`, `fullName`, `full_name`, `displayName` |
//! | [`Fact::FirstName`] | `first_name` | `firstName`, `FirstName`, `firstname`, `given_name`, `givenName`, `fname` |
//! | [`Fact::LastName`] | `last_name` | `lastName`, `surname`, `family_name`, `lname` |
//! | [`Fact::Phone`] | `phone` | `phoneNumber`, `phone_number`, `telephone` |
//! | [`Fact::Company`] | `company` | `companyName`, `company_name`, `organizationName` |
//! | [`Fact::Title`] | `title` | `jobTitle`, `job_title` |
//! | [`Fact::CreatedAt`] | `created_at` | `createdAt`, `created` |
//! | [`Fact::TimeZone`] | `timezone` | `timeZone`, `time_zone`, `Time Zone`, `$timezone`, `tz`, `zoneinfo` |
//! | [`Fact::TimeZoneOffset`] | `timezone_offset` | `timezoneOffset`, `getTimezoneOffset` |
//! | [`Fact::UtcOffset`] | `utc_offset` | `utcOffset`, `utcOffsetMinutes`, `gmt_offset`, `tz_offset` |
//! | [`Fact::GuessedTimeZone`] | `geoip_time_zone` | `$geoip_time_zone` |
//!
//! Upper and lower case, `_`, `-`, `.`, white space and a leading `$` make no difference. Sources: Segment's reserved traits (`firstName`,
//! `createdAt`), OpenID Connect's standard claims (`given_name`, `family_name`, `phone_number`, `zoneinfo`), PostHog (`$geoip_time_zone`), Google's
//! and Twitter's profiles (`utc_offset`: minutes and seconds east), Slack (`tz`, `tz_offset`: seconds east), Day.js (`utcOffset`: minutes east), Mixpanel (`$first_name`, `$created`), HubSpot
//! (`firstname`, `jobtitle`), Salesforce (`FirstName`), Mailchimp (`FNAME`), Intercom and Customer.io (`created_at`).
//!
//! Traits are stored as they were sent; code that reads one asks for the fact. Names that often hold something else, such as `organization` (an
//! id), `mail` (a choice) or `position`, are traits of their own.

use serde_json::Value;
use std::collections::BTreeMap;

/// A fact that every product knows about people, under whatever name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The mail address.
    Email,
    /// The full name.
    Name,
    /// The given name.
    FirstName,
    /// The family name.
    LastName,
    /// The phone number.
    Phone,
    /// The company's name, or an object about the company with its `name`.
    Company,
    /// The person's role at the company.
    Title,
    /// The person's sign-up time.
    CreatedAt,
    /// The time zone.
    TimeZone,
    /// The offset from UTC under JavaScript's name: minutes count west.
    TimeZoneOffset,
    /// The offset from UTC; numbers count east.
    UtcOffset,
    /// The time zone as guessed of the network address.
    GuessedTimeZone,
}

/// The longest spelling, without what makes no difference.
const MAX_FOLDED: usize = 17;

impl Fact {
    /// All facts.
    pub const ALL: [Self; 12] = [
        Self::Email,
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Phone,
        Self::Company,
        Self::Title,
        Self::CreatedAt,
        Self::TimeZone,
        Self::TimeZoneOffset,
        Self::UtcOffset,
        Self::GuessedTimeZone,
    ];

    /// Returns the fact of a trait with this name; `None` for a trait with no special meaning.
    pub fn of(name: &str) -> Option<Self> {
        let mut folded = [0; MAX_FOLDED];
        let mut length = 0;
        for byte in name.strip_prefix('$').unwrap_or(name).bytes() {
            if matches!(byte, b'_' | b'-' | b'.' | b' ') {
                continue;
            }
            *folded.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        Some(match folded.get(..length)? {
            b"email" | b"emailaddress" | b"useremail" => Self::Email,
            b"name" | b"fullname" | b"displayname" => Self::Name,
            b"firstname" | b"givenname" | b"fname" | b"forename" => Self::FirstName,
            b"lastname" | b"surname" | b"familyname" | b"lname" => Self::LastName,
            b"phone" | b"phonenumber" | b"telephone" | b"telephonenumber" => Self::Phone,
            b"company" | b"companyname" | b"organizationname" | b"organisationname" => Self::Company,
            b"title" | b"jobtitle" => Self::Title,
            b"createdat" | b"created" => Self::CreatedAt,
            b"timezone" | b"timezonename" | b"timezoneid" | b"tz" | b"zoneinfo" => Self::TimeZone,
            b"timezoneoffset" | b"gettimezoneoffset" => Self::TimeZoneOffset,
            b"utcoffset" | b"utcoffsetminutes" | b"utcoffsetseconds" | b"gmtoffset" | b"tzoffset" => Self::UtcOffset,
            b"geoiptimezone" => Self::GuessedTimeZone,
            _ => return None,
        })
    }

    /// Returns the fact's name in config, templates and documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Phone => "phone",
            Self::Company => "company",
            Self::Title => "title",
            Self::CreatedAt => "created_at",
            Self::TimeZone => "timezone",
            Self::TimeZoneOffset => "timezone_offset",
            Self::UtcOffset => "utc_offset",
            Self::GuessedTimeZone => "geoip_time_zone",
        }
    }
}

/// Returns the order in which traits are kept if there is not room for all: facts first, then alphabetically. It
/// depends only on the name, so the result does not depend on the order in which traits arrive.
pub fn place(name: &str) -> (bool, &str) {
    (Fact::of(name).is_none(), name)
}

/// Removes and returns the trait that is last by [`place`]; `None` if there is none.
pub fn pop_last_placed<V>(traits: &mut BTreeMap<String, V>) -> Option<(String, V)> {
    let last = traits.keys().max_by_key(|name| place(name))?.clone();
    traits.remove_entry(&last)
}

/// Returns whether two names are the same trait: equal, or spellings of one fact.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || Fact::of(one).is_some_and(|fact| Fact::of(other) == Some(fact))
}

/// Returns a call's value for a trait in any spelling. Of several spellings the first with a value counts, beginning
/// with `name` itself, then alphabetically.
pub fn find<'a, T>(traits: T, name: &str) -> Option<&'a Value>
where
    T: IntoIterator<Item = (&'a String, &'a Value)>,
{
    let mut best: Option<(&Value, (bool, bool))> = None;
    for (spelling, value) in traits.into_iter().filter(|(spelling, _)| is_same(spelling, name)) {
        let rank = (holds_something(value), spelling == name);
        if best.is_none_or(|(_, known)| rank > known) {
            best = Some((value, rank));
        }
    }
    best.map(|(value, _)| value)
}

fn holds_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// Returns the text for a value in a message: a text, number or boolean as it is, an object's `name` in any spelling,
/// nothing for anything else.
pub fn readable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(readable_number(number)),
        Value::Object(object) => match find(object, Fact::Name.as_str())? {
            Value::String(name) => Some(name.clone()),
            _ => None,
        },
        Value::Null | Value::Array(_) => None,
    }
}

/// Formats a number for readers: a whole one without `.0`.
fn readable_number(number: &serde_json::Number) -> String {
    /// The largest whole number that a double represents exactly (2^53).
    const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() <= MAX_WHOLE => format!("{double:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_is_one_fact() {
        let spelled = [
            (Fact::Email, vec!["email", "Email", "EMAIL", "e-mail", "emailAddress", "email_address", "$email"]),
            (Fact::Name, vec!["name", "Name", "fullName", "full_name", "$name"]),
            (
                Fact::FirstName,
                vec![
                    "first_name",
                    "firstName",
                    "FirstName",
                    "firstname",
                    "FIRSTNAME",
                    "first-name",
                    "First Name",
                    "$first_name",
                    "given_name",
                    "givenName",
                    "FNAME",
                    "fname",
                ],
            ),
            (Fact::LastName, vec!["last_name", "lastName", "LastName", "surname", "family_name", "lname", "LNAME"]),
            (Fact::Phone, vec!["phone", "Phone", "phoneNumber", "phone_number"]),
            (Fact::Company, vec!["company", "Company", "companyName", "company_name"]),
            (Fact::Title, vec!["title", "Title", "jobTitle", "job_title", "jobtitle"]),
            (Fact::CreatedAt, vec!["created_at", "createdAt", "CreatedAt", "$created", "created"]),
            (
                Fact::TimeZone,
                vec![
                    "Timezone",
                    "TimeZone",
                    "TIMEZONE",
                    "time-zone",
                    "Time Zone",
                    "time_zone",
                    "$timezone",
                    "tz",
                    "zoneinfo",
                ],
            ),
            (Fact::TimeZoneOffset, vec!["timezoneOffset", "timezone_offset", "TimezoneOffset"]),
            (Fact::UtcOffset, vec!["utc_offset", "utcOffset", "utc_offset_minutes", "tz_offset"]),
            (Fact::GuessedTimeZone, vec!["$geoip_time_zone"]),
        ];
        for (fact, names) in spelled {
            for name in names {
                assert_eq!(Fact::of(name), Some(fact), "{name}");
            }
            assert_eq!(Fact::of(fact.as_str()), Some(fact));
        }
    }

    #[test]
    fn other_traits_are_no_facts() {
        for name in
            ["plan", "mail", "first", "organization", "username", "company_size", "company.id", "", "$", "ｆname"]
        {
            assert_eq!(Fact::of(name), None, "{name}");
        }
        assert_eq!(Fact::of(&"first_name".repeat(40)), None);
        assert!(is_same("plan", "plan") && !is_same("plan", "Plan") && is_same("jobTitle", "title"));
    }

    #[test]
    fn of_several_spellings_in_one_call_one_that_holds_something_counts() {
        let of = |traits: Value, name: &str| find(traits.as_object().unwrap(), name).cloned();
        assert_eq!(of(json!({"firstName": "Ada", "first_name": null}), "first_name"), Some(json!("Ada")));
        assert_eq!(of(json!({"firstName": "", "given_name": "Ada"}), "first_name"), Some(json!("Ada")));
        assert_eq!(of(json!({"firstName": "Ada", "first_name": "Augusta"}), "first_name"), Some(json!("Augusta")));
        assert_eq!(of(json!({"Email": null}), "email"), Some(json!(null)));
        assert_eq!(of(json!({"plan": "pro"}), "email"), None);
    }

    #[test]
    fn what_a_reader_sees_is_never_an_object_or_a_list() {
        let of = |value: Value| readable(&value);
        assert_eq!(of(json!({"name": "Initech", "id": 5})).as_deref(), Some("Initech"));
        assert_eq!(of(json!(1900.0)).as_deref(), Some("1900"));
        assert_eq!(of(json!(19.9)).as_deref(), Some("19.9"));
        assert_eq!(of(json!(12_345_678_901_234_567_u64)).as_deref(), Some("12345678901234567"));
        assert_eq!(of(json!(true)).as_deref(), Some("true"));
        assert_eq!(of(json!({"Name": "Initech", "id": 5})).as_deref(), Some("Initech"));
        for nothing in [json!(null), json!([1, "a"]), json!({}), json!({"id": 5}), json!({"name": {"a": 1}})] {
            assert_eq!(of(nothing.clone()), None, "{nothing}");
        }
    }
}
