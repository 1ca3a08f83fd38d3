//! Delays that differ from message to message, so that messages rejected together are not retried together.

use jiff::{SignedDuration, Timestamp};
use perennial_domain::DecisionId;
use perennial_domain::hash::hash32;

/// The first delay after a refusal.
const FIRST: SignedDuration = SignedDuration::from_secs(4);
/// The longest: as SQS delays a message.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// Returns a part of `most`, from 0 to all of it, derived from the message and the time.
pub(crate) fn up_to(most: SignedDuration, id: &DecisionId, now: Timestamp) -> SignedDuration {
    let share = f64::from(hash32(&format!("{id}/{}", now.as_millisecond()))) / f64::from(u32::MAX);
    most.mul_f64(share)
}

/// The delay after `tries` refusals: doubled by each, 15 minutes at most, of which half is by chance.
pub(crate) fn backoff(tries: u32, id: &DecisionId, now: Timestamp) -> SignedDuration {
    let whole = (FIRST * 2_i32.pow(tries.min(10))).min(LONGEST);
    whole / 2 + up_to(whole / 2, id, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> DecisionId {
        DecisionId::derive(&[&number.to_be_bytes()])
    }

    #[test]
    fn delays_grow_up_to_a_quarter_of_an_hour_and_are_never_short() {
        for (tries, least, most) in [(0, 2, 4), (1, 4, 8), (3, 16, 32), (8, 450, 900), (1000, 450, 900)] {
            let delays: Vec<_> = (0..500).map(|n| backoff(tries, &id(n), Timestamp::UNIX_EPOCH)).collect();
            let [least, most] = [least, most].map(SignedDuration::from_secs);
            assert!(delays.iter().all(|delay| (least..=most).contains(delay)), "after {tries} tries");
            // Spread over the whole range.
            let third = (most - least) / 3;
            assert!(delays.iter().any(|delay| *delay < least + third), "after {tries} tries");
            assert!(delays.iter().any(|delay| *delay > most - third), "after {tries} tries");
        }
    }

    #[test]
    fn the_same_message_waits_differently_each_time() {
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(900);
        assert_ne!(backoff(9, &id(1), Timestamp::UNIX_EPOCH), backoff(9, &id(1), later));
    }
}
