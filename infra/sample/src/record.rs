//! Writes calls down, and counts them while doing so.

use super::plan::Plot;
use super::rng::Rng;
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One call of the tracking API, as an element of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When it is sent. `timestamp` in the body, when it happened, is mostly the same.
    pub at: Timestamp,
    /// The system that sends it: `web`, `product`, `billing`, `support`, `survey`, `webinar` or `social`.
    pub source: &'static str,
    /// The call.
    pub body: Value,
}

/// The counts of a correct run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Events that are valid and new.
    pub accepted: u64,
    /// Broken ones.
    pub rejected: u64,
    /// Valid ones that were sent before.
    pub duplicates: u64,
    /// People, after anonymous visits are linked to their users, and user ids with a common mail address are merged.
    pub people: u64,
    /// Accounts: those in calls, and the companies of people without an account in any call.
    pub accounts: u64,
    /// Total payments, in cents of US dollars: the sum of `properties.revenue`.
    pub revenue_cents: i64,
    /// Accepted events by name, counted as [`perennial_domain::Event::counted_as`] does (`$page` for page calls).
    pub by_event: BTreeMap<String, u64>,
}

/// The identity of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    User(&'a str),
    Anonymous(&'a str),
    /// An anonymous visitor who identifies.
    Both(&'a str, &'a str),
}

/// The story so far. Moments are (day, second of the day), both from 0, counted from the start.
#[derive(Debug)]
pub(super) struct Recorder {
    start: i64,
    end: Timestamp,
    ids: Rng,
    calls: Vec<Call>,
    expected: Expected,
    users: BTreeSet<String>,
    anonymous: BTreeSet<String>,
    joined: BTreeSet<String>,
    /// User ids of people who have another one, under which they are counted.
    second_ids: BTreeSet<String>,
    accounts: BTreeSet<String>,
}

impl Recorder {
    pub(super) fn new(start: Timestamp, end: Timestamp, ids: Rng) -> Self {
        Self {
            start: start.as_second(),
            end,
            ids,
            calls: Vec::new(),
            expected: Expected::default(),
            users: BTreeSet::new(),
            anonymous: BTreeSet::new(),
            joined: BTreeSet::new(),
            second_ids: BTreeSet::new(),
            accounts: BTreeSet::new(),
        }
    }

    /// The moment of the real calendar.
    pub(super) fn moment(&self, day: i64, second: i64) -> Timestamp {
        Timestamp::from_second(self.start + day * DAY_SECONDS + second).unwrap_or(self.end)
    }

    /// Returns whether the day is a Saturday or a Sunday. 1970-01-01 was a Thursday.
    pub(super) fn is_weekend(&self, day: i64) -> bool {
        matches!((self.start.div_euclid(DAY_SECONDS) + day + 3).rem_euclid(7), 5 | 6)
    }

    /// Returns whether the day is a Thursday, the day of webinars.
    pub(super) fn is_thursday(&self, day: i64) -> bool {
        (self.start.div_euclid(DAY_SECONDS) + day + 3).rem_euclid(7) == 3
    }

    pub(super) fn track(
        &mut self,
        source: &'static str,
        who: Who<'_>,
        when: (i64, i64),
        event: &str,
        properties: Value,
    ) {
        self.late(source, who, when, 0, event, properties);
    }

    /// A `track` that the client could send only `delay` seconds after it happened.
    pub(super) fn late(
        &mut self,
        source: &'static str,
        who: Who<'_>,
        when: (i64, i64),
        delay: i64,
        event: &str,
        properties: Value,
    ) {
        let mut body = json!({"type": "track", "event": event});
        if properties.as_object().is_some_and(|p| !p.is_empty()) {
            body["properties"] = properties;
        }
        self.send(source, who, when, delay, event, body);
    }

    pub(super) fn page(&mut self, who: Who<'_>, when: (i64, i64), name: &str, path: &str) {
        let body = json!({"type": "page", "name": name, "properties": {"path": path, "url": format!("https://perennial.example{path}")}});
        self.send("web", who, when, 0, "$page", body);
    }

    /// Records a `track` with its account.
    pub(super) fn track_of(
        &mut self,
        source: &'static str,
        who: Who<'_>,
        plot: &Plot,
        when: (i64, i64),
        event: &str,
        properties: Value,
    ) {
        let account = plot.account_id();
        let body = json!({"type": "track", "event": event, "properties": properties, "context": {"groupId": account}});
        if self.send(source, who, when, 0, event, body) {
            self.accounts.insert(account);
        }
    }

    /// Records the call, and returns whether it is within the period of the story.
    pub(super) fn identify(&mut self, source: &'static str, who: Who<'_>, when: (i64, i64), traits: Value) -> bool {
        let sent = self.send(source, who, when, 0, "$identify", json!({"type": "identify", "traits": traits}));
        if let (true, Who::Both(_, anonymous)) = (sent, who) {
            self.joined.insert(anonymous.to_owned());
        }
        sent
    }

