//! The HTTP tracking API in the forms of several vendors' SDKs: from the bytes of a request to the JSON of
//! [`perennial_domain::Event`].
//!
//! ```text
//! path ── Route ─┐
//! body ── read ──┴─► Body { write key, sentAt, items } ─► Item::accept ─► the event's JSON, or Invalid with its reason
//! ```
//!
//! A body is read once and borrowed from: the pass that validates the JSON also finds the fields. The client's
//! `properties`, `traits` and `context` are copied unchanged, so they must already satisfy everything that the queue's
//! readers require, as [`json`] describes. Only traits that are not in their normal form are rewritten.

pub mod call;
pub mod invalid;
pub mod json;
pub mod posthog;
pub mod route;
pub mod surrogates;
pub mod time;

mod accept;
mod body;
mod chunk;
mod context;
mod flaw;
mod hygiene;
mod ids;
mod moment;
mod nesting;
mod received;
mod text;

pub use accept::Accepted;
pub use body::{Body, Item, MAX_BATCH, Unreadable, read};
pub use call::Call;
pub use ids::id_of;
pub use invalid::{Code, Invalid};
pub use received::{Nonce, Received};
pub use route::{Dialect, Route};

/// The most bytes of JSON that one event may have: 32 KB, as the tracking API has always allowed.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;
