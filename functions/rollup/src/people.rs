//! An account's people.

use crate::deps::Deps;
use perennial_domain::{AccountId, Member};
use perennial_store::StoreError;

/// Shows `see` everyone of an account, page by page, in a memory that does not grow with them. `parts` are the account and the
/// domains that it has. Returns how many entries could not be read, and were passed over. A read unit for some 45 people.
pub(crate) async fn each<'a>(
    deps: &Deps,
    parts: impl Iterator<Item = &'a AccountId>,
    mut see: impl FnMut(&Member),
) -> Result<u64, StoreError> {
    let mut unreadable = 0;
    for part in parts {
        let mut from = None;
        loop {
            let page = deps.store.members(part, from, None).await?;
            page.members.iter().for_each(&mut see);
            unreadable += page.unreadable;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    if unreadable > 0 {
        tracing::error!(unreadable, "entries of an account's people cannot be read; they were passed over");
    }
    Ok(unreadable)
}
