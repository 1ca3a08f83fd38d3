//! The local runner: the whole system in one process on loopback, over embedded AWS services.

pub mod aws;
