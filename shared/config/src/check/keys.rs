//! Checks write keys that are not the operator's own, keys with too much trust, and webhook fields outside the
//! signature.

use super::Remarks;
use super::places::Part::{At, Key};
use crate::config::Config;
use crate::sources::{Hook, Source, WriteKeyHash};
use perennial_domain::Trust;
use std::collections::BTreeSet;

/// Names of sources whose keys are probably public.
const OF_CLIENTS: [&str; 9] = ["android", "browser", "frontend", "ios", "mobile", "site", "spa", "web", "website"];

pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, source) in config.sources.iter().enumerate() {
        if let Some(hook) = &source.hook {
            unsigned(at, source, hook, remarks);
        }
        if source.write_key_hashes.iter().any(WriteKeyHash::is_local) {
            let message = format!(
                "source `{}`: everybody knows this write key; `perennial key` makes one of your own, and `config push --stack` takes no other",
                source.id
            );
            remarks.at("sources.toml", &[Key("source"), At(at), Key("write_key_hashes")], message);
        }
        if is_believed_too_far(source) {
            let message = format!(
                "source `{}`: its events are believed like a server's; where its key is in a web page or an app, say trust = \"public\"",
                source.id
            );
            remarks.at("sources.toml", &[Key("source"), At(at), Key("id")], message);
        }
    }
}

/// Remarks on event fields that are read from headers outside the signature. The map itself may have to depend on such
/// a header: GitHub sends the event type nowhere else.
fn unsigned(at: usize, source: &Source, hook: &Hook, remarks: &mut Remarks<'_>) {
    for (index, map) in hook.maps().unwrap_or_default().iter().enumerate() {
        let mut fields = BTreeSet::new();
        for (field, place) in map.places() {
            if !hook.scheme.covers(place) && fields.insert(field) {
                let message = format!(
                    "source `{}`: the signature does not cover {place}; whoever has seen one webhook can write there what they like. Take a \
                     place in the body",
                    source.id
                );
                remarks.at("sources.toml", &[Key("source"), At(at), Key("map"), At(index), Key(field)], message);
            }
        }
    }
}

fn is_believed_too_far(source: &Source) -> bool {
    let has_keys = !source.write_key_hashes.is_empty();
    has_keys
        && source.trust != Trust::Public
        && OF_CLIENTS.iter().any(|name| source.id.as_str().eq_ignore_ascii_case(name))
}
