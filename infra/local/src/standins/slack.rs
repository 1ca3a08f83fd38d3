//! An incoming webhook of Slack. Sources: as in `perennial_channels`, and the reference of Block Kit for the limits.

use super::{Call, Faults, Reply, StandIn};
use serde_json::{Value, json};

/// The most blocks of a message.
const MOST_BLOCKS: usize = 50;
/// Messages kept at most; older ones are let go.
const KEPT: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Slack {
    messages: Vec<Value>,
}

impl StandIn for Slack {
    fn answer(&mut self, call: &Call<'_>, _: &mut Faults) -> Reply {
        let word = |status, word: &str| Reply::new(status, json!(word));
        if call.method != "POST" {
            return word(405, "method_not_allowed");
        }
        let Some(message) = call.json().filter(Value::is_object) else { return word(400, "invalid_payload") };
        if !message["text"].is_string() && !message["blocks"].is_array() {
            return word(400, "no_text");
        }
        let blocks = message["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
        if blocks.len() > MOST_BLOCKS || !blocks.iter().all(is_fine) {
            return word(400, "invalid_blocks");
        }
        if self.messages.len() == KEPT {
            self.messages.remove(0);
        }
        self.messages.push(message);
        word(200, "ok")
    }

    fn kept(&self) -> Value {
        json!({ "messages": self.messages })
    }
}

/// Returns whether a block is within the limits of its kind.
fn is_fine(block: &Value) -> bool {
    match block["type"].as_str() {
        Some("header") => text(&block["text"], &["plain_text"], 150),
        Some("section") => text(&block["text"], &["plain_text", "mrkdwn"], 3000),
        Some("context") => block["elements"].as_array().is_some_and(|elements| {
            let fits = |element: &Value| text(element, &["plain_text", "mrkdwn"], 3000);
            (1..=10).contains(&elements.len()) && elements.iter().all(fits)
        }),
        Some("divider") => true,
        _ => false,
    }
}

fn text(object: &Value, kinds: &[&str], most: usize) -> bool {
    let length = object["text"].as_str().map_or(0, |text| text.chars().count());
    object["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) && (1..=most).contains(&length)
}
