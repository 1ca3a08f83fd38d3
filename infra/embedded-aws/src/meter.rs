//! The meter: calls and billed units that pass by, for a bill computed from counts and a price table.
//!
//! Sources: DynamoDB developer guide, "Read and write request units"; SQS pricing page ("each 64 KB chunk of a payload is billed as one
//! request"); SES pricing page (billed by recipient).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::http::{Answering, Call, Outcome, Service, ServiceKind};

/// Bytes of payload that one billed SQS request carries.
const SQS_CHUNK: usize = 64 * 1024;

/// Calls of one operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationUsage {
    /// Calls that reached the service.
    pub calls: u64,
    /// The number of errors among them.
    pub errors: u64,
    /// Read units (DynamoDB).
    pub read_units: f64,
    /// Write units (DynamoDB).
    pub write_units: f64,
    /// Billed requests (SQS), empty receives not among them.
    pub billed_requests: u64,
    /// Entries: messages sent, received or deleted (SQS), recipients (SES).
    pub entries: u64,
}

/// DynamoDB's consumption.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DynamoDbUsage {
    /// By operation.
    pub operations: BTreeMap<String, OperationUsage>,
    /// Read units, tables and indexes together.
    pub read_units: f64,
    /// Write units, tables and indexes together.
    pub write_units: f64,
    /// Units of each index, as `table/index`; contained in the sums.
    pub index_units: BTreeMap<String, f64>,
    /// Write units of `PutItem` by the kind of item: its partition key up to the first `#`. Contained in the sums.
    #[serde(default)]
    pub put_units: BTreeMap<String, f64>,
    /// Writes whose condition did not hold. Each is billed, and counted in the sums, as one write unit: the minimum,
    /// since the error does not report the size of the item.
    pub failed_conditions: u64,
}

/// SQS's billed units.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SqsUsage {
    /// By operation.
    pub operations: BTreeMap<String, OperationUsage>,
    /// Requests in chunks of 64 KB of payload, at least one a call; a batch's payload is the sum of its messages. Without empty receives.
    pub billed_requests: u64,
    /// Receives without a message. AWS bills each as a request.
    pub empty_receives: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Messages received.
    pub messages_received: u64,
}

/// SES's billed units.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SesUsage {
    /// By operation.
    pub operations: BTreeMap<String, OperationUsage>,
    /// Mails accepted.
    pub mails: u64,
    /// Recipients of accepted mails in the requests, which are billed.
    pub recipients: u64,
}

/// The usage since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// DynamoDB.
    pub dynamodb: DynamoDbUsage,
    /// SQS.
    pub sqs: SqsUsage,
    /// SES.
    pub ses: SesUsage,
}

/// The meter of all three services. Cheap to clone; clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Usage>>);

impl Meter {
    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the usage since the start or the last reset.
    #[must_use]
    pub fn snapshot(&self) -> Usage {
        self.usage().clone()
    }

    /// Resets the meter to zero, and returns the usage until now.
    pub fn reset(&self) -> Usage {
        std::mem::take(&mut *self.usage())
    }

    /// `service` with its calls counted.
    pub(crate) fn around(&self, kind: ServiceKind, service: Arc<dyn Service>) -> Arc<dyn Service> {
        Arc::new(Layer { kind, meter: self.clone(), inner: service })
    }

    fn count(&self, kind: ServiceKind, operation: &str, request: &[u8], status: StatusCode, response: &[u8]) {
        let mut usage = self.usage();
        let failed = !status.is_success();
        match kind {
            ServiceKind::DynamoDb => count_dynamodb(&mut usage.dynamodb, operation, failed, request, response),
            ServiceKind::Sqs => count_sqs(&mut usage.sqs, operation, failed, request, response),
            ServiceKind::Ses => count_ses(&mut usage.ses, operation, failed, request),
        }
    }
}

