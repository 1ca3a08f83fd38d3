//! Test fixtures: a table, one person, and a mail service and a receiver with configurable responses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::deps::{Deps, EndpointService, MailService, Parts};
use crate::pace::MailAccount;
use crate::secrets::{SecretStore, Secrets};
use aws_lambda_events::event::sqs::SqsEvent;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use perennial_channels::Outcome;
use perennial_channels::account::{Allowance, NotRead};
use perennial_channels::endpoint::Message;
use perennial_channels::mail::Mail;
use perennial_channels::secrets::SecretError;
use perennial_channels::unsubscribe::Keys;
use perennial_config::Config;
use perennial_config::channels::Endpoint;
use perennial_config::lifecycle::Milestone;
use perennial_contracts::queue::{EventsPayload, MessagesPayload};
use perennial_domain::{
    Cause, Channel, ConfigVersion, Decision, DecisionId, Event, Identity, MessageId, PersonId, UserId,
};
use perennial_engine::Profile;
use perennial_engine::register::Register;
use perennial_engine::span::Span;
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_lambda_kit::{Clock, Env, SimulatedTime};
use perennial_store::{ConfigHandle, Store, Stored};
use perennial_testkit::ConfigBuilder;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When it is.
pub(crate) const NOW: &str = "2026-03-02T08:15:30Z";
/// The person.
pub(crate) const PERSON: Someone = Someone;

/// The one person.
pub(crate) struct Someone;

impl Someone {
    pub(crate) fn identity(&self) -> Identity {
        Identity::User(UserId::parse("u-1").unwrap())
    }

    pub(crate) fn person_id(&self) -> PersonId {
        self.identity().person_id()
    }
}

/// A service's response.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Sent,
    Throttled,
    /// Throttled, with a retry delay.
    Later(Duration),
    Rejected,
    Lost,
    /// Never answers, as if the process died meanwhile; before that it sends, or not.
    Hang {
        sends: bool,
    },
}

/// Counts what it sent.
pub(crate) struct Service {
    answer: Mutex<Answer>,
    sent: Mutex<Vec<String>>,
    messages: Mutex<Vec<(&'static str, Message)>>,
    mails: Mutex<Vec<String>>,
}

impl Service {
    fn new() -> Arc<Self> {
        let (sent, messages, mails) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { answer: Mutex::new(Answer::Sent), sent, messages, mails })
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// Returns the messages to endpoints, with their kinds.
    pub(crate) fn messages(&self) -> Vec<(&'static str, Message)> {
        self.messages.lock().unwrap().clone()
    }

    /// The mails that it was given, as SMTP carries them.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    async fn take(&self, id: String, counts_attempts: bool) -> Outcome {
        let answer = *self.answer.lock().unwrap();
        if counts_attempts || matches!(answer, Answer::Sent | Answer::Hang { sends: true }) {
            self.sent.lock().unwrap().push(id);
        }
        match answer {
            Answer::Sent => Outcome::Sent { provider_id: Some(format!("ses-{}", self.sent())) },
            Answer::Throttled => Outcome::Retry { reason: "throttled".into(), after: None },
            Answer::Later(after) => Outcome::Retry { reason: "throttled".into(), after: Some(after) },
            Answer::Rejected => Outcome::Rejected { reason: "MessageRejected".into() },
            Answer::Lost => Outcome::Unknown { reason: "no answer".into() },
            Answer::Hang { .. } => std::future::pending().await,
        }
    }
}

impl MailService for Service {
    fn send(&self, mail: Mail) -> BoxFuture<'_, Outcome> {
        assert!(String::from_utf8_lossy(mail.message()).contains("List-Unsubscribe: <https://p.example/u/"));
        self.mails.lock().unwrap().push(String::from_utf8_lossy(mail.message()).into_owned());
        self.take(String::new(), false).boxed()
    }
}

impl EndpointService for Service {
    fn send<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        id: &'a str,
        message: &'a Message,
        _: Timestamp,
    ) -> BoxFuture<'a, Outcome> {
        assert_eq!(secret, "whsec_c2VjcmV0");
        if let Message::Webhook(body) = message {
            assert!(body.contains("\"ada@example.com\"") || body.contains("\"perennial.account\""));
        }
        self.messages.lock().unwrap().push((endpoint.kind.as_str(), message.clone()));
        self.take(id.to_owned(), true).boxed()
    }
}

/// An account with configurable limits, which counts its calls.
#[derive(Default)]
pub(crate) struct Account {
    allowance: Mutex<Allowance>,
    asked: AtomicU32,
}

