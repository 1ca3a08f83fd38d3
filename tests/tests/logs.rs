//! No secret, mail address or body appears in the logs, whatever fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::Client;
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

const KEY: &str = "key-that-must-not-show";
const SECRET: &str = "whsec_c2VjcmV0LXRoYXQtbXVzdC1ub3Qtc2hvdy1hbnl3aGVyZQ==";

#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_neither_keys_nor_addresses_nor_bodies() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
    command.args([
        "up",
        "--port",
        "0",
        "--visibility",
        "1",
        "--faults",
        "5:0.05",
        "--write-key",
        KEY,
        "--hook-secret",
        SECRET,
    ]);
    // Our own code at its most talkative; the SDKs at the level at which a function runs.
    command.env("LOG", "info,perennial=trace,perennial_ingest=trace,perennial_score=trace,perennial_deliver=trace,perennial_api=trace,perennial_store=trace,perennial_channels=trace,perennial_lambda_kit=trace");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).await.unwrap();
    let mut client = Client::new(first.trim().rsplit(' ').next().unwrap());
    client.key = KEY.to_owned();

    let now = perennial_lambda_kit::Clock::system().now();
    let mut calls = Vec::new();
    for n in 0..40 {
        let user = format!("private-user-{n}");
        let traits = json!({ "email": format!("private-{n}@secret-customer.example"), "name": "Confidential Name" });
        calls.push(json!({ "messageId": format!("i{n}"), "type": "identify", "userId": user, "timestamp": now, "traits": traits }).to_string());
        calls.push(json!({ "messageId": format!("t{n}"), "type": "track", "event": "Trial Started", "userId": user, "timestamp": now, "properties": { "note": "confidential-body" } }).to_string());
    }
    calls.push(json!({ "messageId": "bad", "type": "track", "userId": "private-user-bad", "properties": { "note": "confidential-body" } }).to_string());
    client.batch(&calls).await;
    client.post("/v1/batch", "application/json", "{\"confidential-body\": ").await;
    client.post("/hooks/stripe", "application/json", "{\"confidential-body\": 1}").await;
    client.get("/api/profiles/private-3@secret-customer.example").await;
    client.get("/u/no-such-token-confidential-body").await;
    // Faults may keep it from becoming idle, and a status from being returned; the logs until then are checked.
    tokio::time::sleep(Duration::from_secs(8)).await;
    child.start_kill().unwrap();
    let mut logs = String::new();
    child.stderr.take().unwrap().read_to_string(&mut logs).await.unwrap();
    let mut printed = String::new();
    out.read_to_string(&mut printed).await.unwrap();
    let all = first + &printed + &logs;
    assert!(logs.lines().count() > 5, "with faults injected there is something to log: {logs}");
    for private in [KEY, SECRET, "c2VjcmV0LXRoYXQ", "secret-customer", "Confidential Name", "confidential-body"] {
        let line = all.lines().find(|line| line.contains(private));
        assert!(line.is_none(), "`{private}` was logged: {line:?}");
    }
}
