#![allow(clippy::unwrap_used)]
use super::*;
use crate::error::ConfigError;
use crate::mapping::{Pick, Place};
use perennial_domain::EventKind;

fn check(text: &str) -> (Vec<Source>, Vec<String>) {
    let mut errors: Vec<ConfigError> = Vec::new();
    let (sources, _) = load(&mut Reporter::new("sources.toml", text, &mut errors));
    (sources, errors.iter().map(ToString::to_string).collect())
}

const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

#[test]
fn a_source_has_write_keys_or_a_hook() {
    let (sources, errors) = check(&format!(
        r#"
        [[source]]
        id = "web"
        write_key_hashes = ["{HASH}"]

        [[source]]
        id = "stripe"
        scheme = "stripe"
        secret_env = "STRIPE_WEBHOOK_SECRET"
        [[source.map]]
        when = {{ "/type" = ["a", "b"], "header:X-Kind" = 1 }}
        unless = {{ "/data/test" = true }}
        type = "track"
        event = "Invoice Paid"
        user_id = ["/data/object/metadata/user_id", "/data/object/customer"]
        message_id = "/id"
        properties = {{ revenue = {{ minor = "/data/object/amount_paid", currency = "/data/object/currency" }}, plan = "/data/plan" }}
        "#
    ));
    assert_eq!(errors, Vec::<String>::new());
    assert!(sources[0].write_key_hashes[0].same(&WriteKeyHash::of("secret")));
    let map = &sources[1].hook.as_ref().unwrap().maps().unwrap()[0];
    assert_eq!(
        (map.kind, map.event.as_ref().unwrap().as_str(), map.when.len(), map.user_id.len()),
        (EventKind::Track, "Invoice Paid", 2, 2)
    );
    assert_eq!(map.when[1].place, Place::Header("x-kind".to_owned()));
    assert!(matches!(map.properties[1].1, Pick::Money { .. }));
}

#[test]
fn every_error_has_its_line_and_says_what_is_allowed() {
    let (_, errors) = check(
        r#"[[source]]
id = "a b"
[[source]]
id = "web"
write_key_hashes = ["local-write-key"]
[[source]]
id = "hook"
scheme = "github"
secret_env = "whsec_abc"
[[source.map]]
when = { "type" = "x" }
type = "track"
user_id = "/a~2"
"#,
    );
    let all = errors.join("\n");
    for part in [
        "sources.toml:2:6: source `a b`: an id may hold",
        "sources.toml:5:21: source `web`: a write key's hash is its SHA-256",
        "sources.toml:9:14: source `hook`: secret_env names an environment variable",
        "sources.toml:10:1: source `hook`: a track needs event",
        "`type` must be a JSON pointer",
        "in a JSON pointer ~ is written ~0",
    ] {
        assert!(all.contains(part), "{part} is not in:\n{all}");
    }
}

#[test]
fn how_far_a_source_is_believed_is_said_beside_its_keys() {
    let source = |trust: &str| format!("[[source]]\nid = \"x\"\n{trust}write_key_hashes = [\"{HASH}\"]\n");
    for (text, trust) in
        [("", Trust::Server), ("trust = \"server\"\n", Trust::Server), ("trust = \"public\"\n", Trust::Public)]
    {
        let (sources, errors) = check(&source(text));
        assert_eq!((sources[0].trust, errors), (trust, Vec::new()));
    }
    let (_, errors) = check(&source("trust = \"verified\"\n"));
    assert!(errors[0].contains("verified") && errors[0].contains("public"), "{errors:?}");
    let hook = "[[source]]\nid = \"x\"\ntrust = \"public\"\nscheme = \"stripe\"\nsecret_env = \"A\"\n";
    let (_, errors) = check(hook);
    assert!(errors[0].starts_with("sources.toml:3:9: source `x`: trust is of write keys"), "{errors:?}");
}

#[test]
fn write_key_of_two_sources_is_an_error() {
    let (_, errors) = check(&format!(
        "[[source]]\nid = \"a\"\nwrite_key_hashes = [\"{HASH}\"]\n[[source]]\nid = \"b\"\nwrite_key_hashes = [\"{}\", \"{HASH}\"]\n",
        "1".repeat(64)
    ));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("sources.toml:4:1: source `b`: source `a` has the same write key"), "{errors:?}");
}

#[test]
fn a_source_without_a_way_in_is_an_error() {
    let (_, errors) = check("[[source]]\nid = \"x\"\n");
    assert!(errors[0].contains("needs write_key_hashes"), "{errors:?}");
    let (_, errors) = check("[[source]]\nid = \"x\"\nscheme = \"stripe\"\n");
    assert!(errors[0].contains("belong together"), "{errors:?}");
    let (_, errors) = check("[[source]]\nid = \"x\"\nscheme = \"strype\"\nsecret_env = \"A\"\n");
    assert!(errors[0].contains("strype"), "{errors:?}");
}

#[test]
fn hashes_do_not_print_themselves() {
    assert!(!format!("{:?}", WriteKeyHash::parse(HASH).unwrap()).contains("2bb8"));
    assert_eq!(WriteKeyHash::parse(HASH).unwrap().to_hex(), HASH);
    assert!(!WriteKeyHash::of("a").same(&WriteKeyHash::of("b")));
}

#[test]
fn a_path_or_name_of_an_earlier_page_is_a_duplicate_unless_their_categories_differ() {
    let (_, errors) = check(
        r#"[[page]]
event = "Pricing Page Viewed"
path = ["/pricing", "/plans"]
name = ["Pricing"]
[[page]]
event = "Plans Viewed"
path = ["/compare", "/Plans/"]
name = ["pricing", "compare"]
[[page]]
event = "Docs Viewed"
name = ["Compare"]
category = ["Docs"]
[[page]]
event = "Help Viewed"
name = ["Guide"]
category = ["Docs"]
[[page]]
event = "Sales Viewed"
name = ["Guide"]
category = ["Sales"]
[[page]]
event = "Twice"
path = ["/twice", "/twice/"]
[[page]]
event = "Other"
path = ["/pricing/**", "/guide"]
"#,
    );
    for (error, expected) in errors.iter().zip([
        "sources.toml:7:21: duplicate path `/Plans/`, first used at line 3",
        "sources.toml:8:9: duplicate name `pricing`, first used at line 4",
        "sources.toml:11:9: duplicate name `Compare`, first used at line 8",
        "sources.toml:23:19: duplicate path `/twice/`, first used at line 23",
    ]) {
        assert_eq!(error, expected);
    }
    assert_eq!(errors.len(), 4, "{errors:?}");
}
