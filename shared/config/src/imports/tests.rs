#![allow(clippy::unwrap_used)]
use super::*;
use crate::error::ConfigError;

fn check(text: &str) -> (Vec<Import>, Vec<String>) {
    let mut errors: Vec<ConfigError> = Vec::new();
    let imports = load(&mut Reporter::new("imports.toml", text, &mut errors));
    (imports, errors.iter().map(ToString::to_string).collect())
}

#[test]
fn own_maps_come_before_those_of_the_format() {
    let (imports, errors) = check(
        r#"
        [[import]]
        id = "crm"
        format = "hubspot-contacts"
        mode = "feed"
        encoding = "windows-1252"
        delimiter = ";"
        zone = "Europe/Rome"
        [[import.map]]
        type = "track"
        event_from = { from = "/action", values = { login = "Signed In" }, other = "drop" }
        user_id = "/user"
        timestamp = { from = "/at", format = "%d.%m.%Y %H:%M" }
        all_properties = ["*", "/more"]
        properties = { kind = { value = "crm" }, price = { from = "/price", decimal = "," } }

        [[import]]
        id = "logs"
        format = "segment"
        "#,
    );
    assert_eq!(errors, Vec::<String>::new());
    let Rows::Maps(maps) = &imports[0].rows else { unreachable!() };
    assert_eq!((maps.len(), imports[0].own_maps().len(), imports[1].rows.clone()), (2, 1, Rows::Calls));
    assert_eq!((imports[0].mode, imports[0].delimiter), (Some(Mode::Feed), Some(';')));
    assert!(maps[0].all_properties.rest && maps[0].all_properties.objects.len() == 1);
    // The import's zone is that of times without one.
    assert_eq!(maps[0].time_form.read("24.07.2026 14:30").unwrap().to_string(), "2026-07-24T12:30:00Z");
}

#[test]
fn every_error_has_its_line_and_says_what_is_allowed() {
    let (_, errors) = check(
        r#"[[import]]
id = "a b"
format = "segmant"
[[import]]
id = "x"
delimiter = "ab"
zone = "Rome"
[[import]]
id = "y"
format = "segment"
[[import.map]]
type = "track"
user_id = "header:x"
[[import]]
id = "x"
[[import.map]]
type = "identify"
user_id = "/id"
traits = { age = { from = "/age", type = "text", decimal = ";" }, at = { from = "/at", format = "%H" } }
"#,
    );
    for expected in [
        "imports.toml:2:6: `a b`: the name of an import may contain only",
        "imports.toml:3:10: import `a b`: `segmant` is no format; did you mean `segment`?",
        "imports.toml:4:1: import `x`: needs a format, a map or suppress",
        "imports.toml:6:13: import `x`: delimiter is one character",
        "imports.toml:7:8: import `x`: `Rome` is no time zone",
        "import `y`: a track needs event",
        "import `y`: a file has no header:x",
        "import `y`: rows of this format are calls already",
        "imports.toml:15:6: duplicate id `x`, first used at line 5",
        "import `x`: decimal is `;`",
        "import `x`: decimal is of values with type = \"number\"",
        "import `x`: `%H` is no form of a time",
    ] {
        assert!(errors.iter().any(|error| error.contains(expected)), "{expected}\n{errors:#?}");
    }
}

#[test]
fn suppression_lists_are_maps_to_an_address_and_a_reason() {
    let (imports, errors) = check(
        r#"
        [[import]]
        id = "left"
        list = "/result/rows"
        zone = "Europe/Rome"
        [[import.suppress]]
        when = { "/active" = false }
        address = ["/email", "/mail"]
        reason = "unsubscribe"
        timestamp = { from = "/at", format = "%d.%m.%Y %H:%M" }

        [[import]]
        id = "ses"
        format = "ses_suppressions"
        "#,
    );
    assert_eq!(errors, Vec::<String>::new());
    let Rows::Suppressions(maps) = &imports[0].rows else { unreachable!() };
    assert_eq!(maps[0].event.as_ref().map(|reason| reason.as_str()), Some("unsubscribe"));
    assert_eq!((maps[0].user_id.len(), maps[0].when.len()), (2, 1));
    assert_eq!(maps[0].time_form.read("24.07.2026 14:30").unwrap().to_string(), "2026-07-24T12:30:00Z");
    let lists: Vec<String> = imports.iter().filter_map(|import| Some(import.list.as_ref()?.to_string())).collect();
    assert_eq!(lists, ["/result/rows", "/SuppressedDestinationSummaries"]);
}

#[test]
fn suppression_list_without_address_or_reason_or_beside_maps_is_an_error() {
    let map = "[[import.map]]\ntype = \"identify\"\nuser_id = \"/id\"\n";
    let suppress = |fields: &str| format!("[[import.suppress]]\n{fields}\n");
    let whole = suppress("address = \"/a\"\nreason = \"bounce\"");
    for (text, part) in [
        (suppress("reason = \"bounce\""), "suppress needs address"),
        (suppress("address = \"/a\""), "suppress needs reason, or reason_from"),
        (
            suppress("address = \"/a\"\nreason = \"spam\""),
            "`spam` is no reason; allowed are bounce, complaint, unsubscribe",
        ),
        (suppress("address = \"/a\"\nreason = \"bounce\"\nreason_from = \"/r\""), "leave one out"),
        (suppress("address = \"header:x\"\nreason = \"bounce\""), "a file has no header:x"),
        (whole.clone() + map, "make two imports"),
        (format!("format = \"ses_suppressions\"\n{map}"), "make two imports"),
        (format!("format = \"segment\"\n{whole}"), "leave out `suppress`, or the format"),
        (format!("list = \"data\"\n{whole}"), "must be a JSON pointer"),
        (format!("list = \"header:x\"\n{whole}"), "list is a place in a row"),
        (String::new(), "needs a format, a map or suppress"),
    ] {
        let (_, errors) = check(&format!("[[import]]\nid = \"x\"\n{text}"));
        assert!(errors.len() == 1 && errors[0].contains(part), "{text}: {errors:?}");
    }
}
