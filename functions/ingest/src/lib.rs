#![doc = include_str!("../README.md")]

pub mod config;
pub mod deps;
pub mod handler;
pub mod throttle;

mod answer;
mod auth;
mod body;
mod collect;
mod cors;
mod endpoint;
mod form;
mod hooks;
mod limits;
mod receipt;
mod sender;
mod settings;
mod unreadable;

pub use config::Settings;
pub use deps::{Deps, Secrets};
