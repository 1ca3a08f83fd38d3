//! A receiver of webhooks with a configurable behaviour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Its behaviour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    /// Accepts requests.
    Takes,
    /// Responds with this status.
    Answers(u16),
    /// Closes the connection.
    HangsUp,
    /// Keeps the connection open without a response.
    NeverAnswers,
}

/// The receiver.
pub(super) struct Receiver {
    /// The URL.
    pub(super) url: String,
    manner: Arc<Mutex<Manner>>,
    taken: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Receiver {
    pub(super) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let receiver = Self { url, manner: Arc::new(Mutex::new(manner)), taken: Arc::default() };
        let (manner, taken) = (Arc::clone(&receiver.manner), Arc::clone(&receiver.taken));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = *manner.lock().unwrap();
                tokio::spawn(serve(stream, manner, Arc::clone(&taken)));
            }
        });
        receiver
    }

    /// Treats requests in another manner from now on.
    pub(super) fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Returns the number of accepted requests by `webhook-id`.
    pub(super) fn taken(&self) -> BTreeMap<String, u32> {
        self.taken.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, taken: Arc<Mutex<BTreeMap<String, u32>>>) {
    let mut bytes = Vec::new();
    let id = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(id) = id_of(&String::from_utf8_lossy(&bytes)) {
            break id;
        }
    };
    let status = match manner {
        Manner::Takes => {
            *taken.lock().unwrap().entry(id).or_default() += 1;
            204
        }
        Manner::Answers(status) => status,
        Manner::HangsUp => return,
        Manner::NeverAnswers => return std::future::pending().await,
    };
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    drop(stream.write_all(answer.as_bytes()).await);
}

/// Returns the `webhook-id` of a complete request; `None` for a partial one.
fn id_of(text: &str) -> Option<String> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let of = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_lowercase(), value.to_owned()));
        head.lines().filter_map(of).find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let length: usize = header("content-length")?.parse().ok()?;
    (body.len() >= length).then(|| header("webhook-id"))?
}
