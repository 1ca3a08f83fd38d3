//! Deflates what is stored, and inflates it up to a limit.

use crate::error::StoreError;
use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::read::DeflateEncoder;
use std::io::Read as _;

/// Deflates `plain`.
///
/// # Errors
/// [`StoreError::Unstorable`], which no bytes cause.
pub(crate) fn deflate(plain: &[u8], level: Compression) -> Result<Vec<u8>, StoreError> {
    let mut deflated = Vec::new();
    let read = DeflateEncoder::new(plain, level).read_to_end(&mut deflated);
    read.map_err(|error| StoreError::Unstorable(error.to_string()))?;
    Ok(deflated)
}

/// Inflates `deflated`, which is `what`, to `most` bytes at most.
///
/// # Errors
/// [`StoreError::Corrupt`] where it was not deflated, is cut off, or inflates to more.
pub(crate) fn inflate(what: &str, deflated: &[u8], most: usize) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::with_capacity((deflated.len() * 3).min(most));
    let read = DeflateDecoder::new(deflated).take(most as u64 + 1).read_to_end(&mut out);
    read.map_err(|_| StoreError::corrupt(format!("{what} cannot be inflated")))?;
    if out.len() > most {
        return Err(StoreError::corrupt(format!("{what} inflates to more than {most} bytes")));
    }
    Ok(out)
}
