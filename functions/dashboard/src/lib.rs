#![doc = include_str!("../README.md")]

pub mod access;
pub mod config;
pub mod deps;
pub mod handler;

mod act;
mod answer;
mod asset;
mod audit;
mod cookie;
mod form;
mod keys;
mod oidc;
mod pages;
mod read;
mod role;
mod session;
mod shell;
mod sign_in;
#[cfg(test)]
mod test_support;
mod ui;
mod url;
mod visitor;
mod words;

pub use access::Access;
pub use config::{Settings, SettingsError};
pub use deps::Deps;
pub use keys::InvalidKeys;
pub use role::Role;
pub use sign_in::{SignIn, SignInError, SignInSettings};

/// The first segments of the paths that the dashboard answers; the empty one is the overview.
pub const PATHS: [&str; 13] = [
    "",
    "people",
    "accounts",
    "journeys",
    "segments",
    "experiments",
    "reports",
    "operations",
    "audit",
    "sign-in",
    "sign-out",
    "signed-out",
    "assets",
];
