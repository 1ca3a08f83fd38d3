//! Reads a file into its structs, and continues after an error: an invalid value is reported and removed, a missing one
//! is reported and replaced with a placeholder, and the rest is read again. So one run reports every error in a file.

use crate::position::line_and_column;
use crate::spelling::{nearest, quoted};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeString, DeTable, DeValue};

/// The number of errors in one file after which reading stops.
const MOST_ERRORS: usize = 200;

/// The position of placeholders: beyond any file, so that nothing is ever reported about them.
const BEYOND: usize = usize::MAX / 2;

/// Returns whether `span` is that of a placeholder.
pub(crate) fn is_stand_in(span: &Range<usize>) -> bool {
    span.start >= BEYOND
}

/// Reads `text`. Each error is passed to `tell`, with its position if it has one. `None` if no placeholder can replace
/// what is missing.
pub(crate) fn read<T: DeserializeOwned>(text: &str, tell: &mut dyn FnMut(Option<Range<usize>>, String)) -> Option<T> {
    // A valid file, the usual case, is read once.
    if let Ok(value) = toml::from_str(text) {
        return Some(value);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut last_line = None;
    for error in &errors {
        // An error on the same line is probably a consequence.
        let line = error.span().map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count());
        if line.is_none() || line != last_line {
            let duplicate = error.span().and_then(|span| duplicate(table.get_ref(), text, span, error.message()));
            tell(error.span(), duplicate.unwrap_or_else(|| error.message().trim().to_owned()));
        }
        last_line = line;
    }
    let mut repair =
        Repair { table, text, unreadable: !errors.is_empty(), stand_ins: Vec::new(), known_missing: Vec::new() };
    for _ in 0..MOST_ERRORS {
        match T::deserialize(toml::de::Deserializer::from(repair.table.clone())) {
            Ok(value) => return Some(value),
            Err(error) if repair.mend(&error, tell) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Returns the error for a repeated key: the position of its first use. `None` if `message` is about something else.
fn duplicate(table: &DeTable<'_>, text: &str, span: Range<usize>, message: &str) -> Option<String> {
    if !message.contains("duplicate key") {
        return None;
    }
    let key = text.get(span.clone())?.trim_matches(['"', '\'']);
    let mut first = None;
    keys(table, &mut |name, at| {
        if name == key && at < span.start {
            first = first.max(Some(at));
        }
    });
    let line = line_and_column(text, first?).0;
    Some(format!("duplicate field `{key}`, first used at line {line}"))
}

/// Calls `each` with every key of the table and of all in it, and where it stands.
fn keys(table: &DeTable<'_>, each: &mut dyn FnMut(&str, usize)) {
    fn within(value: &DeValue<'_>, each: &mut dyn FnMut(&str, usize)) {
        match value {
            DeValue::Table(table) => keys(table, each),
            DeValue::Array(array) => array.iter().for_each(|item| within(item.get_ref(), each)),
            _ => {}
        }
    }
    for (key, value) in table {
        each(key.get_ref(), key.span().start);
        within(value.get_ref(), each);
    }
}

/// The path to a value: keys and indices.
type Path = Vec<Step>;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Something written in the file, found by its place.
struct Found {
    /// The current path.
    path: Path,
    /// Its key, or that of the nearest table around it.
    key: String,
}

struct Repair<'a> {
    table: Spanned<DeTable<'a>>,
    text: &'a str,
    /// `true` if the file could not be parsed in full, so that missing values may be in the unparsed part.
    unreadable: bool,
    /// Placeholders for missing values: their paths, and the kind tried last.
    stand_ins: Vec<(Path, usize)>,
    /// Values that are missing because they were invalid, which is reported already.
    known_missing: Vec<(Path, String)>,
}

impl<'a> Repair<'a> {
    /// Reports the error and changes the table so that the next one shows. Returns `false` if that is not possible.
    fn mend(&mut self, error: &toml::de::Error, tell: &mut dyn FnMut(Option<Range<usize>>, String)) -> bool {
        let message = error.message().trim();
        let Some(span) = error.span() else {
            tell(None, message.to_owned());
            return false;
        };
        if let Some(field) = message.strip_prefix("missing field ").map(|field| field.trim_matches('`')) {
            return self.miss(&span, field, tell);
        }
        if is_stand_in(&span) {
            return self.stand_in_otherwise(span.start - BEYOND, message);
        }
        let root = self.table.get_ref();
        let Some(Found { path, key }) = find_in_table(root, &|at| *at == span, &mut Vec::new()) else {
            tell(Some(span), message.to_owned());
            return false;
        };
        let (message, meant) = friendly(message, &key, self.text.get(span.clone()).unwrap_or_default());
        tell(Some(span), message);
        if let Some((Step::Key(key), around)) = path.split_last() {
            self.known_missing.push((around.to_vec(), key.clone()));
            self.known_missing.extend(meant.map(|meant| (around.to_vec(), meant)));
        }
        self.remove(&path);
        true
    }

    /// A table at `span` has no `field`.
    fn miss(&mut self, span: &Range<usize>, field: &str, tell: &mut dyn FnMut(Option<Range<usize>>, String)) -> bool {
        let root = self.table.get_ref();
        let path = if *span == self.table.span() && !root.contains_key(field) {
            Some(Path::new())
        } else {
            find_table(root, span, field, &mut Vec::new())
        };
        let Some(mut path) = path else {
            tell(Some(span.clone()), format!("`{field}` is missing"));
            return false;
        };
        let known = self.known_missing.iter().any(|(around, key)| *around == path && key == field);
        if !known && !self.unreadable && !is_stand_in(span) {
            // An error about the whole file has no position.
            let place = Some(span.clone()).filter(|_| !path.is_empty());
            tell(place, format!("`{field}` is missing"));
        }
        let number = self.stand_ins.len();
        let Some(table) = table_at(self.table.get_mut(), &path) else { return false };
        let at = BEYOND + number..BEYOND + number + 1;
        table.insert(Spanned::new(at.clone(), Cow::Owned(field.to_owned())), Spanned::new(at, stand_in(0)));
        path.push(Step::Key(field.to_owned()));
        self.stand_ins.push((path, 0));
        true
    }

    /// Replaces the placeholder of this number, which does not fit, as `message` says.
    fn stand_in_otherwise(&mut self, number: usize, message: &str) -> bool {
        let Some((path, tried)) = self.stand_ins.get_mut(number) else { return false };
        *tried += 1;
        let value = match (message.starts_with("unknown variant "), quoted(message).get(1)) {
            (true, Some(allowed)) => DeValue::String(Cow::Owned((*allowed).to_owned())),
            _ if *tried < KINDS => stand_in(*tried),
            _ => return false,
        };
        let path = path.clone();
        let Some((Step::Key(key), around)) = path.split_last() else { return false };
        let Some(table) = table_at(self.table.get_mut(), around) else { return false };
        match table.get_mut(key.as_str()) {
            Some(old) => {
                *old.get_mut() = value;
                true
            }
            None => false,
        }
    }

    fn remove(&mut self, path: &[Step]) {
        let Some((last, around)) = path.split_last() else { return };
        match last {
            Step::Key(key) => {
                if let Some(table) = table_at(self.table.get_mut(), around) {
                    table.remove(key.as_str());
                }
            }
            Step::Index(index) => {
                if let Some(array) = array_at(self.table.get_mut(), around) {
                    let kept =
                        std::mem::replace(array, DeArray::new()).into_iter().enumerate().filter(|(at, _)| at != index);
                    *array = kept.map(|(_, value)| value).collect();
                }
            }
        }
    }
}

/// The number of kinds of placeholders.
const KINDS: usize = 5;

fn stand_in(kind: usize) -> DeValue<'static> {
    match kind {
        0 => DeValue::String(Cow::Borrowed("")),
        // Every number accepts an integer.
        1 => DeValue::parse("1").map_or(DeValue::Integer(DeInteger::default()), Spanned::into_inner),
        2 => DeValue::Table(DeTable::new()),
        3 => DeValue::Array(DeArray::new()),
        _ => DeValue::Boolean(false),
    }
}

/// Finds the key or the value whose position `is` accepts; the innermost value of several.
fn find_in_table(table: &DeTable<'_>, is: &dyn Fn(&Range<usize>) -> bool, path: &mut Path) -> Option<Found> {
    for (key, value) in table {
        let name = key.get_ref();
        path.push(Step::Key(name.to_string()));
        let found = if is(&key.span()) && !matches!(value.get_ref(), DeValue::Table(_) if is(&value.span())) {
            Some(Found { path: path.clone(), key: name.to_string() })
        } else {
            find_in_value(name, value, is, path)
        };
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

fn find_in_value(
    key: &DeString<'_>,
    value: &Spanned<DeValue<'_>>,
    is: &dyn Fn(&Range<usize>) -> bool,
    path: &mut Path,
) -> Option<Found> {
    let within = match value.get_ref() {
        DeValue::Table(table) => find_in_table(table, is, path),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(index, item)| {
            path.push(Step::Index(index));
            let found = find_in_value(key, item, is, path);
            path.pop();
            found
        }),
        _ => None,
    };
    within.or_else(|| is(&value.span()).then(|| Found { path: path.clone(), key: key.to_string() }))
}

/// The innermost table at `span` that has no `field`.
fn find_table(table: &DeTable<'_>, span: &Range<usize>, field: &str, path: &mut Path) -> Option<Path> {
    fn in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, field: &str, path: &mut Path) -> Option<Path> {
        match value.get_ref() {
            DeValue::Table(table) => find_table(table, span, field, path)
                .or_else(|| (value.span() == *span && !table.contains_key(field)).then(|| path.clone())),
            DeValue::Array(array) => array.iter().enumerate().find_map(|(index, item)| {
                path.push(Step::Index(index));
                let found = in_value(item, span, field, path);
                path.pop();
                found
            }),
            _ => None,
        }
    }
    table.iter().find_map(|(key, value)| {
        path.push(Step::Key(key.get_ref().to_string()));
        let found = in_value(value, span, field, path);
        path.pop();
        found
    })
}

fn table_at<'t, 'a>(table: &'t mut DeTable<'a>, path: &[Step]) -> Option<&'t mut DeTable<'a>> {
    match path {
        [] => Some(table),
        path => match value_at(table, path)? {
            DeValue::Table(table) => Some(table),
            _ => None,
        },
    }
}

fn array_at<'t, 'a>(table: &'t mut DeTable<'a>, path: &[Step]) -> Option<&'t mut DeArray<'a>> {
    match value_at(table, path)? {
        DeValue::Array(array) => Some(array),
        _ => None,
    }
}

fn value_at<'t, 'a>(table: &'t mut DeTable<'a>, path: &[Step]) -> Option<&'t mut DeValue<'a>> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let mut value = table.get_mut(first.as_str())?.get_mut();
    for step in rest {
        value = match (step, value) {
            (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str())?.get_mut(),
            (Step::Index(index), DeValue::Array(array)) => array.get_mut(*index)?.get_mut(),
            _ => return None,
        };
    }
    Some(value)
}

