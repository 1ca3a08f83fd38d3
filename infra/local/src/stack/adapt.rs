//! What a config needs to run on this machine: its own write key, and a receiver for webhooks that lead nowhere.

use perennial_config::Bundle;
use toml::{Table, Value};

/// The config with `write_key`, if one is given, in every source that takes one, and with the webhooks to reserved `.example` hosts
/// (RFC 2606) led to the stand-in at `base`. A file that is no TOML stays as it is, so that the config's own check names its line.
pub(super) fn to_this_machine(bundle: &Bundle, write_key: Option<&str>, base: &str) -> anyhow::Result<Bundle> {
    let mut bundle = bundle.clone();
    if let Some(key) = write_key {
        let hashes = Value::Array(vec![Value::String(crate::cli::key_hash(key))]);
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
            if endpoint.get("url").and_then(Value::as_str).is_some_and(is_reserved) {
                endpoint.insert("url".to_owned(), Value::String(format!("{base}/_local/webhooks/{name}")));
                endpoint.insert("allow_private".to_owned(), Value::Boolean(true));
            }
        }
    })?;
    Ok(bundle)
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
    use perennial_config::sources::WriteKeyHash;

    #[test]
    fn the_default_config_takes_the_given_key_and_stays_valid() {
        let bundle = to_this_machine(&crate::bundle::embedded(), Some("my-key"), "http://127.0.0.1:1").unwrap();
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
