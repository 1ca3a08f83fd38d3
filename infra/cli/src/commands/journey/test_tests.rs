use super::*;
use crate::commands::Cli;
use clap::Parser as _;
use perennial_testkit::ConfigBuilder;

const JOURNEYS: &str = r#"
    [[journey]]
    id = "rescue"
    trigger = { event = "Trial Started", where = 'properties.plan == "pro"' }
    stages = ["trial"]
    goal = { event = "Report Shared" }
    [[journey.step]]
    wait = { days = 2 }
    [[journey.step]]
    branch = { when = 'count("Login") >= 3', go_to = "end" }
    [[journey.step]]
    channel = "mail"
    template = "help"
    [[journey.step]]
    event = "Help Offered"
    [[journey.step]]
    id = "which"
    split = { note = 50, call = 50 }
    [[journey.step]]
    id = "note"
    channel = "in_app"
    template = "note"
    then = "later"
    [[journey.step]]
    id = "call"
    channel = "webhook"
    endpoint = "tasks"
    template = "note"
    [[journey.step]]
    id = "later"
    wait = { event = "Login", days = 7, timeout = "again" }
    [[journey.step]]
    id = "again"
    channel = "mail"
    template = "help"
    [[journey]]
    id = "listener"
    trigger = { event = "Help Offered" }
    step = [{ channel = "in_app", template = "note" }]
"#;

const LIMITS: &str = r#"
    [quiet_hours]
    from = "20:00"
    to = "08:00"
    [[cap]]
    messages = 1
    within_days = 14
    channels = ["mail"]
"#;

const HELP: &str = r#"
subject = "Is something in the way, {{ person.first_name }}?"
text = """
Hello {{ person.first_name }},

Your trial runs on, and we have not seen you for some days. The most common reason is the first import, so here is
the way around it: start from sample data, and connect your own systems later.

https://app.perennial.example/start/sample-data
"""
"#;

fn config() -> Config {
    ConfigBuilder::least()
        .with(&[
            ("journeys.toml", JOURNEYS),
            ("limits.toml", LIMITS),
            ("lifecycle.toml", "trial = [\"Trial Started\"]\nlead = [\"Signed Up\"]\n"),
            ("channels.toml", "[webhook.tasks]\nurl = \"https://hooks.customer.example/t\"\nsecret_env = \"S\"\n"),
            ("templates/help.toml", HELP),
            ("templates/note.toml", "subject = \"A first report\"\ntext = \"Three steps.\"\nlink = \"/reports/new\""),
        ])
        .load()
}

fn args(more: &[&str]) -> Args {
    let line = ["perennial", "journey", "test", "rescue", "--from", "2026-03-02T09:00", "--days", "14"];
    let cli = Cli::try_parse_from(line.iter().chain(more)).unwrap_or_else(|error| panic!("{error}"));
    let crate::commands::Command::Journey(journey) = cli.command else { panic!("a journey") };
    let crate::commands::journey::Command::Test(args) = journey.command else { panic!("a test") };
    *args
}

async fn played(more: &[&str]) -> Answer {
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    play_alone(&config(), "rescue", &args(more).request(), now).await.unwrap()
}

