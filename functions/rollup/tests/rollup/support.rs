//! A function with its table, and the messages it sends.

use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_contracts::queue::{AccountMilestone, AccountTraits, AccountsPayload};
use perennial_domain::{AccountId, Likelihood, Member, MessageId, PersonId, Score, Stage};
use perennial_engine::account::Account;
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::queue::{Delay, MemoryQueue};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_rollup::{Deps, Parts, handler};
use perennial_store::{ConfigHandle, Consistency, Store};
use perennial_testkit::ConfigBuilder;
use serde_json::Value;
use std::sync::Arc;

pub const ACCOUNTS: &str = r#"
    [value]
    trait = "mrr"
    currency = "EUR"
    per = "month"
    [touch]
    high = 50_000
    low = 5_000
    [stage]
    events = ["Subscription Started"]
    [score]
    ready = 70
    [domains]
    company_domain = true
    traits = ["domain"]
"#;
pub const CRM: &str = r#"
    [crm]
    endpoint = "crm"
    least_change = 5
    [crm.fields]
    score = "score__c"
    health = "health__c"
    touch = "touch__c"
    stage = "stage__c"
"#;

pub struct Bench {
    pub deps: Deps,
    pub store: Store,
    pub messages: Arc<MemoryQueue>,
    pub events: Arc<MemoryQueue>,
    pub accounts: Arc<MemoryQueue>,
    pub time: SimulatedTime,
    pub config: Config,
    clock: Clock,
}

impl Bench {
    pub async fn new(accounts: &str) -> Self {
        let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws::local_config(endpoints).unwrap()), "perennial");
        store.create_table().await.unwrap();
        let (clock, time) = Clock::simulated(at(0));
        let queue = Arc::<MemoryQueue>::default;
        Self::over(store, [queue(), queue(), queue()], config(accounts), clock, time)
    }

    fn over(
        store: Store,
        [messages, events, accounts]: [Arc<MemoryQueue>; 3],
        config: Config,
        clock: Clock,
        time: SimulatedTime,
    ) -> Self {
        let deps = Deps::new(Parts {
            store: store.clone(),
            config: ConfigHandle::fixed(config.clone()),
            messages: messages.clone(),
            events: events.clone(),
            accounts: accounts.clone(),
            clock: clock.clone(),
            wake_pause: jiff::SignedDuration::from_mins(5),
            wake_after: perennial_lambda_kit::queue::Delay::NONE,
        });
        Self { deps, store, messages, events, accounts, time, config, clock }
    }

    /// Returns another process over the same table and queues, without records of executed actions.
    pub fn restarted(&self) -> Self {
        let queues = [self.messages.clone(), self.events.clone(), self.accounts.clone()];
        Self::over(self.store.clone(), queues, self.config.clone(), self.clock.clone(), self.time.clone())
    }

    /// Handles one record for each body; returns those that failed.
    pub async fn hand(&self, bodies: &[String]) -> Vec<String> {
        let records = bodies
            .iter()
            .enumerate()
            .map(|(i, body)| serde_json::json!({ "messageId": format!("r{i}"), "body": body }));
        let event = serde_json::from_value(serde_json::json!({ "Records": records.collect::<Vec<_>>() })).unwrap();
        let response = handler::handle(&self.deps, event).await.unwrap();
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Recomputes the account; nothing may fail.
    pub async fn roll_up(&self, account: &str) {
        assert_eq!(self.hand(&[changed(account)]).await, Vec::<String>::new());
    }

    /// A `group` call's traits.
    pub async fn group(&self, account: &str, second: i64, traits: Value) {
        let body = called(account, &format!("m{second}"), second, traits);
        assert_eq!(self.hand(&[body]).await, Vec::<String>::new());
    }

    /// Processes the accounts queue, whatever its delays, until it is empty.
    pub async fn settle(&self) {
        for _ in 0..20 {
            let bodies: Vec<String> = self.accounts.drain().into_iter().map(|(body, _)| body).collect();
            if bodies.is_empty() {
                return;
            }
            assert_eq!(self.hand(&bodies).await, Vec::<String>::new());
        }
        panic!("the accounts queue never comes to rest");
    }

    pub async fn put(&self, account: &str, member: &Member, version: u64) {
        assert!(self.store.put_member(&id(account), member, version).await.unwrap());
    }

    pub async fn account(&self, account: &str) -> Option<Account> {
        let found = self.store.account(&id(account), Consistency::Strong).await.unwrap();
        found.map(|stored| stored.account)
    }

    pub async fn version(&self, account: &str) -> u64 {
        let found = self.store.account(&id(account), Consistency::Strong).await.unwrap();
        found.map_or(0, |stored| stored.version)
    }

    /// Returns people, score and health.
    pub async fn sums(&self, account: &str) -> Option<(u32, u8, Option<u8>)> {
        let summary = self.account(account).await?.summary?;
        Some((summary.people, summary.score.get(), summary.health.map(Score::get)))
    }
}

