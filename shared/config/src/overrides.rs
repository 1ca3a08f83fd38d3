//! The changes that one machine makes to the configuration it runs: write keys, and stand-ins for endpoints that do not
//! exist. No file changes, so that a version means the same files on every machine.

use crate::channels::{Endpoint, Kind, SecretPlace};
use crate::config::Config;
use crate::sources::WriteKeyHash;
use perennial_domain::Trust;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The embedded stack's changes to the active configuration. Stored beside it, never in it; a deployment has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// The base URL of the stack, `http://…` without a trailing slash.
    pub base: String,
    /// The hash of the write key that replaces the first trusted source's own, as 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_key_hash: Option<String>,
    /// The same of the first public source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_hash: Option<String>,
    /// Names of secrets that the machine has: their endpoints are real.
    #[serde(default)]
    pub secrets: BTreeSet<String>,
}

impl Overrides {
    /// Applies the overrides to `config`: the write keys, each in one source, and stand-ins below `base` for endpoints at reserved `.example`
    /// hosts (RFC 2606) and for those without an address of their own, such as a chat, whose secret the machine lacks.
    pub fn apply(&self, config: &mut Config) {
        for (hash, trust) in [(&self.write_key_hash, Trust::Server), (&self.public_key_hash, Trust::Public)] {
            let hash = hash.as_deref().and_then(|hash| WriteKeyHash::parse(hash).ok());
            let mut sources = config.sources.iter_mut();
            let source = sources.find(|source| source.trust == trust && !source.write_key_hashes.is_empty());
            if let (Some(hash), Some(source)) = (hash, source) {
                source.write_key_hashes = vec![hash];
            }
        }
        for (name, endpoint) in &mut config.channels.webhook {
            let Some(stand_in) = self.stand_in(endpoint) else { continue };
            endpoint.allow_private = true;
            if endpoint.kind != Kind::Slack {
                endpoint.url = format!("{}/_local/{stand_in}/{name}", self.base);
            }
        }
    }

    /// Returns the secrets of the stand-ins of `config`, by their configured names. `config` is as before
    /// [`Self::apply`].
    #[must_use]
    pub fn stand_in_secrets(&self, config: &Config) -> BTreeMap<String, String> {
        let of = |(name, endpoint): (&String, &Endpoint)| {
            self.stand_in(endpoint)?;
            let secret = match endpoint.kind {
                Kind::Standard => return None,
                Kind::Slack => format!("{}/_local/slack/{name}", self.base),
                Kind::HubSpot(_) => "local-token".to_owned(),
                Kind::Salesforce(_) => r#"{"client_id": "local", "client_secret": "local"}"#.to_owned(),
            };
            Some((secret_name(endpoint).to_owned(), secret))
        };
        config.channels.webhook.iter().filter_map(of).collect()
    }

    /// The folder below `/_local` of what stands in for an endpoint; `None` where it is real.
    fn stand_in(&self, endpoint: &Endpoint) -> Option<&'static str> {
        let reserved = is_reserved(&endpoint.url);
        let has_secret = self.secrets.contains(secret_name(endpoint));
        let (stand_in, leads_nowhere) = match endpoint.kind {
            Kind::Standard => ("webhooks", reserved),
            Kind::Salesforce(_) => ("salesforce", reserved),
            Kind::HubSpot(_) => ("hubspot", reserved || (endpoint.has_default_url() && !has_secret)),
            Kind::Slack => ("slack", !has_secret),
        };
        leads_nowhere.then_some(stand_in)
    }
}

/// Returns the configured name of the endpoint's secret.
#[must_use]
pub fn secret_name(endpoint: &Endpoint) -> &str {
    match &endpoint.secret {
        SecretPlace::Env(name) | SecretPlace::Store(name) => name,
    }
}

fn is_reserved(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
    host.ends_with(".example")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reserved_hosts_lead_nowhere() {
        assert!(is_reserved("https://hooks.acme.example/x") && is_reserved("https://hooks.acme.example"));
        assert!(!is_reserved("https://hooks.acme.com/x.example") && !is_reserved("https://example.com"));
        assert!(!is_reserved(""));
    }
}
