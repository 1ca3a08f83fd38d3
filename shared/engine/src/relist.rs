//! Brings what the lists have of a profile up to date.

use crate::action::Action;
use crate::evaluate::Evaluation;
use crate::listing::{ListChange, Listed};
use crate::moment::Moment;
use crate::profile::Profile;
use crate::state::State;
use perennial_domain::Identity;
use perennial_domain::traits::Fact;

/// Returns whether lists contain the profile: it has a user id or a mail address. Anonymous visitors are left out, as nobody
/// can do anything for them, and there may be thousands of times as many; so are ids of other systems that are not linked to
/// a person.
pub fn is_listed(profile: &Profile, view: &State) -> bool {
    let is_user = profile.parts.iter().any(|part| matches!(part.identity, Identity::User(_)));
    is_user || (!profile.is_external() && view.text_trait(Fact::Email.as_str()).is_some())
}

/// Puts the difference between what the lists have of the profile and what they should have into the outbox. Returns
/// whether there is one.
pub(crate) fn list(moment: &Moment<'_>, profile: &mut Profile, view: &State, evaluation: &Evaluation) -> bool {
    let before = profile.listed.take();
    let listed = is_listed(profile, view).then(|| Listed::of(moment, view, evaluation, before.as_ref()));
    if listed == before {
        profile.listed = before;
        return false;
    }
    let entries = |listed: &Option<Listed>| listed.as_ref().map(Listed::entries).unwrap_or_default();
    let (old, new) = (entries(&before), entries(&listed));
    profile.listed = listed;
    let mut change = ListChange::between(&old, &new);
    profile.outbox.retain(|action| match action {
        Action::List(pending) => {
            change.include(pending, &new);
            false
        }
        _ => true,
    });
    if !change.is_empty() {
        profile.outbox.push(Action::List(change));
    }
    true
}
