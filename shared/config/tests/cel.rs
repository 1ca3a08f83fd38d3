//! The language of conditions: what it means (against the interpreter of crate `cel`), what it refuses and how it says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod hostile;
mod meaning;
mod oracle;
mod tape;
mod world;
