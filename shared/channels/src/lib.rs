#![doc = include_str!("../README.md")]

pub mod address;
pub mod guard;
pub mod in_app;
pub mod mail;
pub mod outcome;
pub mod render;
mod text;
mod transport;
pub mod unsubscribe;
pub mod webhook;

pub use outcome::Outcome;
