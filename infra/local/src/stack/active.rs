//! The active configuration of a stack: the one in its folder, or, for an empty folder, the one it was started with.

use super::{StackOptions, secrets};
use perennial_config::overrides::{Overrides, secret_name};
use perennial_config::sources::{WriteKeyHash, with_same_key};
use perennial_config::{Bundle, Config};
use perennial_domain::ConfigVersion;
use perennial_store::Store;
use perennial_store::config::ConfigStoreError;
use std::collections::BTreeMap;

/// The origin of the active configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The stack held none: it is the one that it was started with.
    Seeded,
    /// The stack held it.
    Kept {
        /// `true` if it was started with different files, which are not applied.
        differs: bool,
    },
    /// The stack held one that this version of the program cannot read: it is the one that it was started with.
    Replaced,
}

/// The active configuration, and what this machine changes in it.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) version: ConfigVersion,
    pub(super) origin: Origin,
    /// Compiled, with the overrides.
    pub(super) config: Config,
    /// The secrets of stand-ins, by their configured names.
    pub(super) secrets: BTreeMap<String, String>,
}

/// Keeps the stored active configuration, or stores that of the options if there is none, and stores this machine's
/// changes to it. `base` is the URL of the stack.
pub(super) async fn settle(store: &Store, options: &StackOptions, base: &str) -> anyhow::Result<Active> {
    let (version, origin, mut config) = match store.current_config().await? {
        None => pushed(store, options, Origin::Seeded).await?,
        Some(current) => {
            let bundle = store.bundle(&current.version).await?;
            match Config::load(&bundle) {
                Ok(config) => {
                    let differs = files(&bundle) != files(&options.config);
                    (current.version, Origin::Kept { differs }, config)
                }
                Err(errors) if options.config_replaces_unreadable => {
                    tracing::warn!(version = %current.version, %errors, "the active configuration cannot be read and is replaced");
                    pushed(store, options, Origin::Replaced).await?
                }
                Err(errors) => anyhow::bail!(
                    "this version of perennial cannot read the active configuration {}:\n{errors}\n\
                     --config DIR replaces it by a folder that is right",
                    current.version
                ),
            }
        }
    };
    let names = config.channels.webhook.values().map(secret_name);
    let overrides = Overrides {
        base: base.to_owned(),
        write_key_hash: options.write_key.as_deref().map(|key| WriteKeyHash::of(key).to_hex()),
        public_key_hash: options.public_key.as_deref().map(|key| WriteKeyHash::of(key).to_hex()),
        secrets: names.filter(|name| secrets::is_given(name)).map(str::to_owned).collect(),
    };
    let secrets = overrides.stand_in_secrets(&config);
    overrides.apply(&mut config);
    let mut all = config.sources.iter().enumerate();
    if all.any(|(at, source)| with_same_key(&config.sources[..at], source).is_some()) {
        anyhow::bail!("the key of --write-key or --public-key also belongs to another source: use a different key");
    }
    store.override_config(&overrides).await?;
    Ok(Active { version, origin, config, secrets })
}

async fn pushed(
    store: &Store,
    options: &StackOptions,
    origin: Origin,
) -> Result<(ConfigVersion, Origin, Config), ConfigStoreError> {
    let version = store.push_config(&options.config, options.clock.now()).await?;
    let config = Config::load(&store.bundle(&version).await?)?;
    Ok((version, origin, config))
}

/// Returns the files as written by the operator, without the earlier versions of journeys that a push keeps.
fn files(bundle: &Bundle) -> Vec<(&String, &String)> {
    bundle.files.iter().filter(|(name, _)| !name.starts_with("retired/")).collect()
}
