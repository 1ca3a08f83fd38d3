//! `sources.toml`: who may send events, and how what they send is read.

use crate::error::Reporter;
use perennial_domain::SourceId;
use serde::Deserialize;
use toml::Spanned;

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name, which every event from it carries.
    pub id: SourceId,
    /// SHA-256 of each write key that it may use, in hex; several while one is rotated.
    #[serde(default)]
    pub write_key_hashes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    source: Vec<Spanned<Source>>,
}

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Vec<Source> {
    let Some(file) = report.parse::<File>() else { return Vec::new() };
    file.source.into_iter().map(Spanned::into_inner).collect()
}
