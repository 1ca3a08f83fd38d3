//! Companies that only read and ask so far: their people are known by name, but no `group` call was ever made for them.

use super::plan::IDS;
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::role::Role;
use super::{ACCOUNTS, DAYS, names, person};
use serde_json::json;

/// The number of such companies.
pub const PROSPECTS: u64 = 12;

/// Records what the people of company `number`, counted from 1, did so far.
pub(super) fn live(record: &mut Recorder, number: u64, rng: Rng) {
    let domain = format!("prospect-{number:02}.example");
    // One in three is about to buy when the story ends.
    let hot = number.is_multiple_of(3);
    for position in 0..if hot { 3 } else { 2 } {
        let mut rng = rng.fork(position);
        let id = (ACCOUNTS + number) * IDS + position;
        let lead = format!("user-{id:04}");
        let browser = format!("browser-{:016x}", rng.next());
        let (visitor, user) = (Who::Anonymous(&browser), Who::User(&lead));
        let known = if hot { DAYS - 8 + position as i64 } else { rng.between(10, DAYS - 3) };
        for back in 1..=rng.between(1, 3) {
            person::read(record, visitor, (known - back, rng.between(30_000, 60_000)), &mut rng);
        }
        let role = if position == 0 { Role::ExecutiveSponsor } else { Role::Buyer };
        let name = names::name(&mut rng);
        let mut traits = json!({"email": names::mail(&name, id, &domain), "name": name});
        if let Some(title) = names::title(role, &mut rng) {
            traits["title"] = title.into();
        }
        if hot && position == 0 {
            traits["title"] = "Chief Financial Officer".into();
        }
        if record.identify("web", Who::Both(&lead, &browser), (known, 40_000), traits) {
            record.company_of(&domain);
        }
        record.track("web", user, (known, 40_060), "White Paper Downloaded", json!({"title": "The cost of churn"}));
        if rng.percent(40) {
            let webinar = json!({"webinar": "keeping-customers"});
            record.track("webinar", user, (known + 1, 41_000), "Webinar Registered", webinar.clone());
            record.track("webinar", user, (known + 2, 58_000), "Webinar Attended", webinar);
        }
        let looks = if hot { 4 } else { rng.between(0, 2) };
        for look in 1..=looks {
            person::compare_prices(record, user, (known + look, 42_000 + position as i64 * 600));
            person::read(record, user, (known + look, 43_000), &mut rng);
        }
        if hot && position < 2 {
            record.track("web", user, (known + 4, 50_000), "Demo Requested", json!({"seats": rng.between(20, 200)}));
        }
    }
}
