//! Every journey in words, and its number of people.

use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Reentry};
use perennial_domain::{Channel, Stage};
use perennial_engine::figures::JourneyFigures;
use perennial_engine::play::words;
use perennial_store::count::Count;
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
    /// The config that they were counted under.
    pub config: String,
    /// When they began to be counted.
    pub counted_at: Timestamp,
    /// When this was asked.
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
    /// How many people entered it; `None` where it was not there yet when they were counted.
    pub entered: Option<u64>,
    /// How many of them are in progress; `None` as for `entered`.
    pub under_way: Option<u64>,
    /// How many reached its goal after they last entered; `None` where it has none, and as for `entered`.
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

/// Returns all journeys of the active configuration.
///
/// # Errors
/// [`ViewError::NotCounted`] before the first count, or if the table fails.
pub async fn list(views: &Views) -> Result<Journeys, ViewError> {
    let (config, now) = (views.config.current().await, views.clock.now());
    let Count { at, config: version, figures, .. } = views.status.count(&views.store, &config, now).await?;
    let view = |journey: &Journey| view(&config, journey, figures.journeys.get(&journey.id));
    Ok(Journeys {
        journeys: config.journeys.all.iter().map(view).collect(),
        people: figures.people,
        unreadable: figures.unreadable,
        config: version.to_string(),
        counted_at: at,
        now,
    })
}

fn view(config: &Config, journey: &Journey, counted: Option<&JourneyFigures>) -> JourneyView {
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
        entered: counted.map(|counted| counted.entered),
        under_way: counted.map(|counted| counted.under_way),
        reached: counted.filter(|_| journey.goal.is_some()).map(|counted| counted.reached),
    }
}
