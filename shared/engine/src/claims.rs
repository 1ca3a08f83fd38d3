//! The identifiers in events.

use crate::action::Action;
use crate::joins::{self, Claim, Digest, Evidence, Link, Standing};
use crate::profile::Profile;
use crate::unverified::place_of_link;
use perennial_config::identity::Identities;
use perennial_domain::event::external_ids;
use perennial_domain::hygiene::{MailAddress, is_shared};
use perennial_domain::traits::find;
use perennial_domain::{Event, EventKind, ExternalId, Identity};
use serde_json::Value;

/// Returns the identity that `event` links to its user, an anonymous id or one in another system, and the link; `None`
/// if there is none, or the configuration forbids it.
pub fn link_of(rules: &Identities, event: &Event) -> Option<(Identity, Link)> {
    let (linked, user) = event.link()?;
    let (evidence, allowed) = match (&linked, event.kind) {
        (Identity::External(id), _) => {
            (Evidence::External, event.vouches() && rules.external_types.contains(id.kind()))
        }
        (_, EventKind::Alias) => (Evidence::Alias, rules.alias && event.is_trusted()),
        _ => (Evidence::Identify, rules.anonymous),
    };
    (allowed && rules.allows_id(linked.bare_id()) && rules.allows_id(user.as_str())).then(|| {
        let link = Link {
            at: place_of_link(event),
            user: user.clone(),
            message: Digest::of_message(&event.message_id),
            evidence,
            standing: Standing::Holds,
        };
        (linked, link)
    })
}

impl Action {
    /// Returns whether it may link the profile and another one.
    pub(crate) fn may_join(&self) -> bool {
        matches!(self, Self::Claim { joins: true, .. } | Self::Alias { .. })
    }
}

/// A value that an event contains as its identity's own.
struct Said {
    evidence: Evidence,
    value: String,
    joins: bool,
    shown: String,
}

/// Records the identifiers in `fresh` (new events, with their identities); returns the actions for those that are new
/// to their identity, and for addresses that were given up but linked the profile.
pub(crate) fn note(rules: &Identities, profile: &mut Profile, fresh: &[(&Event, Identity)]) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut moved = None;
    let said: Vec<Vec<Said>> = fresh.iter().map(|(event, identity)| said(rules, event, identity)).collect();
    for ((event, identity), said) in fresh.iter().zip(said) {
        for said in said {
            if said.evidence == Evidence::Mail && !identity.is_anonymous() && event.vouches() {
                moved = Some(identity);
            }
            actions.extend(take_in(rules, profile, event, identity, said));
        }
    }
    // A public source cannot link a visitor of whom a server has data.
    let is_visitor = |(event, identity): &&(&Event, Identity)| identity.is_anonymous() && event.is_trusted();
    let moved = moved.or_else(|| fresh.iter().find(is_visitor).map(|(_, identity)| identity));
    if let Some(identity) = moved
        && profile.parts.len() > 1
        && !joins::is_one(&profile.parts)
    {
        actions.push(Action::Regroup { identity: identity.clone() });
    }
    actions
}

fn take_in(
    rules: &Identities,
    profile: &mut Profile,
    event: &Event,
    identity: &Identity,
    said: Said,
) -> Option<Action> {
    let Said { evidence, value, joins, shown } = said;
    let joins = joins && event.vouches();
    let key = Digest::of_value(evidence, &value);
    let (at, message) = (event.timestamp.as_microsecond(), Digest::of_message(&event.message_id));
    let part = profile.part_mut(identity);
    if let Some(place) = part.claims.iter().position(|claim| claim.evidence == evidence && claim.key == key) {
        let is_vouched_for = part.claims[place].standing != Standing::Unverified;
        if is_vouched_for && !event.vouches() {
            return None;
        }
        if !is_vouched_for && event.vouches() {
            let standing = if joins { Standing::Holds } else { Standing::Idle };
            part.claims[place] = Claim { evidence, key, standing, at, last: at, message, shown };
            return action_of(event, identity, evidence, value, joins);
        }
        let before = part.given_up(&part.claims[place]);
        let claim = &mut part.claims[place];
        let is_earlier = at < claim.at;
        if (at, message) < (claim.at, claim.message) {
            (claim.at, claim.message) = (at, message);
        }
        claim.last = claim.last.max(at);
        match claim.standing {
            // The configuration may allow a link now that it did not allow before.
            Standing::Idle if joins => claim.standing = Standing::Holds,
            // A meanwhile owner may be the same person after all.
            Standing::Holds if evidence == Evidence::Mail => {
                let after = part.given_up(&part.claims[place]);
                let is_later = before.is_some_and(|before| after.is_none_or(|after| after > before));
                if !is_earlier && !is_later {
                    return None;
                }
            }
            _ => return None,
        }
    } else {
        let limit = match evidence {
            Evidence::Mail => rules.limits.addresses,
            Evidence::External => rules.limits.external_ids,
            Evidence::Alias | Evidence::Identify => rules.limits.user_ids,
        };
        let alike = || part.claims.iter().filter(|claim| claim.evidence == evidence);
        if alike().count() >= usize::from(limit) {
            // Unverified ones are dropped first.
            let unverified =
                alike().filter(|claim| claim.standing == Standing::Unverified).map(|claim| claim.key).max();
            let leaves = unverified.filter(|_| event.vouches())?;
            part.claims.retain(|claim| claim.evidence != evidence || claim.key != leaves);
        }
        let standing = match (event.vouches(), joins) {
            (false, _) => Standing::Unverified,
            (true, true) => Standing::Holds,
            (true, false) => Standing::Idle,
        };
        part.claims.push(Claim { evidence, key, standing, at, last: at, message, shown });
        part.claims.sort_by_key(|claim| (claim.evidence, claim.key));
    }
    action_of(event, identity, evidence, value, joins)
}

