#![doc = include_str!("../README.md")]

mod about;
pub mod account;
pub mod address;
mod breaker;
pub mod brief;
mod connection;
pub mod crm;
pub mod digest;
pub mod endpoint;
mod filters;
#[cfg(test)]
mod fixture;
pub mod guard;
pub mod in_app;
pub mod invitation;
pub mod lint;
pub mod mail;
mod message;
mod mjml;
pub mod outcome;
pub mod page;
mod pause;
#[cfg(test)]
mod receiver;
pub mod render;
pub mod secrets;
mod slack;
mod tags;
mod text;
mod transport;
mod truth;
pub mod unsubscribe;
mod values;
pub mod webhook;

pub use outcome::Outcome;
pub use text::escape;
