//! Rejects and suppressed addresses in memory.
#![allow(clippy::unwrap_used)]

use crate::deps::Suppressions;
use futures::future::{BoxFuture, FutureExt};
use perennial_imports::suppression::Suppression;
use perennial_store::StoreError;
use perennial_store::rejects::{Reject, Rejects};
use std::sync::Mutex;

/// The rejects, and the addresses, that were stored.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<Reject>>, pub(crate) Mutex<Vec<Suppression>>);

impl Rejects for Kept {
    fn put_all(&self, rejects: Vec<Reject>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.lock().unwrap().extend(rejects);
        async { Ok(()) }.boxed()
    }
}

impl Suppressions for Kept {
    fn add<'a>(&'a self, suppression: &'a Suppression) -> BoxFuture<'a, Result<(), StoreError>> {
        self.1.lock().unwrap().push(suppression.clone());
        async { Ok(()) }.boxed()
    }
}
