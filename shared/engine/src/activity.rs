//! Activity: which events count as activity, the active days and months as bitmaps that end at the newest one, and the
//! number of recent actions.

use crate::points::pow2;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::sources::Source;
use perennial_domain::event::JOURNEYS;
use perennial_domain::time::{DAY_SECONDS, beginning_of_week, week_of};
use perennial_domain::{Event, EventKind, scalar};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The member of an event's context by which its sender marks activity, as in Segment's specification.
pub const ACTIVE: &str = "active";

/// Events that PostHog's libraries send by themselves, rather than for an action: whenever a program requests a feature
/// flag or fails, a page has measured itself or is left, and pieces of recordings and heat maps.
const OF_LIBRARIES: [&str; 8] = [
    "$feature_flag_called",
    "$web_vitals",
    "$performance_event",
    "$heatmap",
    "$$heatmap",
    "$pageleave",
    "$snapshot",
    "$exception",
];

/// Returns whether an event is activity: whether it changes the last activity, the active days, and so engagement and
/// stage.
///
/// It is not if
/// - `context.active` is false,
/// - `lifecycle.toml` lists its name among what happens to people (`activity.passive`),
/// - a journey records it, or a library sends it by itself,
/// - it is an `identify`, `group` or `alias` call of a server, a webhook or an import, without `context.active = true`:
///   a nightly synchronisation has data about people, but is not their activity. Actions (`track`, `page`, `screen`)
///   are activity, regardless of the source.
pub fn is_sign_of_life(config: &Config, event: &Event) -> bool {
    let does_something = matches!(event.kind, EventKind::Track | EventKind::Page | EventKind::Screen);
    event.source.as_str() != JOURNEYS
        && !event.event.as_ref().is_some_and(|name| OF_LIBRARIES.contains(&name.as_str()))
        && !config.lifecycle.passive.contains(config.counted_as(event))
        && says_active(event).unwrap_or_else(|| does_something || !is_of_a_server(config, event))
}

/// Returns the sender's own mark; `None` without one.
fn says_active(event: &Event) -> Option<bool> {
    match event.context.get(ACTIVE)? {
        Value::Bool(active) => Some(*active),
        Value::String(text) => scalar::truth(text),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        _ => None,
    }
}

/// Returns whether a server or an import sent it, rather than the person's own device.
fn is_of_a_server(config: &Config, event: &Event) -> bool {
    /// Suffixes and parts of the names of the server libraries of Segment, RudderStack, PostHog, Customer.io, Jitsu and
    /// June, and of services that copy tables of a warehouse.
    const SERVER_LIBRARIES: [&str; 22] = [
        "node",
        "python",
        "ruby",
        "php",
        "java",
        "golang",
        "-go",
        "dotnet",
        ".net",
        "elixir",
        "rust",
        "-rs",
        "cpp",
        "server",
        "sources",
        "reverse etl",
        "reverse-etl",
        "hightouch",
        "census",
        "fivetran",
        "polytomic",
        "zapier",
    ];
    let context = |name: &str| event.context.get(name);
    let channel = context("channel").and_then(Value::as_str).map(str::to_ascii_lowercase);
    match channel.as_deref() {
        Some("server" | "sources" | "import") => return true,
        Some("browser" | "web" | "mobile" | "client") => return false,
        _ => {}
    }
    // RudderStack's reverse ETL puts its job's name there; Segment the tool that it copied objects from, and the
    // audience or the trait that it computed.
    const COPIED: [&str; 3] = ["sources", "integration", "personas"];
    let is_said = |name: &str| context(name).is_some_and(|said| !matches!(said, Value::Null | Value::Bool(false)));
    if COPIED.iter().any(|name| is_said(name)) {
        return true;
    }
    let is_hook_only = |source: &Source| source.id == event.source && source.write_key_hashes.is_empty();
    if config.sources.iter().any(is_hook_only) {
        return true;
    }
    let library = context("library");
    let library =
        library.and_then(|library| library.get("name").unwrap_or(library).as_str()).map(str::to_ascii_lowercase);
    library.is_some_and(|name| {
        // `analytics-java` and `posthog-node` are of servers, `javascript`, `analytics.js` and `react-native` of devices.
        let on_device = [
            "javascript",
            ".js",
            "js-",
            "-js",
            "react",
            "native",
            "android",
            "ios",
            "swift",
            "flutter",
            "kotlin",
            "browser",
            "web",
        ];
        !on_device.iter().any(|part| name.contains(part)) && SERVER_LIBRARIES.iter().any(|part| name.contains(part))
    })
}

