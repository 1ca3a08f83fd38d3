//! Texts of people: in surveys, to others, and in public.

use super::plan::{OUTAGE, Person, Plot};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::role::Role;
use super::{BRAND, DAYS, texts};
use serde_json::json;

/// The net promoter question, five weeks after the first payment. People with errors or about to leave answer low.
pub(super) fn survey(record: &mut Recorder, plot: &Plot, person: &Person, rng: &mut Rng) {
    let Some(day) = plot.pays().map(|first| first.max(person.joins) + 35) else {
        return;
    };
    if !plot.is_paying(day) || !rng.percent(45) {
        return;
    }
    let unhappy = person.unlucky || !person.is_here(day) || plot.cancels.is_some();
    let nps = if unhappy { rng.between(0, 7) } else { rng.between(6, 10) };
    let user = Who::User(&person.user);
    let mut answer = json!({"nps": nps});
    if rng.percent(60) {
        answer["text"] = texts::about(nps, rng).into();
    }
    record.track("survey", user, (day, 39_000), "Survey Answered", answer);
    match nps {
        9.. => {
            if rng.percent(30) {
                record.track("web", user, (day + 2, 41_000), "Review Published", json!({"stars": 5}));
            }
            if rng.percent(40) {
                record.track("product", user, (day + 3, 42_000), "Referral Sent", json!({"via": "link"}));
            }
            if rng.percent(30) {
                mention(record, person, (day + 5, 43_000), texts::praise(rng), rng);
            }
        }
        ..=4 if rng.percent(30) => mention(record, person, (day + 1, 43_000), texts::blame(rng), rng),
        _ => {}
    }
}

/// One of the open questions, three weeks after signing up.
pub(super) fn open_question(record: &mut Recorder, person: &Person, rng: &mut Rng) {
    let day = person.joins + 21;
    if person.is_here(day) && rng.percent(12) {
        let (question, text) = texts::open_question(rng);
        let answer = json!({"question": question, "text": text});
        record.track("survey", Who::User(&person.user), (day, 39_500), "Survey Answered", answer);
    }
}

/// A public mention. Most have few readers, some have many. The monitoring tool records it for its author and for the
/// brand.
fn mention(record: &mut Recorder, person: &Person, when: (i64, i64), text: &str, rng: &mut Rng) {
    let followers = if rng.percent(20) { rng.between(1_000, 40_000) } else { rng.between(20, 900) };
    let said = json!({"network": rng.pick(["forum", "microblog"]), "text": text, "followers": followers});
    record.track("social", Who::User(&person.user), when, "Social Mention", said.clone());
    record.track("social", Who::User(BRAND), when, "Brand Mentioned", said);
}

/// On the morning of the outage, people at work complain in public.
pub(super) fn outage(record: &mut Recorder, plot: &Plot, people: &[Person], rng: &mut Rng) {
    for person in people.iter().filter(|person| person.is_here(OUTAGE) && plot.is_paying(OUTAGE)) {
        if person.habit >= 45 && rng.percent(12) {
            mention(record, person, (OUTAGE, rng.between(30_000, 36_000)), texts::outage(rng), rng);
        }
    }
}

/// Colleagues ask those who know: the administrator and the power users more than others.
pub(super) fn mentions_by_colleagues(record: &mut Recorder, plot: &Plot, people: &[Person], rng: &mut Rng) {
    let asked = |person: &&Person| match person.role {
        Role::Administrator | Role::PowerUser => true,
        Role::Buyer | Role::ExecutiveSponsor | Role::EndUser | Role::It => person.habit > 20,
    };
    for person in people.iter().filter(asked) {
        let often = if plot.is_trying() { rng.between(1, 6) } else { rng.between(0, 4) };
        for _ in 0..often {
            let day = rng.between(person.joins, (person.joins + 100).min(DAYS - 1));
            if person.is_here(day) && !plot.is_gone(day) {
                let place = json!({"in": rng.pick(["comment", "dashboard"])});
                let when = (day, rng.between(37_000, 60_000));
                record.track("product", Who::User(&person.user), when, "Mentioned By Colleague", place);
            }
        }
    }
}
