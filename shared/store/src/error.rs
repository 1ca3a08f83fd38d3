//! Errors of the table, sorted by what the caller can do about them.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call to the table failed. Requests that DynamoDB throttled or dropped were repeated by the SDK before this is given.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The item was written since it was read, or is not in the required state: read again and retry.
    #[error("{operation}: the item has changed since it was read")]
    Conflict {
        /// The store's operation.
        operation: &'static str,
    },
    /// DynamoDB throttles: leave the work for a redelivery.
    #[error("{operation}: throttled")]
    Throttled {
        /// The store's operation.
        operation: &'static str,
    },
    /// There was no response: the request may or may not have been applied. Every write can be repeated.
    #[error("{operation}: no answer ({why})")]
    NoAnswer {
        /// The store's operation.
        operation: &'static str,
        /// Timed out, not reached, or not understood.
        why: &'static str,
    },
    /// DynamoDB refused, and will again.
    #[error("{operation}: refused with {code}")]
    Refused {
        /// The store's operation.
        operation: &'static str,
        /// DynamoDB's error code. Its message is left out, as it may quote keys.
        code: String,
    },
    /// An item is not what this version writes or reads.
    #[error("an item cannot be read: {0}")]
    Corrupt(String),
    /// The data is larger than can be written, or read again.
    #[error("{what} has {bytes} bytes; at most {most} can be stored")]
    TooLarge {
        /// The kind of data.
        what: &'static str,
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// A value cannot be written as an item.
    #[error("a value cannot be stored: {0}")]
    Unstorable(String),
}

impl StoreError {
    /// Returns whether reading again and retrying at once may succeed.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Returns whether an item is damaged: reading it again does not help, and other items are not affected.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Corrupt(_))
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

/// Sorts an SDK error.
pub(crate) fn sort<E: ProvideErrorMetadata, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError {
    let code = match &error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("Unknown"),
        SdkError::TimeoutError(_) => return StoreError::NoAnswer { operation, why: "timed out" },
        SdkError::DispatchFailure(_) => return StoreError::NoAnswer { operation, why: "not reached" },
        SdkError::ResponseError(_) => return StoreError::NoAnswer { operation, why: "not understood" },
        _ => "NotSent",
    };
    match code {
        "ConditionalCheckFailedException" | "TransactionConflictException" => StoreError::Conflict { operation },
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" | "Throttling" => {
            StoreError::Throttled { operation }
        }
        "InternalServerError" | "ServiceUnavailable" => StoreError::NoAnswer { operation, why: "service failure" },
        code => StoreError::Refused { operation, code: code.to_owned() },
    }
}

/// Converts a failed condition to `None`, and returns every other result unchanged.
pub(crate) fn unless_conflict<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
