//! Parameters of a list: each has one value, and one that does not exist is an error, so that no filter is ignored.

use crate::ViewError;
use percent_encoding::percent_decode_str;
use perennial_domain::{Score, Stage};

/// The parameter that chooses JSON or CSV.
pub const FORMAT: &str = "format";
/// The default number of rows of a page.
const LIMIT: usize = 100;
/// The most rows of a page.
const MAX_LIMIT: usize = 1000;
/// The most bytes of a value.
const MAX_BYTES: usize = 2048;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query, in which only `allowed` parameters may be, each once. Empty values count as absent.
    pub(super) fn read(query: &str, allowed: &[&str]) -> Result<Self, ViewError> {
        let mut params = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !allowed.contains(&name.as_str()) {
                let shown: String = name.chars().take(50).collect();
                return Err(ViewError::Invalid(format!(
                    "there is no parameter `{shown}`; there are {}",
                    allowed.join(", ")
                )));
            }
            if value.len() > MAX_BYTES {
                return Err(ViewError::Invalid(format!(
                    "{name} has {} bytes; at most {MAX_BYTES} are allowed",
                    value.len()
                )));
            }
            if params.iter().any(|(known, _)| *known == name) {
                return Err(ViewError::Invalid(format!(
                    "{name} is given twice; a list takes one value for each parameter"
                )));
            }
            if !value.is_empty() {
                params.push((name, value));
            }
        }
        Ok(Self(params))
    }

    /// Returns a value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a value in which a plus is a space, as forms encode it.
    pub(super) fn words(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.replace('+', " ").trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Returns the stage that is asked for.
    pub(super) fn stage(&self) -> Result<Option<Stage>, ViewError> {
        let names = Stage::ALL.map(Stage::as_str);
        let stage = |name: &str| Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
        self.get("stage").map(|name| stage(name).ok_or_else(|| not_among("stage", name, &names))).transpose()
    }

    /// Returns the range of a score, 0 to 100 by default.
    pub(super) fn range(&self, has_score: bool) -> Result<(u8, u8), ViewError> {
        let bound = |name: &'static str, default: u8| match self.get(name) {
            None => Ok(default),
            Some(_) if !has_score => {
                Err(ViewError::Invalid(format!("{name} needs a score to compare: add `score=NAME`")))
            }
            Some(text) => text.parse().ok().filter(|bound| *bound <= 100).ok_or_else(|| {
                ViewError::Invalid(format!("{name} must be a whole number from 0 to 100, not `{text}`"))
            }),
        };
        let (min, max) = (bound("min", 0)?, bound("max", 100)?);
        if min > max {
            return Err(ViewError::Invalid(format!("min ({min}) must not be greater than max ({max})")));
        }
        Ok((min, max))
    }

    /// Returns the order that is asked for: `Some(true)` for the lowest score first.
    pub(super) fn is_rising(&self) -> Result<Option<bool>, ViewError> {
        match self.get("sort") {
            None => Ok(None),
            Some("highest") => Ok(Some(false)),
            Some("lowest") => Ok(Some(true)),
            Some(other) => Err(not_among("sort", other, &["highest", "lowest"])),
        }
    }

    /// Returns the number of rows.
    pub(super) fn limit(&self) -> Result<usize, ViewError> {
        let Some(text) = self.get("limit") else { return Ok(LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or(ViewError::Wrong("limit must be a whole number from 1 to 1000"))
    }

    /// Returns the parameters that choose rows, as text: a cursor belongs to them.
    pub(super) fn fingerprint(&self) -> String {
        let mut chosen: Vec<String> = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit" | FORMAT))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        chosen.sort_unstable();
        chosen.join("&")
    }
}

/// Returns the first value of one parameter of a query.
///
/// # Errors
/// [`ViewError::Wrong`] for a value that is not UTF-8.
pub fn one(query: &str, name: &str) -> Result<Option<String>, ViewError> {
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(own, _)| *own == name);
    value.map(|(_, value)| decode(value)).transpose()
}

/// Returns whether a score is in a range.
pub(super) fn is_between(score: Score, (min, max): (u8, u8)) -> bool {
    (min..=max).contains(&score.get())
}

/// Returns the error for a value that is none of `allowed`.
pub(super) fn not_among(name: &str, value: &str, allowed: &[impl AsRef<str>]) -> ViewError {
    let shown: String = value.chars().take(50).collect();
    let allowed: Vec<&str> = allowed.iter().map(AsRef::as_ref).collect();
    if allowed.is_empty() {
        return ViewError::Invalid(format!("{name} `{shown}` does not exist: the configuration has none"));
    }
    ViewError::Invalid(format!("{name} must be one of {}, not `{shown}`", allowed.join(", ")))
}

fn decode(text: &str) -> Result<String, ViewError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| ViewError::Wrong("the query is not UTF-8"))?;
    Ok(text.into_owned())
}
