//! Values are cleaned and standardized, or rejected with a reason.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn standardised(kind: EventKind, traits: Value) -> (Value, Vec<String>) {
    let Value::Object(mut traits) = traits else { panic!("an object") };
    let notes = standardise(kind, &mut traits);
    (traits.into(), notes.iter().map(ToString::to_string).collect())
}

#[test]
fn the_traits_of_a_person_are_standardised_and_every_change_is_told() {
    let (traits, notes) = standardised(
        EventKind::Identify,
        json!({"email": "Ada@EXAMPLE.com", "name": "ADA BYRON", "firstName": " Ada ", "last_name": "byron", "phone": "030 901820",
            "address": {"country": "Deutschland", "city": "berlin"}, "company": {"name": "Acme\u{200b}  Inc", "plan": "pro"}, "age": 36,
            "nickname": "ADA", "createdAt": null}),
    );
    let expected = json!({"email": "Ada@example.com", "name": "Ada Byron", "firstName": "Ada", "last_name": "Byron", "phone": "+4930901820",
        "address": {"country": "DE", "city": "berlin"}, "company": {"name": "Acme Inc", "plan": "pro"}, "age": 36, "nickname": "ADA",
        "createdAt": null});
    assert_eq!(traits, expected);
    assert_eq!(
        notes,
        [
            "address.country: country as ISO 3166-1 alpha-2",
            "email: domain in lower case",
            "name: title case",
            "firstName: white space and invisible characters removed, accents composed",
            "last_name: title case",
            "phone: phone number as E.164",
            "company.name: white space and invisible characters removed, accents composed",
        ]
    );
    assert_eq!(standardised(EventKind::Identify, expected.clone()), (expected, vec![]), "a normal form is its own");
}

#[test]
fn a_value_without_a_normal_form_is_dropped_with_its_reason_and_the_others_stay() {
    let (traits, notes) = standardised(
        EventKind::Identify,
        json!({"email": "ada at example", "name": "null", "firstName": "", "lastName": 7, "phone": "12", "country": "Atlantis",
            "address": "1 High Street", "company": ["Acme"], "plan": "pro", "first_name": null}),
    );
    assert_eq!(traits, json!({"address": "1 High Street", "plan": "pro", "first_name": null}));
    assert_eq!(
        notes,
        [
            "country dropped: no country has this code or name",
            "email dropped: no @",
            "name dropped: stands for nothing",
            "firstName dropped: stands for nothing",
            "lastName dropped: not text",
            "phone dropped: no country code, and no country beside it",
            "company dropped: not text",
        ]
    );
}

#[test]
fn the_traits_of_an_account_are_standardised() {
    let (traits, notes) = standardised(
        EventKind::Group,
        json!({"name": " ACME ", "website": "https://www.Acme.co.uk/about", "domain": "acme.co.uk", "country": "uk", "phone": "020 7946 0018",
            "email": "<sales@acme.co.uk>", "employees": 40}),
    );
    let expected = json!({"name": "ACME", "website": "acme.co.uk", "domain": "acme.co.uk", "country": "GB", "phone": "+442079460018",
        "email": "sales@acme.co.uk", "employees": 40});
    assert_eq!(traits, expected);
    assert_eq!(
        notes,
        [
            "country: country as ISO 3166-1 alpha-2",
            "name: white space and invisible characters removed, accents composed",
            "website: host of the web address",
            "email: bare address without what stood around it",
            "phone: phone number as E.164",
        ]
    );
}

#[test]
fn every_spelling_of_a_trait_is_standardised_under_its_own_name() {
    let (traits, notes) = standardised(
        EventKind::Identify,
        json!({"Email": "Ada@EXAMPLE.com", "given_name": "ADA", "FNAME": "null", "phone_number": "+49 30 901820",
            "companyName": " Acme ", "Company": {"name": "Acme  Inc"}, "jobTitle": "cto"}),
    );
    assert_eq!(
        traits,
        json!({"Email": "Ada@example.com", "given_name": "Ada", "phone_number": "+4930901820", "companyName": "Acme",
            "Company": {"name": "Acme Inc"}, "jobTitle": "cto"})
    );
    let fields: Vec<_> = notes.iter().map(|note| note.split([' ', ':']).next().unwrap()).collect();
    assert_eq!(fields, ["Email", "FNAME", "given_name", "phone_number", "companyName", "Company.name"]);
    assert!(concerns(EventKind::Identify, "Company") && concerns(EventKind::Identify, "FNAME"));
}

