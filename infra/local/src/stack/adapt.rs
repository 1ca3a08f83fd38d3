//! What a config needs to run on this machine: its own write key, and stand-ins for endpoints that lead nowhere.

use perennial_config::Bundle;
use perennial_config::sources::WriteKeyHash;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A config for this machine.
pub(super) struct Adapted {
    pub(super) bundle: Bundle,
    /// What the stand-ins of endpoints take as secrets, by the names that the config gives these.
    pub(super) secrets: BTreeMap<String, String>,
}

/// The config with `write_key`, if one is given, in every source that takes one, and with endpoints at reserved `.example` hosts (RFC 2606) led to
/// stand-ins at `base`; those that have no address of their own, such as a chat, too where `has_secret` says that nobody gave their secret. A file that is
/// no TOML stays as it is, so that the config's own check names its line.
pub(super) fn to_this_machine(
    bundle: &Bundle,
    write_key: Option<&str>,
    base: &str,
    has_secret: impl Fn(&str) -> bool,
) -> anyhow::Result<Adapted> {
    let (mut bundle, mut secrets) = (bundle.clone(), BTreeMap::new());
    if let Some(key) = write_key {
        let hashes = Value::Array(vec![Value::String(WriteKeyHash::of(key).to_hex())]);
        edit(&mut bundle, "sources.toml", |file| {
            for source in file.get_mut("source").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(own) = source.as_table_mut().and_then(|source| source.get_mut("write_key_hashes")) {
                    *own = hashes.clone();
                }
            }
        })?;
    }
    edit(&mut bundle, "channels.toml", |file| {
        for (name, endpoint) in file.get_mut("webhook").and_then(Value::as_table_mut).into_iter().flatten() {
            let Some(endpoint) = endpoint.as_table_mut() else { continue };
            let text = |key: &str| endpoint.get(key).and_then(Value::as_str);
            let secret = text("secret_env").or_else(|| text("secret")).unwrap_or_default().to_owned();
            let leads_nowhere = text("url").map(is_reserved);
            let (stand_in, leads_nowhere) = match text("kind").unwrap_or("standard") {
                "standard" => ("webhooks", leads_nowhere.unwrap_or(false)),
                "salesforce" => ("salesforce", leads_nowhere.unwrap_or(false)),
                kind @ ("hubspot" | "slack") => (kind, leads_nowhere.unwrap_or_else(|| !has_secret(&secret))),
                _ => continue,
            };
            if !leads_nowhere {
                continue;
            }
            let (kind, url) = (stand_in.to_owned(), format!("{base}/_local/{stand_in}/{name}"));
            endpoint.insert("allow_private".to_owned(), Value::Boolean(true));
            if kind != "slack" {
                endpoint.insert("url".to_owned(), Value::String(url.clone()));
            }
            let taken = match kind.as_str() {
                "slack" => url,
                "hubspot" => "local-token".to_owned(),
                "salesforce" => r#"{"client_id": "local", "client_secret": "local"}"#.to_owned(),
                _ => continue,
            };
            secrets.insert(secret, taken);
        }
    })?;
    Ok(Adapted { bundle, secrets })
}

fn edit(bundle: &mut Bundle, name: &str, change: impl FnOnce(&mut Table)) -> anyhow::Result<()> {
    if let Some(text) = bundle.files.get_mut(name)
        && let Ok(mut file) = text.parse::<Table>()
    {
        change(&mut file);
        *text = toml::to_string(&file)?;
    }
    Ok(())
}

fn is_reserved(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
    host.ends_with(".example")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::Config;

    fn adapted(bundle: Bundle, has_secrets: bool) -> Adapted {
        to_this_machine(&bundle, Some("my-key"), "http://127.0.0.1:1", |_| has_secrets).unwrap()
    }

    fn with_all_kinds() -> Bundle {
        let mut bundle = crate::bundle::embedded();
        bundle.files.get_mut("channels.toml").unwrap().push_str(
            "[webhook.chat]\nkind = \"slack\"\nsecret_env = \"CHAT\"\n[webhook.hub]\nkind = \"hubspot\"\nsecret_env = \"HUB\"\n[webhook.force]\nkind = \"salesforce\"\nurl = \"https://acme.example\"\nsecret_env = \"FORCE\"\n",
        );
        bundle
    }

    #[test]
    fn every_kind_of_endpoint_is_stood_in_for() {
        let Adapted { bundle, secrets } = adapted(with_all_kinds(), false);
        let endpoints = Config::load(&bundle).unwrap().channels.webhook;
        let at = |name: &str| (endpoints[name].url.as_str(), endpoints[name].allow_private);
        assert_eq!(at("hub"), ("http://127.0.0.1:1/_local/hubspot/hub", true));
        assert_eq!(at("force"), ("http://127.0.0.1:1/_local/salesforce/force", true));
        assert_eq!((at("chat"), secrets["CHAT"].as_str()), (("", true), "http://127.0.0.1:1/_local/slack/chat"));
        assert!(secrets["FORCE"].contains("client_id") && !secrets["HUB"].is_empty());
    }

    #[test]
    fn who_gives_a_secret_means_the_real_service() {
        let Adapted { bundle, secrets } = adapted(with_all_kinds(), true);
        let endpoints = Config::load(&bundle).unwrap().channels.webhook;
        assert_eq!(endpoints["hub"].url, "https://api.hubapi.com");
        assert!(!endpoints["chat"].allow_private && !secrets.contains_key("CHAT"));
    }

    #[test]
    fn the_default_config_takes_the_given_key_and_stays_valid() {
        let bundle = adapted(crate::bundle::embedded(), false).bundle;
        let config = Config::load(&bundle).unwrap();
        assert!(config.sources.iter().any(|source| source.write_key_hashes == [WriteKeyHash::of("my-key")]));
        let endpoint = &config.channels.webhook["tasks"];
        assert_eq!((endpoint.url.as_str(), endpoint.allow_private), ("http://127.0.0.1:1/_local/webhooks/tasks", true));
    }

    #[test]
    fn real_hosts_are_left_alone() {
        assert!(is_reserved("https://hooks.acme.example/x") && is_reserved("https://hooks.acme.example"));
        assert!(!is_reserved("https://hooks.acme.com/x.example") && !is_reserved("https://example.com"));
    }
}