#[tokio::test]
async fn a_journey_is_a_time_line_with_its_mails_and_the_limits_that_hold() {
    let sample =
        ["--trait", "first_name=Ada", "--trait", "timezone=Asia/Kolkata", "--properties", r#"{"plan": "pro"}"#];
    let answer = played(&[&sample[..], &["--event", "Login={\"by\": \"mail\"}", "--at", "2d 15h"]].concat()).await;
    let text = shown(&answer, false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn without_a_time_zone_times_are_utc_and_others_can_be_shown() {
    let sample = ["--trait", "first_name=Ada", "--sample", "b", "--properties", r#"{"plan": "pro"}"#, "--days", "3"];
    insta::assert_snapshot!(shown(&played(&sample[..6]).await, true));
}

#[tokio::test]
async fn who_is_kept_out_is_told_why_and_what_would_let_them_in() {
    insta::assert_snapshot!(shown(&played(&["--stage", "lead"]).await, false));
}

#[tokio::test]
async fn every_mail_is_written_as_html() {
    let folder = tempfile::tempdir().unwrap();
    let answer = played(&["--properties", r#"{"plan": "pro"}"#]).await;
    let written = write_html(&answer, &folder.path().join("mail.html")).unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["mail-1.html", "mail-2.html"]);
    assert!(std::fs::read_to_string(&written[0]).unwrap().contains("sample-data"));
}

#[test]
fn what_cannot_be_asked_for_is_refused_by_the_command_line() {
    let parse = |more: &[&str]| {
        let line = ["perennial", "journey", "test", "rescue"];
        Cli::try_parse_from(line.iter().chain(more)).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(parse(&["--event", "Login", "--at", "3d"]), Ok(()));
    for (wrong, message) in [
        (["--stage", "customer"].as_slice(), "the stages are visitor, lead"),
        (&["--trait", "plan"], "a trait is NAME=VALUE"),
        (&["--properties", "[1]"], "no JSON object"),
        (&["--event", "Login={1}"], "no JSON object"),
        (&["--days", "0"], "1..=366"),
        (&["--person", "ada", "--stage", "trial"], "cannot be used with"),
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(error.contains(message), "{wrong:?}: {error}");
    }
}

/// Returns the result and output of `journey test` with this template of the first mail.
async fn with_help(help: &str, more: &[&str]) -> (Answer, String) {
    let config = ConfigBuilder::least()
        .with(&[
            ("journeys.toml", JOURNEYS),
            ("lifecycle.toml", "trial = [\"Trial Started\"]\nlead = [\"Signed Up\"]\n"),
            ("channels.toml", "[webhook.tasks]\nurl = \"https://hooks.customer.example/t\"\nsecret_env = \"S\"\n"),
            ("templates/help.toml", help),
            ("templates/note.toml", "subject = \"A first report\"\ntext = \"Three steps.\"\n"),
        ])
        .load();
    let asked = [&["--properties", r#"{"plan": "pro"}"#], more].concat();
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    let answer = play_alone(&config, "rescue", &args(&asked).request(), now).await.unwrap();
    let text = shown(&answer, false);
    (answer, text)
}

#[tokio::test]
async fn message_that_would_fail_fails_the_test() {
    let broken = "subject = \"s\"\ntext = \"{{ person.first_name|nothing }}\"\n";
    let (answer, text) = with_help(broken, &[]).await;
    assert!(answer.failing().count() >= 1 && text.contains("FAILS: ") && text.contains("error: "), "{text}");
    assert_eq!(exit_code(&answer), ExitCode::FAILURE);
    let (answer, text) = with_help("subject = \"s\"\ntext = \"t\"\n", &[]).await;
    assert!(answer.failing().count() == 0 && !text.contains("error: "), "{text}");
    assert_eq!(exit_code(&answer), ExitCode::SUCCESS);
}

#[tokio::test]
async fn mail_that_has_no_address_to_go_to_fails_the_test() {
    let help = "subject = \"s\"\ntext = \"t\"\n";
    for (address, why) in [
        ("email=", "no mail address is known"),
        ("email= ", "no mail address is known"),
        ("email=nonsense", "the mail address cannot be written to"),
    ] {
        let (answer, text) = with_help(help, &["--trait", address]).await;
        assert!(text.contains("FAILS: ") && text.replace(['\n', '│'], " ").contains(why), "{address}: {text}");
        assert_eq!(exit_code(&answer), ExitCode::FAILURE, "{address}");
    }
}

#[tokio::test]
async fn variables_that_come_out_empty_are_warned_of() {
    let help = "subject = \"Hi {{ person.first_name }}\"\ntext = \"{{ person.plan|default('none') }} {% if person.city %}{{ person.city }}{% endif %}\"\n";
    let (answer, text) = with_help(help, &[]).await;
    let message = answer.steps.iter().find_map(|step| step.message.as_ref()).unwrap();
    assert_eq!(message.empty, ["person.first_name"], "a default and what is left out are fine");
    assert!(text.contains("warning: `person.first_name` comes out empty"), "{text}");
    assert_eq!(exit_code(&answer), ExitCode::SUCCESS);
    let (answer, text) = with_help(help, &["--trait", "first_name=Ada"]).await;
    assert!(!text.contains("warning:"), "{text}");
    assert_eq!(answer.steps.iter().filter_map(|step| step.message.as_ref()).map(|m| m.empty.len()).sum::<usize>(), 0);
}
