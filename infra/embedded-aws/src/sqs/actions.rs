//! The actions: what each takes, checks and answers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::attributes::arn;
use super::error::{Kind, SqsError};
use super::message::{self, MAX_BYTES, MessageAttribute};
use super::requests::{
    Batch, CreateQueue, GetQueueAttributes, GetQueueUrl, ListQueues, OfQueue, Receipt, ReceiveMessage, Send,
    SetQueueAttributes, check_batch, in_range, queue_name, read,
};
use super::state::{Outgoing, Received};
use super::{Sqs, machine_ms, moves};

type Answered = Result<Value, SqsError>;

/// Performs any action but `ReceiveMessage`, which may wait.
pub(super) fn perform(sqs: &Arc<Sqs>, operation: &str, body: &[u8]) -> Answered {
    match operation {
        "SendMessage" => send(sqs, body),
        "SendMessageBatch" => send_batch(sqs, body),
        "DeleteMessage" => delete(sqs, body),
        "DeleteMessageBatch" => receipt_batch(sqs, body, delete_one),
        "ChangeMessageVisibility" => change_visibility(sqs, body),
        "ChangeMessageVisibilityBatch" => receipt_batch(sqs, body, change_one),
        "CreateQueue" => create(sqs, body),
        "GetQueueUrl" => get_url(sqs, body),
        "ListQueues" => list(sqs, body),
        "DeleteQueue" => sqs.state().delete_queue(queue_name(&read::<OfQueue>(body)?.queue_url)?).map(|()| json!({})),
        "PurgeQueue" => sqs.state().purge(queue_name(&read::<OfQueue>(body)?.queue_url)?).map(|()| json!({})),
        "GetQueueAttributes" => get_attributes(sqs, body),
        "SetQueueAttributes" => set_attributes(sqs, body),
        "ListDeadLetterSourceQueues" => list_sources(sqs, body),
        "StartMessageMoveTask" => moves::start(sqs, &read(body)?),
        "ListMessageMoveTasks" => moves::list(sqs, &read(body)?),
        "CancelMessageMoveTask" => moves::cancel(sqs, &read(body)?),
        _ => Err(SqsError::new(Kind::Unsupported, format!("The embedded SQS does not support {operation}."))),
    }
}

fn create(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: CreateQueue = read(body)?;
    if !request.tags.is_empty() {
        return Err(SqsError::new(Kind::Unsupported, "The embedded SQS does not support tags."));
    }
    sqs.state().create(&request.queue_name, &request.attributes, machine_ms())?;
    Ok(json!({ "QueueUrl": sqs.url(&request.queue_name) }))
}

fn get_url(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: GetQueueUrl = read(body)?;
    sqs.state().queue(&request.queue_name)?;
    Ok(json!({ "QueueUrl": sqs.url(&request.queue_name) }))
}

fn list(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: ListQueues = read(body)?;
    let most = in_range("MaxResults", request.max_results, 1, 1000)?.unwrap_or(1000) as usize;
    let state = sqs.state();
    let after = request.next_token.unwrap_or_default();
    let names = state.queues.keys().filter(|name| name.starts_with(&request.queue_name_prefix) && **name > after);
    let mut names: Vec<&String> = names.take(most + 1).collect();
    let more = names.len() > most;
    names.truncate(most);
    let urls: Vec<String> = names.iter().map(|name| sqs.url(name)).collect();
    match names.last() {
        Some(last) if more && request.max_results.is_some() => Ok(json!({ "QueueUrls": urls, "NextToken": last })),
        _ => Ok(json!({ "QueueUrls": urls })),
    }
}

fn list_sources(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: OfQueue = read(body)?;
    let name = queue_name(&request.queue_url)?;
    let mut state = sqs.state();
    state.queue(name)?;
    let urls: Vec<String> = state.sources_of(name).iter().map(|source| sqs.url(source)).collect();
    Ok(json!({ "queueUrls": urls }))
}

