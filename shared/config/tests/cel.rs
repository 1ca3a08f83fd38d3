//! The condition language: its meaning (compared with the interpreter of crate `cel`), what it rejects and its error
//! messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod hostile;
mod meaning;
mod oracle;
mod tape;
mod world;
