//! Helpers of the config tests.
#![allow(clippy::expect_used)]

use perennial_config::{Bundle, Config};
use perennial_testkit::ConfigBuilder;
use std::path::{Path, PathBuf};

/// `infra/config`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/config")
}

/// The files of `infra/config`.
pub(crate) fn default_bundle() -> Bundle {
    ConfigBuilder::shipped().bundle()
}

/// Returns the errors in the bundle, one a line.
pub(crate) fn errors_of(bundle: &Bundle) -> String {
    Config::load(bundle).expect_err("it must be refused").to_string()
}
