//! Reads an account's people.

use crate::deps::Deps;
use perennial_domain::{AccountId, Member};
use perennial_store::StoreError;

/// Passes every person of an account to `see`, page by page, in constant memory. `parts` are the account and the
/// domains that it has. Returns the number of unreadable entries that were skipped. Costs a read unit for some 45
/// people.
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
        tracing::error!(unreadable, "failed to read entries of an account's people; they are skipped");
    }
    Ok(unreadable)
}