fn call_of<'a>(
    operations: &'a mut BTreeMap<String, OperationUsage>,
    operation: &str,
    failed: bool,
) -> &'a mut OperationUsage {
    let usage = operations.entry(operation.to_owned()).or_default();
    usage.calls += 1;
    usage.errors += u64::from(failed);
    usage
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Consumed),
    Many(Vec<Consumed>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Consumed {
    #[serde(default)]
    table_name: String,
    #[serde(default)]
    capacity_units: f64,
    #[serde(default)]
    global_secondary_indexes: BTreeMap<String, Capacity>,
    #[serde(default)]
    local_secondary_indexes: BTreeMap<String, Capacity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Capacity {
    #[serde(default)]
    capacity_units: f64,
}

#[derive(Deserialize)]
struct DynamoDbAnswer {
    #[serde(rename = "ConsumedCapacity")]
    consumed: Option<OneOrMany>,
    #[serde(rename = "__type")]
    error: Option<String>,
}

/// Returns the kind of the item that a request puts.
fn kind_of_item(request: &[u8]) -> Option<String> {
    let request = serde_json::from_slice::<Value>(request).ok()?;
    let key = request.get("Item")?.get("pk")?.get("S")?.as_str()?;
    Some(key.split('#').next().unwrap_or_default().to_owned())
}

fn count_dynamodb(usage: &mut DynamoDbUsage, operation: &str, failed: bool, request: &[u8], response: &[u8]) {
    let reads = matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan" | "TransactGetItems");
    let answer = serde_json::from_slice::<DynamoDbAnswer>(response).ok();
    let mut units = 0.0;
    if let Some(answer) = answer {
        let consumed = match answer.consumed {
            Some(OneOrMany::One(one)) => vec![one],
            Some(OneOrMany::Many(many)) => many,
            None => Vec::new(),
        };
        for Consumed { table_name, capacity_units, global_secondary_indexes, local_secondary_indexes } in consumed {
            units += capacity_units;
            for (index, capacity) in global_secondary_indexes.into_iter().chain(local_secondary_indexes) {
                *usage.index_units.entry(format!("{table_name}/{index}")).or_default() += capacity.capacity_units;
            }
        }
        if answer.error.is_some_and(|error| error.ends_with("#ConditionalCheckFailedException")) {
            usage.failed_conditions += 1;
            units += 1.0;
        }
    }
    if operation == "PutItem"
        && let Some(kind) = kind_of_item(request)
    {
        *usage.put_units.entry(kind).or_default() += units;
    }
    let of_operation = call_of(&mut usage.operations, operation, failed);
    if reads {
        of_operation.read_units += units;
        usage.read_units += units;
    } else {
        of_operation.write_units += units;
        usage.write_units += units;
    }
}

/// Returns the size of a message in a request or a response: body, and names, types and values of its attributes.
/// Binary values count as three quarters of their base64, ignoring padding.
fn payload(message: &Value, body: &str) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = message.get("MessageAttributes").and_then(Value::as_object);
    let of_attributes: usize = attributes
        .into_iter()
        .flatten()
        .map(|(name, attribute)| {
            let binary =
                attribute["BinaryValue"].as_str().map_or(0, |base64| base64.trim_end_matches('=').len() * 3 / 4);
            name.len() + length(&attribute["DataType"]) + length(&attribute["StringValue"]) + binary
        })
        .sum();
    length(&message[body]) + of_attributes
}

/// Number and payload of the messages under `list`.
fn messages(json: &Value, list: &str, body: &str) -> (u64, usize) {
    let all = json.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    (all.len() as u64, all.iter().map(|message| payload(message, body)).sum())
}

fn count_sqs(usage: &mut SqsUsage, operation: &str, failed: bool, request: &[u8], response: &[u8]) {
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let (entries, bytes) = match operation {
        _ if failed => (0, 0),
        "SendMessage" => (1, payload(&read(request), "MessageBody")),
        "SendMessageBatch" => messages(&read(request), "Entries", "MessageBody"),
        "ReceiveMessage" => messages(&read(response), "Messages", "Body"),
        "DeleteMessage" | "ChangeMessageVisibility" => (1, 0),
        "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => (messages(&read(request), "Entries", "").0, 0),
        _ => (0, 0),
    };
    let empty = operation == "ReceiveMessage" && !failed && entries == 0;
    let billed = if failed || empty { 0 } else { bytes.div_ceil(SQS_CHUNK).max(1) as u64 };
    let of_operation = call_of(&mut usage.operations, operation, failed);
    of_operation.billed_requests += billed;
    of_operation.entries += entries;
    usage.billed_requests += billed;
    usage.empty_receives += u64::from(empty);
    match operation {
        "SendMessage" | "SendMessageBatch" => usage.messages_sent += entries,
        "ReceiveMessage" => usage.messages_received += entries,
        _ => {}
    }
}

fn count_ses(usage: &mut SesUsage, operation: &str, failed: bool, request: &[u8]) {
    let mut recipients = 0;
    if operation == "SendEmail" && !failed {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let lists = ["ToAddresses", "CcAddresses", "BccAddresses"];
        recipients = lists.iter().map(|list| request["Destination"][list].as_array().map_or(0, Vec::len) as u64).sum();
        usage.mails += 1;
        usage.recipients += recipients;
    }
    call_of(&mut usage.operations, operation, failed).entries += recipients;
}

/// The operations that report their consumption on request.
const REPORTING: [&str; 10] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "GetItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "TransactGetItems",
];

