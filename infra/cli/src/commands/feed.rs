//! Posts events as an SDK would, and waits until they have been worked through.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

/// Attempts to post one batch.
const ATTEMPTS: u32 = 8;

/// A client of the tracking API.
#[derive(Debug, Clone)]
pub(super) struct Feeder {
    client: reqwest::Client,
    base: String,
    write_key: String,
}

impl Feeder {
    /// A client of the system at `base`.
    pub(super) fn new(base: &str, write_key: &str) -> Self {
        Self { client: reqwest::Client::new(), base: base.to_owned(), write_key: write_key.to_owned() }
    }

    /// Posts calls, each the JSON of one, as one batch, and posts it again where the server could not take it.
    ///
    /// # Errors
    /// Where the server refuses the batch, or keeps failing.
    pub(super) async fn post(&self, calls: &[String]) -> anyhow::Result<()> {
        let mut body = GzEncoder::new(Vec::new(), Compression::fast());
        body.write_all(b"{\"batch\":[")?;
        for (index, call) in calls.iter().enumerate() {
            if index > 0 {
                body.write_all(b",")?;
            }
            body.write_all(call.as_bytes())?;
        }
        body.write_all(b"]}")?;
        let body = body.finish()?;
        let mut wait = Duration::from_millis(50);
        for attempt in 1.. {
            let request = self.client.post(format!("{}/v1/batch", self.base)).basic_auth(&self.write_key, Some(""));
            let sent = request
                .header("content-encoding", "gzip")
                .header("content-type", "application/json")
                .body(body.clone())
                .send()
                .await;
            match sent {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if !answer.status().is_server_error() && answer.status().as_u16() != 429 => {
                    anyhow::bail!(
                        "the batch was refused: {}: {}",
                        answer.status(),
                        answer.text().await.unwrap_or_default()
                    );
                }
                Ok(answer) if attempt >= ATTEMPTS => anyhow::bail!("the server keeps failing: {}", answer.status()),
                Err(error) if attempt >= ATTEMPTS => return Err(error.into()),
                _ => tokio::time::sleep(wait).await,
            }
            wait = (wait * 2).min(Duration::from_secs(2));
        }
        Ok(())
    }

    /// Returns the response to `GET /api/status`.
    ///
    /// # Errors
    /// If there is no response.
    pub(super) async fn status(&self) -> anyhow::Result<Value> {
        self.get("/api/status").await
    }

    /// Returns the response to `GET` of a path of the api.
    ///
    /// # Errors
    /// If there is no response.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.client.get(format!("{}{path}", self.base)).send().await?.error_for_status()?.json().await?)
    }
}
