//! A message as reports count it.

use crate::bounded::Sum;
use jiff::Timestamp;
use perennial_domain::Channel;
use serde::{Deserialize, Serialize};

/// A message, of whatever became of it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The channel.
    pub channel: Channel,
    /// The journey.
    pub journey: &'a str,
    /// The journey's step, from 0.
    pub step: u16,
    /// The template.
    pub template: &'a str,
    /// The variant of the journey's newest split.
    pub variant: Option<&'a str>,
    /// The domain of the mail address it was sent to, if known.
    pub domain: Option<&'a str>,
    /// The owners of the segments that its recipient is in now, each once.
    pub owners: &'a [&'a str],
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The outcome.
    pub fate: Fate,
}

/// The outcome of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is being sent, or it is not known whether it was.
    UnderWay,
    /// It could not be sent.
    Failed,
    /// It was withheld, for this reason.
    Withheld(&'static str),
    /// It was sent. What is reported of it holds for good: who opened a message and calls it spam then has opened it.
    #[allow(missing_docs, reason = "the names say it")]
    Sent { delivered: bool, opened: bool, clicked: bool, bounced: bool, complained: bool },
}

/// Counts of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Accepted by the mail service, the inbox or the endpoint.
    accepted: u64,
    pub(super) delivered: u64,
    pub(super) opened: u64,
    pub(super) clicked: u64,
    pub(super) bounced: u64,
    pub(super) complained: u64,
    pub(super) failed: u64,
    pub(super) under_way: u64,
}

impl Counts {
    /// Returns those of one message; all 0 if it was withheld.
    pub(super) fn of(fate: Fate) -> Self {
        let mut counts = Self::default();
        match fate {
            Fate::UnderWay => counts.under_way = 1,
            Fate::Failed => counts.failed = 1,
            Fate::Withheld(_) => {}
            Fate::Sent { delivered, opened, clicked, bounced, complained } => {
                counts.accepted = 1;
                // A message that was read or called spam has arrived, whether or not that was reported.
                counts.delivered = u64::from(delivered || opened || clicked || complained);
                counts.opened = u64::from(opened || clicked);
                counts.clicked = u64::from(clicked);
                counts.bounced = u64::from(bounced);
                counts.complained = u64::from(complained);
            }
        }
        counts
    }

    /// Returns the number that were sent.
    pub(super) fn sent(&self) -> u64 {
        self.accepted
    }
}

impl Sum for Counts {
    fn sum(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.opened += other.opened;
        self.clicked += other.clicked;
        self.bounced += other.bounced;
        self.complained += other.complained;
        self.failed += other.failed;
        self.under_way += other.under_way;
    }
}
