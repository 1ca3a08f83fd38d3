//! `perennial journey test --send-to`: the mails of a played journey, sent to who wants to see them.

use crate::operate::Operated;
use perennial_contracts::queue::{MessagesPayload, TestSend};
use perennial_domain::{Channel, DecisionId};
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_views::play::Answer;

/// Sends the journey's own mails to `to` through `deliver`; returns their number.
pub(super) async fn to(system: &Operated, answer: &Answer, to: &str) -> anyhow::Result<usize> {
    let bodies: Vec<String> = tests(answer, to, system.now())
        .into_iter()
        .map(|test| serde_json::to_string(&test))
        .collect::<Result<_, _>>()?;
    let mails = bodies.len();
    // In the queue of essential mails, a test does not wait behind others.
    system.sender("essential")?.send(bodies, Delay::NONE).await.into_result()?;
    Ok(mails)
}

/// A test of each of the journey's own mails that could be rendered.
fn tests(answer: &Answer, to: &str, now: jiff::Timestamp) -> Vec<MessagesPayload> {
    let own = answer.steps.iter().filter(|step| step.journey.as_ref() == Some(&answer.journey));
    let mails = own.filter_map(|step| step.message.as_ref()).filter(|message| message.channel == Channel::Mail);
    let test = |(number, message): (usize, &perennial_views::play::MessageView)| {
        let step = u16::try_from(number).ok()?;
        let id = format!("{}/{number}/{to}/{}", answer.journey, now.as_microsecond());
        Some(MessagesPayload::TestSend(TestSend {
            id: DecisionId::derive(&[b"test", id.as_bytes()]),
            person: (!answer.person.sample).then_some(answer.person.id),
            journey: answer.journey.clone(),
            step,
            template: message.template.clone(),
            to: to.to_owned(),
            subject: message.subject.clone()?,
            text: message.text.clone()?,
            html: message.html.clone(),
            at: now,
            config: answer.config.clone(),
        }))
    };
    mails.enumerate().filter_map(test).collect()
}
