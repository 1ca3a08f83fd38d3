//! Combines simultaneous writes to one CRM: CRMs limit the number of calls, and accept many records in one.

use crate::message::Message;
use crate::outcome::Outcome;
use futures::channel::oneshot;
use perennial_config::channels::Endpoint;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the first message waits for others of its batch, whose profiles are being read meanwhile: little compared
/// with the call itself.
const LINGER: Duration = Duration::from_millis(15);

/// Messages that wait for their call.
#[derive(Default)]
pub(crate) struct Gather(Mutex<Vec<Group>>);

/// Messages that go together.
struct Group {
    endpoint: Endpoint,
    secret: String,
    waiting: Vec<(Message, oneshot::Sender<Outcome>)>,
}

impl fmt::Debug for Gather {
    // Secrets and messages are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").field("groups", &self.groups().len()).finish_non_exhaustive()
    }
}

impl Gather {
    /// Writes `message` to `endpoint`, together with all others that arrive within moments. The first of them calls
    /// `write`, which returns one outcome for each message, in their order; if it is cancelled, the others may be
    /// retried.
    pub(crate) async fn send<F>(
        &self,
        endpoint: &Endpoint,
        secret: &str,
        message: Message,
        write: impl FnOnce(Vec<Message>) -> F,
    ) -> Outcome
    where
        F: Future<Output = Vec<Outcome>>,
    {
        let (answer, told) = oneshot::channel();
        if let Some(first) = self.enter(endpoint, secret, message, answer) {
            tokio::time::sleep(LINGER).await;
            let (messages, answers): (Vec<_>, Vec<_>) = first.take().into_iter().unzip();
            let outcomes = write(messages).await;
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // The caller may have been cancelled.
                drop(answer.send(outcome));
            }
        }
        told.await.unwrap_or_else(|_| Outcome::retry("the call that it was part of was given up"))
    }

    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the message to the waiting ones; returns the group to the first of it.
    fn enter<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        message: Message,
        answer: oneshot::Sender<Outcome>,
    ) -> Option<First<'a>> {
        let mut groups = self.groups();
        if let Some(group) = groups.iter_mut().find(|group| group.is(endpoint, secret)) {
            group.waiting.push((message, answer));
            return None;
        }
        let waiting = vec![(message, answer)];
        groups.push(Group { endpoint: endpoint.clone(), secret: secret.to_owned(), waiting });
        drop(groups);
        Some(First { gather: self, endpoint, secret, is_open: true })
    }
}

impl Group {
    fn is(&self, endpoint: &Endpoint, secret: &str) -> bool {
        self.endpoint == *endpoint && self.secret == secret
    }
}

/// The first of a group, which closes it: by taking it, or by being given up.
struct First<'a> {
    gather: &'a Gather,
    endpoint: &'a Endpoint,
    secret: &'a str,
    is_open: bool,
}

impl First<'_> {
    fn close(&self) -> Vec<(Message, oneshot::Sender<Outcome>)> {
        let mut groups = self.gather.groups();
        let place = groups.iter().position(|group| group.is(self.endpoint, self.secret));
        place.map(|place| groups.swap_remove(place).waiting).unwrap_or_default()
    }

    fn take(mut self) -> Vec<(Message, oneshot::Sender<Outcome>)> {
        self.is_open = false;
        self.close()
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        if self.is_open {
            drop(self.close());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::channels::{Kind, SecretPlace};
    use std::sync::Arc;

    fn endpoint(url: &str) -> Endpoint {
        let secret = SecretPlace::Env("SECRET".into());
        Endpoint { kind: Kind::Standard, url: url.into(), secret, allow_private: false }
    }

    /// Writes numbers, and notes which came together.
    async fn send(gather: &Gather, calls: &Mutex<Vec<usize>>, url: &str, number: usize) -> Outcome {
        let write = |messages: Vec<Message>| async move {
            calls.lock().unwrap().push(messages.len());
            let told = |message| match message {
                Message::Webhook(number) => Outcome::Sent { provider_id: Some(number) },
                _ => Outcome::rejected("no number"),
            };
            messages.into_iter().map(told).collect()
        };
        gather.send(&endpoint(url), "secret", Message::Webhook(number.to_string()), write).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_at_once_goes_in_one_call_and_each_learns_of_its_own() {
        let (gather, calls) = (Gather::default(), Mutex::default());
        for _ in 0..2 {
            let all = (0..20).map(|number| send(&gather, &calls, if number < 12 { "a" } else { "b" }, number));
            for (number, outcome) in futures::future::join_all(all).await.into_iter().enumerate() {
                assert_eq!(outcome, Outcome::Sent { provider_id: Some(number.to_string()) });
            }
        }
        assert_eq!(*calls.lock().unwrap(), [12, 8, 12, 8]);
        assert!(gather.groups().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_first_gives_up_the_others_may_come_again() {
        let gather = Arc::new(Gather::default());
        let own = Arc::clone(&gather);
        let first = tokio::spawn(async move { send(&own, &Mutex::default(), "a", 0).await });
        tokio::task::yield_now().await;
        let own = Arc::clone(&gather);
        let second = tokio::spawn(async move { send(&own, &Mutex::default(), "a", 1).await });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), Outcome::retry("the call that it was part of was given up"));
        let outcome = send(&gather, &Mutex::default(), "a", 2).await;
        assert_eq!(outcome, Outcome::Sent { provider_id: Some("2".into()) });
    }
}
