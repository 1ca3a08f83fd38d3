//! The integration tests of this crate: one binary, so that the crate is linked once.

mod artefact;
mod cel;
mod default_config;
mod every_error;
mod journeys;
mod ranks;
mod support;
mod surface;
mod warnings;
