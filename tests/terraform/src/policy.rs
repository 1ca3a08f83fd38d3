//! IAM policies: as `aws_iam_policy_document` writes them, and as sets of single permissions, however they are
//! combined.

use hcl::{Map, Value};
use serde_json::{Value as Json, json};

/// The document that a data source `aws_iam_policy_document` makes of its arguments.
///
/// # Errors
/// Where a statement has something that is not understood here.
pub(crate) fn render(arguments: &Map<String, Value>) -> Result<Json, String> {
    let statements = blocks(arguments, "statement").map(|statement| {
        let mut out = serde_json::Map::new();
        out.insert("Effect".to_owned(), json!("Allow"));
        for (name, value) in statement {
            let value = || serde_json::to_value(value).map_err(|error| error.to_string());
            match name.as_str() {
                "sid" => out.insert("Sid".to_owned(), value()?),
                "effect" => out.insert("Effect".to_owned(), value()?),
                "actions" => out.insert("Action".to_owned(), value()?),
                "resources" => out.insert("Resource".to_owned(), value()?),
                "principals" => out.insert("Principal".to_owned(), principals(statement)?),
                "condition" => out.insert("Condition".to_owned(), conditions(statement)?),
                other => return Err(format!("a statement's {other} is not understood")),
            };
        }
        Ok(Json::Object(out))
    });
    let statements: Vec<Json> = statements.collect::<Result<_, String>>()?;
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn blocks<'a>(of: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    of.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn principals(statement: &Map<String, Value>) -> Result<Json, String> {
    let mut out = serde_json::Map::new();
    for block in blocks(statement, "principals") {
        let kind = block.get("type").and_then(Value::as_str).ok_or("principals without a type")?;
        if kind == "*" {
            return Ok(json!("*"));
        }
        let identifiers = serde_json::to_value(block.get("identifiers")).map_err(|error| error.to_string())?;
        out.insert(kind.to_owned(), identifiers);
    }
    Ok(Json::Object(out))
}

fn conditions(statement: &Map<String, Value>) -> Result<Json, String> {
    let mut out = json!({});
    for block in blocks(statement, "condition") {
        let text = |name| block.get(name).and_then(Value::as_str).ok_or_else(|| format!("a condition without {name}"));
        let values = serde_json::to_value(block.get("values")).map_err(|error| error.to_string())?;
        out[text("test")?][text("variable")?] = values;
    }
    Ok(out)
}

/// Returns every single permission that a document allows or denies, as a key: principal, action, resource, conditions.
/// Equivalent documents have equal results, however their statements are combined.
pub(crate) fn rights(document: &Json) -> Json {
    let mut all = serde_json::Map::new();
    all.insert("Version".to_owned(), document["Version"].clone());
    for statement in list(&document["Statement"]) {
        let known = ["Action", "Condition", "Effect", "Principal", "Resource", "Sid"];
        let map = statement.as_object();
        // Such as NotAction: never treated as absent.
        let other = map.into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()));
        let mut tail = condition(&statement["Condition"]);
        tail.extend(statement.get("Sid").map(|sid| format!(" as {}", text(sid))));
        tail.extend(other.map(|(name, value)| format!(" {name} {value}")));
        let effect = text(&statement["Effect"]);
        for principal in principal(&statement["Principal"]) {
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    let (action, resource) = (text(action), text(resource));
                    all.insert(format!("{effect} {action} on {resource} to {principal}{tail}"), json!(true));
                }
            }
        }
    }
    Json::Object(all)
}

/// Returns a list of one or several: JSON policies write one without brackets. An absent value is one null.
fn list(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(values) => values.iter().collect(),
        other => vec![other],
    }
}

/// Returns the same text for `1.2` and `"1.2"`, which are equal in IAM.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn principal(value: &Json) -> Vec<String> {
    match value {
        Json::Object(map) => map
            .iter()
            .flat_map(|(kind, who)| list(who).into_iter().map(move |who| format!("{kind} {}", text(who))))
            .collect(),
        other => vec![text(other)],
    }
}

fn condition(value: &Json) -> String {
    let mut all = Vec::new();
    for (test, variables) in value.as_object().into_iter().flatten() {
        for (variable, values) in variables.as_object().into_iter().flatten() {
            let mut values: Vec<String> = list(values).into_iter().map(text).collect();
            values.sort();
            all.push(format!(" where {test} {variable} {}", values.join("|")));
        }
    }
    all.sort();
    all.concat()
}
