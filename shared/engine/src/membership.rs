//! A person's accounts, and the primary one.

pub(crate) mod set;
mod stored;

pub use set::{MAX_ACTIVE, MAX_ENDED, MAX_LEFT, MAX_MEMBERSHIPS, Membership, Memberships};
pub use stored::StoredMemberships;

use crate::activity::is_sign_of_life;
use crate::domains::by_address;
use crate::instant::timestamp;
use crate::register::{Register, write, write_first};
use crate::state::State;
use perennial_config::Config;
use perennial_domain::time::day_of;
use perennial_domain::traits::is_same;
use perennial_domain::{AccountId, Event};

/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// Returns a person's accounts, the primary first, then the others, the one named last first: at most
/// [`MAX_MEMBERSHIPS`].
///
/// 1. Those named by a `group` call, or a billing event (`[members]` of `accounts.toml`), that were not left since. The
///    primary is the one named last. With `[membership] single` it is the only one. Leaving without an account leaves
///    the primary.
/// 2. If no account was ever named this way: that of the company domain in their mail address; else the one that any
///    other call named first.
///
/// A membership also ends when they were active in other accounts for `[membership] idle_days` but never in this one.
/// Activity belongs to the account that it names, else to the primary. Both follow from events alone, so no membership
/// ends without an event.
///
/// An account that claims the domain has the domain's people: see [`crate::account::Account::holder`].
pub fn memberships(config: &Config, view: &State) -> Vec<AccountId> {
    let accounts = if was_named(view) {
        named_accounts(config, view)
    } else {
        let address = view.text_trait(ADDRESS_TRAIT).filter(|_| !view.is_unverified_trait(ADDRESS_TRAIT));
        let by_address = by_address(&config.accounts.domains, address);
        by_address.or_else(|| named(view.mentioned.as_ref())).into_iter().collect()
    };
    accounts.into_iter().take(MAX_MEMBERSHIPS).collect()
}

impl State {
    /// Returns the account last named by a `group` call or billing, of those that the person has not left.
    pub fn account_id(&self) -> Option<AccountId> {
        joined(self).first().and_then(|(account, _)| AccountId::parse(account).ok())
    }
}

/// Returns a person's primary account, see [`memberships`].
pub fn account_of(config: &Config, view: &State) -> Option<AccountId> {
    memberships(config, view).into_iter().next()
}

/// Returns the newest day of activity in `account`, as far as the activity names it.
pub fn last_active_in(view: &State, account: &AccountId) -> Option<i32> {
    view.memberships.active.get(account.as_str()).copied()
}

/// Records what `event` contains about accounts: membership, leaving, or activity.
pub(crate) fn write_account(config: &Config, state: &mut State, event: &Event) {
    let at = event.timestamp.as_microsecond();
    let group = event.account().map(AccountId::as_str);
    if config.ends_membership(event) {
        return match group {
            Some(group) => state.memberships.leave(group, at),
            None => state.memberships.leave_primary(at),
        };
    }
    let names = config.names_account(event);
    if is_sign_of_life(config, event) {
        // For calls that name the account, the time of the call records the activity.
        state.memberships.mark_active(group.filter(|_| !names), day_of(event.timestamp));
    }
    let Some(group) = group else { return };
    let named = Register { at, value: group.to_owned() };
    if names {
        state.memberships.join(group, at, day(at));
        write(&mut state.account, named);
    } else {
        write_first(&mut state.mentioned, named);
    }
}

/// Returns a person's accounts after `events` are counted, the primary first. The same as counting them first, in
/// whatever identity.
pub fn memberships_after(config: &Config, view: &State, events: &[Event]) -> Vec<AccountId> {
    let is_address = |name: &str| is_same(name, ADDRESS_TRAIT);
    let traits = view.traits.iter().filter(|(name, _)| is_address(name));
    let once = view.once.iter().filter(|(name, _)| is_address(name));
    let mut after = State {
        account: view.account.clone(),
        mentioned: view.mentioned.clone(),
        memberships: view.memberships.clone(),
        traits: traits.map(|(name, held)| (name.clone(), held.clone())).collect(),
        once: once.map(|(name, held)| (name.clone(), held.clone())).collect(),
        ..State::default()
    };
    for event in events {
        write_account(config, &mut after, event);
        after.write_traits(event, is_address);
    }
    memberships(config, &after)
}

/// Returns whether a `group` call or a billing event ever named an account, even to leave it.
fn was_named(view: &State) -> bool {
    view.account.is_some() || !view.memberships.said.is_empty() || !view.memberships.left_primary.is_empty()
}

/// Returns the accounts that were named and not left, the one named last first. Leaving without an account leaves the
/// primary of that time: of those that were not named since, the one named last.
pub(crate) fn joined(view: &State) -> Vec<(&str, Membership)> {
    let said = &view.memberships.said;
    let mut joined: Vec<(&str, Membership)> =
        said.iter().filter(|(_, of)| !of.ended).map(|(account, of)| (account.as_str(), *of)).collect();
    if let Some(only) = view.account.as_ref().filter(|_| said.is_empty()) {
        joined.push((&only.value, Membership::joined(only.at, day(only.at))));
    }
    joined.sort_unstable_by_key(|(account, of)| std::cmp::Reverse((of.at, *account)));
    for left in &view.memberships.left_primary {
        // One that was reported later to have ended may have been the primary then: its end is not another's.
        let may_be = |of: &Membership| of.ended && of.at > *left && of.first.is_some_and(|first| first <= day(*left));
        if said.values().any(may_be) {
            continue;
        }
        if let Some(primary) = joined.iter().position(|(_, of)| of.at <= *left) {
            joined.remove(primary);
        }
    }
    joined
}

fn named_accounts(config: &Config, view: &State) -> Vec<AccountId> {
    let joined = joined(view);
    let parse = |account: &str| AccountId::parse(account).ok();
    let rules = &config.accounts.membership;
    if rules.single {
        let last = view.account.as_ref().map(|named| named.value.as_str());
        return joined
            .first()
            .filter(|(account, _)| Some(*account) == last)
            .and_then(|(account, _)| parse(account))
            .into_iter()
            .collect();
    }
    let stays = |at: &usize| rules.idle_days.is_none_or(|days| !is_idle(view, &joined, *at, i32::from(days)));
    (0..joined.len()).filter(stays).filter_map(|at| parse(joined[at].0)).collect()
}

/// Returns whether a person was active elsewhere `days` after they were last active in, or named as a member of, the
/// account at `at` of `joined`. Activity without an account is the primary's; before the accounts that were named later
/// were first named, it was this one's.
fn is_idle(view: &State, joined: &[(&str, Membership)], at: usize, days: i32) -> bool {
    let known = &view.memberships;
    let (account, of) = joined[at];
    let unnamed = |is_ours: bool| known.unnamed.filter(|_| is_ours == (at == 0));
    let handed_over = joined[..at].iter().filter_map(|(_, later)| later.first).min();
    let here = known.active.get(account).copied().into_iter().chain(unnamed(true)).chain(handed_over);
    let here = here.fold(day(of.at), i32::max);
    let others = joined.iter().filter(|(other, _)| *other != account);
    let elsewhere = others.filter_map(|(other, _)| known.active.get(*other).copied()).chain(unnamed(false)).max();
    elsewhere.is_some_and(|elsewhere| elsewhere.saturating_sub(here) >= days)
}

/// The day of a moment in microseconds since 1970.
fn day(micros: i64) -> i32 {
    day_of(timestamp(micros))
}

fn named(account: Option<&Register>) -> Option<AccountId> {
    account.and_then(|register| AccountId::parse(&register.value).ok())
}