fn get_attributes(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: GetQueueAttributes = read(body)?;
    let name = queue_name(&request.queue_url)?;
    let mut state = sqs.state();
    let queue = state.queue(name)?;
    let depth = queue.depth(sqs.now());
    let mut all = queue.attributes.to_map();
    let figures = [
        ("ApproximateNumberOfMessages", depth.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
        ("CreatedTimestamp", (queue.created_ms / 1000).to_string()),
        ("LastModifiedTimestamp", (queue.modified_ms / 1000).to_string()),
        ("QueueArn", arn(name)),
    ];
    all.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    if request.attribute_names.iter().any(|name| name == "All") {
        return Ok(json!({ "Attributes": all }));
    }
    let optional = [
        "Policy",
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "SqsManagedSseEnabled",
    ];
    if let Some(unknown) =
        request.attribute_names.iter().find(|name| !all.contains_key(*name) && !optional.contains(&name.as_str()))
    {
        return Err(SqsError::new(Kind::BadAttributeName, format!("Unknown Attribute {unknown}.")));
    }
    all.retain(|name, _| request.attribute_names.contains(name));
    Ok(json!({ "Attributes": all }))
}

fn set_attributes(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: SetQueueAttributes = read(body)?;
    let name = queue_name(&request.queue_url)?;
    sqs.state().set_attributes(name, &request.attributes, machine_ms())?;
    Ok(json!({}))
}

/// A message that passed its checks, with its digests.
struct Checked {
    outgoing: Outgoing,
    answer: Map<String, Value>,
}

fn check_send(send: Send, max_size: usize) -> Result<Checked, SqsError> {
    if send.message_group_id.is_some() || send.message_deduplication_id.is_some() {
        return Err(super::attributes::fifo_refused());
    }
    if !send.message_system_attributes.is_empty() {
        return Err(SqsError::new(Kind::Unsupported, "The embedded SQS does not support message system attributes."));
    }
    message::check(&send.message_body, &send.message_attributes, max_size)?;
    let delay = in_range("DelaySeconds", send.delay_seconds, 0, 900)?;
    let mut answer = Map::new();
    answer.insert("MD5OfMessageBody".to_owned(), json!(message::md5_of_body(&send.message_body)));
    if let Some(digest) = message::md5_of_attributes(&send.message_attributes) {
        answer.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
    }
    Ok(Checked { outgoing: Outgoing { body: send.message_body, attributes: send.message_attributes, delay }, answer })
}

fn send(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: Send = read(body)?;
    let name = queue_name(&request.queue_url)?.to_owned();
    let mut state = sqs.state();
    let max_size = state.queue(&name)?.attributes.max_size as usize;
    let Checked { outgoing, mut answer } = check_send(request, max_size)?;
    let ids = state.send(&name, vec![outgoing], sqs.now())?;
    answer.insert("MessageId".to_owned(), json!(ids.first()));
    Ok(Value::Object(answer))
}

fn failed_entry(id: &str, error: &SqsError) -> Value {
    json!({ "Id": id, "Code": error.code(), "Message": error.message, "SenderFault": error.senders_fault() })
}

fn send_batch(sqs: &Sqs, body: &[u8]) -> Answered {
    let request: Batch<Send> = read(body)?;
    let name = queue_name(&request.queue_url)?;
    let mut state = sqs.state();
    let max_size = state.queue(name)?.attributes.max_size as usize;
    check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let sum: usize =
        request.entries.iter().map(|entry| message::size(&entry.message_body, &entry.message_attributes)).sum();
    if sum > MAX_BYTES {
        let why = format!("Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {sum} bytes.");
        return Err(SqsError::new(Kind::BatchTooLong, why));
    }
    let (mut outgoing, mut successful, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for entry in request.entries {
        let id = entry.id.clone();
        match check_send(entry, max_size) {
            Ok(checked) => {
                let mut answer = checked.answer;
                answer.insert("Id".to_owned(), json!(id));
                outgoing.push(checked.outgoing);
                successful.push(answer);
            }
            Err(error) => failed.push(failed_entry(&id, &error)),
        }
    }
    let ids = state.send(name, outgoing, sqs.now())?;
    for (answer, id) in successful.iter_mut().zip(ids) {
        answer.insert("MessageId".to_owned(), json!(id));
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// Responds to `ReceiveMessage`, waiting for messages as long as the request or the queue says.
pub(super) async fn receive(sqs: &Arc<Sqs>, body: &[u8]) -> Answered {
    let request: ReceiveMessage = read(body)?;
    let name = queue_name(&request.queue_url)?;
    let most = in_range("MaxNumberOfMessages", request.max_number_of_messages, 1, 10)?.unwrap_or(1) as usize;
    let timeout = in_range("VisibilityTimeout", request.visibility_timeout, 0, 43_200)?;
    let wait = in_range("WaitTimeSeconds", request.wait_time_seconds, 0, 20)?;
    let (wait, arrived) = {
        let mut state = sqs.state();
        let queue = state.queue(name)?;
        (wait.unwrap_or(queue.attributes.wait), Arc::clone(&queue.arrived))
    };
    let deadline = machine_ms() + i64::from(wait) * 1000;
    loop {
        // Registered before looking, so that a message that comes in between is not slept through.
        let notified = arrived.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        let nothing = match sqs.state().receive(name, sqs.now(), most, timeout)? {
            Ok(received) => {
                let messages: Vec<Value> = received.iter().map(|received| to_json(received, &request)).collect();
                return Ok(json!({ "Messages": messages }));
            }
            Err(nothing) => nothing,
        };
        let now = machine_ms();
        if now >= deadline {
            return Ok(json!({}));
        }
        // A simulated clock wakes this when it moves.
        let by_clock = nothing.next_by_clock.filter(|_| !sqs.clock.is_simulated());
        let until = nothing.next_by_machine.into_iter().chain(by_clock).fold(deadline, i64::min);
        let pause = Duration::from_millis((until - now).max(1).unsigned_abs());
        tokio::select! {
            () = notified => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Returns whether a list of requested message attributes (`All`, `.*`, `prefix.*` or names) includes `name`.
fn wanted(names: &[String], name: &str) -> bool {
    names.iter().any(|wanted| match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    })
}

fn to_json(received: &Received, request: &ReceiveMessage) -> Value {
    let message = &received.message;
    let mut json = json!({
        "MessageId": message.id,
        "ReceiptHandle": received.handle,
        "MD5OfBody": message::md5_of_body(&message.body),
        "Body": message.body,
    });
    let system = [
        ("SenderId", Some(super::attributes::ACCOUNT.to_owned())),
        ("SentTimestamp", Some(message.sent_ms.to_string())),
        ("ApproximateReceiveCount", Some(message.receives.to_string())),
        ("ApproximateFirstReceiveTimestamp", message.first_received_ms.map(|at| at.to_string())),
        ("DeadLetterQueueSourceArn", message.source.clone()),
    ];
    let mut names = request.attribute_names.iter().chain(&request.message_system_attribute_names);
    let asked: Vec<&String> = names.by_ref().collect();
    let attributes: Map<String, Value> = system
        .into_iter()
        .filter(|(name, _)| asked.iter().any(|asked| *asked == "All" || asked == name))
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect();
    if !attributes.is_empty() {
        json["Attributes"] = Value::Object(attributes);
    }
    let chosen: Vec<(&String, &MessageAttribute)> =
        message.attributes.iter().filter(|(name, _)| wanted(&request.message_attribute_names, name)).collect();
    if let Some(digest) = message::md5_of_attributes(chosen.iter().copied()) {
        json["MD5OfMessageAttributes"] = json!(digest);
        json["MessageAttributes"] =
            chosen.into_iter().map(|(name, attribute)| (name.clone(), json!(attribute))).collect();
    }
    json
}

/// Deletes the message of one receipt. A handle of an earlier receive succeeds and deletes nothing, as the API
/// reference says.
fn delete_one(sqs: &Sqs, queue: &str, receipt: &Receipt) -> Result<(), SqsError> {
    let mut state = sqs.state();
    if receipt.receipt_handle.is_empty() {
        return Err(SqsError::missing("ReceiptHandle"));
    }
    match state.queue(queue)?.resolve(&receipt.receipt_handle)? {
        Some(seq) => state.delete(queue, &[seq]),
        None => Ok(()),
    }
}

fn change_one(sqs: &Sqs, queue: &str, receipt: &Receipt) -> Result<(), SqsError> {
    let timeout = in_range("VisibilityTimeout", receipt.visibility_timeout, 0, 43_200)?
        .ok_or_else(|| SqsError::missing("VisibilityTimeout"))?;
    let mut state = sqs.state();
    let queue = state.queue(queue)?;
    let seq = queue.resolve(&receipt.receipt_handle)?;
    let not_in_flight = || SqsError::new(Kind::NotInFlight, "The specified message is not in flight.");
    queue.change_visibility(sqs.now(), seq.ok_or_else(not_in_flight)?, i64::from(timeout) * 1000)
}

fn delete(sqs: &Sqs, body: &[u8]) -> Answered {
    let receipt: Receipt = read(body)?;
    delete_one(sqs, queue_name(&receipt.queue_url)?, &receipt)?;
    Ok(json!({}))
}

fn change_visibility(sqs: &Sqs, body: &[u8]) -> Answered {
    let receipt: Receipt = read(body)?;
    change_one(sqs, queue_name(&receipt.queue_url)?, &receipt)?;
    Ok(json!({}))
}

/// Applies an action to each receipt of a batch, and reports each result.
fn receipt_batch(sqs: &Sqs, body: &[u8], action: fn(&Sqs, &str, &Receipt) -> Result<(), SqsError>) -> Answered {
    let request: Batch<Receipt> = read(body)?;
    let name = queue_name(&request.queue_url)?;
    sqs.state().queue(name)?;
    check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in &request.entries {
        match action(sqs, name, entry) {
            Ok(()) => successful.push(json!({ "Id": entry.id })),
            Err(error) => failed.push(failed_entry(&entry.id, &error)),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}
