//! The real queue.

use std::time::Duration;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use perennial_contracts::queue::escape_noncharacters;

use super::pack::pack;
use super::{Delay, SendReport, Sender, Unsent};

/// Requests in flight at once.
const CONCURRENCY: usize = 4;
/// The most attempts for an entry, the first one included.
const OFFERS: u32 = 4;
/// The wait before the second offer; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(50);

/// An SQS queue: a client and the queue's URL.
#[derive(Debug, Clone)]
pub struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    /// The queue at `url`.
    pub fn new(client: aws_sdk_sqs::Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends all of `messages`, bodies with their delays, several a request, and returns those that were not accepted.
    ///
    /// Entries that SQS refuses for its own reasons are offered up to four times; those refused as the sender's fault are not offered again.
    async fn send_packed(&self, mut messages: Vec<(String, Delay)>) -> SendReport {
        messages.iter_mut().for_each(|(body, _)| escape_noncharacters(body, 0));
        let (requests, refused) = pack(messages.iter().map(|(body, _)| body.len()));
        let mut report = SendReport { unsent: refused, requests: 0 };
        let mut messages: Vec<Option<(String, Delay)>> = messages.into_iter().map(Some).collect();
        let batches: Vec<Vec<Pending>> = requests
            .into_iter()
            .map(|indices| {
                let take = |index: usize| {
                    let (body, delay) = messages.get_mut(index)?.take()?;
                    Some(Pending { index, body, delay })
                };
                indices.into_iter().filter_map(take).collect()
            })
            .collect();
        let mut parts = stream::iter(batches).map(|batch| self.send_batch(batch)).buffer_unordered(CONCURRENCY);
        while let Some(part) = parts.next().await {
            report.unsent.extend(part.unsent);
            report.requests += part.requests;
        }
        report.unsent.sort_by_key(|unsent| unsent.index);
        report
    }

    /// Sends one request, and retries its failed entries.
    async fn send_batch(&self, mut pending: Vec<Pending>) -> SendReport {
        let mut report = SendReport::default();
        let mut pause = PAUSE;
        for offer in 1..=OFFERS {
            report.requests += 1;
            let refusals = match self.request(&pending).await {
                Ok(answer) => refusals(&pending, &answer),
                // The SDK has retried this already.
                Err(error) => {
                    let code = code(&error);
                    report
                        .unsent
                        .extend(pending.drain(..).map(|entry| Unsent { index: entry.index, code: code.clone() }));
                    return report;
                }
            };
            pending.retain(|entry| refusals.iter().any(|refusal| refusal.index == entry.index && refusal.again));
            let last = offer == OFFERS;
            let lost = refusals.into_iter().filter(|refusal| last || !refusal.again);
            report.unsent.extend(lost.map(|refusal| Unsent { index: refusal.index, code: refusal.code }));
            if pending.is_empty() || last {
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        report
    }

    async fn request(&self, pending: &[Pending]) -> Result<SendMessageBatchOutput, SdkError<SendMessageBatchError>> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for Pending { index, body, delay } in pending {
            let seconds = (*delay > Delay::NONE).then(|| i32::from(delay.seconds()));
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body)
                .set_delay_seconds(seconds)
                .build()
                .map_err(SdkError::construction_failure)?;
            request = request.entries(entry);
        }
        request.send().await
    }
}

