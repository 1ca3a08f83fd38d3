//! The environment of each function on this machine, to run one outside of this process: with `cargo lambda watch`, or
//! in a debugger.

use super::errors::error;
use super::queues::{self, QueueUrls};
use super::{LOCAL_API_KEY, LOCAL_HOOK_SECRET, LOCAL_TOKEN_SECRET};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use perennial_config::Config;
use perennial_config::channels::SecretPlace;
use perennial_lambda_kit::aws::AwsCredentials;
use std::collections::BTreeMap;
use std::path;
use std::sync::Arc;

/// The functions.
pub const FUNCTIONS: [&str; 9] =
    ["ingest", "score", "sweep", "rollup", "deliver", "report", "api", "import", "dashboard"];

/// The region of the embedded services, which are the same in any.
const REGION: &str = "us-east-1";

/// Variables by name.
type Variables = BTreeMap<String, String>;

/// The inputs of the functions' environments.
pub(super) struct Surroundings<'a> {
    pub(super) services: &'a perennial_embedded_aws::Endpoints,
    pub(super) table: &'a str,
    pub(super) urls: &'a QueueUrls,
    pub(super) archive: &'a path::Path,
    /// The directory that replaces the bucket.
    pub(super) bucket: &'a path::Path,
    pub(super) config: &'a Config,
    /// The base URL.
    pub(super) base: &'a str,
    pub(super) unsubscribe_key: &'a str,
    pub(super) debounce_seconds: u64,
    pub(super) wake_pause_seconds: i64,
    pub(super) sweep_limit: u32,
    /// The secrets of stand-ins, by their configured variables.
    pub(super) stood_in: &'a BTreeMap<String, String>,
    /// `true` if this process was given a secret of that name. It belongs to the user, and is not shown.
    pub(super) is_given: &'a dyn Fn(&str) -> bool,
}

