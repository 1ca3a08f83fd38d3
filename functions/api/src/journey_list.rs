//! `GET /api/journeys`: every journey in words, and its number of people.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Reentry};
use perennial_domain::{Channel, Stage};
use perennial_engine::facts::Facts;
use perennial_engine::play::words;
use serde::{Deserialize, Serialize};

/// All journeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journeys {
    /// In the config's order.
    pub journeys: Vec<JourneyView>,
    /// The number of evaluated people.
    pub people: u64,
    /// Profiles that cannot be read, and are in none of the numbers.
    #[serde(default)]
    pub unreadable: u64,
    /// The configuration of these journeys.
    pub config: String,
    /// When it was counted.
    pub now: Timestamp,
}

/// A journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JourneyView {
    /// Its id.
    pub name: String,
    /// Its purpose, in its author's words; may be empty.
    pub description: String,
    /// Its trigger, in words.
    pub trigger: String,
    /// Its stages; all if empty.
    pub stages: Vec<Stage>,
    /// Specifies whether a person may enter again, in words.
    pub reentry: String,
    /// The number of its steps.
    pub steps: usize,
    /// The messages that it may send, in the order of its steps.
    pub messages: Vec<MessageView>,
    /// The number of people who entered it.
    pub entered: u64,
    /// The number of runs in progress.
    pub under_way: u64,
    /// The number of people who reached its goal after they last entered; `None` without a goal.
    pub reached: Option<u64>,
}

/// Something that a journey may send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    /// The channel.
    pub channel: Channel,
    /// The template.
    pub template: String,
    /// The endpoint of a webhook.
    pub endpoint: Option<String>,
}

/// Returns all journeys of the active configuration. It reads every profile, half a read unit for each 4 KB of the
/// table: meant for a report, not for a page that is polled all day.
pub(crate) async fn list(deps: &Deps) -> Result<Response<Body>, Failure> {
    let (config, now) = (deps.config.current().await, deps.clock.now());
    let mut journeys: Vec<JourneyView> = config.journeys.all.iter().map(|journey| view(&config, journey)).collect();
    let (mut people, mut unreadable, mut from) = (0, 0, None);
    loop {
        let page = deps.store.people(from).await?;
        for stored in page.known() {
            let facts = stored.profile.facts();
            journeys.iter_mut().zip(&config.journeys.all).for_each(|(view, journey)| view.add(journey.key, &facts));
        }
        people += page.known().count() as u64;
        unreadable += page.unreadable;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    answer::json(&Journeys { journeys, people, unreadable, config: config.version.to_string(), now })
}

/// Returns a journey without people.
fn view(config: &Config, journey: &Journey) -> JourneyView {
    let message = |message: &perennial_config::journeys::Message| MessageView {
        channel: message.channel,
        template: message.template.clone(),
        endpoint: message.endpoint.clone(),
    };
    JourneyView {
        name: journey.id.clone(),
        description: journey.description.clone(),
        trigger: words::trigger(config, journey),
        stages: journey.stages.clone(),
        reentry: match journey.reentry {
            Reentry::Once => "once".to_owned(),
            Reentry::Always => "always".to_owned(),
            Reentry::AfterDays(1) => "after a day".to_owned(),
            Reentry::AfterDays(days) => format!("after {days} days"),
        },
        steps: journey.steps.len(),
        messages: journey.messages().map(message).collect(),
        entered: 0,
        under_way: 0,
        reached: journey.goal.as_ref().map(|_| 0),
    }
}

impl JourneyView {
    /// Counts one person.
    fn add(&mut self, key: u32, facts: &Facts) {
        let Some(entered) = facts.entered.get(&key) else { return };
        self.entered += 1;
        self.under_way += u64::from(facts.runs.contains_key(&key));
        self.reached = self.reached.map(|all| all + u64::from(entered.reached.is_some()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::access::Access;
    use crate::handler::tests::get;
    use crate::test_support::{ada, config_with, house_with, now};
    use perennial_engine::{Mode, Moment, Profile, process};
    use perennial_store::Stored;
    use perennial_testkit::EventBuilder;
    use serde_json::json;

    const JOURNEYS: &str = r#"!
        [[journey]]
        id = "course"
        description = "teaches"
        trigger = { event = "Login", times = 2, within_days = 7 }
        stages = ["visitor", "lead"]
        reentry = { after_days = 30 }
        goal = { event = "Report Viewed" }
        [[journey.step]]
        wait = { days = 1 }
        [[journey.step]]
        channel = "in_app"
        template = "note"
        [[journey]]
        id = "plain"
        trigger = { idle_days = 3 }
        step = [{ channel = "mail", template = "note" }]
    "#;

    #[tokio::test]
    async fn journeys_are_told_with_the_people_whom_they_have_seen() {
        let files = [("journeys.toml", JOURNEYS), ("templates/note.toml", "subject = \"s\"\ntext = \"t\"")];
        let house = house_with(Access::Open, config_with(&files)).await;
        let config = house.deps.config.current().await;
        let mut profile = Profile::new(ada());
        let events = ["m1", "m2"].map(|id| EventBuilder::track(id, "user/1", "Login").at(now()).build());
        process(&Moment::new(&config, now()), &mut profile, &events, &Default::default(), Mode::Live);
        house.deps.store.save(&mut Stored::new(profile)).await.unwrap();
        let answer = get(&house, "/api/journeys").await;
        let expected = json!({
            "name": "course", "description": "teaches", "trigger": "\"Login\" happens twice in 7 days",
            "stages": ["visitor", "lead"], "reentry": "after 30 days", "steps": 2,
            "messages": [{ "channel": "in_app", "template": "note", "endpoint": null }],
            "entered": 1, "under_way": 1, "reached": 0,
        });
        assert_eq!((&answer["journeys"][0], &answer["people"]), (&expected, &json!(1)));
        let plain = &answer["journeys"][1];
        assert_eq!(
            (&plain["trigger"], &plain["entered"], &plain["reached"]),
            (&json!("nothing happens for 3 days"), &json!(0), &json!(null))
        );
    }
}