macro_rules! bitmap {
    ($(#[$doc:meta])* $name:ident, $bits:ty, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            newest: i32,
            bits: $bits,
        }

        impl $name {
            #[doc = concat!("How many ", $unit, "s back from the newest it reaches.")]
            pub const LENGTH: u32 = <$bits>::BITS;

            #[doc = concat!("Marks a ", $unit, "; what is older than the bitmap reaches is left out, whenever it comes.")]
            pub fn mark(&mut self, at: i32) {
                self.merge(&Self { newest: at, bits: 1 });
            }

            /// The union of both, as far back as the bitmap reaches.
            pub fn merge(&mut self, other: &Self) {
                if other.bits == 0 {
                    return;
                }
                if self.bits == 0 {
                    *self = *other;
                    return;
                }
                let newest = self.newest.max(other.newest);
                let bits = self.seen_from(newest) | other.seen_from(newest);
                *self = Self { newest, bits };
            }

            /// The bits shifted to `newest`, which is not older than the last one.
            fn seen_from(&self, newest: i32) -> $bits {
                self.bits.checked_shl(newest.abs_diff(self.newest)).unwrap_or(0)
            }

            #[doc = concat!("Returns whether no ", $unit, " after `last` is marked.")]
            pub fn is_past(&self, last: i32) -> bool {
                self.bits == 0 || self.newest <= last
            }

            #[doc = concat!("How many of the `length` ", $unit, "s that end with `last` are marked.")]
            pub fn active(&self, last: i32, length: u32) -> u32 {
                let bits = if last >= self.newest {
                    self.seen_from(last)
                } else {
                    self.bits.checked_shr(self.newest.abs_diff(last)).unwrap_or(0)
                };
                let mask = if length >= Self::LENGTH { <$bits>::MAX } else { ((1 as $bits) << length) - 1 };
                (bits & mask).count_ones()
            }
        }
    };
}

bitmap!(
    /// Active days, since 1970-01-01.
    Days, u128, "day"
);
bitmap!(
    /// Active months, since January 1970.
    Months, u64, "month"
);

/// Weeks of actions that are kept: the newest, and those that still count four weeks later.
const WEEKS: i32 = 5;

/// The number of actions in each of the newest weeks, by the week's number: the amount of activity, as the days are its
/// frequency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    by_week: BTreeMap<i32, u32>,
}

impl Actions {
    /// Counts an action of `week`; weeks [`WEEKS`] or more before the newest are left out, whenever they arrive.
    pub fn count(&mut self, week: i32) {
        self.add(week, 1);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (week, n) in &other.by_week {
            self.add(*week, *n);
        }
    }

    fn add(&mut self, week: i32, n: u32) {
        let count = self.by_week.entry(week).or_default();
        *count = count.saturating_add(n);
        let Some(newest) = self.by_week.keys().next_back().copied() else { return };
        while self.by_week.first_key_value().is_some_and(|(week, _)| *week <= newest.saturating_sub(WEEKS)) {
            self.by_week.pop_first();
        }
    }

