//! Configuration errors: the file, the line, what is wrong and what is allowed.

use crate::read;
use crate::spanned::Spanned;
use perennial_domain::hash::hash32;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

/// One error in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file's name within the config folder.
    pub file: String,
    /// The line, from 1; 0 where the error is of the whole file.
    pub line: usize,
    /// The column, in characters from 1; 0 where the error is of the whole file.
    pub column: usize,
    /// The error, and what is allowed.
    pub message: String,
}

impl ConfigError {
    /// File, line and column: what errors are put in order by.
    #[must_use]
    pub fn place(&self) -> (&str, usize, usize) {
        (&self.file, self.line, self.column)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
        }
    }
}

/// Everything that is wrong with the config; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// Collects errors of one file.
pub(crate) struct Reporter<'a> {
    file: &'a str,
    text: &'a str,
    errors: &'a mut Vec<ConfigError>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str, errors: &'a mut Vec<ConfigError>) -> Self {
        Self { file, text, errors }
    }

    /// The whole file.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Reports `message` at the byte range `span` of the file. What stands in for something missing is passed over.
    pub(crate) fn at(&mut self, span: Range<usize>, message: impl Into<String>) {
        if read::is_stand_in(&span) {
            return;
        }
        let (line, column) = line_and_column(self.text, span.start);
        self.errors.push(ConfigError { file: self.file.to_owned(), line, column, message: message.into() });
    }

    /// Reports `message` at the byte range `at` of a text's value, where the text stands in the file as it is; at its
    /// beginning where it is written with escapes.
    pub(crate) fn within(&mut self, text: &Spanned<String>, at: Range<usize>, message: impl Into<String>) {
        let span = text.span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let start = written.find(text.get_ref().as_str()).map_or(span.start, |quotes| span.start + quotes + at.start);
        self.at(start..span.end.max(start), message);
    }

    /// Reads the file into `T`, and reports every invalid field. Invalid values are left out of the result, and missing
    /// ones are replaced with placeholders; `None` if that is not possible.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        let (file, text) = (self.file, self.text);
        let errors = &mut *self.errors;
        read::read(text, &mut |span, message| {
            let (line, column) = span.map_or((0, 0), |span| line_and_column(text, span.start));
            errors.push(ConfigError { file: file.to_owned(), line, column, message });
        })
    }

    /// Reports a name that is empty, too long, or has characters other than letters, digits, `_` and `-`: names are
    /// used in lists separated by spaces, in URLs, and in conditions.
    pub(crate) fn name(&mut self, what: &str, name: &Spanned<String>) {
        let text = name.get_ref();
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if text.is_empty() {
            self.at(name.span(), format!("{what} needs a name that is not empty: letters, digits, _ and -"));
        } else if !fits {
            self.at(
                name.span(),
                format!("`{text}`: the name of {what} may contain only letters (a to z), digits, _ and -"),
            );
        } else if text.len() > MAX_NAME {
            self.at(
                name.span(),
                format!("the name of {what} may have {MAX_NAME} characters, and this has {}", text.len()),
            );
        }
    }

    /// Reports a name like [`Self::name`], and one that is used before. `field` is the field that contains it: id or
    /// name. Returns `false` if it is used before.
    pub(crate) fn unique(&mut self, used: &mut Used, what: &str, field: &str, name: &Spanned<String>) -> bool {
        self.name(what, name);
        self.first_use(used, field, name)
    }

    /// Reports a name that is used before, with the line of its first use, and returns `false` then.
    pub(crate) fn first_use(&mut self, used: &mut Used, field: &str, name: &Spanned<String>) -> bool {
        let text = name.get_ref();
        if let Some(line) = used.lines.get(text) {
            self.at(name.span(), format!("duplicate {field} `{text}`, first used at line {line}"));
            return false;
        }
        if let Some(other) = used.hashes.insert(hash32(text), text.clone()) {
            // Only the hash of a name is stored. In practice this never happens.
            self.at(name.span(), format!("`{text}` and `{other}` have the same hash: rename one of them"));
        }
        if !read::is_stand_in(&name.span()) {
            used.lines.insert(text.clone(), line_and_column(self.text, name.span().start).0);
        }
        true
    }

    /// Reports an empty event name.
    pub(crate) fn event(&mut self, event: &Spanned<String>) {
        if event.get_ref().trim().is_empty() {
            self.at(event.span(), "an event's name is empty; page calls are \"$page\"");
        }
    }
}

/// The used names of one kind, with the line of their first use.
#[derive(Debug, Default)]
pub(crate) struct Used {
    lines: HashMap<String, usize>,
    hashes: HashMap<u32, String>,
}

/// The longest name, in characters.
pub(crate) const MAX_NAME: usize = 64;

/// The line, and the column in characters, of a byte of the text, both from 1.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// Returns the texts in backticks.
pub(crate) fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// Returns the name of `allowed` nearest to `name`, if it is near enough: in another spelling (`halfLifeDays`,
/// `half-life-days`), with a typing error, or shortened by a word (`half_life`).
pub fn nearest<'a>(name: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &'a str| {
        let typed = distance(&plain(name), &plain(candidate));
        let near = if typed * 3 <= candidate.chars().count().max(3) {
            typed
        } else if is_part(name, candidate) || is_part(candidate, name) {
            // Less likely than any typing error.
            candidate.len().max(name.len())
        } else {
            return None;
        };
        Some((near, distance(name, candidate), candidate))
    };
    allowed.into_iter().filter_map(near).min().map(|(_, _, candidate)| candidate)
}

/// Returns `name` without differences in spelling.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '$').flat_map(char::to_lowercase).collect()
}

/// Returns whether `part` is the first or the last words of `name`.
fn is_part(part: &str, name: &str) -> bool {
    let words = |rest: Option<&str>, sign: &dyn Fn(&str) -> bool| part.len() >= 3 && rest.is_some_and(sign);
    words(name.strip_prefix(part), &|rest| rest.starts_with('_'))
        || words(name.strip_suffix(part), &|rest| rest.ends_with('_'))
}

/// The edit distance of insertions, deletions, replacements and swapped neighbours (optimal string alignment): most typing
/// errors are a distance of 1.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for (j, cell) in table.iter_mut().take(width).enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        table[i * width] = i;
        for j in 1..width {
            let here = i * width + j;
            let replaced = table[here - width - 1] + usize::from(a[i - 1] != b[j - 1]);
            table[here] = replaced.min(table[here - 1] + 1).min(table[here - width] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                table[here] = table[here].min(table[here - 2 * width - 2] + 1);
            }
        }
    }
    table[(a.len() + 1) * width - 1]
}

/// Returns "`x` is not …; did you mean `y`?" for an unknown name.
pub(crate) fn unknown<'a>(what: &str, name: &str, allowed: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let hint = nearest(name, allowed.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let mut all: Vec<&str> = allowed.into_iter().collect();
    all.sort_unstable();
    let hint = if hint.is_empty() { ".".to_owned() } else { hint };
    format!("`{name}` is no {what}{hint} Known: {}", if all.is_empty() { "none".to_owned() } else { all.join(", ") })
}