/// Returns the request with `ReturnConsumedCapacity: INDEXES`, unless it requests a report itself.
fn ask_for_capacity(body: &Bytes) -> Bytes {
    let Ok(mut request) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else { return body.clone() };
    if request.get("ReturnConsumedCapacity").is_some_and(|asked| asked.get() != "\"NONE\"") {
        return body.clone();
    }
    let Ok(indexes) = serde_json::from_str::<&RawValue>("\"INDEXES\"") else { return body.clone() };
    request.insert("ReturnConsumedCapacity".to_owned(), indexes);
    serde_json::to_vec(&request).map_or_else(|_| body.clone(), Bytes::from)
}

struct Layer {
    kind: ServiceKind,
    meter: Meter,
    inner: Arc<dyn Service>,
}

impl Service for Layer {
    fn call(self: Arc<Self>, mut call: Call) -> Answering {
        Box::pin(async move {
            let operation = self.kind.operation(&call);
            if self.kind == ServiceKind::DynamoDb && REPORTING.contains(&operation.as_str()) {
                call.body = ask_for_capacity(&call.body);
            }
            let request = call.body.clone();
            let outcome = Arc::clone(&self.inner).call(call).await;
            if let Outcome::Answer(answer) = &outcome {
                self.meter.count(self.kind, &operation, &request, answer.status, &answer.body);
            }
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_asked_for_unless_the_caller_asks_for_another() {
        let asked = |body: &'static str| {
            String::from_utf8_lossy(&ask_for_capacity(&Bytes::from_static(body.as_bytes()))).into_owned()
        };
        assert_eq!(asked(r#"{"TableName":"t"}"#), r#"{"ReturnConsumedCapacity":"INDEXES","TableName":"t"}"#);
        assert_eq!(asked(r#"{"ReturnConsumedCapacity":"NONE"}"#), r#"{"ReturnConsumedCapacity":"INDEXES"}"#);
        assert_eq!(asked(r#"{"ReturnConsumedCapacity":"TOTAL"}"#), r#"{"ReturnConsumedCapacity":"TOTAL"}"#);
        assert_eq!(asked("not json"), "not json");
    }

    #[test]
    fn a_request_is_billed_by_started_chunk_and_an_empty_receive_apart() {
        let mut usage = SqsUsage::default();
        let send = |bytes: usize| serde_json::json!({ "MessageBody": "x".repeat(bytes) }).to_string();
        for (bytes, billed) in [(1, 1), (SQS_CHUNK, 2), (SQS_CHUNK + 1, 4)] {
            count_sqs(&mut usage, "SendMessage", false, send(bytes).as_bytes(), b"{}");
            assert_eq!(usage.billed_requests, billed, "after {bytes} bytes");
        }
        count_sqs(&mut usage, "ReceiveMessage", false, b"{}", b"{}");
        assert_eq!((usage.billed_requests, usage.empty_receives), (4, 1));
    }
}
