//! The compiled form of a configuration as bytes: a push stores it beside the files, so that a function loads it without
//! reading TOML, checking, or compiling conditions.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `PRNL` |
//! | 4 | [`FORMAT`], little-endian |
//! | 4 | CRC-32 of the rest, little-endian |
//! | rest | the configuration, in [postcard's format](https://postcard.jamesmunns.com/wire-format), its version first |
//!
//! A reader accepts its own format only and compiles the files otherwise, so no version of the code ever reads what
//! another one wrote, and neither a deployment nor a rollback needs a push.

use crate::config::Config;
use perennial_domain::ConfigVersion;

/// The format of compiled configurations. It changes with every change of a compiled type, of the order of its fields,
/// or of what compiling makes of the same files; `tests/artefact.rs` fails until it does.
pub const FORMAT: u32 = 5;

const MAGIC: [u8; 4] = *b"PRNL";
/// Bytes before the configuration.
const HEADER: usize = 12;

/// Why bytes are no compiled configuration. The caller compiles the files instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtefactError {
    /// They are something else, or cut off within the header.
    #[error("this is no compiled configuration")]
    Foreign,
    /// Another version of the code wrote them.
    #[error("the compiled configuration has format {found}; this build reads {FORMAT}")]
    OtherFormat {
        /// The format found.
        found: u32,
    },
    /// They changed since they were written.
    #[error("the compiled configuration is damaged: its checksum differs")]
    Damaged,
    /// They are of another configuration.
    #[error("the compiled configuration is of version {found}, not {wanted}")]
    OtherVersion {
        /// The version found.
        found: ConfigVersion,
        /// The version that was asked for.
        wanted: ConfigVersion,
    },
    /// The content does not fit the types.
    #[error("the compiled configuration cannot be read: {0}")]
    Unreadable(postcard::Error),
    /// The configuration cannot be written.
    #[error("the configuration cannot be written: {0}")]
    Unwritable(postcard::Error),
}

/// Returns the bytes of `config`, without [`Config::active_since`]: the same bytes for the same files.
///
/// # Errors
/// [`ArtefactError::Unwritable`] if a value has no form in bytes, which no checked configuration contains.
pub fn encode(config: &Config) -> Result<Vec<u8>, ArtefactError> {
    let header = [MAGIC, FORMAT.to_le_bytes(), [0; 4]].concat();
    let mut bytes = postcard::to_extend(config, header).map_err(ArtefactError::Unwritable)?;
    let checksum = crc32fast::hash(bytes.get(HEADER..).unwrap_or_default());
    if let Some(place) = bytes.get_mut(HEADER - 4..HEADER) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(bytes)
}

/// Returns the configuration that [`encode`] wrote, if it is that of `wanted`. Damaged or foreign bytes are an error.
///
/// # Errors
/// [`ArtefactError`] for all other bytes.
pub fn decode(bytes: &[u8], wanted: &ConfigVersion) -> Result<Config, ArtefactError> {
    let (header, content) = bytes.split_at_checked(HEADER).ok_or(ArtefactError::Foreign)?;
    let number = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    if !header.starts_with(&MAGIC) {
        return Err(ArtefactError::Foreign);
    }
    match number(4) {
        Some(FORMAT) => {}
        found => return Err(ArtefactError::OtherFormat { found: found.unwrap_or_default() }),
    }
    if number(8) != Some(crc32fast::hash(content)) {
        return Err(ArtefactError::Damaged);
    }
    let (config, rest) = postcard::take_from_bytes::<Config>(content).map_err(ArtefactError::Unreadable)?;
    if !rest.is_empty() {
        return Err(ArtefactError::Unreadable(postcard::Error::SerdeDeCustom));
    }
    if config.version != *wanted {
        return Err(ArtefactError::OtherVersion { found: config.version, wanted: wanted.clone() });
    }
    Ok(config)
}
