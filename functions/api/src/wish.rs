//! The requests of readers on the pages that links in mails lead to: their forms and events.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::event;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_channels::unsubscribe::Unsubscribe;
use perennial_domain::Properties;
use perennial_store::Stored;
use perennial_views::person;

/// The event of a reader who wants no more mails, or none of a topic.
const STOPPED: &str = "Unsubscribed";
/// The event of a reader who wants mails again, or those of a topic.
const WANTED: &str = "Subscribed";
/// The longest form that is read, in bytes: some hundred topics.
const MAX_FORM_BYTES: usize = 16 * 1024;

/// A change of a preference, made now or before.
pub(crate) struct Change {
    /// The topic; `None` for all mails.
    pub(crate) topic: Option<String>,
    pub(crate) wants: bool,
    pub(crate) since: Timestamp,
}

/// Returns the fields of the body; none if it is not a form or exceeds [`MAX_FORM_BYTES`].
pub(crate) fn form(body: &Body) -> Vec<(String, String)> {
    let bytes: &[u8] = body;
    if bytes.len() > MAX_FORM_BYTES {
        return Vec::new();
    }
    let decode = |text: &[u8]| percent_encoding::percent_decode(text).decode_utf8_lossy().into_owned();
    let field = |pair: &[u8]| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((decode(&pair[..equals]), decode(&pair[equals + 1..])))
    };
    bytes.split(|byte| *byte == b'&').filter_map(field).collect()
}

/// Publishes a reader's changes as events of the profile that the mail was for.
pub(crate) async fn tell(
    deps: &Deps,
    link: &Unsubscribe,
    stored: Option<&Stored>,
    changes: &[Change],
) -> Result<(), Failure> {
    let identity = stored.and_then(|stored| person::identity(&stored.profile, link.person));
    let Some(identity) = identity else { return Ok(()) };
    for Change { topic, wants, since } in changes {
        let mut properties: Properties = [("channel".to_owned(), "mail".into())].into_iter().collect();
        if let Some(topic) = topic {
            properties.insert("topic".to_owned(), topic.as_str().into());
        }
        let since = since.as_millisecond().to_be_bytes();
        let key: [&[u8]; 4] =
            [link.person.as_bytes(), &link.address, topic.as_deref().unwrap_or_default().as_bytes(), &since];
        event::send(deps, identity, if *wants { WANTED } else { STOPPED }, &key, properties).await?;
    }
    Ok(())
}
