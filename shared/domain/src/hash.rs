//! Stable hashes for stored keys: SHA-256, cut to what a key needs, so that they are the same in every build and on every machine.

use data_encoding::{Encoding, Specification};
use ring::digest;
use std::sync::LazyLock;

/// RFC 4648 base32, lower case, without padding: safe in URLs, keys and file names.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    // The specification is a constant of this file and always valid; upper-case base32 stands in rather than a panic.
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

/// SHA-256 over `parts`, each preceded by its length, so that ("ab","c") and ("a","bc") differ.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The first eight bytes of [`sha256`], big-endian.
pub fn hash64(parts: &[&[u8]]) -> u64 {
    let full = sha256(parts);
    u64::from_be_bytes([full[0], full[1], full[2], full[3], full[4], full[5], full[6], full[7]])
}

/// The first four bytes of [`sha256`], big-endian: names of rules and journeys in stored state.
pub fn hash32(text: &str) -> u32 {
    let full = sha256(&[text.as_bytes()]);
    u32::from_be_bytes([full[0], full[1], full[2], full[3]])
}

/// Lower-case base32 of `bytes`, without padding.
pub fn base32(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

/// Decodes [`base32`] text; `None` if it is invalid.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    BASE32.decode(text.as_bytes()).ok()
}
