//! A story: people act, days pass, and messages are read where they arrive: in mailboxes, in the product's inbox, at
//! the receivers of tasks and in the team's chat.

use crate::support::{Client, stack_with};
use jiff::{SignedDuration, Timestamp};
use perennial_domain::time::plus_days;
use perennial_lambda_kit::SimulatedTime;
use perennial_local::stack::{LOCAL_HOOK_SECRET, Stack, StackOptions};
use ring::hmac;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The step of the clock.
const STEP: SignedDuration = SignedDuration::from_hours(6);
/// States in which a message was withheld on purpose.
const WITHHELD: [&str; 5] = ["suppressed", "capped", "held_out", "expired", "displaced"];

/// An action of a person: the event's name and its properties.
pub(crate) type Deed = (&'static str, Value);

/// Signs in.
pub(crate) fn signs_in() -> Deed {
    ("Signed In", json!({}))
}

/// Uses a feature.
pub(crate) fn uses(feature: &str) -> Deed {
    ("Feature Used", json!({ "feature": feature }))
}

/// Answers the survey.
pub(crate) fn answers(nps: u8) -> Deed {
    ("Survey Answered", json!({ "nps": nps }))
}

/// The running system and those who live with it.
pub(crate) struct Story {
    stack: Stack,
    time: SimulatedTime,
    client: Client,
    calls: u32,
    /// Mail addresses by user.
    addresses: BTreeMap<String, String>,
}

impl Story {
    /// Begins at `now`, without people.
    pub(crate) async fn at(now: &str) -> Self {
        Self::with(now, |_| {}).await
    }

    /// The same with changed files of the configuration.
    pub(crate) async fn with(now: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/config");
        let mut config = perennial_local::bundle::read_dir(&folder).unwrap();
        change(&mut config.files);
        let (stack, time) = stack_with(now, |options| StackOptions { fast: true, config, ..options }).await;
        let client = Client::new(stack.base_url());
        Self { stack, time, client, calls: 0, addresses: BTreeMap::new() }
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Identifies a person. Without an address in the traits they have one at their own company.
    pub(crate) async fn is(&mut self, user: &str, traits: Value) {
        let mut all = json!({ "email": address_of(user), "first_name": user });
        all.as_object_mut().unwrap().extend(traits.as_object().unwrap().clone());
        self.addresses.insert(user.to_owned(), all["email"].as_str().unwrap().to_owned());
        let call = self.call("identify", user, self.time.now(), json!({ "traits": all }));
        self.post(&[call]).await;
    }

    /// Imports an identification from so many days ago.
    pub(crate) async fn was(&mut self, user: &str, days_ago: i64) {
        let address = address_of(user);
        self.addresses.insert(user.to_owned(), address.clone());
        let at = plus_days(self.time.now(), -days_ago);
        let call = self.call("identify", user, at, json!({ "traits": { "email": address } }));
        self.post(&[call]).await;
    }

    /// Identifies a person who pays.
    pub(crate) async fn is_customer(&mut self, user: &str, traits: Value) {
        self.is(user, traits).await;
        self.does(user, ("Subscription Started", json!({ "plan": "team" }))).await;
    }

    /// Identifies a person in trial.
    pub(crate) async fn is_trying(&mut self, user: &str) {
        self.is(user, json!({})).await;
        self.does(user, ("Trial Started", json!({ "days": 14 }))).await;
    }

    /// Sends a `group` call of a person's account.
    pub(crate) async fn belongs_to(&mut self, user: &str, account: &str, traits: Value) {
        let call = self.call("group", user, self.time.now(), json!({ "groupId": account, "traits": traits }));
        self.post(&[call]).await;
    }

    /// Records an action now.
    pub(crate) async fn does(&mut self, user: &str, deed: Deed) {
        self.all_do(&[user], &[deed]).await;
    }

    /// Everyone does all of it now.
    pub(crate) async fn all_do(&mut self, users: &[&str], deeds: &[Deed]) {
        let now = self.time.now();
        let mut calls = Vec::new();
        for user in users {
            calls.extend(deeds.iter().map(|deed| self.track(user, deed, now)));
        }
        self.post(&calls).await;
    }

    /// Records an action for an account now.
    pub(crate) async fn does_for(&mut self, user: &str, account: &str, (event, properties): Deed) {
        let rest = json!({ "event": event, "properties": properties, "context": { "groupId": account } });
        let call = self.call("track", user, self.time.now(), rest);
        self.post(&[call]).await;
    }

    /// Imports actions from so many days ago.
    pub(crate) async fn did(&mut self, user: &str, days_ago: i64, deeds: &[Deed]) {
        self.did_daily(user, days_ago..=days_ago, deeds).await;
    }

    /// Imports an action on each of the days, counted back from now.
    pub(crate) async fn did_daily(&mut self, user: &str, days_ago: impl IntoIterator<Item = i64>, deeds: &[Deed]) {
        let mut calls = Vec::new();
        for days in days_ago {
            let at = plus_days(self.time.now(), -days);
            calls.extend(deeds.iter().map(|deed| self.track(user, deed, at)));
        }
        self.post(&calls).await;
    }

    /// Advances days.
    pub(crate) async fn days(&mut self, days: i64) {
        self.hours(days * 24).await;
    }

    /// Advances hours.
    pub(crate) async fn hours(&mut self, hours: i64) {
        let until = self.time.now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        while self.time.now() < until {
            self.time.set(self.time.now().checked_add(STEP).unwrap().min(until));
            self.settle().await;
        }
    }

    /// Advances days, on each of which everyone does all of the actions.
    pub(crate) async fn days_of(&mut self, days: i64, users: &[&str], deeds: &[Deed]) {
        for _ in 0..days {
            self.days(1).await;
            self.all_do(users, deeds).await;
        }
    }

    /// Another system calls a signed hook.
    pub(crate) async fn hook(&mut self, source: &str, body: Value) {
        self.calls += 1;
        let (id, seconds, body) = (format!("hook-{}", self.calls), self.time.now().as_second(), body.to_string());
        let secret = LOCAL_HOOK_SECRET.trim_start_matches("whsec_").as_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &data_encoding::BASE64.decode(secret).unwrap());
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        let signature = format!("v1,{}", data_encoding::BASE64.encode(tag.as_ref()));
        let headers =
            [("webhook-id", id), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)];
        let status = self.client.hook(source, &headers, body).await;
        assert!((200..300).contains(&status), "the hook was refused: {status}");
        self.settle().await;
    }

    /// Zoom calls its signed hook.
    pub(crate) async fn zoom(&mut self, body: Value) {
        let (seconds, body) = (self.time.now().as_second().to_string(), body.to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, LOCAL_HOOK_SECRET.as_bytes());
        let tag = hmac::sign(&key, format!("v0:{seconds}:{body}").as_bytes());
        let signature = format!("v0={}", data_encoding::HEXLOWER.encode(tag.as_ref()));
        let headers = [("x-zm-signature", signature), ("x-zm-request-timestamp", seconds)];
        let status = self.client.hook("zoom", &headers, body).await;
        assert!((200..300).contains(&status), "the hook was refused: {status}");
        self.settle().await;
    }

    /// Returns the messages of a person, one a line: the day, the channel and the template, in the order of decisions.
    /// Checks on the way that the recorded messages and those that arrived agree.
    pub(crate) async fn got(&self, user: &str) -> Vec<String> {
        self.arrived(user, |_| true).await
    }

    /// The same, of one journey only.
    pub(crate) async fn got_of(&self, user: &str, journey: &str) -> Vec<String> {
        self.arrived(user, |record| record["journey"] == journey).await
    }

    async fn arrived(&self, user: &str, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
        let records = self.person(user).await["messages"].as_array().unwrap().clone();
        let is_sent = |record: &&Value| !WITHHELD.contains(&record["state"].as_str().unwrap());
        let sent: BTreeMap<&str, &Value> =
            records.iter().filter(is_sent).map(|record| (record["id"].as_str().unwrap(), record)).collect();
        let mut arrived = BTreeSet::new();
        let mut lines = Vec::new();
        for (id, at, channel) in
            self.mail_to(user).await.into_iter().chain(self.inbox_of(user).await).chain(self.tasks_of(user).await)
        {
            assert!(arrived.insert(id.clone()), "{user} got {id} twice");
            let record = sent
                .get(id.as_str())
                .unwrap_or_else(|| panic!("{user} got {id}, of which there is no record: {records:?}"));
            assert_eq!(record["channel"], channel, "{record}");
            if wanted(record) {
                let order = (record["decided_at"].as_str().unwrap().to_owned(), record["step"].as_u64());
                lines.push((
                    order,
                    format!("{} {channel} {}", at.get(..10).unwrap(), record["template"].as_str().unwrap()),
                ));
            }
        }
        // A chat message does not contain the person.
        let missing: Vec<&&Value> = sent
            .iter()
            .filter(|(id, record)| !arrived.contains(**id) && record["endpoint"] != "team_chat")
            .map(|(_, record)| record)
            .collect();
        assert!(missing.is_empty(), "recorded as sent to {user}, and never arrived: {missing:?}");
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    async fn mail_to(&self, user: &str) -> Vec<(String, String, &'static str)> {
        let Some(address) = self.addresses.get(user) else { return Vec::new() };
        let (_, found) = self.client.get(&format!("/_local/mails?to={address}&limit=1000")).await;
        let mails = found["mails"].as_array().unwrap().iter();
        mails.map(|mail| (text(&mail["tags"]["decision"]), text(&mail["at"]), "mail")).collect()
    }

    async fn inbox_of(&self, user: &str) -> Vec<(String, String, &'static str)> {
        let (_, inbox) = self.client.get(&format!("/api/inbox/{user}")).await;
        let messages = inbox["messages"].as_array().unwrap().iter();
        messages.map(|message| (text(&message["id"]), text(&message["at"]), "in_app")).collect()
    }

    async fn tasks_of(&self, user: &str) -> Vec<(String, String, &'static str)> {
        let is_of = |task: &&Value| task["person"]["user_ids"].as_array().unwrap().contains(&user.into());
        let tasks = self.tasks().await;
        tasks.iter().filter(is_of).map(|task| (text(&task["id"]), text(&task["at"]), "webhook")).collect()
    }

    /// Returns all tasks for colleagues, as their receiver got them, each with `at`, the time of its decision.
    pub(crate) async fn tasks(&self) -> Vec<Value> {
        let (_, found) = self.client.get("/_local/webhooks").await;
        let tasks = found["webhooks"].as_array().unwrap().iter().filter(|webhook| webhook["endpoint"] == "tasks");
        tasks
            .map(|webhook| {
                let mut task = webhook["body"]["data"].clone();
                task["at"] = webhook["body"]["timestamp"].clone();
                task
            })
            .collect()
    }

    /// Returns the latest fields of the CRM's record of an account.
    pub(crate) async fn crm(&self, account: &str) -> Value {
        let (_, found) = self.client.get("/_local/webhooks").await;
        let mut updates = found["webhooks"].as_array().unwrap().iter().filter(|webhook| webhook["endpoint"] == "crm");
        let of = |webhook: &&Value| webhook["body"]["data"]["account"]["id"] == account;
        updates.rfind(of).map_or(Value::Null, |webhook| webhook["body"]["data"]["fields"].clone())
    }

    /// Returns what HubSpot has of a person; `null` if it has nothing.
    pub(crate) async fn hubspot(&self, user: &str) -> Value {
        let (_, kept) = self.client.get("/_local/standins").await;
        let stand_ins = kept.as_array().unwrap().iter().filter(|one| one["kind"] == "hubspot");
        let contact = |one: &Value| one["kept"]["records"]["contacts"][&self.addresses[user]].clone();
        stand_ins.map(contact).next().unwrap_or_default()
    }

    /// Returns the titles in the team's chat.
    pub(crate) async fn chat(&self) -> Vec<String> {
        let (_, kept) = self.client.get("/_local/standins").await;
        let stand_ins = kept.as_array().unwrap().iter();
        let chat = stand_ins
            .filter(|one| one["endpoint"] == "team_chat")
            .flat_map(|one| one["kept"]["messages"].as_array().unwrap());
        chat.map(|message| text(&message["blocks"][0]["text"]["text"])).collect()
    }

    /// Returns a person's profile as colleagues see it.
    pub(crate) async fn person(&self, user: &str) -> Value {
        let (status, person) = self.client.get(&format!("/api/profiles/{user}")).await;
        assert_eq!(status, 200, "{user}: {person}");
        person
    }

    /// Returns any other response of the api.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let (status, answer) = self.client.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Follows the unsubscribe link of the person's newest mail, with one click (RFC 8058).
    pub(crate) async fn unsubscribes(&mut self, user: &str) {
        let address = &self.addresses[user];
        let (_, found) = self.client.get(&format!("/_local/mails?to={address}&limit=1")).await;
        let headers = found["mails"][0]["headers"].as_array().unwrap().clone();
        let header = headers.iter().find(|header| header[0].as_str().unwrap().eq_ignore_ascii_case("List-Unsubscribe"));
        let link = text(&header.expect("a mail that can be stopped")[1]);
        let path = link.trim_matches(['<', '>']).split_once("/u/").expect("a link to /u/").1.to_owned();
        let form = "application/x-www-form-urlencoded";
        let (status, _) = self.client.post(&format!("/u/{path}"), form, "List-Unsubscribe=One-Click").await;
        assert_eq!(status, 200);
        self.settle().await;
    }

    /// Pushes the shipped configuration with `old` replaced in one of its files, and lets the functions pick it up.
    pub(crate) async fn config(&mut self, file: &str, old: &str, new: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/config");
        let mut config = perennial_local::bundle::read_dir(&folder).unwrap();
        let text = config.files.get_mut(file).unwrap();
        assert!(text.contains(old), "{file} has no `{old}`");
        *text = text.replacen(old, new, 1);
        self.stack.store().push_config(&config, self.now()).await.unwrap();
        self.hours(1).await;
    }

    /// Ends the story.
    pub(crate) async fn ends(self) {
        self.stack.stop().await;
    }

    fn track(&mut self, user: &str, (event, properties): &Deed, at: Timestamp) -> String {
        self.call("track", user, at, json!({ "event": event, "properties": properties }))
    }

    fn call(&mut self, kind: &str, user: &str, at: Timestamp, rest: Value) -> String {
        self.calls += 1;
        let mut call =
            json!({ "messageId": format!("call-{}", self.calls), "type": kind, "userId": user, "timestamp": at });
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call.to_string()
    }

    async fn post(&self, calls: &[String]) {
        for batch in calls.chunks(400) {
            self.client.batch(batch).await;
        }
        self.settle().await;
    }

    /// Works off all that is to be done by now.
    async fn settle(&self) {
        self.stack.wait_idle().await.unwrap();
        self.stack.fire_schedules().await;
        self.stack.wait_idle().await.unwrap();
    }
}

fn address_of(user: &str) -> String {
    let user = user.replace('_', "-");
    format!("{user}@{user}-company.example")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
