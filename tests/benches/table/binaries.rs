//! The release binaries that are measured, as cargo builds them for deployment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The functions, by package suffix, which is also the binary's name.
pub(crate) const FUNCTIONS: [&str; 9] =
    ["ingest", "score", "sweep", "rollup", "deliver", "report", "api", "dashboard", "import"];

/// The floor.
pub(crate) const HELLO: &str = "hello";

/// The floor, and the floor with the clients of three services.
const FLOORS: [&str; 2] = [HELLO, "clients"];

/// The path of each binary; missing ones are absent.
pub(crate) type Binaries = BTreeMap<String, PathBuf>;

/// Builds hello and the functions in release mode, or only looks for them if `build` is false.
pub(crate) fn binaries(functions: &[String], build: bool) -> Result<Binaries> {
    let mut found = Binaries::new();
    if build {
        for name in FLOORS {
            cargo(&["-p", env!("CARGO_PKG_NAME"), "--bin", name], &mut found)?;
        }
        for name in functions {
            // A crate at a time: features that others want must not leak into a function.
            cargo(&["-p", &format!("perennial-{name}"), "--bin", name], &mut found)?;
        }
    } else {
        let release = target()?.join("release");
        for name in functions.iter().map(String::as_str).chain(FLOORS) {
            let path = release.join(name);
            if path.is_file() {
                found.insert(name.to_owned(), path);
            }
        }
    }
    if !found.contains_key(HELLO) {
        bail!("the hello function is not built; run without --no-build");
    }
    Ok(found)
}

/// Runs `cargo build --release` and records the executables in its output.
fn cargo(what: &[&str], found: &mut Binaries) -> Result<()> {
    eprintln!("building {} for release", what.last().unwrap_or(&""));
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--message-format=json-render-diagnostics"])
        .args(what)
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("cargo build --release {} failed", what.join(" "));
    }
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line).context("cargo speaks no JSON")?;
        if let (Some(path), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str()) {
            found.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(())
}

/// Cargo's target directory.
fn target() -> Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .current_dir(workspace())
        .output()
        .context("cargo cannot be run")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata speaks no JSON")?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().context("cargo metadata names no target directory")?))
}

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Bytes of the zip that would be uploaded: the binary as `bootstrap`, deflated at level 9, with one entry's headers.
pub(crate) fn zip_bytes(binary: &Path) -> Result<u64> {
    /// Local header, central directory entry and end record, with the name twice: APPNOTE 4.3.7, 4.3.12, 4.3.16.
    const HEADERS: u64 = 30 + 46 + 22 + 2 * "bootstrap".len() as u64;
    let bytes = std::fs::read(binary).with_context(|| format!("{} cannot be read", binary.display()))?;
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut deflated, &bytes)?;
    Ok(deflated.finish()?.len() as u64 + HEADERS)
}
