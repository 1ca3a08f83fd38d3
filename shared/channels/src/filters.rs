//! Filters of the template engine, for values that may be missing.
//!
//! A missing value must neither reach a reader nor keep the message from being sent. So filters of a missing value
//! return nothing (its length is 0), `default` replaces everything that a reader would not see, and `join` leaves such
//! elements out.

use crate::truth::as_text;
use crate::values::is_unseen;
use minijinja::filters;
use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value};

/// Registers each filter a second time under a name that no template can contain, and a filter of its own name that
/// calls it if there is a value.
macro_rules! of_something {
    ($env:ident, $($name:literal => $filter:path),+ $(,)?) => {
        $(
            $env.add_filter(concat!($name, " of something"), $filter);
            $env.add_filter($name, |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                let args = args.into_values();
                if args.first().is_none_or(is_missing) {
                    return Ok(Value::UNDEFINED);
                }
                state.apply_filter(concat!($name, " of something"), &args)
            });
        )+
    };
}

/// Replaces the engine's filters.
pub(crate) fn add_to(env: &mut Environment<'_>) {
    of_something!(
        env,
        "abs" => filters::abs,
        "batch" => filters::batch,
        "dictsort" => filters::dictsort,
        "first" => filters::first,
        "groupby" => filters::groupby,
        "items" => filters::items,
        "last" => filters::last,
        "lines" => filters::lines,
        "list" => filters::list,
        "map" => filters::map,
        "max" => filters::max,
        "min" => filters::min,
        "reverse" => filters::reverse,
        "round" => filters::round,
        "slice" => filters::slice,
        "sort" => filters::sort,
        "split" => filters::split,
        "sum" => filters::sum,
        "unique" => filters::unique,
    );
    for name in ["length", "count"] {
        env.add_filter(name, |value: &Value| if is_missing(value) { Ok(0) } else { filters::length(value) });
    }
    for name in ["default", "d"] {
        env.add_filter(name, default);
    }
    env.add_filter("join", join);
}

fn is_missing(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

/// Returns the value, or the other one if a reader would not see it. A list with elements is kept, since it can be
/// looped over.
fn default(state: &State<'_, '_>, value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) && value.len() != Some(0);
    // If the replacement is an object or nothing, the template reads its members.
    let is_shown = || args.first().is_some_and(|other| !is_unseen(other));
    if is_missing(value) || (is_unseen(value) && !is_list && (value.kind() != ValueKind::Map || is_shown())) {
        return filters::default(state, &Value::UNDEFINED, args);
    }
    filters::default(state, value, args)
}

/// The elements that a reader sees something of, with the separator between them.
fn join(values: Value, separator: Option<String>) -> Result<String, Error> {
    if is_missing(&values) {
        return Ok(String::new());
    }
    let mut seen = Vec::new();
    for value in values.try_iter()? {
        let text = as_text(value).to_string();
        if values.kind() == ValueKind::String || !text.trim().is_empty() {
            seen.push(text);
        }
    }
    Ok(seen.join(separator.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::render::environment;
    use serde_json::json;

    fn rendered(source: &str) -> Result<String, minijinja::Error> {
        let person = json!({"tags": ["a", "b"], "none": null, "object": {"id": 1}, "company": {"name": "Initech"}, "empty": [], "blank": " ",
            "mixed": ["a", null, {"id": 1}, " ", 0, false, {"name": "X"}], "seats": 5, "zero": 0, "name": "Ada"});
        environment().render_str(source, minijinja::context! { person => crate::values::value(&person) })
    }

    #[test]
    fn filters_of_missing_values_give_nothing_and_never_fail() {
        for name in ["missing", "none", "missing.deeper", "blank"] {
            for filter in [
                "abs",
                "batch(2)",
                "bool",
                "capitalize",
                "default",
                "dictsort",
                "escape",
                "first",
                "float",
                "groupby('x')",
                "indent(2)",
                "items",
                "join",
                "join(', ')",
                "last",
                "lines",
                "list",
                "lower",
                "map('upper')",
                "map(attribute='x')",
                "max",
                "min",
                "replace('a', 'b')",
                "reject",
                "rejectattr('x')",
                "reverse",
                "round",
                "safe",
                "select",
                "selectattr('x')",
                "slice(2)",
                "sort",
                "split",
                "string",
                "sum",
                "title",
                "trim",
                "unique",
                "upper",
            ] {
                let text = rendered(&format!("{{{{ person.{name}|{filter} }}}}")).unwrap();
                let is_nothing = matches!(text.trim(), "" | "0" | "false");
                assert!(is_nothing, "{name}|{filter}: {text}");
            }
            for filter in ["length", "count", "int"] {
                assert_eq!(rendered(&format!("{{{{ person.{name}|{filter} }}}}")).unwrap(), "0", "{name}|{filter}");
            }
        }
        assert_eq!(rendered("{% if person.missing|length > 1 %}y{% else %}n{% endif %}").unwrap(), "n");
        assert_eq!(rendered("{% for tag in person.missing|sort|unique %}{{ tag }}{% endfor %}").unwrap(), "");
    }

    #[test]
    fn default_takes_the_place_of_all_that_a_reader_sees_nothing_of() {
        for (source, text) in [
            ("{{ person.missing|default('x') }}", "x"),
            ("{{ person.none|default('x') }}", "x"),
            ("{{ person.blank|default('x') }}", "x"),
            ("{{ person.object|default('x') }}", "x"),
            ("{{ person.empty|default('x') }}", "x"),
            ("{{ person.missing|join(', ')|default('x') }}", "x"),
            ("{{ person.company|default('x') }}", "Initech"),
            ("{{ person.seats|d('x') }}{{ person.zero|d('x') }}", "50"),
            ("{{ person.zero|default('x', true) }}", "x"),
            ("{{ (person.object|default({})).id }}{{ (person.object|default('')).id }}", "11"),
            ("{% for tag in person.tags|default('') %}{{ tag }}{% endfor %}", "ab"),
            ("{{ person.tags|default('x')|join('+') }}", "a+b"),
            ("[{{ person.missing|default }}]", "[]"),
        ] {
            assert_eq!(rendered(source).unwrap(), text, "{source}");
        }
    }

    #[test]
    fn join_leaves_out_what_a_reader_sees_nothing_of() {
        for (source, text) in [
            ("{{ person.mixed|join(', ') }}", "a, 0, false, X"),
            ("{{ [person.name, person.missing]|join(' ') }}", "Ada"),
            ("{{ [person.missing, person.name]|join(' ') }}", "Ada"),
            ("{{ person.tags|join }}", "ab"),
            ("{{ 'a b'|join('-') }}", "a- -b"),
            ("{{ person.tags|sort|reverse|join(',') }}", "b,a"),
            ("{{ person.tags|first }}{{ person.tags|last }}{{ person.tags|length }}", "ab2"),
        ] {
            assert_eq!(rendered(source).unwrap(), text, "{source}");
        }
    }
}
