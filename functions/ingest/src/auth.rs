//! Which source sends, by its write key.

use data_encoding::BASE64;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;
use perennial_config::Config;
use perennial_config::sources::{Source, WriteKeyHash};

/// Returns the source of the write key in the request's headers or query; `None` if there is no key, or no source has
/// it.
pub(crate) fn by_request<'c>(config: &'c Config, headers: &HeaderMap, uri: &Uri) -> Option<&'c Source> {
    let header =
        headers.get("x-write-key").and_then(|value| value.to_str().ok()).and_then(|key| by_key(config, key.trim()));
    header.or_else(|| by_basic(config, headers)).or_else(|| by_query(config, uri))
}

/// The source that has this write key. Every hash is compared, each in constant time.
pub(crate) fn by_key<'c>(config: &'c Config, key: &str) -> Option<&'c Source> {
    if key.is_empty() {
        return None;
    }
    let hash = WriteKeyHash::of(key);
    let mut found = None;
    for source in &config.sources {
        for known in &source.write_key_hashes {
            if known.same(&hash) {
                found = Some(source);
            }
        }
    }
    found
}

/// The write key is the user name, with an empty password. Keys of two parts (`id:secret`) use both.
fn by_basic<'c>(config: &'c Config, headers: &HeaderMap) -> Option<&'c Source> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let pair = std::str::from_utf8(&decoded).ok()?;
    match pair.split_once(':') {
        Some((user, "")) => by_key(config, user),
        Some((user, _)) => by_key(config, user).or_else(|| by_key(config, pair)),
        None => by_key(config, pair),
    }
}

fn by_query<'c>(config: &'c Config, uri: &Uri) -> Option<&'c Source> {
    let pairs = uri.query()?.split('&');
    let raw = pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "writeKey")?.1;
    by_key(config, &percent_decode_str(raw).decode_utf8().ok()?)
}