impl Sender for Queue {
    fn send_each(&self, messages: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport> {
        Box::pin(self.send_packed(messages))
    }
}

/// An entry that is to be sent: its place in the given list, its body and its delay.
struct Pending {
    index: usize,
    body: String,
    delay: Delay,
}

/// An entry that was not taken, and whether offering it again may help.
struct Refusal {
    index: usize,
    code: String,
    again: bool,
}

/// Returns every pending entry that the response does not list as successful.
fn refusals(pending: &[Pending], answer: &SendMessageBatchOutput) -> Vec<Refusal> {
    pending
        .iter()
        .map(|entry| (entry.index, entry.index.to_string()))
        .filter(|(_, id)| !answer.successful().iter().any(|entry| entry.id() == id))
        .map(|(index, id)| match answer.failed().iter().find(|entry| entry.id() == id) {
            Some(entry) => Refusal { index, code: entry.code().to_owned(), again: !entry.sender_fault() },
            None => Refusal { index, code: "NotAnswered".to_owned(), again: true },
        })
        .collect()
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("Unknown").to_owned(),
        SdkError::TimeoutError(_) => "TimedOut".to_owned(),
        _ => "NotReached".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::aws::{self, Endpoints};

    type Seen = Arc<Mutex<Vec<serde_json::Value>>>;

    /// An SQS that answers each request with `answer(number of the request, request)`; a JSON `null` closes the connection instead.
    async fn sqs(answer: fn(usize, &serde_json::Value) -> serde_json::Value) -> (Queue, Seen) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&log), answer));
            }
        });
        let config = aws::local_config(Endpoints { sqs: Some(endpoint.clone()), ..Endpoints::default() }).unwrap();
        (Queue::new(aws_sdk_sqs::Client::new(&config), format!("{endpoint}/000000000000/events")), seen)
    }

    async fn serve(mut stream: TcpStream, log: Seen, answer: fn(usize, &serde_json::Value) -> serde_json::Value) {
        let mut data = Vec::new();
        loop {
            let head_end = loop {
                if let Some(end) = data.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                if stream.read_buf(&mut data).await.unwrap_or(0) == 0 {
                    return;
                }
            };
            let head = String::from_utf8_lossy(&data[..head_end]).to_lowercase();
            let length: usize =
                head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
            while data.len() < head_end + length {
                if stream.read_buf(&mut data).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let request: serde_json::Value = serde_json::from_slice(&data[head_end..head_end + length]).unwrap();
            data.drain(..head_end + length);
            let number = {
                let mut log = log.lock().unwrap();
                log.push(request.clone());
                log.len()
            };
            let body = answer(number, &request);
            if body.is_null() {
                return;
            }
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    }

    fn ids(request: &serde_json::Value) -> Vec<String> {
        let entries = request["Entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect()
    }

    fn success(id: &str) -> serde_json::Value {
        serde_json::json!({ "Id": id, "MessageId": id, "MD5OfMessageBody": "" })
    }

    fn take_all(_: usize, request: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({ "Successful": ids(request).iter().map(|id| success(id)).collect::<Vec<_>>(), "Failed": [] })
    }

    fn bodies(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("{{\"n\":{i}}}")).collect()
    }

    #[tokio::test]
    async fn twenty_five_bodies_travel_in_three_requests_with_their_delay() {
        let (queue, seen) = sqs(take_all).await;
        let report = queue.send(bodies(25), Delay::at_most(30)).await;
        assert_eq!(report, SendReport { unsent: vec![], requests: 3 });
        let seen = seen.lock().unwrap();
        let mut sent: Vec<usize> = seen.iter().flat_map(ids).map(|id| id.parse().unwrap()).collect();
        sent.sort_unstable();
        assert_eq!(sent, (0..25).collect::<Vec<_>>());
        assert_eq!(seen[0]["Entries"][0]["DelaySeconds"], 30);
    }

    #[tokio::test]
    async fn characters_that_json_allows_and_sqs_does_not_are_escaped() {
        let (queue, seen) = sqs(take_all).await;
        let said = serde_json::json!({ "a\u{ffff}": "\u{fffe}é" });
        assert_eq!(queue.send(vec![said.to_string()], Delay::NONE).await.unsent, []);
        let seen = seen.lock().unwrap();
        let body = seen[0]["Entries"][0]["MessageBody"].as_str().unwrap();
        assert_eq!(body, "{\"a\\uffff\":\"\\ufffeé\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap(), said);
    }

    #[tokio::test]
    async fn when_some_entries_are_refused_only_they_are_offered_again() {
        let (queue, seen) = sqs(|number, request| match number {
            1 => serde_json::json!({
                "Successful": [success("0")],
                "Failed": [{ "Id": "1", "SenderFault": false, "Code": "InternalError" }], // and 2 is not answered at all
            }),
            _ => take_all(number, request),
        })
        .await;
        let report = queue.send(bodies(3), Delay::NONE).await;
        assert_eq!(report, SendReport { unsent: vec![], requests: 2 });
        let seen = seen.lock().unwrap();
        assert_eq!(ids(&seen[1]), ["1", "2"]);
        assert_eq!(seen[1]["Entries"][0]["MessageBody"], "{\"n\":1}");
        assert!(seen[0]["Entries"][0].get("DelaySeconds").is_none());
    }

    #[tokio::test]
    async fn when_an_entry_is_refused_for_good_its_body_is_reported() {
        let (queue, _) = sqs(|number, request| {
            let refuse = |id: &str, fault: bool| serde_json::json!({ "Id": id, "SenderFault": fault, "Code": if fault { "InvalidMessageContents" } else { "InternalError" } });
            let (theirs, ours): (Vec<_>, Vec<_>) = ids(request).into_iter().partition(|id| id == "1");
            let _ = number;
            serde_json::json!({ "Successful": [], "Failed": theirs.iter().map(|id| refuse(id, true)).chain(ours.iter().map(|id| refuse(id, false))).collect::<Vec<_>>() })
        })
        .await;
        let mut all = bodies(2);
        all.push(String::new());
        let report = queue.send(all, Delay::NONE).await;
        let codes: Vec<_> = report.unsent.iter().map(|unsent| (unsent.index, unsent.code.as_str())).collect();
        assert_eq!(codes, [(0, "InternalError"), (1, "InvalidMessageContents"), (2, "EmptyBody")]);
        assert_eq!(report.requests, OFFERS as usize);
    }

    #[tokio::test]
    async fn when_the_service_cannot_be_reached_every_body_is_reported() {
        let (queue, seen) = sqs(|_, _| serde_json::Value::Null).await;
        let report = queue.send(bodies(2), Delay::NONE).await;
        assert_eq!(report.unsent.iter().map(|unsent| unsent.index).collect::<Vec<_>>(), [0, 1]);
        assert!(report.unsent.iter().all(|unsent| unsent.code == "NotReached"));
        assert_eq!(seen.lock().unwrap().len(), 3, "the SDK makes three attempts");
    }
}
