//! Parses queue messages by their shape.

use crate::error::DeliverError;
use perennial_contracts::queue::{MessagesPayload, TestSend, Unsettled, Waiting};
use perennial_contracts::ses::{self, MailEvent, Notice};
use perennial_domain::{CrmUpdate, Decision};

/// A message of one of the two queues.
#[derive(Debug)]
pub(crate) enum Input {
    /// Send this once.
    Decision(Box<Decision>),
    /// Write this into the CRM once.
    Update(Box<CrmUpdate>),
    /// Find out what became of this mail.
    Unsettled(Box<Unsettled>),
    /// A deferred message, to continue when it is due.
    Waiting(Box<Waiting>),
    /// A test mail.
    TestSend(Box<TestSend>),
    /// Something became of a mail.
    MailEvent(Box<MailEvent>),
    /// SNS requests confirmation of a subscription of this topic, or reports that one ended.
    Confirmation(String),
    /// Nothing to do.
    Nothing,
}

/// Parses a body. Decisions have their version as their only key; SNS and SES have keys of their own.
pub(crate) fn read(body: &str) -> Result<Input, DeliverError> {
    if ses::is_notice(body) {
        return Ok(match ses::parse(body)? {
            Notice::Mail(event) => Input::MailEvent(event),
            Notice::Confirmation { topic } => Input::Confirmation(topic),
            Notice::Greeting => Input::Nothing,
        });
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).map_err(|error| {
        DeliverError::Body(format!("{:?} at line {} column {}", error.classify(), error.line(), error.column()))
    })?;
    match serde_json::from_value(object.into()) {
        Ok(MessagesPayload::Decision(decision)) => Ok(Input::Decision(Box::new(decision))),
        Ok(MessagesPayload::AccountUpdate(update) | MessagesPayload::PersonUpdate(update)) => {
            Ok(Input::Update(Box::new(update)))
        }
        Ok(MessagesPayload::Unsettled(unsettled)) => Ok(Input::Unsettled(Box::new(unsettled))),
        Ok(MessagesPayload::Waiting(waiting)) if !matches!(*waiting.message, MessagesPayload::Waiting(_)) => {
            Ok(Input::Waiting(Box::new(waiting)))
        }
        Ok(MessagesPayload::Waiting(_)) => Err(DeliverError::Body("a message waits within another".to_owned())),
        Ok(MessagesPayload::TestSend(test)) => Ok(Input::TestSend(Box::new(test))),
        // serde's words may quote a value.
        Err(error) => Err(DeliverError::Body(format!("{:?}", error.classify()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bodies_of_neither_queue_are_refused_without_quoting_them() {
        for body in [
            "",
            "secret",
            "[\"secret\"]",
            "{}",
            r#"{"decision.v9":{"secret":1}}"#,
            r#"{"decision.v1":{"id":"secret"}}"#,
            r#"{"Type":"Notification","Message":"secret"}"#,
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
