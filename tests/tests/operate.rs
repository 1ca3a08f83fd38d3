//! The operator's commands, run as an operator runs them, against a system on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::process::Process;
use crate::support::{Client, stack, stack_with};
use perennial_local::stack::Stack;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tokio::process::Command;

const NOW: &str = "2026-03-02T12:00:00Z";

/// A command's output, and whether it succeeded.
struct Said {
    ok: bool,
    out: String,
    error: String,
}

/// Runs `perennial ARGUMENTS` against the stack.
async fn perennial(stack: &Stack, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    command.args(arguments).args(["--url", stack.base_url()]).env_remove("PERENNIAL_STACK").env("NO_COLOR", "1");
    let output = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { ok: output.status.success(), out: text(output.stdout), error: text(output.stderr) }
}

/// The same, where it has to succeed.
async fn done(stack: &Stack, arguments: &[&str]) -> String {
    let said = perennial(stack, arguments).await;
    assert!(said.ok, "{arguments:?}: {}{}", said.out, said.error);
    said.out
}

fn event(id: &str, user: &str) -> String {
    json!({ "messageId": id, "type": "track", "event": "Login", "userId": user, "timestamp": "2026-03-02T11:00:00Z" })
        .to_string()
}

/// Writes the default config into a folder.
fn write_config(folder: &Path) {
    for (name, text) in perennial_local::bundle::embedded().files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_is_pushed_with_what_it_changes_and_rolled_back() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    write_config(folder.path());
    let in_force = async || client.status().await["in_force"].clone();
    let first = in_force().await["version"].as_str().unwrap().to_owned();
    let same = done(&stack, &["config", "push", dir]).await;
    assert!(same.contains(&format!("Version {first} is active, and is the same.")), "{same}");

    let limits = folder.path().join("limits.toml");
    fs::write(&limits, fs::read_to_string(&limits).unwrap() + "# one line more\n").unwrap();
    let dry = done(&stack, &["config", "push", dir, "--dry-run"]).await;
    assert!(dry.contains("limits.toml") && dry.contains("+1") && dry.contains("Nothing was pushed."), "{dry}");
    assert_eq!(in_force().await["version"], first.as_str());
    let pushed = done(&stack, &["config", "push", dir]).await;
    let second = in_force().await["version"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(pushed.contains(&format!("Version {second} is active")), "{pushed}");

    fs::write(&limits, "nonsense = [").unwrap();
    let refused = perennial(&stack, &["config", "push", dir]).await;
    assert!(!refused.ok && refused.out.contains("limits.toml:1"), "{}", refused.out);
    assert_eq!(in_force().await["version"], second.as_str());

    done(&stack, &["config", "rollback"]).await;
    assert_eq!(in_force().await["version"], first.as_str());
    assert_eq!(in_force().await["rolled_back"], true);
    let versions = done(&stack, &["config", "versions"]).await;
    assert!(
        versions.contains(&first) && versions.contains(&second) && versions.contains("by a rollback"),
        "{versions}"
    );
    let shown = done(&stack, &["config", "show", "limits.toml", "--of", &second]).await;
    assert!(shown.ends_with("# one line more\n"), "{shown}");
    let unknown = perennial(&stack, &["config", "rollback", "nothing"]).await;
    assert!(!unknown.ok && unknown.error.contains("no config version nothing"), "{}", unknown.error);
    stack.stop().await;
}

/// Advances days, four hours at a time, and processes due profiles.
async fn days(stack: &Stack, time: &perennial_lambda_kit::SimulatedTime, days: i64) {
    for _ in 0..days * 6 {
        time.set(time.now() + jiff::SignedDuration::from_hours(4));
        stack.wait_idle().await.unwrap();
        stack.fire_schedules().await;
        stack.wait_idle().await.unwrap();
    }
}

/// Returns the number of profiles with a message of the journey.
async fn reached(client: &Client, people: usize, journey: &str) -> usize {
    let mut reached = 0;
    for n in 0..people {
        let profile = client.get(&format!("/api/profiles/u{n}")).await.1;
        let messages = profile["messages"].as_array().unwrap();
        reached += usize::from(messages.iter().any(|message| message["journey"] == journey));
    }
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_journey_reaches_quiet_profiles_once_and_spread_over_two_weeks() {
    const PEOPLE: usize = 20;
    let (stack, time) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    write_config(folder.path());
    client.batch(&(0..PEOPLE).map(|n| event(&format!("m-{n}"), &format!("u{n}"))).collect::<Vec<_>>()).await;
    stack.wait_idle().await.unwrap();
    days(&stack, &time, 20).await;

    let journeys = folder.path().join("journeys.toml");
    let new = "\n[[journey]]\nid = \"we_wonder\"\ntrigger = { idle_days = 10 }\n[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"first_steps\"\n";
    fs::write(&journeys, fs::read_to_string(&journeys).unwrap() + new).unwrap();
    let segments = folder.path().join("segments.toml");
    let new = "\n[[segment]]\nname = \"gone_quiet\"\nwhen = 'active_days(10) == 0'\n";
    fs::write(&segments, fs::read_to_string(&segments).unwrap() + new).unwrap();
    let dry = done(&stack, &["config", "push", dir, "--dry-run"]).await;
    let dry: Vec<String> = dry.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(dry.contains(&format!("we_wonder {PEOPLE} would start within 14 days")), "{dry:?}");
    let in_force = async || client.status().await["in_force"]["version"].clone();
    let before = in_force().await;
    let refused = perennial(&stack, &["config", "push", dir]).await;
    assert!(
        !refused.ok && refused.error.contains("20 starts of we_wonder") && refused.error.contains("--yes"),
        "{}",
        refused.error
    );
    assert_eq!(in_force().await, before, "nobody was there to be asked");
    let pushed = done(&stack, &["config", "push", dir, "--yes"]).await;
    assert!(pushed.contains("in these segments yet: gone_quiet. Run `perennial reach`"), "{pushed}");
    assert!(pushed.contains("we_wonder. Run `perennial reach`") && !pushed.contains("`perennial rescore`"), "{pushed}");
    let outcome = async |arguments: &[&str]| {
        let text = done(&stack, &[&["reach", "--json"], arguments].concat()).await;
        let outcome: Value = serde_json::from_str(&text).unwrap();
        let of = |value: &Value| value.as_u64().unwrap_or(0);
        [of(&outcome["changed"]), of(&outcome["starts"]["we_wonder"]), of(&outcome["segments"]["gone_quiet"])]
    };
    let all = PEOPLE as u64;
    assert_eq!(outcome(&["--dry-run"]).await, [all, all, all]);
    assert_eq!(outcome(&[]).await, [all, all, all], "a dry run writes nothing");
    assert_eq!(outcome(&[]).await, [0, 0, all], "a second run has nothing left to do");
    let table = done(&stack, &["reach"]).await;
    assert!(table.contains("we_wonder"), "{table}");

    assert_eq!(reached(&client, PEOPLE, "we_wonder").await, 0, "nothing is sent by the command");
    days(&stack, &time, 7).await;
    let half = reached(&client, PEOPLE, "we_wonder").await;
    assert!((3..PEOPLE - 2).contains(&half), "{half} of {PEOPLE} after a week");
    days(&stack, &time, 8).await;
    assert_eq!(reached(&client, PEOPLE, "we_wonder").await, PEOPLE);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_needs_attention_until_it_is_mended() {
    let (stack, simulated) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    client.batch(&[event("m-1", "ada")]).await;
    stack.wait_idle().await.unwrap();
    let calm = done(&stack, &["status"]).await;
    assert!(calm.contains("Nothing needs attention."), "{calm}");

    let dead =
        format!("{{\"events.v1\":{{\"events\":[{}]}}}}", serde_json::to_string(&archived(&stack).await).unwrap());
    let dead = dead.replace("m-1", "m-2");
    stack
        .sqs()
        .send_message()
        .queue_url(format!("{}-dlq", stack.queue_urls().events))
        .message_body(dead)
        .send()
        .await
        .unwrap();
    let alarmed = perennial(&stack, &["status"]).await;
    assert!(!alarmed.ok && alarmed.out.contains("1 dead letters of events"), "{}", alarmed.out);
    let redriven = done(&stack, &["redrive", "events"]).await;
    assert_eq!(redriven, "events: 1 messages brought back\n");
    stack.wait_idle().await.unwrap();
    let status: Value = serde_json::from_str(&done(&stack, &["status", "--json"]).await).unwrap();
    assert_eq!((&status["events"]["accepted"], &status["queues"]["events"]["dlq"]), (&2.into(), &0.into()));

    // The sweep runs when time reaches it, and is missed otherwise.
    simulated.advance(jiff::SignedDuration::from_mins(6));
    stack.fire_schedules().await;
    stack.wait_idle().await.unwrap();
    let swept: Value = serde_json::from_str(&done(&stack, &["status", "--json"]).await).unwrap();
    assert_eq!(swept["sweeps"][0]["at"], "2026-03-02T12:06:00Z");
    simulated.advance(jiff::SignedDuration::from_hours(2));
    let late = perennial(&stack, &["status"]).await;
    assert!(!late.ok && late.out.contains("the sweep has not run for 2 hours"), "{}", late.out);
    let nowhere = perennial(&stack, &["redrive", "nothing"]).await;
    assert!(!nowhere.ok && nowhere.error.contains("mail-events"), "{}", nowhere.error);
    stack.stop().await;
}

/// The one event that was archived.
async fn archived(stack: &Stack) -> perennial_domain::Event {
    use futures::TryStreamExt;
    let events: Vec<_> = stack.archive().read_all().await.unwrap().try_collect().await.unwrap();
    events.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_explained_exported_and_erased_and_what_was_refused_is_told() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let wrong = json!({ "messageId": "m-3", "type": "track", "userId": "ada", "event": "Login", "properties": "none" })
        .to_string();
    client.batch(&[event("m-1", "ada"), event("m-2", "bob"), wrong]).await;
    stack.wait_idle().await.unwrap();

    assert!(done(&stack, &["explain", "ada", "churn"]).await.contains("Churn"));
    let rejects: Value =
        serde_json::from_str(&done(&stack, &["rejects", "--since", "2026-03-01T00:00:00Z", "--json"]).await).unwrap();
    assert_eq!(rejects["rejects"].as_array().unwrap().len(), 1, "{rejects}");
    assert!(done(&stack, &["rejects"]).await.contains("what is wrong"));

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, receipt) = (file("ada.json"), file("receipt.json"));
    done(&stack, &["export", "ada", "--out", &out]).await;
    let document: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(document["archive"][0]["userId"], "ada");
    assert!(!perennial(&stack, &["export", "nobody"]).await.ok);

    let unasked = perennial(&stack, &["erase", "ada"]).await;
    assert!(!unasked.ok && unasked.error.contains("--yes"), "{}", unasked.error);
    let erased: Value =
        serde_json::from_str(&done(&stack, &["erase", "ada", "--yes", "--receipt", &receipt]).await).unwrap();
    assert_eq!(erased, serde_json::from_str::<Value>(&fs::read_to_string(&receipt).unwrap()).unwrap());
    assert_eq!(erased["removed"]["archived_events"], 1);
    assert_eq!(client.get("/api/profiles/ada").await.0, 404);
    assert_eq!(client.get("/api/profiles/bob").await.0, 200);
    let again = perennial(&stack, &["erase", "ada", "--yes", "--receipt", &file("again.json")]).await;
    assert!(!again.ok && again.error.contains("nothing is stored about `ada`"), "{}", again.error);
    assert!(!Path::new(&file("again.json")).exists(), "nothing was erased, so there is no receipt of it");
    stack.stop().await;
}

/// Runs `perennial up ARGUMENTS`, which has to fail; returns the error.
async fn refused(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    let output = command.arg("up").args(arguments).env("NO_COLOR", "1").output().await.unwrap();
    assert!(!output.status.success(), "{arguments:?} must be refused");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_folder_keeps_its_active_configuration_whatever_up_is_started_with() {
    let (data, mine, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_config(mine.path());
    write_config(other.path());
    let limits = mine.path().join("limits.toml");
    fs::write(&limits, format!("{}# mine\n", fs::read_to_string(&limits).unwrap())).unwrap();
    let limits = other.path().join("limits.toml");
    fs::write(&limits, format!("{}# another\n", fs::read_to_string(&limits).unwrap())).unwrap();
    let active =
        async |base: &str| Client::new(base).status().await["in_force"]["version"].as_str().unwrap().to_owned();

    let process = Process::start(data.path(), &[]).await;
    let seeded = active(&process.base).await;
    assert_eq!(
        seeded,
        perennial_local::bundle::embedded().version().to_string(),
        "an empty folder begins with the built-in one"
    );
    let mut push = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    push.args(["config", "push"]).arg(mine.path()).args(["--url", &process.base]).env_remove("PERENNIAL_STACK");
    assert!(push.output().await.unwrap().status.success());
    let pushed = perennial_local::bundle::read_dir(mine.path()).unwrap().version().to_string();
    assert_eq!(active(&process.base).await, pushed, "a version means the same files on every machine");

    let said = refused(&["--port", "0", "--data", data.path().to_str().unwrap()]).await;
    assert!(said.contains("another `perennial up` runs on"), "{said}");
    process.kill().await;

    let process = Process::start(data.path(), &[]).await;
    assert_eq!(active(&process.base).await, pushed, "the built-in configuration replaces nothing");
    process.kill().await;
    let process = Process::start(data.path(), &["--config", other.path().to_str().unwrap()]).await;
    assert_eq!(active(&process.base).await, pushed, "a named folder replaces nothing either");
    process.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_start_stores_nothing() {
    let (place, config) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_config(config.path());
    fs::write(config.path().join("limits.toml"), "nonsense = 1\n").unwrap();
    let data = place.path().join("state");
    let said =
        refused(&["--port", "0", "--data", data.to_str().unwrap(), "--config", config.path().to_str().unwrap()]).await;
    assert!(said.contains("`nonsense` is"), "{said}");
    assert!(!data.exists(), "a wrong config makes no folder");
    // What only `config check` finds: a template that cannot be rendered.
    write_config(config.path());
    let template = config.path().join("templates/welcome.toml");
    let text = fs::read_to_string(&template).unwrap();
    // The first ones are in its comment.
    let (before, after) = text.rsplit_once("{{").unwrap();
    fs::write(&template, format!("{before}{{{{ 1 | urlencode }}}}{{{{{after}")).unwrap();
    let said =
        refused(&["--port", "0", "--data", data.to_str().unwrap(), "--config", config.path().to_str().unwrap()]).await;
    assert!(said.contains("welcome.toml") && said.contains("urlencode") && !data.exists(), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = refused(&["--port", &port, "--data", data.to_str().unwrap()]).await;
    assert!(said.contains("choose another with --port") && !data.exists(), "{said}");
}

/// The messages of everyone, by when they were decided.
async fn messages(client: &Client, users: &[&str]) -> Vec<(String, String, String, String)> {
    let mut all = Vec::new();
    for user in users {
        let (_, profile) = client.get(&format!("/api/profiles/{user}")).await;
        for message in profile["messages"].as_array().unwrap() {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            all.push(((*user).to_owned(), text("journey"), text("decided_at"), text("state")));
        }
    }
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn jump_of_sixty_days_is_sixty_days_of_time_passing() {
    let mut outcomes = Vec::new();
    for days_at_once in [60, 1] {
        let (stack, time) =
            stack_with(NOW, |options| perennial_local::stack::StackOptions { fast: true, ..options }).await;
        let client = Client::new(stack.base_url());
        let mut calls = Vec::new();
        for user in ["ada", "bob"] {
            let identify = json!({
                "messageId": format!("i-{user}"), "type": "identify", "userId": user, "timestamp": NOW,
                "traits": { "email": format!("{user}@{user}.example"), "timezone": "Europe/Berlin" }
            });
            let trial = json!({
                "messageId": format!("t-{user}"), "type": "track", "userId": user, "event": "Trial Started", "timestamp": NOW
            });
            calls.extend([identify.to_string(), trial.to_string()]);
        }
        client.batch(&calls).await;
        let began = std::time::Instant::now();
        let end = time.now() + jiff::SignedDuration::from_hours(24 * 60);
        while time.now() < end {
            let next = (time.now() + jiff::SignedDuration::from_hours(24 * days_at_once)).min(end);
            stack.move_time(&time, next).await.unwrap();
        }
        println!("60 days, {days_at_once} at once: {:?}", began.elapsed());
        outcomes.push(messages(&client, &["ada", "bob"]).await);
        stack.stop().await;
    }
    let days: std::collections::BTreeSet<&str> = outcomes[0].iter().filter_map(|(_, _, at, _)| at.get(..10)).collect();
    assert!(days.len() > 2, "what was due on the way came on its own day: {:?}", outcomes[0]);
    assert_eq!(outcomes[0], outcomes[1]);
}
