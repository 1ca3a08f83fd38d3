//! Slack's incoming webhooks, and those of compatible chats.
//!
//! Source: Slack's documentation, "Sending messages using incoming webhooks" and "Block Kit"
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/block-kit/blocks>). An incoming webhook cannot distinguish a repetition from a
//! second message, so a message with an unknown outcome is not posted again.

use crate::outcome::Outcome;
use crate::pause;
use crate::render::Rendered;
use crate::text;
use crate::transport::Answer;
use http::StatusCode;
use jiff::Timestamp;
use perennial_domain::Decision;
use serde_json::json;

/// The most bytes of a response that are read: it is one word.
pub(crate) const MAX_ANSWER: usize = 4 * 1024;
/// The most characters of a header block.
const MAX_HEADER: usize = 150;
/// The most characters of a section's text.
const MAX_SECTION: usize = 3000;
/// The longest error name that is passed on.
const MAX_WORD: usize = 60;

/// The body: the title as a header, the text below it, and the link where it leads to a page. `text` is what notifications show.
pub(crate) fn payload(decision: &Decision, rendered: &Rendered) -> String {
    let (title, body) = (rendered.subject.trim(), rendered.text.trim());
    let mut blocks = Vec::new();
    if !title.is_empty() {
        let title = cut(title, MAX_HEADER);
        blocks.push(json!({ "type": "header", "text": { "type": "plain_text", "text": title, "emoji": false } }));
    }
    if !body.is_empty() {
        blocks.push(section(&cut(body, MAX_SECTION)));
    }
    // A path of the product leads nowhere in a chat.
    if let Some(link) = rendered.link.as_deref().filter(|link| !link.starts_with('/') && !link.contains(['|', '>'])) {
        blocks.push(section(&format!("<{}>", escape(link))));
    }
    let journey = cut(&format!("Perennial, journey {}", decision.journey), MAX_HEADER);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": journey, "emoji": false }] }));
    let text = [title, body].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    json!({ "text": cut(&text, MAX_SECTION), "blocks": blocks }).to_string()
}

fn section(mrkdwn: &str) -> serde_json::Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": mrkdwn, "verbatim": true } })
}

/// The three characters by which links, mentions and `@channel` are written, so that no value can call a channel together.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `text`, escaped, of at most `max` characters: between two characters of the unescaped text.
fn cut(text: &str, max: usize) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for c in text.chars() {
        let escaped = escape(c.encode_utf8(&mut [0; 4]));
        length += escaped.chars().count();
        if length > max {
            break;
        }
        out.push_str(&escaped);
    }
    out
}

/// Returns whether a failure is the chat's own, and not that of a server in front of it.
fn is_own_failure(status: StatusCode) -> bool {
    matches!(status, StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE)
}

/// Returns the outcome of a response. 400 is about this message; 403, 404 and 410 are about the webhook, which can be
/// recreated and put into the secret.
///
/// Slack documents 200 as the only success and every other status as a failure, and webhooks of Discord and Teams fail
/// alike. So 500 and 503 mean that the chat did not post the message, which then waits as after 429. Any other 5xx
/// (502, 504, a CDN's 520 to 530) comes from a server in front of the chat, which does not know whether the message was
/// posted: it is not posted again.
pub(crate) fn outcome(answer: &Answer, now: Timestamp) -> Outcome {
    let word = text::one_line(&String::from_utf8_lossy(&answer.body), MAX_WORD);
    let reason = format!("the chat answered {}: {word}", answer.status.as_u16());
    match answer.status {
        status if status.is_success() => Outcome::Sent { provider_id: None },
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Outcome::Rejected { reason },
        status if status.is_server_error() && !is_own_failure(status) => Outcome::Unknown { reason },
        _ => Outcome::Retry { reason, after: pause::retry_after(&answer.headers, now) },
    }
}
