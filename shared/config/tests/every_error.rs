//! One check of the configuration reports every error in it, each at its position.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{default_bundle, errors_of};

/// The whole list, as it is printed.
fn list(errors: &[&str]) -> String {
    errors.join("\n")
}

#[test]
fn every_error_of_every_file_is_told_at_once() {
    let mut bundle = default_bundle();
    let mut put = |file: &str, text: &str| bundle.files.insert(file.to_owned(), text.to_owned());
    put(
        "segments.toml",
        r#"
[[segment]]
name = "long tail"
when = 'stage == "trial" && idle_dayz > 3'
retention_target = 120
descripton = "a typing error"

[[segment]]
name = "second"
when = 'segment("third")'

[[segment]]
owner = "nobody"
when = 5
"#,
    );
    put(
        "features.toml",
        r#"
[[feature]]
name = "alerts"
event = "Feature Used"
where = 'properties.feature == "alerts" &&'
high_value = "yes"
released = "1 August"

[[feature]]
name = "forecast"
event = "Feature Used"
[[feature]]
name = "cohorts"
event = "Feature Used"
[[feature]]
name = "dashboards"
event = "Feature Used"

[[education]]
name = "webinar"
event = ""
where = "properties.webinar =="

[[education]]
name = "webinar"
event = "Course Completed"
"#,
    );
    put(
        "lifecycle.toml",
        r#"
[milestones]
trail = ["Trial Started"]
customer = ["Subscription Started", 7, ""]
trial = ["Trial Started"]

[customer]
onboarding_days = -1
at_risk_after_idle_days = 0
"#,
    );
    put(
        "schedules.toml",
        "[[schedule]]\nid = \"sweep\"\nfunction = \"swep\"\nexpression = \"hourly\"\ntime_zone = \"Mars\"\n",
    );
    put("personas.toml", "trait = \"role\"\n[persona]\nname = \"buyer\"\n");
    let told = errors_of(&bundle);
    let wanted = list(&[
        "features.toml:5:43: a value is missing after `&&`",
        "features.toml:6:14: `high_value` takes true or false, and this is a text",
        r#"features.toml:7:12: feature `alerts`: released has to be a day such as "2026-03-01""#,
        "features.toml:21:9: ",
        "features.toml:22:",
        "features.toml:25:8: ",
        "lifecycle.toml:3:1: `trail` is not allowed; did you mean `trial`? Allowed: lead, trial, freemium, customer, churned",
        "lifecycle.toml:4:37: `customer` takes a text, and this is a whole number",
        r#"lifecycle.toml:4:40: an event's name is empty; page calls are "$page""#,
        "lifecycle.toml:7:1: `adopting_days` is missing",
        "lifecycle.toml:8:19: `onboarding_days` takes a whole number from 0 to 65535, and -1 is outside of that",
        "lifecycle.toml:9:27: customer.at_risk_after_idle_days must be at least 1",
        "personas.toml:2:1: `persona` takes a list, and this is a table",
        "schedules.toml:3:12: schedule `sweep`: `swep` is no function with a schedule; did you mean `sweep`? Known: report, sweep",
        "schedules.toml:4:14: schedule `sweep`: expression must be rate(…), cron(…) or at(…)",
        "schedules.toml:5:13: schedule `sweep`: `Mars` is no IANA time zone, such as Europe/Berlin",
        "segments.toml:3:8: `long tail`: the name of a segment may contain only letters (a to z), digits, _ and -",
        "segments.toml:4:29: `idle_dayz` is no known name; did you mean `idle_days`?",
        "segments.toml:5:20: segment `long tail`: retention_target is a percentage, 0 to 100",
        "segments.toml:6:1: `descripton` is no field here; did you mean `description`? Allowed: name, when, owner, phone, retention_target, description",
        "segments.toml:10:17: `third` is no segment that stands before this. Known: long tail",
        "segments.toml:12:1: `name` is missing",
        "segments.toml:14:8: `when` takes a text, and this is a whole number",
    ]);
    for line in wanted.lines() {
        assert!(told.lines().any(|told| told.starts_with(line)), "wanted\n{line}\nfound\n{told}");
    }
}

