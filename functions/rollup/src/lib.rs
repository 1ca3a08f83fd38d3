#![doc = include_str!("../README.md")]

mod config;
pub mod handler;
pub mod summary;

pub use config::Settings;
pub use handler::Deps;
