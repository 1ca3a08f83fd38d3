//! Partial failures: removes entries of a batch, and reports them in the response.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::AWS_JSON;
use crate::http::{Answer, ServiceKind};
use crate::random::SplitMix64;

/// The removed entries.
#[derive(Debug)]
pub(super) enum Refused {
    /// Failed entries of an SQS batch.
    Failed(Vec<Value>),
    /// `UnprocessedItems` or `UnprocessedKeys`, by table.
    Unprocessed(&'static str, Map<String, Value>),
}

/// A batch in two parts.
#[derive(Debug)]
pub(super) struct Split {
    /// The request with the remaining entries; `None` if there are none.
    pub(super) rest: Option<String>,
    pub(super) refused: Refused,
}

impl Refused {
    /// Returns the response if nothing else was in the batch.
    pub(super) fn alone(self) -> Value {
        match self {
            Self::Failed(failed) => json!({ "Successful": [], "Failed": failed }),
            Self::Unprocessed("UnprocessedKeys", tables) => json!({ "Responses": {}, "UnprocessedKeys": tables }),
            Self::Unprocessed(key, tables) => json!({ key: tables }),
        }
    }

    /// The service's answer to the rest, with these entries reported too. The checksum of the old body goes.
    pub(super) fn merged_into(self, mut answer: Answer) -> Answer {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body) else { return answer };
        match self {
            Self::Failed(failed) => {
                if let Value::Array(all) = body.entry("Failed").or_insert_with(|| json!([])) {
                    all.extend(failed);
                }
            }
            Self::Unprocessed(key, tables) => {
                if let Value::Object(all) = body.entry(key).or_insert_with(|| json!({})) {
                    for (table, unprocessed) in tables {
                        merge(all, table, unprocessed);
                    }
                }
            }
        }
        answer.body = Value::Object(body).to_string().into();
        answer.headers.remove("x-amz-crc32");
        answer
    }
}

