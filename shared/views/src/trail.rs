//! A person's message history, and the goals that followed.

use crate::Views;
use crate::person::people;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_engine::Profile;
use perennial_engine::facts::Facts;
use perennial_store::messages::{MessageRecord, MessageState};
use perennial_store::{Found, StoreError};
use serde::Serialize;

/// A message or task, with what followed from it.
#[derive(Debug, Serialize)]
pub struct MessageView {
    #[serde(flatten)]
    /// The stored record.
    pub record: MessageRecord,
    /// The journey's goal, if it was reached after this; `null` if it was not (yet), or nothing was sent.
    pub led_to: Option<GoalView>,
}

/// A goal that was reached.
#[derive(Debug, PartialEq, Serialize)]
pub struct GoalView {
    /// The event or the condition.
    pub goal: String,
    /// When.
    pub at: Timestamp,
}

/// All messages of everyone that the person is made of, the newest first, and how many cannot be read.
///
/// # Errors
/// [`StoreError`] if the table fails.
pub async fn messages(
    views: &Views,
    profile: &Profile,
    config: &Config,
    facts: &Facts,
) -> Result<Found<MessageView>, StoreError> {
    let (mut records, mut unreadable) = (Vec::new(), 0);
    for person in people(profile) {
        let found = views.store.messages(person).await?;
        records.extend(found.items);
        unreadable += found.unreadable;
    }
    records.sort_by(|a, b| b.decided_at.cmp(&a.decided_at).then_with(|| a.id.cmp(&b.id)));
    let view = |record| MessageView { led_to: led_to(config, facts, &record), record };
    Ok(Found { items: records.into_iter().map(view).collect(), unreadable })
}

/// Returns the goal that was reached after the message, in the run that sent it.
fn led_to(config: &Config, facts: &Facts, record: &MessageRecord) -> Option<GoalView> {
    let went_out = record.times.keys().any(|state| *state == MessageState::Sent || *state == MessageState::Delivered);
    let journey = config.journeys.named(&record.journey)?;
    let entered = facts.entered.get(&journey.key)?;
    let (reached, decided) = (entered.reached?, record.decided_at.as_millisecond());
    (went_out && (entered.last..=reached).contains(&decided)).then_some(())?;
    Some(GoalView { goal: journey.goal.as_ref()?.by.to_string(), at: Timestamp::from_millisecond(reached).ok()? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{Cause, Channel, ConfigVersion, DecisionId, PersonId};
    use perennial_engine::{Mode, Moment, process};
    use perennial_testkit::{ConfigBuilder, EventBuilder};

    const JOURNEYS: &str = r#"!
        [[journey]]
        id = "course"
        trigger = { event = "Login" }
        reentry = "always"
        goal = { event = "Report Shared", within_days = 10 }
        [[journey.step]]
        wait = { days = 5 }
    "#;

    fn at(day: u8) -> Timestamp {
        format!("2026-03-{day:02}T10:00:00Z").parse().unwrap()
    }

    fn sent(journey: &str, decided: Timestamp, states: &[MessageState]) -> MessageRecord {
        let person = PersonId::derive(&[b"p"]);
        let cause = Cause::Quiet { since: decided, days: 1 };
        MessageRecord {
            id: DecisionId::of(person, journey, 0, b"c"),
            person,
            state: *states.last().unwrap(),
            channel: Channel::Mail,
            journey: journey.to_owned(),
            step: 0,
            template: "t".to_owned(),
            endpoint: None,
            cause,
            config: ConfigVersion::parse("v").unwrap(),
            variant: None,
            decided_at: decided,
            tries: None,
            test: false,
            times: states.iter().map(|state| (*state, decided)).collect(),
            subject: None,
            text: None,
            link: None,
            provider_id: None,
            domain: None,
            detail: None,
            read_at: None,
            dismissed_at: None,
        }
    }

    #[test]
    fn a_goal_is_what_the_messages_between_entering_and_reaching_it_led_to() {
        let config = ConfigBuilder::least().with(&[("journeys.toml", JOURNEYS)]).load();
        let event = |day: u8, name: &str| EventBuilder::track(&format!("m{day}"), "ada", name).at(at(day)).build();
        let mut profile = Profile::new(event(2, "Login").identity().unwrap());
        for event in [event(2, "Login"), event(4, "Report Shared")] {
            let moment = Moment::new(&config, event.timestamp);
            process(&moment, &mut profile, &[event], &Default::default(), Mode::Live);
        }
        let facts = profile.facts();
        let led = |record: &MessageRecord| led_to(&config, &facts, record);
        let goal = GoalView { goal: "Report Shared".to_owned(), at: at(4) };
        let out = [MessageState::Claimed, MessageState::Sent, MessageState::Opened];
        assert_eq!(led(&sent("course", at(2), &out)), Some(goal));
        assert_eq!(led(&sent("course", at(1), &out)), None, "before they entered");
        assert_eq!(led(&sent("course", at(5), &out)), None, "after it was reached");
        assert_eq!(led(&sent("course", at(3), &[MessageState::Claimed, MessageState::Suppressed])), None);
        assert_eq!(led(&sent("another", at(3), &out)), None);
    }
}
