//! Every function with its clients, wired as its `main.rs` does for Lambda.

use super::StackOptions;
use super::active::Active;
use super::elsewhere::Elsewhere;
use super::environment::{Environments, Surroundings};
use super::event_source::{EventSource, Handler};
use super::http::{Functions, HttpHandler};
use super::queues::{self, QueueUrls};
use super::secrets::{is_given, secret_of_this_machine, secrets_of_this_machine, token_secrets};
use futures::FutureExt;
use jiff::SignedDuration;
use perennial_channels::endpoint::EndpointSender;
use perennial_channels::mail::Mailer;
use perennial_channels::unsubscribe::Keys;
use perennial_config::deployment::Function;
use perennial_dashboard::{Access, SignIn, SignInSettings};
use perennial_embedded_aws::{EmbeddedAws, Endpoints};
use perennial_import::QueueBacklog;
use perennial_import::handler::Arrivals;
use perennial_ingest::throttle::Throttle;
use perennial_lambda_kit::Env;
use perennial_lambda_kit::aws;
use perennial_lambda_kit::queue::{Delay, Queue};
use perennial_lambda_kit::web::WebClient;
use perennial_store::archive::incoming::Incoming;
use perennial_store::{Archive, ConfigHandle, Store};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The table's name.
const TABLE: &str = "perennial";
/// Bodies that `ingest` works on at once.
const MAX_IN_FLIGHT: usize = 64;
/// The most ticks of one sweep.
const SWEEP_LIMIT: u32 = 20_000;
/// The key of unsubscribe links on this machine.
const LOCAL_UNSUBSCRIBE_KEY: &str = "unsubscribe-links-of-a-local-stack";
/// The archive's directory in a data directory.
const ARCHIVE_DIR: &str = "archive";
/// Shorter than in the cloud, where evaluating people again costs money: on a laptop the change should be visible soon.
const WAKE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// The service clients that all functions share.
pub(super) struct Clients {
    endpoints: Endpoints,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    sdk: aws_types::SdkConfig,
}

impl Clients {
    /// Clients of the embedded services.
    pub(super) fn connect(endpoints: &Endpoints) -> anyhow::Result<Self> {
        let config = aws::local_config(aws::Endpoints {
            all: None,
            dynamodb: Some(endpoints.dynamodb.clone()),
            sqs: Some(endpoints.sqs.clone()),
            sesv2: Some(endpoints.sesv2.clone()),
            ..aws::Endpoints::default()
        })?;
        Ok(Self {
            endpoints: endpoints.clone(),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            sdk: config,
        })
    }

    /// The table.
    pub(super) fn store(&self) -> Store {
        Store::new(self.dynamodb.clone(), TABLE)
    }
}

/// All functions, ready to be called.
pub(super) struct Wired {
    pub(super) store: Store,
    pub(super) archive: Archive,
    pub(super) sqs: aws_sdk_sqs::Client,
    /// The configuration of all functions in this process.
    pub(super) config: ConfigHandle,
    pub(super) urls: QueueUrls,
    pub(super) functions: Functions,
    pub(super) environments: Environments,
    pub(super) sources: Vec<EventSource>,
    /// The dependencies of `score`.
    pub(super) score: Arc<perennial_score::Deps>,
    sweep: perennial_sweep::Deps,
    /// `None` under simulated time, which may pass by months in a second: the operator makes reports when they are
    /// wanted.
    report: Option<perennial_report::Deps>,
    elsewhere: Elsewhere,
    /// The archive of a stack without a data directory; deleted with it.
    _scratch: Option<TempDir>,
}

impl Wired {
    /// Calls the function of a schedule. Returns whether it left work for its next call.
    pub(super) async fn run_scheduled(&self, function: &str) -> bool {
        match function {
            "sweep" => {
                let swept = if self.elsewhere.has(function) {
                    let Some(caller) = self.elsewhere.caller(function) else { return false };
                    caller.call(&serde_json::json!({})).await
                } else {
                    let swept = perennial_sweep::handler::handle(&self.sweep, serde_json::Value::Null).await;
                    swept.map_err(anyhow::Error::from)
                };
                swept.map(|swept| swept.more).unwrap_or_else(|error| {
                    tracing::error!(%error, "the sweep failed");
                    true
                })
            }
            "report" => {
                if let Err(error) = self.run_report().await {
                    tracing::error!(%error, "the reports failed");
                }
                false
            }
            other => {
                tracing::error!(function = other, "no such function can be scheduled");
                false
            }
        }
    }
}

