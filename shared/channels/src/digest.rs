//! The weekly digest of a colleague as a mail, through the same template engine and mail layout as the mails to customers.

use crate::render::{RenderError, Rendered, Renderer};
use crate::values;
use perennial_config::channels::Template;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The name of its template, in errors.
const NAME: &str = "digest";
const TEXT: &str = include_str!("digest/digest.txt");
const MJML: &str = include_str!("digest/digest.mjml");

/// Compiled once.
static RENDERER: LazyLock<Renderer> = LazyLock::new(|| {
    let template = Template {
        subject: "{{ week.title }}: {{ preview }}".to_owned(),
        text: TEXT.to_owned(),
        html: None,
        mjml: Some(MJML.to_owned()),
        link: None,
        kind: Default::default(),
        topic: None,
        due_days: None,
        invitation: None,
    };
    Renderer::new(&BTreeMap::from([(NAME.to_owned(), template)]))
});

/// Returns the mail of a digest. Its fields are those that `digest/digest.txt` and `digest/digest.mjml` name; values are escaped where
/// they are inserted.
///
/// # Errors
/// [`RenderError`] if the digest is too long, or is no JSON.
pub fn mail(digest: &impl Serialize) -> Result<Rendered, RenderError> {
    let values = serde_json::to_value(digest).map_err(|error| RenderError::Failed {
        template: NAME.to_owned(),
        part: "text",
        kind: error.to_string(),
    })?;
    RENDERER.render_values(NAME, &values::value(&values))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn template_compiles() {
        assert_eq!(RENDERER.problems(), []);
    }
}
