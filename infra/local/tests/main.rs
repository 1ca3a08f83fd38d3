//! The integration tests of this crate: one binary, so that the crate is linked once.

mod stack;
mod standins;
mod templates;
