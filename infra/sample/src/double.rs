//! People whom ids alone do not tell: the same person under two, and people of an account that no call says they belong to.

use super::plan::{Person, Plot, Role};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::{DAYS, names, person};
use serde_json::json;

/// The accounts where the new sign-on gave the third of the people a second user id.
const SECOND_SIGN_ON: std::ops::RangeInclusive<u64> = 10..=15;
/// The accounts where someone was let in as a guest.
const WITH_GUEST: std::ops::RangeInclusive<u64> = 25..=28;

/// Some weeks after signing up someone comes in by the company's own sign-on, and so under another user id. The mail
/// address, written otherwise, says who it is.
pub(super) fn second_sign_on(record: &mut Recorder, plot: &Plot, people: &[Person], rng: &mut Rng) {
    let Some(known) = people.get(3).filter(|_| SECOND_SIGN_ON.contains(&plot.number)) else { return };
    let first_day = known.joins + 10;
    let second = Person { user: format!("sso-{}", known.user), browser: None, quiet: None, ..known.clone() };
    let traits = json!({"email": names::shout(&known.mail), "name": known.name.to_uppercase()});
    if record.identify("product", Who::User(&second.user), (first_day, 30_000), traits) {
        record.same_person(&known.user, &second.user);
    }
    for day in (first_day..DAYS).step_by(4).filter(|day| !plot.is_gone(*day)) {
        person::work(record, plot, &second, day, rng);
    }
}

/// A guest looks at what the others made. No `group` call says where the guest belongs: the mail address does.
pub(super) fn guest(record: &mut Recorder, plot: &Plot, rng: &mut Rng) {
    if !WITH_GUEST.contains(&plot.number) {
        return;
    }
    let mut guest = Person::draw(plot, plot.people, rng);
    (guest.role, guest.browser) = (Role::EndUser, None);
    let user = Who::User(&guest.user);
    record.identify("product", user, (guest.joins, 36_000), names::traits(&guest, &plot.name()));
    record.track("product", user, (guest.joins, 36_010), "Signed Up", json!({"role": "guest"}));
    for day in (guest.joins..DAYS).step_by(5).filter(|day| !plot.is_gone(*day)) {
        person::work(record, plot, &guest, day, rng);
    }
}
