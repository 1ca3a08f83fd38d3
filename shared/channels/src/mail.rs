//! Mail: the MIME message, and sending it through SES.

use crate::account::{Account, NotRead};
use crate::address::{Address, InvalidAddress, Mailbox};
use crate::outcome::Outcome;
use crate::render::Rendered;
use crate::text;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use perennial_config::channels;
use perennial_domain::Decision;
use std::error::Error;
use std::time::Duration;

/// Tag that carries the decision's id back with every event of the mail.
pub const TAG_DECISION: &str = "decision";
/// The tag with the profile id.
pub const TAG_PERSON: &str = "person";
/// The tag with the journey's name, for SES's own metrics.
pub const TAG_JOURNEY: &str = "journey";
/// Tag that carries the step, from 0.
pub const TAG_STEP: &str = "step";

/// The delay after an exhausted daily quota: the quota is that of the last 24 hours, so some of it becomes free every
/// minute.
const QUOTA_PAUSE: Duration = Duration::from_secs(15 * 60);
/// When to ask again while the account, or the sender's identity, may not send at all.
const ACCOUNT_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The tag of a test mail, which is never counted.
pub const TAG_TEST: &str = "perennial_test";

/// The longest value of a message tag, in bytes.
const MAX_TAG: usize = 256;

/// The sender of mails: the validated form of `[mail]` in `channels.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    configuration_set: String,
}

impl Letterhead {
    /// Checks the config's addresses.
    ///
    /// # Errors
    /// [`InvalidAddress`] where `from` or `reply_to` is no address.
    pub fn new(mail: &channels::Mail) -> Result<Self, InvalidAddress> {
        Ok(Self {
            from: Mailbox::parse(&mail.from)?,
            reply_to: mail.reply_to.as_deref().map(Mailbox::parse).transpose()?,
            configuration_set: mail.configuration_set.clone(),
        })
    }
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    from: String,
    to: String,
    configuration_set: String,
    tags: Vec<(&'static str, String)>,
    message: Vec<u8>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("message_bytes", &self.message.len()).finish_non_exhaustive()
    }
}

impl Mail {
    /// Returns the domain of the recipient's address, in lower case and ASCII.
    pub fn domain(&self) -> &str {
        self.to.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Writes the message: `multipart/alternative` of text and HTML, and of a calendar request if it is an invitation,
    /// with the headers for one-click unsubscribe (RFC 8058). The HTML is generated from the text if the template has
    /// none, and the unsubscribe link is added to each part that lacks it. The same arguments produce the same bytes.
    ///
    /// # Errors
    /// An I/O error, which does not occur when writing into memory.
    pub fn compose(
        letterhead: &Letterhead,
        to: &Address,
        rendered: &Rendered,
        decision: &Decision,
        unsubscribe_url: &str,
        now: Timestamp,
    ) -> std::io::Result<Self> {
        let id = decision.id.to_string();
        let Bodies { plain, html } = Bodies::of(rendered, unsubscribe_url);
        let mut parts = vec![
            MimePart::new("text/plain", BodyPart::Text(plain.into())),
            MimePart::new("text/html", BodyPart::Text(html.into())),
        ];
        let message_id = format!("{id}@{}", letterhead.from.address.host());
        let calendar = rendered
            .invitation
            .as_ref()
            .map(|invitation| invitation.calendar(&message_id, &letterhead.from, to, decision.decided_at));
        parts.extend(calendar.as_deref().map(|calendar| calendar_part("text/calendar", calendar)));
        let mut body = multipart("alternative", &id, parts);
        if let Some(calendar) = calendar.as_deref() {
            // Some programs find the invitation only in the one place, some only in the other.
            let attached = calendar_part("application/ics", calendar).attachment("invite.ics");
            body = multipart("mixed", &id, vec![body, attached]);
        }
        let mut message = MessageBuilder::new().from(header_address(&letterhead.from)).to(to.as_str().to_owned());
        if let Some(reply_to) = &letterhead.reply_to {
            message = message.reply_to(header_address(reply_to));
        }
        let message = message
            .subject(rendered.subject.clone())
            .date(Date::new(now.as_second()))
            .message_id(message_id)
            .header("List-Unsubscribe", HeaderType::Raw(Raw::new(format!("<{unsubscribe_url}>"))))
            .header("List-Unsubscribe-Post", HeaderType::Raw(Raw::new("List-Unsubscribe=One-Click")))
            .header("X-Perennial-Decision", HeaderType::Raw(Raw::new(id.clone())))
            .body(body)
            .write_to_vec()?;
        let tags = vec![
            (TAG_DECISION, id),
            (TAG_PERSON, decision.person.to_string()),
            (TAG_JOURNEY, tag_value(&decision.journey)),
            (TAG_STEP, decision.step.to_string()),
        ];
        Ok(Self {
            from: letterhead.from.address.as_str().to_owned(),
            to: to.as_str().to_owned(),
            configuration_set: letterhead.configuration_set.clone(),
            tags,
            message,
        })
    }

    /// Returns the same mail as a test, which is never counted.
    #[must_use]
    pub fn into_test(mut self) -> Self {
        self.tags.push((TAG_TEST, "1".to_owned()));
        self
    }

    /// The message's bytes.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

/// The content of a mail as plain text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Bodies {
    /// The text part.
    pub plain: String,
    /// The HTML part.
    pub html: String,
}

impl Bodies {
    /// Returns both parts, with the unsubscribe link added where it is missing. The HTML is generated from the text if
    /// the template has none.
    #[must_use]
    pub fn of(rendered: &Rendered, unsubscribe_url: &str) -> Self {
        let html = rendered.html.as_deref().map_or_else(|| text::html_of(&rendered.text), text::document);
        Self {
            plain: with_text_footer(&rendered.text, unsubscribe_url),
            html: with_html_footer(&html, unsubscribe_url),
        }
    }
}

impl std::fmt::Debug for Bodies {
    // A mail contains personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bodies").field("plain_bytes", &self.plain.len()).field("html_bytes", &self.html.len()).finish()
    }
}