fn config(accounts: &str) -> Config {
    let files = [
        ("lifecycle.toml", "customer = [\"Subscription Started\"]\n[account]\npeople_follow = true\n"),
        (
            "segments.toml",
            r#"
            [[segment]]
            name = "large"
            when = 'account.traits.plan == "business" || account.traits.seats >= 5'
            "#,
        ),
        ("channels.toml", "[webhook.crm]\nurl = \"https://crm.example/\"\nsecret_env = \"CRM\"\n"),
        ("accounts.toml", accounts),
    ];
    ConfigBuilder::least().with(&files).load()
}

pub fn at(second: i64) -> Timestamp {
    "2026-01-10T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

pub fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

pub fn person(name: &str) -> PersonId {
    PersonId::derive(&[name.as_bytes()])
}

pub fn member(name: &str, purchase: u8) -> Member {
    Member {
        person: person(name),
        stage: Stage::Lead,
        scores: [(Likelihood::Purchase, Score::from(purchase))].into(),
        engagement: Score::default(),
        last_seen: Some(at(-i64::from(purchase))),
        personas: [].into(),
        curve: None,
        elsewhere: false,
    }
}

/// Returns a change without a time.
pub fn changed(account: &str) -> String {
    serde_json::to_string(&AccountsPayload::anew(id(account))).unwrap()
}

/// Returns a change as of a time.
pub fn changed_at(account: &str, second: i64) -> String {
    serde_json::to_string(&AccountsPayload::people(id(account), at(second))).unwrap()
}

pub fn called(account: &str, message: &str, second: i64, traits: Value) -> String {
    let traits = AccountTraits {
        traits: traits.as_object().unwrap().clone(),
        at: at(second),
        message_id: MessageId::parse(message).unwrap(),
        signed: false,
    };
    let payload = AccountsPayload::Changed {
        account: id(account),
        traits: Some(traits),
        milestones: Vec::new(),
        renewals: Vec::new(),
        subscriptions: Vec::new(),
        joined: Vec::new(),
        at: None,
    };
    serde_json::to_string(&payload).unwrap()
}

pub fn fact(account: &str, milestone: perennial_config::lifecycle::Milestone, second: i64) -> String {
    let milestones = vec![AccountMilestone { milestone, at: at(second) }];
    serde_json::to_string(&AccountsPayload::Changed {
        account: id(account),
        traits: None,
        milestones,
        renewals: Vec::new(),
        subscriptions: Vec::new(),
        joined: Vec::new(),
        at: None,
    })
    .unwrap()
}

/// Removes and returns the messages of a queue.
pub fn drain<T: serde::de::DeserializeOwned>(queue: &MemoryQueue) -> Vec<(T, Delay)> {
    queue.drain().into_iter().map(|(body, delay)| (serde_json::from_str(&body).unwrap(), delay)).collect()
}
