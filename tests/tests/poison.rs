//! An unprocessable message ends in the dead-letter queue with its neighbours processed, and is retried when redriven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, stack, stack_with};
use perennial_embedded_aws::{FaultPlan, FaultRates};
use serde_json::json;
use std::time::Duration;

const NOW: &str = "2026-03-02T12:00:00Z";

fn event(user: &str) -> String {
    json!({ "messageId": format!("m-{user}"), "type": "track", "event": "Login", "userId": user, "timestamp": "2026-03-02T11:00:00Z" }).to_string()
}

async fn dead_letters(client: &Client, expected: u64) {
    for _ in 0..600 {
        if client.status().await["queues"]["events"]["dlq"] == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the dead-letter queue does not come to {expected}: {}", client.status().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_ends_in_the_dead_letter_queue_and_its_neighbours_are_counted() {
    let (stack, _) = stack_with(NOW, |options| perennial_local::stack::StackOptions {
        visibility: Duration::from_secs(1),
        ..options
    })
    .await;
    let client = Client::new(stack.base_url());
    let url = &stack.queue_urls().events;
    let poison = ["not json", "{\"events.v9\":{}}", "{\"events.v1\":{\"events\":[{\"type\":\"track\"}]}}"];
    for (index, body) in poison.iter().enumerate() {
        stack.sqs().send_message().queue_url(url).message_body(*body).send().await.unwrap();
        client.batch(&[event(&format!("neighbour-{index}"))]).await;
    }
    dead_letters(&client, poison.len() as u64).await;
    let status = client.status().await;
    assert_eq!(status["events"]["accepted"], poison.len() as u64, "the neighbours");
    assert_eq!(status["idle"], true, "dead letters are at rest");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_brings_dead_letters_back_once_the_cause_is_gone() {
    let broken = FaultRates { throttle: 1.0, ..FaultRates::default() };
    let faults = FaultPlan { dynamodb: broken, ..FaultPlan::uniform(1, 0.0) };
    let (clock, simulated) = perennial_lambda_kit::Clock::simulated(NOW.parse().unwrap());
    let options = perennial_local::stack::StackOptions {
        port: 0,
        visibility: Duration::from_secs(1),
        faults: Some(faults),
        faults_from_start: false,
        ..perennial_local::stack::StackOptions::new(perennial_local::bundle::embedded(), clock, Some(simulated))
    };
    let stack = perennial_local::stack::Stack::start(options).await.unwrap();
    let client = Client::new(stack.base_url());
    let faults = stack.aws().faults().unwrap();
    faults.switch(true);
    client.batch(&[event("late-1"), event("late-2")]).await;
    let depth = || stack.aws().queue_depths()["events-dlq"].visible;
    for _ in 0..1200 {
        if depth() > 0 && stack.is_idle() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(depth() > 0, "what cannot be stored is set aside");
    faults.switch(false);
    assert_eq!(client.status().await["events"]["accepted"], 0);
    let (code, answer) = client.post("/_local/redrive/events", "application/json", "").await;
    assert_eq!(code, 200, "{answer}");
    dead_letters(&client, 0).await;
    stack.wait_idle().await.unwrap();
    assert_eq!(client.status().await["events"]["accepted"], 2);
    let (code, _) = client.post("/_local/redrive/nothing", "application/json", "").await;
    assert_eq!(code, 404);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_for_nobody_does_no_harm() {
    let (stack, _) = stack(NOW).await;
    let person = perennial_domain::PersonId::derive(&[b"nobody"]);
    let body = json!({ "tick.v1": { "person": person, "due_at": NOW } }).to_string();
    stack.sqs().send_message().queue_url(&stack.queue_urls().events).message_body(body).send().await.unwrap();
    stack.wait_idle().await.unwrap();
    assert_eq!(Client::new(stack.base_url()).status().await["profiles"], 0);
    stack.stop().await;
}
