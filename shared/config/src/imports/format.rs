//! Ready mappings of the files that other systems export.

use super::Rows;
use crate::error::{Reporter, nearest};
use crate::mapping::{Mapping, RawMapping};
use crate::spanned::Spanned;
use serde::Deserialize;

/// A ready mapping.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// Its name in `format`.
    pub name: &'static str,
    /// The files that it reads, for a list.
    pub about: &'static str,
    text: Text,
}

#[derive(Debug, PartialEq, Eq)]
enum Text {
    Calls,
    PostHog,
    /// `[[map]]` tables, as in `imports.toml`.
    Maps(&'static str),
}

/// The maps of a format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Maps {
    map: Vec<Spanned<RawMapping>>,
}

macro_rules! formats {
    ($($name:literal: $about:literal = $text:expr;)*) => {
        /// All ready mappings, by name.
        pub const FORMATS: &[Format] = &[$(Format { name: $name, about: $about, text: $text },)*];
    };
}

macro_rules! maps {
    ($name:literal) => {
        Text::Maps(include_str!(concat!("formats/", $name, ".toml")))
    };
}

formats! {
    "amplitude": "events of Amplitude's Export API or S3 export (zip of gzipped NDJSON)" = maps!("amplitude");
    "calls": "calls of the tracking API, one a row" = Text::Calls;
    "customerio_people": "people exported by Customer.io (CSV)" = maps!("customerio_people");
    "hubspot_contacts": "contacts exported by HubSpot (CSV)" = maps!("hubspot_contacts");
    "mixpanel": "events of Mixpanel's raw export (NDJSON)" = maps!("mixpanel");
    "mixpanel_people": "user profiles exported by Mixpanel (NDJSON or JSON array of `$distinct_id` and `$properties`)" = maps!("mixpanel_people");
    "pendo_visitors": "visitors exported by Pendo (CSV, or objects with `visitorId` and `metadata`)" = maps!("pendo_visitors");
    "pinpoint_endpoints": "endpoints of a segment exported by Amazon Pinpoint (NDJSON)" = maps!("pinpoint_endpoints");
    "posthog": "events exported by PostHog, one a row" = Text::PostHog;
    "rudderstack": "RudderStack's event dumps (NDJSON)" = Text::Calls;
    "segment": "Segment's raw logs (NDJSON)" = Text::Calls;
    "stripe_customers": "Stripe's customers, as its dashboard (CSV) or its API (NDJSON) lists them" = maps!("stripe_customers");
    "stripe_subscriptions": "Stripe's subscriptions, as its dashboard (CSV) or its API (NDJSON) lists them" = maps!("stripe_subscriptions");
}

impl Format {
    /// Returns the format called `name`, in which `-` is as good as `_`.
    ///
    /// # Errors
    /// The allowed names.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        let plain = name.trim().replace('-', "_").to_ascii_lowercase();
        FORMATS.iter().find(|format| format.name == plain).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let near = nearest(&plain, names.iter().copied())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("`{name}` is no format{near} Allowed: {}", names.join(", "))
        })
    }

    /// Returns what its rows become.
    pub fn rows(&self) -> Rows {
        match self.text {
            Text::Calls => Rows::Calls,
            Text::PostHog => Rows::PostHog,
            // A test compiles all of them.
            Text::Maps(text) => Rows::Maps(self.compile(text).0),
        }
    }

    fn compile(&self, text: &str) -> (Vec<Mapping>, Vec<crate::ConfigError>) {
        let mut errors = Vec::new();
        let report = &mut Reporter::new(self.name, text, &mut errors);
        let maps = report.parse::<Maps>().map_or_else(Vec::new, |maps| maps.map);
        let maps = maps.into_iter().map(|map| super::of_rows(self.name, None, map, report)).collect();
        (maps, errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_compiles_and_they_are_in_order() {
        for format in FORMATS {
            if let Text::Maps(text) = format.text {
                let (maps, errors) = format.compile(text);
                assert!(errors.is_empty() && !maps.is_empty(), "{}: {errors:?}", format.name);
            }
        }
        assert!(FORMATS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn misspelled_format_names_the_one_that_is_meant() {
        assert_eq!(Format::named("hubspot-contacts").map(|format| format.name), Ok("hubspot_contacts"));
        let error = Format::named("amplitud").unwrap_err();
        assert!(error.contains("did you mean `amplitude`?") && error.contains("stripe_subscriptions"), "{error}");
    }
}
