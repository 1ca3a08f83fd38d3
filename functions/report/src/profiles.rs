//! Counts profiles and messages, a page of the table at a time.

use crate::deps::Deps;
use crate::error::ReportError;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_reports::{Counted, Fate, Message, Tally};
use perennial_store::figures::Pass;
use perennial_store::messages::{MessageRecord, MessageState};

/// Counts on until all profiles are counted or the run that began at `began` is over.
pub(crate) async fn count(
    deps: &Deps,
    pass: &mut Pass<Tally>,
    config: &Config,
    began: Timestamp,
) -> Result<(), ReportError> {
    let Some(tally) = &mut pass.counted else { return Ok(()) };
    while !pass.is_read {
        let page = deps.store.people_and_messages(pass.from.clone()).await?;
        page.messages.iter().for_each(|record| tally.add_message(&message(record)));
        let page = page.profiles;
        tally.unreadable += page.unreadable;
        for stored in page.known() {
            let summary = &stored.summary;
            let (stage, nps) = (summary.stage, summary.nps);
            let (scores, segments) = (&summary.scores, &summary.segments);
            tally.add(config, &Counted { profile: &stored.profile, stage, nps, scores, segments });
        }
        pass.is_read = page.next.is_none();
        pass.from = page.next;
        if deps.is_over(began) {
            break;
        }
    }
    Ok(())
}

fn message(record: &MessageRecord) -> Message<'_> {
    Message {
        channel: record.channel,
        journey: &record.journey,
        step: record.step,
        template: &record.template,
        variant: record.variant.as_deref(),
        domain: record.domain.as_deref(),
        decided_at: record.decided_at,
        fate: fate(record),
    }
}

fn fate(record: &MessageRecord) -> Fate {
    let was = |state: MessageState| record.times.contains_key(&state);
    match record.state {
        MessageState::Claimed | MessageState::Unknown => Fate::UnderWay,
        MessageState::Failed => Fate::Failed,
        state if state.is_withheld() => Fate::Withheld(state.as_str()),
        _ => Fate::Sent {
            delivered: was(MessageState::Delivered),
            // A message in the inbox is read there.
            opened: was(MessageState::Opened) || record.read_at.is_some(),
            clicked: was(MessageState::Clicked),
            bounced: was(MessageState::Bounced),
            complained: was(MessageState::Complained),
        },
    }
}
