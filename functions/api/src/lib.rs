#![doc = include_str!("../README.md")]

pub mod access;
pub mod config;
pub mod deps;
pub mod handler;

mod answer;
mod confirm;
mod cors;
mod event;
mod inbox;
mod lists;
mod page;
mod play;
#[cfg(test)]
mod read_tests;
mod resume;
mod snippet;
#[cfg(test)]
mod test_support;
mod unmerge;
mod unsubscribe;
mod wish;

pub use access::Access;
pub use config::Settings;
pub use deps::Deps;
pub use page::INVALID_LINK;
