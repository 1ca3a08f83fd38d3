//! In-app messages: the record that claims the decision contains the message, so writing it delivers it.

use crate::render::Rendered;
use crate::text;
use serde::{Deserialize, Serialize};

/// The longest title, in bytes.
const MAX_TITLE: usize = 250;
/// The longest body, in bytes: the record is one DynamoDB item and should stay small.
const MAX_BODY: usize = 8 * 1024;

/// The message as the product displays it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAppMessage {
    /// One line.
    pub title: String,
    /// Plain text, to be escaped where it is put into a page.
    pub body: String,
    /// The link: an `https:` or `http:` address or a path of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl InAppMessage {
    /// Returns the rendered message, truncated where it is too long.
    #[must_use]
    pub fn of(rendered: &Rendered) -> Self {
        let mut body = rendered.text.trim().to_owned();
        text::truncate(&mut body, MAX_BODY);
        Self { title: text::one_line(&rendered.subject, MAX_TITLE), body, link: rendered.link.clone() }
    }
}