/// The environments of all functions.
#[derive(Debug, Clone)]
pub(super) struct Environments(Arc<BTreeMap<&'static str, Variables>>);

impl Environments {
    /// The environments that follow from `around`.
    pub(super) fn new(around: &Surroundings<'_>) -> Self {
        Self(Arc::new(FUNCTIONS.map(|function| (function, environment(function, around))).into()))
    }

    fn of(&self, function: &str) -> Option<&Variables> {
        self.0.get(function)
    }
}

/// `GET /_local/functions/{name}/environment`.
pub(super) fn router(environments: Environments) -> Router {
    Router::new().route("/_local/functions/{name}/environment", get(show)).with_state(environments)
}

/// Returns all variables of a function as one JSON object, except secrets given to this process.
async fn show(State(environments): State<Environments>, Path(name): Path<String>) -> Response {
    match environments.of(&name) {
        Some(variables) => Json(variables).into_response(),
        None => {
            let message = format!("no function is called {name}; there are {}", FUNCTIONS.join(", "));
            error(StatusCode::NOT_FOUND, "no_such_function", &message)
        }
    }
}

/// Returns the variables of AWS clients in every function.
fn of_all(around: &Surroundings<'_>) -> Variables {
    let keys = AwsCredentials::local();
    [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", &keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.expose()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &around.services.dynamodb),
        ("AWS_ENDPOINT_URL_SQS", &around.services.sqs),
        ("AWS_ENDPOINT_URL_SESV2", &around.services.sesv2),
        ("TABLE", around.table),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn environment(function: &str, around: &Surroundings<'_>) -> Variables {
    let mut variables = of_all(around);
    let mut set = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.to_owned());
    };
    let QueueUrls { events, incoming, imports, messages, essential, accounts, .. } = around.urls;
    // All but `api` and `dashboard`, which watch every queue below.
    let sends_to: &[(&str, &String)] = match function {
        "score" => &[
            ("EVENTS_QUEUE_URL", events),
            ("MESSAGES_QUEUE_URL", messages),
            ("ESSENTIAL_QUEUE_URL", essential),
            ("ACCOUNTS_QUEUE_URL", accounts),
        ],
        "rollup" => &[("EVENTS_QUEUE_URL", events), ("MESSAGES_QUEUE_URL", messages), ("ACCOUNTS_QUEUE_URL", accounts)],
        "deliver" => {
            &[("EVENTS_QUEUE_URL", events), ("MESSAGES_QUEUE_URL", messages), ("ESSENTIAL_QUEUE_URL", essential)]
        }
        "import" => &[("IMPORTS_QUEUE_URL", imports), ("INCOMING_QUEUE_URL", incoming)],
        "sweep" => &[("EVENTS_QUEUE_URL", events), ("ACCOUNTS_QUEUE_URL", accounts)],
        "report" => &[],
        _ => &[("EVENTS_QUEUE_URL", events)],
    };
    sends_to.iter().for_each(|(name, url)| set(name, url));
    match function {
        "ingest" => {
            let hooks = around.config.sources.iter().filter_map(|source| source.hook.as_ref());
            for name in hooks.map(|hook| &hook.secret_env).filter(|name| !(around.is_given)(name)) {
                set(name, LOCAL_HOOK_SECRET);
            }
            if !(around.is_given)("INBOX_SECRETS") {
                set("INBOX_SECRETS", LOCAL_TOKEN_SECRET);
            }
        }
        "score" => {
            set("ARCHIVE", &format!("file://{}", around.archive.display()));
            set("ACCOUNTS_DEBOUNCE_SECONDS", &around.debounce_seconds.to_string());
        }
        "report" => set("ARCHIVE", &format!("file://{}", around.archive.display())),
        "import" => {
            set("ARCHIVE", &format!("file://{}", around.archive.display()));
            set("BUCKET", &format!("file://{}", around.bucket.display()));
        }
        "sweep" => set("SWEEP_LIMIT", &around.sweep_limit.to_string()),
        "rollup" => {
            set("WAKE_PAUSE_SECONDS", &around.wake_pause_seconds.to_string());
            // The one process of `score` learns of the change at once.
            set("WAKE_AFTER_SECONDS", "0");
        }
        "deliver" => {
            set("PUBLIC_URL", around.base);
            set("UNSUBSCRIBE_KEYS", around.unsubscribe_key);
            for endpoint in around.config.channels.webhook.values() {
                let SecretPlace::Env(name) = &endpoint.secret else { continue };
                match around.stood_in.get(name) {
                    Some(taken) => set(name, taken),
                    None if (around.is_given)(name) => {}
                    None => set(name, LOCAL_HOOK_SECRET),
                }
            }
        }
        "api" => {
            set("UNSUBSCRIBE_KEYS", around.unsubscribe_key);
            set("API_KEY_HASHES", &super::api::key_hash(LOCAL_API_KEY));
            if !(around.is_given)("INBOX_SECRETS") {
                set("INBOX_SECRETS", LOCAL_TOKEN_SECRET);
            }
        }
        _ => {}
    }
    match function {
        "api" | "dashboard" => {
            set("STATUS_MAX_AGE_SECONDS", "0");
            for (name, url) in queues::NAMES.into_iter().filter_map(|name| Some((name, around.urls.get(name)?))) {
                let key = name.to_uppercase().replace('-', "_");
                set(&format!("{key}_QUEUE_URL"), url);
                set(&format!("{key}_DLQ_URL"), &format!("{url}-dlq"));
            }
        }
        _ => {}
    }
    variables
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_lambda_kit::Env;
    use perennial_lambda_kit::aws::AwsEnv;

    fn environments(is_given: bool) -> Environments {
        let url = |name: &str| format!("http://127.0.0.1:2/000000000000/{name}");
        let services = perennial_embedded_aws::Endpoints {
            dynamodb: "http://127.0.0.1:1".into(),
            sqs: "http://127.0.0.1:2".into(),
            sesv2: "http://127.0.0.1:3".into(),
        };
        let urls = QueueUrls {
            events: url("events"),
            incoming: url("incoming"),
            imports: url("imports"),
            messages: url("messages"),
            essential: url("essential"),
            accounts: url("accounts"),
            mail_events: url("mail-events"),
        };
        Environments::new(&Surroundings {
            services: &services,
            table: "perennial",
            urls: &urls,
            archive: path::Path::new("/a/directory"),
            bucket: path::Path::new("/another"),
            config: &Config::load(&crate::bundle::embedded()).unwrap(),
            base: "http://127.0.0.1:8080",
            unsubscribe_key: "unsubscribe-links-of-a-local-stack",
            debounce_seconds: 0,
            wake_pause_seconds: 1,
            sweep_limit: 9,
            stood_in: &[("TEAM_CHAT_URL".to_owned(), "http://127.0.0.1:8080/_local/slack/chat".to_owned())].into(),
            is_given: &|_| is_given,
        })
    }

    #[test]
    fn every_function_starts_with_what_it_is_told() {
        let all = environments(false);
        let env = |function: &str| {
            let variables = all.of(function).unwrap().clone();
            let aws = AwsEnv::from_env(&Env::from_pairs(variables.clone())).unwrap();
            assert_eq!(aws.endpoints.sqs.as_deref(), Some("http://127.0.0.1:2"), "{function}");
            Env::from_pairs(variables)
        };
        assert_eq!(perennial_ingest::Settings::from_env(&env("ingest")).unwrap().table, "perennial");
        assert_eq!(perennial_score::Settings::from_env(&env("score")).unwrap().archive, "file:///a/directory");
        let report = perennial_report::Settings::from_env(&env("report")).unwrap();
        assert_eq!(report.archive, "file:///a/directory");
        assert_eq!(perennial_sweep::Settings::from_env(&env("sweep")).unwrap().limit, 9);
        assert_eq!(perennial_rollup::Settings::from_env(&env("rollup")).unwrap().wake_pause_seconds, 1);
        let import = perennial_import::Settings::from_env(&env("import")).unwrap();
        assert_eq!((import.archive.as_str(), import.bucket.as_str()), ("file:///a/directory", "file:///another"));
        let deliver = perennial_deliver::Settings::from_env(&env("deliver")).unwrap();
        assert_eq!(deliver.public_url, "http://127.0.0.1:8080");
        let api = perennial_api::Settings::from_env(&env("api")).unwrap();
        let watched: Vec<_> = api.queues.iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(watched, queues::NAMES);
        let dashboard = perennial_dashboard::Settings::from_env(&env("dashboard")).unwrap();
        let watched: Vec<_> = dashboard.queues.iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(watched, queues::NAMES);
        assert!(FUNCTIONS.iter().all(|function| all.of(function).is_some()) && all.of("replay").is_none());
    }

    #[test]
    fn secrets_that_somebody_gave_are_told_to_nobody() {
        let told = |is_given, function, name| environments(is_given).of(function).unwrap().get(name).cloned();
        for (function, name) in [("ingest", "STRIPE_WEBHOOK_SECRET"), ("deliver", "TASKS_WEBHOOK_SECRET")] {
            assert_eq!(told(false, function, name).as_deref(), Some(LOCAL_HOOK_SECRET));
            assert_eq!(told(true, function, name), None);
        }
        for function in ["ingest", "api"] {
            assert_eq!(told(false, function, "INBOX_SECRETS").as_deref(), Some(LOCAL_TOKEN_SECRET));
            assert_eq!(told(true, function, "INBOX_SECRETS"), None);
        }
        let stand_in = "http://127.0.0.1:8080/_local/slack/chat";
        assert_eq!(told(true, "deliver", "TEAM_CHAT_URL").as_deref(), Some(stand_in));
    }
}
