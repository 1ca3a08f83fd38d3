//! Terraform's functions, as far as the module calls them.

use data_encoding::HEXLOWER;
use hcl::eval::{Context, Func, FuncArgs, FuncDef, ParamType};
use hcl::{Map, Number, Value};
use ring::digest;

/// All functions, by name. Each accepts any number of arguments of any type and reports its own errors.
const FUNCTIONS: [(&str, Func); 30] = [
    ("alltrue", alltrue),
    ("can", can),
    ("coalesce", coalesce),
    ("compact", compact),
    ("concat", concat),
    ("contains", contains),
    ("distinct", distinct),
    ("file", file),
    ("filebase64sha256", package_hash),
    ("filesha256", filesha256),
    ("flatten", flatten),
    ("floor", floor),
    ("join", join),
    ("jsondecode", jsondecode),
    ("jsonencode", jsonencode),
    ("keys", keys),
    ("length", length),
    ("lower", lower),
    ("max", max),
    ("merge", merge),
    ("min", min),
    ("one", one),
    ("regex", regex),
    ("replace", replace),
    ("setsubtract", setsubtract),
    ("setunion", setunion),
    ("startswith", startswith),
    ("toset", toset),
    ("upper", upper),
    ("values", values),
];

/// Declares all of them in `context`.
pub(crate) fn declare(context: &mut Context<'_>) {
    for (name, function) in FUNCTIONS {
        context.declare_func(name, FuncDef::builder().variadic_param(ParamType::Any).build(function));
    }
}

type Given = Result<Value, String>;

fn argument(arguments: &FuncArgs, index: usize) -> Result<&Value, String> {
    arguments.get(index).ok_or_else(|| format!("argument {} is missing", index + 1))
}

fn text(arguments: &FuncArgs, index: usize) -> Result<&str, String> {
    argument(arguments, index)?.as_str().ok_or_else(|| format!("argument {} must be a string", index + 1))
}

fn list(arguments: &FuncArgs, index: usize) -> Result<&Vec<Value>, String> {
    argument(arguments, index)?.as_array().ok_or_else(|| format!("argument {} must be a list", index + 1))
}

fn object(arguments: &FuncArgs, index: usize) -> Result<&Map<String, Value>, String> {
    argument(arguments, index)?.as_object().ok_or_else(|| format!("argument {} must be a map", index + 1))
}

/// Objects are unordered in Terraform: they are iterated in the order of their keys.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// A set: each value once, in order.
pub(crate) fn set(values: impl IntoIterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.into_iter().collect();
    values.sort_by_key(ToString::to_string);
    values.dedup();
    Value::Array(values)
}

fn alltrue(arguments: FuncArgs) -> Given {
    Ok(list(&arguments, 0)?.iter().all(|value| value.as_bool() == Some(true)).into())
}

/// Of the expressions in the module, only `regex` can fail, and then returns `null`.
fn can(arguments: FuncArgs) -> Given {
    Ok((!argument(&arguments, 0)?.is_null()).into())
}

fn coalesce(arguments: FuncArgs) -> Given {
    let found = arguments.iter().find(|value| !value.is_null() && value.as_str() != Some(""));
    found.cloned().ok_or_else(|| "all arguments are null".to_owned())
}

fn compact(arguments: FuncArgs) -> Given {
    let kept = list(&arguments, 0)?.iter().filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    Ok(kept.cloned().collect::<Vec<_>>().into())
}

fn concat(arguments: FuncArgs) -> Given {
    let mut all = Vec::new();
    for index in 0..arguments.len() {
        all.extend(list(&arguments, index)?.iter().cloned());
    }
    Ok(all.into())
}

fn contains(arguments: FuncArgs) -> Given {
    Ok(list(&arguments, 0)?.contains(argument(&arguments, 1)?).into())
}

