//! Delivery under real limits, end to end: the rate and the daily quota of the mail service, receivers that are down or
//! slow, and quiet hours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod receiver;

use crate::support::{Client, campaign, is_soak, stack_with};
use jiff::{SignedDuration, Timestamp};
use perennial_embedded_aws::{CapturedMail, MailQuery, SesLimits, Usage};
use perennial_lambda_kit::SimulatedTime;
use perennial_local::stack::{Stack, StackOptions};
use receiver::{Manner, Receiver};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A night: messages decided now wait for 07:00.
const NIGHT: &str = "2026-03-02T06:30:00Z";
const MORNING: &str = "2026-03-02T07:00:00Z";
const LIMITS: &str = "gap_hours = 0\n[quiet_hours]\nfrom = \"21:00\"\nto = \"07:00\"\n";
const JOURNEYS: &str = r#"
[[journey]]
id = "campaign"
trigger = { event = "Campaign Started" }
step = [{ channel = "mail", template = "welcome" }]

[[journey]]
id = "receipt"
essential = true
trigger = { event = "Receipt Wanted" }
step = [{ channel = "mail", template = "payment_failed" }]

[[journey]]
id = "task"
trigger = { event = "Task Wanted" }
step = [{ channel = "webhook", template = "task_churn_risk", endpoint = "tasks" }]

[[journey]]
id = "chat"
trigger = { event = "Chat Wanted" }
step = [{ channel = "webhook", template = "task_churn_risk", endpoint = "crm" }]
"#;

struct House {
    stack: Stack,
    time: SimulatedTime,
    client: Client,
}

impl House {
    /// At `now`, with a mail service of these limits, and endpoints at these addresses.
    async fn open(now: &str, ses: SesLimits, endpoints: &[(&str, &str)]) -> Self {
        let mut config = perennial_local::bundle::embedded();
        config.files.insert("journeys.toml".to_owned(), JOURNEYS.to_owned());
        config.files.insert("limits.toml".to_owned(), LIMITS.to_owned());
        let channels = config.files.get_mut("channels.toml").unwrap();
        for (name, url) in endpoints {
            *channels = channels.replace(
                &format!("url = \"https://hooks.perennial.example/{name}\""),
                &format!("url = \"{url}\"\nallow_private = true"),
            );
        }
        *channels = channels.replace("allow_private = false\n", "");
        // Counting requests costs a second hop for each: in a campaign at full length it tells more than it costs.
        let options = |options: StackOptions| {
            // Twenty thousand mails keep a loaded machine busy for longer than a message is hidden by default.
            let visibility = if is_soak() { Duration::from_secs(300) } else { options.visibility };
            StackOptions { fast: true, meter: is_soak(), ses, config, visibility, ..options }
        };
        let (stack, time) = stack_with(now, options).await;
        let client = Client::new(stack.base_url());
        Self { stack, time, client }
    }

    /// `users` are known by their addresses.
    async fn know(&self, users: usize) {
        let calls: Vec<String> = (0..users)
            .map(|user| {
                let traits = json!({ "email": format!("user{user}@example.com"), "first_name": "Ada" });
                self.call("identify", user, json!({ "traits": traits }))
            })
            .collect();
        self.send(&calls).await;
    }

    fn call(&self, kind: &str, user: usize, rest: Value) -> String {
        let name = rest["event"].as_str().unwrap_or_default().to_owned();
        let mut call = json!({
            "type": kind, "userId": format!("u{user}"), "messageId": format!("{kind}-{user}-{name}"), "timestamp": self.time.now().to_string(),
        });
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call.to_string()
    }

    async fn track(&self, event: &str, users: std::ops::Range<usize>) {
        let calls: Vec<String> = users.map(|user| self.call("track", user, json!({ "event": event }))).collect();
        self.send(&calls).await;
    }

    async fn send(&self, calls: &[String]) {
        for batch in calls.chunks(100) {
            self.client.batch(batch).await;
        }
        self.stack.wait_idle().await.unwrap();
    }

    async fn until(&self, at: Timestamp) {
        self.stack.move_time(&self.time, at).await.unwrap();
    }

    async fn pass(&self, by: SignedDuration) {
        self.until(self.time.now() + by).await;
    }

