//! The configuration in the table: pushed as versions, one of them active. Processes check for a new one every minute,
//! and at once after a notification ([`Store::config_changed`]).
//!
//! | item | attributes |
//! |---|---|
//! | `CURRENT` | `v` the active version, `prev` the one before, `at` since when, `back` if a rollback activated it, `local` the embedded stack's changes to it ([`Overrides`] as JSON), `ver` |
//! | `RESCORED` | `v` the version that all history was last counted under, `at` when |
//! | `V#<version>` | `files`: the bundle as deflated JSON, `at` when it was first pushed |
//! | `B#<version>#<format>#<part>` | `bytes`: a part of the compiled configuration ([`perennial_config::artefact`]), deflated; `parts` their number, `at` when it was written |
//!
//! Functions load the compiled form. Where there is none of their format, because another version of the code pushed,
//! they compile the files, and count that ([`ConfigHandle::take_compiled`]).

mod artefact;
mod handle;
mod packed;

pub use handle::{ConfigHandle, REFRESH};

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, at, b, logged, n, needed, readable, s};
use crate::keys;
use crate::store::{Condition, Store, is_true};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_config::overrides::Overrides;
use perennial_config::{Bundle, Config, ConfigErrors};
use perennial_domain::ConfigVersion;
use std::sync::atomic::Ordering;

/// Why no config could be loaded, pushed or rolled back.
#[derive(Debug, thiserror::Error)]
pub enum ConfigStoreError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was pushed yet.
    #[error("no configuration is active: push one first")]
    Nothing,
    /// The version is not there.
    #[error("there is no config version {0}")]
    Unknown(ConfigVersion),
    /// There is no version before the active one.
    #[error("there is no earlier config to go back to")]
    NothingEarlier,
    /// It does not compile.
    #[error("the config has errors:\n{0}")]
    Invalid(#[from] ConfigErrors),
    /// It is too large for an item.
    #[error("the config has {bytes} bytes {what}; at most {most} are allowed")]
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        most: usize,
        /// Specifies whether the size is before or after compression.
        what: &'static str,
    },
}

/// The active configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its version.
    pub version: ConfigVersion,
    /// The version before.
    pub previous: Option<ConfigVersion>,
    /// Since when.
    pub since: Timestamp,
    /// `true` if a rollback activated it.
    pub rolled_back: bool,
    /// The embedded stack's changes to it; a deployment has none.
    pub overrides: Option<Overrides>,
    writes: u64,
}

/// A version that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// Which.
    pub version: ConfigVersion,
    /// When it was first pushed.
    pub pushed_at: Timestamp,
}

fn stored_version(item: &Item) -> Result<StoredVersion, StoreError> {
    let version = needed(keys::SK, item.text(keys::SK)?)?.strip_prefix(keys::VERSION).map(ConfigVersion::parse);
    let version = version.and_then(Result::ok).ok_or_else(|| StoreError::corrupt("no config version's key"))?;
    Ok(StoredVersion { version, pushed_at: needed("at", item.moment("at")?)? })
}

impl Store {
    /// Checks a bundle, stores it and activates it, with the earlier versions of journeys that may have runs in
    /// progress ([`Bundle::following`]). Pushing the active configuration changes nothing. Returns the active version,
    /// which is that of the bundle if no journey was kept.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if it does not compile, is too large, or the table fails.
    pub async fn push_config(&self, bundle: &Bundle, now: Timestamp) -> Result<ConfigVersion, ConfigStoreError> {
        let before = match self.current_config().await? {
            Some(current) => self.bundle(&current.version).await?,
            None => Bundle::default(),
        };
        let bundle = bundle.clone().following(&before);
        let config = Config::load(&bundle)?;
        let version = config.version.clone();
        let deflated = packed::pack(&bundle)?;
        let mut item = keys::key(keys::CONFIG, keys::config_version(version.as_str()));
        item.insert("files".to_owned(), b(deflated));
        item.insert("at".to_owned(), at(now));
        crate::error::unless_conflict(self.put("push_config", item, Some(Condition::absent())).await)?;
        self.put_compiled(&config, now).await?;
        self.put_in_force(version.clone(), false, now).await?;
        Ok(version)
    }

