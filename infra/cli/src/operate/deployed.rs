//! A stack in an AWS account, found by its name.

use super::{Kind, Operated, Unreachable};
use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};
use futures::future::try_join_all;
use perennial_lambda_kit::queue::WatchedQueue;
use perennial_lambda_kit::{Clock, Env, aws};
use perennial_local::stack::queues::NAMES;
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, Store};
use std::time::Duration;

/// The prefix of the archive in the bucket.
const ARCHIVE_PREFIX: &str = "archive";
/// The timeout of one attempt: a user is waiting, over a connection that may be slow.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Attempts of a call, the first included.
const ATTEMPTS: u32 = 5;

/// Connects to the stack called `name` with the credentials of every AWS tool on this machine: the environment,
/// profiles, SSO, a credential process, an instance's role. `AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` and
/// `AWS_CA_BUNDLE` apply as usual.
///
/// # Errors
/// [`Unreachable`] if there is no such stack or no response.
pub(crate) async fn connect(name: &str) -> anyhow::Result<Operated> {
    let env = Env::process();
    let timeouts = TimeoutConfig::builder().connect_timeout(ATTEMPT).operation_attempt_timeout(ATTEMPT).build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(aws::http_client(&env)?)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .load()
        .await;
    let region = config.region().ok_or(Unreachable::NoRegion)?.to_string();
    let sqs = aws_sdk_sqs::Client::new(&config);
    let queues = try_join_all(NAMES.map(|queue| watched(&sqs, name, queue))).await?;
    let account = queues.first().and_then(|queue| account_of(&queue.url)).ok_or_else(|| Unreachable::Refused {
        what: "the account".to_owned(),
        why: "the queues' URLs do not name it".to_owned(),
    })?;
    let bucket = format!("s3://{name}-archive-{account}-{region}/{ARCHIVE_PREFIX}");
    let archive = Archive::open(&bucket, &S3Access::new(&config, aws::http_connector(&env)?))?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), name);
    let kind = Kind::Deployed(Box::new(config.clone()));
    Ok(Operated { name: name.to_owned(), store, sqs, queues, archive, kind, aws: config, clock: Clock::system() })
}

async fn watched(sqs: &aws_sdk_sqs::Client, stack: &str, queue: &str) -> Result<WatchedQueue, Unreachable> {
    let own = format!("{stack}-{queue}");
    let dlq = format!("{own}-dlq");
    let (url, dlq_url) = futures::future::try_join(url(sqs, stack, &own), url(sqs, stack, &dlq)).await?;
    Ok(WatchedQueue { name: queue.to_owned(), url, dlq_url })
}

async fn url(sqs: &aws_sdk_sqs::Client, stack: &str, queue: &str) -> Result<String, Unreachable> {
    let answer = sqs.get_queue_url().queue_name(queue).send().await;
    let answer = answer.map_err(|error| {
        let is_missing = error.as_service_error().is_some_and(|service| {
            service.is_queue_does_not_exist() || service.code().is_some_and(|code| code.ends_with("NonExistentQueue"))
        });
        if is_missing {
            return Unreachable::NoStack { stack: stack.to_owned(), queue: queue.to_owned() };
        }
        Unreachable::Refused { what: format!("the queue {queue}"), why: DisplayErrorContext(error).to_string() }
    })?;
    answer.queue_url.ok_or_else(|| Unreachable::NoStack { stack: stack.to_owned(), queue: queue.to_owned() })
}

/// The account of a queue's URL: `https://sqs.eu-central-1.amazonaws.com/123456789012/perennial-events`.
fn account_of(url: &str) -> Option<&str> {
    let account = url.rsplit('/').nth(1)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_stands_in_a_queues_url() {
        let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/perennial-events";
        assert_eq!(account_of(url), Some("123456789012"));
        assert_eq!(account_of("http://127.0.0.1:4566/000000000000/perennial-events"), Some("000000000000"));
        assert_eq!(account_of("https://queue.example/events"), None);
    }
}
