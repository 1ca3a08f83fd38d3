//! People whom ids alone do not identify: one person with two user ids, and people whose account is in no call.

use super::plan::{Person, Plot};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::role::Role;
use super::{DAYS, person, traits};
use serde_json::json;

/// The accounts in which the third person got a second user id through a new sign-on.
const SECOND_SIGN_ON: std::ops::RangeInclusive<u64> = 10..=15;
/// The accounts with a guest.
const WITH_GUEST: std::ops::RangeInclusive<u64> = 25..=28;

/// Some weeks after signing up, a person signs in through the company's own sign-on, and so with another user id. The
/// mail address, spelled differently, identifies the person.
pub(super) fn second_sign_on(record: &mut Recorder, plot: &Plot, people: &[Person], rng: &mut Rng) {
    let Some(known) = people.get(3).filter(|_| SECOND_SIGN_ON.contains(&plot.number)) else { return };
    let first_day = known.joins + 10;
    let second = Person { user: format!("sso-{}", known.user), browser: None, quiet: None, ..known.clone() };
    let traits = json!({"email": traits::shout(&known.mail), "name": known.name.to_uppercase()});
    if record.identify("product", Who::User(&second.user), (first_day, 30_000), traits) {
        record.same_person(&known.user, &second.user);
    }
    for day in (first_day..DAYS).step_by(4).filter(|day| !plot.is_gone(*day)) {
        person::work(record, plot, &second, day, rng);
    }
}

/// A guest views the others' work. No `group` call contains the guest's account: the mail address does.
pub(super) fn guest(record: &mut Recorder, plot: &Plot, rng: &mut Rng) {
    if !WITH_GUEST.contains(&plot.number) {
        return;
    }
    let mut guest = Person::draw(plot, plot.people, rng);
    (guest.role, guest.browser) = (Role::EndUser, None);
    let user = Who::User(&guest.user);
    record.identify("product", user, (guest.joins, 36_000), traits::traits(&guest, &plot.name()));
    record.track("product", user, (guest.joins, 36_010), "Signed Up", json!({"role": "guest"}));
    for day in (guest.joins..DAYS).step_by(5).filter(|day| !plot.is_gone(*day)) {
        person::work(record, plot, &guest, day, rng);
    }
}
