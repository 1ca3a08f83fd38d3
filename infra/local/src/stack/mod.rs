//! The whole system in this process: embedded services, every function with its own clients, event sources, schedules and one
//! port for all HTTP.

mod active;
pub(crate) mod api;
pub mod elsewhere;
pub mod environment;
pub(crate) mod errors;
pub mod event_source;
mod folder;
mod guard;
mod history;
pub mod http;
mod incoming;
mod index;
mod local;
mod mails;
pub mod passing;
pub mod queues;
mod reached;
pub mod schedules;
mod secrets;
mod wiring;

pub use active::Origin;
pub use api::pages_at_once;
pub use history::Line;
pub use reached::StartTime;

use crate::stack::active::Active;
use crate::stack::elsewhere::Elsewhere;
use crate::stack::event_source::EventSource;
use crate::stack::folder::Folder;
use crate::stack::passing::Passing;
use crate::stack::queues::QueueUrls;
use crate::stack::reached::Reached;
use crate::stack::schedules::Schedules;
use crate::stack::wiring::{Clients, Wired};
use crate::standins::StandIns;
use jiff::Timestamp;
use perennial_config::sources::{LOCAL_KEYS, WriteKeyHash};
use perennial_config::{Bundle, Config};
use perennial_domain::ConfigVersion;
use perennial_embedded_aws::{DynamoDbOptions, EmbeddedAws, FaultPlan, Options, QueueDepth, SesLimits, SesOptions};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, SimulatedTime};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The write key of servers that the default config takes.
pub const LOCAL_WRITE_KEY: &str = LOCAL_KEYS[0];
/// The write key of web pages and apps that the default config takes.
pub const LOCAL_PUBLIC_KEY: &str = LOCAL_KEYS[1];
/// The secret of users' and inbox tokens if the environment has no INBOX_SECRETS.
pub const LOCAL_TOKEN_SECRET: &str = "local-token-secret-for-trying-things-out";
/// The signing secret of all hooks unless another is given: for this machine only.
pub const LOCAL_HOOK_SECRET: &str = "whsec_bG9jYWwtaG9vay1zZWNyZXQtZm9yLWRldg==";

/// The api key of a function run beside the stack; the stack itself requires none.
pub const LOCAL_API_KEY: &str = "local-api-key";

/// Options of the system.
#[derive(Debug)]
pub struct StackOptions {
    /// The directory for state; in memory when `None`.
    pub data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Host names under which the stack may be called, and whose pages may call it, besides those of this machine.
    pub allowed_hosts: Vec<String>,
    /// Replaces the write keys of the config's first trusted source.
    pub write_key: Option<String>,
    /// Replaces the write keys of the config's first public source.
    pub public_key: Option<String>,
    /// The signing secret of all hooks; else the environment's, else [`LOCAL_HOOK_SECRET`].
    pub hook_secret: Option<String>,
    /// The config that an empty stack begins with. One that has an active configuration keeps that.
    pub config: Bundle,
    /// `true` if `config` replaces an active configuration that this version of the program cannot read.
    pub config_replaces_unreadable: bool,
    /// The time that everything goes by.
    pub clock: Clock,
    /// Moves `clock`, where it is simulated.
    pub simulated: Option<SimulatedTime>,
    /// Commits without fsync.
    pub fast: bool,
    /// Time until a message that was not dealt with is delivered again.
    pub visibility: Duration,
    /// Faults to inject.
    pub faults: Option<FaultPlan>,
    /// `true` if faults begin as soon as the system is up, rather than when [`perennial_embedded_aws::Faults::switch`] turns them
    /// on.
    pub faults_from_start: bool,
    /// The limits of the mail service; none by default.
    pub ses: SesLimits,
    /// `true` to count calls and billed units.
    pub meter: bool,
    /// Seconds that changes of an account are gathered before it is rolled up.
    pub debounce_seconds: u64,
    /// Functions that do not run in this process.
    pub elsewhere: Elsewhere,
}

impl StackOptions {
    /// Everything as a user would expect it: in memory, port 8080, no faults.
    #[must_use]
    pub fn new(config: Bundle, clock: Clock, simulated: Option<SimulatedTime>) -> Self {
        Self {
            data: None,
            port: 8080,
            allowed_hosts: Vec::new(),
            write_key: None,
            public_key: None,
            hook_secret: None,
            config,
            config_replaces_unreadable: false,
            clock,
            simulated,
            fast: false,
            visibility: Duration::from_secs(30),
            faults: None,
            faults_from_start: true,
            ses: SesLimits::default(),
            meter: false,
            debounce_seconds: 0,
            elsewhere: Elsewhere::default(),
        }
    }
}

