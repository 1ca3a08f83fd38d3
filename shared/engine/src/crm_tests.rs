//! The values that are written of a person, and when.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::evaluate::look;
use crate::moment::Moment;
use crate::process::{Mode, process, tick};
use jiff::SignedDuration;
use perennial_domain::time::days_between;
use perennial_domain::{AccountFacts, AccountId, CrmUpdate, Event, Likelihood, Score, Touch, UserId};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use std::sync::LazyLock;

const CHANNELS: &str = "[webhook.crm]\nurl = \"https://crm.example/\"\nsecret_env = \"CRM\"\n\
                        [webhook.hubspot]\nkind = \"hubspot\"\nsecret_env = \"CRM\"\n";
const ACCOUNTS: &str = "[owner]\ntrait = \"owner\"\n[crm]\nendpoint = \"hubspot\"\n[crm.people]\nfields = { ";
const ALL: &str = "stage = \"p_stage\", churn = \"p_churn\", purchase = \"p_purchase\", nps = \"p_nps\", nps_class = \"p_class\", \
                   personas = \"p_personas\", segment = \"p_segment\", owner = \"p_owner\", account_score = \"p_score\", \
                   account_health = \"p_health\", last_activity = \"p_active\", next_renewal = \"p_renewal\", unsubscribed = \"p_unsub\"";
const SCORING: &str = "[base]\nchurn = 10\n[[signal]]\nid = \"quiet\"\nscore = \"churn\"\nmeasure = 'idle_days'\nfrom = 7\nto = 27\npoints = 80\n";

fn config(fields: &str) -> Config {
    config_with(&format!("{ACCOUNTS}{fields} }}\n"))
}

fn config_with(accounts: &str) -> Config {
    let files = [
        ("channels.toml", CHANNELS),
        ("accounts.toml", accounts),
        ("scoring.toml", SCORING),
        ("lifecycle.toml", "lead = [\"$identify\"]\ncustomer = [\"Paid\"]\n"),
        ("segments.toml", "[[segment]]\nname = \"payers\"\nwhen = 'pays'\n"),
        ("personas.toml", "[[persona]]\nname = \"user\"\nwhen = 'pays'\n"),
    ];
    ConfigBuilder::least().with(&files).load()
}

fn at(day: i64) -> Timestamp {
    "2026-03-02T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
}

fn ada() -> Profile {
    Profile::new(Identity::User(UserId::parse("ada").unwrap()))
}

fn identify(id: &str, at: Timestamp) -> Event {
    EventBuilder::identify(id, "ada", None).at(at).with_trait("email", "Ada@acme.example").build()
}

fn does(id: &str, name: &str, at: Timestamp) -> Event {
    EventBuilder::track(id, "ada", name).at(at).build()
}

fn taken(profile: &mut Profile) -> Vec<CrmUpdate> {
    let actions = std::mem::take(&mut profile.outbox).into_iter();
    actions.filter_map(|action| if let Action::UpdateCrm(update) = action { Some(update) } else { None }).collect()
}

/// Processes the events at `now`; returns what is written.
fn feed(config: &Config, profile: &mut Profile, events: &[Event], now: Timestamp) -> Vec<CrmUpdate> {
    process(&Moment::new(config, now), profile, events, &Default::default(), Mode::Live);
    taken(profile)
}

/// Fires the profile's timers until `end`; returns what is written, with its time.
fn pass(config: &Config, profile: &mut Profile, end: Timestamp) -> Vec<(Timestamp, CrmUpdate)> {
    let mut all = Vec::new();
    while let Some(due) = profile.due_at.filter(|due| *due <= end) {
        tick(&Moment::new(config, due), profile);
        assert!(profile.due_at.is_none_or(|next| next > due), "the timer fires again and again");
        all.extend(taken(profile).into_iter().map(|update| (due, update)));
    }
    all
}

