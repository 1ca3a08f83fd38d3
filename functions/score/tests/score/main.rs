//! The real handler over a DynamoDB behind its real HTTP API; the queues are in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "test support fails its test"
)]

mod accounts;
mod addresses;
mod bounds;
mod counting;
mod crashes;
mod crm;
mod entering;
mod erased;
mod external;
mod lists;
mod memberships;
mod merging;
mod orders;
mod parting;
mod support;
