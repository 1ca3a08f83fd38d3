//! `perennial key`

use data_encoding::HEXLOWER;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use std::process::ExitCode;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gave no random bytes"))?;
    let key = HEXLOWER.encode(&bytes);
    println!("write key   {key}    (give it to the client; it is stored nowhere)");
    println!("hash        {}    (put it into write_key_hashes of sources.toml)", hash(&key));
    Ok(ExitCode::SUCCESS)
}

/// What `write_key_hashes` holds of a key.
pub(crate) fn hash(key: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, key.as_bytes()).as_ref())
}