    /// Returns every mail that the mail service accepted.
    fn mails(&self) -> Vec<CapturedMail> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = self.stack.aws().mails().list(&MailQuery { before, limit: 1000, recipient: None }).unwrap();
            before = page.last().map(|mail| mail.message_id.clone());
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    async fn is_without_dead_letters(&self) {
        let status = self.client.status().await;
        for (name, queue) in status["queues"].as_object().unwrap() {
            assert_eq!(queue["dlq"], 0, "{name} has dead letters");
        }
    }

    /// The state of `user`'s only message of `journey`.
    async fn state(&self, user: usize, journey: &str) -> String {
        let (_, profile) = self.client.get(&format!("/api/profiles/u{user}")).await;
        let messages = profile["messages"].as_array().cloned().unwrap_or_default();
        let own: Vec<&Value> = messages.iter().filter(|message| message["journey"] == journey).collect();
        let [message] = own.as_slice() else { panic!("{messages:?}") };
        message["state"].as_str().unwrap().to_owned()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn of_journey<'m>(mails: &'m [CapturedMail], journey: &str) -> Vec<&'m CapturedMail> {
    mails.iter().filter(|mail| mail.tags["journey"] == journey).collect()
}

/// Requests a mail, by operation.
fn requests(usage: &Usage, mails: usize) -> String {
    let (dynamodb, sqs) = (&usage.dynamodb.operations, &usage.sqs.operations);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let each =
        dynamodb.iter().chain(sqs).map(|(name, usage)| format!("{name} {:.1}", usage.calls as f64 / mails as f64));
    format!("requests a mail: {}", each.collect::<Vec<_>>().join(", "))
}

/// 2,000 mails that are due at once against 1.4 mails a second, and under `tests/run soak` 20,000 against 14. What is essential comes between.
#[tokio::test(flavor = "multi_thread")]
async fn mails_that_are_due_at_once_all_go_out_at_the_accounts_rate_and_essential_ones_within_a_minute() {
    let users = campaign(20_000);
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let rate = 14.0 * users as f64 / 20_000.0;
    let house = House::open(NIGHT, SesLimits { per_second: Some(rate), per_day: None }, &[]).await;
    house.know(users).await;
    house.track("Campaign Started", 0..users).await;
    assert_eq!(house.mails().len(), 0, "it is night");

    let meter = house.stack.aws().meter();
    if let Some(meter) = meter {
        meter.reset();
    }
    let began = std::time::Instant::now();
    house.until(at(MORNING)).await;
    // Nine tenths of the rate: 1,588 s. Meanwhile five people need an essential mail every three minutes.
    let mut wanted: BTreeMap<String, Timestamp> = BTreeMap::new();
    for round in 0..10 {
        let people = round * 5..(round + 1) * 5;
        wanted.extend(people.clone().map(|user| (format!("user{user}@example.com"), house.time.now())));
        house.track("Receipt Wanted", people).await;
        house.pass(minutes(3)).await;
    }
    house.pass(minutes(30)).await;
    let elapsed = began.elapsed();

    house.is_without_dead_letters().await;
    let mails = house.mails();
    let campaign = of_journey(&mails, "campaign");
    let reached: BTreeSet<&str> = campaign.iter().map(|mail| mail.recipients[0].as_str()).collect();
    assert_eq!((campaign.len(), reached.len()), (users, users), "each once");
    let (first, last) =
        (campaign.iter().map(|mail| mail.at).min().unwrap(), campaign.iter().map(|mail| mail.at).max().unwrap());
    assert!(first >= at(MORNING), "{first} is in quiet hours");
    let took = last.duration_since(first);
    assert!((minutes(25)..=minutes(45)).contains(&took), "at the account's rate, without long gaps: {took}");

    let essential = of_journey(&mails, "receipt");
    assert_eq!(essential.len(), wanted.len(), "each once");
    for mail in &essential {
        let waited = mail.at.duration_since(wanted[&mail.recipients[0]]);
        assert!(waited <= minutes(1), "an essential mail waited for {waited}");
    }
    println!(
        "{users} mails in {took} of simulated and {elapsed:?} of real time; the slowest essential mail was there in time"
    );
    if let Some(meter) = meter {
        println!("{}", requests(&meter.snapshot(), users));
    }
    house.stack.stop().await;
}