#[test]
fn a_broken_line_hides_nothing_else_of_its_file() {
    let mut bundle = default_bundle();
    let text = "[[schedule]]\nid = \"a\nfunction = \"swep\"\nexpression = \"rate(1 hour)\"\n\n[[schedule]]\nid = \"b\"\nfunction = \"sweep\"\nexpression = \"hourly\"\n";
    bundle.files.insert("schedules.toml".to_owned(), text.to_owned());
    let told = errors_of(&bundle);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].starts_with("schedules.toml:2:"), "{told}");
    assert!(lines[1].contains("did you mean `sweep`?") && lines[1].starts_with("schedules.toml:3:12: "), "{told}");
    assert!(lines[2].starts_with("schedules.toml:9:14: "), "{told}");
}

#[test]
fn a_typing_error_in_a_field_that_is_needed_is_told_once() {
    let mut bundle = default_bundle();
    let text = "[[schedule]]\nid = \"sweep\"\nfunction = \"sweep\"\nexpresion = \"rate(1 hour)\"\n";
    bundle.files.insert("schedules.toml".to_owned(), text.to_owned());
    assert_eq!(
        errors_of(&bundle),
        "schedules.toml:4:1: `expresion` is no field here; did you mean `expression`? Allowed: id, function, expression, time_zone"
    );
}

#[test]
fn the_names_of_what_is_wrong_stay_known_to_others() {
    let mut bundle = default_bundle();
    let segments = bundle.files.get_mut("segments.toml").unwrap();
    *segments = segments.replace("scores.churn >= 60", "scores.churm >= 60");
    let journeys = bundle.files.get_mut("journeys.toml").unwrap();
    journeys.push_str("[[journey]]\nid = \"x\"\ntrigger = { segment = \"at_risk\", change = \"entered\" }\nwhen = 'segment(\"at_risk\")'\nstep = [{ channel = \"mail\", template = \"welcome\" }]\n");
    let told = errors_of(&bundle);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("`churm` is no score; did you mean `churn`?"), "{told}");
}

#[test]
fn a_file_without_anything_is_told_by_what_it_needs() {
    let mut bundle = default_bundle();
    bundle.files.insert("channels.toml".to_owned(), String::new());
    let told = errors_of(&bundle);
    assert!(told.contains("channels.toml: `max_event_age_hours` is missing"), "{told}");
    assert!(told.contains("channels.toml: `mail` is missing"), "{told}");
}

#[test]
fn cron_is_read_as_eventbridge_scheduler_reads_it() {
    let errors = |expression: &str| {
        let mut bundle = default_bundle();
        let text = format!("[[schedule]]\nid = \"sweep\"\nfunction = \"sweep\"\nexpression = \"{expression}\"\n");
        bundle.files.insert("schedules.toml".to_owned(), text);
        perennial_config::Config::load(&bundle).map(drop).map_err(|errors| errors.to_string())
    };
    for right in
        ["cron(0 6 * * ? *)", "cron(0/15 8-17 ? * MON-FRI *)", "cron(0 9 ? * 3#2 2026-2030)", "cron(0 9 LW * ? *)"]
    {
        assert_eq!(errors(right), Ok(()), "{right}");
    }
    let told = errors("cron(0 6 * * * *)").unwrap_err();
    assert!(
        told.starts_with("schedules.toml:4:14: schedule `sweep`: day-of-month is `*` and day-of-week is `*`"),
        "{told}"
    );
    let told = errors("cron(0 6 * * *)").unwrap_err();
    assert!(told.contains("did you mean cron(0 6 * * ? *)?"), "{told}");
    assert!(errors("cron(x y z a b c)").is_err() && errors("cron(61 6 * * ? *)").is_err());
}

#[test]
fn unknown_fields_name_the_one_that_was_meant_however_it_is_written() {
    let told = |field: &str| {
        let mut bundle = default_bundle();
        let text = bundle.files.get_mut("scoring.toml").unwrap();
        text.push_str(&format!("\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\n{field} = 9\n"));
        errors_of(&bundle)
    };
    for field in ["halflife_days", "half-life-days", "halfLifeDays", "half_life", "half_live_days", "Half_Life_Days"] {
        let told = told(field);
        assert!(told.contains("did you mean `half_life_days`?"), "{field}: {told}");
    }
    let mut bundle = default_bundle();
    bundle.files.insert("segment.toml".to_owned(), String::new());
    let told = errors_of(&bundle);
    assert!(told.contains("segment.toml: no config file has this name; did you mean segments.toml?"), "{told}");
}

