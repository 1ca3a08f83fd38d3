//! Valid settings without effect are reported, at their position and with a fix, and nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support;
use perennial_config::Bundle;
use perennial_config::check::check;
use perennial_config::sources::{LOCAL_KEYS, WriteKeyHash};

/// The default configuration, with its own write keys.
fn default_bundle() -> Bundle {
    let mut bundle = support::default_bundle();
    let sources = bundle.files.get_mut("sources.toml").unwrap();
    for (key, digit) in LOCAL_KEYS.into_iter().zip(["1", "2"]) {
        *sources = sources.replace(&WriteKeyHash::of(key).to_hex(), &digit.repeat(64));
    }
    bundle
}

/// Returns the remarks after `text` is appended to the default `file`, except those of the default configuration.
fn after(file: &str, text: &str) -> String {
    let mut bundle = default_bundle();
    bundle.files.get_mut(file).unwrap().push_str(text);
    remarks(&bundle)
}

fn remarks(bundle: &Bundle) -> String {
    let checked = check(bundle);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    assert!(checked.config.is_some());
    checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const RULE: &str = "\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\nhalf_life_days = 9\n";
const SIGNAL: &str = "\n[[signal]]\nid = \"x\"\nscore = \"churn\"\nfrom = 0\nto = 10\npoints = 5\n";
const SEGMENT: &str = "\n[[segment]]\nname = \"x\"\n";
const STEP: &str = "step = [{ channel = \"mail\", template = \"welcome\" }]\n";

#[track_caller]
fn expect(remarks: &str, wanted: &[&str]) {
    let lines: Vec<&str> = remarks.lines().collect();
    assert_eq!(lines.len(), wanted.len(), "wanted\n{}\nfound\n{remarks}", wanted.join("\n"));
    for wanted in wanted {
        assert!(lines.iter().any(|line| line.contains(wanted)), "wanted\n{wanted}\nfound\n{remarks}");
    }
}

#[test]
fn the_default_config_has_nothing_to_remark_on() {
    expect(&remarks(&default_bundle()), &[]);
}

#[test]
fn write_keys_that_everybody_knows_are_remarked_on() {
    expect(
        &remarks(&support::default_bundle()),
        &["source `server`: everybody knows", "source `web`: everybody knows"],
    );
}

#[test]
fn sources_that_are_believed_too_far_are_remarked_on() {
    let source = |id: &str, trust: &str| {
        format!("\n[[source]]\nid = \"{id}\"\n{trust}write_key_hashes = [\"{}\"]\n", "3".repeat(64))
    };
    expect(
        &after("sources.toml", &source("Mobile", "")),
        &["source `Mobile`: its events are believed like a server's"],
    );
    expect(&after("sources.toml", &source("mobile", "trust = \"public\"\n")), &[]);
    expect(&after("sources.toml", &source("backend", "")), &[]);
}

#[test]
fn fields_that_no_signature_covers_are_remarked_on() {
    let source = |scheme: &str, field: &str| {
        let head =
            format!("\n[[source]]\nid = \"x\"\nscheme = \"{scheme}\"\nsecret_env = \"X_SECRET\"\n[[source.map]]\n");
        let map =
            "when = { \"header:x-github-event\" = \"ping\" }\ntype = \"track\"\nevent = \"E\"\nuser_id = \"/id\"\n";
        format!("{head}{map}{field}\n")
    };
    let unsigned = &["source `x`: the signature does not cover header:"];
    expect(&after("sources.toml", &source("github", "message_id = \"header:x-github-delivery\"")), unsigned);
    expect(&after("sources.toml", &source("stripe", "properties = { a = [\"/a\", \"header:a\"] }")), unsigned);
    expect(&after("sources.toml", &source("standard", "message_id = \"header:webhook-id\"")), &[]);
    expect(&after("sources.toml", &source("github", "message_id = \"/id\"")), &[]);
}

#[test]
fn errors_do_not_hide_what_is_certain_whatever_is_meant() {
    let mut bundle = default_bundle();
    let change = |bundle: &mut Bundle, file: &str, text: &str| bundle.files.get_mut(file).unwrap().push_str(text);
    change(&mut bundle, "journeys.toml", "\n[[journey]]\nid = \"x\"\ntrigger = { event = \"Webinar Attend\" }\n");
    change(&mut bundle, "journeys.toml", STEP);
    change(&mut bundle, "segments.toml", &format!("{SEGMENT}when = 'pays && stage == \"trial\" && idle_days > 3'\n"));
    change(&mut bundle, "schedules.toml", "\n[[schedule]]\n");
    let checked = check(&bundle);
    let told: String = checked.warnings.iter().map(|warning| format!("{warning}\n")).collect();
    assert!(checked.config.is_none() && !checked.errors.is_empty());
    expect(&told, &["it holds in no stage", "`Webinar Attended`"]);
    // Positions are unknown if something before them is left out.
    let journeys = bundle.files.get_mut("journeys.toml").unwrap();
    *journeys = journeys.replacen("trigger = { event", "trigger = { evnt", 1);
    let told: String = check(&bundle).warnings.iter().map(|warning| format!("{warning}\n")).collect();
    expect(&told, &["it holds in no stage"]);
}

#[test]
fn where_something_is_wrong_what_depends_on_it_is_not_remarked_on() {
    let mut bundle = default_bundle();
    bundle
        .files
        .get_mut("scoring.toml")
        .unwrap()
        .push_str("\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 500\n");
    let checked = check(&bundle);
    assert!(checked.config.is_none() && checked.warnings.is_empty() && checked.errors.len() == 1);
}

#[test]
fn conditions_that_are_the_same_for_all_are_remarked_on() {
    expect(
        &after("scoring.toml", &format!("{RULE}where = '1 > 2 && properties.a == 1'\n")),
        &["rule `x` can never fire: the condition never holds"],
    );
    expect(
        &after("segments.toml", &format!("{SEGMENT}when = 'pays || true'\n")),
        &["the condition always holds: leave it out"],
    );
    expect(
        &after("scoring.toml", &format!("{SIGNAL}measure = '3 + 4'\n")),
        &["signal `x`: its measure is the same for everyone"],
    );
}

#[test]
fn conditions_that_no_value_can_meet_are_remarked_on() {
    let segment = |when: &str| after("segments.toml", &format!("{SEGMENT}when = '{when}'\n"));
    for (when, wanted) in [
        ("stage == \"trail\"", "nobody is ever in segment `x`: it holds in no stage"),
        ("pays && stage == \"trial\" && idle_days > 3", "it holds in no stage"),
        ("nps > 10", "nps is from 0 to 10"),
        ("pays && nps_class == \"fan\"", "nps_class is one of promoter, passive, detractor, none"),
        ("engagement >= 101 || engagement < 0", "engagement is from 0 to 100"),
        ("account.touch == \"hihg\"", "account.touch is one of high, low, none"),
        ("active_days(7) >= 8", "active_days(7) is 7 at most"),
        ("high_value_used(28) > 3", "features.toml has no more"),
        ("segment(\"long_tail\") && segment(\"active_trials\")", "it holds in no stage"),
        ("segment(\"long_tail\") && segment(\"key_accounts\")", "account.touch is one of"),
    ] {
        expect(&segment(when), &[wanted]);
    }
    for fine in [
        "stage == \"trial\" || traits.a == 1",
        "nps > 10 || traits.a == 1",
        "!has(traits.a) && stage != \"trial\"",
        "!(\"a\" in traits)",
        "nps == 10 && engagement == 100 && active_days(7) == 7",
        "sentiment > 0.93 && sentiment < 0.94",
        "segment(\"long_tail\") && segment(\"declining\")",
    ] {
        expect(&segment(fine), &[]);
    }
}

#[test]
fn rules_that_ask_an_event_for_what_it_cannot_have_are_remarked_on() {
    let rule = |event: &str, filter: &str| {
        after("scoring.toml", &format!("{}where = '{filter}'\n", RULE.replace("\"E\"", &format!("\"{event}\""))))
    };
    expect(
        &rule("$page", "traits.title == \"x\""),
        &["traits come with `identify` and `group` calls only; a `page` call has properties"],
    );
    expect(&rule("E", "traits.title == \"x\""), &["a `track` call has properties"]);
    expect(&rule("$identify", "properties.a == 1"), &["`identify` calls have no properties"]);
    expect(&rule("E", "kind == \"page\""), &["it is false for every event \"E\", a `track` call"]);
    expect(&rule("E", "event == \"F\" && properties.a == 1"), &["it is false for every event \"E\""]);
    expect(&rule("E", "source == \"strype\""), &["source is one of server, web, stripe, "]);
    for (event, filter) in [
        ("$identify", "traits.title == \"x\""),
        ("E", "source == \"stripe\" && properties.a == 1"),
        ("$page", "kind == \"page\""),
    ] {
        expect(&rule(event, filter), &[]);
    }
}

#[test]
fn what_no_file_brings_is_remarked_on() {
    let mut bundle = default_bundle();
    let scoring = bundle.files.get_mut("scoring.toml").unwrap();
    *scoring = scoring.replace("properties = [\"text\", \"comment\", \"answer\", \"body\"]", "");
    let told = remarks(&bundle);
    assert!(told.contains("scoring.toml") && told.contains("no texts are read"), "{told}");
    assert!(told.contains("segments.toml") && told.contains("no texts are read, so there is no sentiment"), "{told}");
}

#[test]
fn a_signal_whose_stages_exclude_its_condition_is_remarked_on() {
    expect(
        &after(
            "scoring.toml",
            &format!("{SIGNAL}measure = 'idle_days'\nwhen = 'pays'\nstages = [\"trial\", \"lead\"]\n"),
        ),
        &["signal `x` can never count: it holds in none of the stages trial, lead"],
    );
    expect(
        &after(
            "scoring.toml",
            &format!("{SIGNAL}measure = 'idle_days'\nwhen = 'pays'\nstages = [\"trial\", \"adopting\"]\n"),
        ),
        &[],
    );
}

#[test]
fn measures_that_never_reach_their_ends_are_remarked_on() {
    let signal = |measure: &str, from: &str, to: &str| {
        let head = SIGNAL.replace("from = 0", &format!("from = {from}")).replace("to = 10", &format!("to = {to}"));
        after("scoring.toml", &format!("{head}measure = '{measure}'\n"))
    };
    expect(
        &signal("active_days(28)", "28", "40"),
        &["signal `x` can never give points: `active_days(28)` never gets beyond from = 28"],
    );
    expect(&signal("active_days(28)", "0", "56"), &["can give 2.5 of its 5 points at most"]);
    expect(&signal("nps", "-2", "-1"), &["always gives all its points"]);
    expect(&signal("active_days(28)", "0", "28"), &[]);
    expect(&signal("idle_days", "0", "4000"), &[]);
}

#[test]
fn points_that_caps_take_or_nothing_limits_are_remarked_on() {
    expect(
        &after("scoring.toml", &format!("{RULE}cap = 4\n")),
        &["rule `x`: one event gives 5 points, and cap lets 4 through"],
    );
    expect(
        &after(
            "scoring.toml",
            &format!("{RULE}category = \"small\"\n[[category]]\nname = \"small\"\nscore = \"churn\"\ncap = 3\n"),
        ),
        &["category `small` lets 3 through"],
    );
    expect(
        &after("scoring.toml", &RULE.replace("half_life_days = 9\n", "")),
        &["rule `x`: its points add up for good; give it a half_life_days or a cap"],
    );
    expect(&after("scoring.toml", &format!("{}cap = 20\n", RULE.replace("half_life_days = 9\n", ""))), &[]);
    expect(&after("scoring.toml", RULE), &[]);
}

#[test]
fn thresholds_that_no_points_can_reach_are_remarked_on() {
    let mut bundle = default_bundle();
    bundle.files.insert(
        "scoring.toml".to_owned(),
        "[base]\nupgrade = 10\n[[category]]\nname = \"c\"\nscore = \"upgrade\"\ncap = 20\n\
         [[rule]]\nid = \"a\"\nscore = \"upgrade\"\nevent = \"A\"\npoints = 15\ncap = 15\ncategory = \"c\"\n\
         [[rule]]\nid = \"b\"\nscore = \"upgrade\"\nevent = \"B\"\npoints = 15\ncap = 15\ncategory = \"c\"\n\
         [[signal]]\nid = \"c\"\nscore = \"upgrade\"\nmeasure = 'idle_days'\nfrom = 0\nto = 5\npoints = 30\nstages = [\"trial\"]\n\
         [[rule]]\nid = \"d\"\nscore = \"upgrade\"\nevent = \"B\"\npoints = -50\ncap = 50\n\
         [[rule]]\nid = \"e\"\nscore = \"purchase\"\nevent = \"B\"\npoints = 5\nhalf_life_days = 9\n"
            .to_owned(),
    );
    bundle
        .files
        .insert("segments.toml".to_owned(), "[[segment]]\nname = \"s\"\nwhen = 'scores.upgrade > 60'\n".to_owned());
    let journey = |above: u8, stages: &str| {
        format!(
            "[[journey]]\nid = \"j\"\ntrigger = {{ score = \"upgrade\", above = {above} }}\nstages = [{stages}]\n{STEP}"
        )
    };
    let told = |above, stages: &str| {
        let mut bundle = bundle.clone();
        bundle.files.insert("journeys.toml".to_owned(), journey(above, stages));
        remarks(&bundle)
    };
    let segment = "segments.toml:3:8: nobody is ever in segment `s`: scores.upgrade can be 60 at most";
    expect(&told(60, "\"trial\""), &[segment]);
    expect(
        &told(61, "\"trial\""),
        &[segment, "journeys.toml:3:40: journey `j` can never start: upgrade in its stages can be 60 at most"],
    );
    expect(&told(31, "\"adopting\""), &[segment, "can be 30 at most"]);
    expect(&told(30, "\"adopting\""), &[segment]);
}

#[test]
fn accounts_that_can_never_be_ready_are_remarked_on() {
    let mut bundle = default_bundle();
    bundle.files.insert(
        "scoring.toml".to_owned(),
        "[nps]\nevent = \"S\"\nproperty = \"a\"\n[sentiment]\nproperties = [\"a\"]\n".to_owned(),
    );
    bundle.files.insert("journeys.toml".to_owned(), String::new());
    bundle.files.insert("segments.toml".to_owned(), String::new());
    expect(&remarks(&bundle), &["no account can ever be ready: nothing in scoring.toml gives points to `purchase`"]);
}

#[test]
fn journeys_that_nobody_can_enter_are_remarked_on() {
    let journey = |rest: &str| after("journeys.toml", &format!("\n[[journey]]\nid = \"x\"\n{rest}{STEP}"));
    expect(
        &journey("trigger = { event = \"E\" }\nstages = [\"trial\"]\nwhen = 'pays'\n"),
        &["journey `x` can never start: it holds in none of the stages trial"],
    );
    expect(
        &journey("trigger = { segment = \"long_tail\", change = \"entered\" }\nstages = [\"trial\"]\n"),
        &["nobody who is in segment `long_tail` fits its stages"],
    );
    expect(&journey("trigger = { segment = \"long_tail\", change = \"left\" }\nstages = [\"trial\"]\n"), &[]);
    expect(
        &journey("trigger = { idle_days = 21 }\nstages = [\"adopting\", \"established\"]\n"),
        &["after 21 idle days who pays is at_risk"],
    );
    expect(&journey("trigger = { idle_days = 21 }\nstages = [\"adopting\", \"at_risk\"]\n"), &[]);
    expect(
        &journey("trigger = { idle_days = 14 }\nstages = [\"at_risk\"]\n"),
        &["nobody is at_risk after 14 idle days, but only after 21"],
    );
    expect(&journey("trigger = { idle_days = 20 }\nstages = [\"at_risk\"]\n"), &[]);
}

#[test]
fn names_of_events_that_are_written_in_two_ways_are_remarked_on() {
    let rule = |event: &str| after("scoring.toml", &RULE.replace("\"E\"", &format!("\"{event}\"")));
    expect(
        &rule("Pricing page viewed"),
        &[
            "`Pricing page viewed` differs only in spaces, signs or capitals from `Pricing Page Viewed`, which is what is sent",
        ],
    );
    expect(&rule("payment_failed"), &["from `Payment Failed`, which is what is sent: did you mean that?"]);
    expect(&rule("$pages"), &["no event is called `$pages`; did you mean `$page`?"]);
    expect(&rule("Something New"), &[]);
    expect(
        &after("segments.toml", &format!("{SEGMENT}when = 'count(\"FeatureUsed\") > 3'\n")),
        &["`FeatureUsed` differs only in spaces, signs or capitals from `Feature Used`"],
    );
}

#[test]
fn names_of_events_that_nothing_sends_and_nearly_match_a_known_one_are_remarked_on() {
    let journey = |event: &str| {
        after("journeys.toml", &format!("\n[[journey]]\nid = \"x\"\ntrigger = {{ event = \"{event}\" }}\n{STEP}"))
    };
    expect(&journey("Trial Startd"), &["nothing else is called `Trial Startd`, and `Trial Started` is"]);
    expect(&journey("Email Clickd"), &["`Email Clicked` is what is sent: did you mean that?"]);
    expect(
        &after("segments.toml", &format!("{SEGMENT}when = 'count(\"Feature Usde\", 7) > 3'\n")),
        &["nothing else is called `Feature Usde`, and `Feature Used` is"],
    );
    expect(
        &after("segments.toml", &format!("{SEGMENT}when = 'days_since(\"Pricing Pages Viewed\") > 3'\n")),
        &["`Pricing Page Viewed`"],
    );
    for fine in ["Signed Up Again", "Report Exported", "Trial Ended"] {
        expect(&journey(fine), &[]);
    }
}

#[test]
fn names_of_events_in_another_form_or_order_are_remarked_on_wherever_they_stand() {
    let rule = |event: &str| after("scoring.toml", &RULE.replace("\"E\"", &format!("\"{event}\"")));
    for (wrong, right) in [
        ("Content View", "`Content Viewed` is what is sent: did you mean that? See sources.toml:"),
        ("Content Views", "`Content Viewed`"),
        ("Demo Request", "`Demo Requested` is written 4 times elsewhere: did you mean that? See scoring.toml:"),
        ("Requested Demo", "`Demo Requested`"),
        ("Webinar Attend", "`Webinar Attended`"),
        ("Campain Clicked", "`Campaign Clicked`"),
        ("CampaignClick", "`Campaign Clicked`"),
        ("Email Open", "`Email Opened` is what is sent: did you mean that? See the mail service's reports"),
    ] {
        expect(&rule(wrong), &[right]);
    }
    let tally = "\n[[tally]]\nname = \"x\"\nevents = [\"Sign Up\"]\n";
    expect(&after("scoring.toml", tally), &["`Signed Up` is what is sent"]);
    let journey = |with: &str, step: &str| {
        let text = format!("\n[[journey]]\nid = \"x\"\ntrigger = {{ event = \"E\" }}\n{with}step = [{step}]\n");
        after("journeys.toml", &text)
    };
    let mail = "{ channel = \"mail\", template = \"welcome\" }";
    expect(&journey("goal = { event = \"Refer Sent\", within_days = 9 }\n", mail), &["`Referral Sent`"]);
    let wait = "{ wait = { event = \"Sign In\", days = 2, timeout = \"end\" } }, ";
    expect(&journey("", &format!("{wait}{mail}")), &["`Signed In`"]);
    let condition = "count_hours(\"Negative Mentions\", 24) > 3";
    expect(
        &after("segments.toml", &format!("{SEGMENT}when = '{condition}'\n")),
        &["`Negative Mention` is what is sent"],
    );
    expect(
        &after("scoring.toml", &format!("{RULE}where = 'event == \"Survey Answred\"'\n")),
        &[
            "it is false for every event \"E\", a `track` call; nothing else is called `Survey Answred`, and `Survey Answered` is what is sent",
        ],
    );
    let mut bundle = default_bundle();
    let scoring = bundle.files.get_mut("scoring.toml").unwrap();
    *scoring = scoring.replacen("event = \"Survey Answered\"", "event = \"Survey Answer\"", 1);
    let told = remarks(&bundle);
    assert!(told.lines().any(|line| line.contains("`Survey Answer`, and `Survey Answered` is")), "{told}");
    for fine in ["Trial Ended", "Trial Ending", "Seat Unassigned", "Webinar Cancelled", "Signed Out", "Plan Downgraded"]
    {
        expect(&rule(fine), &[]);
    }
}

#[test]
fn a_milestone_with_a_typing_error_is_told_at_its_own_place() {
    let mut bundle = default_bundle();
    let lifecycle = bundle.files.get_mut("lifecycle.toml").unwrap();
    *lifecycle = lifecycle.replace("trial = [\"Trial Started\"", "trial = [\"Trial Start\"");
    let checked = check(&bundle);
    let errors: Vec<String> = checked.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("lifecycle.toml:") && errors[0].contains("`Trial Started`"), "{errors:?}");
}

