//! `sources.toml`: the sources of events, and how their requests are authenticated and read.

mod hook;
mod page;
mod write_key;

pub use hook::{Hook, Scheme};
pub use page::{Page, Pages};
pub use write_key::{InvalidHash, LOCAL_KEYS, WriteKeyHash};

use crate::error::{Reporter, Used};
use crate::mapping::RawMapping;
use crate::spanned::Spanned;
use page::RawPage;
use perennial_domain::{SourceId, Trust};
use serde::{Deserialize, Serialize};

/// One source. It has write keys, or a hook, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, which every event from it has, and which is in the path of its hook.
    pub id: SourceId,
    /// Which write keys it may use; several while one is rotated.
    pub write_key_hashes: Vec<WriteKeyHash>,
    /// The trust in events that come with a write key, without the user's token. Events of a verified webhook are
    /// [`Trust::Verified`].
    pub trust: Trust,
    /// How its webhooks are verified and read.
    pub hook: Option<Hook>,
}

/// The sources of events, and how their requests are authenticated and read.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// A source. It has write keys, for SDKs, or a hook, for webhooks posted to /hooks/ID, or both.
    #[serde(default)]
    source: Vec<Spanned<RawSource>>,
    /// The pages that stand for an event.
    #[serde(default)]
    page: Vec<Spanned<RawPage>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSource {
    /// A name of your own: letters, digits, `_` and `-`; unique. Conditions read it as `source`, and its hook is
    /// /hooks/ID.
    id: Spanned<String>,
    /// SHA-256, as 64 hexadecimal digits, of each write key that it may use; two while one is rotated.
    #[serde(default)]
    write_key_hashes: Vec<Spanned<String>>,
    /// The trust in events with a write key. `public`, if anybody can read the key, as in a web page or an app: events
    /// and sign-ins count, but claims about accounts, money, other ids and mail addresses have no effect unless they
    /// come with the user's token. `server` (default): everything is trusted.
    trust: Option<Spanned<RawTrust>>,
    /// The signature scheme of its webhooks.
    scheme: Option<Scheme>,
    /// The environment variable with the signing secret, in capitals, digits and `_`; it contains two, separated by a
    /// space, while one is rotated.
    secret_env: Option<Spanned<String>>,
    /// Converts one kind of webhook to one event. Every map that matches makes one; a webhook that matches none is
    /// accepted and ignored.
    #[serde(default)]
    map: Vec<Spanned<RawMapping>>,
}

/// The trust in a source with write keys.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RawTrust {
    /// Anybody can read its key.
    Public,
    /// Its key is kept on servers.
    #[default]
    Server,
}

impl From<RawTrust> for Trust {
    fn from(raw: RawTrust) -> Self {
        match raw {
            RawTrust::Public => Self::Public,
            RawTrust::Server => Self::Server,
        }
    }
}

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> (Vec<Source>, Pages) {
    let Some(file) = report.parse::<File>() else { return Default::default() };
    let mut ids = Used::default();
    let each = file.source.into_iter().filter_map(|source| {
        let span = source.span();
        Some((span, compile(source, &mut ids, report)?))
    });
    let (spans, sources): (Vec<_>, Vec<Source>) = each.unzip();
    one_source_each(&sources, &spans, report);
    (sources, page::load(file.page, report))
}

fn compile(source: Spanned<RawSource>, ids: &mut Used, report: &mut Reporter<'_>) -> Option<Source> {
    let span = source.span();
    let raw = source.into_inner();
    let id = match SourceId::parse(raw.id.get_ref()) {
        Ok(id) if id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => id,
        Ok(_) => {
            let message = format!(
                "source `{}`: an id may hold letters, digits, - and _, as it is part of a URL",
                raw.id.get_ref()
            );
            report.at(raw.id.span(), message);
            return None;
        }
        Err(error) => {
            report.at(raw.id.span(), format!("source `{}`: {error}", raw.id.get_ref()));
            return None;
        }
    };
    if id.as_str() == perennial_domain::event::JOURNEYS {
        report.at(raw.id.span(), format!("source `{id}`: what journeys count has this id; take another"));
    }
    report.first_use(ids, "id", &raw.id);
    let mut write_key_hashes = Vec::new();
    for hash in raw.write_key_hashes {
        match WriteKeyHash::parse(hash.get_ref()) {
            Ok(hash) => write_key_hashes.push(hash),
            Err(error) => report.at(hash.span(), format!("source `{id}`: {error}")),
        }
    }
    let hook = match (raw.scheme, raw.secret_env) {
        (Some(scheme), Some(secret_env)) => Some(hook::compile(&id, scheme, secret_env, raw.map, report)),
        (None, None) if raw.map.is_empty() => None,
        _ => {
            report.at(span.clone(), format!("source `{id}`: scheme, secret_env and map belong together"));
            None
        }
    };
    if let Some(trust) = raw.trust.as_ref().filter(|_| write_key_hashes.is_empty()) {
        report
            .at(trust.span(), format!("source `{id}`: trust is of write keys, and it has none; webhooks are verified"));
    }
    let trust = raw.trust.map(Spanned::into_inner).unwrap_or_default().into();
    if write_key_hashes.is_empty() && hook.is_none() {
        report.at(span, format!("source `{id}`: needs write_key_hashes, or scheme, secret_env and map"));
    }
    Some(Source { id, write_key_hashes, trust, hook })
}

/// Reports write keys that two sources share, because the source of an event would be ambiguous.
fn one_source_each(sources: &[Source], spans: &[std::ops::Range<usize>], report: &mut Reporter<'_>) {
    for (at, source) in sources.iter().enumerate() {
        if let Some(twin) = with_same_key(&sources[..at], source) {
            let message =
                format!("source `{}`: source `{}` has the same write key; give each its own", source.id, twin.id);
            report.at(spans[at].clone(), message);
        }
    }
}

/// The first of `others` that takes a write key of `source`.
pub fn with_same_key<'s>(others: &'s [Source], source: &Source) -> Option<&'s Source> {
    let is_own = |key: &WriteKeyHash| source.write_key_hashes.iter().any(|own| own.same(key));
    others.iter().find(|other| other.write_key_hashes.iter().any(is_own))
}

#[cfg(test)]
mod tests;