impl Account {
    pub(crate) fn allow(&self, allowance: Allowance) {
        *self.allowance.lock().unwrap() = allowance;
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl MailAccount for Account {
    fn allowance(&self) -> BoxFuture<'_, Result<Allowance, NotRead>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let allowance = *self.allowance.lock().unwrap();
        async move { Ok(allowance) }.boxed()
    }
}

/// No endpoint of the tests has its secret there.
struct NoStore;

impl SecretStore for NoStore {
    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, SecretError>> {
        async { Err(SecretError::Refused(400)) }.boxed()
    }
}

/// All fixtures.
pub(crate) struct House {
    pub(crate) deps: Deps,
    pub(crate) mail: Arc<Service>,
    pub(crate) webhooks: Arc<Service>,
    pub(crate) queue: Arc<MemoryQueue>,
    /// The messages queue, as far as the function sends to it.
    pub(crate) messages: Arc<MemoryQueue>,
    /// The queue of essential messages, the same.
    pub(crate) essential: Arc<MemoryQueue>,
    /// The limits of the mail service's account.
    pub(crate) account: Arc<Account>,
    pub(crate) time: SimulatedTime,
}

impl House {
    /// With a person in trial who has an address.
    pub(crate) async fn open() -> Self {
        Self::with(Some("ada@example.com"), false).await
    }

    /// With a person in trial who has an address, under another configuration.
    pub(crate) async fn open_with(config: Config) -> Self {
        Self::under(config, Some("ada@example.com"), false).await
    }

    /// With a person in trial, or one who pays.
    pub(crate) async fn with(email: Option<&str>, pays: bool) -> Self {
        Self::under(config(), email, pays).await
    }

    async fn under(config: Config, email: Option<&str>, pays: bool) -> Self {
        let store = table().await;
        store.save(&mut Stored::new(profile(PERSON.identity(), email, pays))).await.unwrap();
        if let Some(email) = email {
            store.index_address(email, PERSON.person_id()).await.unwrap();
        }
        let (mail, webhooks, queue) = (Service::new(), Service::new(), Arc::new(MemoryQueue::new()));
        let (messages, essential) = (Arc::new(MemoryQueue::new()), Arc::new(MemoryQueue::new()));
        let account = Arc::new(Account::default());
        let (clock, time) = Clock::simulated(NOW.parse().unwrap());
        let deps = Deps::new(Parts {
            store,
            config: ConfigHandle::fixed(config),
            mail: Arc::clone(&mail) as Arc<dyn MailService>,
            endpoints: Arc::clone(&webhooks) as Arc<dyn EndpointService>,
            events: Arc::clone(&queue) as Arc<dyn perennial_lambda_kit::queue::Sender>,
            messages: Arc::<MemoryQueue>::clone(&messages),
            essential: Arc::<MemoryQueue>::clone(&essential),
            account: Arc::<Account>::clone(&account),
            clock,
            secrets: Secrets::new(Env::from_pairs([("TASKS_SECRET", "whsec_c2VjcmV0")]), Arc::new(NoStore)),
            public_url: "https://p.example".into(),
            keys: Keys::new(["a key of at least thirty-two bytes"]).unwrap(),
        });
        Self { deps, mail, account, webhooks, queue, messages, essential, time }
    }

    /// Stores another profile with this address; returns its id.
    pub(crate) async fn add(&self, user: &str, email: &str) -> PersonId {
        let identity = Identity::User(UserId::parse(user).unwrap());
        let person = identity.person_id();
        self.deps.store.save(&mut Stored::new(profile(identity, Some(email), false))).await.unwrap();
        self.deps.store.index_address(email, person).await.unwrap();
        person
    }

    pub(crate) fn decision(&self, channel: Channel) -> Decision {
        let person = PERSON.person_id();
        let step = channel as u16;
        Decision {
            id: DecisionId::of(person, "welcome", step, b"cause"),
            person,
            journey: "welcome".into(),
            step,
            channel,
            template: "welcome".into(),
            endpoint: (channel == Channel::Webhook).then(|| "tasks".into()),
            cause: Cause::Event { name: "Trial Started".into(), message_id: MessageId::parse("m-1").unwrap() },
            properties: perennial_domain::Properties::new(),
            decided_at: NOW.parse().unwrap(),
            config: ConfigVersion::parse("v1").unwrap(),
            variant: None,
            withheld: None,
        }
    }

