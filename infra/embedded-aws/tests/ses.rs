//! SES: capture, refusals, events, suppression.

use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, RawMessage, SuppressionListReason,
    Template,
};
use perennial_embedded_aws::{MailQuery, Options, SesOptions};
use serde_json::Value;

use super::support::{Stack, start};

fn options() -> Options {
    let ses = SesOptions {
        events_queue: Some("mail-events".to_owned()),
        configuration_sets: vec!["default".to_owned()],
        bounces: vec!["gone@example.com".to_owned()],
        ..SesOptions::default()
    };
    Options { ses, ..Options::default() }
}

fn simple(subject: &str) -> EmailContent {
    let content = |data: &str| Content::builder().data(data).build().unwrap();
    let header =
        MessageHeader::builder().name("List-Unsubscribe-Post").value("List-Unsubscribe=One-Click").build().unwrap();
    let body = Body::builder().text(content("plain")).html(content("<p>rich</p>")).build();
    EmailContent::builder()
        .simple(Message::builder().subject(content(subject)).body(body).headers(header).build())
        .build()
}

fn mail(stack: &Stack, to: &str) -> SendEmailFluentBuilder {
    stack
        .ses
        .send_email()
        .from_email_address("Perennial <hello@example.org>")
        .destination(Destination::builder().to_addresses(to).build())
}