#[test]
fn customer_is_written_once_with_all_values_and_not_for_each_event() {
    let (config, mut profile) = (config(ALL), ada());
    let facts = AccountFacts {
        id: AccountId::parse("acme").unwrap(),
        people: 1,
        score: Score::from(40),
        health: None,
        value: None,
        touch: Touch::None,
        owner: Some("the team".into()),
        stage: None,
        left: None,
        ended: [].into(),
        renewals: 0,
        cancels: false,
        past_due: false,
        renews_at: Some(at(60)),
        leading_buyer: None,
        traits: [].into(),
    };
    let moment = Moment::new(&config, at(0)).with_account(Some(&facts));
    let events = [identify("1", at(0)), does("2", "Paid", at(0))];
    process(&moment, &mut profile, &events, &Default::default(), Mode::Live);
    let [update] = taken(&mut profile).try_into().unwrap();
    let expected = [
        ("p_stage", json!("onboarding")),
        ("p_churn", json!(10)),
        ("p_purchase", json!(0)),
        ("p_nps", json!(null)),
        ("p_class", json!("none")),
        ("p_personas", json!(["user"])),
        ("p_segment", json!("payers")),
        ("p_owner", json!("the team")),
        ("p_score", json!(40)),
        ("p_health", json!(null)),
        ("p_active", json!("2026-03-02")),
        ("p_renewal", json!("2026-05-01")),
        // `deliver` knows.
        ("p_unsub", json!(null)),
    ];
    assert_eq!(update.fields, expected.map(|(name, value)| (name.to_owned(), value)).into());
    assert_eq!((update.endpoint.as_str(), update.at), ("hubspot", at(0)));
    assert_eq!(update.number, u64::try_from(at(0).as_millisecond()).unwrap());
    assert_eq!(update.id, CrmUpdate::id_of(&Subject::Person(profile.id), update.number));
    // The same again, and a week of daily work.
    let moment = Moment::new(&config, at(0)).with_account(Some(&facts));
    process(&moment, &mut profile, &events, &Default::default(), Mode::Live);
    for day in 0..7 {
        let now = at(day);
        let moment = Moment::new(&config, now).with_account(Some(&facts));
        process(&moment, &mut profile, &[does(&format!("d{day}"), "Worked", now)], &Default::default(), Mode::Live);
        assert_eq!(taken(&mut profile), [], "day {day}");
    }
    let moment = Moment::new(&config, at(7)).with_account(Some(&facts));
    process(&moment, &mut profile, &[does("d7", "Worked", at(7))], &Default::default(), Mode::Live);
    let [update] = taken(&mut profile).try_into().unwrap();
    assert_eq!(update.fields["p_active"], "2026-03-09", "a week later it is written by itself");
}

#[test]
fn silence_is_written_by_timers_in_steps_and_by_stages() {
    let (config, mut profile) = (config("stage = \"p_stage\", churn = \"p_churn\""), ada());
    assert_eq!(feed(&config, &mut profile, &[identify("1", at(0)), does("2", "Paid", at(0))], at(0)).len(), 1);
    let written: Vec<_> = pass(&config, &mut profile, at(400))
        .into_iter()
        .map(|(due, update)| {
            (days_between(at(0), due), update.fields["p_stage"].clone(), update.fields["p_churn"].clone())
        })
        .collect();
    // The risk grows by 4 a day from the 8th day on; after 21 idle days the stage changes, and the steps continue from there.
    let expected = [(10, "onboarding", 22), (13, "onboarding", 34), (16, "onboarding", 46), (19, "onboarding", 58)]
        .into_iter()
        .chain([(21, "at_risk", 66), (24, "at_risk", 78), (27, "at_risk", 90)])
        .map(|(day, stage, churn)| (day, json!(stage), json!(churn)));
    assert_eq!(written, expected.collect::<Vec<_>>());
}

#[test]
fn people_without_an_address_and_visitors_are_left_out_unless_the_condition_says_otherwise() {
    let paid = || [does("2", "Paid", at(0))];
    let stage = config("stage = \"p_stage\"");
    assert_eq!(feed(&stage, &mut ada(), &paid(), at(0)), [], "no address");
    let visits = EventBuilder::track("1", "ada", "Visited").at(at(0)).build();
    let named = EventBuilder::identify("2", "ada", None).at(at(0)).with_trait("email", "a@b.example").build();
    let lead = ConfigBuilder::least()
        .with(&[("channels.toml", CHANNELS), ("accounts.toml", &format!("{ACCOUNTS}stage = \"p_stage\" }}\n"))])
        .load();
    assert_eq!(feed(&lead, &mut ada(), &[visits, named], at(0)), [], "a visitor");
    let all = config_with("[crm]\nendpoint = \"crm\"\n[crm.people]\nwhen = 'pays'\nfields = { stage = \"p_stage\" }\n");
    assert_eq!(feed(&all, &mut ada(), &[identify("1", at(0))], at(0)), [], "does not pay");
    assert_eq!(feed(&all, &mut ada(), &paid(), at(0)).len(), 1, "a webhook's receiver finds them by their ids");
    let found =
        config_with("[crm]\nendpoint = \"hubspot\"\n[crm.people]\nwhen = 'pays'\nfields = { stage = \"p_stage\" }\n");
    assert_eq!(feed(&found, &mut ada(), &paid(), at(0)), [], "HubSpot finds contacts by their address");
}

