//! The active configuration of a process that lives on while others push.

use super::{ConfigStoreError, Store};
use perennial_config::Config;
use perennial_domain::ConfigVersion;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a function uses a configuration before it checks for another, without a notification.
pub const REFRESH: Duration = Duration::from_secs(60);

/// The active configuration, for a process that lives on while others push. Cheap to clone; clones share what they have
/// loaded.
#[derive(Debug, Clone)]
pub struct ConfigHandle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Option<Store>,
    refresh: Duration,
    held: Mutex<Held>,
    /// Locked while the table is read: after a push one caller loads and the others wait for the result, and nobody
    /// restores an older one.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Held {
    config: Arc<Config>,
    checked: Instant,
    /// The store's number of known changes when this was loaded.
    changes: u64,
    /// A version that was seen and does not compile: it is reported once.
    refused: Option<ConfigVersion>,
}

impl ConfigHandle {
    /// Loads the active configuration, and checks again whenever it is older than [`REFRESH`], or after a notification.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if there is none yet or it does not compile.
    pub async fn load(store: Store) -> Result<Self, ConfigStoreError> {
        let changes = store.config_changes();
        let config = store.load_config().await?;
        Ok(Self::new(Some(store), REFRESH, config, changes))
    }

    /// The same, looking again after `refresh`.
    #[must_use]
    pub fn with_refresh(self, refresh: Duration) -> Self {
        let (config, changes) = {
            let held = self.held();
            ((*held.config).clone(), held.changes)
        };
        Self::new(self.0.store.clone(), refresh, config, changes)
    }

    /// A config that never changes: for tests, replay and simulation.
    pub fn fixed(config: Config) -> Self {
        Self::new(None, REFRESH, config, 0)
    }

    fn new(store: Option<Store>, refresh: Duration, config: Config, changes: u64) -> Self {
        let held = Held { config: Arc::new(config), checked: Instant::now(), changes, refused: None };
        Self(Arc::new(Inner { store, refresh, held: Mutex::new(held), looking: tokio::sync::Mutex::default() }))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the configuration to use for every event: it reads the table once a minute at most, and after a push
    /// that this process was notified of. If the table does not respond, or the pushed configuration does not compile,
    /// the previous one stays in use, which is logged.
    pub async fn current(&self) -> Arc<Config> {
        let Some(store) = &self.0.store else { return Arc::clone(&self.held().config) };
        if self.is_told(store) {
            let _one = self.0.looking.lock().await;
            // A caller that waited finds it loaded.
            return if self.is_told(store) { self.look(store).await } else { Arc::clone(&self.held().config) };
        }
        {
            let mut held = self.held();
            if held.checked.elapsed() < self.0.refresh {
                return Arc::clone(&held.config);
            }
            // Concurrent callers continue with the cached one.
            held.checked = Instant::now();
        }
        let _one = self.0.looking.lock().await;
        self.look(store).await
    }

    /// Returns the configuration that is active now, read from the table: for work that must not use an older one, such
    /// as recounting all history. Costs a read unit, and that of the bundle if it is a new version.
    ///
    /// # Errors
    /// [`ConfigStoreError`] if the table does not respond or the active configuration does not compile.
    pub async fn in_force(&self) -> Result<Arc<Config>, ConfigStoreError> {
        match &self.0.store {
            Some(store) => {
                let _one = self.0.looking.lock().await;
                self.renew(store, None).await
            }
            None => Ok(Arc::clone(&self.held().config)),
        }
    }

    /// Returns how many configurations this process compiled because their compiled form was missing, since the last
    /// call: a metric of the functions. A push by the version of the code that runs stores what is missing.
    pub fn take_compiled(&self) -> u64 {
        self.0.store.as_ref().map_or(0, Store::take_compiled_configs)
    }

    /// Returns whether the store was notified of a change since the configuration was loaded.
    fn is_told(&self, store: &Store) -> bool {
        store.config_changes() != self.held().changes
    }

    /// Returns the active configuration, or, with a log line, the cached one.
    async fn look(&self, store: &Store) -> Arc<Config> {
        let refused = self.held().refused.clone();
        match self.renew(store, refused.as_ref()).await {
            Ok(config) => config,
            Err(error) => {
                tracing::error!(%error, "failed to load the active config; the one before stays");
                Arc::clone(&self.held().config)
            }
        }
    }

    /// Loads the active configuration if it differs from the cached one, and is not `refused`.
    async fn renew(&self, store: &Store, refused: Option<&ConfigVersion>) -> Result<Arc<Config>, ConfigStoreError> {
        // Before the read, so that a push during it causes another check.
        let changes = store.config_changes();
        let current = store.current_config().await?.ok_or(ConfigStoreError::Nothing)?;
        let held = Arc::clone(&self.held().config);
        let is_held = current.version == held.version && held.active_since == Some(current.since);
        let loaded = if is_held || refused == Some(&current.version) {
            Ok(held)
        } else {
            store.compiled(&current).await.map(Arc::new)
        };
        let mut held = self.held();
        match loaded {
            Ok(config) => {
                if config.version == current.version {
                    held.refused = None;
                }
                held.config = Arc::clone(&config);
                held.changes = changes;
                Ok(config)
            }
            Err(error) => {
                if matches!(error, ConfigStoreError::Invalid(_)) {
                    held.refused = Some(current.version);
                    held.changes = changes;
                }
                Err(error)
            }
        }
    }
}
