//! `SendEmail`: reading, checking and capturing a mail, and publishing what becomes of it.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::address;
use super::events::{self, Fate};
use super::mail::{CapturedMail, MailContent, envelope};
use super::{Ses, SesError};

/// The most recipients of one mail, to, cc and bcc together.
const MAX_RECIPIENTS: usize = 50;

/// The largest message of the v2 API, in bytes after base64: 40 MB.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// Headers that SES sets itself, which `Simple.Headers` may not contain.
const RESERVED_HEADERS: [&str; 9] =
    ["from", "to", "cc", "bcc", "subject", "reply-to", "date", "message-id", "mime-version"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: Option<Content>,
    #[serde(default)]
    email_tags: Vec<Named>,
    configuration_set_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    raw: Option<Raw>,
    template: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Option<Data>,
    body: Option<Body>,
    #[serde(default)]
    headers: Vec<Named>,
    #[serde(default)]
    attachments: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Data>,
    html: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    value: String,
}

/// Checks, captures and "sends" a mail.
pub(super) fn send(ses: &Ses, body: &[u8]) -> Result<Value, SesError> {
    let request: SendEmail = super::read(body)?;
    if let Some(set) = &request.configuration_set_name
        && !ses.mails.configuration_sets()?.contains(set)
    {
        return Err(SesError::not_found(format!("Configuration set <{set}> does not exist.")));
    }
    let mail = read_mail(ses, request)?;
    ses.quota.take(mail.recipients.len(), mail.at)?;
    let fated = mail
        .recipients
        .iter()
        .map(|address| Ok((address.clone(), fate(ses, address)?)))
        .collect::<Result<Vec<_>, SesError>>()?;
    let events = ses.options.events_queue.is_some().then(|| events::of_mail(&mail, &fated, || ses.ids.uuid()));
    ses.mails.keep(&mail, events.as_deref())?;
    for (address, fate) in &fated {
        let reason = match fate {
            Fate::Bounced => "BOUNCE",
            Fate::Complained => "COMPLAINT",
            Fate::Delivered | Fate::Suppressed => continue,
        };
        // The simulator's addresses never get onto the list.
        if !address.ends_with("@simulator.amazonses.com") {
            ses.mails.suppress(address, reason, mail.at)?;
        }
    }
    ses.publish(&mail.message_id, events.unwrap_or_default());
    Ok(json!({ "MessageId": mail.message_id }))
}

/// Returns the delivery outcome of a mail to `address`.
fn fate(ses: &Ses, address: &str) -> Result<Fate, SesError> {
    if ses.mails.suppressed(address)?.is_some() {
        return Ok(Fate::Suppressed);
    }
    let listed = |addresses: &[String]| addresses.iter().any(|own| own.eq_ignore_ascii_case(address));
    Ok(match address::without_label(address).to_ascii_lowercase().as_str() {
        "bounce@simulator.amazonses.com" => Fate::Bounced,
        "suppressionlist@simulator.amazonses.com" => Fate::Suppressed,
        "complaint@simulator.amazonses.com" => Fate::Complained,
        _ if listed(&ses.options.bounces) => Fate::Bounced,
        _ if listed(&ses.options.complaints) => Fate::Complained,
        _ => Fate::Delivered,
    })
}

/// Bare, distinct addresses of `given`.
fn bare<'a>(given: impl Iterator<Item = &'a String>) -> Result<Vec<String>, SesError> {
    let mut addresses = Vec::new();
    for address in given {
        let parsed =
            address::parse(address).ok_or_else(|| SesError::bad_request("A recipient's address is not valid."))?;
        if !addresses.contains(&parsed) {
            addresses.push(parsed);
        }
    }
    Ok(addresses)
}

fn tags(given: Vec<Named>) -> Result<BTreeMap<String, String>, SesError> {
    let legal = |text: &str| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@'))
    };
    if given.iter().any(|tag| !legal(&tag.name) || !legal(&tag.value)) {
        return Err(SesError::bad_request(
            "Message tags consist of 1 to 256 ASCII letters, digits, underscores, hyphens, dots and at signs.",
        ));
    }
    Ok(given.into_iter().map(|tag| (tag.name, tag.value)).collect())
}

