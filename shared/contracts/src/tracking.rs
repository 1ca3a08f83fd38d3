//! The HTTP tracking API, as the SDKs of several vendors speak it: from the bytes of a request to the JSON of
//! [`perennial_domain::Event`].
//!
//! ```text
//! path ── Route ─┐
//! body ── read ──┴─► Body { write key, sentAt, items } ─► Item::accept ─► the event's JSON, or Invalid with its reason
//! ```
//!
//! A body is read once, borrowing from it: the pass that checks the JSON also finds the fields. What the client put into
//! `properties`, `traits` and `context` is copied as it stands, so it must hold now whatever the readers of the queue will
//! demand later; [`json`] says what that is. Only traits that have a normal form and are not in it are written anew.

pub mod call;
pub mod invalid;
pub mod json;
pub mod posthog;
pub mod route;
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

pub use accept::{Accepted, id_of};
pub use body::{Body, Item, MAX_BATCH, Unreadable, read};
pub use call::Call;
pub use invalid::{Code, Invalid};
pub use received::{Nonce, Received};
pub use route::{Dialect, Route};

/// The most bytes of JSON that one event may have: 32 KB, as the tracking API has always allowed.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;
