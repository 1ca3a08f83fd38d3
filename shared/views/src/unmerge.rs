//! A manual unmerge, as it is queued for `score`, which alone writes profiles.

use crate::ViewError;
use jiff::Timestamp;
use perennial_contracts::queue::Unmerge;
use perennial_domain::Identity;
use perennial_engine::Profile;
use perennial_engine::merge::others;

/// The most characters that are stored of the operator's name, and of the reason.
pub const MAX_CHARACTERS: usize = 200;

/// Returns the request to unlink an identity from its profile: a user id or an anonymous id, or `user:ID` or `anonymous:ID`
/// where it could be either. `by` is the operator and `why` the reason, each cut off at [`MAX_CHARACTERS`].
///
/// # Errors
/// [`ViewError::NotFound`] for an identity that the profile does not have, [`ViewError::Wrong`] if nothing would remain.
pub fn unmerge(profile: &Profile, identity: &str, by: &str, why: &str, at: Timestamp) -> Result<Unmerge, ViewError> {
    let Some(identity) = named(profile, identity) else {
        return Err(ViewError::NotFound("this person has no such user id or anonymous id"));
    };
    if others(&profile.parts, identity).is_empty() {
        return Err(ViewError::Wrong("this profile has no other identity to unmerge from"));
    }
    let cut = |text: &str| text.trim().chars().take(MAX_CHARACTERS).collect();
    Ok(Unmerge { identity: identity.clone(), at, by: cut(by), why: cut(why), done_at: None })
}

/// Returns whether the identity can leave the profile: something must remain.
#[must_use]
pub fn is_possible(profile: &Profile, identity: &Identity) -> bool {
    !others(&profile.parts, identity).is_empty()
}

/// Returns the identity in a text; of two, the one with activity.
fn named<'a>(profile: &'a Profile, text: &str) -> Option<&'a Identity> {
    let text = text.trim();
    let parts = profile.parts.iter().filter(|part| part.identity.as_str() == text || part.identity.to_string() == text);
    parts.max_by_key(|part| (part.state.counts.total() > 0, part.identity.is_user())).map(|part| &part.identity)
}