impl Wired {
    /// Calls `report` until it has no work left: there is no second call before the schedule's next one.
    async fn run_report(&self) -> anyhow::Result<()> {
        if self.elsewhere.has("report") {
            if let Some(caller) = self.elsewhere.caller("report") {
                let _ran: perennial_report::Ran = caller.call(&serde_json::json!({})).await?;
            }
            return Ok(());
        }
        if let Some(report) = &self.report {
            while perennial_report::handler::handle(report, perennial_report::Request::default()).await?.more {}
        }
        Ok(())
    }
}

/// Returns the access of the dashboard's visitors: everyone on loopback, unless the environment has the variables of sign-in.
fn dashboard_access() -> anyhow::Result<Access> {
    let env = Env::process();
    let Some(settings) = SignInSettings::from_env(&env)? else { return Ok(Access::Open) };
    let web = Arc::new(WebClient::new(&env));
    Ok(Access::SignIn(Arc::new(SignIn::new(settings, web, false))))
}

/// Returns the directory that replaces the bucket: the data directory, else a temporary one. A directory in any case, so
/// that functions outside of this process can use it as well.
fn bucket_dir(options: &StackOptions) -> std::io::Result<(PathBuf, Option<TempDir>)> {
    match &options.data {
        Some(dir) => Ok((std::path::absolute(dir)?, None)),
        None => {
            let scratch = tempfile::Builder::new().prefix("perennial-bucket-").tempdir()?;
            Ok((scratch.path().to_owned(), Some(scratch)))
        }
    }
}

