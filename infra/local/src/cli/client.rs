//! Talking to a running system.

use crate::stack::Line;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Where the system runs, as every command that talks to it is told.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Target {
    /// Where the system runs.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// The key that may read, where the system asks for one.
    #[arg(long, env = "PERENNIAL_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
}

impl Target {
    /// What `GET path` answers.
    ///
    /// # Errors
    /// Where nothing answers, or the answer is an error: its message.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.send(self.request(reqwest::Method::GET, path)).await?.json().await?)
    }

    /// What `POST path` with `body` answers.
    ///
    /// # Errors
    /// As [`Target::get`].
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.send(self.request(reqwest::Method::POST, path).json(body)).await?.json().await?)
    }

    /// What `method path` answers line by line: each line is told as it comes, and the last one is given.
    ///
    /// # Errors
    /// Where nothing answers, a line cannot be read, or the answer ends before the work does.
    pub(super) async fn follow<P: DeserializeOwned, T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
        mut tell: impl FnMut(P),
    ) -> anyhow::Result<T> {
        let mut answer = self.send(self.request(method, path)).await?;
        let mut rest = Vec::new();
        while let Some(bytes) = answer.chunk().await? {
            rest.extend_from_slice(&bytes);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                match serde_json::from_slice(&line)? {
                    Line::Progress(progress) => tell(progress),
                    Line::Done(outcome) => return Ok(outcome),
                    Line::Error(message) => anyhow::bail!(message),
                }
            }
        }
        anyhow::bail!("the system stopped before the work was done; it can be begun again")
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let request = reqwest::Client::new().request(method, url);
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let answer = request.send().await.map_err(|error| {
            if error.is_connect() {
                anyhow::anyhow!("nothing runs at {}: start it with `perennial up`, or name it with --url", self.url)
            } else {
                error.into()
            }
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.text().await?;
        let message = serde_json::from_str::<Value>(&body).ok();
        let message = message.as_ref().and_then(|body| body["error"]["message"].as_str()).unwrap_or(&body);
        Err(Refused { message: message.to_owned(), status }.into())
    }
}

/// What a system answered instead of what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({status})")]
pub(super) struct Refused {
    /// Its message.
    pub(super) message: String,
    /// Its status.
    pub(super) status: reqwest::StatusCode,
}

/// One part of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