/// The running system.
pub struct Stack {
    base: String,
    aws: EmbeddedAws,
    stand_ins: StandIns,
    wired: Arc<Wired>,
    passing: Arc<Passing>,
    clock: Clock,
    version: ConfigVersion,
    origin: Origin,
    start_time: StartTime,
    write_keys: Vec<WriteKeyHash>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    /// Let go last.
    _folder: Option<Folder>,
}

impl Stack {
    /// Starts everything; it answers when this returns. What can be wrong is checked before anything is stored.
    ///
    /// # Errors
    /// A wrong config, a port or folder that cannot be used, or a service that does not start.
    pub async fn start(options: StackOptions) -> anyhow::Result<Self> {
        let folder = options.data.as_deref().map(Folder::existing).transpose()?.flatten();
        let seed =
            Config::load(&options.config).map_err(|errors| anyhow::anyhow!("the config has errors:\n{errors}"))?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|error| {
            anyhow::anyhow!(
                "port {} on 127.0.0.1 cannot be used ({error}); choose another with --port, or 0 for a free one",
                options.port
            )
        })?;
        let base = format!("http://{}", listener.local_addr()?);
        let folder = match (folder, &options.data) {
            (Some(folder), _) => Some(folder),
            (None, Some(path)) => Some(Folder::make(path)?),
            (None, None) => None,
        };
        let reached = folder.as_ref().map_or_else(|| Ok(Reached::nowhere()), |folder| Reached::of(folder.path()))?;
        let start_time = reached.apply(&options.clock, options.simulated.as_ref());
        let simulated = options.clock.is_simulated();
        let ses = SesOptions {
            events_queue: Some("mail-events".to_owned()),
            configuration_sets: vec![seed.channels.mail.configuration_set],
            limits: options.ses,
            ..SesOptions::default()
        };
        // Under simulated time the sweep would go by the wrong clock.
        let ttl_sweep = (!simulated).then_some(Duration::from_secs(60));
        let dynamodb = DynamoDbOptions { bulk: options.fast, ttl_sweep };
        let aws = EmbeddedAws::start(Options {
            data_dir: folder.as_ref().map(|folder| folder.path().to_owned()),
            dynamodb,
            ses,
            faults: options.faults,
            meter: options.meter,
            clock: options.clock.clone(),
        })?;
        // Startup is not under test.
        let faults = |on| aws.faults().into_iter().for_each(|faults| faults.switch(on));
        faults(false);
        let clients = Clients::connect(aws.endpoints())?;
        let store = clients.store();
        store.create_table().await?;
        let active = active::settle(&store, &options, &base).await?;
        aws.mails().add_configuration_set(&active.config.channels.mail.configuration_set)?;
        let stop = CancellationToken::new();
        let wired = Arc::new(wiring::wire(&options, &active, clients, store, &aws, &base, &stop).await?);
        faults(options.faults_from_start);
        let Active { version, origin, config, .. } = active;

