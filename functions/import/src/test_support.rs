//! Rejects in memory.
#![allow(clippy::unwrap_used)]

use futures::future::{BoxFuture, FutureExt};
use perennial_store::StoreError;
use perennial_store::rejects::{Reject, Rejects};
use std::sync::Mutex;

/// The rejects that were stored.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<Reject>>);

impl Rejects for Kept {
    fn put_all(&self, rejects: Vec<Reject>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.lock().unwrap().extend(rejects);
        async { Ok(()) }.boxed()
    }
}
