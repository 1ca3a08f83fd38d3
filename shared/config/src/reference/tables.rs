//! Files as tables of fields, from their schemas.

use super::{cell, push};
use crate::schema::FileSchema;
use serde_json::Value;

/// Returns the schema's description.
pub(super) fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Writes the part of the page about one file.
pub(super) fn file(page: &mut String, file: &FileSchema) {
    push(page, format_args!("\n## {}\n\n{}\n", file.file(), description(&file.schema)));
    table(page, "", &file.schema);
}

/// A table of fields, and after it the tables within it.
fn table(page: &mut String, path: &str, schema: &Value) {
    let mut within = Vec::new();
    let mut rows = String::new();
    for (name, field) in fields(schema) {
        let needed = is_required(schema, name);
        let (title, inner) = match inner_table(field) {
            Some((title, inner)) => (title, Some(inner)),
            None => (Title::Field, None),
        };
        let written = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let (heading, kind) = match title {
            Title::Field => (String::new(), words(field)),
            Title::Table => (format!("[{written}]"), "table, below".to_owned()),
            Title::Items => (format!("[[{written}]]"), "list of tables, below".to_owned()),
            Title::Named => (format!("[{written}.NAME]"), "tables by name, below".to_owned()),
        };
        let standard = match field.get("default") {
            _ if needed => "required".to_owned(),
            Some(Value::String(text)) if !text.is_empty() => format!("`\"{text}\"`"),
            Some(Value::Bool(flag)) => format!("`{flag}`"),
            Some(Value::Number(number)) => format!("`{number}`"),
            _ => "optional".to_owned(),
        };
        push(&mut rows, format_args!("| `{name}` | {} | {standard} | {} |\n", cell(&kind), cell(&description(field))));
        if let Some(inner) = inner {
            within.push((heading, written, description(field), inner));
        }
    }
    if !rows.is_empty() {
        push(page, format_args!("\n| field | type | default | meaning |\n|---|---|---|---|\n{rows}"));
    }
    for (heading, written, about, inner) in within {
        push(page, format_args!("\n### {heading}\n\n{about}\n"));
        table(page, &written, inner);
    }
}

enum Title {
    Field,
    Table,
    Items,
    Named,
}

/// Returns the table within a field, if its fields deserve a table of their own.
fn inner_table(field: &Value) -> Option<(Title, &Value)> {
    if is_table(field) {
        return Some((Title::Table, field));
    }
    match (field.get("items"), field.get("additionalProperties")) {
        (Some(items), _) if is_table(items) => Some((Title::Items, items)),
        (_, Some(named)) if is_table(named) => Some((Title::Named, named)),
        _ => None,
    }
}

fn is_table(schema: &Value) -> bool {
    let Some(Value::Object(fields)) = schema.get("properties") else { return false };
    // Keys of a map with few possible names need no description.
    !fields.is_empty() && fields.values().any(|field| field.get("description").is_some())
}

/// Returns the fields: the required ones in the order of the code, then the others by name.
fn fields(schema: &Value) -> Vec<(&str, &Value)> {
    let Some(all) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let needed = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let first = needed.iter().filter_map(Value::as_str).filter_map(|name| all.get_key_value(name));
    let rest = all.iter().filter(|(name, _)| !is_required(schema, name));
    first.chain(rest).map(|(name, field)| (name.as_str(), field)).collect()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|needed| needed.iter().any(|one| one == name))
}

/// A type in words.
fn words(schema: &Value) -> String {
    if let Some(fixed) = schema.get("const") {
        return format!("`{fixed}`");
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    match schema.get("x-cel").and_then(Value::as_str) {
        Some("event") => return "[condition on the event](#conditions-on-an-event)".to_owned(),
        Some("person") => return "[condition on the person](#conditions-on-a-person)".to_owned(),
        Some(_) => return "[number about the person](#conditions-on-a-person)".to_owned(),
        None => {}
    }
    for of in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = schema.get(of) {
            let mut all: Vec<String> = choices.iter().map(words).collect();
            all.dedup();
            return all.join(" or ");
        }
    }
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).map(plain).collect::<Vec<_>>().join(" or "),
        Some(Value::String(kind)) => match kind.as_str() {
            "array" => format!("list of {}", schema.get("items").map_or_else(|| "values".to_owned(), words)),
            "object" => object(schema),
            kind => format!("{}{}", plain(kind), range(schema)),
        },
        _ => "any value".to_owned(),
    }
}

fn object(schema: &Value) -> String {
    let fields = fields(schema);
    let Some((_, first)) = fields.first() else {
        let of = schema.get("additionalProperties").filter(|of| of.is_object()).map(words);
        return format!("table of name = {}", of.unwrap_or_else(|| "value".to_owned()));
    };
    if fields.len() > 1 && fields.iter().all(|(_, field)| field == first) {
        let names: Vec<String> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
        return format!("table of {}, each a {}", names.join(", "), words(first));
    }
    let inner: Vec<String> = fields.iter().map(|(name, field)| format!("{name} = {}", words(field))).collect();
    format!("{{ {} }}", inner.join(", "))
}

fn plain(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "number" => "number",
        "integer" => "whole number",
        "boolean" => "`true` or `false`",
        other => other,
    }
}

fn range(schema: &Value) -> String {
    // The machine's number ranges are not worth showing.
    let bound =
        |name: &str| schema.get(name).filter(|bound| bound.as_f64() != Some(65_535.0) && bound.as_f64() != Some(255.0));
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(", {} to {}", number(least), number(most)),
        (Some(least), None) => format!(", from {}", number(least)),
        (None, Some(most)) => format!(", to {}", number(most)),
        (None, None) => String::new(),
    }
}

fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string())
}