#[test]
fn other_calls_and_other_traits_are_left_alone() {
    let traits = json!({"email": " X ", "name": "X Y"});
    assert_eq!(standardised(EventKind::Track, traits.clone()), (traits, vec![]));
    assert!(concerns(EventKind::Identify, "address") && concerns(EventKind::Group, "website"));
    assert!(!concerns(EventKind::Identify, "website") && !concerns(EventKind::Track, "email"));
}

#[test]
fn a_phone_number_may_come_as_a_number() {
    let (traits, _) = standardised(EventKind::Identify, json!({"phone": 30_901_820, "country": "DE"}));
    assert_eq!(traits["phone"], "+4930901820");
}

#[test]
fn people_may_be_called_null_and_programs_words_are_dropped() {
    for name in ["first_name", "firstName", "given_name", "last_name", "lastName", "family_name", "name"] {
        for text in ["Null", "None", "Nil", "Nan"] {
            if text == "None" && !["last_name", "lastName", "family_name"].contains(&name) {
                continue;
            }
            let traits = json!({ name: text });
            assert_eq!(standardised(EventKind::Identify, traits.clone()), (traits, vec![]));
        }
        for text in ["null", "NULL", "NaN", "nil", "undefined", "None None", ""] {
            let (traits, notes) = standardised(EventKind::Identify, json!({ name: text }));
            if text != "None None" || name == "name" {
                assert_eq!((traits, notes), (json!({}), vec![format!("{name} dropped: stands for nothing")]), "{text}");
            }
        }
    }
    for text in [
        "{{first_name}}",
        "*|FNAME|*",
        "%FIRST_NAME%",
        "${firstName}",
        "{first_name}",
        "[First Name]",
        "first_name",
        "firstName",
        "FIRST_NAME",
        "\"null\"",
        "'undefined'",
        "<null>",
        "<nil>",
        "#N/A",
        "&nbsp;",
        "null null",
        "undefined undefined",
        "NoneType",
        "false",
    ] {
        for name in ["first_name", "lastName", "name"] {
            let (traits, _) = standardised(EventKind::Identify, json!({ name: text }));
            assert_eq!(traits, json!({}), "{name}: {text}");
        }
    }
    for text in
        ["Nan Goldin", "Name", "Guest House", "O'Neil", "Ada & Bob", "Ada (Countess)", "Jean-Luc", "True", "Surname"]
    {
        let traits = json!({ "name": text });
        assert_eq!(standardised(EventKind::Identify, traits.clone()), (traits, vec![]), "{text}");
    }
    let (traits, _) = standardised(EventKind::Identify, json!({"last_name": "NULL", "first_name": "JENNIFER"}));
    assert_eq!(traits, json!({"first_name": "Jennifer", "last_name": "Null"}));
    let (traits, _) = standardised(EventKind::Identify, json!({"last_name": "none", "first_name": "ada"}));
    assert_eq!(traits, json!({"first_name": "Ada"}));
    let (traits, _) = standardised(EventKind::Identify, json!({"last_name": "null", "first_name": "Jennifer"}));
    assert_eq!(traits, json!({"first_name": "Jennifer"}));
}

#[test]
fn initials_keep_their_case_and_shouted_names_do_not() {
    for initials in ["JD", "AJ", "TJ"] {
        let traits = json!({ "first_name": initials });
        assert_eq!(standardised(EventKind::Identify, traits.clone()), (traits, vec![]));
    }
    let (traits, _) =
        standardised(EventKind::Identify, json!({"firstName": "JO", "lastName": "O'BRIEN", "name": "JO O'BRIEN"}));
    assert_eq!(traits, json!({"firstName": "Jo", "lastName": "O'Brien", "name": "Jo O'Brien"}));
}