fn distinct(arguments: FuncArgs) -> Given {
    let mut found: Vec<Value> = Vec::new();
    for value in list(&arguments, 0)? {
        if !found.contains(value) {
            found.push(value.clone());
        }
    }
    Ok(found.into())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn file(arguments: FuncArgs) -> Given {
    String::from_utf8(read(text(&arguments, 0)?)?).map(Value::from).map_err(|error| error.to_string())
}

/// A comparison needs no built functions: any text replaces the hash of a package.
fn package_hash(arguments: FuncArgs) -> Given {
    Ok(format!("hash of {}", text(&arguments, 0)?).into())
}

fn filesha256(arguments: FuncArgs) -> Given {
    let bytes = read(text(&arguments, 0)?)?;
    Ok(HEXLOWER.encode(digest::digest(&digest::SHA256, &bytes).as_ref()).into())
}

fn flatten(arguments: FuncArgs) -> Given {
    fn into(out: &mut Vec<Value>, values: &[Value]) {
        for value in values {
            match value {
                Value::Array(values) => into(out, values),
                other => out.push(other.clone()),
            }
        }
    }
    let mut out = Vec::new();
    into(&mut out, list(&arguments, 0)?);
    Ok(out.into())
}

fn floor(arguments: FuncArgs) -> Given {
    let number = argument(&arguments, 0)?.as_f64().ok_or("not a number")?;
    Ok(Value::from(number.floor() as i64))
}

fn join(arguments: FuncArgs) -> Given {
    let parts: Option<Vec<&str>> = list(&arguments, 1)?.iter().map(Value::as_str).collect();
    Ok(parts.ok_or("only strings can be joined")?.join(text(&arguments, 0)?).into())
}

fn jsondecode(arguments: FuncArgs) -> Given {
    let json: serde_json::Value = serde_json::from_str(text(&arguments, 0)?).map_err(|error| error.to_string())?;
    hcl::to_value(json).map_err(|error| error.to_string())
}

fn jsonencode(arguments: FuncArgs) -> Given {
    serde_json::to_string(argument(&arguments, 0)?).map(Value::from).map_err(|error| error.to_string())
}

fn keys(arguments: FuncArgs) -> Given {
    Ok(set(object(&arguments, 0)?.keys().map(|key| key.as_str().into())))
}

fn length(arguments: FuncArgs) -> Given {
    Ok(Value::from(match argument(&arguments, 0)? {
        Value::Array(values) => values.len(),
        Value::Object(map) => map.len(),
        Value::String(text) => text.chars().count(),
        other => return Err(format!("{other} has no length")),
    }))
}

fn lower(arguments: FuncArgs) -> Given {
    Ok(text(&arguments, 0)?.to_lowercase().into())
}

fn upper(arguments: FuncArgs) -> Given {
    Ok(text(&arguments, 0)?.to_uppercase().into())
}

fn numbers(arguments: &FuncArgs) -> Result<Vec<Number>, String> {
    arguments.iter().map(|value| value.as_number().copied().ok_or_else(|| format!("{value} is no number"))).collect()
}

fn max(arguments: FuncArgs) -> Given {
    let largest = numbers(&arguments)?.into_iter().reduce(|a, b| if b > a { b } else { a });
    largest.map(Value::from).ok_or_else(|| "of nothing there is no largest".to_owned())
}

fn min(arguments: FuncArgs) -> Given {
    let smallest = numbers(&arguments)?.into_iter().reduce(|a, b| if b < a { b } else { a });
    smallest.map(Value::from).ok_or_else(|| "of nothing there is no smallest".to_owned())
}

fn merge(arguments: FuncArgs) -> Given {
    let mut all = Map::new();
    for index in 0..arguments.len() {
        all.extend(object(&arguments, index)?.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(Value::Object(all))
}

fn one(arguments: FuncArgs) -> Given {
    match list(&arguments, 0)?.as_slice() {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        _ => Err("there is more than one".to_owned()),
    }
}

/// Returns `null` if nothing matches, which is an error in Terraform: the module only tests whether it matches.
fn regex(arguments: FuncArgs) -> Given {
    let pattern = regex::Regex::new(text(&arguments, 0)?).map_err(|error| error.to_string())?;
    Ok(pattern.find(text(&arguments, 1)?).map_or(Value::Null, |found| found.as_str().into()))
}

fn replace(arguments: FuncArgs) -> Given {
    Ok(text(&arguments, 0)?.replace(text(&arguments, 1)?, text(&arguments, 2)?).into())
}

fn setsubtract(arguments: FuncArgs) -> Given {
    let without = list(&arguments, 1)?;
    Ok(set(list(&arguments, 0)?.iter().filter(|value| !without.contains(value)).cloned()))
}

fn setunion(arguments: FuncArgs) -> Given {
    concat(arguments).and_then(|all| Ok(set(all.as_array().cloned().ok_or("no list")?)))
}

fn startswith(arguments: FuncArgs) -> Given {
    Ok(text(&arguments, 0)?.starts_with(text(&arguments, 1)?).into())
}

fn toset(arguments: FuncArgs) -> Given {
    Ok(set(list(&arguments, 0)?.iter().cloned()))
}

fn values(arguments: FuncArgs) -> Given {
    let map = sorted(Value::Object(object(&arguments, 0)?.clone()));
    Ok(map.as_object().map(|map| map.values().cloned().collect::<Vec<_>>()).unwrap_or_default().into())
}
