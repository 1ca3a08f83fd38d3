//! The errors of SQS, each with two names: the shape of the JSON protocol, and the code of the older query protocol, by
//! which the SDKs still distinguish errors (`x-amzn-query-error`).
//!
//! Source: Amazon SQS API reference, "Common errors" and each action's errors; the codes are those that `aws-sdk-sqs`
//! matches.

use http::StatusCode;

use crate::http::Answer;

/// The media type of awsJson 1.0.
pub(super) const AWS_JSON: &str = "application/x-amz-json-1.0";

/// Which error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    NoQueue,
    QueueExists,
    NoResource,
    BadAttributeName,
    BadAttributeValue,
    BadContents,
    BadHandle,
    NotInFlight,
    OverLimit,
    BadParameter,
    MissingParameter,
    EmptyBatch,
    BatchTooLarge,
    IdsNotDistinct,
    BadBatchId,
    BatchTooLong,
    Unsupported,
    Unreadable,
    Internal,
}

impl Kind {
    /// Returns the JSON shape's name and the query code.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::NoQueue => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::QueueExists => ("QueueNameExists", "QueueAlreadyExists"),
            Self::NoResource => ("ResourceNotFoundException", "ResourceNotFoundException"),
            Self::BadAttributeName => ("InvalidAttributeName", "InvalidAttributeName"),
            Self::BadAttributeValue => ("InvalidAttributeValue", "InvalidAttributeValue"),
            Self::BadContents => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::BadHandle => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            Self::NotInFlight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            Self::OverLimit => ("OverLimit", "OverLimit"),
            Self::BadParameter => ("InvalidParameterValueException", "InvalidParameterValue"),
            Self::MissingParameter => ("MissingRequiredParameterException", "MissingParameter"),
            Self::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            Self::BatchTooLarge => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
            }
            Self::IdsNotDistinct => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            Self::BadBatchId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            Self::BatchTooLong => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            Self::Unsupported => ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
            Self::Unreadable => ("SerializationException", "MalformedInput"),
            Self::Internal => ("InternalFailure", "InternalFailure"),
        }
    }
}

/// A refused call, or a refused entry of a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct SqsError {
    pub(super) kind: Kind,
    pub(super) message: String,
}

impl SqsError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn no_queue() -> Self {
        Self::new(Kind::NoQueue, "The specified queue does not exist.")
    }

    pub(super) fn bad_handle() -> Self {
        Self::new(Kind::BadHandle, "The input receipt handle is invalid.")
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(Kind::MissingParameter, format!("The request must contain the parameter {parameter}."))
    }

    /// A number outside of its range.
    pub(super) fn range(parameter: &str, value: i64, least: i64, most: i64) -> Self {
        Self::new(
            Kind::BadParameter,
            format!(
                "Value {value} for parameter {parameter} is invalid. Reason: Must be between {least} and {most}, if provided."
            ),
        )
    }

    /// The code as a batch's failed entry carries it.
    pub(super) fn code(&self) -> &'static str {
        self.kind.names().1
    }

    /// Returns whether the error is the caller's fault.
    pub(super) fn senders_fault(&self) -> bool {
        self.kind != Kind::Internal
    }

    pub(super) fn answer(&self) -> Answer {
        let (shape, code) = self.kind.names();
        let (status, fault) = match self.kind {
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Receiver"),
            _ => (StatusCode::BAD_REQUEST, "Sender"),
        };
        let body = serde_json::json!({ "__type": format!("com.amazonaws.sqs#{shape}"), "message": self.message });
        Answer::json(status, AWS_JSON, body.to_string()).with_header("x-amzn-query-error", &format!("{code};{fault}"))
    }
}

impl From<rusqlite::Error> for SqsError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the queues' database failed");
        Self::new(Kind::Internal, "The queues could not be written.")
    }
}
