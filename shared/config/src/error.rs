//! Configuration errors: the file, the line, what is wrong and what is allowed.

use crate::position::line_and_column;
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
