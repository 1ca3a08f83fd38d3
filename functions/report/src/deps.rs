//! The function's dependencies.

use jiff::{SignedDuration, Timestamp};
use perennial_lambda_kit::Clock;
use perennial_store::{Archive, Store};

/// The time after the start of a run at which it starts no more work: half of the function's timeout of ten minutes.
const UNTIL: SignedDuration = SignedDuration::from_mins(5);

/// The function's dependencies.
#[derive(Debug, Clone)]
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) archive: Archive,
    pub(crate) clock: Clock,
    pub(crate) until: SignedDuration,
}

impl Deps {
    /// Creates the dependencies.
    pub fn new(store: Store, archive: Archive, clock: Clock) -> Self {
        Self { store, archive, clock, until: UNTIL }
    }

    /// Sets the time after which a run starts no more work.
    #[must_use]
    pub fn with_until(self, until: SignedDuration) -> Self {
        Self { until, ..self }
    }

    /// Returns whether the run that began at `began` should start no more work.
    pub(crate) fn is_over(&self, began: Timestamp) -> bool {
        self.clock.now().duration_since(began) >= self.until
    }
}
