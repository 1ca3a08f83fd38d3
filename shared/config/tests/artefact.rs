//! The compiled form of a configuration: what is read is what was written.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::default_bundle;
use perennial_config::artefact::{ArtefactError, FORMAT, decode, encode};
use perennial_config::{Bundle, Config};
use perennial_domain::{ConfigVersion, hash};
use perennial_testkit::ConfigBuilder;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A configuration with every part of the language, see `tests/artefact/*.toml`: it changes only with the format.
fn every_part() -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artefact");
    let mut bundle = Bundle::default();
    for path in files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        bundle.files.insert(name, std::fs::read_to_string(path).unwrap());
    }
    bundle
}

/// The files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn load(bundle: &Bundle) -> Config {
    Config::load(bundle).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The bytes of [`every_part`], and its version.
static WRITTEN: LazyLock<(Vec<u8>, ConfigVersion)> = LazyLock::new(|| {
    let config = load(&every_part());
    (encode(&config).unwrap(), config.version)
});

/// The same content with a fitting checksum, so that what is behind it is tested.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes[12..]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// `Debug` without the order of maps and sets, which differs between two that are equal.
fn printed(config: &Config) -> Vec<String> {
    let text = format!("{config:#?}");
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn config_from_its_compiled_form_equals_the_one_from_its_files() {
    for bundle in [default_bundle(), ConfigBuilder::least().bundle(), every_part()] {
        let config = load(&bundle);
        let bytes = encode(&config).unwrap();
        let read = decode(&bytes, &config.version).unwrap();
        assert_eq!(read.version, bundle.version());
        assert_eq!(encode(&read).unwrap(), bytes, "nothing is lost or changed");
        assert_eq!(printed(&read), printed(&config), "nothing that bytes leave out differs");
    }
}

#[test]
fn same_files_have_the_same_bytes() {
    // The seeds of hash maps differ in each load.
    let all: Vec<Vec<u8>> = (0..4).map(|_| encode(&load(&every_part())).unwrap()).collect();
    assert!(all.windows(2).all(|two| two[0] == two[1]));
}

/// The hash of the bytes of `tests/artefact` in the current [`FORMAT`].
const PINNED: (u32, &str) = (5, "n6vocibays57k3324l2rhtxsmjpxqtpbvk64tf7emji5vcbwslfq");

#[test]
fn changed_form_has_a_new_format_number() {
    let found = hash::base32(&hash::sha256(&[&WRITTEN.0[12..]]));
    assert_eq!(
        (FORMAT, found.as_str()),
        PINNED,
        "the compiled form of tests/artefact changed: functions of another version would misread it. Increase FORMAT in src/artefact.rs and pin both here"
    );
}

#[test]
fn sample_of_the_format_has_every_part_of_the_language() {
    let text = format!("{:?}", load(&every_part()));
    let parts = "Const( Slot( Has( Local( Select( HasKey( Index( List( Not( Negate( And( Or( Choice( Compare( IntVersus( DoubleVersus( \
                 TextVersus( In( InTexts( Arithmetic( Size( ToInt( ToDouble( Find( Matches( LowerAscii( Each Contains StartsWith EndsWith \
                 Null Bool( Int( Double( Text( \
                 LostTrialDays Cancels PastDue CountWithin CountHours DaysSince ActiveDays( ActiveMonths( ActivityChange( UsedDays EverUsed ReleasedDays HighValueUsed( \
                 HighValueShare( Errors MostErrors( Title( Persona( Segment( Revenue( Score( Tally( Account( \
                 Becomes Idle Event Once Always AfterDays( State( Send( Wait( Branch Split Traits For Until \
                 Value( Latest( Money Body( Header( Standard Stripe Github Hubspot Zendesk Zoom \
                 HubSpot( Salesforce( Slack Env( Store( Email UserId PersonId \
                 Every( Cron( Nps Csat Position Field Head Prefix( Gap Named( All Confirm Chat";
    let missing: Vec<&str> = parts.split_whitespace().filter(|part| !text.contains(part)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn bytes_of_something_else_are_refused_with_their_reason() {
    let (bytes, version) = &*WRITTEN;
    let read = |bytes: &[u8]| decode(bytes, version).map(drop).unwrap_err();
    assert_eq!(read(b""), ArtefactError::Foreign);
    assert_eq!(read(&bytes[..11]), ArtefactError::Foreign);
    assert_eq!(read(b"{\"files\":{}}..."), ArtefactError::Foreign);
    let mut other = bytes.clone();
    other[4] = 77;
    assert_eq!(read(&other), ArtefactError::OtherFormat { found: 77 });
    for at in [12, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(read(&damaged), ArtefactError::Damaged);
    }
    assert_eq!(read(&bytes[..bytes.len() - 1]), ArtefactError::Damaged);
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(read(&sealed(longer)), ArtefactError::Unreadable(_)));
    assert!(matches!(read(&sealed(bytes[..bytes.len() - 1].to_vec())), ArtefactError::Unreadable(_)));
    let another = ConfigVersion::parse("another").unwrap();
    let refused = decode(bytes, &another).map(drop).unwrap_err();
    assert_eq!(refused, ArtefactError::OtherVersion { found: version.clone(), wanted: another });
    assert!(refused.to_string().contains("not another"), "{refused}");
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let version = &WRITTEN.1;
        prop_assert!(decode(&bytes, version).is_err());
        let header = [&WRITTEN.0[..12], &bytes].concat();
        prop_assert!(decode(&sealed(header), version).is_err());
    }

    /// Even behind a fitting checksum. What can be read may be used: a few changes make another text or number.
    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = WRITTEN.0.clone();
        for (at, byte) in changes {
            let at = 12 + at.index(bytes.len() - 12);
            bytes[at] = byte;
        }
        if let Ok(config) = decode(&sealed(bytes), &WRITTEN.1) {
            // A part that is read later may be unreadable: an error at its use.
            for hook in config.sources.iter().filter_map(|source| source.hook.as_ref()) {
                prop_assert!(hook.maps().is_ok() || encode(&config).is_err());
            }
        }
    }
}
