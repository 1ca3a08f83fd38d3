//! The life of a person: what they read before signing up, their days in the product, support and webinars.

use super::plan::{COHORTS_RELEASED, FEATURES, Person, Plot, TRIAL_DAYS};
use super::record::{Recorder, Who};
use super::rng::Rng;
use super::role::Role;
use super::{DAYS, texts, traits, voice};
use serde_json::json;

/// Working hours, in seconds of the day: 08:00 to 18:00.
const OPENS: i64 = 8 * 3600;
const CLOSES: i64 = 18 * 3600;

/// Records one person's story. `first` starts the trial; the others join it.
pub(super) fn live(record: &mut Recorder, plot: &Plot, person: &Person, first: bool, mut rng: Rng) {
    before(record, person, &mut rng);
    sign_up(record, plot, person, first);
    webinar(record, person, &mut rng);
    voice::survey(record, plot, person, &mut rng);
    voice::open_question(record, person, &mut rng);
    let mut active_days = 0;
    for day in person.joins..DAYS {
        let habit = if record.is_weekend(day) { person.habit / 10 } else { person.habit };
        if !person.is_here(day) || plot.is_gone(day) || (day > person.joins && !rng.percent(habit)) {
            continue;
        }
        active_days += 1;
        work(record, plot, person, day, &mut rng);
        match active_days {
            2 if person.role == Role::Administrator => connect(record, person, (day, CLOSES), &mut rng),
            3 => {
                record.track("product", Who::User(&person.user), (day, CLOSES + 60), "Onboarding Completed", json!({}))
            }
            _ => {}
        }
    }
}