/// Returns serde's error about `key` in plain words, and the likely intended field for an unknown one.
fn friendly(message: &str, key: &str, written: &str) -> (String, Option<String>) {
    let words = quoted(message);
    let (name, allowed) = match words.split_first() {
        Some((name, allowed)) => (*name, allowed),
        None => ("", &[][..]),
    };
    if message.starts_with("unknown field ") {
        let meant = nearest(name, allowed.iter().copied());
        let text = format!("`{name}` is no field here{}", allowed_names(meant, allowed));
        return (text, meant.map(str::to_owned));
    }
    if message.starts_with("unknown variant ") {
        let near = nearest(name, allowed.iter().copied());
        let of = if key == name { String::new() } else { format!(" for `{key}`") };
        return (format!("`{name}` is not allowed{of}{}", allowed_names(near, allowed)), None);
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return (format!("`{key}` takes {}, and this is {}", kind(expected), kind(found)), None);
    }
    if let Some((_, expected)) =
        message.strip_prefix("invalid value: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return (format!("`{key}` takes {}, and {written} is outside of that", kind(expected)), None);
    }
    (format!("`{key}`: {message}"), None)
}

fn allowed_names(near: Option<&str>, allowed: &[&str]) -> String {
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let stop = if hint.is_empty() { "." } else { "" };
    format!("{hint}{stop} Allowed: {}", allowed.join(", "))
}

/// Returns serde's names of types in words.
fn kind(serde: &str) -> String {
    let words = match serde.split(' ').next().unwrap_or_default() {
        "i64" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number from 0",
        "f64" | "f32" => "a number",
        "bool" | "boolean" => "true or false",
        "integer" => "a whole number",
        "floating" => "a number with a fraction",
        "string" => "a text",
        "sequence" => "a list",
        "map" | "struct" => "a table",
        _ => match serde {
            "a string" => "a text",
            "a boolean" => "true or false",
            "a sequence" => "a list",
            "a map" => "a table",
            other => return other.to_owned(),
        },
    };
    words.to_owned()
}
