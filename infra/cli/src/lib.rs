//! The command `perennial`: runs the whole system on one machine, and operates it there and in AWS.

mod commands;
mod doctor;
mod operate;

pub use commands::main;
