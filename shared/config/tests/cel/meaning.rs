//! Behaviour that cannot be compared with the interpreter: slots, constants, numbers, and deliberate differences.

use super::world::{Facts, Path, compile, condition, facts};
use perennial_config::cel::{EvalError, List, Lookup, Value, Wanted};
use serde_json::json;

fn slot(path: &[&str]) -> Path {
    Path(path.iter().map(|key| (*key).to_owned()).collect())
}

#[test]
fn each_slot_is_looked_up_by_one_number_however_often_it_is_named() {
    let program =
        condition("visits > 3 && stage == \"a\" || visits > count(\"x\", 7) || properties.o.k == properties[\"o\"].k");
    let expected = [slot(&["visits"]), slot(&["stage"]), slot(&["count", "x/7"]), slot(&["properties", "o", "k"])];
    assert_eq!(program.slots(), expected);
}

#[test]
fn what_constants_make_unreachable_is_not_looked_up() {
    assert_eq!(
        condition("visits > 3 || true && (1 < 2 ? pays : stage == \"a\")").slots(),
        [slot(&["visits"]), slot(&["pays"])]
    );
    let never = condition("visits > 3 && 1 > 2");
    assert!(never.slots().is_empty());
    assert!(matches!(never.constant(), Some(Value::Bool(false))));
    assert!(condition("visits > 3").constant().is_none());
    assert!(matches!(condition("\"b\" in [\"a\", \"b\"] && size(\"äb\") == 2").constant(), Some(Value::Bool(true))));
}

#[test]
fn what_is_neither_true_nor_false_is_an_error_however_much_is_left_away_around_it() {
    let known = facts(json!({"properties": {"flag": 3}}));
    for source in
        ["properties.flag && true", "true && (properties.flag && true)", "false || (properties.flag || false)"]
    {
        assert_eq!(condition(source).eval(&known).unwrap_err(), EvalError::Types, "{source}");
    }
}

#[test]
fn what_is_missing_does_not_hold_and_says_which_slot_is() {
    let program = condition("visits > 3 && stage == \"a\"");
    let facts = facts(json!({"visits": 4}));
    assert!(!program.is_true(&facts));
    assert_eq!(program.eval(&facts).unwrap_err(), EvalError::Missing(1));
    assert_eq!(program.slots()[1], slot(&["stage"]));
}

#[test]
fn what_decides_a_chain_absorbs_what_is_missing_on_either_side() {
    let known = facts(json!({"pays": true}));
    assert!(condition("visits > 3 || pays").is_true(&known));
    assert!(condition("pays || visits > 3").is_true(&known));
    assert!(condition("!(visits > 3 && !pays)").is_true(&known));
    assert!(!condition("!(visits > 3)").is_true(&known));
}

#[test]
fn numbers_are_finite_or_none() {
    let number = |source: &str, facts: &Facts| compile(source, Wanted::Number).unwrap().number(facts);
    let known = facts(json!({"visits": 4, "sentiment": 0.5}));
    assert_eq!(number("visits * 3 + (pays ? 1 : 2)", &known), None);
    assert_eq!(number("visits * 3", &known), Some(12.0));
    assert_eq!(number("sentiment / 0.0", &known), None);
    assert_eq!(number("properties.a", &facts(json!({"properties": {"a": "12"}}))), None);
}

/// CEL makes `has(a.b.c)` an error where `a.b` is missing; then `!has(…)` would not hold for an event without a product.
#[test]
fn a_key_is_missing_where_what_should_have_it_is() {
    let program = condition("!has(properties.product.sku)");
    assert!(program.is_true(&facts(json!({"properties": {}}))));
    assert!(program.is_true(&facts(json!({"properties": {"product": 3}}))));
    assert!(program.is_true(&facts(json!({"properties": {"product": {"sku": null}}}))));
    assert!(!program.is_true(&facts(json!({"properties": {"product": {"sku": 0}}}))));
}

#[test]
fn neighbours_beyond_the_53_bits_of_a_double_differ() {
    let known = facts(json!({"visits": 9_007_199_254_740_993_i64, "engagement": 9_007_199_254_740_992.0}));
    assert!(condition("visits > engagement && visits != engagement").is_true(&known));
}

#[test]
fn what_is_not_a_number_has_no_order_and_equals_nothing() {
    let known = facts(json!({"sentiment": 0.0}));
    for order in ["<", "<=", ">", ">=", "=="] {
        assert!(
            condition(&format!("!(sentiment / 0.0 {order} 1) && !(sentiment / 0.0 {order} sentiment / 0.0)"))
                .is_true(&known)
        );
    }
    assert!(condition("1.0 / sentiment > visits || 1.0 / sentiment > 1").is_true(&known), "infinity has");
}

