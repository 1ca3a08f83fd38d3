//! Keeps a profile, and one write of it, within the [limits](crate::bounds).

use crate::action::Action;
use crate::bounds::{MAX_EVENTS, NAME_BYTES, OUTBOX_BYTES, Room, STARTED_BYTES, TOLD_BYTES};
use crate::joins::Standing;
use crate::profile::Profile;
use crate::state::State;
use perennial_config::Config;
use perennial_domain::{Event, EventKind};

/// Returns how many of `events`, from the first, one write of their profile includes: at least one, at most
/// [`MAX_EVENTS`], and as many as add about [`OUTBOX_BYTES`] to the outbox.
pub fn a_write(config: &Config, events: &[Event]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take(MAX_EVENTS).take_while(|event| {
        bytes += outbox_bytes(config, event);
        bytes <= OUTBOX_BYTES
    });
    fits.count().max(1).min(events.len())
}

fn outbox_bytes(config: &Config, event: &Event) -> usize {
    let traits = match event.kind {
        EventKind::Group => serde_json::to_vec(&event.traits).map_or(0, |json| json.len()),
        _ => 0,
    };
    let tells = event.group_id.is_some()
        || matches!(event.kind, EventKind::Identify | EventKind::Alias)
        || event.context.contains_key("externalIds");
    let journeys = config.journeys.by_event.get(config.counted_as(event)).map_or(0, Vec::len);
    traits + if tells { TOLD_BYTES } else { 0 } + journeys * STARTED_BYTES
}

/// Leaves the next of what does not fit out of `profile`; returns whether there was anything left to leave out.
pub fn shed(profile: &mut Profile) -> bool {
    halve_rooms(profile) || strip(profile) || drop_refused(profile) || drop_message(profile)
}

/// Halves the bounds of those identities that have most of them.
fn halve_rooms(profile: &mut Profile) -> bool {
    let largest = profile.parts.iter().map(|part| part.state.room).min();
    let Some(largest) = largest.filter(|room| *room < Room::NONE) else { return false };
    for part in profile.parts.iter_mut().filter(|part| part.state.room == largest) {
        part.state.room = largest.halved();
        part.state.fit();
    }
    true
}

/// Leaves out subscriptions, single payments and all accounts but the last one: of the identity that the profile's id is from last.
fn strip(profile: &mut Profile) -> bool {
    let id = profile.id;
    let (own, others): (Vec<_>, Vec<_>) = profile.parts.iter_mut().partition(|part| part.owner() == id);
    let strip = |stripped: bool, part: &mut crate::Part| part.state.strip() || stripped;
    others.into_iter().fold(false, strip) || own.into_iter().fold(false, strip)
}

/// Leaves out links that a limit refused, and notes.
fn drop_refused(profile: &mut Profile) -> bool {
    let mut dropped = false;
    for part in &mut profile.parts {
        let before = part.links.len() + part.notes.len();
        part.links.retain(|link| !matches!(link.standing, Standing::Refused(_)));
        part.notes.clear();
        dropped |= part.links.len() + part.notes.len() < before;
    }
    dropped
}

/// Leaves out the message of the outbox that was decided last.
fn drop_message(profile: &mut Profile) -> bool {
    let is_message = |action: &Action| matches!(action, Action::Send(_) | Action::Hold(_) | Action::Recall { .. });
    let last = profile.outbox.iter().rposition(is_message);
    last.map(|last| profile.outbox.remove(last)).is_some()
}

impl State {
    /// Drops what has no room.
    fn fit(&mut self) {
        self.bound_traits();
        self.bound_once();
        self.bound_dropped();
        self.counts.bound(self.room.of(NAME_BYTES), &|_| false);
    }

    /// Leaves out subscriptions, single payments, of which the sum stays, and all accounts but the last one; returns whether there were any.
    fn strip(&mut self) -> bool {
        let before = (self.billing.is_empty(), self.memberships.said.len() + self.memberships.active.len());
        for (currency, minor) in self.revenues() {
            self.revenue.insert(currency, minor);
        }
        self.billing = crate::billing::Billing::default();
        let last = self.account.as_ref().map(|account| account.value.as_str());
        self.memberships.said.retain(|account, _| Some(account.as_str()) == last);
        self.memberships.active.retain(|account, _| Some(account.as_str()) == last);
        before != (true, self.memberships.said.len() + self.memberships.active.len())
    }
}
