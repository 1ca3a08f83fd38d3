#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::account::Allowance;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use mail_parser::{MessageParser, MimeHeaders};
use perennial_domain::{Cause, Channel, ConfigVersion, DecisionId, MessageId, PersonId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const URL: &str = "https://p.example/u/AQIDBA";

fn letterhead() -> Letterhead {
    Letterhead::new(&channels::Mail {
        from: "Perennial <hello@perennial.example>".into(),
        reply_to: Some("support@perennial.example".into()),
        configuration_set: "perennial".into(),
        ..channels::Mail::default()
    })
    .unwrap()
}

fn decision(journey: &str) -> Decision {
    let person = PersonId::derive(&[b"ada"]);
    Decision {
        id: DecisionId::of(person, "welcome", 0, b"cause"),
        person,
        journey: journey.into(),
        step: 0,
        channel: Channel::Mail,
        template: "welcome".into(),
        endpoint: None,
        cause: Cause::Event { name: "Trial Started".into(), message_id: MessageId::parse("m-1").unwrap() },
        properties: perennial_domain::Properties::new(),
        decided_at: Timestamp::UNIX_EPOCH,
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    }
}

fn rendered(subject: &str, text: &str, html: Option<&str>) -> Rendered {
    Rendered { subject: subject.into(), text: text.into(), html: html.map(str::to_owned), link: None, invitation: None }
}

fn compose(rendered: &Rendered) -> Mail {
    let to = Address::parse("ada@example.com").unwrap();
    Mail::compose(&letterhead(), &to, rendered, &decision("welcome"), URL, "2026-03-02T08:15:30Z".parse().unwrap())
        .unwrap()
}

fn text(mail: &Mail) -> String {
    String::from_utf8(mail.message().to_vec()).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_mail_of_text_alone() {
    insta::assert_snapshot!(text(&compose(&rendered(
        "Welcome, Ada",
        "Hello Ada,\n\nstart at https://app.example/start.\n\nYours",
        None
    ))));
}

#[test]
fn a_mail_with_html_and_other_scripts() {
    let html = "<p>Grüße, Ада &lt;3</p>";
    insta::assert_snapshot!(text(&compose(&rendered("Grüße, Ада ☕", "Grüße, Ада", Some(html)))));
}

#[test]
fn the_same_mail_has_the_same_bytes() {
    let rendered = rendered("s", "t", Some("<p>t</p>"));
    assert_eq!(compose(&rendered).message(), compose(&rendered).message());
}

#[test]
fn a_mail_program_finds_the_one_click_headers() {
    let mail = compose(&rendered("s", "t", None));
    let message = MessageParser::default().parse(mail.message()).unwrap();
    let header = |name: &str| message.header_raw(name).unwrap().trim().to_owned();
    assert_eq!(header("List-Unsubscribe"), format!("<{URL}>"));
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(header("X-Perennial-Decision"), decision("welcome").id.to_string());
    assert_eq!(header("Message-ID"), format!("<{}@perennial.example>", decision("welcome").id));
    assert_eq!(header("Date"), "Mon, 2 Mar 2026 08:15:30 +0000");
    assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("support@perennial.example"));
}

#[test]
fn a_long_unsubscribe_link_survives_its_header() {
    let url = format!("https://perennial.example/u/{}", "Ab9_-".repeat(40));
    let to = Address::parse("ada@example.com").unwrap();
    let mail =
        Mail::compose(&letterhead(), &to, &rendered("s", "t", None), &decision("welcome"), &url, Timestamp::UNIX_EPOCH)
            .unwrap();
    let message = MessageParser::default().parse(mail.message()).unwrap();
    let unfolded: String = message.header_raw("List-Unsubscribe").unwrap().split_whitespace().collect();
    assert_eq!(unfolded, format!("<{url}>"));
    assert!(
        message.header_raw("List-Unsubscribe").unwrap().contains(&url),
        "a folded link is a broken link to many programs"
    );
}

#[test]
fn every_part_has_the_link_exactly_once() {
    let escaped = format!("<p><a href=\"{}\">out</a></p>", URL.replace('/', "&#x2f;"));
    for (plain, html) in [
        ("t", None),
        ("t", Some("<p>t</p>")),
        ("t", Some("<html><body>t</body></html>")),
        (URL, Some(escaped.as_str())),
    ] {
        let mail = compose(&rendered("s", plain, html));
        let message = MessageParser::default().parse(mail.message()).unwrap();
        assert_eq!(message.body_text(0).unwrap().matches(URL).count(), 1, "{plain}");
        let html = message.body_html(0).unwrap().replace("&#x2f;", "/");
        assert_eq!(html.matches(&format!("href=\"{URL}\"")).count(), 1, "{html}");
        assert_eq!(html.matches("<body").count(), 1);
    }
}

#[test]
fn no_value_can_add_a_header() {
    let hostile = crate::text::one_line("x\r\nBcc: eve@example.com", 250);
    let mail = compose(&rendered(&hostile, "\r\n\r\nBcc: eve@example.com\r\n.\r\n", None));
    let message = MessageParser::default().parse(mail.message()).unwrap();
    assert!(message.bcc().is_none());
    assert_eq!(message.subject(), Some("x Bcc: eve@example.com"));
    let head = text(&mail).split("\n\n").next().unwrap().to_owned();
    let names: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected = [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "X-Perennial-Decision",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, expected);
}

#[test]
fn tags_hold_what_ses_allows() {
    assert_eq!(tag_value("trial rescue/2: ä"), "trial_rescue_2___");
    assert_eq!(tag_value(""), "_");
    assert_eq!(tag_value(&"x".repeat(300)).len(), 256);
    let names: Vec<&str> = compose(&rendered("s", "t", None)).tags.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [TAG_DECISION, TAG_PERSON, TAG_JOURNEY, TAG_STEP]);
}