#[test]
fn the_element_of_an_outer_list_is_seen_within_an_inner_one() {
    let known = facts(json!({"segments": ["a", "b"], "properties": {"list": [{"tags": ["x", "b"]}, {"tags": []}]}}));
    assert!(condition("segments.exists(s, properties.list.exists(p, p.tags.exists(t, t == s)))").is_true(&known));
    assert!(!condition("segments.all(s, properties.list.exists(p, p.tags.exists(t, t == s)))").is_true(&known));
    assert!(
        condition("properties.list.exists(stage, size(stage.tags) == 2)").is_true(&known),
        "an element hides a name"
    );
}

#[test]
fn comments_and_lines_are_allowed() {
    assert!(
        condition("visits > 3 // often here\n  && // and\n  pays").is_true(&facts(json!({"visits": 4, "pays": true})))
    );
}

#[test]
fn text_and_lists_are_borrowed_from_what_is_looked_up() {
    let known = facts(json!({"stage": "trial", "properties": {"list": [1, 2]}}));
    let program = compile("properties.list", Wanted::Condition).unwrap();
    assert!(matches!(program.eval(&known), Ok(Value::List(List::Json(list))) if list.len() == 2));
    let Some(Value::Text(text)) = known.get(&slot(&["stage"])) else { panic!("a text") };
    assert!(matches!(text, std::borrow::Cow::Borrowed("trial")));
}

/// Forms, CSV files and some languages send `"3"` and `"True"`.
#[test]
fn text_that_spells_a_number_or_a_truth_value_is_taken_for_it() {
    let known = facts(json!({"visits": 3, "properties": {
        "seats": "12", "share": " 0.5 ", "debt": "-1", "trial": "True", "ended": "false", "plan": "pro", "number": 5, "list": [1, 2],
        "on": "1", "off": "0", "yes": "Yes", "no": "n"
    }}));
    for source in [
        "properties.seats >= 12",
        "properties.seats > visits",
        "visits < properties.seats",
        "properties.seats == 12",
        "properties.seats == 12.0",
        "properties.seats != 11",
        "properties.share < 0.75",
        "properties.share == 0.5",
        "properties.debt < 0",
        "properties.seats in [10, 12]",
        "properties.number == \"5\"",
        "properties.number in [\"4\", \"5\"]",
        "\"2\" in properties.list",
        "properties.trial",
        "properties.trial && !properties.ended",
        "properties.trial == true",
        "properties.ended != true",
        "properties.seats == \"12\"",
        "properties.plan == \"pro\"",
        "properties.on == true && properties.yes == true",
        "properties.off == false && properties.no != true",
        "properties.on && !properties.off",
    ] {
        assert!(condition(source).is_true(&known), "{source}");
    }
    for source in ["properties.plan > 3", "properties.seats && true", "properties.plan && true"] {
        assert_eq!(condition(source).eval(&known).unwrap_err(), EvalError::Types, "{source}");
    }
    for source in [
        "properties.plan == 3",
        "properties.seats == 13",
        "properties.seats == true",
        "properties.seats < \"2\" && visits < 1",
    ] {
        assert!(!condition(source).is_true(&known), "{source}");
    }
}

/// Senders write `null` and empty text for absent values.
#[test]
fn has_does_not_hold_for_null_and_empty_text() {
    let known = facts(json!({"properties": {
        "gone": null, "empty": "", "blank": " \t", "zero": 0, "no": false, "none": [], "o": {"gone": null, "empty": "", "k": "v"}, "list": [{"k": ""}, {"k": 1}]
    }}));
    for name in ["gone", "empty", "blank", "missing", "o.gone", "o.empty", "o.missing", "gone.deeper", "empty.deeper"] {
        assert!(!condition(&format!("has(properties.{name})")).is_true(&known), "{name}");
        assert!(condition(&format!("!has(properties.{name})")).is_true(&known), "{name}");
    }
    for name in ["zero", "no", "none", "o", "o.k"] {
        assert!(condition(&format!("has(properties.{name})")).is_true(&known), "{name}");
    }
    for source in [
        "!(\"gone\" in properties) && \"zero\" in properties",
        "properties.empty == \"\" && properties.empty != \"pro\" && properties.gone == null",
        "properties.list.exists(item, has(item.k) && item.k == 1)",
        "properties.list.exists(item, !has(item.k))",
    ] {
        assert!(condition(source).is_true(&known), "{source}");
    }
}
