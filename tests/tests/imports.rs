//! Files are imported with the command: exactly what they say, once, and without a word to anybody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::replay::check_totals;
use crate::support::{Client, campaign, derived, everyone, gz_lines, shared_data, stack, stack_with, told_apart};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use perennial_domain::Event;
use perennial_local::stack::{Stack, StackOptions};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// After everything in the streams.
const NOW: &str = "2026-06-01T00:00:00Z";

fn patient(options: StackOptions) -> StackOptions {
    StackOptions { visibility: Duration::from_secs(300), ..options }
}

fn start(stack: &Stack, file: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    command.arg("import").arg(file).args(arguments).args(["--json", "--url", stack.base_url()]);
    command.env("LOG", "off").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().expect("the command starts")
}

/// Imports a file with the command; returns its report.
async fn import(stack: &Stack, file: &Path, arguments: &[&str]) -> Value {
    let output = start(stack, file, arguments).wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a report")
}

fn gzipped(path: &Path, text: &str) {
    let mut out = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap();
}

/// Returns calls as a table, with objects as JSON.
fn table(lines: &[String]) -> String {
    let columns = ["messageId", "timestamp", "type", "userId", "groupId", "event", "properties", "traits", "context"];
    let mut out = columns.join(",") + "\r\n";
    for line in lines {
        let call: Value = serde_json::from_str(line).unwrap();
        let cell = |name: &&str| match &call[*name] {
            Value::Null => String::new(),
            Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            other => format!("\"{}\"", other.to_string().replace('"', "\"\"")),
        };
        out += &columns.iter().map(cell).collect::<Vec<_>>().join(",");
        out += "\r\n";
    }
    out
}

