//! The attributes of a queue: their names, ranges and defaults.
//!
//! Source: Amazon SQS API reference, `CreateQueue` and `SetQueueAttributes`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::{Kind, SqsError};
use super::message::MAX_BYTES;

/// The account that all embedded queues belong to.
pub(super) const ACCOUNT: &str = "000000000000";

/// The region in the ARNs of the embedded queues.
pub(super) const REGION: &str = "us-east-1";

/// Returns the ARN of the queue `name`.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// Returns the queue's name in an ARN of this account.
pub(super) fn name_of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:aws:sqs:")?.split_once(':')?.1.split_once(':').map(|(_, name)| name)
}

/// The settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueAttributes {
    /// Seconds that a received message stays invisible, 0..=43200.
    pub(super) visibility_timeout: u32,
    /// Seconds before a sent message can be received, 0..=900.
    pub(super) delay: u32,
    /// Seconds that a message is kept, 60..=1209600.
    pub(super) retention: u32,
    /// Bytes of the largest message, 1024..=1048576.
    pub(super) max_size: u32,
    /// Seconds that a receive waits by default, 0..=20.
    pub(super) wait: u32,
    /// The dead-letter queue.
    pub(super) redrive: Option<Redrive>,
    /// Attributes that are only stored and returned: policies and encryption settings, without effect here.
    pub(super) inert: BTreeMap<String, String>,
}

/// A redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    /// Name of the dead-letter queue.
    pub(super) target: String,
    /// Receives after which a message goes there, 1..=1000.
    pub(super) max_receives: u32,
}

impl Redrive {
    /// Reads `{"deadLetterTargetArn": "...", "maxReceiveCount": 3}`; the count may be a string, as the console and CDK write it.
    fn parse(value: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Count {
            Number(u32),
            Text(String),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Policy {
            dead_letter_target_arn: String,
            max_receive_count: Count,
        }
        let policy: Policy = serde_json::from_str(value).ok()?;
        let max_receives = match policy.max_receive_count {
            Count::Number(count) => count,
            Count::Text(count) => count.parse().ok()?,
        };
        let target = name_of_arn(&policy.dead_letter_target_arn)?.to_owned();
        (1..=1000).contains(&max_receives).then_some(Self { target, max_receives })
    }

    fn to_json(&self) -> String {
        serde_json::json!({ "deadLetterTargetArn": arn(&self.target), "maxReceiveCount": self.max_receives })
            .to_string()
    }
}

impl Default for QueueAttributes {
    fn default() -> Self {
        Self {
            visibility_timeout: 30,
            delay: 0,
            retention: 345_600,
            max_size: u32::try_from(MAX_BYTES).unwrap_or(u32::MAX),
            wait: 0,
            redrive: None,
            inert: BTreeMap::new(),
        }
    }
}

const INERT: [&str; 5] =
    ["Policy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"];

impl QueueAttributes {
    /// Sets one attribute.
    ///
    /// # Errors
    /// An unknown name, a value out of range, and every attribute of FIFO queues.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        let number = |least: u32, most: u32| {
            value.parse::<u32>().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
                SqsError::new(Kind::BadAttributeValue, format!("Invalid value for the parameter {name}."))
            })
        };
        match name {
            "VisibilityTimeout" => self.visibility_timeout = number(0, 43_200)?,
            "DelaySeconds" => self.delay = number(0, 900)?,
            "MessageRetentionPeriod" => self.retention = number(60, 1_209_600)?,
            "MaximumMessageSize" => self.max_size = number(1024, 1_048_576)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait = number(0, 20)?,
            "RedrivePolicy" if value.is_empty() => self.redrive = None,
            "RedrivePolicy" => {
                let redrive = Redrive::parse(value).ok_or_else(|| {
                    let why = "Value for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount or deadLetterTargetArn.";
                    SqsError::new(Kind::BadParameter, why)
                })?;
                self.redrive = Some(redrive);
            }
            "FifoQueue" | "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" => {
                return Err(fifo_refused());
            }
            name if INERT.contains(&name) => {
                if value.is_empty() {
                    self.inert.remove(name);
                } else {
                    self.inert.insert(name.to_owned(), value.to_owned());
                }
            }
            _ => return Err(SqsError::new(Kind::BadAttributeName, format!("Unknown Attribute {name}."))),
        }
        Ok(())
    }

    /// Returns all settings with SQS's names and formats, as the queue's file stores them.
    pub(super) fn to_map(&self) -> BTreeMap<String, String> {
        let mut map = self.inert.clone();
        let numbers = [
            ("VisibilityTimeout", self.visibility_timeout),
            ("DelaySeconds", self.delay),
            ("MessageRetentionPeriod", self.retention),
            ("MaximumMessageSize", self.max_size),
            ("ReceiveMessageWaitTimeSeconds", self.wait),
        ];
        map.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
        if let Some(redrive) = &self.redrive {
            map.insert("RedrivePolicy".to_owned(), redrive.to_json());
        }
        map
    }

    /// Returns the settings in `map`, with defaults for the rest.
    pub(super) fn from_map<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Self, SqsError> {
        let mut attributes = Self::default();
        for (name, value) in map {
            attributes.set(name, value)?;
        }
        Ok(attributes)
    }
}

/// Returns the error for a FIFO queue.
pub(super) fn fifo_refused() -> SqsError {
    SqsError::new(Kind::Unsupported, "The embedded SQS has standard queues only; FIFO queues are not supported.")
}

/// Checks a queue's name: 1 to 80 letters, digits, hyphens and underscores.
pub(super) fn check_name(name: &str) -> Result<(), SqsError> {
    if name.to_ascii_lowercase().ends_with(".fifo") {
        return Err(fifo_refused());
    }
    let legal = (1..=80).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if legal {
        return Ok(());
    }
    let why = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    Err(SqsError::new(Kind::BadParameter, why))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn attributes_survive_being_written_and_read() {
        let mut attributes = QueueAttributes::default();
        attributes.set("VisibilityTimeout", "7").unwrap();
        attributes
            .set("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:q-dlq","maxReceiveCount":"3"}"#)
            .unwrap();
        attributes.set("Policy", "{}").unwrap();
        assert_eq!(attributes.redrive, Some(Redrive { target: "q-dlq".to_owned(), max_receives: 3 }));
        assert_eq!(QueueAttributes::from_map(&attributes.to_map()).unwrap(), attributes);
    }

    #[test]
    fn values_out_of_range_unknown_names_and_fifo_are_refused() {
        let refusal = |name, value| QueueAttributes::default().set(name, value).unwrap_err().kind;
        assert_eq!(refusal("VisibilityTimeout", "43201"), Kind::BadAttributeValue);
        assert_eq!(refusal("MessageRetentionPeriod", "59"), Kind::BadAttributeValue);
        assert_eq!(refusal("Colour", "red"), Kind::BadAttributeName);
        assert_eq!(refusal("FifoQueue", "true"), Kind::Unsupported);
        assert_eq!(
            refusal("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:r:1:q","maxReceiveCount":0}"#),
            Kind::BadParameter
        );
        assert_eq!(check_name("q.fifo").unwrap_err().kind, Kind::Unsupported);
        assert_eq!(check_name("a b").unwrap_err().kind, Kind::BadParameter);
    }
}