/// Combines parts. The decision's id is a hash that no text can contain, so no part can contain the boundary.
fn multipart<'x>(kind: &str, id: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
    let boundary = format!("=_perennial_{kind}_{id}");
    let kind = ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary);
    MimePart::new(kind, BodyPart::Multipart(parts))
}

/// A calendar object as iTIP's request (RFC 6047), in base64, so that its line ends stay.
fn calendar_part(kind: &'static str, calendar: &str) -> MimePart<'static> {
    let kind = ContentType::new(kind).attribute("method", "REQUEST").attribute("charset", "utf-8");
    MimePart::new(kind, BodyPart::Binary(calendar.as_bytes().to_vec().into()))
}

fn header_address(mailbox: &Mailbox) -> mail_builder::headers::address::Address<'static> {
    mail_builder::headers::address::Address::new_address(mailbox.name.clone(), mailbox.address.as_str().to_owned())
}

fn with_text_footer(text: &str, url: &str) -> String {
    let text = text.trim_end();
    if text.contains(url) { format!("{text}\n") } else { format!("{text}\n\n-- \nNo more of these mails: {url}\n") }
}

fn with_html_footer(html: &str, url: &str) -> String {
    let escaped = text::escape(url);
    if html.contains(url) || html.contains(&escaped) || html.contains(&minijinja_escape(url)) {
        return html.to_owned();
    }
    let footer = format!("<p style=\"font-size:80%\"><a href=\"{escaped}\">No more of these mails</a></p>\n");
    match html.rfind("</body>") {
        Some(end) => format!("{}{footer}{}", &html[..end], &html[end..]),
        None => format!("{html}\n{footer}"),
    }
}

/// A URL as the template engine escapes it in HTML: slashes too.
fn minijinja_escape(url: &str) -> String {
    text::escape(url).replace('/', "&#x2f;")
}

/// `text` of the characters that SES allows in a tag; others become `_`.
fn tag_value(text: &str) -> String {
    let value: String = text
        .chars()
        .take(MAX_TAG)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@') { c } else { '_' })
        .collect();
    if value.is_empty() { "_".to_owned() } else { value }
}

/// Sends mails through SES.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    configuration_set: Option<String>,
}

