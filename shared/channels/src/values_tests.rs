#![allow(clippy::unwrap_used)]

use super::*;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::json;

fn render(template: &str, person: Json) -> String {
    render_as(AutoEscape::None, template, person)
}

fn render_as(escape: AutoEscape, template: &str, person: Json) -> String {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_formatter(write);
    env.set_auto_escape_callback(move |_| escape.clone());
    let Json::Object(sent) = person else { return String::new() };
    let person = Value::from_object(Traits { sent, facts: Map::new() });
    env.render_str(template, Value::from(std::collections::BTreeMap::from([("person", person)]))).unwrap()
}

#[test]
fn objects_lists_and_missing_values_never_reach_a_reader() {
    let person = json!({"company": {"name": "Initech", "id": 5}, "address": {"city": "Rome"}, "tags": ["a", {"name": "b"}], "gone": null,
        "vip": true, "mrr": 1900.0, "rate": 0.5, "seats": 12});
    let cases = [
        ("{{ person.company }}", "Initech"),
        ("{{ person.company.id }}", "5"),
        ("{{ person.address }}", ""),
        ("{{ person.address.city }}", "Rome"),
        ("{{ person.tags }}", ""),
        ("{{ person.tags | join(', ') }}", "a, b"),
        ("{% for tag in person.tags %}[{{ tag }}]{% endfor %}", "[a][b]"),
        ("{{ person.tags[0] }}", "a"),
        ("{{ person.gone }}", ""),
        ("{{ person.gone | default('there') }}", "there"),
        ("{{ person.nowhere.at.all | default('there') }}", "there"),
        ("{% if person.gone is defined %}x{% endif %}", ""),
        ("{{ none }}", ""),
        ("{{ person }}", ""),
        ("{{ person | list }}{{ person.address | items }}{{ [1, 2] }}{{ {'a': 1} }}", ""),
        ("{{ 'a ' ~ person.company ~ person.address ~ person.tags ~ person.gone }}", "a Initech"),
        ("{{ person.company | upper }}", "INITECH"),
        ("{{ '%s %s' | format(person.company, person.address) }}", "Initech "),
        ("{{ person.vip }} {{ person.mrr }} {{ person.rate }} {{ person.seats }}", "true 1900 0.5 12"),
    ];
    for (template, text) in cases {
        assert_eq!(render(template, person.clone()), text, "{template}");
    }
}

#[test]
fn what_stands_for_an_object_is_escaped_in_html() {
    let person = json!({"company": {"name": "<b>A & B</b>"}});
    assert_eq!(render_as(AutoEscape::Html, "{{ person.company }}", person), "&lt;b&gt;A &amp; B&lt;&#x2f;b&gt;");
}

#[test]
fn a_company_without_a_name_is_left_out() {
    let template = "so{% if person.company %} for {{ person.company }} too{% endif %} {{ person.company.id }}";
    assert_eq!(render(template, json!({"company": {"id": 5}})), "so 5");
    assert_eq!(render(template, json!({"company": {"name": "Initech"}})), "so for Initech too ");
    assert_eq!(render(template, json!({"company": "Initech"})), "so for Initech too ");
    assert_eq!(render(template, json!({"company": null})), "so ");
}

#[test]
fn values_that_say_nothing_are_absent_and_texts_of_json_are_what_they_hold() {
    let person = json!({"blank": "  ", "plan": "undefined", "title": "None", "company": "{\"name\":\"Initech\"}", "last_name": "Null",
        "tier": {"Name": "Gold"}, "items": [{"name": "x"}, null, 5], "seats": 12.0, "odd": "{not json", "list": "[\"a\",\"b\"]"});
    let cases = [
        ("{% if person.blank %}x{% endif %}[{{ person.blank }}]", "[]"),
        ("[{{ person.plan }}{{ person.title }}]", "[]"),
        ("{{ person.plan | default('free') }}", "free"),
        ("{{ person.company }}", "Initech"),
        ("{{ person.company.name }}", "Initech"),
        ("{{ person.last_name }}", "Null"),
        ("{{ person.tier }}", "Gold"),
        ("{{ person.items | join(', ') }}", "x, 5"),
        ("{{ person.list | join(', ') }}[{{ person.list }}]", "a, b[]"),
        ("{{ 'a' ~ person.seats }}", "a12"),
        ("{{ person.odd }}", "{not json"),
    ];
    for (template, text) in cases {
        assert_eq!(render(template, person.clone()), text, "{template}");
    }
}
