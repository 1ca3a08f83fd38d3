//! Messages for queues, and the actions or records that they come from.

use perennial_contracts::queue::EventsPayload;
use perennial_domain::{AccountId, PersonId};
use perennial_lambda_kit::queue::{Delay, Sender};

/// A message for a queue, and the actions it contains.
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) of: Vec<usize>,
}

/// Sends everything packed; returns the actions whose message was not accepted.
pub(crate) async fn send(queue: &dyn Sender, outgoing: Vec<Outgoing>, delay: Delay) -> Vec<usize> {
    if outgoing.is_empty() {
        return Vec::new();
    }
    let (bodies, of): (Vec<String>, Vec<Vec<usize>>) =
        outgoing.into_iter().map(|outgoing| (outgoing.body, outgoing.of)).unzip();
    let report = queue.send(bodies, delay).await;
    if let Some(first) = report.unsent.first() {
        tracing::warn!(unsent = report.unsent.len(), code = %first.code, "outbox entries could not be sent; they stay");
    }
    report.unsent.iter().filter_map(|unsent| of.get(unsent.index)).flatten().copied().collect()
}

/// Requests an evaluation of people who were written with an account's facts from before this version of it. If the message cannot be
/// sent, they are evaluated at their next event or timer.
pub(crate) async fn evaluate_again(events: &dyn Sender, (account, version): (AccountId, u64), people: Vec<PersonId>) {
    let wake = EventsPayload::Wake { account: account.clone(), version, people };
    let sent = match serde_json::to_string(&wake) {
        Ok(body) => events.send(vec![body], Delay::NONE).await.into_result().map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = sent {
        tracing::warn!(%account, error, "failed to have people evaluated again with their changed account");
    }
}
