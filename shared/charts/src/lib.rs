#![doc = include_str!("../README.md")]

pub mod chart;
pub mod document;
pub mod table;

pub use chart::{Bar, Drawing, Series};
