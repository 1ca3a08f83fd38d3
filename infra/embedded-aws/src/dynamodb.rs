//! Hosts `dynoxide`, an embeddable DynamoDB over SQLite, behind its real HTTP API.
//!
//! It runs on an own thread with an own runtime: it blocks its workers on the database's mutex and on fsync, which would hold up every
//! other service that shared them.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::Database;
use tokio::sync::watch;

use super::StartError;

/// The file in the data directory with the tables.
pub const DYNAMODB_FILE: &str = "dynamodb.sqlite";

/// Threads that parse and respond. The database serves one at a time, so more would only wait for each other.
const WORKERS: usize = 2;

/// How long a client that has sent half a request may delay the shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Settings of the embedded DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoDbOptions {
    /// Commits without fsync. Acknowledged writes survive the death of the process, but not a power cut. Several times
    /// faster on a file; no effect in memory.
    pub bulk: bool,
    /// How often items past their time to live are deleted, by the machine's clock; `None` never does. AWS takes up to
    /// two days, so nothing may rely on it being prompt. Under simulated time it should be `None`, or items of a
    /// simulated past vanish at once.
    pub ttl_sweep: Option<Duration>,
}

impl Default for DynamoDbOptions {
    /// Durable commits, and a TTL sweep every minute.
    fn default() -> Self {
        Self { bulk: false, ttl_sweep: Some(Duration::from_secs(60)) }
    }
}

/// A running DynamoDB.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    address: SocketAddr,
    thread: JoinHandle<()>,
}

impl DynamoDb {
    /// Opens the database in `data_dir` (in memory when `None`) and serves it on a free loopback port until `stop` is
    /// `true`.
    pub(crate) fn start(
        data_dir: Option<&Path>,
        options: &DynamoDbOptions,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let database = match data_dir {
            None => Database::memory(),
            Some(dir) => Database::new(&dir.join(DYNAMODB_FILE).to_string_lossy()),
        }
        .map_err(|error| StartError::DynamoDb(error.to_string()))?;
        if options.bulk {
            database.enable_bulk_loading().map_err(|error| StartError::DynamoDb(error.to_string()))?;
        }
        let listener = super::loopback_listener()?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("aws-dynamodb")
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let sweep = options.ttl_sweep;
        let thread = std::thread::Builder::new()
            .name("aws-dynamodb".to_owned())
            .spawn(move || runtime.block_on(host(listener, database, sweep, stop)))
            .map_err(StartError::Thread)?;
        Ok(Self { address, thread })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the service has ended. Its `stop` must have been given.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the embedded DynamoDB ended with a panic");
        }
    }
}

async fn host(listener: TcpListener, database: Database, sweep: Option<Duration>, stop: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the embedded DynamoDB could not listen");
            return;
        }
    };
    let sweeping = sweep.map(|period| tokio::spawn(sweep_expired(database.clone(), period)));
    let mut stopped = stop.clone();
    let shutdown = async move {
        stopped.wait_for(|stop| *stop).await.ok();
    };
    let mut overdue = stop;
    let overdue = async move {
        overdue.wait_for(|stop| *stop).await.ok();
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        served = dynoxide::server::serve_with_shutdown(listener, database, shutdown) => {
            if let Err(error) = served {
                tracing::error!(%error, "the embedded DynamoDB ended");
            }
        }
        () = overdue => tracing::debug!("a connection to the embedded DynamoDB was cut at shutdown"),
    }
    if let Some(sweeping) = sweeping {
        sweeping.abort();
    }
}

async fn sweep_expired(database: Database, period: Duration) {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(deleted)) => tracing::debug!(deleted, "items past their time to live deleted"),
            Ok(Err(error)) => tracing::warn!(%error, "the sweep of expired items failed"),
        }
    }
}