#[test]
fn time_zones_are_standardised_and_what_is_none_is_told() {
    for name in [
        "timezone",
        "time_zone",
        "timeZone",
        "$timezone",
        "Timezone",
        "TIMEZONE",
        "time-zone",
        "Time Zone",
        "tz",
        "zoneinfo",
        "$geoip_time_zone",
        "utc_offset",
    ] {
        for (value, expected) in [
            (json!(" America/Los_Angeles "), json!("America/Los_Angeles")),
            (json!("Pacific Standard Time"), json!("America/Los_Angeles")),
            (json!("UTC-07:00"), json!("-07:00")),
            (json!(-420), json!("-07:00")),
            (json!(5.5), json!("+05:30")),
        ] {
            let (traits, notes) = standardised(EventKind::Identify, json!({ name: value }));
            assert_eq!(traits, json!({ name: expected }));
            assert_eq!(notes, [format!("{name}: time zone as an IANA name or an offset from UTC")]);
        }
        let (traits, notes) = standardised(EventKind::Identify, json!({ name: "Mars" }));
        assert_eq!(traits, json!({}));
        assert!(notes[0].starts_with(&format!("{name} dropped: no time zone has this name")), "{notes:?}");
    }
}

#[test]
fn offset_of_javascript_counts_west_and_an_unreadable_one_is_told() {
    let (traits, _) = standardised(EventKind::Identify, json!({"timezoneOffset": 420, "utcOffset": -420}));
    assert_eq!(traits, json!({"timezoneOffset": "-07:00", "utcOffset": "-07:00"}));
    let (traits, notes) = standardised(EventKind::Identify, json!({"timezoneOffset": 421, "tz": "GMT Mars"}));
    assert_eq!((traits, notes.len()), (json!({}), 2));
}

#[test]
fn name_of_several_parts_is_the_whole_name() {
    for name in [
        json!({"first": "ada", "last": "byron"}),
        json!({"givenName": "Ada", "familyName": "Byron"}),
        json!({"formatted": "Ada Byron"}),
    ] {
        let (traits, _) = standardised(EventKind::Identify, json!({ "name": name }));
        assert_eq!(traits, json!({"name": "Ada Byron"}));
    }
    let (traits, notes) = standardised(EventKind::Identify, json!({"name": {"x": 1}}));
    assert_eq!((traits, notes), (json!({}), vec!["name dropped: not text".to_owned()]));
}

#[test]
fn address_is_read_as_it_is_written_elsewhere() {
    for text in [
        "'ada@acme.com'",
        "ada@acme.com (Ada)",
        "<ada@acme.com>",
        "Ada <ada@acme.com>",
        "mailto:ada@acme.com",
        "%22ada@acme.com%22",
        "\"ada\"@acme.com",
    ] {
        let (traits, notes) = standardised(EventKind::Identify, json!({ "email": text }));
        assert_eq!(
            (traits, notes),
            (json!({"email": "ada@acme.com"}), vec!["email: bare address without what stood around it".to_owned()]),
            "{text}"
        );
    }
}

#[test]
fn notes_do_not_repeat_values() {
    let mut traits = serde_json::from_value(json!({"email": "Ada@EXAMPLE.com", "name": "secret@x"})).unwrap();
    let notes = serde_json::to_value(standardise(EventKind::Identify, &mut traits)).unwrap();
    let expected = json!([{"field": "email", "change": "domain in lower case"},
        {"field": "name", "dropped": "a mail address or a link, not a name"}]);
    assert_eq!(notes, expected);
}

proptest! {
    #[test]
    fn hostile_traits_never_panic_and_settle_at_once(
        values in proptest::collection::vec(prop_oneof![any::<String>(), "[A-Za-z @.+0-9<>]{0,30}", "[A-Z]{1,4}|[a-z]{1,4}|null|NULL|Null"], OF_PERSON.len()),
        group in any::<bool>(),
        nested in any::<bool>(),
    ) {
        let kind = if group { EventKind::Group } else { EventKind::Identify };
        let mut traits = Properties::new();
        for ((field, _), value) in fields(kind).iter().zip(values) {
            match field.split_once('.') {
                Some((parent, name)) if nested => {
                    traits.insert(parent.to_owned(), json!({ name: value }));
                }
                _ => {
                    traits.insert((*field).to_owned(), value.into());
                }
            }
        }
        standardise(kind, &mut traits);
        let once = traits.clone();
        prop_assert_eq!(standardise(kind, &mut traits), vec![]);
        prop_assert_eq!(traits, once);
    }
}