    /// The decision for an endpoint of the config.
    pub(crate) fn decision_for(&self, endpoint: &str) -> Decision {
        Decision { endpoint: Some(endpoint.to_owned()), ..self.decision(Channel::Webhook) }
    }

    pub(crate) fn decision_body(&self, channel: Channel) -> String {
        serde_json::to_string(&MessagesPayload::Decision(self.decision(channel))).unwrap()
    }

    /// A batch of `bodies`, received for the `times`th time.
    pub(crate) fn batch(&self, bodies: &[String], times: u32) -> SqsEvent {
        let records = bodies.iter().enumerate().map(|(n, body)| {
            serde_json::json!({ "messageId": format!("m{n}"), "receiptHandle": format!("r{n}"), "body": body, "attributes": { "ApproximateReceiveCount": times.to_string() } })
        });
        serde_json::from_value(serde_json::json!({ "Records": records.collect::<Vec<_>>() })).unwrap()
    }

    /// The events on the events queue, taken off it.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let bodies = self.queue.drain().into_iter().map(|(body, _)| serde_json::from_str(&body).unwrap());
        bodies
            .flat_map(|payload| match payload {
                EventsPayload::Events { events } => events,
                _ => Vec::new(),
            })
            .collect()
    }
}

/// Returns an SES event about the mail, as SNS wraps it.
pub(crate) fn mail_event(house: &House, kind: &str, rest: serde_json::Value) -> String {
    let decision = house.decision(Channel::Mail);
    let mut event = serde_json::json!({
        "eventType": kind,
        "mail": {
            "timestamp": NOW, "messageId": "ses-mail", "destination": ["ada@example.com"],
            "tags": { "ses:operation": ["SendEmail"], "decision": [decision.id], "person": [decision.person], "journey": ["welcome"], "step": ["0"] },
        },
    });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::json!({ "Type": "Notification", "MessageId": "1", "Message": event.to_string(), "Timestamp": NOW })
        .to_string()
}

fn profile(identity: Identity, email: Option<&str>, pays: bool) -> Profile {
    let mut profile = Profile::new(identity.clone());
    let state = &mut profile.part_mut(&identity).state;
    let at = NOW.parse::<Timestamp>().unwrap().as_microsecond();
    state.seen = Some(Span::at(at));
    state.milestones.insert(Milestone::Trial, Span::at(at - 86_400_000_000));
    if pays {
        state.milestones.insert(Milestone::Customer, Span::at(at));
    }
    state.traits.insert("name".into(), Register { at, value: "\"Ada\"".into() });
    if let Some(email) = email {
        state.traits.insert("email".into(), Register { at, value: serde_json::Value::from(email).to_string() });
    }
    profile
}

fn config() -> Config {
    config_with(&[])
}

/// The same with these files besides.
pub(crate) fn config_with(more: &[(&str, &str)]) -> Config {
    let step = |channel: &str| format!("{{ channel = \"{channel}\", template = \"welcome\" }}");
    let webhook = "{ channel = \"webhook\", template = \"welcome\", endpoint = \"tasks\" }";
    let journeys = format!(
        "[[journey]]\nid = \"welcome\"\ntrigger = {{ event = \"Trial Started\" }}\nstages = [\"trial\"]\nstep = [{}, {}, {webhook}]\n",
        step("mail"),
        step("in_app")
    );
    let endpoint = "url = \"https://hooks.example/\"\nsecret_env = \"TASKS_SECRET\"\n";
    let others = "[webhook.chat]\nkind = \"slack\"\nsecret_env = \"TASKS_SECRET\"\n[webhook.hubspot]\nkind = \"hubspot\"\nsecret_env = \"TASKS_SECRET\"\n";
    let webhooks =
        format!("resend_unknown_after_minutes = 30\n[webhook.tasks]\n{endpoint}[webhook.crm]\n{endpoint}{others}");
    let files = [
        ("lifecycle.toml", "trial = [\"Trial Started\"]\n"),
        ("journeys.toml", journeys.as_str()),
        ("channels.toml", webhooks.as_str()),
        (
            "templates/welcome.toml",
            "subject = \"Hi {{ person.name }}\"\ntext = \"Hello {{ person.name }}.\"\nlink = \"/start\"\n",
        ),
    ];
    ConfigBuilder::least().with(&files).with(more).load()
}

async fn table() -> Store {
    let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws::local_config(endpoints).unwrap()), "perennial");
    store.create_table().await.unwrap();
    store
}
