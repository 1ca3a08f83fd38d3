//! An account's people, page by page: its own, then those of the domains that it has.

use crate::ViewError;
use jiff::Timestamp;
use perennial_domain::{AccountId, Member, PersonId};
use perennial_store::Store;
use perennial_store::accounts::MemberCursor;

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) members: Vec<Member>,
    /// Entries that could not be read, and are not among these.
    pub(super) unreadable: u64,
    /// The cursor of the next page; `None` if there is none.
    pub(super) next: Option<String>,
}

impl Page {
    /// Returns the page with the people at `now`: from their profiles, if these were read, else from their curves.
    pub(super) fn at(self, profiles: Option<&[Member]>, now: Timestamp) -> Self {
        let found = |member: &Member| profiles?.iter().find(|known| known.person == member.person).cloned();
        let by_curve = |member: Member| Member { stage: member.stage_at(now), curve: None, ..member };
        let members = self.members.into_iter().map(|member| found(&member).unwrap_or_else(|| by_curve(member)));
        Self { members: members.collect(), ..self }
    }
}

/// Returns `limit` members after `after`: a person of the account, or `domain/person` of one of its domains. Nobody is
/// twice on one page.
pub(super) async fn page(
    store: &Store,
    account: &AccountId,
    domains: &[AccountId],
    limit: usize,
    after: Option<&str>,
) -> Result<Page, ViewError> {
    let parts: Vec<&AccountId> = std::iter::once(account).chain(domains).collect();
    let (mut at, mut from) = match after {
        None => (0, None),
        Some(after) => {
            let (at, cursor) =
                place(&parts, after).ok_or(ViewError::Wrong("after must be the `next` of another page"))?;
            (at, Some(cursor))
        }
    };
    let mut page = Page::default();
    // The last person of the page.
    let mut last: Option<(&AccountId, PersonId)> = None;
    while let Some(part) = parts.get(at) {
        // One more than is shown reveals whether there is a next page.
        let wanted = u16::try_from(limit + 1 - page.members.len()).unwrap_or(u16::MAX);
        let read = store.members(part, from.take(), Some(wanted)).await?;
        page.unreadable += read.unreadable;
        for member in read.members {
            if page.members.len() == limit {
                page.next = last.map(|(part, person)| next(account, part, person));
                return Ok(page);
            }
            last = Some((part, member.person));
            // Calls may have named a person as a member of the account and of its domain: the entry of the primary
            // account is shown.
            match page.members.iter_mut().find(|known| known.person == member.person) {
                Some(known) if known.elsewhere => *known = member,
                Some(_) => {}
                None => page.members.push(member),
            }
        }
        from = read.next;
        if from.is_none() {
            at += 1;
        }
    }
    Ok(page)
}

fn next(account: &AccountId, part: &AccountId, person: PersonId) -> String {
    if part == account { person.to_string() } else { format!("{part}/{person}") }
}

/// Returns the part in `after`, and the position in it.
fn place(parts: &[&AccountId], after: &str) -> Option<(usize, MemberCursor)> {
    let (at, person) = match after.rsplit_once('/') {
        None => (0, after),
        Some((domain, person)) => (parts.iter().position(|part| part.as_str() == domain)?, person),
    };
    Some((at, MemberCursor::after(parts.get(at)?, PersonId::parse(person).ok()?)))
}