#[test]
fn texts_that_a_name_never_has_are_remarked_on_wherever_a_condition_asks() {
    let segment = |when: &str| after("segments.toml", &format!("{SEGMENT}when = '{when}'\n"));
    expect(
        &segment("stage == \"trail\" || traits.a == 1"),
        &["`trail` is not a stage; did you mean `trial`? Known: visitor"],
    );
    expect(&segment("stage != \"churnd\" && traits.a == 1"), &["`churnd` is not a stage; did you mean `churned`?"]);
    expect(&segment("stage in [\"trial\", \"leed\"]"), &["`leed` is not a stage; did you mean `lead`?"]);
    expect(
        &segment("stage == \"customer\""),
        &["it holds in no stage; correct the condition or what it contradicts; `customer` is not a stage"],
    );
    expect(&segment("account.stage == \"establishd\" || traits.a == 1"), &["did you mean `established`?"]);
    expect(&segment("account.touch != \"medium\" && traits.a == 1"), &["`medium` is not a touch model. Known: high"]);
    expect(&segment("nps_class in [\"promotor\"] || traits.a == 1"), &["did you mean `promoter`?"]);
    expect(&segment("stage in [\"trial\", \"lead\"] && traits.stage == \"trail\""), &[]);
    let branch = |when: &str| {
        after(
            "journeys.toml",
            &format!(
                "\n[[journey]]\nid = \"x\"\ntrigger = {{ event = \"E\" }}\nstep = [{{ branch = {{ when = '{when}', go_to = \"end\" }} }}, {{ channel = \"mail\", template = \"welcome\" }}]\n"
            ),
        )
    };
    expect(&branch("stage == \"wonback\" || traits.a == 1"), &["did you mean `won_back`?"]);
    expect(
        &after("scoring.toml", &format!("{RULE}where = 'source == \"strip\" || properties.a == 1'\n")),
        &["`strip` is not a source of sources.toml; did you mean `stripe`?"],
    );
}

