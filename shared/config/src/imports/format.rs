//! Ready mappings of the files that other systems export.

use super::Rows;
use crate::error::Reporter;
use crate::mapping::{Place, RawMapping, RawSuppression};
use crate::spanned::Spanned;
use crate::spelling::nearest;
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
    #[serde(default)]
    map: Vec<Spanned<RawMapping>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppression>>,
    list: Option<String>,
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
    "customerio_bounces": "addresses that Customer.io's ESP suppression API lists as bounces or invalid_emails (JSON)" = maps!("customerio_bounces");
    "customerio_people": "people exported by Customer.io (CSV)" = maps!("customerio_people");
    "customerio_spam_reports": "addresses that Customer.io's ESP suppression API lists as spam_reports (JSON)" = maps!("customerio_spam_reports");
    "customerio_unsubscribed": "people exported by Customer.io, those of them who unsubscribed (CSV)" = maps!("customerio_unsubscribed");
    "hubspot_contacts": "contacts exported by HubSpot (CSV)" = maps!("hubspot_contacts");
    "mailchimp_cleaned": "cleaned contacts exported by Mailchimp (CSV)" = maps!("mailchimp_cleaned");
    "mailchimp_unsubscribed": "unsubscribed contacts exported by Mailchimp (CSV)" = maps!("mailchimp_unsubscribed");
    "mixpanel": "events of Mixpanel's raw export (NDJSON)" = maps!("mixpanel");
    "mixpanel_people": "user profiles exported by Mixpanel (NDJSON or JSON array of `$distinct_id` and `$properties`)" = maps!("mixpanel_people");
    "pendo_visitors": "visitors exported by Pendo (CSV, or objects with `visitorId` and `metadata`)" = maps!("pendo_visitors");
    "pinpoint_endpoints": "endpoints of a segment exported by Amazon Pinpoint (NDJSON)" = maps!("pinpoint_endpoints");
    "posthog": "events exported by PostHog, one a row" = Text::PostHog;
    "rudderstack": "RudderStack's event dumps (NDJSON)" = Text::Calls;
    "segment": "Segment's raw logs (NDJSON)" = Text::Calls;
    "sendgrid_bounces": "bounces or invalid emails exported by SendGrid (CSV), or as its API lists them" = maps!("sendgrid_bounces");
    "sendgrid_spam_reports": "spam reports exported by SendGrid (CSV), or as its API lists them" = maps!("sendgrid_spam_reports");
    "sendgrid_unsubscribes": "global unsubscribes exported by SendGrid (CSV), or as its API lists them" = maps!("sendgrid_unsubscribes");
    "ses_suppressions": "Amazon SES's account-level suppression list, as `aws sesv2 list-suppressed-destinations` prints it" = maps!("ses_suppressions");
    "stripe_customers": "Stripe's customers, as its dashboard (CSV) or its API (NDJSON) lists them" = maps!("stripe_customers");
    "stripe_subscriptions": "Stripe's subscriptions, as its dashboard (CSV) or its API (NDJSON) lists them" = maps!("stripe_subscriptions");
    "suppressions": "addresses with a reason of any mail service: columns such as email, reason and created_at" = maps!("suppressions");
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

    /// Returns what its rows become, and the place of their list in an object of JSON.
    pub fn rows(&self) -> (Rows, Option<Place>) {
        match self.text {
            Text::Calls => (Rows::Calls, None),
            Text::PostHog => (Rows::PostHog, None),
            // A test compiles all of them.
            Text::Maps(text) => {
                let (rows, list, _) = self.compile(text);
                (rows, list)
            }
        }
    }

    fn compile(&self, text: &str) -> (Rows, Option<Place>, Vec<crate::ConfigError>) {
        let mut errors = Vec::new();
        let report = &mut Reporter::new(self.name, text, &mut errors);
        let Some(Maps { map, suppress, list }) = report.parse::<Maps>() else {
            return (Rows::Maps(Vec::new()), None, errors);
        };
        let rows = if suppress.is_empty() {
            Rows::Maps(map.into_iter().map(|map| super::of_rows(self.name, None, map, report)).collect())
        } else {
            let maps = suppress.into_iter().filter_map(|map| super::of_addresses(self.name, None, map, report));
            Rows::Suppressions(maps.collect())
        };
        let list = list.and_then(|place| Place::parse(&place).ok());
        (rows, list, errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_compiles_and_they_are_in_order() {
        for format in FORMATS {
            if let Text::Maps(text) = format.text {
                let (rows, list, errors) = format.compile(text);
                let (Rows::Maps(maps) | Rows::Suppressions(maps)) = rows else { unreachable!() };
                assert!(errors.is_empty() && !maps.is_empty(), "{}: {errors:?}", format.name);
                assert_eq!(list.is_some(), text.contains("\nlist = "), "{}", format.name);
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
