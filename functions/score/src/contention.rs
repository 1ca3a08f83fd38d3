//! Attempts at a write that collides with concurrent ones.

use perennial_domain::PersonId;
use std::time::Duration;

/// The most attempts after write conflicts.
pub(crate) const TRIES: u32 = 8;
/// The first pause between tries, in milliseconds; doubled each time.
const PAUSE_MS: u64 = 4;

/// Waits a little, longer each time and not the same for everyone who waits.
pub(crate) async fn pause(attempt: u32, person: PersonId) {
    use std::hash::{BuildHasher, RandomState};
    let most = PAUSE_MS << attempt.min(6);
    let jitter = RandomState::new().hash_one(person) % most;
    tokio::time::sleep(Duration::from_millis(most / 2 + jitter)).await;
}
