//! Moments that only some accounts have: a limit of the plan, a wish, a webinar that is never reported, an incident, and a
//! cancellation at the end of a period.

use super::DAYS;
use super::plan::{Depth, OUTAGE, Person, Plot, TRIAL_DAYS};
use super::record::{Recorder, Who};
use super::rng::Rng;
use serde_json::json;

/// The release day of alerts: 1 August if the story ends with October, as in features.toml.
const ALERTS_RELEASED: i64 = DAYS - 92;
/// Every so many accounts reach a limit of their plan.
const AT_LIMIT: u64 = 5;
/// Every so many accounts are affected by the outage.
const AFFECTED: u64 = 4;
/// Every so many accounts have a webinar that is never reported.
const UNREPORTED: u64 = 6;
/// The account whose payment fails at the end.
const FAILING: u64 = 2;
/// The last digits of those who do not want to be called.
const NO_CALLS: &str = "44";
/// Days before the end of a subscription on which it is cancelled.
const NOTICE: i64 = 9;

/// Records these moments of account `number`, whose people were drawn from the same `rng`.
pub(super) fn live(record: &mut Recorder, number: u64, mut rng: Rng) {
    let plot = Plot::draw(number, &mut rng);
    let people: Vec<Person> =
        (0..plot.people).map(|position| Person::draw(&plot, position, &mut rng.fork(position))).collect();
    limit(record, &plot, &people);
    wishes(record, &people);
    webinar(record, &plot, &people);
    incident(record, &plot, &people);
    notice(record, &plot, &people);
    failure(record, &plot, &people);
    no_calls(record, &people);
}

/// The administrator has no seat left.
fn limit(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    let (Some(admin), Some(first)) = (people.first(), plot.pays()) else { return };
    let day = first + TRIAL_DAYS;
    if plot.number.is_multiple_of(AT_LIMIT) && plot.is_paying(day) && admin.is_here(day) {
        let limit = json!({"limit": "seats", "used": plot.seats, "allowed": plot.seats});
        record.track("product", Who::User(&admin.user), (day, 45_000), "Plan Limit Reached", limit);
    }
}

/// People who never use alerts ask for them days before the release.
fn wishes(record: &mut Recorder, people: &[Person]) {
    let day = ALERTS_RELEASED - 3;
    let wants = |person: &&Person| matches!(person.depth, Depth::Shallow | Depth::Forecasts) && person.is_here(day);
    for person in people.iter().filter(wants) {
        let wish = json!({"feature": "alerts"});
        record.track("survey", Who::User(&person.user), (day, 39_900), "Feature Wished", wish);
    }
}

/// The third person registers for a webinar, and the tool reports nothing.
fn webinar(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    let Some(person) = people.get(2).filter(|_| plot.number.is_multiple_of(UNREPORTED)) else { return };
    let day = person.joins + 30;
    let starts = record.moment(day + 4, 54_000).to_string();
    let webinar = json!({"webinar": "getting-started", "starts_at": starts});
    record.track("webinar", Who::User(&person.user), (day, 45_000), "Webinar Registered", webinar);
}

/// The outage: operations report whom it affects, and that it is over.
fn incident(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    if !plot.number.is_multiple_of(AFFECTED) || !plot.is_paying(OUTAGE) {
        return;
    }
    for person in people.iter().filter(|person| person.is_here(OUTAGE)) {
        let user = Who::User(&person.user);
        let about = json!({"summary": "Reports load slowly or not at all"});
        record.track("product", user, (OUTAGE, 30_600), "Incident Started", about);
        record.track("product", user, (OUTAGE, 41_400), "Incident Resolved", json!({}));
    }
}

/// The last payment of one account fails, and is still being tried when the story ends.
fn failure(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    let Some(payer) = people.get(1).filter(|_| plot.number == FAILING && plot.is_paying(DAYS - 1)) else { return };
    let amount = json!({"amount": plot.seats * 29, "currency": "USD"});
    record.track("billing", Who::User(&payer.user), (DAYS - 2, 50_100), "Payment Failed", amount);
}

/// Some people do not want to be called.
fn no_calls(record: &mut Recorder, people: &[Person]) {
    for person in people.iter().filter(|person| person.user.ends_with(NO_CALLS)) {
        record.identify("product", Who::User(&person.user), (person.joins + 3, 36_600), json!({"do_not_call": true}));
    }
}

/// Some days before a subscription ends, the buyer cancels it for the end of its period.
fn notice(record: &mut Recorder, plot: &Plot, people: &[Person]) {
    let (Some(payer), Some(end)) = (people.get(1).or(people.first()), plot.cancels) else { return };
    let ends = record.moment(end, 60_000).to_string();
    let cancelled = json!({"status": "active", "cancel_at_period_end": true, "renews_at": ends});
    record.track_of("billing", Who::User(&payer.user), plot, (end - NOTICE, 59_000), "Subscription Updated", cancelled);
}
