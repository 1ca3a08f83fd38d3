//! The config as text: what is pushed, versioned and rolled back.

use perennial_domain::{ConfigVersion, hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All config files, by their names within the config folder, such as `scoring.toml` and `templates/welcome.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Name to text.
    pub files: BTreeMap<String, String>,
}

impl Bundle {
    /// The version that belongs to exactly these files: the first 12 characters of their hash.
    pub fn version(&self) -> ConfigVersion {
        let parts: Vec<&[u8]> = self.files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]).collect();
        let digest = hash::base32(&hash::sha256(&parts));
        ConfigVersion::parse(&digest[..12])
            .unwrap_or_else(|_| unreachable!("twelve characters of base32 are a version"))
    }
}
