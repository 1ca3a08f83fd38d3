//! The embedded AWS services, driven by the real SDK clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod dynamodb;
mod faults;
mod ses;
mod sqs;
mod support;
