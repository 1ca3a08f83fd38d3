#![doc = include_str!("../README.md")]

pub mod chunk;
pub mod guess;
pub mod input;
pub mod reject;
pub mod rows;
pub mod snapshot;
pub mod suppression;

mod calls;
mod text;

pub use chunk::{Chunk, Options, Reading};
pub use input::{Input, InputError};
pub use reject::{Code, Reject};
pub use snapshot::Snapshot;
