//! The messages of a week, by the owners of the recipients' segments.

use super::seen::{Fate, Message};
use super::{BETWEEN, key};
use crate::bounded::{Bounded, Sum};
use crate::report::{Cell, Table, Unit};
use serde::{Deserialize, Serialize};

/// The closed days before the report that it covers.
pub(crate) const DAYS: i32 = 7;

/// The outcomes of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Outcomes {
    sent: u64,
    withheld: u64,
    failed: u64,
    under_way: u64,
}

impl Sum for Outcomes {
    fn sum(&mut self, other: &Self) {
        self.sent += other.sent;
        self.withheld += other.withheld;
        self.failed += other.failed;
        self.under_way += other.under_way;
    }
}

impl Outcomes {
    fn of(fate: Fate) -> Self {
        let mut outcomes = Self::default();
        *match fate {
            Fate::Sent { .. } => &mut outcomes.sent,
            Fate::Withheld(_) => &mut outcomes.withheld,
            Fate::Failed => &mut outcomes.failed,
            Fate::UnderWay => &mut outcomes.under_way,
        } = 1;
        outcomes
    }

    fn all(&self) -> u64 {
        self.sent + self.withheld + self.failed + self.under_way
    }
}

/// The messages by owner, journey and channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Week(Bounded<Outcomes>);

impl Week {
    /// Counts a message, once for each owner.
    pub(crate) fn add(&mut self, message: &Message<'_>) {
        for owner in message.owners {
            self.0.add(&key(&[owner, message.journey, message.channel.as_str()]), &Outcomes::of(message.fate));
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// Returns a row for each owner, journey and channel.
    pub(crate) fn table(&self) -> Table {
        let columns = [
            ("owner", Unit::Text),
            ("journey", Unit::Text),
            ("channel", Unit::Text),
            ("sent", Unit::Count),
            ("withheld", Unit::Count),
            ("failed", Unit::Count),
            ("under way", Unit::Count),
        ];
        let mut table = Table::new("owners", &columns);
        for (key, of) in self.0.largest(Outcomes::all) {
            let parts: Vec<&str> = key.split(BETWEEN).collect();
            let [owner, journey, channel] = parts[..] else { continue };
            let names = [owner, journey, channel].map(Cell::text);
            table.row(names.into_iter().chain([of.sent, of.withheld, of.failed, of.under_way].map(Cell::Count)));
        }
        table
    }
}
