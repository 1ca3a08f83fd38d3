//! The integration tests of this crate: one binary, so that the crate is linked once.

mod aws;
mod stack;
mod standins;
mod templates;