/// The events in the queue, unwrapped.
async fn events(stack: &Stack, url: &str) -> Vec<Value> {
    let received = stack.sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
    received
        .messages()
        .iter()
        .map(|message| {
            let envelope: Value = serde_json::from_str(message.body().unwrap()).unwrap();
            assert_eq!(envelope["Type"], "Notification");
            serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap()
        })
        .collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["eventType"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_simple_mail_is_captured_and_its_events_tell_its_tags() {
    let stack = start(options());
    let url = stack.queue("mail-events", &[]).await;
    let tag = MessageTag::builder().name("decision").value("d1").build().unwrap();
    let sent = mail(&stack, "Ada <ada@Example.com>")
        .content(simple("Hello"))
        .email_tags(tag)
        .configuration_set_name("default")
        .send()
        .await
        .unwrap();
    let id = sent.message_id().unwrap();

    let captured = stack.aws.mails().by_id(id).unwrap().unwrap();
    assert_eq!(captured.recipients, ["ada@example.com"]);
    let view = captured.view();
    assert_eq!(
        (view.subject.as_str(), view.text.as_deref(), view.html.as_deref()),
        ("Hello", Some("plain"), Some("<p>rich</p>"))
    );
    assert_eq!(view.header("list-unsubscribe-post"), Some("List-Unsubscribe=One-Click"));
    assert!(!format!("{captured:?}").contains("ada"), "no address in Debug");

    let events = events(&stack, &url).await;
    assert_eq!(kinds(&events), ["Send", "Delivery"]);
    for event in &events {
        assert_eq!(
            (event["mail"]["messageId"].as_str(), &event["mail"]["tags"]["decision"][0]),
            (Some(id), &Value::from("d1"))
        );
        assert_eq!(event["mail"]["destination"][0], "ada@example.com");
    }
}

#[tokio::test]
async fn a_raw_mail_is_parsed_when_it_is_looked_at() {
    let stack = start(options());
    stack.queue("mail-events", &[]).await;
    let raw = "From: hello@example.org\r\nTo: ada@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nList-Unsubscribe: <https://example.org/u>\r\n\
               MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n\
               --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>rich</p>\r\n--b--\r\n";
    let content = EmailContent::builder().raw(RawMessage::builder().data(Blob::new(raw)).build().unwrap()).build();
    stack.ses.send_email().content(content).send().await.unwrap();
    let to_ada = MailQuery { recipient: Some("ada@example.com".to_owned()), ..MailQuery::default() };
    let captured = stack.aws.mails().list(&to_ada).unwrap();
    assert_eq!(captured[0].raw().unwrap(), raw.as_bytes());
    let view = captured[0].view();
    assert_eq!(
        (view.subject.as_str(), view.text.as_deref().map(str::trim), view.html.as_deref().map(str::trim)),
        ("Grüße", Some("plain"), Some("<p>rich</p>"))
    );
    assert_eq!(view.header("List-Unsubscribe"), Some("<https://example.org/u>"));
}

#[tokio::test]
async fn what_ses_would_refuse_is_refused_and_not_captured() {
    let stack = start(options());
    let template = EmailContent::builder().template(Template::builder().template_name("t").build()).build();
    let cases = [
        (mail(&stack, "nobody").content(simple("x")), "BadRequestException"),
        (mail(&stack, "ada@example.com\r\nBcc: eve@example.com").content(simple("x")), "BadRequestException"),
        (mail(&stack, "ada@example.com").content(simple("x\r\nBcc: eve@example.com")), "BadRequestException"),
        (mail(&stack, "ada@example.com").content(template), "BadRequestException"),
        (mail(&stack, "ada@example.com").content(simple("x")).configuration_set_name("other"), "NotFoundException"),
        (mail(&stack, "ada@example.com").content(simple("x")).from_email_address("nobody"), "BadRequestException"),
    ];
    for (send, code) in cases {
        assert_eq!(send.send().await.unwrap_err().code(), Some(code));
    }
    assert_eq!(stack.aws.mails().count().unwrap(), 0);
}

#[tokio::test]
async fn bounces_and_complaints_come_back_as_events_and_suppress_real_addresses() {
    let stack = start(options());
    let url = stack.queue("mail-events", &[]).await;
    mail(&stack, "bounce+1@simulator.amazonses.com").content(simple("x")).send().await.unwrap();
    let bounced = events(&stack, &url).await;
    assert_eq!(kinds(&bounced), ["Send", "Bounce"]);
    assert_eq!(
        (bounced[1]["bounce"]["bounceType"].as_str(), bounced[1]["bounce"]["bounceSubType"].as_str()),
        (Some("Permanent"), Some("General"))
    );
    mail(&stack, "complaint@simulator.amazonses.com").content(simple("x")).send().await.unwrap();
    assert_eq!(kinds(&events(&stack, &url).await), ["Send", "Delivery", "Complaint"]);

    mail(&stack, "gone@example.com").content(simple("x")).send().await.unwrap();
    assert_eq!(kinds(&events(&stack, &url).await), ["Send", "Bounce"]);
    let listed = stack.ses.list_suppressed_destinations().send().await.unwrap();
    let listed: Vec<_> =
        listed.suppressed_destination_summaries().iter().map(|entry| (entry.email_address(), entry.reason())).collect();
    assert_eq!(
        listed,
        [("gone@example.com", &SuppressionListReason::Bounce)],
        "the simulator's addresses are not listed"
    );
    mail(&stack, "gone@example.com").content(simple("x")).send().await.unwrap();
    assert_eq!(events(&stack, &url).await[1]["bounce"]["bounceSubType"], "OnAccountSuppressionList");
}

#[tokio::test]
async fn the_suppression_list_can_be_written_read_and_cleared() {
    let stack = start(options());
    stack
        .ses
        .put_suppressed_destination()
        .email_address("ada@example.com")
        .reason(SuppressionListReason::Complaint)
        .send()
        .await
        .unwrap();
    let found = stack.ses.get_suppressed_destination().email_address("ada@example.com").send().await.unwrap();
    assert_eq!(found.suppressed_destination().unwrap().reason(), &SuppressionListReason::Complaint);
    let bounces = stack.ses.list_suppressed_destinations().reasons(SuppressionListReason::Bounce).send().await.unwrap();
    assert!(bounces.suppressed_destination_summaries().is_empty());
    stack.ses.delete_suppressed_destination().email_address("ada@example.com").send().await.unwrap();
    let gone = stack.ses.get_suppressed_destination().email_address("ada@example.com").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn mails_survive_a_restart_and_events_without_a_queue_are_published_later() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { data_dir: Some(dir.path().to_owned()), ..options() };
    let stack = start(options());
    mail(&stack, "ada@example.com").content(simple("one")).send().await.unwrap();
    let url = stack.queue("mail-events", &[]).await;
    stack.aws.shutdown();
    let stack = start(options());
    assert_eq!(stack.aws.mails().count().unwrap(), 1);
    assert_eq!(kinds(&events(&stack, &url).await), ["Send", "Delivery"]);
}
