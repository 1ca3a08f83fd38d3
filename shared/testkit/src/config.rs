//! Configs for tests: the least there is, with what a test is about put into it, or the one that the project ships.

use perennial_config::{Bundle, Config};
use std::fs;
use std::path::Path;

/// Files in which nothing scores, no stage changes and nothing is sent. The lifecycle ends in its empty table of
/// milestones, so that appended text extends it.
const LEAST: [(&str, &str); 6] = [
    ("sources.toml", ""),
    ("schedules.toml", ""),
    ("scoring.toml", ""),
    ("journeys.toml", ""),
    (
        "lifecycle.toml",
        "[customer]\nonboarding_days = 30\nadopting_days = 90\nat_risk_after_idle_days = 21\n[milestones]\n",
    ),
    (
        "channels.toml",
        "max_event_age_hours = 48\n[mail]\nfrom = \"a@example.com\"\nconfiguration_set = \"c\"\nwait_for_address_minutes = 0\n",
    ),
];

/// Builds a configuration from files; they are valid from the start.
#[derive(Debug, Clone)]
pub struct ConfigBuilder(Bundle);

impl ConfigBuilder {
    /// The least config there is: customers settle in for 30 days, grow for 90 and are at risk after 21 idle ones; mail has a
    /// sender and waits for no address; everything else is empty.
    #[must_use]
    pub fn least() -> Self {
        Self(Bundle::default()).with(&LEAST)
    }

    /// The default config, read from `infra/config`.
    #[must_use]
    pub fn shipped() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/config");
        let mut bundle = Bundle::default();
        for (folder, prefix) in [(folder.clone(), ""), (folder.join("templates"), "templates/")] {
            for entry in fs::read_dir(folder).expect("the folder of the config") {
                let path = entry.expect("an entry of the folder").path();
                let name = path.file_name().and_then(|name| name.to_str()).expect("a file name");
                if name.ends_with(".toml") {
                    let text = fs::read_to_string(&path).expect("a file of the config");
                    bundle.files.insert(format!("{prefix}{name}"), text);
                }
            }
        }
        Self(bundle)
    }

    /// Appends each text to the file of that name, or replaces the file with it if the text begins with `!`.
    #[must_use]
    pub fn with(mut self, files: &[(&str, &str)]) -> Self {
        for (name, text) in files {
            let file = self.0.files.entry((*name).to_owned()).or_default();
            match text.strip_prefix('!') {
                Some(text) => text.clone_into(file),
                None => file.push_str(text),
            }
        }
        self
    }

    /// The files.
    #[must_use]
    pub fn bundle(self) -> Bundle {
        self.0
    }

    /// The config that the files make.
    #[must_use]
    pub fn load(self) -> Config {
        Config::load(&self.0).unwrap_or_else(|errors| panic!("{errors}"))
    }
}
