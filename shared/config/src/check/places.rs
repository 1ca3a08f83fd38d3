//! Finds positions in the files, which the compiled configuration does not contain.

use crate::bundle::Bundle;
use crate::position::line_and_column;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step of the path to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A key of a table.
    Key(&'a str),
    /// An item of a list, from 0.
    At(usize),
    /// The item of a list that is this text.
    Text(&'a str),
}

/// The files, to look places up in.
pub(crate) struct Places<'a> {
    files: BTreeMap<&'a str, (&'a str, Spanned<DeTable<'a>>)>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(bundle: &'a Bundle) -> Self {
        let files = bundle.files.iter().map(|(name, text)| {
            let (table, _) = DeTable::parse_recoverable(text);
            (name.as_str(), (text.as_str(), table))
        });
        Self { files: files.collect() }
    }

    /// The line and the column of what stands at the end of `path`, or as far along it as there is something.
    pub(crate) fn of(&self, file: &str, path: &[Part<'_>]) -> (usize, usize) {
        let Some((text, _)) = self.files.get(file) else { return (0, 0) };
        self.find(file, path).0.map_or((0, 0), |found| line_and_column(text, found.span().start))
    }

    /// Returns the number of items of the list at `path`; 0 if there is none.
    pub(crate) fn len(&self, file: &str, path: &[Part<'_>]) -> usize {
        match self.find(file, path) {
            (Some(found), true) => found.get_ref().as_array().map_or(0, |items| items.len()),
            _ => 0,
        }
    }

    /// Returns the value at `path`, or the last one found along it, and whether the path was found in full.
    fn find(&self, file: &str, path: &[Part<'_>]) -> (Option<&Spanned<DeValue<'a>>>, bool) {
        let Some((_, table)) = self.files.get(file) else { return (None, false) };
        let mut here: Option<&Spanned<DeValue<'_>>> = None;
        for part in path {
            let next = match (part, here.map(Spanned::get_ref)) {
                (Part::Key(key), None) => table.get_ref().get(*key),
                (Part::Key(key), Some(DeValue::Table(table))) => table.get(*key),
                (Part::At(index), Some(DeValue::Array(array))) => array.get(*index),
                (Part::Text(text), Some(DeValue::Array(array))) => {
                    array.iter().find(|item| item.get_ref().as_str() == Some(*text))
                }
                _ => None,
            };
            let Some(next) = next else { return (here, false) };
            here = Some(next);
        }
        (here, true)
    }
}
