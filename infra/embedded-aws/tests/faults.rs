//! The fault layer in front of the real services.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use perennial_embedded_aws::{FaultKind, FaultPlan, FaultRates, Options, ServiceKind};

use super::support::{Stack, start, start_with_attempts};

fn plan(rates: FaultRates) -> Options {
    Options {
        faults: Some(FaultPlan { seed: 11, dynamodb: rates, sqs: rates, ses: rates }),
        meter: true,
        ..Options::default()
    }
}

/// Starts with the faults off, makes a queue and a table, and turns them on.
async fn prepared(rates: FaultRates, attempts: u32) -> (Stack, String) {
    let stack = start_with_attempts(plan(rates), attempts);
    stack.aws.faults().unwrap().switch(false);
    let url = stack.queue("q", &[]).await;
    stack.table().await;
    stack.aws.faults().unwrap().switch(true);
    (stack, url)
}

fn count(stack: &Stack, service: ServiceKind, kind: FaultKind) -> u64 {
    stack.aws.faults().unwrap().counts().get(&service).and_then(|kinds| kinds.get(&kind)).copied().unwrap_or(0)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn a_lost_answer_fails_the_call_and_leaves_its_effect() {
    let (stack, url) = prepared(FaultRates { lose_answer: 1.0, ..FaultRates::default() }, 1).await;
    for _ in 0..10 {
        stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap_err();
    }
    assert_eq!(stack.aws.queue_depths()["q"].visible, 10);
    assert_eq!(
        count(&stack, ServiceKind::Sqs, FaultKind::Hangup) + count(&stack, ServiceKind::Sqs, FaultKind::ServerError),
        10
    );
    assert!(
        count(&stack, ServiceKind::Sqs, FaultKind::Hangup) > 0
            && count(&stack, ServiceKind::Sqs, FaultKind::ServerError) > 0
    );

    stack.dynamodb.put_item().table_name("items").item("pk", text("a")).item("sk", text("a")).send().await.unwrap_err();
    stack.aws.faults().unwrap().switch(false);
    let get = stack.dynamodb.get_item().table_name("items").key("pk", text("a")).key("sk", text("a"));
    assert!(get.send().await.unwrap().item().is_some());
}

#[tokio::test]
async fn a_throttled_call_is_retried_by_the_sdk_and_applied_once() {
    let (stack, url) = prepared(FaultRates { throttle: 0.3, ..FaultRates::default() }, 10).await;
    for _ in 0..10 {
        stack.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
        stack.dynamodb.put_item().table_name("items").item("pk", text("a")).item("sk", text("a")).send().await.unwrap();
    }
    assert_eq!(stack.aws.queue_depths()["q"].visible, 10);
    assert!(count(&stack, ServiceKind::Sqs, FaultKind::Throttle) > 0);
    assert!(count(&stack, ServiceKind::DynamoDb, FaultKind::Throttle) > 0);
    assert_eq!(stack.aws.meter().unwrap().snapshot().sqs.messages_sent, 10, "what is throttled is not billed");
}

#[tokio::test]
async fn entries_reported_as_failed_were_not_applied_and_the_others_were() {
    let (stack, url) = prepared(FaultRates { partial: 1.0, ..FaultRates::default() }, 1).await;
    let entry = |id: u32| SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body("x").build().unwrap();
    let answer = stack
        .sqs
        .send_message_batch()
        .queue_url(&url)
        .set_entries(Some((0..10).map(entry).collect()))
        .send()
        .await
        .unwrap();
    assert!(!answer.failed().is_empty());
    assert_eq!(answer.failed().len() + answer.successful().len(), 10);
    assert!(answer.failed().iter().all(|failed| !failed.sender_fault()));
    assert_eq!(stack.aws.queue_depths()["q"].visible, answer.successful().len());

    use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
    let put = |id: u32| {
        let put = PutRequest::builder().item("pk", text(&id.to_string())).item("sk", text("a")).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let answer =
        stack.dynamodb.batch_write_item().request_items("items", (0..10).map(put).collect()).send().await.unwrap();
    let unprocessed = answer.unprocessed_items().unwrap()["items"].len();
    let there = usize::try_from(stack.dynamodb.scan().table_name("items").send().await.unwrap().count()).unwrap();
    assert!(unprocessed > 0);
    assert_eq!(unprocessed + there, 10);
}

#[tokio::test]
async fn a_transaction_conflict_is_reported_with_its_reasons_and_applies_nothing() {
    use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
    let (stack, _) = prepared(FaultRates { conflict: 1.0, ..FaultRates::default() }, 1).await;
    let put = Put::builder().table_name("items").item("pk", text("a")).item("sk", text("a")).build().unwrap();
    let refusal = stack
        .dynamodb
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(put).build())
        .send()
        .await
        .unwrap_err();
    let reasons = match refusal.into_service_error() {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            cancelled,
        ) => cancelled.cancellation_reasons.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reasons[0].code(), Some("TransactionConflict"));
    assert_eq!(stack.dynamodb.scan().table_name("items").send().await.unwrap().count(), 0);
}

#[tokio::test]
async fn without_faults_and_meter_there_are_none() {
    let stack = start(Options::default());
    assert!(stack.aws.faults().is_none() && stack.aws.meter().is_none());
}
