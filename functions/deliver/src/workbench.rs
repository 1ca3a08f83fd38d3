//! Compiled parts of a configuration.

use crate::error::DeliverError;
use perennial_channels::address::InvalidAddress;
use perennial_channels::mail::Letterhead;
use perennial_channels::render::{Context, RenderError, Rendered, Renderer};
use perennial_config::Config;
use perennial_config::channels::Template;
use perennial_domain::ConfigVersion;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Templates and sender of one config version.
#[derive(Debug)]
pub(crate) struct Workbench {
    pub(crate) version: ConfigVersion,
    templates: BTreeMap<String, Written>,
    letterhead: Result<Letterhead, InvalidAddress>,
}

/// A template, compiled for its first message: a function sends few of them before it ends, and MJML takes long.
#[derive(Debug)]
struct Written {
    template: Template,
    compiled: OnceLock<Renderer>,
}

impl Workbench {
    /// Prepares the templates and the sender of `config`. An invalid sender fails the mails.
    pub(crate) fn new(config: &Config) -> Self {
        let written = |template: &Template| Written { template: template.clone(), compiled: OnceLock::new() };
        Self {
            version: config.version.clone(),
            templates: config.templates.iter().map(|(name, template)| (name.clone(), written(template))).collect(),
            letterhead: Letterhead::new(&config.channels.mail),
        }
    }

    /// Returns the sender of mails.
    pub(crate) fn letterhead(&self) -> Result<&Letterhead, DeliverError> {
        self.letterhead.as_ref().map_err(|error| DeliverError::Letterhead(*error))
    }

    /// Returns whether a template needs the account, see [`Renderer::asks_for_account`]. An unknown one does not.
    pub(crate) fn asks_for_account(&self, template: &str) -> bool {
        self.renderer(template).is_some_and(|renderer| renderer.asks_for_account(template))
    }

    /// Renders a template.
    ///
    /// # Errors
    /// [`RenderError`] if the template is missing, does not compile, fails or produces too much text.
    pub(crate) fn render(&self, template: &str, context: &Context) -> Result<Rendered, RenderError> {
        let renderer = self.renderer(template).ok_or_else(|| RenderError::NoTemplate(template.to_owned()))?;
        renderer.render(template, context)
    }

    /// Returns the compiled template. Its errors are logged here, once, and fail the messages that need it.
    fn renderer(&self, name: &str) -> Option<&Renderer> {
        let written = self.templates.get(name)?;
        Some(written.compiled.get_or_init(|| {
            let renderer = Renderer::new(&BTreeMap::from([(name.to_owned(), written.template.clone())]));
            for problem in renderer.problems() {
                tracing::error!(%problem, config = %self.version, "a template does not compile");
            }
            renderer
        }))
    }
}
