//! Compiled configurations in the table: for each version and format one, deflated, in as many items as it needs.

use super::ConfigStoreError;
use crate::error::StoreError;
use crate::inflate::{deflate, inflate};
use crate::item::{Item, Read, at, b, n, needed};
use crate::keys;
use crate::store::Store;
use flate2::Compression;
use jiff::Timestamp;
use perennial_config::{Config, artefact};
use perennial_domain::ConfigVersion;

/// The most bytes in one item, which is limited to 400 KB.
const PART_BYTES: usize = 380 * 1024;
/// The most items of one compiled configuration. What needs more is not stored, and compiled by each reader.
const MOST_PARTS: usize = 8;
/// The most bytes before they are deflated.
const MOST_BYTES: usize = 32 * 1024 * 1024;

fn key(version: &ConfigVersion, part: usize) -> Item {
    keys::key(keys::CONFIG, keys::compiled_config(version.as_str(), artefact::FORMAT, part))
}

impl Store {
    /// Stores the compiled form of `config` in this build's format. Idempotent: the same files have the same bytes.
    /// One that is too large is left out.
    pub(super) async fn put_compiled(&self, config: &Config, now: Timestamp) -> Result<(), ConfigStoreError> {
        let bytes = artefact::encode(config).map_err(|error| StoreError::Unstorable(error.to_string()))?;
        let deflated = deflate(&bytes, Compression::best())?;
        let parts: Vec<&[u8]> = deflated.chunks(PART_BYTES).collect();
        if parts.len() > MOST_PARTS || bytes.len() > MOST_BYTES {
            tracing::warn!(bytes = bytes.len(), "the compiled configuration is too large to be stored");
            return Ok(());
        }
        // The first part says how many there are: written last, it never leads to a missing one.
        for (part, content) in parts.iter().enumerate().rev() {
            let mut item = key(&config.version, part);
            item.insert("bytes".to_owned(), b(content.to_vec()));
            item.insert("parts".to_owned(), n(parts.len()));
            item.insert("at".to_owned(), at(now));
            self.put("put_compiled", item, None).await?;
        }
        Ok(())
    }

    /// Returns the compiled form of a version, if there is one in this build's format that can be read.
    ///
    /// # Errors
    /// [`StoreError`] if the table does not respond.
    pub(super) async fn read_compiled(&self, version: &ConfigVersion) -> Result<Option<Config>, StoreError> {
        let Some(first) = self.get("read_compiled", key(version, 0), true).await? else { return Ok(None) };
        let mut rest = Vec::new();
        for part in 1..first.number("parts").ok().flatten().unwrap_or(1).min(MOST_PARTS) {
            rest.extend(self.get("read_compiled", key(version, part), true).await?);
        }
        match unpacked(&first, &rest, version) {
            Ok(config) => Ok(Some(config)),
            Err(error) => {
                tracing::warn!(%version, %error, "failed to read the compiled configuration; its files will be compiled");
                Ok(None)
            }
        }
    }
}

fn unpacked(first: &Item, rest: &[Item], version: &ConfigVersion) -> Result<Config, StoreError> {
    let what = "a compiled configuration";
    let head = needed("bytes", first.bytes("bytes")?)?;
    let bytes = if rest.is_empty() {
        inflate(what, head, MOST_BYTES)?
    } else {
        let mut all = head.to_vec();
        for item in rest {
            all.extend_from_slice(needed("bytes", item.bytes("bytes")?)?);
        }
        inflate(what, &all, MOST_BYTES)?
    };
    artefact::decode(&bytes, version).map_err(|error| StoreError::corrupt(error.to_string()))
}
