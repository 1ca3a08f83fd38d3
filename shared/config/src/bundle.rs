//! The configuration as text: the unit that is pushed, versioned and rolled back.

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
    /// The same files as other systems would have written them: without a byte order mark, and with `\n` at the ends of lines. What differs in no more than
    /// these is the same version.
    #[must_use]
    pub fn normalised(self) -> Self {
        let normalised = |text: String| {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            if text.contains('\r') { text.replace("\r\n", "\n") } else { text }
        };
        Self { files: self.files.into_iter().map(|(name, text)| (name, normalised(text))).collect() }
    }

    /// The version that belongs to exactly these files: the first 12 characters of their hash.
    pub fn version(&self) -> ConfigVersion {
        let parts: Vec<&[u8]> = self.files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]).collect();
        let digest = hash::base32(&hash::sha256(&parts));
        ConfigVersion::parse(&digest[..12])
            .unwrap_or_else(|_| unreachable!("twelve characters of base32 are a version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_mark_and_windows_line_ends_make_no_other_version() {
        let bundle = |text: &str| Bundle { files: BTreeMap::from([("limits.toml".to_owned(), text.to_owned())]) };
        let unix = bundle("a = 1\nb = \"\"\"\nx\n\"\"\"\n");
        let windows = bundle("\u{feff}a = 1\r\nb = \"\"\"\r\nx\r\n\"\"\"\r\n");
        assert_ne!(windows.version(), unix.version());
        assert_eq!(windows.normalised().version(), unix.version());
    }
}