/// Returns the action for a value that is new to its identity.
fn action_of(event: &Event, identity: &Identity, evidence: Evidence, value: String, joins: bool) -> Option<Action> {
    match (evidence, identity, event.earlier_user()) {
        (Evidence::Alias | Evidence::External, ..) if !event.vouches() => None,
        // An unverified address is not used to find, export or erase anyone.
        (Evidence::Mail, ..) if !event.is_trusted() => None,
        (Evidence::Alias, Identity::User(user), Some(previous)) => Some(Action::Alias { user: user.clone(), previous }),
        // An empty address is not used to find anyone.
        (Evidence::Mail, ..) if value.is_empty() => None,
        (Evidence::Mail | Evidence::External, ..) => {
            Some(Action::Claim { identity: identity.clone(), evidence, value, joins })
        }
        _ => None,
    }
}

fn said(rules: &Identities, event: &Event, identity: &Identity) -> Vec<Said> {
    let mut all = Vec::new();
    // An anonymous identity can be found by its address; it is linked only by its links.
    let may_join = !identity.is_anonymous() && rules.allows_id(identity.bare_id());
    let address = find(&event.traits, "email")
        .or_else(|| find(&event.traits_once, "email"))
        .filter(|_| event.kind == EventKind::Identify);
    if address.is_some_and(Value::is_null) && !identity.is_anonymous() {
        // Removing the address gives up the one before.
        all.push(Said { evidence: Evidence::Mail, value: String::new(), joins: false, shown: String::new() });
    }
    if let Some(address) = address.and_then(Value::as_str)
        && let Ok(address) = MailAddress::parse(address)
    {
        let value = address.key().into_owned();
        let joins = may_join && rules.mail && !is_shared(&address) && rules.allows_address(&value);
        all.push(Said { evidence: Evidence::Mail, shown: masked(&address), value, joins });
    }
    if !may_join {
        return all;
    }
    if event.kind == EventKind::Identify {
        for name in &rules.external_traits {
            let id = event.traits.get(name).and_then(|value| ExternalId::of_json(name, value).ok());
            all.extend(id.and_then(|id| external(rules, &id)));
        }
    }
    let named = external_ids(&event.context).filter(|id| rules.external_types.contains(id.kind()));
    all.extend(named.filter_map(|id| external(rules, &id)));
    if let Some(previous) = event.earlier_user()
        && rules.alias
        && identity.is_user()
        && previous.as_str() != identity.as_str()
        && rules.allows_id(previous.as_str())
    {
        let value = previous.as_str().to_owned();
        all.push(Said { evidence: Evidence::Alias, value, joins: true, shown: String::new() });
    }
    all
}

/// An id in another system, given as the identity's own.
fn external(rules: &Identities, id: &ExternalId) -> Option<Said> {
    let (value, shown) = (id.as_str().to_owned(), id.kind().to_owned());
    rules.allows_id(id.id()).then_some(Said { evidence: Evidence::External, value, joins: true, shown })
}

/// `a…@example.com`
fn masked(address: &MailAddress) -> String {
    let first = address.local().chars().next().map(String::from).unwrap_or_default();
    format!("{first}…@{}", address.domain())
}
