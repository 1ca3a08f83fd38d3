//! The life of a person: what they read before, the days in the product, support, surveys and webinars.

use super::DAYS;
use super::plan::{FEATURES, Outcome, Person, Plot, Role, TRIAL_DAYS};
use super::record::{Recorder, Who};
use super::rng::Rng;
use serde_json::json;

/// Working hours, in seconds of the day: 08:00 to 18:00.
const OPENS: i64 = 8 * 3600;
const CLOSES: i64 = 18 * 3600;

/// Tells one person's story. `first` is who starts the trial; the others join it.
pub(super) fn live(record: &mut Recorder, plot: &Plot, person: &Person, first: bool, mut rng: Rng) {
    before(record, person, &mut rng);
    sign_up(record, plot, person, first);
    webinar(record, person, &mut rng);
    survey(record, plot, person, &mut rng);
    let mut active_days = 0;
    let mut onboarded = None;
    for day in person.joins..DAYS {
        let left = plot.outcome == Outcome::Buys && plot.cancels.is_some_and(|end| day >= end);
        let habit = if record.is_weekend(day) { person.habit / 10 } else { person.habit };
        if !person.is_here(day) || left || (day > person.joins && !rng.percent(habit)) {
            continue;
        }
        active_days += 1;
        work(record, plot, person, day, &mut rng);
        if active_days == 3 {
            onboarded = Some(day);
            record.track("product", Who::User(&person.user), (day, CLOSES + 60), "Onboarding Completed", json!({}));
        }
    }
    if let Some(day) = onboarded.map(|day| day + 30).filter(|day| person.is_here(*day) && plot.is_paying(*day)) {
        record.track("product", Who::User(&person.user), (day, 2 * 3600), "First Month Completed", json!({}));
    }
}

/// What someone read before anybody knew them: in a browser that is later found to be theirs.
fn before(record: &mut Recorder, person: &Person, rng: &mut Rng) {
    let Some(browser) = &person.browser else { return };
    let visitor = Who::Anonymous(browser);
    for _ in 0..rng.between(1, 3) {
        let when = (person.joins - rng.between(1, 6), rng.between(OPENS, CLOSES));
        record.page(visitor, when, "Home", "/");
        let topic = rng.pick(["retention", "onboarding", "forecasting", "pricing strategy"]);
        record.track("web", visitor, (when.0, when.1 + 40), "Content Viewed", json!({"kind": "blog", "topic": topic}));
    }
    if rng.percent(30) {
        let campaign = rng.pick(["spring", "webinar-series", "search"]);
        record.track(
            "web",
            visitor,
            (person.joins - 1, rng.between(OPENS, CLOSES)),
            "Campaign Clicked",
            json!({"campaign": campaign}),
        );
    }
}

fn sign_up(record: &mut Recorder, plot: &Plot, person: &Person, first: bool) {
    let (day, user) = (person.joins, Who::User(&person.user));
    // A keen buyer gives the address for a white paper days before, and keeps comparing prices.
    let known = if person.keen { day - 4 } else { day };
    let who = match &person.browser {
        Some(browser) => Who::Both(&person.user, browser),
        None => user,
    };
    let traits =
        json!({"email": person.mail, "role": person.role.as_str(), "company": format!("Customer {}", plot.number)});
    record.identify("web", who, (known, 36_000), traits);
    if person.keen {
        record.track("web", user, (known, 36_060), "White Paper Downloaded", json!({"title": "The cost of churn"}));
        for (number, offset) in (1..).zip([1, 2, 3]) {
            record.page(user, (known + offset, 40_000), "Pricing", "/pricing");
            record.track("web", user, (known + offset, 40_005), "Pricing Page Viewed", json!({"visit": number}));
            record.track(
                "web",
                user,
                (known + offset, 40_200),
                "Content Viewed",
                json!({"kind": "case study", "topic": "retention"}),
            );
        }
        record.track("web", user, (known + 3, 40_600), "Demo Requested", json!({"seats": plot.people}));
    }
    record.track("product", user, (day, 36_300), "Signed Up", json!({"role": person.role.as_str()}));
    let employees = 10 + plot.number * 7;
    record.group(
        user,
        (day, 36_310),
        &plot.account_id(),
        json!({"name": format!("Customer {}", plot.number), "employees": employees}),
    );
    if first {
        record.track("product", user, (day, 36_320), "Trial Started", json!({"days": TRIAL_DAYS, "plan": "team"}));
    } else if day < plot.trial + TRIAL_DAYS {
        record.track("product", user, (day, 36_320), "Trial Joined", json!({"plan": "team"}));
    }
}

