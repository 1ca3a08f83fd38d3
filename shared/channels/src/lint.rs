//! Finds problems in templates that compile: unknown names, filters and tags, and the syntax of other template
//! languages, each with its line and column and the equivalent in ours.

mod foreign;
mod members;

use crate::render::{NAMES, Renderer, TemplateProblem, environment, sources};
use crate::tags::{self, Kind, Tag};
use minijinja::{Environment, ErrorKind};
use perennial_config::channels::Template;
use perennial_config::spelling::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// Tags that templates have.
const TAGS: [&str; 17] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "autoescape",
    "endautoescape",
    "raw",
    "endraw",
    "do",
];
/// Functions that templates have.
const FUNCTIONS: [&str; 4] = ["range", "dict", "debug", "namespace"];
/// Filters that are suggested for others. Any that exists is allowed.
const FILTERS: [&str; 24] = [
    "abs",
    "capitalize",
    "default",
    "escape",
    "first",
    "float",
    "format",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "reverse",
    "round",
    "safe",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
];

/// Returns the problems of `templates`: compile errors, and parts that compile but cannot produce what they seem to be
/// meant for.
#[must_use]
pub fn check(templates: &BTreeMap<String, Template>) -> Vec<TemplateProblem> {
    let env = environment();
    let mut compile = Renderer::new(templates).problems().to_vec();
    let mut found = Vec::new();
    for (name, template) in templates {
        for (part, source) in sources(template) {
            let all = of_part(&env, source);
            // A compile error caused by these is reported by them.
            let breaks = all.iter().any(|problem| problem.breaks);
            if breaks {
                compile.retain(|problem| problem.template != *name || problem.part != part);
            }
            found.extend(all.into_iter().map(|Problem { at, message, .. }| {
                let (line, column) = place(source, at);
                TemplateProblem { template: name.clone(), part, line, column, problem: message }
            }));
        }
    }
    found.extend(compile);
    found
}

/// Returns names of traits that are probably misspelled facts. Traits may have any name, so these are warnings rather
/// than errors.
#[must_use]
pub fn suspect(templates: &BTreeMap<String, Template>) -> Vec<TemplateProblem> {
    let mut found = Vec::new();
    for (name, template) in templates {
        for (part, source) in sources(template) {
            for tag in tags::of(source) {
                for path in tag.paths() {
                    let Some(message) = members::near_miss(path) else { continue };
                    let (line, column) = place(source, tag.place_of(path));
                    found.push(TemplateProblem { template: name.clone(), part, line, column, problem: message });
                }
            }
        }
    }
    found
}

/// The line and column of byte `at`, both from 1.
fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// A problem in one part.
struct Problem {
    /// Its position in bytes.
    at: usize,
    message: String,
    /// `true` if it may keep the part from compiling.
    breaks: bool,
}

fn of_part(env: &Environment<'_>, source: &str) -> Vec<Problem> {
    let tags = tags::of(source);
    let mut problems = Vec::new();
    for tag in &tags {
        if let Some(message) = foreign::problem(tag, &tags) {
            problems.push(Problem { at: tag.begin, message, breaks: true });
        } else if let Some(message) = unknown_tag(tag) {
            problems.push(Problem { at: tag.begin, message, breaks: true });
        } else {
            let wrong = unknown_filters(env, tag).into_iter().chain(unknown_tests(env, tag));
            problems.extend(wrong.map(|(name, message)| Problem { at: tag.place_of(name), message, breaks: false }));
        }
    }
    problems.extend(unknown_names(env, source, &tags, &problems));
    for (begin, text) in tags::texts(source) {
        let marked = foreign::in_text(text).into_iter();
        problems.extend(marked.map(|(at, message)| Problem { at: begin + at, message, breaks: false }));
    }
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// Returns the end of a sentence with the likely intended name, or a full stop.
fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or_else(|| ".".to_owned(), |meant| format!("; did you mean `{meant}`?"))
}

fn unknown_tag(tag: &Tag<'_>) -> Option<String> {
    let word = tag.word().filter(|_| tag.kind == Kind::Block)?;
    if TAGS.contains(&word) {
        return None;
    }
    let near = did_you_mean(nearest(word, TAGS));
    Some(format!("`{word}` is not a tag{near} Tags: {}", TAGS.join(", ")))
}

/// Returns whether `kind` is the error of calling something unknown.
fn is_unknown(env: &Environment<'_>, source: &str, kind: ErrorKind) -> bool {
    env.render_str(source, ()).is_err_and(|error| error.kind() == kind)
}

fn unknown_filters<'a>(env: &Environment<'_>, tag: &Tag<'a>) -> Vec<(&'a str, String)> {
    let unknown = |name: &&str| is_unknown(env, &format!("{{{{ ''|{name} }}}}"), ErrorKind::UnknownFilter);
    tag.filters().into_iter().filter(unknown).map(|name| (name, filter_message(env, name))).collect()
}

fn filter_message(env: &Environment<'_>, name: &str) -> String {
    if let Some(instead) = foreign::instead_of_filter(name) {
        return format!("`{name}` is not a filter; {instead}");
    }
    let known =
        FILTERS.into_iter().filter(|name| !is_unknown(env, &format!("{{{{ ''|{name} }}}}"), ErrorKind::UnknownFilter));
    let known: Vec<&str> = known.collect();
    let near = did_you_mean(nearest(name, known.iter().copied()));
    format!("`{name}` is not a filter{near} Filters: {}", known.join(", "))
}

fn unknown_tests<'a>(env: &Environment<'_>, tag: &Tag<'a>) -> Vec<(&'a str, String)> {
    let unknown = |name: &&str| is_unknown(env, &format!("{{{{ '' is {name} }}}}"), ErrorKind::UnknownTest);
    let message = |name: &str| {
        format!("`is {name}` is not a test; write `is defined`, `is none` or a comparison such as == \"…\"")
    };
    tag.tests().into_iter().filter(unknown).map(|name| (name, message(name))).collect()
}

/// Finds unknown names and members.
fn unknown_names(env: &Environment<'_>, source: &str, tags: &[Tag<'_>], known: &[Problem]) -> Vec<Problem> {
    let Ok(compiled) = env.template_from_str(source) else { return Vec::new() };
    let undeclared = compiled.undeclared_variables(false);
    let (known_names, unknown): (BTreeSet<String>, BTreeSet<String>) = undeclared
        .into_iter()
        .filter(|name| !FUNCTIONS.contains(&name.as_str()))
        .partition(|name| NAMES.contains(&name.as_str()));
    let mut problems: Vec<Problem> = Vec::new();
    for tag in tags {
        for path in tag.paths() {
            if known.iter().any(|problem| problem.at == tag.begin && problem.breaks) {
                continue;
            }
            let head = path.split('.').next().unwrap_or_default();
            let message = if unknown.contains(head) {
                Some(name_message(path, head))
            } else {
                known_names.get(head).and_then(|_| members::problem(path))
            };
            let Some(message) = message else { continue };
            let at = tag.place_of(path);
            if !problems.iter().any(|problem| problem.at == at && problem.message == message) {
                problems.push(Problem { at, message, breaks: false });
            }
        }
    }
    problems
}

fn name_message(path: &str, head: &str) -> String {
    let meant = match foreign::ours(path) {
        ours if ours != path => Some(ours),
        _ => nearest(head, NAMES).map(|near| path.replacen(head, near, 1)),
    };
    let meant = did_you_mean(meant.as_deref());
    format!("nothing fills `{path}`{meant} Names: {}", NAMES.join(", "))
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
