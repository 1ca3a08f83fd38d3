//! Sends that are made side by side, joined into one request.

use super::{Delay, SendReport, Sender, Unsent};
use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt};
use std::sync::{Mutex, PoisonError};

/// How often a send lets the other records of its batch catch up before the request is made. Records that wait for the same thing, such as the
/// reservation of places that one of them makes for all, take a few turns from there to their own send.
const TURNS: usize = 4;

/// A sender whose users send one message each, side by side, as the records of a batch do: what is sent within the same few turns of
/// the executor travels together. A request to SQS costs the same with one message as with ten.
pub struct Joined<S> {
    inner: S,
    /// Messages that the next request takes along.
    open: Mutex<Vec<Joining>>,
}

/// Messages of one caller, and where the caller waits for the report about them.
struct Joining {
    messages: Vec<(String, Delay)>,
    report: oneshot::Sender<SendReport>,
}

impl<S: Sender> Joined<S> {
    /// Joins what is sent to `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner, open: Mutex::new(Vec::new()) }
    }

    /// Adds a caller's messages to the next request. Returns whether the caller is the first, who has to make it.
    fn join(&self, messages: Vec<(String, Delay)>) -> (bool, oneshot::Receiver<SendReport>) {
        let (report, reported) = oneshot::channel();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = open.is_empty();
        open.push(Joining { messages, report });
        (is_first, reported)
    }

    /// Makes the request for all who joined, and tells each about its own messages.
    async fn send_joined(&self) {
        let closing = Closing(Some(&self.open));
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let joined = closing.close();
        let (all, callers): (Vec<_>, Vec<_>) = joined
            .into_iter()
            .map(|Joining { messages, report }| {
                let count = messages.len();
                (messages, (count, report))
            })
            .unzip();
        let SendReport { unsent, requests } = self.inner.send_each(all.into_iter().flatten().collect()).await;
        let mut first = 0;
        for (number, (count, report)) in callers.into_iter().enumerate() {
            let own = unsent.iter().filter(|unsent| (first..first + count).contains(&unsent.index));
            let own = own.map(|unsent| Unsent { index: unsent.index - first, code: unsent.code.clone() }).collect();
            // The requests are counted once, for the first caller. One that no longer waits needs no report.
            report.send(SendReport { unsent: own, requests: if number == 0 { requests } else { 0 } }).ok();
            first += count;
        }
    }
}

/// Closes the request for others to join. Dropped before, because the first caller's record ended early, it leaves nobody waiting: they
/// find their report cancelled, and the next caller is the first again.
struct Closing<'a>(Option<&'a Mutex<Vec<Joining>>>);

impl Closing<'_> {
    fn close(mut self) -> Vec<Joining> {
        self.0.take().map(closed).unwrap_or_default()
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.take().map(closed);
    }
}

fn closed(open: &Mutex<Vec<Joining>>) -> Vec<Joining> {
    std::mem::take(&mut *open.lock().unwrap_or_else(PoisonError::into_inner))
}

impl<S: Sender> Sender for Joined<S> {
    fn send_each(&self, messages: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport> {
        async move {
            let count = messages.len();
            let (is_first, reported) = self.join(messages);
            if is_first {
                self.send_joined().await;
            }
            reported.await.unwrap_or_else(|_| {
                let unsent = |index| Unsent { index, code: "NotAnswered".to_owned() };
                SendReport { unsent: (0..count).map(unsent).collect(), requests: 0 }
            })
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::queue::MemoryQueue;
    use futures::future::join_all;
    use std::sync::Arc;

    fn message(number: usize) -> Vec<(String, Delay)> {
        vec![(number.to_string(), Delay::at_most(number as u64))]
    }

    #[tokio::test]
    async fn what_is_sent_side_by_side_travels_in_one_request_with_its_own_delays() {
        let inner = Arc::new(MemoryQueue::new());
        let queue = Joined::new(Arc::clone(&inner));
        // The last ones come a few turns later.
        let sends = (0..10).map(|number| {
            let queue = &queue;
            async move {
                for _ in 0..number % 3 {
                    tokio::task::yield_now().await;
                }
                queue.send_each(message(number)).await
            }
        });
        let reports = join_all(sends).await;
        assert!(reports.iter().all(|report| report.unsent.is_empty()));
        assert_eq!(reports.iter().map(|report| report.requests).sum::<usize>(), 1);
        assert_eq!(inner.requests(), 1);
        let mut sent = inner.drain();
        sent.sort();
        assert_eq!(sent, (0..10).flat_map(message).collect::<Vec<_>>());
        // What comes later does not wait for others.
        assert_eq!(queue.send_each(message(11)).await.unsent, []);
        assert_eq!(inner.requests(), 2);
    }

    #[tokio::test]
    async fn each_caller_learns_of_its_own_messages_which_were_not_taken() {
        let inner = Arc::new(MemoryQueue::new());
        let queue = Joined::new(Arc::clone(&inner));
        inner.refuse_next(2);
        let two: Vec<_> = message(1).into_iter().chain(message(2)).collect();
        let reports = join_all([queue.send_each(message(0)), queue.send_each(two), queue.send_each(message(3))]).await;
        let unsent: Vec<Vec<usize>> =
            reports.iter().map(|report| report.unsent.iter().map(|unsent| unsent.index).collect()).collect();
        assert_eq!(unsent, [vec![0], vec![0], vec![]]);
        assert_eq!(inner.bodies(), ["2", "3"]);
    }

    #[tokio::test]
    async fn a_first_caller_that_ends_early_leaves_nobody_waiting_and_reports_the_others_as_unsent() {
        let inner = Arc::new(MemoryQueue::new());
        let queue = Joined::new(Arc::clone(&inner));
        let mut first = queue.send_each(message(0));
        assert!(first.as_mut().now_or_never().is_none(), "it waits for others");
        let mut second = queue.send_each(message(1));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(second.await.unsent, [Unsent { index: 0, code: "NotAnswered".to_owned() }]);
        assert_eq!(queue.send_each(message(2)).await.unsent, []);
        assert_eq!(inner.bodies(), ["2"]);
    }
}