/// A day in the product.
fn work(record: &mut Recorder, plot: &Plot, person: &Person, day: i64, rng: &mut Rng) {
    let user = Who::User(&person.user);
    let mut at = rng.between(OPENS + 3 * 3600, CLOSES - 3 * 3600);
    record.track("product", user, (day, at), "Signed In", json!({}));
    for _ in 0..rng.between(1, 3) {
        at += rng.between(30, 1200);
        let (feature, high_value) = if person.role == Role::PowerUser && rng.percent(50) {
            rng.pick([FEATURES[0], FEATURES[1], FEATURES[2]])
        } else {
            rng.pick(FEATURES)
        };
        // Now and then from a train: the client sends it when it is back.
        let delay = if rng.percent(1) { rng.between(600, 20_000) } else { 0 };
        record.late(
            "product",
            user,
            (day, at),
            delay,
            "Feature Used",
            json!({"feature": feature, "high_value": high_value}),
        );
    }
    if person.bumping && !plot.is_paying(day) && rng.percent(60) {
        record.track(
            "product",
            user,
            (day, at + 20),
            "Paywall Reached",
            json!({"feature": rng.pick(["alerts", "exports"]), "limit": "rows"}),
        );
    }
    if rng.percent(8) {
        record.track("product", user, (day, at + 50), "Report Shared", json!({"with": rng.between(1, 5)}));
    }
    if matches!(person.role, Role::Administrator | Role::It) && rng.percent(6) {
        record.track(
            "product",
            user,
            (day, at + 90),
            "Integration Connected",
            json!({"system": rng.pick(["crm", "warehouse", "chat", "billing"])}),
        );
    }
    if matches!(person.role, Role::Administrator | Role::Buyer) && !plot.is_paying(day) && rng.percent(25) {
        record.page(user, (day, at + 100), "Pricing", "/pricing");
        record.track("web", user, (day, at + 105), "Pricing Page Viewed", json!({}));
    }
    if rng.percent(if person.unlucky { 15 } else { 1 }) {
        trouble(record, person, day, at + 200, rng);
    }
    if person.role == Role::PowerUser && rng.percent(3) {
        record.track(
            "product",
            user,
            (day, at + 300),
            "Community Answered",
            json!({"topic": rng.pick(["forecast", "import", "alerts"])}),
        );
    }
}

/// The same error three or four times, and sometimes a ticket about it.
fn trouble(record: &mut Recorder, person: &Person, day: i64, at: i64, rng: &mut Rng) {
    let user = Who::User(&person.user);
    let (feature, _) = rng.pick(FEATURES);
    let code = rng.pick(["E_TIMEOUT", "E_IMPORT", "E_LIMIT"]);
    for repeat in 0..rng.between(3, 4) {
        record.track(
            "product",
            user,
            (day, at + repeat * 45),
            "Error Shown",
            json!({"feature": feature, "code": code}),
        );
    }
    if rng.percent(40) {
        let ticket = json!({"ticket": format!("T-{:06}", rng.between(1, 999_999)), "subject": code});
        record.track("support", user, (day, at + 900), "Support Ticket Opened", ticket.clone());
        let closed = day + rng.between(1, 3);
        record.track("support", user, (closed, 50_000), "Support Ticket Solved", ticket.clone());
        if rng.percent(25) {
            record.track("support", user, (closed + 1, 40_000), "Support Ticket Reopened", ticket);
        }
    }
}

/// The first "Getting started" webinar after signing up, on a Thursday at 15:00.
fn webinar(record: &mut Recorder, person: &Person, rng: &mut Rng) {
    let Some(day) = (person.joins + 1..person.joins + 8).find(|day| record.is_thursday(*day)) else {
        return;
    };
    if !rng.percent(25) {
        return;
    }
    let user = Who::User(&person.user);
    let webinar = json!({"webinar": "getting-started"});
    record.track("webinar", user, (person.joins, 45_000), "Webinar Registered", webinar.clone());
    let event = if rng.percent(60) { "Webinar Attended" } else { "Webinar Missed" };
    record.track("webinar", user, (day, 58_000), event, webinar);
}

/// The net promoter question, five weeks after the first payment. Who has trouble or is leaving answers low.
fn survey(record: &mut Recorder, plot: &Plot, person: &Person, rng: &mut Rng) {
    let Some(day) = plot.pays().map(|first| first.max(person.joins) + 35) else {
        return;
    };
    if !plot.is_paying(day) || !rng.percent(45) {
        return;
    }
    let unhappy = person.unlucky || !person.is_here(day) || plot.cancels.is_some();
    let nps = if unhappy { rng.between(0, 7) } else { rng.between(6, 10) };
    let user = Who::User(&person.user);
    record.track("survey", user, (day, 39_000), "Survey Answered", json!({"nps": nps}));
    if nps >= 9 && rng.percent(15) {
        record.track("web", user, (day + 2, 41_000), "Review Published", json!({"stars": 5}));
    }
}
