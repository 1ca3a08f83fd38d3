//! The queues of the stack, each with its dead-letter queue.

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use perennial_config::deployment::Queues;
use std::time::Duration;

/// The queues' names; a dead-letter queue has its queue's name with `-dlq`.
pub const NAMES: [&str; 7] = ["events", "incoming", "imports", "messages", "essential", "accounts", "mail-events"];

/// The URLs of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// `ingest`, `sweep` and `deliver`'s feedback to `score`.
    pub events: String,
    /// Notices of new files to `import`.
    pub incoming: String,
    /// Imports to `score`: events of files, which live events do not wait behind.
    pub imports: String,
    /// `score` to `deliver`.
    pub messages: String,
    /// `score` to `deliver`: essential messages, which do not wait behind others.
    pub essential: String,
    /// `score` to `rollup`.
    pub accounts: String,
    /// The mail service to `deliver`.
    pub mail_events: String,
}

impl QueueUrls {
    /// Returns the URL of the queue `name`, one of [`NAMES`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            "events" => Some(&self.events),
            "incoming" => Some(&self.incoming),
            "imports" => Some(&self.imports),
            "messages" => Some(&self.messages),
            "essential" => Some(&self.essential),
            "accounts" => Some(&self.accounts),
            "mail-events" => Some(&self.mail_events),
            _ => None,
        }
    }
}

/// Creates the queues that do not exist yet, as defined by `deployment.toml`.
///
/// # Errors
/// SQS's error.
pub async fn create(sqs: &aws_sdk_sqs::Client, like: &Queues, visibility: Duration) -> anyhow::Result<QueueUrls> {
    Ok(QueueUrls {
        events: queue(sqs, "events", like, visibility).await?,
        incoming: queue(sqs, "incoming", like, visibility).await?,
        imports: queue(sqs, "imports", like, visibility).await?,
        messages: queue(sqs, "messages", like, visibility).await?,
        essential: queue(sqs, "essential", like, visibility).await?,
        accounts: queue(sqs, "accounts", like, visibility).await?,
        mail_events: queue(sqs, "mail-events", like, visibility).await?,
    })
}

async fn queue(sqs: &aws_sdk_sqs::Client, name: &str, like: &Queues, visibility: Duration) -> anyhow::Result<String> {
    let url = |answer: Option<String>| answer.ok_or_else(|| anyhow::anyhow!("SQS gave no URL for the queue {name}"));
    let dlq = url(sqs.create_queue().queue_name(format!("{name}-dlq")).send().await?.queue_url)?;
    let attributes = sqs.get_queue_attributes().queue_url(dlq).attribute_names(Attribute::QueueArn).send().await?;
    let arn = attributes.attributes().and_then(|map| map.get(&Attribute::QueueArn)).cloned().unwrap_or_default();
    let redrive = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": like.max_receives }).to_string();
    let created = url(sqs.create_queue().queue_name(name).send().await?.queue_url)?;
    sqs.set_queue_attributes()
        .queue_url(&created)
        .attributes(Attribute::RedrivePolicy, redrive)
        .attributes(Attribute::VisibilityTimeout, visibility.as_secs().max(1).to_string())
        .send()
        .await?;
    Ok(created)
}
