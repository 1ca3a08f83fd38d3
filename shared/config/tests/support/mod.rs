//! What the tests of the config have in common.
#![allow(dead_code, reason = "each test takes what it needs")]

use perennial_config::{Bundle, Config};
use std::fs;
use std::path::{Path, PathBuf};

/// `infra/config`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/config")
}

/// The files of `infra/config`.
pub(crate) fn default_bundle() -> Bundle {
    let mut bundle = Bundle::default();
    for (folder, prefix) in [(folder(), ""), (folder().join("templates"), "templates/")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".toml") {
                bundle.files.insert(format!("{prefix}{name}"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    bundle
}

/// What is wrong with the bundle, one line each.
pub(crate) fn errors_of(bundle: &Bundle) -> String {
    Config::load(bundle).expect_err("it must be refused").to_string()
}