/// Records what a person read before signing up: in a browser that is later linked to them.
fn before(record: &mut Recorder, person: &Person, rng: &mut Rng) {
    let Some(browser) = &person.browser else { return };
    let visitor = Who::Anonymous(browser);
    for _ in 0..rng.between(1, 3) {
        read(record, visitor, (person.joins - rng.between(1, 6), rng.between(OPENS, CLOSES)), rng);
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

/// The home page, and an article.
pub(super) fn read(record: &mut Recorder, who: Who<'_>, when: (i64, i64), rng: &mut Rng) {
    record.page(who, when, "Home", "/");
    let topic = rng.pick(["retention", "onboarding", "forecasting", "pricing strategy"]);
    record.track("web", who, (when.0, when.1 + 40), "Content Viewed", json!({"kind": "blog", "topic": topic}));
}

/// The price list.
pub(super) fn compare_prices(record: &mut Recorder, who: Who<'_>, when: (i64, i64)) {
    record.page(who, when, "Pricing", "/pricing");
}

fn sign_up(record: &mut Recorder, plot: &Plot, person: &Person, first: bool) {
    let (day, user) = (person.joins, Who::User(&person.user));
    // A keen buyer gives the address for a white paper days before, and keeps comparing prices.
    let known = if person.keen { day - 4 } else { day };
    let traits = traits::traits(person, &plot.name());
    // Some clients link the browser in a separate call.
    let aliased = person.browser.as_ref().filter(|_| plot.number % 10 == 4);
    let who = match &person.browser {
        Some(browser) if aliased.is_none() => Who::Both(&person.user, browser),
        _ => user,
    };
    record.identify("web", who, (known, 36_000), traits);
    if let Some(browser) = aliased {
        record.alias(&person.user, browser, (known, 36_001));
    }
    if person.keen {
        record.track("web", user, (known, 36_060), "White Paper Downloaded", json!({"title": "The cost of churn"}));
        for offset in 1..=3 {
            compare_prices(record, user, (known + offset, 40_000));
            record.track(
                "web",
                user,
                (known + offset, 40_200),
                "Content Viewed",
                json!({"kind": "case study", "topic": "retention"}),
            );
        }
        record.track("web", user, (known + 3, 40_600), "Demo Requested", json!({"seats": plot.seats}));
    }
    record.track("product", user, (day, 36_300), "Signed Up", json!({"role": person.role.as_str()}));
    record.group("product", user, (day, 36_310), plot, about(plot));
    if first {
        let trial = json!({"days": TRIAL_DAYS, "plan": "team"});
        record.track_of("product", user, plot, (day, 36_320), "Trial Started", trial);
    } else if day < plot.trial + TRIAL_DAYS {
        record.track("product", user, (day, 36_320), "Trial Joined", json!({"plan": "team"}));
    }
}

/// Returns the product's data about a company: systems differ in their name for its domain.
fn about(plot: &Plot) -> serde_json::Value {
    let mut traits = json!({"name": plot.name(), "employees": 10 + plot.number * 7});
    if plot.number.is_multiple_of(2) {
        traits["website"] = format!("https://www.{}/about", plot.domain()).into();
    } else {
        traits["domain"] = plot.domain().into();
    }
    traits
}

/// A day in the product.
pub(super) fn work(record: &mut Recorder, plot: &Plot, person: &Person, day: i64, rng: &mut Rng) {
    let user = Who::User(&person.user);
    let mut at = rng.between(OPENS + 3 * 3600, CLOSES - 3 * 3600);
    record.track("product", user, (day, at), "Signed In", json!({}));
    for _ in 0..rng.between(1, 3) {
        at += rng.between(30, 1200);
        let (feature, high_value) = released(person.depth.feature(rng), day);
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
    if person.bumping && rng.percent(if plot.is_paying(day) { 8 } else { 60 }) {
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
        connect(record, person, (day, at + 90), rng);
    }
    if matches!(person.role, Role::Administrator | Role::Buyer) && !plot.is_paying(day) && rng.percent(25) {
        compare_prices(record, user, (day, at + 100));
    }
    if rng.percent(if person.unlucky { 15 } else { 1 }) {
        trouble(record, person, day, at + 200, rng);
    }
    if person.role == Role::PowerUser && rng.percent(if person.habit > 90 { 8 } else { 3 }) {
        let answer = json!({"topic": rng.pick(["forecast", "import", "alerts"]), "text": texts::community_answer(rng)});
        record.track("product", user, (day, at + 300), "Community Answered", answer);
    }
    if person.role == Role::PowerUser && plot.is_paying(day) && rng.percent(3) {
        record.track("product", user, (day, at + 400), "Invite Sent", json!({"role": "guest"}));
    }
}

/// Returns the feature, or the dashboards before its release.
fn released(feature: (&'static str, bool), day: i64) -> (&'static str, bool) {
    let (name, _) = feature;
    if name == "cohorts" && day < COHORTS_RELEASED { ("dashboards", false) } else { feature }
}

fn connect(record: &mut Recorder, person: &Person, when: (i64, i64), rng: &mut Rng) {
    let system = json!({"system": rng.pick(["crm", "warehouse", "chat", "billing"])});
    record.track("product", Who::User(&person.user), when, "Integration Connected", system);
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
        let with = |text: &str| {
            let mut ticket = ticket.clone();
            ticket["text"] = text.into();
            ticket
        };
        record.track("support", user, (day, at + 900), "Support Ticket Opened", with(texts::ticket(rng)));
        let closed = day + rng.between(1, 3);
        record.track("support", user, (closed, 50_000), "Support Ticket Solved", ticket.clone());
        if rng.percent(25) {
            let again = with(texts::reopened_ticket(rng));
            record.track("support", user, (closed + 1, 40_000), "Support Ticket Reopened", again);
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
    let mut registered = webinar.clone();
    registered["starts_at"] = record.moment(day, 54_000).to_string().into();
    record.track("webinar", user, (person.joins, 45_000), "Webinar Registered", registered);
    let event = if rng.percent(60) { "Webinar Attended" } else { "Webinar Missed" };
    record.track("webinar", user, (day, 58_000), event, webinar);
}
