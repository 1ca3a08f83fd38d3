//! DynamoDB: the meter's figures, and what a restart keeps.

use aws_sdk_dynamodb::types::AttributeValue;
use perennial_embedded_aws::{DynamoDbOptions, Options};

use super::support::{Stack, start};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn put(stack: &Stack, key: &str, payload: usize) {
    let put = stack.dynamodb.put_item().table_name("items").item("pk", text(key)).item("sk", text("P"));
    put.item("data", text(&"x".repeat(payload))).send().await.unwrap();
}

#[tokio::test]
async fn units_are_counted_though_the_caller_does_not_ask_for_them() {
    let stack = start(Options { meter: true, ..Options::default() });
    stack.table().await;
    let meter = stack.aws.meter().unwrap();
    meter.reset();

    put(&stack, "a", 900).await;
    let usage = meter.snapshot().dynamodb;
    assert_eq!((usage.write_units, usage.read_units), (1.0, 0.0), "1 KB is one write unit");
    put(&stack, "b", 1100).await;
    assert_eq!(meter.snapshot().dynamodb.write_units, 3.0, "more than 1 KB is two");

    let get = stack.dynamodb.get_item().table_name("items").key("pk", text("a")).key("sk", text("P"));
    let item = get.clone().send().await.unwrap();
    assert!(item.item().is_some());
    assert_eq!(meter.snapshot().dynamodb.read_units, 0.5, "an eventual read of up to 4 KB is half a unit");
    get.consistent_read(true).send().await.unwrap();
    assert_eq!(meter.snapshot().dynamodb.read_units, 1.5);

    let due = stack.dynamodb.put_item().table_name("items").item("pk", text("c")).item("sk", text("P"));
    due.item("due_shard", text("0")).item("due_at", AttributeValue::N("1".to_owned())).send().await.unwrap();
    let usage = meter.snapshot().dynamodb;
    assert_eq!((usage.write_units, usage.index_units["items/due"]), (5.0, 1.0), "the index entry is a unit of its own");

    let again = stack.dynamodb.put_item().table_name("items").item("pk", text("c")).item("sk", text("P"));
    again.condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
    let usage = meter.reset().dynamodb;
    assert_eq!((usage.failed_conditions, usage.write_units), (1, 6.0));
    assert_eq!((usage.operations["PutItem"].calls, usage.operations["PutItem"].errors), (4, 1));
    assert_eq!(meter.snapshot().dynamodb.write_units, 0.0);
}

#[tokio::test]
async fn items_survive_a_restart_with_and_without_fsync() {
    for bulk in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let options = || {
            let dynamodb = DynamoDbOptions { bulk, ttl_sweep: None };
            Options { data_dir: Some(dir.path().join("data")), dynamodb, ..Options::default() }
        };
        let stack = start(options());
        stack.table().await;
        put(&stack, "a", 10).await;
        stack.aws.shutdown();
        let stack = start(options());
        let found = stack
            .dynamodb
            .get_item()
            .table_name("items")
            .key("pk", text("a"))
            .key("sk", text("P"))
            .send()
            .await
            .unwrap();
        assert!(found.item().is_some(), "bulk: {bulk}");
    }
}

#[tokio::test]
async fn sqs_requests_are_billed_in_chunks_of_the_batch_and_empty_receives_apart() {
    use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
    let stack = start(Options { meter: true, ..Options::default() });
    let url = stack.queue("q", &[]).await;
    let meter = stack.aws.meter().unwrap();
    meter.reset();
    let entry = |id: &str, bytes| {
        SendMessageBatchRequestEntry::builder().id(id).message_body("x".repeat(bytes)).build().unwrap()
    };
    let batch = stack.sqs.send_message_batch().queue_url(&url);
    batch.entries(entry("a", 40 * 1024)).entries(entry("b", 40 * 1024)).send().await.unwrap();
    assert_eq!(meter.snapshot().sqs.billed_requests, 2, "80 KB are two chunks of 64 KB, whatever the messages are");
    stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    let messages =
        stack.sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap().messages.unwrap();
    assert_eq!(messages.len(), 3);
    stack.sqs.receive_message().queue_url(&url).send().await.unwrap();
    let usage = meter.snapshot().sqs;
    assert_eq!(
        (usage.billed_requests, usage.empty_receives, usage.messages_sent, usage.messages_received),
        (5, 1, 3, 3)
    );
}
