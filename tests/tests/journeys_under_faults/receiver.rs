//! An unreliable receiver of webhooks: sometimes it rejects one, or accepts it without a response.

use crate::support::Random;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The percentage of rejected requests, and of those accepted without a response.
const FAULTS: usize = 2;

/// The number of accepted requests by `webhook-id`.
#[derive(Clone, Default)]
pub(crate) struct Receiver(Arc<Mutex<BTreeMap<String, u32>>>);

impl Receiver {
    /// Starts it; returns its URL.
    pub(crate) async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (receiver, random) = (Self::default(), Arc::new(Mutex::new(Random(5))));
        let own = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fate = random.lock().unwrap().below(100);
                tokio::spawn(own.clone().serve(stream, fate));
            }
        });
        (receiver, url)
    }

    /// Returns the accepted requests so far.
    pub(crate) fn taken(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap().clone()
    }

    async fn serve(self, mut stream: TcpStream, fate: usize) {
        // The sender may die meanwhile: an incomplete request does not count.
        let Some(id) = read(&mut stream).await else { return };
        let refused = fate < FAULTS;
        if !refused {
            *self.0.lock().unwrap().entry(id).or_default() += 1;
        }
        if refused || fate >= 2 * FAULTS {
            let status = if refused { "503 Busy" } else { "204 Taken" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()).await);
        }
    }
}

/// The `webhook-id` of a whole request.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let of = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_lowercase(), value.to_owned()));
            head.lines().filter_map(of).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let length: usize = header("content-length")?.parse().ok()?;
        if body.len() >= length {
            return header("webhook-id");
        }
    }
}
