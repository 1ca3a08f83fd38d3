//! The store against a DynamoDB behind its real HTTP API, through the real client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "test support fails its test"
)]

mod accounts;
mod archive;
mod artefact;
mod audit;
mod bounds;
mod bucket;
mod config;
mod count;
mod figures;
mod lists;
mod mails;
mod messages;
mod pace;
mod pauses;
mod people;
mod preferences;
mod reports;
mod support;
