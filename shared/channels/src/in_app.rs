//! In-app messages: the record that claims the decision holds the message, so writing it is delivering it.

use crate::render::Rendered;
use crate::text;
use serde::{Deserialize, Serialize};

/// The longest title, in bytes.
const MAX_TITLE: usize = 250;
/// The longest body, in bytes: the record is one DynamoDB item and should stay small.
const MAX_BODY: usize = 8 * 1024;

/// What the product shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAppMessage {
    /// One line.
    pub title: String,
    /// Plain text, to be escaped where it is put into a page.
    pub body: String,
    /// Where a click leads: an `https:` or `http:` address or a path of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl InAppMessage {
    /// The message that was rendered; what is too long is cut.
    #[must_use]
    pub fn of(rendered: &Rendered) -> Self {
        let mut body = rendered.text.trim().to_owned();
        text::truncate(&mut body, MAX_BODY);
        Self { title: text::one_line(&rendered.subject, MAX_TITLE), body, link: rendered.link.clone() }
    }
}
