//! SQS: sending, receiving, redelivery, dead letters, limits, persistence.

use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use perennial_embedded_aws::{Options, QueueDepth};

use super::support::{Stack, start};

const DLQ_POLICY: &str = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:q-dlq","maxReceiveCount":3}"#;

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

async fn receive(stack: &Stack, url: &str) -> Vec<Message> {
    let request = stack.sqs.receive_message().queue_url(url).max_number_of_messages(10);
    request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .send()
        .await
        .unwrap()
        .messages
        .unwrap_or_default()
}

fn depth(visible: usize, in_flight: usize, delayed: usize) -> QueueDepth {
    QueueDepth { visible, in_flight, delayed, ..QueueDepth::default() }
}

#[tokio::test]
async fn a_message_arrives_with_its_attributes_and_digests_and_is_gone_when_deleted() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[]).await;
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("ü").build().unwrap();
    let sent = stack
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("hello")
        .message_attributes("k", attribute.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));

    let messages = receive(&stack, &url).await;
    let message = messages.first().unwrap();
    assert_eq!((message.body(), message.message_id()), (Some("hello"), sent.message_id()));
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(message.message_attributes().unwrap().get("k"), Some(&attribute));
    let system = message.attributes().unwrap();
    assert_eq!(system.get(&MessageSystemAttributeName::ApproximateReceiveCount).map(String::as_str), Some("1"));
    assert!(system.contains_key(&MessageSystemAttributeName::SentTimestamp));
    assert_eq!(stack.aws.queue_depths()["q"], depth(0, 1, 0));

    stack.sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(stack.aws.queue_depths()["q"], depth(0, 0, 0));
}

#[tokio::test]
async fn bad_entries_of_a_batch_fail_by_themselves_and_the_others_are_sent() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[("MaximumMessageSize", "1024")]).await;
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("x").delay_seconds(901).build().unwrap();
    let entries = vec![entry("fine", "x"), entry("control", "a\u{1}"), entry("long", &"x".repeat(1025)), late];
    let answer = stack.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|sent| sent.id()).collect::<Vec<_>>(), ["fine"]);
    let failed: Vec<_> =
        answer.failed().iter().map(|failed| (failed.id(), failed.code(), failed.sender_fault())).collect();
    let expected = [
        ("control", "InvalidMessageContents", true),
        ("long", "InvalidParameterValue", true),
        ("late", "InvalidParameterValue", true),
    ];
    assert_eq!(failed, expected);
    assert_eq!(stack.aws.queue_depths()["q"].total(), 1);
}

#[tokio::test]
async fn batches_that_are_empty_too_large_too_long_or_ambiguous_are_refused_whole() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[]).await;
    let half = "x".repeat(512 * 1024);
    let cases = [
        (vec![], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (
            (0..11).map(|id| entry(&id.to_string(), "x")).collect(),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        (vec![entry("a", "x"), entry("a", "y")], "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        (vec![entry("a b", "x")], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (vec![entry("a", &half), entry("b", &half), entry("c", "x")], "AWS.SimpleQueueService.BatchRequestTooLong"),
    ];
    for (entries, code) in cases {
        let refusal =
            stack.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.unwrap_err();
        assert_eq!(refusal.code(), Some(code));
    }
    let exactly = vec![entry("a", &half), entry("b", &half)];
    stack.sqs.send_message_batch().queue_url(&url).set_entries(Some(exactly)).send().await.unwrap();
    assert_eq!(
        stack.aws.queue_depths()["q"].total(),
        2,
        "nothing of the refused batches was sent, and 1 MiB is not too long"
    );
    let refusal =
        stack.sqs.send_message().queue_url(&url).message_body("x".repeat(1024 * 1024 + 1)).send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn an_undeleted_message_comes_again_after_its_timeout_and_its_old_handle_deletes_nothing() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[("VisibilityTimeout", "1")]).await;
    stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    let first = receive(&stack, &url).await.remove(0);
    assert!(receive(&stack, &url).await.is_empty());
    let again = stack.sqs.receive_message().queue_url(&url).wait_time_seconds(5);
    let again = again
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap()
        .remove(0);
    assert_eq!(again.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount], "2");

    stack.sqs.delete_message().queue_url(&url).receipt_handle(first.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(stack.aws.queue_depths()["q"], depth(0, 1, 0));
    let change = stack.sqs.change_message_visibility().queue_url(&url).visibility_timeout(0);
    change.receipt_handle(again.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(receive(&stack, &url).await.len(), 1, "given back at once");
}

#[tokio::test]
async fn made_up_receipt_handles_are_refused() {
    let stack = start(Options::default());
    let (url, other) = (stack.queue("q", &[]).await, stack.queue("other", &[]).await);
    stack.sqs.send_message().queue_url(&other).message_body("x").send().await.unwrap();
    let foreign = receive(&stack, &other).await.remove(0).receipt_handle.unwrap();
    for handle in ["bogus", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &foreign] {
        let refusal = stack.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap_err();
        assert!(refusal.into_service_error().is_receipt_handle_is_invalid());
    }
    let entry = DeleteMessageBatchRequestEntry::builder().id("a").receipt_handle("bogus").build().unwrap();
    let answer = stack.sqs.delete_message_batch().queue_url(&url).entries(entry).send().await.unwrap();
    assert_eq!(answer.failed().first().map(|failed| failed.code()), Some("ReceiptHandleIsInvalid"));
}

#[tokio::test]
async fn a_message_nobody_deletes_becomes_a_dead_letter_and_a_move_task_brings_it_back() {
    let stack = start(Options::default());
    let dlq = stack.queue("q-dlq", &[]).await;
    let url = stack.queue("q", &[("VisibilityTimeout", "0"), ("RedrivePolicy", DLQ_POLICY)]).await;
    stack.sqs.send_message().queue_url(&url).message_body("poison").send().await.unwrap();
    for _ in 0..3 {
        assert_eq!(receive(&stack, &url).await.len(), 1);
    }
    assert!(receive(&stack, &url).await.is_empty());
    assert_eq!((stack.aws.queue_depths()["q"].total(), stack.aws.queue_depths()["q-dlq"]), (0, depth(1, 0, 0)));
    let dead = stack
        .sqs
        .receive_message()
        .queue_url(&dlq)
        .visibility_timeout(0)
        .message_system_attribute_names(MessageSystemAttributeName::All);
    let dead = dead.send().await.unwrap().messages.unwrap().remove(0);
    let source = "arn:aws:sqs:us-east-1:000000000000:q";
    assert_eq!(dead.attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn], source);

    let dlq_arn = "arn:aws:sqs:us-east-1:000000000000:q-dlq";
    stack.sqs.start_message_move_task().source_arn(dlq_arn).send().await.unwrap();
    let finished = async {
        loop {
            let tasks = stack.sqs.list_message_move_tasks().source_arn(dlq_arn).send().await.unwrap();
            let task = tasks.results().first().unwrap().clone();
            if task.status() != Some("RUNNING") {
                return task;
            }
        }
    };
    let task = tokio::time::timeout(Duration::from_secs(10), finished).await.unwrap();
    assert_eq!((task.status(), task.approximate_number_of_messages_moved()), (Some("COMPLETED"), 1));
    assert_eq!((stack.aws.queue_depths()["q"], stack.aws.queue_depths()["q-dlq"].total()), (depth(1, 0, 0), 0));
    assert_eq!(
        receive(&stack, &url).await[0].attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount],
        "1"
    );

    let not_a_dlq = stack.sqs.start_message_move_task().source_arn(source).send().await.unwrap_err();
    assert_eq!(not_a_dlq.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_waiting_receive_is_woken_by_a_message_and_by_the_end_of_a_delay() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[]).await;
    let waiting = stack.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let sending = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    };
    let both = async { tokio::join!(waiting, sending).0.unwrap().messages.unwrap().len() };
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), both).await.unwrap(), 1);

    stack.sqs.send_message().queue_url(&url).message_body("later").delay_seconds(1).send().await.unwrap();
    assert_eq!(stack.aws.queue_depths()["q"], depth(0, 1, 1));
    let delayed = stack.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let delayed = tokio::time::timeout(Duration::from_secs(10), delayed).await.unwrap().unwrap();
    assert_eq!(delayed.messages()[0].body(), Some("later"));
}