fn read_mail(ses: &Ses, request: SendEmail) -> Result<CapturedMail, SesError> {
    let Destination { mut to_addresses, mut cc_addresses, mut bcc_addresses } = request.destination;
    let mut from = request.from_email_address;
    let content = request.content.ok_or_else(|| SesError::bad_request("Content is missing."))?;
    let content = match content {
        Content { template: Some(_), .. } => {
            return Err(SesError::bad_request(
                "The embedded SES does not support templates; send Simple or Raw content.",
            ));
        }
        Content { simple: Some(simple), raw: None, .. } => read_simple(simple)?,
        Content { simple: None, raw: Some(raw), .. } => {
            let headers = read_raw(&raw.data)?;
            from = from.or(headers.from);
            if to_addresses.is_empty() && cc_addresses.is_empty() && bcc_addresses.is_empty() {
                (to_addresses, cc_addresses, bcc_addresses) = (headers.to, headers.cc, headers.bcc);
            }
            MailContent::Raw(raw.data)
        }
        _ => return Err(SesError::bad_request("Content takes exactly one of Simple, Raw and Template.")),
    };
    let from = from.ok_or_else(|| SesError::bad_request("FromEmailAddress is missing."))?;
    if address::parse(&from).is_none()
        || request.reply_to_addresses.iter().any(|address| address::parse(address).is_none())
    {
        return Err(SesError::bad_request("The sender's or a reply address is not valid."));
    }
    let recipients = bare(to_addresses.iter().chain(&cc_addresses).chain(&bcc_addresses))?;
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        return Err(SesError::bad_request(format!("A mail has 1 to {MAX_RECIPIENTS} recipients.")));
    }
    Ok(CapturedMail {
        message_id: format!(
            "{:016x}-{}-000000",
            ses.ids.bytes().iter().take(8).fold(0_u64, |id, &byte| (id << 8) | u64::from(byte)),
            ses.ids.uuid()
        ),
        at: ses.clock.now(),
        from,
        recipients,
        to: to_addresses,
        cc: cc_addresses,
        bcc: bcc_addresses,
        reply_to: request.reply_to_addresses,
        configuration_set: request.configuration_set_name,
        tags: tags(request.email_tags)?,
        content,
    })
}

fn read_simple(simple: Simple) -> Result<MailContent, SesError> {
    let Simple { subject: Some(subject), body: Some(body), headers, attachments } = simple else {
        return Err(SesError::bad_request("Simple content needs Subject and Body."));
    };
    if !attachments.is_empty() {
        return Err(SesError::bad_request(
            "The embedded SES does not support attachments of simple content; send Raw.",
        ));
    }
    if body.text.is_none() && body.html.is_none() {
        return Err(SesError::bad_request("Body needs Text or Html."));
    }
    if subject.data.chars().any(char::is_control) {
        return Err(SesError::bad_request("The subject contains control characters."));
    }
    for header in &headers {
        let name_is_fine = (1..=126).contains(&header.name.len())
            && header.name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !name_is_fine || RESERVED_HEADERS.contains(&header.name.to_ascii_lowercase().as_str()) {
            return Err(SesError::bad_request(format!("The header name {:?} cannot be used.", header.name)));
        }
        if header.value.chars().any(char::is_control) || header.value.len() > 870 {
            return Err(SesError::bad_request(format!("The value of header {} cannot be used.", header.name)));
        }
    }
    let length = |data: &Option<Data>| data.as_ref().map_or(0, |data| data.data.len());
    if (subject.data.len() + length(&body.text) + length(&body.html)) * 4 / 3 > MAX_BYTES {
        return Err(SesError::rejected("Message length is more than 41943040 bytes long."));
    }
    Ok(MailContent::Simple {
        subject: subject.data,
        text: body.text.map(|data| data.data),
        html: body.html.map(|data| data.data),
        headers: headers.into_iter().map(|header| (header.name, header.value)).collect(),
    })
}

fn read_raw(base64: &str) -> Result<super::mail::RawEnvelope, SesError> {
    if base64.len() > MAX_BYTES {
        return Err(SesError::rejected("Message length is more than 41943040 bytes long."));
    }
    let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| SesError::bad_request("Raw.Data is not base64."))?;
    let headers = envelope(&bytes).ok_or_else(|| SesError::bad_request("Raw.Data is not a MIME message."))?;
    if headers.from.is_none() {
        return Err(SesError::bad_request("Missing required header 'From'."));
    }
    Ok(headers)
}