#[test]
fn steps_that_nobody_comes_to_are_remarked_on() {
    let journey = |steps: &str| {
        after("journeys.toml", &format!("\n[[journey]]\nid = \"x\"\ntrigger = {{ event = \"E\" }}\nstep = [{steps}]\n"))
    };
    let mail = |rest: &str| format!("{{ channel = \"mail\", template = \"welcome\"{rest} }}");
    let two = format!("{}, {}", mail(", then = \"end\""), mail(", id = \"second\""));
    expect(&journey(&two), &["journey `x`: nobody ever comes to step `second`"]);
    let split = format!(
        "{{ split = {{ a = 50, c = 50 }} }}, {}, {}, {}",
        mail(", id = \"a\", then = \"end\""),
        mail(", id = \"b\""),
        mail(", id = \"c\"")
    );
    expect(&journey(&split), &["nobody ever comes to step `b`"]);
    let waits = format!(
        "{{ wait = {{ event = \"F\", days = 1, timeout = \"late\" }} }}, {}, {}",
        mail(", then = \"end\""),
        mail(", id = \"late\"")
    );
    expect(&journey(&waits), &[]);
    let skipped = format!("{}, {}, {}", mail(", then = \"3\""), mail(""), mail(""));
    expect(&journey(&skipped), &["nobody ever comes to step `2`"]);
}