#[tokio::test]
async fn queues_are_found_listed_inspected_and_deleted() {
    let stack = start(Options::default());
    let url = stack.queue("q", &[("VisibilityTimeout", "7")]).await;
    assert_eq!(stack.queue("q", &[("VisibilityTimeout", "7")]).await, url, "creating it again is no error");
    let other = stack
        .sqs
        .create_queue()
        .queue_name("q")
        .attributes(QueueAttributeName::VisibilityTimeout, "8")
        .send()
        .await
        .unwrap_err();
    assert!(other.into_service_error().is_queue_name_exists());
    assert_eq!(stack.sqs.get_queue_url().queue_name("q").send().await.unwrap().queue_url(), Some(url.as_str()));
    assert_eq!(stack.sqs.list_queues().send().await.unwrap().queue_urls(), std::slice::from_ref(&url));
    stack
        .sqs
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(QueueAttributeName::DelaySeconds, "5")
        .send()
        .await
        .unwrap();
    stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    let attributes = stack
        .sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap();
    for (name, value) in [
        (QueueAttributeName::VisibilityTimeout, "7"),
        (QueueAttributeName::DelaySeconds, "5"),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "1"),
        (QueueAttributeName::QueueArn, "arn:aws:sqs:us-east-1:000000000000:q"),
    ] {
        assert_eq!(attributes.get(&name).map(String::as_str), Some(value), "{name}");
    }
    stack.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(stack.aws.queue_depths()["q"].total(), 0);
    let fifo = stack.sqs.create_queue().queue_name("q.fifo").send().await.unwrap_err();
    assert!(fifo.into_service_error().is_unsupported_operation());
    stack.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let gone = stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap_err();
    assert!(gone.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn after_a_restart_every_message_is_there_and_what_was_in_flight_is_visible_with_its_count() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { data_dir: Some(dir.path().to_owned()), ..Options::default() };
    let stack = start(options());
    let url = stack.queue("q", &[("VisibilityTimeout", "600")]).await;
    let entries = (0..10).map(|id| entry(&id.to_string(), &format!("m{id}"))).collect();
    stack.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.unwrap();
    let held =
        stack.sqs.receive_message().queue_url(&url).max_number_of_messages(4).send().await.unwrap().messages.unwrap();
    stack.sqs.delete_message().queue_url(&url).receipt_handle(held[0].receipt_handle().unwrap()).send().await.unwrap();
    stack.aws.shutdown();

    let stack = start(options());
    assert_eq!(stack.aws.queue_depths()["q"], depth(9, 0, 0));
    // The URL still identifies the queue, though its port has changed.
    let messages = receive(&stack, &url).await;
    let mut seen: Vec<(String, String)> = messages
        .iter()
        .map(|message| {
            (
                message.body().unwrap().to_owned(),
                message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount].clone(),
            )
        })
        .collect();
    seen.sort();
    let expected: Vec<_> = (1..10).map(|id| (format!("m{id}"), if id < 4 { "2" } else { "1" }.to_owned())).collect();
    assert_eq!(seen, expected);
}
