#![doc = include_str!("../README.md")]

pub mod aws;
pub mod batch;
#[cfg(feature = "testing")]
pub mod calls;
pub mod clock;
pub mod env;
pub mod metrics;
pub mod prime;
pub mod queue;
pub mod recent;
pub mod redact;
pub mod telemetry;
pub mod tokens;
pub mod web;

pub use clock::{Clock, SimulatedTime};
pub use env::{Env, EnvError};
pub use redact::Redacted;
