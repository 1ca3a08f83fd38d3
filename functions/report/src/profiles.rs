//! Counts profiles and messages, a page of the table at a time.

use crate::deps::Deps;
use crate::error::ReportError;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::PersonId;
use perennial_reports::{Counted, Fate, Message, Tally};
use perennial_store::Loaded;
use perennial_store::figures::Pass;
use perennial_store::messages::{MessageRecord, MessageState};
use perennial_store::scan::FiguresPage;
use std::collections::{BTreeSet, HashMap, HashSet};

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
        let recipients = Recipients::of(deps, config, tally, &page).await?;
        page.messages.iter().for_each(|record| tally.add_message(&message(record, recipients.owners(record))));
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

/// The owners of the segments of the recipients of a page's messages.
struct Recipients<'c>(HashMap<PersonId, Vec<&'c str>>);

impl<'c> Recipients<'c> {
    /// Reads the profiles of recipients that are not in the page, which divides few people from their messages.
    async fn of(deps: &Deps, config: &'c Config, tally: &Tally, page: &FiguresPage) -> Result<Self, ReportError> {
        let mut found = HashMap::new();
        for stored in page.profiles.known() {
            found.insert(stored.profile.id, owners(config, &stored.summary.segments));
        }
        let of_week = page.messages.iter().filter(|record| tally.is_of_week(record.decided_at));
        let mut wanted: HashMap<PersonId, PersonId> = of_week.map(|record| (record.person, record.person)).collect();
        wanted.retain(|person, _| !found.contains_key(person));
        // The profile may have been merged into another one.
        for _ in 0..2 {
            let people: HashSet<PersonId> = wanted.values().copied().collect();
            if people.is_empty() {
                break;
            }
            let loaded = deps.store.load_many(&people).await?;
            wanted.retain(|person, now| match loaded.get(now) {
                Some(Ok(Loaded::Profile(stored))) => {
                    found.insert(*person, owners(config, &stored.summary.segments));
                    false
                }
                Some(Ok(Loaded::Moved(to))) => {
                    *now = to.to;
                    true
                }
                _ => false,
            });
        }
        Ok(Self(found))
    }

    fn owners(&self, record: &MessageRecord) -> &[&'c str] {
        self.0.get(&record.person).map_or(&[], Vec::as_slice)
    }
}

/// Returns the owners of segments, each once.
fn owners<'c>(config: &'c Config, segments: &[String]) -> Vec<&'c str> {
    let all = segments.iter().filter_map(|name| config.segments.get(name).and_then(|(_, of)| of.owner.as_deref()));
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

fn message<'a>(record: &'a MessageRecord, owners: &'a [&'a str]) -> Message<'a> {
    Message {
        channel: record.channel,
        journey: &record.journey,
        step: record.step,
        template: &record.template,
        variant: record.variant.as_deref(),
        domain: record.domain.as_deref(),
        owners,
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
