//! `perennial key`

use data_encoding::HEXLOWER;
use perennial_config::sources::WriteKeyHash;
use ring::rand::{SecureRandom, SystemRandom};
use std::process::ExitCode;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gave no random bytes"))?;
    let key = HEXLOWER.encode(&bytes);
    println!("write key   {key}    (give it to the client; it is not stored)");
    println!("hash        {}    (put it into write_key_hashes of sources.toml)", WriteKeyHash::of(&key).to_hex());
    Ok(ExitCode::SUCCESS)
}
