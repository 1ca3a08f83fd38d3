//! The AWS services that the local runner embeds: DynamoDB, SQS and SES, each behind its real HTTP API on a loopback port, so that the
//! same functions with the same SDK clients run against them; only the endpoints differ.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use perennial_embedded_aws::{EmbeddedAws, Options};
//!
//! let aws = EmbeddedAws::start(Options { meter: true, ..Options::default() })?;
//! println!("AWS_ENDPOINT_URL_SQS={}", aws.endpoints().sqs);
//! # Ok(())
//! # }
//! ```
//!
//! DynamoDB runs on its own threads, SQS and SES share another one; nothing runs on the caller's runtime. With a data directory all state
//! is kept there and survives the death of the process; without one it lives in memory.

mod dynamodb;
mod faults;
mod http;
mod meter;
mod proxy;
mod random;
mod ses;
mod sqs;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use perennial_lambda_kit::Clock;
use tokio::sync::watch;

pub use self::dynamodb::{DYNAMODB_FILE, DynamoDbOptions};
pub use self::faults::{FaultCounts, FaultKind, FaultPlan, FaultRates, Faults};
pub use self::http::ServiceKind;
pub use self::meter::{DynamoDbUsage, Meter, OperationUsage, SesUsage, SqsUsage, Usage};
pub use self::random::NoRandomness;
pub use self::ses::{
    CapturedMail, MAILS_FILE, MailContent, MailQuery, MailView, MailboxError, Mails, SesLimits, SesOptions,
};
pub use self::sqs::{QUEUES_FILE, QueueDepth, QueuesError};

use self::dynamodb::DynamoDb;
use self::http::Service;
use self::proxy::Proxy;
use self::random::Ids;
use self::ses::Ses;
use self::sqs::Sqs;

/// The services to run, and their settings.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for state; created if missing. In memory when `None`.
    pub data_dir: Option<PathBuf>,
    /// Settings of DynamoDB.
    pub dynamodb: DynamoDbOptions,
    /// Settings of SES.
    pub ses: SesOptions,
    /// Faults to inject; none when `None`.
    pub faults: Option<FaultPlan>,
    /// `true` to count calls and billed units.
    pub meter: bool,
    /// Stamps mails and their events, and ends the delays of queues. The machine's time in any case: how long a consumer may work on a message, and
    /// how long a queue keeps one.
    pub clock: Clock,
}

impl Default for Options {
    /// In memory, without faults or meter, on the system's clock.
    fn default() -> Self {
        Self {
            data_dir: None,
            dynamodb: DynamoDbOptions::default(),
            ses: SesOptions::default(),
            faults: None,
            meter: false,
            clock: Clock::system(),
        }
    }
}