/// Mails over the day's quota go out on the next day, in its waking hours, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn mails_over_the_daily_quota_go_out_on_the_next_day_and_essential_ones_at_once() {
    let ses = SesLimits { per_second: Some(14.0), per_day: Some(100) };
    let house = House::open("2026-03-02T10:00:00Z", ses, &[]).await;
    house.know(120).await;
    house.track("Campaign Started", 0..115).await;
    house.pass(minutes(120)).await;
    let sent = of_journey(&house.mails(), "campaign").len();
    assert_eq!(sent, 90, "the last tenth is for essential mails");
    house.track("Receipt Wanted", 115..119).await;
    house.pass(minutes(1)).await;
    assert_eq!(of_journey(&house.mails(), "receipt").len(), 4, "a tenth of the quota is theirs");

    house.until(at("2026-03-04T12:00:00Z")).await;
    let mails = house.mails();
    let campaign = of_journey(&mails, "campaign");
    assert_eq!(campaign.len(), 115);
    assert_eq!(campaign.iter().map(|mail| &mail.recipients[0]).collect::<BTreeSet<_>>().len(), 115, "each once");
    for mail in campaign {
        let hour = mail.at.to_zoned(jiff::tz::TimeZone::UTC).hour();
        assert!((7..21).contains(&hour), "{} is in quiet hours", mail.at);
    }
    house.is_without_dead_letters().await;
    house.stack.stop().await;
}

/// A CRM that is down for six hours, in each possible way.
#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_once_the_crm_is_back_after_six_hours() {
    for manner in [Manner::Answers(503), Manner::Answers(429), Manner::Answers(404), Manner::HangsUp] {
        let receiver = Receiver::start(manner).await;
        let house = House::open("2026-03-02T10:00:00Z", SesLimits::default(), &[("tasks", &receiver.url)]).await;
        house.know(20).await;
        house.track("Task Wanted", 0..20).await;
        house.pass(minutes(6 * 60)).await;
        assert!(receiver.taken().is_empty());
        assert_eq!(house.state(0, "task").await, "claimed");
        receiver.becomes(Manner::Takes);
        house.pass(minutes(31)).await;
        assert_eq!(receiver.taken().len(), 20, "{manner:?}");
        assert!(receiver.taken().values().all(|times| *times == 1), "each once");
        assert_eq!(house.state(0, "task").await, "sent");
        house.is_without_dead_letters().await;
        house.stack.stop().await;
    }
}

/// It would take ten batches of ten seconds each to detect a hundred times that a receiver does not respond.
#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_never_answers_delays_nobody_elses_messages() {
    let dead = Receiver::start(Manner::NeverAnswers).await;
    let well = Receiver::start(Manner::Takes).await;
    let endpoints = [("tasks", dead.url.as_str()), ("crm", well.url.as_str())];
    let house = House::open("2026-03-02T10:00:00Z", SesLimits::default(), &endpoints).await;
    house.know(130).await;
    house.track("Task Wanted", 0..100).await;
    let began = std::time::Instant::now();
    house.track("Chat Wanted", 100..120).await;
    house.track("Campaign Started", 120..130).await;
    let elapsed = began.elapsed();
    assert_eq!((well.taken().len(), house.mails().len()), (20, 10));
    assert!(elapsed.as_secs() < 15, "the others waited for {elapsed:?}");
    house.is_without_dead_letters().await;
    house.stack.stop().await;
}

/// "Your trial ends in three days" is not sent after ten, though its receiver is available by then.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_older_than_their_journey_allows_expire_and_are_not_sent() {
    let receiver = Receiver::start(Manner::Answers(500)).await;
    let house = House::open("2026-03-02T10:00:00Z", SesLimits::default(), &[("tasks", &receiver.url)]).await;
    house.know(3).await;
    house.track("Task Wanted", 0..3).await;
    house.until(at("2026-03-05T11:00:00Z")).await;
    receiver.becomes(Manner::Takes);
    house.until(at("2026-03-12T10:00:00Z")).await;
    assert!(receiver.taken().is_empty());
    for user in 0..3 {
        assert_eq!(house.state(user, "task").await, "expired");
    }
    house.is_without_dead_letters().await;
    house.stack.stop().await;
}
