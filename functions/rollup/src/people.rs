//! An account's people.

use crate::deps::Deps;
use perennial_domain::{AccountId, Member};
use perennial_store::StoreError;

/// Shows `see` everyone of an account, page by page, in a memory that does not grow with them. `parts` are the account and the
/// domains that it has. A read unit for some 45 people.
pub(crate) async fn each<'a>(
    deps: &Deps,
    parts: impl Iterator<Item = &'a AccountId>,
    mut see: impl FnMut(&Member),
) -> Result<(), StoreError> {
    for part in parts {
        let mut from = None;
        loop {
            let page = deps.store.members(part, from, None).await?;
            page.members.iter().for_each(&mut see);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(())
}
