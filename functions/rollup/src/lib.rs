#![doc = include_str!("../README.md")]

pub mod config;
pub mod handler;
pub mod summary;

pub use config::Settings;
pub use handler::Deps;
