//! A killed process keeps every acknowledged write.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use aws_sdk_dynamodb::types::AttributeValue;
use perennial_embedded_aws::{DynamoDbOptions, Options};

use super::support::start;

const DIR: &str = "PERENNIAL_TEST_CRASH_DIR";

fn options(dir: &Path) -> Options {
    // Without fsync, because that is what the claim is about.
    let dynamodb = DynamoDbOptions { bulk: true, ttl_sweep: None };
    Options { data_dir: Some(dir.to_owned()), dynamodb, ..Options::default() }
}

/// The process to be killed: writes without end and prints what was acknowledged. Does nothing unless the test below
/// starts it.
#[tokio::test]
#[ignore = "started by the test below"]
#[allow(clippy::disallowed_methods, reason = "how the test below says where to write")]
async fn writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let stack = start(options(Path::new(&dir)));
    let url = stack.queue("q", &[]).await;
    stack.table().await;
    for number in 0_u32.. {
        let key = AttributeValue::S(number.to_string());
        stack.dynamodb.put_item().table_name("items").item("pk", key.clone()).item("sk", key).send().await.unwrap();
        stack.sqs.send_message().queue_url(&url).message_body(number.to_string()).send().await.unwrap();
        println!("\nwritten {number}");
    }
}

#[tokio::test]
async fn what_was_answered_survives_sigkill() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--ignored", "--nocapture"])
        .env(DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut answered = 0;
    for line in lines {
        let Some(number) = line.strip_prefix("written ") else { continue };
        answered = number.parse::<usize>().unwrap() + 1;
        if answered == 200 {
            writer.kill().unwrap();
        }
    }
    writer.wait().unwrap();
    assert!(answered >= 200, "the writer ended by itself after {answered}");

    let stack = start(options(dir.path()));
    let messages = stack.aws.queue_depths()["q"].visible;
    let items = stack.dynamodb.scan().table_name("items").consistent_read(true).send().await.unwrap();
    // One more of each may have been written without its line being printed.
    assert!((answered..=answered + 1).contains(&messages), "{messages} messages of {answered}");
    assert!(
        (answered..=answered + 1).contains(&usize::try_from(items.count()).unwrap()),
        "{} items of {answered}",
        items.count()
    );
}