async fn archived(stack: &Stack) -> Vec<Event> {
    stack.archive().read_all().await.unwrap().try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn students_as_table_and_as_ndjson_give_their_golden_totals_though_the_import_is_killed() {
    let (Some(stream), Some(expected)) =
        (shared_data("streams/oulad_100k.ndjson.gz"), shared_data("streams/oulad_100k.expected.json"))
    else {
        return;
    };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let lines = told_apart(gz_lines(&stream));
    let dir = tempfile::tempdir().unwrap();
    let (csv, ndjson) = (dir.path().join("students.csv.gz"), dir.path().join("students.ndjson"));
    gzipped(&csv, &table(&lines));
    std::fs::write(&ndjson, lines.join("\n")).unwrap();

    // Killed half-way, and run again.
    let (killed, _) = stack_with(NOW, patient).await;
    let mut child = start(&killed, &csv, &["--format", "calls"]);
    let client = Client::new(killed.base_url());
    while client.status().await["events"]["accepted"].as_u64().unwrap_or(0) < 20_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().await.unwrap();
    let report = import(&killed, &csv, &["--format", "calls"]).await;
    assert_eq!((&report["files"][0]["rows"], &report["files"][0]["rejected"]), (&expected["events"], &json!(0)));
    killed.wait_idle().await.unwrap();
    let people = everyone(killed.store()).await;
    check_totals("students.csv.gz", &people, &expected);
    let status = client.status().await;
    assert_eq!((&status["events"]["accepted"], &status["messages"]), (&expected["events"], &json!(0)));
    assert_eq!(status["events"]["rejected"], 0);
    let of_killed = derived(&people);

    // The same file twice writes nothing.
    let (before, profiles) = (archived(&killed).await.len(), versions(&people));
    let again = import(&killed, &csv, &["--format", "calls"]).await;
    assert_eq!(again["files"][0]["known"], true);
    assert_eq!(archived(&killed).await.len(), before);
    assert_eq!(versions(&everyone(killed.store()).await), profiles);
    killed.stop().await;

    // In one piece, in another form.
    let (whole, _) = stack_with(NOW, patient).await;
    import(&whole, &ndjson, &["--format", "segment", "--source", "calls"]).await;
    whole.wait_idle().await.unwrap();
    let people = everyone(whole.store()).await;
    check_totals("students.ndjson", &people, &expected);
    assert!(derived(&people) == of_killed, "neither form nor kill changes a profile");
    let events = archived(&whole).await;
    assert!(events.iter().all(|event| event.history), "a replay of the archive triggers nothing either");
    whole.stop().await;
}

fn versions(people: &std::collections::BTreeMap<String, perennial_store::Stored>) -> Vec<(String, u64)> {
    people.iter().map(|(id, stored)| (id.clone(), stored.version)).collect()
}

/// A user database: people of companies that pay since yesterday, whose rows have no times.
const CUSTOMERS: &str = r#"
[[import]]
id = "customers"
[[import.map]]
type = "identify"
user_id = "/id"
all_traits = "*"
traits = { seats = { from = "/seats", type = "number" } }
[[import.map]]
type = "group"
user_id = "/id"
group_id = "/company"
[[import.map]]
type = "track"
event = "Subscription Started"
user_id = "/id"
group_id = "/company"
timestamp = "/paying_since"
properties = { plan = "/plan", subscription = "/id" }
[[import.map]]
type = "track"
event = "Signed In"
user_id = "/id"
timestamp = "/last_login"
"#;

/// A stack whose configuration imports customers.
async fn of_customers(now: &str) -> (Stack, perennial_lambda_kit::SimulatedTime) {
    stack_with(now, |mut options| {
        let files = &mut options.config.files;
        files.insert("imports.toml".to_owned(), CUSTOMERS.to_owned());
        patient(options)
    })
    .await
}

fn customers(number: usize) -> String {
    let mut text = "id,email,company,plan,seats,paying_since,last_login\n".to_owned();
    for n in 0..number {
        let company = n / 20;
        writeln!(
            text,
            "c{n},c{n}@company{company}.example,company{company},pro,{},2026-05-31T08:00:00Z,2026-05-31T20:00:00Z",
            n % 50
        )
        .unwrap();
    }
    text
}

/// 1,000 customers, and under `tests/run soak` 10,000.
#[tokio::test(flavor = "multi_thread")]
async fn imported_customers_hear_nothing_and_live_events_do_not_wait_for_them() {
    let (stack, time) = of_customers(NOW).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("customers.csv");
    let number = campaign(10_000);
    std::fs::write(&file, customers(number)).unwrap();
    let child = start(&stack, &file, &["--source", "customers"]);
    let client = Client::new(stack.base_url());
    let waiting = || stack.aws().queue_depths().get("imports").map_or(0, |depth| depth.total());
    while waiting() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let live = json!({"messageId": "live", "type": "track", "userId": "live", "event": "Signed In", "timestamp": NOW});
    client.batch(&[live.to_string()]).await;
    while client.get("/api/profiles/live").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(waiting() > 0, "the live event is counted while the import goes on");
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    stack.wait_idle().await.unwrap();
    let status = client.status().await;
    assert_eq!(
        (&status["events"]["accepted"], &status["profiles"], &status["accounts"]),
        (&json!(4 * number + 1), &json!(number + 1), &json!(number / 20))
    );
    assert_eq!(status["messages"], 0, "nobody hears of it");
    let (_, profile) = client.get("/api/profiles/c7").await;
    assert_eq!((&profile["stage"], &profile["traits"]["seats"]), (&json!("onboarding"), &json!(7)), "{profile}");

    // What has to be done in time finds nothing to do either.
    let later = stack.move_time(&time, "2026-06-01T01:00:00Z".parse().unwrap()).await.unwrap();
    stack.wait_idle().await.unwrap();
    assert_eq!(client.status().await["messages"], 0, "at {later}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feed_triggers_what_is_young_and_history_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("customers.csv");
    std::fs::write(&file, "id,email,trial\nt1,t1@acme.example,x\n").unwrap();
    let map = "[[import]]\nid = \"trials\"\n[[import.map]]\ntype = \"track\"\nevent = \"Trial Started\"\nuser_id = \"/id\"\n\
               [[import.map]]\ntype = \"identify\"\nuser_id = \"/id\"\ntraits = { email = \"/email\" }\n";
    for (mode, hears) in [("history", false), ("feed", true)] {
        let (stack, _) = stack_with(NOW, |mut options| {
            options.config.files.insert("imports.toml".to_owned(), map.to_owned());
            options
        })
        .await;
        import(&stack, &file, &["--mode", mode, "--as-of", "2026-05-31T23:00:00Z"]).await;
        stack.wait_idle().await.unwrap();
        let status = Client::new(stack.base_url()).status().await;
        assert_eq!(status["messages"].as_u64().unwrap() > 0, hears, "{mode}: {status}");
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_incoming_are_imported_and_bad_rows_are_rejects() {
    let data = tempfile::tempdir().unwrap();
    let (stack, _) = stack_with(NOW, |mut options| {
        options.config.files.insert("imports.toml".to_owned(), CUSTOMERS.to_owned());
        StackOptions { data: Some(data.path().to_owned()), fast: true, ..options }
    })
    .await;
    let folder = data.path().join("incoming/customers");
    std::fs::create_dir_all(&folder).unwrap();
    let bad = "bad,row\nc9,\"open,company,pro,1,2026-05-31,2026-05-31\n";
    std::fs::write(folder.join("2026-05-31.csv"), customers(3) + bad).unwrap();
    let client = Client::new(stack.base_url());
    while client.status().await["profiles"].as_u64().unwrap_or(0) < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stack.wait_idle().await.unwrap();
    let (_, rejects) = client.get("/api/rejects?limit=10").await;
    let mut reasons: Vec<&str> =
        rejects["rejects"].as_array().unwrap().iter().map(|reject| reject["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert!(
        reasons.len() == 2
            && reasons[0].starts_with("incoming/customers/2026-05-31.csv, line 5: the row has 2 columns"),
        "{reasons:?}"
    );
    assert!(reasons[1].starts_with("incoming/customers/2026-05-31.csv, line 6: a quote is opened"), "{reasons:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trial_run_sends_nothing_and_says_what_is_wrong() {
    let (stack, _) = stack(NOW).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.csv");
    std::fs::write(&file, "messageId,type,userId,event\nm1,track,u1,E\nm2,track,,E\n").unwrap();
    let report = import(&stack, &file, &["--format", "calls", "--dry-run"]).await;
    assert_eq!(
        (&report["events"]["E"], &report["rejects"][0]["line"], &report["rejects"][0]["column"]),
        (&json!(1), &json!(3), &json!("userId"))
    );
    assert_eq!(Client::new(stack.base_url()).status().await["events"]["accepted"], 0);
    let output = start(&stack, &file, &["--source", "nothing"]).wait_with_output().await.unwrap();
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("imports.toml has no imports")
    );
    stack.stop().await;
}