#[test]
fn branches_that_go_one_way_only_are_remarked_on() {
    let journey = |when: &str, go_to: &str| {
        after(
            "journeys.toml",
            &format!(
                "\n[[journey]]\nid = \"x\"\ntrigger = {{ event = \"E\" }}\nstages = [\"lead\", \"adopting\"]\nstep = [{{ branch = {{ when = '{when}', go_to = \"{go_to}\" }} }}, \
                 {{ channel = \"mail\", template = \"welcome\", then = \"end\" }}, {{ id = \"b\", channel = \"mail\", template = \"welcome\" }}]\n"
            ),
        )
    };
    expect(
        &journey("true", "b"),
        &["nobody ever comes to step `2`: the condition of the branch at step `1` always holds"],
    );
    expect(
        &journey("false", "b"),
        &["nobody ever comes to step `b`: the condition of the branch at step `1` never holds"],
    );
    expect(
        &journey("stage == \"trial\"", "b"),
        &[
            "nobody ever comes to step `b`: the condition of the branch at step `1` never holds (it holds in none of the stages lead, adopting)",
        ],
    );
    expect(&journey("stage == \"adopting\"", "b"), &[]);
    expect(&journey("pays || traits.a == 1", "b"), &[]);
}

#[test]
fn advertisements_in_mails_that_nobody_can_stop_are_remarked_on() {
    let mut bundle = default_bundle();
    let template = bundle.files.get_mut("templates/payment_failed.toml").unwrap();
    *template = template.replace("To change the card", "Renew for two years at a discount. To change the card");
    expect(
        &remarks(&bundle),
        &["template `payment_failed` speaks of \"discount\", and its topic `billing` is essential"],
    );

    let mut bundle = default_bundle();
    let template = bundle.files.get_mut("templates/renewal_sponsor.toml").unwrap();
    *template = template.replace("topic = \"offers\"", "topic = \"billing\"");
    expect(&remarks(&bundle), &["speaks of \"lowers the price\", and its topic `billing` is essential"]);

    let journey = "\n[[journey]]\nid = \"x\"\nessential = true\ntrigger = { event = \"E\" }\nstep = [{ channel = \"mail\", template = \"add_on_alerts\" }]\n";
    expect(&after("journeys.toml", journey), &["journey `x` is essential, so that no limit holds for its mails"]);
    let topic = "\n[[topic]]\nid = \"x\"\ntitle = \"Offers\"\nessential = true\n";
    expect(&after("channels.toml", topic), &["topic `x` is essential and promises \"offers\""]);
}