    /// Activates `version`, or the previous one, again. Returns its version.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if there is no such version, or the table fails.
    pub async fn rollback_config(
        &self,
        version: Option<ConfigVersion>,
        now: Timestamp,
    ) -> Result<ConfigVersion, ConfigStoreError> {
        let version = match version {
            Some(version) => version,
            None => {
                let current = self.current_config().await?.ok_or(ConfigStoreError::Nothing)?;
                current.previous.ok_or(ConfigStoreError::NothingEarlier)?
            }
        };
        let bundle = self.bundle(&version).await?;
        // What an earlier version of the code pushed has no compiled form that this one reads. One that does not compile any more is
        // activated as asked, and refused by its readers.
        if self.read_compiled(&version).await?.is_none()
            && let Ok(config) = Config::load(&bundle)
        {
            self.put_compiled(&config, now).await?;
        }
        self.put_in_force(version.clone(), true, now).await?;
        Ok(version)
    }

    /// All versions that were pushed, the newest first, without those whose item cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn config_versions(&self) -> Result<Vec<StoredVersion>, StoreError> {
        let (mut versions, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .query(keys::CONFIG.to_owned(), keys::VERSION)
                // Not the files: 25 versions would fill a page.
                .projection_expression("#sk, #at")
                .expression_attribute_names("#at", "at")
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(|error| sort("config_versions", error))?;
            versions.extend(logged("config versions", readable(page.items(), |item| stored_version(item).map(Some))));
            from = page.last_evaluated_key;
            if from.is_none() {
                versions.sort_by(|a, b| b.pushed_at.cmp(&a.pushed_at).then_with(|| a.version.cmp(&b.version)));
                return Ok(versions);
            }
        }
    }

    /// The version that all history was last counted under; `None` where that never was done.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn rescored_config(&self) -> Result<Option<ConfigVersion>, StoreError> {
        let item = self.get("rescored_config", keys::key(keys::CONFIG, keys::RESCORED), true).await?;
        item.map(|item| needed("v", item.parsed("v")?)).transpose()
    }

    /// Records that all history was counted under `version`.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn note_rescored(&self, version: &ConfigVersion, now: Timestamp) -> Result<(), StoreError> {
        let mut item: Item = keys::key(keys::CONFIG, keys::RESCORED);
        item.insert("v".to_owned(), s(version.as_str()));
        item.insert("at".to_owned(), at(now));
        self.put("note_rescored", item, None).await
    }

    /// Returns the active configuration's version; `None` before the first push.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn current_config(&self) -> Result<Option<Current>, StoreError> {
        let item = self.get("current_config", keys::key(keys::CONFIG, keys::CURRENT), true).await?;
        item.map(|item| {
            Ok(Current {
                version: needed("v", item.parsed("v")?)?,
                previous: item.parsed("prev")?,
                since: needed("at", item.moment("at")?)?,
                rolled_back: is_true(item.get("back")),
                overrides: item
                    .text("local")?
                    .map(serde_json::from_str)
                    .transpose()
                    .map_err(|_| StoreError::corrupt("no overrides"))?,
                writes: needed("ver", item.number("ver")?)?,
            })
        })
        .transpose()
    }

    /// The files of a version.
    ///
    /// # Errors
    /// [`ConfigStoreError::Unknown`] where it is not there; otherwise the table.
    pub async fn bundle(&self, version: &ConfigVersion) -> Result<Bundle, ConfigStoreError> {
        let key = keys::key(keys::CONFIG, keys::config_version(version.as_str()));
        let item = self.get("bundle", key, true).await?.ok_or_else(|| ConfigStoreError::Unknown(version.clone()))?;
        Ok(packed::unpack(needed("files", item.bytes("files")?)?)?)
    }

    /// Returns the active configuration, compiled.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if there is none, it does not compile, or the table fails.
    pub async fn load_config(&self) -> Result<Config, ConfigStoreError> {
        let current = self.current_config().await?.ok_or(ConfigStoreError::Nothing)?;
        self.compiled(&current).await
    }

    /// Returns a version that was pushed, compiled, without [`Config::active_since`]: its compiled form if there is one
    /// in this build's format, else its files compiled, which is counted ([`Self::take_compiled_configs`]).
    ///
    /// # Errors
    /// [`ConfigStoreError`] if there is no such version, it does not compile any more, or the table fails.
    pub async fn config(&self, version: &ConfigVersion) -> Result<Config, ConfigStoreError> {
        if let Some(config) = self.read_compiled(version).await? {
            return Ok(config);
        }
        let config = Config::load(&self.bundle(version).await?)?;
        self.compiled_configs.fetch_add(1, Ordering::Relaxed);
        Ok(config)
    }

    /// The config of `current`, compiled, with its overrides.
    async fn compiled(&self, current: &Current) -> Result<Config, ConfigStoreError> {
        let mut config = self.config(&current.version).await?;
        config.active_since = Some(current.since);
        if let Some(overrides) = &current.overrides {
            overrides.apply(&mut config);
        }
        Ok(config)
    }

    /// Stores the embedded stack's changes to the active configuration, whichever that is.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if there is none yet, or the table fails.
    pub async fn override_config(&self, overrides: &Overrides) -> Result<(), ConfigStoreError> {
        let current = self.current_config().await?.ok_or(ConfigStoreError::Nothing)?;
        Ok(self.put_current(&Current { overrides: Some(overrides.clone()), ..current }).await?)
    }

    async fn put_current(&self, current: &Current) -> Result<(), StoreError> {
        let mut item: Item = keys::key(keys::CONFIG, keys::CURRENT);
        item.insert("v".to_owned(), s(current.version.as_str()));
        if let Some(previous) = &current.previous {
            item.insert("prev".to_owned(), s(previous.as_str()));
        }
        item.insert("at".to_owned(), at(current.since));
        if current.rolled_back {
            item.insert("back".to_owned(), AttributeValue::Bool(true));
        }
        if let Some(overrides) = &current.overrides {
            let json = serde_json::to_string(overrides).map_err(|error| StoreError::Unstorable(error.to_string()))?;
            item.insert("local".to_owned(), s(json));
        }
        item.insert("ver".to_owned(), n(current.writes + 1));
        self.put("put_current", item, Some(Condition::version(current.writes))).await?;
        self.config_changed();
        Ok(())
    }

    /// Notifies every [`ConfigHandle`] of this store and its clones that another configuration may be active: the next
    /// caller checks. A push or rollback through this store does so itself; call it if another process pushed. Costs
    /// nothing until then.
    pub fn config_changed(&self) {
        self.config_changes.fetch_add(1, Ordering::Release);
    }

    /// Returns how many configurations were compiled through this store and its clones because their compiled form was
    /// missing, since the last call.
    pub fn take_compiled_configs(&self) -> u64 {
        self.compiled_configs.swap(0, Ordering::Relaxed)
    }

    async fn put_in_force(&self, version: ConfigVersion, is_rollback: bool, now: Timestamp) -> Result<(), StoreError> {
        let current = self.current_config().await?;
        if current.as_ref().is_some_and(|current| current.version == version) {
            return Ok(());
        }
        let (previous, overrides, writes) = match current {
            Some(current) => (Some(current.version), current.overrides, current.writes),
            None => (None, None, 0),
        };
        self.put_current(&Current { version, previous, since: now, rolled_back: is_rollback, overrides, writes }).await
    }
}