        let mut tasks = JoinSet::new();
        for source in wired.sources.iter().cloned() {
            tasks.spawn(EventSource::run(source, wired.sqs.clone(), aws.queues(), stop.clone()));
        }
        if let Some(folder) = &folder {
            let notices = Queue::new(wired.sqs.clone(), &wired.urls.incoming);
            tasks.spawn(incoming::watch(incoming::folder(folder.path())?, notices, stop.clone()));
        }
        let schedules = Schedules::new(&config.schedules, options.clock.now())?;
        let clock = options.clock.clone();
        reached.note(clock.now(), simulated);
        let passing = Arc::new(Passing::new(Arc::clone(&wired), schedules, aws.queues(), clock, reached));
        let router = http::router(wired.functions.clone(), aws.mails().clone()).merge(local::router(local::Local {
            webhooks: local::Webhooks::default(),
            sqs: wired.sqs.clone(),
            urls: wired.urls.clone(),
            simulated: options.simulated.clone(),
            clock: options.clock.clone(),
            passing: Arc::clone(&passing),
            config: wired.config.clone(),
            mails: aws.mails().clone(),
            elsewhere: options.elsewhere.functions.clone().into(),
        }));
        let router = router
            .merge(history::router(history::History { score: Arc::clone(&wired.score), running: Arc::default() }));
        let router = router.merge(environment::router(wired.environments.clone()));
        let stand_ins = StandIns::default();
        let router =
            router.merge(stand_ins.router()).merge(index::router()).layer(axum::middleware::from_fn(index::framed));
        let guard = guard::Guard::new(&options.allowed_hosts);
        let router = router.layer(axum::middleware::from_fn_with_state(guard, guard::Guard::check));
        let stopped = stop.clone();
        tasks.spawn(async move {
            let serving =
                axum::serve(listener, router).with_graceful_shutdown(async move { stopped.cancelled().await });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the port is no longer served");
            }
        });
        let clock = options.clock;
        let write_keys = config.sources.into_iter().flat_map(|source| source.write_key_hashes).collect();
        let _folder = folder;
        let stack = Self {
            base,
            aws,
            stand_ins,
            wired,
            passing,
            clock,
            version,
            origin,
            start_time,
            write_keys,
            stop,
            tasks,
            _folder,
        };
        Ok(if simulated { stack } else { stack.with_ticking_schedules() })
    }

    /// Checks the schedules every second. Under simulated time, the caller that moves the clock calls
    /// [`Self::fire_schedules`].
    fn with_ticking_schedules(mut self) -> Self {
        let (passing, stop) = (Arc::clone(&self.passing), self.stop.clone());
        self.tasks.spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    _ = every.tick() => {
                        passing.catch_up().await;
                    }
                    () = stop.cancelled() => return,
                }
            }
        });
        self
    }

    /// Calls the functions whose schedules are due by the stack's clock. Under simulated time, call it whenever that
    /// was moved: deferred messages that are due by now are delivered too.
    pub async fn fire_schedules(&self) {
        self.passing.catch_up().await;
    }

    /// Moves simulated time to `to`, stopping at every moment at which something is due, and returns when all of that
    /// is done.
    ///
    /// # Errors
    /// [`passing::NotMoved`] if `to` has passed already, or work does not finish.
    pub async fn move_time(&self, time: &SimulatedTime, to: Timestamp) -> Result<Timestamp, passing::NotMoved> {
        self.passing.move_to(time, to).await
    }

    /// Returns whether the environment contains the tokens' secret, so that it is not [`LOCAL_TOKEN_SECRET`].
    #[must_use]
    #[expect(clippy::unused_self, reason = "it is asked of a stack that runs")]
    pub fn has_token_secret(&self) -> bool {
        secrets::is_given("INBOX_SECRETS")
    }

    /// Returns whether a source accepts this write key.
    #[must_use]
    pub fn takes_write_key(&self, key: &str) -> bool {
        let hash = WriteKeyHash::of(key);
        self.write_keys.iter().any(|taken| taken.same(&hash))
    }

    /// The version of the active configuration at the start, and where it comes from.
    #[must_use]
    pub fn config(&self) -> (&ConfigVersion, Origin) {
        (&self.version, self.origin)
    }

    /// Returns the system's current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns how the data folder affected the requested time.
    #[must_use]
    pub fn start_time(&self) -> StartTime {
        self.start_time
    }

    /// Returns the base URL, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// The embedded services.
    #[must_use]
    pub fn aws(&self) -> &EmbeddedAws {
        &self.aws
    }

    /// The stand-ins of CRMs and chats.
    #[must_use]
    pub fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    /// Returns the table, to inspect what is stored.
    #[must_use]
    pub fn store(&self) -> &perennial_store::Store {
        &self.wired.store
    }

    /// The archive.
    #[must_use]
    pub fn archive(&self) -> &perennial_store::archive::Archive {
        &self.wired.archive
    }

    /// Returns the dependencies of `score`, for work over all history.
    #[must_use]
    pub fn score(&self) -> &perennial_score::Deps {
        &self.wired.score
    }

    /// The queues.
    #[must_use]
    pub fn queue_urls(&self) -> &QueueUrls {
        &self.wired.urls
    }

    /// The SQS client of the stack.
    #[must_use]
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.wired.sqs
    }

    /// Returns whether the system is idle: no message is waiting, in flight or delayed, except dead letters. Under
    /// simulated time, messages that wait for it to be moved do not count: delayed and deferred ones.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let simulated = self.clock.is_simulated();
        let on_its_way = |depth: &QueueDepth| if simulated { depth.under_way() } else { depth.total() };
        // Twice, because a message may move from a queue that is not yet checked to one that was.
        (0..2).all(|_| {
            self.aws.queue_depths().iter().all(|(name, depth)| name.ends_with("-dlq") || on_its_way(depth) == 0)
        })
    }

    /// Returns whether a deferred message has not been delivered yet.
    #[must_use]
    pub fn has_put_off(&self) -> bool {
        self.aws.queue_depths().values().any(|depth| depth.delayed + depth.put_off > 0)
    }

    /// Waits until [`Self::is_idle`].
    ///
    /// # Errors
    /// If nothing has changed for two minutes.
    pub async fn wait_idle(&self) -> anyhow::Result<()> {
        let (mut last, mut since) = (BTreeMap::new(), tokio::time::Instant::now());
        while !self.is_idle() {
            let depths = self.aws.queue_depths();
            if depths != last {
                (last, since) = (depths, tokio::time::Instant::now());
            } else if since.elapsed() > Duration::from_secs(120) {
                anyhow::bail!("the queues have not moved for two minutes: {last:?}");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Stops accepting requests, finishes what is in progress and stops the services.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let aws = self.aws;
        if tokio::task::spawn_blocking(move || aws.shutdown()).await.is_err() {
            tracing::error!("the embedded services did not stop cleanly");
        }
    }
}
