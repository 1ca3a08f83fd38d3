//! Why a record fails: it stays in its queue, and after three times in the DLQ.

use perennial_channels::address::InvalidAddress;
use perennial_channels::render::RenderError;
use perennial_channels::secrets::SecretError;
use perennial_contracts::ses::InvalidMailEvent;
use perennial_lambda_kit::queue::SendError;
use perennial_store::StoreError;

/// The reason why the record's queue message is kept. No text contains personal data.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// Neither a decision nor an SES event.
    #[error("the body is no message of this function: {0}")]
    Body(String),
    /// An invalid SES event.
    #[error(transparent)]
    MailEvent(#[from] InvalidMailEvent),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The message could not be rendered: correct the template, push it and redrive.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// `[mail]` in `channels.toml` has an invalid address.
    #[error("channels.toml, mail: {0}")]
    Letterhead(InvalidAddress),
    /// An endpoint is not in the config.
    #[error("channels.toml has no endpoint {0}")]
    NoEndpoint(String),
    /// An account update is for an endpoint that keeps no records.
    #[error("the endpoint {0} keeps no records of accounts")]
    NoRecords(String),
    /// An endpoint's secret is not in the environment.
    #[error("{0} is not set: it must contain the endpoint's secret")]
    NoSecret(String),
    /// An endpoint's secret could not be had from where AWS keeps it.
    #[error("the secret {name}: {error}")]
    Secret {
        /// Its name or ARN.
        name: String,
        /// Why.
        error: SecretError,
    },
    /// The mail could not be written.
    #[error("the mail could not be written")]
    Compose(#[source] std::io::Error),
    /// It was not sent, and an operator has to fix something before it can be.
    #[error("{channel}: {reason}")]
    Refused {
        /// Which channel.
        channel: &'static str,
        /// Why.
        reason: String,
    },
    /// The message for a later attempt could not be sent to the messages queue.
    #[error("failed to requeue the message: {0}")]
    Wait(SendError),
    /// An event could not be put on the events queue.
    #[error(transparent)]
    Forward(#[from] SendError),
    /// A body for a queue could not be made.
    #[error("a message for a queue could not be written: {0}")]
    Event(String),
}