#[test]
fn import_is_written_once_within_a_day_and_what_happens_now_at_once() {
    let config = config("stage = \"p_stage\"");
    let history = || [identify("1", at(-40)), does("2", "Paid", at(-40)), does("3", "Worked", at(-10))];
    let mut profile = ada();
    assert_eq!(feed(&config, &mut profile, &history(), at(0)), []);
    let due = profile.due_at.unwrap();
    assert!(due > at(0) && due <= at(1), "{due}");
    let written = pass(&config, &mut profile, at(3));
    assert_eq!(written.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [due]);
    assert_eq!(written[0].1.fields["p_stage"], "adopting");

    let mut profile = ada();
    assert_eq!(feed(&config, &mut profile, &history(), at(0)), []);
    assert_eq!(feed(&config, &mut profile, &[does("4", "Worked", at(0))], at(0)).len(), 1);
    assert_eq!(pass(&config, &mut profile, at(3)), []);
}

#[test]
fn imports_are_spread_over_the_day() {
    let config = config("stage = \"p_stage\"");
    let mut hours = std::collections::BTreeSet::new();
    for user in 0..200 {
        let user = format!("u{user}");
        let mut profile = Profile::new(Identity::User(UserId::parse(&user).unwrap()));
        let known =
            EventBuilder::identify("1", &user, None).at(at(-9)).with_trait("email", format!("{user}@b.example"));
        assert_eq!(feed(&config, &mut profile, &[known.build()], at(0)), []);
        hours.insert(profile.due_at.unwrap().duration_since(at(0)).as_hours());
    }
    assert!(hours.len() > 20, "{hours:?}");
}

#[test]
fn value_that_the_crm_sent_is_no_news_and_a_colleagues_owner_wins() {
    let (config, mut profile) = (config("owner = \"p_owner\", stage = \"p_stage\""), ada());
    let named = |id: &str, name: &str, value: &str| {
        EventBuilder::identify(id, "ada", None).at(at(0)).with_trait(name, value).build()
    };
    let [update] = feed(&config, &mut profile, &[identify("1", at(0))], at(0)).try_into().unwrap();
    assert_eq!(update.fields["p_owner"], json!(null));
    // A colleague changes the owner in the CRM, whose webhook reports the contact's field and the owner.
    assert_eq!(feed(&config, &mut profile, &[named("2", "p_owner", "Grace"), named("3", "owner", "Grace")], at(0)), []);
    // The next write says so too.
    let [update] = feed(&config, &mut profile, &[does("4", "Paid", at(0))], at(0)).try_into().unwrap();
    assert_eq!((&update.fields["p_owner"], &update.fields["p_stage"]), (&json!("Grace"), &json!("onboarding")));
    let other = EventBuilder::identify("5", "ada", None).at(at(1)).with_trait("owner", "Linus").build();
    let [update] = feed(&config, &mut profile, &[other], at(1)).try_into().unwrap();
    assert_eq!(update.fields["p_owner"], "Linus", "which did not come from the contact's field");
}

#[test]
fn contact_of_another_address_or_after_a_merge_is_written_again_with_a_greater_number() {
    let (config, mut profile) = (config("stage = \"p_stage\""), ada());
    let [first] = feed(&config, &mut profile, &[identify("1", at(0))], at(0)).try_into().unwrap();
    let same = EventBuilder::identify("2", "ada", None).at(at(0)).with_trait("email", "ada@ACME.example").build();
    assert_eq!(feed(&config, &mut profile, &[same], at(0)), [], "only its spelling changed");
    let other = EventBuilder::identify("3", "ada", None).at(at(0)).with_trait("email", "ada@home.example").build();
    let [second] = feed(&config, &mut profile, &[other], at(0)).try_into().unwrap();
    profile.rewrite_contact();
    let [third] = feed(&config, &mut profile, &[does("4", "Worked", at(0))], at(0)).try_into().unwrap();
    assert_eq!([second.number, third.number], [first.number + 1, first.number + 2]);
    assert_eq!(first.fields, third.fields);
    assert_eq!(feed(&config, &mut profile, &[does("5", "Worked", at(0))], at(0)), []);
}

