//! The local runner: the whole system in one process on loopback, over embedded AWS services.

pub mod aws;
pub mod bundle;
pub mod cli;
mod doctor;
mod operate;
pub mod sample;
pub mod stack;
pub mod standins;