    /// Returns whether there are no actions of weeks after that of `now`.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.by_week.keys().next_back().is_none_or(|newest| *newest <= week_of(now))
    }

    /// Returns the weighted number of actions at `now`: those of its week count in full, and those of weeks before lose
    /// half their weight in each week since theirs ended. What ended four weeks ago or longer counts no more.
    pub fn left(&self, now: Timestamp) -> f64 {
        let this_week = week_of(now);
        let left = |(week, n): (&i32, &u32)| {
            let ended = beginning_of_week(week.saturating_add(1));
            let passed = (now.as_second() - ended.as_second()).max(0) as f64 / (7 * DAY_SECONDS) as f64;
            f64::from(*n) * pow2(-passed)
        };
        self.by_week.range(this_week - WEEKS + 1..=this_week).map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::SourceId;
    use perennial_testkit::{ConfigBuilder, EventBuilder};
    use serde_json::json;

    #[test]
    fn days_count_within_their_window_in_any_order() {
        let (mut a, mut b) = (Days::default(), Days::default());
        for day in [100, 90, 101, 400, 399, 273, 272] {
            a.mark(day);
        }
        for day in [272, 399, 101, 400, 273, 90, 100] {
            b.mark(day);
        }
        assert_eq!(a, b);
        assert_eq!(a.active(400, 28), 2);
        assert_eq!(a.active(400, 128), 3, "day 273 is the last that 128 days reach");
        assert_eq!(a.active(399, 1), 1);
        assert_eq!(a.active(500, 28), 0);
    }

    fn is_active(event: &Event) -> bool {
        let sources = "[[source]]\nid = \"crm\"\nscheme = \"standard\"\nsecret_env = \"S\"\n[[source.map]]\nwhen = { \"/type\" = \"t\" }\n\
            type = \"identify\"\nuser_id = \"/id\"\n";
        let lifecycle = "[activity]\npassive = [\"Invoice Paid\"]\n";
        let config = ConfigBuilder::least().with(&[("sources.toml", sources), ("lifecycle.toml", lifecycle)]).load();
        is_sign_of_life(&config, event)
    }

    fn with(mut event: Event, context: Value) -> Event {
        event.context = serde_json::from_value(context).unwrap();
        event
    }

    #[test]
    fn what_happens_to_people_and_what_servers_know_of_them_is_no_sign_of_life() {
        let identify = || EventBuilder::identify("i", "u", None).build();
        let track = |name: &str| EventBuilder::track("t", "u", name).build();
        let group = || Event { kind: EventKind::Group, ..identify() };
        let library = |name: &str| json!({"library": {"name": name, "version": "1"}});
        assert!(is_active(&identify()) && is_active(&track("Signed In")) && !is_active(&track("Invoice Paid")));
        for active in [json!(false), json!("false"), json!("False"), json!(0)] {
            for event in [identify(), track("Signed In"), group()] {
                assert!(!is_active(&with(event, json!({"active": active}))), "{active}");
            }
        }
        for name in [
            "@segment/analytics-node",
            "analytics-python",
            "analytics-ruby",
            "analytics-php",
            "analytics-java",
            "analytics-go",
            "Analytics.NET",
            "posthog-node",
            "posthog-python",
            "posthog-php",
            "posthog-rs",
            "rudderstack-sources",
            "Hightouch",
            "census",
            "fivetran",
            "zapier",
            "Segment Reverse ETL",
        ] {
            assert!(
                !is_active(&with(identify(), library(name))) && !is_active(&with(group(), library(name))),
                "{name}"
            );
            assert!(
                is_active(&with(track("Signed In"), library(name))),
                "what someone did is told by servers too: {name}"
            );
            let mut context = library(name);
            context["active"] = json!(true);
            assert!(is_active(&with(identify(), context)), "{name}");
        }
        for name in [
            "analytics.js",
            "RudderLabs JavaScript SDK",
            "@jitsu/js",
            "analytics-react-native",
            "analytics-ios",
            "analytics-android",
            "analytics_flutter",
            "web",
            "posthog-ios",
        ] {
            assert!(is_active(&with(identify(), library(name))), "{name}");
        }
        let crm = || Event { source: SourceId::parse("crm").unwrap(), ..identify() };
        assert!(!is_active(&crm()) && is_active(&with(crm(), json!({"active": true}))));
        for channel in ["server", "Sources", "import"] {
            for event in [identify(), group()] {
                assert!(!is_active(&with(event, json!({"channel": channel}))), "{channel}");
            }
            assert!(is_active(&with(track("Signed In"), json!({"channel": channel}))), "{channel}");
        }
        assert!(is_active(&with(identify(), json!({"channel": "web"}))));
        for name in OF_LIBRARIES {
            assert!(!is_active(&track(name)), "{name}");
        }
        assert!(!is_active(&with(identify(), json!({"sources": {"job_id": "j", "task_run_id": "t"}}))));
        for copied in [
            json!({"integration": {"name": "Salesforce", "version": "1.0.0"}}),
            json!({"personas": {"computation_class": "audience", "computation_key": "big_spenders", "space_id": "s"}}),
        ] {
            assert!(!is_active(&with(identify(), copied.clone())) && !is_active(&with(group(), copied.clone())));
            assert!(is_active(&with(track("Signed In"), copied)));
        }
        assert!(is_active(&with(identify(), json!({"integration": null, "personas": null}))));
        let journey = Event { source: SourceId::parse(JOURNEYS).unwrap(), ..track("Rescue Begun") };
        assert!(!is_active(&journey));
    }
}
