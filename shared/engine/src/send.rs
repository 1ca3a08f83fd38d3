//! The output of steps: messages, and events that journeys record.

use crate::action::Action;
use crate::situation::Situation;
use crate::start::{Start, decision_id};
use crate::taken::Taken;
use jiff::Timestamp;
use perennial_config::journeys::{Journey, Message};
use perennial_domain::event::JOURNEYS;
use perennial_domain::{
    Decision, DecisionId, Event, EventKind, Identity, InvalidId, MessageId, Properties, SourceId, Withheld,
};

/// How a message is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// To be sent.
    Now,
    /// To be recorded as undeliverable: no address arrived in time.
    Unreachable,
    /// To be recorded only.
    Withheld(Withheld),
}

impl Situation<'_, '_> {
    /// Decides on the message of the step at index `at`.
    pub(crate) fn send(&mut self, journey: &Journey, start: &Start, at: usize, message: &Message, sending: Sending) {
        let withheld = match sending {
            Sending::Now => self.withheld(journey, message),
            Sending::Unreachable => None,
            Sending::Withheld(why) => Some(why),
        };
        let decision = Decision {
            id: decision_id(self.profile.id, journey, start.cause_key, at),
            person: self.profile.id,
            journey: journey.id.clone(),
            step: u16::try_from(at).unwrap_or(u16::MAX),
            channel: message.channel,
            template: message.template.clone(),
            endpoint: message.endpoint.clone(),
            cause: start.cause.clone(),
            properties: start.properties.clone(),
            decided_at: self.now(),
            config: self.config().version.clone(),
            // People of a holdout have no variant.
            variant: if self.is_held_out(journey) { None } else { self.variant(journey, at) },
            withheld,
        };
        let step = journey.steps.get(at);
        self.tell(journey, step, Taken::Decided { decision: decision.id, withheld: decision.withheld });
        if sending == Sending::Now {
            if self.waits_for_address(&decision) {
                return self.profile.outbox.push(Action::Hold(decision));
            }
            if decision.withheld.is_none() {
                self.note_sent(journey, message);
            }
        }
        self.profile.outbox.push(Action::Send(decision));
    }

    /// Records an event of the journey for the person.
    pub(crate) fn count(&mut self, journey: &Journey, start: &Start, at: usize, fill: impl FnOnce(&mut Event)) {
        let id = decision_id(self.profile.id, journey, start.cause_key, at);
        let Some(identity) = self.profile.primary_mut().map(|part| part.identity.clone()) else { return };
        // Neither can be invalid: both are short and consist of letters and digits.
        let Ok(mut event) = own_event(&identity, id, self.now()) else { return };
        event.properties = Properties::from_iter([("journey".to_owned(), journey.id.as_str().into())]);
        fill(&mut event);
        self.profile.outbox.push(Action::Count { event });
    }
}

fn own_event(identity: &Identity, id: DecisionId, at: Timestamp) -> Result<Event, InvalidId> {
    let message_id = MessageId::parse(&format!("journey-{id}"))?;
    Ok(Event::new(identity, EventKind::Track, message_id, SourceId::parse(JOURNEYS)?, at))
}