/// Creates the queues that are missing, and wires every function.
pub(super) async fn wire(
    options: &StackOptions,
    active: &Active,
    clients: Clients,
    store: Store,
    aws: &EmbeddedAws,
    base: &str,
    stop: &CancellationToken,
) -> anyhow::Result<Wired> {
    let Clients { endpoints, sqs, sdk, .. } = clients;
    let stood_in = active.secrets.clone();
    let config = ConfigHandle::load(store.clone()).await?;
    let deployment = active.config.deployment.clone();
    let urls = queues::create(&sqs, &deployment.queues, options.visibility).await?;
    let (bucket_dir, scratch) = bucket_dir(options)?;
    let archive_dir = bucket_dir.join(ARCHIVE_DIR);
    let archive = Archive::directory(&archive_dir)?;
    let environments = Environments::new(&Surroundings {
        services: &endpoints,
        table: TABLE,
        urls: &urls,
        archive: &archive_dir,
        bucket: &bucket_dir,
        config: &active.config,
        base,
        unsubscribe_key: LOCAL_UNSUBSCRIBE_KEY,
        debounce_seconds: options.debounce_seconds,
        wake_pause_seconds: WAKE_PAUSE.as_secs(),
        sweep_limit: SWEEP_LIMIT,
        stood_in: &stood_in,
        is_given: &|name| options.hook_secret.is_some() || is_given(name),
    });
    let clock = options.clock.clone();
    let queue = |url: &str| Arc::new(Queue::new(sqs.clone(), url));
    let secret = options.hook_secret.clone();
    let secrets = perennial_ingest::Secrets::new(move |name| {
        // An explicit secret takes precedence over the environment's.
        Some(secret.clone().unwrap_or_else(|| secret_of_this_machine(name)))
    });
    let keys = Keys::new([LOCAL_UNSUBSCRIBE_KEY])?;

    let ingest = perennial_ingest::Deps::new(
        config.clone(),
        queue(&urls.events),
        Arc::new(store.clone()),
        secrets,
        clock.clone(),
        MAX_IN_FLIGHT,
    );
    // On one machine there is no limit by default.
    let throttle = perennial_ingest::config::public_events_a_second(&Env::process(), 0)?.map(Throttle::new);
    let ingest = Arc::new(ingest.with_tokens(token_secrets()?).with_throttle(throttle));
    let score = Arc::new(perennial_score::Deps::new(perennial_score::Parts {
        store: store.clone(),
        archive: archive.clone(),
        messages: queue(&urls.messages),
        essential: queue(&urls.essential),
        accounts: queue(&urls.accounts),
        events: queue(&urls.events),
        config: config.clone(),
        clock: clock.clone(),
        debounce: Delay::at_most(options.debounce_seconds),
    }));
    let mailer = Arc::new(Mailer::new(&sdk));
    let deliver = Arc::new(perennial_deliver::Deps::new(perennial_deliver::deps::Parts {
        store: store.clone(),
        config: config.clone(),
        mail: Arc::<Mailer>::clone(&mailer),
        account: mailer,
        endpoints: Arc::new(EndpointSender::new()),
        events: queue(&urls.events),
        messages: queue(&urls.messages),
        essential: queue(&urls.essential),
        clock: clock.clone(),
        secrets: secrets_of_this_machine(stood_in),
        public_url: base.to_owned(),
        keys: keys.clone(),
    }));
    let rollup = Arc::new(perennial_rollup::Deps::new(perennial_rollup::Parts {
        store: store.clone(),
        config: config.clone(),
        messages: queue(&urls.messages),
        events: queue(&urls.events),
        accounts: queue(&urls.accounts),
        clock: clock.clone(),
        wake_pause: WAKE_PAUSE,
        // The one process of `score` learns of the change at once.
        wake_after: Delay::NONE,
    }));
    let (events, accounts) = (queue(&urls.events), queue(&urls.accounts));
    let sweep = perennial_sweep::Deps::new(store.clone(), events, accounts, clock.clone(), SWEEP_LIMIT);
    let sweep = if clock.is_simulated() { sweep.without_counting() } else { sweep };
    let report = perennial_report::Deps::new(store.clone(), archive.clone(), clock.clone());
    let report = (!clock.is_simulated()).then_some(report);
    let views = || super::api::views(&store, &config, aws.queues(), &urls, &clock);
    let api = super::api::deps(views(), &sqs, &urls, keys);
    let api = Arc::new(api.with_tokens(token_secrets()?));
    let dashboard = perennial_dashboard::Deps::new(views(), queue(&urls.events), sqs.clone(), dashboard_access()?);
    let dashboard = Arc::new(dashboard);

    let import = Arc::new(perennial_import::Deps {
        archive: archive.clone(),
        rejects: Arc::new(store.clone()),
        suppressions: Arc::new(store.clone()),
        imports: queue(&urls.imports),
        backlog: Some(Arc::new(QueueBacklog::new(sqs.clone(), &urls.imports))),
        clock: clock.clone(),
    });
    let arrivals = Arc::new(Arrivals {
        bucket: Incoming::directory(&bucket_dir)?,
        notices: queue(&urls.incoming),
        config: config.clone(),
    });

    let ingest: HttpHandler = Arc::new(move |request| {
        let deps = Arc::clone(&ingest);
        async move { perennial_ingest::handler::handle(&deps, request).await }.boxed()
    });
    let api: HttpHandler = Arc::new(move |request| {
        let deps = Arc::clone(&api);
        async move { perennial_api::handler::handle(&deps, request).await }.boxed()
    });
    let dashboard: HttpHandler = Arc::new(move |request| {
        let deps = Arc::clone(&dashboard);
        async move { perennial_dashboard::handler::handle(&deps, request).await }.boxed()
    });
    macro_rules! handler {
        ($deps:ident, $function:path) => {{
            let deps = Arc::clone(&$deps);
            let handler: Handler = Arc::new(move |event| {
                let deps = Arc::clone(&deps);
                async move { Ok($function(&deps, event).await?) }.boxed()
            });
            handler
        }};
    }
    let source = |function: &'static str, queue_url: &str, like: &Function, handler: Handler| EventSource {
        function,
        queue_url: queue_url.to_owned(),
        batch_size: like.batch.map_or(1, |batch| usize::from(batch.messages)),
        handler,
    };
    let score_deps = Arc::clone(&score);
    let score = handler!(score, perennial_score::handler::handle);
    let deliver = handler!(deliver, perennial_deliver::handler::handle);
    let rollup = handler!(rollup, perennial_rollup::handler::handle);
    let stop = stop.clone();
    let import: Handler = Arc::new(move |event| {
        let (deps, arrivals, stop) = (Arc::clone(&import), Arc::clone(&arrivals), stop.clone());
        // No call is cut off here: an import ends early only with the stack.
        let work = async move {
            let has_time = || !stop.is_cancelled();
            Ok(perennial_import::handler::handle(&deps, &arrivals, event, &has_time).await?)
        };
        work.boxed()
    });
    let sources = vec![
        // Two invocations at once, like two Lambda instances: they sometimes conflict on a profile, as they would
        // there.
        source("score", &urls.events, &deployment.score, Arc::clone(&score)),
        source("score", &urls.events, &deployment.score, Arc::clone(&score)),
        source("score", &urls.imports, &deployment.score, score),
        source("deliver", &urls.messages, &deployment.deliver, Arc::clone(&deliver)),
        source("deliver", &urls.essential, &deployment.deliver, Arc::clone(&deliver)),
        source("deliver", &urls.mail_events, &deployment.deliver, deliver),
        source("rollup", &urls.accounts, &deployment.rollup, rollup),
        source("import", &urls.incoming, &deployment.import, import),
    ];
    let functions = Functions { ingest, api, dashboard };
    let (score, elsewhere, _scratch) = (score_deps, options.elsewhere.clone(), scratch);
    let sources = sources.into_iter().filter_map(|source| elsewhere.lead(source)).collect();
    Ok(Wired {
        store,
        archive,
        sqs,
        config,
        urls,
        functions,
        environments,
        sources,
        score,
        sweep,
        report,
        elsewhere,
        _scratch,
    })
}
