//! Compiled parts of a configuration.

use crate::error::DeliverError;
use perennial_channels::address::InvalidAddress;
use perennial_channels::mail::Letterhead;
use perennial_channels::render::Renderer;
use perennial_config::Config;
use perennial_domain::ConfigVersion;

/// Templates and sender of one config version.
#[derive(Debug)]
pub(crate) struct Workbench {
    pub(crate) version: ConfigVersion,
    pub(crate) renderer: Renderer,
    letterhead: Result<Letterhead, InvalidAddress>,
}

impl Workbench {
    /// Compiles the templates and the sender of `config`. Errors are logged here, once, and fail the messages that need
    /// them.
    pub(crate) fn new(config: &Config) -> Self {
        let renderer = Renderer::new(&config.templates);
        for problem in renderer.problems() {
            tracing::error!(%problem, config = %config.version, "a template does not compile");
        }
        Self { version: config.version.clone(), renderer, letterhead: Letterhead::new(&config.channels.mail) }
    }

    /// Returns the sender of mails.
    pub(crate) fn letterhead(&self) -> Result<&Letterhead, DeliverError> {
        self.letterhead.as_ref().map_err(|error| DeliverError::Letterhead(*error))
    }
}