/// Why the services could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("failed to create the data directory {dir}: {source}")]
    DataDir {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No loopback port could be had.
    #[error("no loopback port is available: {0}")]
    Listen(#[source] std::io::Error),
    /// A thread or its runtime could not be started.
    #[error("a service's thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The database could not be opened.
    #[error("the embedded DynamoDB could not be opened: {0}")]
    DynamoDb(String),
    /// The queues could not be opened.
    #[error(transparent)]
    Queues(#[from] QueuesError),
    /// The mails could not be opened.
    #[error(transparent)]
    Mails(#[from] MailboxError),
    /// Ids could not be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// The addresses of the services, for `AWS_ENDPOINT_URL_DYNAMODB`, `_SQS` and `_SESV2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// SQS.
    pub sqs: String,
    /// SES v2.
    pub sesv2: String,
}

/// Binds a free loopback port.
fn loopback_listener() -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StartError::Listen)?;
    listener.set_nonblocking(true).map_err(StartError::Listen)?;
    Ok(listener)
}

/// The running services. Dropping it stops them; [`EmbeddedAws::shutdown`] also waits for it.
#[derive(Debug)]
pub struct EmbeddedAws {
    endpoints: Endpoints,
    sqs: Arc<Sqs>,
    mails: Mails,
    meter: Option<Meter>,
    faults: Option<Faults>,
    stop: watch::Sender<bool>,
    dynamodb: Option<DynamoDb>,
    services: Option<JoinHandle<()>>,
}

impl EmbeddedAws {
    /// Starts all three. They answer when this returns; it takes some milliseconds, in which it blocks.
    ///
    /// # Errors
    /// A directory, file, port or thread cannot be had.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let Options { data_dir, dynamodb, ses, faults, meter, clock } = options;
        let dir = data_dir.as_deref();
        if let Some(dir) = dir {
            std::fs::create_dir_all(dir).map_err(|source| StartError::DataDir { dir: dir.to_owned(), source })?;
        }
        let (stop, stopped) = watch::channel(false);
        let ids = Arc::new(Ids::new()?);
        let (sqs_listener, ses_listener, proxy_listener) =
            (loopback_listener()?, loopback_listener()?, loopback_listener()?);
        let address = |listener: &TcpListener| listener.local_addr().map_err(StartError::Listen);
        let (sqs_address, ses_address, proxy_address) =
            (address(&sqs_listener)?, address(&ses_listener)?, address(&proxy_listener)?);

        let sqs = Arc::new(Sqs::open(dir, Arc::clone(&ids), clock.clone(), sqs_address)?);
        let ses = Arc::new(Ses::open(dir, ses, clock, Arc::clone(&sqs), ids)?);
        let mails = ses.mails();
        let dynamodb = DynamoDb::start(dir, &dynamodb, stopped.clone())?;

        let layers = Layers { meter: meter.then(Meter::default), faults: faults.map(Faults::new) };
        let mut fronts = vec![
            (sqs_listener, layers.around(ServiceKind::Sqs, Arc::<Sqs>::clone(&sqs))),
            (ses_listener, layers.around(ServiceKind::Ses, ses)),
        ];
        let dynamodb_address = if layers.any() {
            fronts
                .push((proxy_listener, layers.around(ServiceKind::DynamoDb, Arc::new(Proxy::new(dynamodb.address())))));
            proxy_address
        } else {
            dynamodb.address()
        };
        let url = |address: SocketAddr| format!("http://{address}");
        let endpoints = Endpoints { dynamodb: url(dynamodb_address), sqs: url(sqs_address), sesv2: url(ses_address) };
        let services = run_services(fronts, Arc::clone(&sqs), stopped)?;
        let Layers { meter, faults } = layers;
        Ok(Self { endpoints, sqs, mails, meter, faults, stop, dynamodb: Some(dynamodb), services: Some(services) })
    }

    /// Returns the addresses of the services.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The mails that were sent. Stays usable after the services are gone.
    #[must_use]
    pub fn mails(&self) -> &Mails {
        &self.mails
    }

    /// Returns the meter, if enabled.
    #[must_use]
    pub fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// Returns the switch and counters of the faults, if enabled.
    #[must_use]
    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    /// Returns the depth of each queue by name, without a call.
    #[must_use]
    pub fn queue_depths(&self) -> BTreeMap<String, QueueDepth> {
        self.sqs.depths()
    }

    /// The queues, from within the process.
    #[must_use]
    pub fn queues(&self) -> Queues {
        Queues(Arc::clone(&self.sqs))
    }

    /// Stops the services and waits until ports and files are released: milliseconds, or up to about a second while
    /// calls are in progress. It blocks.
    pub fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(services) = self.services.take()
            && services.join().is_err()
        {
            tracing::error!("the embedded services ended with a panic");
        }
        if let Some(dynamodb) = self.dynamodb.take() {
            dynamodb.join();
        }
    }
}

impl Drop for EmbeddedAws {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// The queues, from within the process: what a client of SQS cannot see or say. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues(Arc<Sqs>);

impl Queues {
    /// Returns the depth of each queue by name, without a call.
    #[must_use]
    pub fn depths(&self) -> BTreeMap<String, QueueDepth> {
        self.0.depths()
    }

    /// The next moment of [`Options::clock`] at which a message becomes ready: its delay or deferral ends, or it is retried.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0.next_by_clock()
    }

    /// Notifies waiting receives that [`Options::clock`] was moved.
    pub fn clock_moved(&self) {
        self.0.clock_moved();
    }

    /// Notifies the queue that the invocation with the messages of these receipts has failed. Under simulated time,
    /// moving the clock past their visibility timeout then redelivers them; until it is moved that far, the machine's
    /// time does.
    pub fn fail(&self, queue_url: &str, receipt_handles: &[&str]) {
        self.0.fail(queue_url, receipt_handles);
    }
}

/// The layers around each service.
struct Layers {
    meter: Option<Meter>,
    faults: Option<Faults>,
}

impl Layers {
    fn any(&self) -> bool {
        self.meter.is_some() || self.faults.is_some()
    }

    /// Faults outside, the meter inside: what a fault keeps away is not billed.
    fn around(&self, kind: ServiceKind, service: Arc<dyn Service>) -> Arc<dyn Service> {
        let metered = match &self.meter {
            Some(meter) => meter.around(kind, service),
            None => service,
        };
        match &self.faults {
            Some(faults) => faults.around(kind, metered),
            None => metered,
        }
    }
}

/// Serves all services on one thread of its own.
fn run_services(
    fronts: Vec<(TcpListener, Arc<dyn Service>)>,
    sqs: Arc<Sqs>,
    stop: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let serve_all = async move {
        let mut serving = tokio::task::JoinSet::new();
        for (listener, service) in fronts {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    serving.spawn(http::serve(listener, service, stop.clone()));
                }
                Err(error) => tracing::error!(%error, "an embedded service could not listen"),
            }
        }
        let expiring = tokio::spawn(sqs.expire_forever());
        while serving.join_next().await.is_some() {}
        expiring.abort();
    };
    std::thread::Builder::new()
        .name("aws-services".to_owned())
        .spawn(move || runtime.block_on(serve_all))
        .map_err(StartError::Thread)
}