    /// The browser `anonymous` was `user`'s.
    pub(super) fn alias(&mut self, user: &str, anonymous: &str, when: (i64, i64)) {
        let body = json!({"type": "alias", "previousId": anonymous});
        if self.send("web", Who::User(user), when, 0, "$alias", body) {
            self.anonymous.insert(anonymous.to_owned());
            self.joined.insert(anonymous.to_owned());
        }
    }

    /// Records that both user ids have the same mail address.
    pub(super) fn same_person(&mut self, user: &str, second: &str) {
        if self.users.contains(user) {
            self.second_ids.insert(second.to_owned());
        }
    }

    /// Records that a person has an address of this domain, but no account in any call.
    pub(super) fn company_of(&mut self, domain: &str) {
        self.accounts.insert(domain.to_owned());
    }

    pub(super) fn group(&mut self, source: &'static str, who: Who<'_>, when: (i64, i64), plot: &Plot, traits: Value) {
        let account = plot.account_id();
        if self.send(source, who, when, 0, "$group", json!({"type": "group", "groupId": account, "traits": traits})) {
            self.accounts.insert(account);
        }
    }

    /// Records an invalid call, whose reason the product has to report.
    pub(super) fn broken(&mut self, when: (i64, i64), mut body: Map<String, Value>) {
        let at = self.moment(when.0, when.1);
        if at < self.end {
            body.insert("messageId".to_owned(), self.message_id().into());
            body.insert("timestamp".to_owned(), at.to_string().into());
            self.calls.push(Call { at, source: "product", body: Value::Object(body) });
            self.expected.rejected += 1;
        }
    }

    /// Records the call, and returns whether it is within the period of the story.
    fn send(
        &mut self,
        source: &'static str,
        who: Who<'_>,
        when: (i64, i64),
        delay: i64,
        counted_as: &str,
        mut body: Value,
    ) -> bool {
        let (happened, at) = (self.moment(when.0, when.1), self.moment(when.0, when.1 + delay));
        if at >= self.end || happened.as_second() < self.start {
            return false;
        }
        let (user, anonymous) = match who {
            Who::User(user) => (Some(user), None),
            Who::Anonymous(anonymous) => (None, Some(anonymous)),
            Who::Both(user, anonymous) => (Some(user), Some(anonymous)),
        };
        if let Some(user) = user {
            body["userId"] = user.into();
            self.users.insert(user.to_owned());
        }
        if let Some(anonymous) = anonymous {
            body["anonymousId"] = anonymous.into();
            self.anonymous.insert(anonymous.to_owned());
        }
        // Prices are whole dollars.
        let revenue_cents = body.pointer("/properties/revenue").and_then(Value::as_i64).unwrap_or_default() * 100;
        body["messageId"] = self.message_id().into();
        body["timestamp"] = happened.to_string().into();
        // An account that the call is about stands there already.
        body["context"]["library"] = json!({"name": library(source), "version": "3.0.0"});
        self.calls.push(Call { at, source, body });
        self.expected.accepted += 1;
        self.expected.revenue_cents += revenue_cents;
        *self.expected.by_event.entry(counted_as.to_owned()).or_default() += 1;
        true
    }

    /// A version 4 UUID, as SDKs draw one.
    fn message_id(&mut self) -> String {
        let (a, b) = (self.ids.next(), self.ids.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    /// Repeats some of the calls, as a client does that did not receive the response, and sorts all by the time of
    /// sending.
    pub(super) fn finish(mut self, mut rng: Rng) -> (Vec<Call>, Expected) {
        let valid = |call: &Call| call.body.get("context").is_some();
        let mut again = Vec::new();
        for call in self.calls.iter().filter(|call| valid(call)) {
            // One in 250: most at once, some after the client has been closed for a day.
            if rng.between(1, 250) == 1 {
                let delay = if rng.percent(80) { rng.between(1, 600) } else { rng.between(20, 30) * 3600 };
                let at = Timestamp::from_second(call.at.as_second() + delay).unwrap_or(self.end);
                if at < self.end {
                    again.push(Call { at, ..call.clone() });
                }
            }
        }
        self.expected.duplicates = again.len() as u64;
        let strangers = self.anonymous.difference(&self.joined).count();
        self.expected.people = (self.users.len() - self.second_ids.len() + strangers) as u64;
        self.expected.accounts = self.accounts.len() as u64;
        self.calls.append(&mut again);
        // Stable: calls of the same second keep the order in which they were written.
        self.calls.sort_by_key(|call| call.at);
        (self.calls, self.expected)
    }
}

fn library(source: &str) -> &'static str {
    match source {
        "web" => "analytics.js",
        _ => "@segment/analytics-node",
    }
}
