#![doc = include_str!("../README.md")]

pub mod mapping;
pub mod pack;
pub mod queue;
pub mod ses;
pub mod tokens;
pub mod tracking;
pub mod webhooks;