#[test]
fn a_mail_does_not_print_itself() {
    let mail = compose(&rendered("subject-secret", "t", None));
    assert!(!format!("{mail:?}").contains("secret") && !format!("{mail:?}").contains("ada@"));
}

/// Returns a mailer whose SES gives every request the same response, and the number of requests. Without a response it
/// closes the connection.
async fn ses(answer: Option<(u16, &'static str, &'static str)>) -> (Mailer, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            count.fetch_add(1, Ordering::SeqCst);
            let Some((status, code, body)) = answer else { continue };
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-amzn-errortype: {code}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            // Reads the rest, so that closing does not reset the response.
            tokio::spawn(async move { while stream.read_buf(&mut Vec::new()).await.unwrap_or(0) > 0 {} });
        }
    });
    (mailer(&url), asked)
}

fn mailer(url: &str) -> Mailer {
    let config = aws_types::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("k", "s", None, None, "test")))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(3)).build())
        .endpoint_url(url)
        .build();
    Mailer::new(&config)
}

#[tokio::test]
async fn each_answer_of_ses_says_what_is_known_of_the_mail_and_is_asked_for_once() {
    let retry = |reason: &str| Outcome::retry(reason);
    let cases = [
        (Some((200, "", r#"{"MessageId":"id-1"}"#)), Outcome::Sent { provider_id: Some("id-1".into()) }),
        (Some((429, "TooManyRequestsException", "{}")), retry("TooManyRequestsException")),
        (Some((400, "LimitExceededException", "{}")), quota()),
        (Some((400, "AccountSuspendedException", "{}")), account("the account is suspended")),
        (Some((400, "SendingPausedException", "{}")), account("sending is paused for the account")),
        (Some((400, "MailFromDomainNotVerifiedException", "{}")), account("the MAIL FROM domain is not verified")),
        (Some((404, "NotFoundException", "{}")), Outcome::refused("NotFoundException")),
        (Some((403, "AccessDeniedException", "{}")), Outcome::refused("AccessDeniedException")),
        (Some((400, "MessageRejected", "{}")), Outcome::rejected("MessageRejected")),
        (
            Some((400, "BadRequestException", r#"{"message":"ada@example.com is bad"}"#)),
            Outcome::rejected("BadRequestException"),
        ),
        (Some((500, "InternalServiceErrorException", "{}")), Outcome::unknown("InternalServiceErrorException")),
        (Some((503, "ThrottlingException", "{}")), retry("ThrottlingException")),
        (None, Outcome::unknown("the connection to SES broke")),
    ];
    for (answer, expected) in cases {
        let (mailer, asked) = ses(answer).await;
        assert_eq!(mailer.send(compose(&rendered("s", "t", None))).await, expected, "{answer:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{answer:?}: a second attempt could send a second mail");
    }
}

/// The outcome when SES refuses the account as a whole.
fn account(reason: &str) -> Outcome {
    Outcome::Retry { reason: format!("SES: {reason}"), after: Some(Duration::from_secs(900)) }
}

#[test]
fn unverified_sender_waits_and_unverified_recipient_of_the_sandbox_is_refused() {
    let failed = |identity: &str| {
        format!(
            "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: {identity}"
        )
    };
    let said = |text: &str| refusal(400, "MessageRejected", text, "Hello@Acme.example");
    assert_eq!(said(&failed("hello@acme.example")), account("the sender is not verified"));
    assert_eq!(said(&failed("ada@example.com")), Outcome::rejected("MessageRejected"));
    assert_eq!(said("Message length is more than 10485760 bytes long"), Outcome::rejected("MessageRejected"));
}

fn quota() -> Outcome {
    Outcome::Retry { reason: "SES: the daily quota is used up".into(), after: Some(Duration::from_secs(900)) }
}

const FROM: &str = "hello@acme.example";

#[test]
fn a_used_up_rate_or_quota_is_recognised_by_its_text_whatever_its_code() {
    let rate = Outcome::retry("SES: the sending rate is exceeded");
    for (status, code) in [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (400, "ThrottlingException"),
        (400, "Throttling"),
        (503, "ThrottlingException"),
        (400, "MessageRejected"),
        (400, ""),
    ] {
        assert_eq!(refusal(status, code, "Maximum sending rate exceeded.", FROM), rate, "{status} {code}");
        assert_eq!(refusal(status, code, "Daily message quota exceeded.", FROM), quota(), "{status} {code}");
        assert_eq!(refusal(status, code, "Daily message quota exceeded", FROM), quota(), "{status} {code}");
    }
    assert_eq!(refusal(429, "", "", FROM), Outcome::retry("SES throttles"));
    assert_eq!(refusal(400, "ThrottlingException", "Rate exceeded", FROM), Outcome::retry("ThrottlingException"));
}

#[tokio::test]
async fn account_is_read_with_its_standing_and_what_it_may_send() {
    let body = r#"{"SendQuota":{"Max24HourSend":50000.0,"MaxSendRate":14.0,"SentLast24Hours":120.0},"ProductionAccessEnabled":true,
        "SendingEnabled":true,"EnforcementStatus":"HEALTHY"}"#;
    let (mailer, _) = ses(Some((200, "", body))).await;
    let allowance = Allowance { per_second: Some(14.0), per_day: Some(50_000), sent: 120 };
    let expected = Account { production: true, sending: true, healthy: true, allowance };
    assert_eq!(mailer.account().await.unwrap(), expected);
    let paused = r#"{"SendQuota":{"Max24HourSend":-1.0,"MaxSendRate":80.0,"SentLast24Hours":0.0},"EnforcementStatus":"PROBATION"}"#;
    let (mailer, _) = ses(Some((200, "", paused))).await;
    let allowance = Allowance { per_second: Some(80.0), per_day: None, sent: 0 };
    assert_eq!(mailer.account().await.unwrap(), Account { allowance, ..Account::default() });
    let (mailer, _) = ses(Some((403, "AccessDeniedException", "{}"))).await;
    let error = mailer.account().await.unwrap_err().to_string();
    assert_eq!(error, "SES did not return the account: AccessDeniedException");
}

#[tokio::test]
async fn the_deployment_s_configuration_set_goes_before_the_config_s() {
    for (own, sent) in [(None, "perennial"), (Some("perennial-live".to_owned()), "perennial-live")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let wanted = format!(r#""ConfigurationSetName":"{sent}""#);
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !String::from_utf8_lossy(&request).contains(&wanted) {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0, "{}", String::from_utf8_lossy(&request));
            }
            stream.write_all(b"HTTP/1.1 400 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await.unwrap();
        });
        mailer(&url).with_configuration_set(own).send(compose(&rendered("s", "t", None))).await;
        server.await.unwrap();
    }
}

#[tokio::test]
async fn when_ses_cannot_be_reached_the_mail_was_not_sent() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = mailer(&format!("http://{address}")).send(compose(&rendered("s", "t", None))).await;
    assert_eq!(outcome, Outcome::retry("SES could not be reached"));
}

#[test]
fn an_invitation_is_a_request_that_calendars_know_by_its_uid() {
    let invitation = crate::invitation::Invitation {
        start: "2026-03-10T09:00:00Z".parse().unwrap(),
        end: "2026-03-10T10:30:00Z".parse().unwrap(),
        title: "Getting started: Größe zählt".into(),
        location: "https://meet.example/a".into(),
    };
    let rendered = Rendered { invitation: Some(invitation), ..rendered("Join us", "Come!", None) };
    let mail = compose(&rendered);
    let message = MessageParser::default().parse(mail.message()).unwrap();
    let calendars: Vec<_> = message
        .parts
        .iter()
        .filter(|part| part.content_type().is_some_and(|kind| kind.attribute("method") == Some("REQUEST")))
        .collect();
    assert_eq!(calendars.len(), 2, "one beside the text, one attached");
    assert_eq!(calendars[1].attachment_name(), Some("invite.ics"));
    let texts: Vec<String> =
        calendars.iter().map(|part| String::from_utf8_lossy(part.contents()).into_owned()).collect();
    assert_eq!(texts[0], texts[1]);
    let uid = format!("UID:{}@perennial.example\r\n", decision("welcome").id);
    assert!(texts[0].contains(&uid) && texts[0].contains("SUMMARY:Getting started: Größe zählt\r\n"), "{}", texts[0]);
    assert!(message.body_text(0).unwrap().contains("Come!") && message.body_html(0).unwrap().contains("Come!"));
    assert_eq!(mail, compose(&rendered), "the same each time");
}
