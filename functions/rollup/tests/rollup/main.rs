//! The real handler over a DynamoDB behind its real HTTP API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "test support fails its test"
)]

mod crm;
mod curves;
mod domains;
mod lists;
mod people;
mod resolving;
mod support;
mod waking;
