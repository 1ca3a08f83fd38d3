#![doc = include_str!("../README.md")]

pub mod queue;
pub mod ses;
pub mod tokens;
pub mod tracking;
pub mod webhooks;