/// Adds a table's unprocessed requests to those that the service itself reported.
fn merge(all: &mut Map<String, Value>, table: String, unprocessed: Value) {
    match (all.get_mut(&table), unprocessed) {
        (Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
        (Some(own), Value::Object(more)) => {
            if let (Some(Value::Array(own)), Some(Value::Array(more))) = (own.get_mut("Keys"), more.get("Keys")) {
                own.extend(more.iter().cloned());
            }
        }
        (_, unprocessed) => {
            all.insert(table, unprocessed);
        }
    }
}

/// Chooses at least one of `count` entries, and each other with even odds.
fn choose(count: usize, choice: u64) -> Vec<bool> {
    let mut random = SplitMix64::new(choice);
    let sure = usize::try_from(random.next_u64() % (count as u64).max(1)).unwrap_or(0);
    (0..count).map(|index| random.next_unit() < 0.5 || index == sure).collect()
}

/// Splits `entries` into the removed ones and the rest.
fn part(entries: Vec<Value>, held: &mut impl Iterator<Item = bool>) -> (Vec<Value>, Vec<Value>) {
    entries.into_iter().partition(|_| held.next().unwrap_or(false))
}

/// Splits a batch request; `None` when the call is no batch or cannot be read, so that the service itself answers.
pub(super) fn split(service: ServiceKind, operation: &str, body: &[u8], choice: u64) -> Option<Split> {
    let mut request: Map<String, Value> = serde_json::from_slice(body).ok()?;
    match (service, operation) {
        (ServiceKind::Sqs, "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch") => {
            let Value::Array(entries) = request.remove("Entries")? else { return None };
            // A batch that is illegal by itself is refused by the service, not by the fault.
            if entries.is_empty() || entries.len() > 10 {
                return None;
            }
            let mut held = choose(entries.len(), choice).into_iter();
            let (refused, rest) = part(entries, &mut held);
            let failed = refused
                .iter()
                .map(|entry| json!({ "Id": entry["Id"], "Code": "InternalError", "Message": "Internal error.", "SenderFault": false }))
                .collect();
            let left = !rest.is_empty();
            request.insert("Entries".to_owned(), Value::Array(rest));
            Some(Split { rest: left.then(|| Value::Object(request).to_string()), refused: Refused::Failed(failed) })
        }
        (ServiceKind::DynamoDb, "BatchWriteItem") => split_tables(request, "UnprocessedItems", None, choice),
        (ServiceKind::DynamoDb, "BatchGetItem") => split_tables(request, "UnprocessedKeys", Some("Keys"), choice),
        _ => None,
    }
}

/// Splits `RequestItems`, with the entries by table, directly or under `inner`.
fn split_tables(
    mut request: Map<String, Value>,
    reported_as: &'static str,
    inner: Option<&str>,
    choice: u64,
) -> Option<Split> {
    let Value::Object(tables) = request.remove("RequestItems")? else { return None };
    let entries_of =
        |table: &Value| inner.map_or(Some(table), |inner| table.get(inner)).and_then(Value::as_array).cloned();
    let count = tables.values().map(|table| entries_of(table).map(|entries| entries.len())).sum::<Option<usize>>()?;
    if count == 0 {
        return None;
    }
    let mut held = choose(count, choice).into_iter();
    let (mut refused, mut rest) = (Map::new(), Map::new());
    for (name, table) in tables {
        let (back, on) = part(entries_of(&table)?, &mut held);
        for (entries, to) in [(back, &mut refused), (on, &mut rest)] {
            if entries.is_empty() {
                continue;
            }
            let mut part = table.clone();
            match inner {
                Some(inner) => part[inner] = Value::Array(entries),
                None => part = Value::Array(entries),
            }
            to.insert(name.clone(), part);
        }
    }
    let left = !rest.is_empty();
    request.insert("RequestItems".to_owned(), Value::Object(rest));
    Some(Split {
        rest: left.then(|| Value::Object(request).to_string()),
        refused: Refused::Unprocessed(reported_as, refused),
    })
}

/// Returns the response to a conflicting transaction; `None` when the call is not a transaction.
pub(super) fn conflict(service: ServiceKind, operation: &str, body: &[u8], choice: u64) -> Option<Answer> {
    if service != ServiceKind::DynamoDb || !matches!(operation, "TransactWriteItems" | "TransactGetItems") {
        return None;
    }
    let request: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let items = request.get("TransactItems")?.as_array()?.len();
    if items == 0 {
        return None;
    }
    let struck = usize::try_from(choice % items as u64).unwrap_or(0);
    let reason = |index| match index == struck {
        true => json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }),
        false => json!({ "Code": "None" }),
    };
    let reasons: Vec<Value> = (0..items).map(reason).collect();
    let codes: Vec<&str> =
        (0..items).map(|index| if index == struck { "TransactionConflict" } else { "None" }).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let shape = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = json!({ "__type": shape, "Message": message, "CancellationReasons": reasons });
    Some(Answer::json(StatusCode::BAD_REQUEST, AWS_JSON, body.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_entry_is_either_sent_on_or_reported() {
        let entries: Vec<Value> = (0..10).map(|id| json!({ "Id": id.to_string(), "MessageBody": "x" })).collect();
        let body = json!({ "QueueUrl": "u", "Entries": entries }).to_string();
        for choice in 0..50 {
            let split = split(ServiceKind::Sqs, "SendMessageBatch", body.as_bytes(), choice).unwrap();
            let rest = split
                .rest
                .map_or(0, |rest| serde_json::from_str::<Value>(&rest).unwrap()["Entries"].as_array().unwrap().len());
            let Refused::Failed(failed) = split.refused else { panic!("an SQS batch fails by entry") };
            assert!(!failed.is_empty());
            assert_eq!(rest + failed.len(), 10);
        }
    }

    #[test]
    fn unprocessed_keys_keep_the_options_of_their_table() {
        let body = json!({ "RequestItems": { "t": { "Keys": [{ "pk": { "S": "a" } }, { "pk": { "S": "b" } }], "ConsistentRead": true } } });
        let split = split(ServiceKind::DynamoDb, "BatchGetItem", body.to_string().as_bytes(), 3).unwrap();
        let Refused::Unprocessed("UnprocessedKeys", tables) = split.refused else { panic!("keys are unprocessed") };
        assert_eq!(tables["t"]["ConsistentRead"], json!(true));
        assert!(!tables["t"]["Keys"].as_array().unwrap().is_empty());
    }

    #[test]
    fn only_transactions_conflict() {
        assert!(conflict(ServiceKind::DynamoDb, "PutItem", b"{}", 0).is_none());
        let answer = conflict(ServiceKind::DynamoDb, "TransactWriteItems", br#"{"TransactItems":[{},{}]}"#, 1).unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["CancellationReasons"][1]["Code"], "TransactionConflict");
        assert_eq!(body["CancellationReasons"][0]["Code"], "None");
    }
}
