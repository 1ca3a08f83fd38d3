//! The reference page and the schemas match the code, and their examples are valid.
//!
//! `PERENNIAL_UPDATE=1 cargo test -p perennial-config --test surface` regenerates them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{default_bundle, folder};
use perennial_config::Config;
use perennial_config::cel::{self, Wanted};
use perennial_config::reference::{EXAMPLES, LANGUAGE, Of, page};
use perennial_config::schema::{FileSchema, schemas};
use perennial_config::vocabulary::{EVENT_NAMES, EventVocabulary, Level, PERSON_NAMES, PersonVocabulary};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn is_current(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "how whoever runs the tests asks for new files")]
    let update = std::env::var_os("PERENNIAL_UPDATE").is_some();
    if update {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is not what the code says: run `perennial config reference --write` and `perennial config schema --write`",
        path.display()
    );
}

#[test]
fn the_reference_page_is_current() {
    is_current(&folder().join("REFERENCE.md"), &page());
}

#[test]
fn the_schemas_are_current() {
    for schema in schemas() {
        is_current(&folder().join("schema").join(schema.file_name()), &schema.text());
    }
}

#[test]
fn every_field_of_every_file_is_explained() {
    fn explained(at: &str, schema: &Value) {
        if let Some(Value::Object(fields)) = schema.get("properties") {
            for (name, field) in fields {
                let at = format!("{at}.{name}");
                // The keys of a map with few possible names are explained by the map.
                let maps = [
                    "scoring.base.",
                    "scoring.applies.",
                    "accounts.crm.fields.",
                    "accounts.crm.people.fields.",
                    "lifecycle.milestones.",
                ];
                let is_key = maps.iter().any(|map| at.strip_prefix(map).is_some_and(|key| !key.contains('.')));
                if !is_key {
                    let about = field.get("description").and_then(Value::as_str).unwrap_or_default();
                    assert!(about.len() > 8, "{at} is not explained");
                }
                explained(&at, field);
            }
        }
        for inner in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(inner) {
                explained(at, inner);
            }
        }
    }
    for schema in schemas() {
        assert!(schema.schema.get("description").is_some(), "{} is not explained", schema.name);
        explained(schema.name, &schema.schema);
    }
}

#[test]
fn every_file_of_the_default_config_fits_its_schema_and_names_it() {
    let schemas = schemas();
    for (file, text) in default_bundle().files {
        let (name, up) = match file.strip_prefix("templates/") {
            Some(_) => ("template", "../"),
            None => (file.trim_end_matches(".toml"), "./"),
        };
        let schema =
            schemas.iter().find(|schema| schema.name == name).unwrap_or_else(|| panic!("{file} has no schema"));
        let first = format!("#:schema {up}schema/{}\n", schema.file_name());
        assert!(text.starts_with(&first), "{file} must begin with {first}");
        let value = serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap();
        assert_eq!(misfit(&schema.schema, &value, &file), None);
    }
}

#[test]
fn a_schema_refuses_what_the_config_refuses() {
    let scoring = schemas().into_iter().find(|schema| schema.name == "scoring").unwrap();
    let of = |FileSchema { schema, .. }: &FileSchema, text: &str| {
        misfit(schema, &serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap(), "")
    };
    let rule = "[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\n";
    assert_eq!(of(&scoring, &format!("{rule}points = 5\n")), None);
    for wrong in
        ["points = 500\n", "points = \"5\"\n", "", "points = 5\npoint = 4\n", "points = 5\nhalf_life_days = 0\n"]
    {
        assert!(of(&scoring, &format!("{rule}{wrong}")).is_some(), "{wrong}");
    }
    assert!(of(&scoring, "[[rule]]\nid = \"x\"\nscore = \"chrun\"\nevent = \"E\"\npoints = 5\n").is_some());
    assert!(of(&scoring, "[base]\nchrun = 5\n").is_some());
}