#[test]
fn unsubscribing_is_written_and_so_is_the_return() {
    let (config, mut profile) = (config("unsubscribed = \"p_unsub\", stage = \"p_stage\""), ada());
    assert_eq!(feed(&config, &mut profile, &[identify("1", at(0))], at(0)).len(), 1);
    for (number, event) in ["Unsubscribed", "Subscribed", "Unsubscribed"].into_iter().enumerate() {
        let [update] =
            feed(&config, &mut profile, &[does(&format!("u{number}"), event, at(0))], at(0)).try_into().unwrap();
        assert_eq!(update.fields["p_unsub"], json!(null), "`deliver` reads it");
        assert_eq!(feed(&config, &mut profile, &[does(&format!("w{number}"), "Worked", at(0))], at(0)), []);
    }
}

#[test]
fn without_the_section_nothing_is_written_or_kept() {
    let config = config_with("[crm]\nendpoint = \"crm\"\nfields = { score = \"s\" }\n");
    let mut profile = ada();
    assert_eq!(feed(&config, &mut profile, &[identify("1", at(0)), does("2", "Paid", at(0))], at(0)), []);
    assert_eq!(profile.written, None);
}

static SHIPPED: LazyLock<Config> = LazyLock::new(|| {
    let scores = Likelihood::ALL.map(|likelihood| format!("{0} = \"p_{0}\"", likelihood.as_str())).join(", ");
    let people = format!("[crm.people]\nfields = {{ stage = \"p_stage\", {scores} }}\n");
    ConfigBuilder::shipped().with(&[("accounts.toml", &people)]).load()
});

fn history() -> impl Strategy<Value = Vec<Event>> {
    let names: Vec<String> =
        SHIPPED.scoring.by_event.keys().chain(SHIPPED.lifecycle.milestones.keys()).cloned().collect();
    let one = (proptest::sample::select(names), 0..60 * 24_i64);
    proptest::collection::vec(one, 1..30).prop_map(|all| {
        let event = |(number, (name, hours)): (usize, (String, i64))| {
            EventBuilder::track(&format!("m{number}"), "ada", &name)
                .at(at(0) - SignedDuration::from_hours(hours))
                .properties(json!({ "feature": "export", "plan": "pro" }))
                .build()
        };
        std::iter::once(identify("i", at(-60))).chain(all.into_iter().enumerate().map(event)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// From a day after the events on, the CRM knows the stage, and every score to a few points more than the least change.
    #[test]
    fn crm_is_never_far_from_the_truth_and_never_written_without_a_reason(events in history()) {
        let mut profile = ada();
        process(&Moment::new(&SHIPPED, at(0)), &mut profile, &events, &Default::default(), Mode::Live);
        let mut known = taken(&mut profile).pop().map(|update| update.fields);
        for day in 1..120 {
            for (due, update) in pass(&SHIPPED, &mut profile, at(day)) {
                let before = known.replace(update.fields);
                prop_assert!(before != known, "written again without a change at {due}");
            }
            let view = profile.view();
            let moment = Moment::new(&SHIPPED, at(day)).of(profile.id);
            let person = look(&moment, &view);
            if person.stage == Stage::Visitor || person.settles_at().is_some() {
                continue;
            }
            let Some(known) = &known else { panic!("nothing is written by day {day}") };
            // Timers fire within a day of a change, which may be a jump.
            let lately: Vec<_> =
                (0..=4).map(|quarter| look(&moment.at(at(day) - SignedDuration::from_hours(6 * quarter)), &view).scores).collect();
            for likelihood in Likelihood::ALL {
                let old = &known[&format!("p_{}", likelihood.as_str())];
                let apart = |new: Option<Score>| match (old.as_u64(), new) {
                    (Some(old), Some(new)) => old.abs_diff(new.get().into()),
                    (None, None) => 0,
                    _ => 100,
                };
                let nearest = lately.iter().map(|scores| apart(scores.get(likelihood))).min().unwrap();
                prop_assert!(nearest < 10 + 8, "{}: {old} is far from {lately:?} on day {day}", likelihood.as_str());
            }
        }
    }
}