#[test]
fn whatever_is_used_twice_is_told_with_the_line_of_its_first_use() {
    let told = |file: &str, text: &str| {
        let mut bundle = default_bundle();
        bundle.files.get_mut(file).unwrap().push_str(text);
        errors_of(&bundle)
    };
    let step = "step = [{ channel = \"mail\", template = \"welcome\" }]\n";
    let journey = format!("\n[[journey]]\nid = \"twice\"\ntrigger = {{ event = \"E\" }}\n{step}");
    let lines = default_bundle().files["journeys.toml"].lines().count();
    let twice = told("journeys.toml", &format!("{journey}{journey}"));
    assert!(twice.contains(&format!("duplicate id `twice`, first used at line {}", lines + 3)), "{twice}");
    for (file, text) in [
        ("sources.toml", "\n[[source]]\nid = \"web\"\nwrite_key_hashes = []\n"),
        ("segments.toml", "\n[[segment]]\nname = \"long_tail\"\nwhen = 'pays'\n"),
        ("channels.toml", "\n[[topic]]\nid = \"tips\"\ntitle = \"T\"\n"),
        ("schedules.toml", "\n[[schedule]]\nid = \"sweep\"\nfunction = \"sweep\"\nexpression = \"rate(1 hour)\"\n"),
    ] {
        let told = told(file, text);
        assert!(told.contains("duplicate ") && told.contains(", first used at line "), "{file}: {told}");
    }
    let key = told("schedules.toml", "id = \"again\"\n");
    // The added key belongs to the last schedule of the file.
    let bundle = default_bundle();
    let lines: Vec<&str> = bundle.files["schedules.toml"].lines().collect();
    let first = lines.iter().rposition(|line| line.starts_with("id = ")).unwrap() + 1;
    assert!(key.contains(&format!("duplicate field `id`, first used at line {first}")), "{key}");
}

#[test]
fn files_of_windows_are_read_with_the_same_places() {
    let mut bundle = default_bundle();
    for text in bundle.files.values_mut() {
        *text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    }
    let bundle = bundle.normalised();
    assert_eq!(bundle, default_bundle());
    let mut bundle = default_bundle();
    let text = "\u{feff}[[schedule]]\r\nid = \"sweep\"\r\nfunction = \"swep\"\r\nexpression = \"rate(1 hour)\"\r\n";
    bundle.files.insert("schedules.toml".to_owned(), text.to_owned());
    assert!(errors_of(&bundle).starts_with("schedules.toml:3:12: "), "{}", errors_of(&bundle));
}

#[test]
fn a_name_that_only_the_other_kind_of_condition_knows_is_told_as_such() {
    let mut bundle = default_bundle();
    let add = |text: &mut String, more: &str| text.push_str(more);
    add(
        bundle.files.get_mut("segments.toml").unwrap(),
        "\n[[segment]]\nname = \"x\"\nwhen = 'properties.plan == \"pro\"'\n",
    );
    add(
        bundle.files.get_mut("scoring.toml").unwrap(),
        "\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\ncap = 9\nwhere = 'idle_days > 3'\n",
    );
    let errors = errors_of(&bundle);
    assert!(errors.contains("`properties` is for conditions on events, such as `where`"), "{errors}");
    assert!(errors.contains("`idle_days` is for conditions on a person, such as `when`"), "{errors}");
}

#[test]
fn a_theme_needs_words_with_letters() {
    let mut bundle = default_bundle();
    let scoring = bundle.files.get_mut("scoring.toml").unwrap();
    scoring
        .push_str("[[theme]]\nname = \"empty\"\nwords = []\n[[theme]]\nname = \"blank\"\nwords = [\"price\", \" \"]\n");
    let errors = errors_of(&bundle);
    assert!(errors.contains("theme `empty` needs 1 to 100 words, and not 0"), "{errors}");
    assert!(errors.contains("theme `blank`: a word may not be empty; every answer would have it"), "{errors}");
}
