//! Where in the files something stands: the compiled config does not say.

use crate::bundle::Bundle;
use crate::error::line_and_column;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step of the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A key of a table.
    Key(&'a str),
    /// An item of a list, from 0.
    At(usize),
}

/// The files, to look places up in.
pub(super) struct Places<'a> {
    files: BTreeMap<&'a str, (&'a str, Spanned<DeTable<'a>>)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(bundle: &'a Bundle) -> Self {
        let files = bundle.files.iter().map(|(name, text)| {
            let (table, _) = DeTable::parse_recoverable(text);
            (name.as_str(), (text.as_str(), table))
        });
        Self { files: files.collect() }
    }

    /// The line and the column of what stands at the end of `path`, or as far along it as there is something.
    pub(super) fn of(&self, file: &str, path: &[Part<'_>]) -> (usize, usize) {
        let Some((text, table)) = self.files.get(file) else { return (0, 0) };
        let mut found = None;
        let mut here: Option<&Spanned<DeValue<'_>>> = None;
        for part in path {
            let next = match (part, here.map(Spanned::get_ref)) {
                (Part::Key(key), None) => table.get_ref().get(*key),
                (Part::Key(key), Some(DeValue::Table(table))) => table.get(*key),
                (Part::At(index), Some(DeValue::Array(array))) => array.get(*index),
                _ => None,
            };
            let Some(next) = next else { break };
            found = Some(next.span().start);
            here = Some(next);
        }
        found.map_or((0, 0), |start| line_and_column(text, start))
    }
}
