//! Talking to a running system.

use crate::operate::{Operated, deployed, embedded};
use perennial_local::stack::Line;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The default address of the system.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The system to use, as an option of every command.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Target {
    /// A stack deployed in AWS, by its name, such as perennial or perennial-staging: reached with your own AWS
    /// credentials and region, as in every AWS tool (AWS_PROFILE, AWS_REGION, single sign-on …). No key is needed, only
    /// permissions for its table, queues and archive.
    #[arg(long, env = "PERENNIAL_STACK", value_name = "NAME", conflicts_with = "url")]
    stack: Option<String>,
    /// The URL of a system on this machine [default: http://127.0.0.1:8080].
    #[arg(long, env = "PERENNIAL_URL", value_name = "URL", value_parser = parse_url)]
    url: Option<String>,
    /// The API key for reading, if the system requires one.
    #[arg(long, env = "PERENNIAL_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
    #[arg(skip)]
    found: Arc<OnceCell<Operated>>,
}

/// Reads the URL of a system: with a scheme, or a host and port alone.
fn parse_url(text: &str) -> Result<String, String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let is_whole = reqwest::Url::parse(&url).is_ok_and(|url| url.has_host() && url.scheme().starts_with("http"));
    let example = "a URL with a host, such as http://127.0.0.1:8080, is needed";
    if is_whole { Ok(url.trim_end_matches('/').to_owned()) } else { Err(example.to_owned()) }
}

impl Target {
    /// Returns the response to `GET path`.
    ///
    /// # Errors
    /// If there is no response, or it is an error: its message.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    /// Returns the response to `POST path` with `body`.
    ///
    /// # Errors
    /// As [`Target::get`].
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let Some(operated) = self.deployed().await? else {
            let request = self.request(method, path);
            let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
            return Ok(self.send(request).await?.json().await?);
        };
        let (status, answer) = operated.ask(&method, path, body).await?;
        if status.is_success() { Ok(serde_json::from_slice(&answer)?) } else { Err(refused(status, &answer)) }
    }

    /// Returns the deployed stack, if one was given.
    ///
    /// # Errors
    /// If it cannot be found.
    pub(super) async fn deployed(&self) -> anyhow::Result<Option<&Operated>> {
        let Some(name) = self.stack.as_deref().filter(|name| !name.is_empty()) else { return Ok(None) };
        self.found.get_or_try_init(|| deployed::connect(name)).await.map(Some)
    }

    /// Returns the system's own table, queues and archive.
    ///
    /// # Errors
    /// If they cannot be reached: nothing runs there, or it is not an embedded stack.
    pub(super) async fn operated(&self) -> anyhow::Result<&Operated> {
        if let Some(operated) = self.deployed().await? {
            return Ok(operated);
        }
        let connect = || async {
            let local = async |path: &str| match self.send(self.request(Method::GET, &format!("/_local/{path}"))).await
            {
                Ok(answer) => Ok(answer.json::<Value>().await?),
                Err(error) if error.is::<Refused>() => Err(error.context(format!(
                    "the system at {} is not an embedded stack; use --stack NAME for a deployed one",
                    self.base()
                ))),
                Err(error) => Err(error),
            };
            let api = local("functions/api/environment").await?;
            let score = local("functions/score/environment").await?;
            embedded::connect(self.base(), &api, &score, &local("time").await?)
        };
        self.found.get_or_try_init(connect).await
    }

    fn base(&self) -> &str {
        self.url.as_deref().unwrap_or(DEFAULT_URL).trim_end_matches('/')
    }

    /// Reads the response to `method path` line by line: passes each line on as it arrives, and returns the last one.
    ///
    /// # Errors
    /// If there is no response, a line cannot be read, or the response ends before the work does.
    pub(super) async fn follow<P: DeserializeOwned, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        mut tell: impl FnMut(P),
    ) -> anyhow::Result<T> {
        if let Some(operated) = self.deployed().await? {
            anyhow::bail!("this works on a system on this machine only, not on {}", operated.name);
        }
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
        anyhow::bail!("the system stopped before the work was done; run the command again")
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base());
        let request = reqwest::Client::new().request(method, url);
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let answer = request.send().await.map_err(|error| {
            if error.is_connect() {
                let base = self.base();
                anyhow::anyhow!("nothing runs at {base}: start it with `perennial up`, or use --url or --stack")
            } else {
                error.into()
            }
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        Err(refused(status, &answer.bytes().await?))
    }
}

/// Returns the error in a response.
fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let message = parsed.as_ref().and_then(|body| body["error"]["message"].as_str());
    let message = message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    Refused { message, status }.into()
}

/// An error response of a system.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({status})")]
pub(super) struct Refused {
    /// Its message.
    pub(super) message: String,
    /// Its status.
    pub(super) status: StatusCode,
}

/// Encodes one part of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