impl Mailer {
    /// A client from the process's configuration, but without the SDK's retries: a second attempt after a lost answer could send a second mail.
    #[must_use]
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        let config = aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Self { client: aws_sdk_sesv2::Client::from_conf(config), configuration_set: None }
    }

    /// Sets the configuration set, in place of the configured one: each stage of an account has its own.
    #[must_use]
    pub fn with_configuration_set(self, set: Option<String>) -> Self {
        Self { configuration_set: set, ..self }
    }

    /// Reads the account and what it may send. Also opens the connection while a function starts.
    ///
    /// # Errors
    /// [`NotRead`] where SES does not answer or the role may not ask; the connection is open in the latter case.
    pub async fn account(&self) -> Result<Account, NotRead> {
        let answer = self
            .client
            .get_account()
            .send()
            .await
            .map_err(|error| NotRead { code: error.code().unwrap_or("NotReached").to_owned() })?;
        Ok(Account::of(&answer))
    }

    /// Offers `mail` to SES, once.
    pub async fn send(&self, mail: Mail) -> Outcome {
        let from = mail.from.clone();
        match self.request(mail).await {
            Ok(output) => Outcome::Sent { provider_id: output.message_id },
            Err(error) => outcome(&error, &from),
        }
    }

    async fn request(
        &self,
        mail: Mail,
    ) -> Result<aws_sdk_sesv2::operation::send_email::SendEmailOutput, SdkError<SendEmailError>> {
        let not_built = |error: BuildError| SdkError::construction_failure(error);
        let raw = RawMessage::builder().data(Blob::new(mail.message)).build().map_err(not_built)?;
        let mut request = self
            .client
            .send_email()
            .from_email_address(mail.from)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .content(EmailContent::builder().raw(raw).build());
        let set = self.configuration_set.clone().unwrap_or(mail.configuration_set);
        if !set.is_empty() {
            request = request.configuration_set_name(set);
        }
        for (name, value) in mail.tags {
            request = request.email_tags(MessageTag::builder().name(name).value(value).build().map_err(not_built)?);
        }
        request.send().await
    }
}

/// Returns the outcome of a failed call. Source of the codes: SES API v2 reference, SendEmail and common errors.
fn outcome(error: &SdkError<SendEmailError>, from: &str) -> Outcome {
    match error {
        SdkError::ConstructionFailure(_) => Outcome::refused("the request could not be built"),
        SdkError::DispatchFailure(failure) => {
            let unreached = failure.as_connector_error().is_some_and(|error| error.is_user() || never_connected(error));
            if unreached {
                Outcome::retry("SES could not be reached")
            } else {
                Outcome::unknown("the connection to SES broke")
            }
        }
        SdkError::TimeoutError(_) => Outcome::unknown("SES did not answer in time"),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let (code, text) = (service.err().code().unwrap_or_default(), service.err().message().unwrap_or_default());
            refusal(status, code, text, from)
        }
        _ => Outcome::unknown("SES's answer could not be read"),
    }
}

/// Returns the outcome of an SES error for a mail from `from`. The text is checked before the code: the same throttle
/// has several codes, but the same text in all versions of the API. Sources: SES developer guide, "Errors related to
/// the sending quotas for your Amazon SES account" and "Amazon SES email sending errors"; SES API v2 reference,
/// `SendEmail`.
fn refusal(status: u16, code: &str, text: &str, from: &str) -> Outcome {
    let text = text.to_ascii_lowercase();
    let says = |words: &str| text.contains(words);
    let quota = || Outcome::Retry { reason: "SES: the daily quota is used up".to_owned(), after: Some(QUOTA_PAUSE) };
    let account = |reason: &str| Outcome::Retry { reason: format!("SES: {reason}"), after: Some(ACCOUNT_PAUSE) };
    if says("daily message quota exceeded") {
        return quota();
    }
    if says("maximum sending rate exceeded") {
        return Outcome::retry("SES: the sending rate is exceeded");
    }
    match code {
        // About all mails of the account or the sender, until somebody changes that: they wait, so that none needs a redrive.
        "SendingPausedException" => account("sending is paused for the account"),
        "AccountSuspendedException" => account("the account is suspended"),
        "MailFromDomainNotVerifiedException" => account("the MAIL FROM domain is not verified"),
        // The text names the identities that are not verified: in the sandbox those of recipients too, whose mail it is about then.
        "MessageRejected" if says("not verified") && says(&from.to_ascii_lowercase()) => {
            account("the sender is not verified")
        }
        // About this very mail: it would be refused again.
        "MessageRejected" | "BadRequestException" => Outcome::rejected(code),
        "LimitExceededException" => quota(),
        code if is_throttle(code) || status == 429 => {
            Outcome::retry(if code.is_empty() { "SES throttles" } else { code })
        }
        // SES may have taken the mail before it failed.
        code if status >= 500 => Outcome::unknown(if code.is_empty() { "SES failed" } else { code }),
        // About the deployment's rights, credentials or configuration set: an operator has to change it.
        code => Outcome::refused(if code.is_empty() { "SES refused" } else { code }),
    }
}

fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" | "SlowDown"
    )
}

/// Returns whether the failure came before the connection was open, so that nothing was sent.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
        {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
