//! Keys of subscriptions without an id.

use perennial_domain::{Identity, hash};

/// The key of all that an account, or else a user or visitor, has without an id.
pub(super) fn implied_key(account: Option<&str>, identity: &Identity) -> u64 {
    match (account, identity) {
        (Some(account), _) => hash::hash64(&[b"subscription of account", account.as_bytes()]),
        (None, Identity::User(id)) => hash::hash64(&[b"subscription of user", id.as_str().as_bytes()]),
        (None, Identity::Anonymous(id)) => hash::hash64(&[b"subscription of visitor", id.as_str().as_bytes()]),
        (None, Identity::External(id)) => hash::hash64(&[b"subscription of external id", id.as_str().as_bytes()]),
    }
}

/// The first four bytes of the keys of trials. Other keys are hashes: one of 4 billion begins like that.
const TRIAL: u64 = 0xFFFF_FFFE;
/// The same of free plans.
pub(super) const FREE: u64 = 0xFFFF_FFFF;

/// The key of what public sources report of `identity`.
pub(super) fn key(kind: u64, identity: &Identity) -> u64 {
    let hash = hash::hash64(&[b"unverified", identity.person_id().as_bytes()]);
    (kind << 32) | (hash & 0xFFFF_FFFF)
}

/// The key of the trial of `identity` that public sources report.
pub(crate) fn trial_key(identity: &Identity) -> u64 {
    key(TRIAL, identity)
}

/// Returns whether only public sources reported the subscription with this key.
pub(crate) fn is_unverified(key: u64) -> bool {
    matches!(key >> 32, TRIAL | FREE)
}