/// Returns the first position at which `value` does not match `schema`, with as much of JSON Schema as the schemas use.
fn misfit(schema: &Value, value: &Value, at: &str) -> Option<String> {
    if schema == &Value::Bool(false) {
        return Some(format!("{at} is not allowed"));
    }
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    let fits_type = match schema.get("type") {
        None => true,
        Some(Value::String(kind)) => is(kind),
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        Some(other) => panic!("{other}"),
    };
    let allowed = schema.get("enum").and_then(Value::as_array).is_none_or(|all| all.contains(value));
    let fixed = schema.get("const").is_none_or(|fixed| fixed == value);
    let number = value.as_f64();
    let least = schema.get("minimum").and_then(Value::as_f64).zip(number).is_none_or(|(least, number)| number >= least);
    let most = schema.get("maximum").and_then(Value::as_f64).zip(number).is_none_or(|(most, number)| number <= most);
    if !(fits_type && allowed && fixed && least && most) {
        return Some(format!("{at}: {value} does not fit {schema}"));
    }
    for of in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = schema.get(of)
            && choices.iter().all(|choice| misfit(choice, value, at).is_some())
        {
            return Some(format!("{at}: {value} fits none of {choices:?}"));
        }
    }
    if let Value::Array(items) = value
        && let Some(of) = schema.get("items")
    {
        return items.iter().enumerate().find_map(|(index, item)| misfit(of, item, &format!("{at}[{index}]")));
    }
    let Value::Object(fields) = value else { return None };
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    if let Some(missing) = required.filter_map(Value::as_str).find(|name| !fields.contains_key(*name)) {
        return Some(format!("{at}: {missing} is missing"));
    }
    fields.iter().find_map(|(name, field)| {
        let of =
            schema.get("properties").and_then(|all| all.get(name)).or_else(|| schema.get("additionalProperties"))?;
        misfit(of, field, &format!("{at}.{name}"))
    })
}

#[test]
fn every_example_of_the_reference_compiles() {
    let config = Config::load(&default_bundle()).unwrap();
    let (tallies, titles) = (config.scoring.tally_names(), config.personas.titles.names());
    let (personas, segments) = (config.personas.names(), config.segments.names());
    let people = PersonVocabulary {
        level: Level::Journey,
        features: &config.features,
        tallies: &tallies,
        titles: &titles,
        personas: &personas,
        segments: &segments,
    };
    for example in EXAMPLES {
        let errors = match example.of {
            Of::Event => cel::compile(example.source, &EventVocabulary, Wanted::Condition).err(),
            Of::Person => cel::compile(example.source, &people, Wanted::Condition).err(),
        };
        assert_eq!(errors, None, "{}", example.source);
    }
    for piece in LANGUAGE {
        let errors = cel::compile(piece.example, &EventVocabulary, Wanted::Condition).err();
        assert_eq!(errors, None, "{}", piece.example);
    }
}

#[test]
fn every_name_method_and_function_is_on_the_page() {
    let page = page();
    for name in PERSON_NAMES.iter().chain(EVENT_NAMES) {
        let written = [format!("| `{}` |", name.name), format!("| `{}.", name.name), format!("| `{}(", name.name)];
        assert!(written.iter().any(|written| page.contains(written)), "{} is missing", name.name);
    }
    // The error about an unsupported construct lists what the language offers.
    let errors = cel::compile("properties.a.qqqqqqqqqqqq()", &EventVocabulary, Wanted::Condition).unwrap_err();
    let (_, methods) = errors[0].message.split_once("you can call ").expect("the message names the methods");
    let methods: Vec<&str> = methods.split('`').skip(1).step_by(2).collect();
    assert!(methods.len() >= 8, "{}", errors[0].message);
    for method in methods.iter().map(|method| method.trim_matches(|c: char| !c.is_alphanumeric())) {
        assert!(LANGUAGE.iter().any(|piece| piece.written.contains(method)), "{method} is missing");
    }
    for function in ["has(", "size(", "int(", "double("] {
        assert!(LANGUAGE.iter().any(|piece| piece.written.contains(function)), "{function} is missing");
    }
}

#[test]
fn the_keys_of_maps_are_those_that_the_config_takes() {
    let mut bundle = default_bundle();
    let lifecycle = bundle.files.get_mut("lifecycle.toml").unwrap();
    *lifecycle = lifecycle.replace("[milestones]\n", "[milestones]\nqqqq = []\n");
    let accounts = bundle.files.get_mut("accounts.toml").unwrap();
    *accounts = accounts.replace("[crm.fields]\n", "[crm.fields]\nqqqq = \"q\"\n");
    let errors = Config::load(&bundle).unwrap_err().to_string();
    for (name, pointer) in [("lifecycle", "/properties/milestones"), ("accounts", "/properties/crm/properties/fields")]
    {
        let schema = schemas().into_iter().find(|schema| schema.name == name).unwrap().schema;
        let keys = schema.pointer(pointer).and_then(|map| map.get("properties")).and_then(Value::as_object).unwrap();
        let line = errors.lines().find(|line| line.starts_with(name)).unwrap();
        let (_, allowed) = line.split_once("Allowed: ").unwrap();
        let mut allowed: Vec<&str> = allowed.split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(keys.keys().collect::<Vec<_>>(), allowed);
    }
}
