//! Events packed into the queue's messages.

use crate::queue::PACKED_BYTES;
use crate::tracking::Accepted;
use std::collections::HashMap;

/// [`crate::queue::EventsPayload::Events`], around the events' own JSON.
const HEAD: &str = "{\"events.v1\":{\"events\":[";
const TAIL: &str = "]}}";

/// Packs the events at `accepted` of `json` into as few messages of at most [`PACKED_BYTES`] as keep one person's
/// events together, so that `score` reads and writes that profile once. One person's events stay in order, and only a
/// person who fills more than a message is in two.
pub fn pack(json: &str, accepted: &[Accepted]) -> Vec<String> {
    let mut places = HashMap::with_capacity(accepted.len());
    let mut people: Vec<Vec<&str>> = Vec::new();
    for event in accepted {
        let place = *places.entry(&event.identity).or_insert_with(|| {
            people.push(Vec::new());
            people.len() - 1
        });
        people[place].push(&json[event.json.clone()]);
    }
    let mut messages: Vec<String> = Vec::new();
    for events in &people {
        let together: usize = events.iter().map(|event| event.len() + 1).sum();
        let fits_in_one = HEAD.len() + together + TAIL.len() <= PACKED_BYTES;
        for (nth, event) in events.iter().enumerate() {
            let wanted = if nth == 0 && fits_in_one { together } else { event.len() + 1 };
            match messages.last_mut() {
                Some(message) if message.len() + wanted + TAIL.len() <= PACKED_BYTES => {
                    message.push(',');
                    message.push_str(event);
                }
                _ => messages.push(format!("{HEAD}{event}")),
            }
        }
    }
    for message in &mut messages {
        message.push_str(TAIL);
    }
    messages
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{Identity, UserId};
    use proptest::prelude::*;

    fn accepted(sizes: &[(u8, usize)]) -> (String, Vec<Accepted>) {
        let mut json = String::new();
        let events = sizes
            .iter()
            .enumerate()
            .map(|(i, (user, size))| {
                let start = json.len();
                json.push_str(&serde_json::json!({"u": user, "i": i, "x": "x".repeat(*size)}).to_string());
                Accepted {
                    identity: Some(Identity::User(UserId::parse(&user.to_string()).unwrap())),
                    json: start..json.len(),
                    notes: Vec::new(),
                }
            })
            .collect();
        (json, events)
    }

    fn unpack(message: &str) -> Vec<(u64, u64)> {
        let value: serde_json::Value = serde_json::from_str(message).unwrap();
        let events = value["events.v1"]["events"].as_array().unwrap();
        events.iter().map(|event| (event["u"].as_u64().unwrap(), event["i"].as_u64().unwrap())).collect()
    }

    #[test]
    fn people_are_kept_together_if_they_fit() {
        let (json, events) = accepted(&[(1, 20_000), (2, 20_000), (1, 20_000), (2, 20_000)]);
        let messages: Vec<_> = pack(&json, &events).iter().map(|message| unpack(message)).collect();
        assert_eq!(messages, [[(1, 0), (1, 2)], [(2, 1), (2, 3)]]);
    }

    #[test]
    fn small_events_share_one_message() {
        let (json, events) = accepted(&(0..100).map(|user| (user, 100)).collect::<Vec<_>>());
        assert_eq!(pack(&json, &events).len(), 1);
        assert_eq!(pack("", &[]), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_message_is_too_large(sizes in proptest::collection::vec((0_u8..4, 0_usize..32_000), 0..40)) {
            let (json, events) = accepted(&sizes);
            let messages = pack(&json, &events);
            let mut seen: Vec<(u64, u64)> = Vec::new();
            for message in &messages {
                prop_assert!(message.len() <= PACKED_BYTES);
                seen.extend(unpack(message));
            }
            for user in 0..4 {
                let of: Vec<u64> = seen.iter().filter(|(u, _)| *u == user).map(|(_, i)| *i).collect();
                prop_assert!(of.is_sorted(), "one person's events stay in order");
            }
            seen.sort_by_key(|(_, i)| *i);
            prop_assert!(seen.iter().map(|(_, i)| *i).eq(0..sizes.len() as u64));
        }
    }
}
