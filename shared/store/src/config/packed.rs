//! A bundle as deflated JSON, as stored in its version's item.

use super::ConfigStoreError;
use crate::error::StoreError;
use crate::inflate::{deflate, inflate};
use flate2::Compression;
use perennial_config::Bundle;

/// The largest deflated bundle in bytes: an item is limited to 400 KB.
const MAX_BYTES: usize = 380 * 1024;
/// The most bytes of a bundle before it is deflated. What inflates to more is not read, so more is not written.
const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// Packs `bundle`.
///
/// # Errors
/// [`ConfigStoreError::TooLarge`] where it could not be stored, or not be read again.
pub(super) fn pack(bundle: &Bundle) -> Result<Vec<u8>, ConfigStoreError> {
    let json = serde_json::to_vec(bundle).map_err(|error| StoreError::Unstorable(error.to_string()))?;
    if json.len() > MAX_INFLATED {
        return Err(ConfigStoreError::TooLarge {
            bytes: json.len(),
            most: MAX_INFLATED,
            what: "before it is deflated",
        });
    }
    let deflated = deflate(&json, Compression::best())?;
    if deflated.len() > MAX_BYTES {
        return Err(ConfigStoreError::TooLarge { bytes: deflated.len(), most: MAX_BYTES, what: "deflated" });
    }
    Ok(deflated)
}

/// Unpacks a bundle.
///
/// # Errors
/// [`StoreError::Corrupt`] where it cannot be inflated or read.
pub(super) fn unpack(deflated: &[u8]) -> Result<Bundle, StoreError> {
    let json = inflate("a config", deflated, MAX_INFLATED)?;
    serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("a config cannot be read"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bundle(text: String) -> Bundle {
        Bundle { files: [("scoring.toml".to_owned(), text)].into() }
    }

    #[test]
    fn bundle_survives_and_one_that_could_not_be_read_again_is_refused() {
        let small = bundle("x = 1".repeat(1000));
        assert_eq!(unpack(&pack(&small).unwrap()).unwrap().files, small.files);
        let large = pack(&bundle("x".repeat(MAX_INFLATED)));
        assert!(matches!(large, Err(ConfigStoreError::TooLarge { most: MAX_INFLATED, .. })));
        assert!(matches!(unpack(b"no deflate"), Err(StoreError::Corrupt(_))));
    }
}
