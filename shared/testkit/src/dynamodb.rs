//! A DynamoDB in memory, behind its real HTTP API.

use dynoxide::Database;
use std::net::{Ipv4Addr, TcpListener};

/// Starts one on a free loopback port, on its own threads, for the life of the process. Returns its base URL.
#[must_use]
pub fn start() -> String {
    let database = Database::memory().expect("an empty database");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a listener that does not block");
    let address = listener.local_addr().expect("the listener's address");
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            dynoxide::server::serve_on(listener, database).await;
        });
    });
    format!("http://{address}")
}
