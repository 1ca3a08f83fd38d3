//! A source's webhooks.

use crate::error::Reporter;
use crate::mapping::{Mapping, Place, RawMapping};
use crate::spanned::Spanned;
use crate::stored::{Deferred, Unreadable};
use perennial_domain::SourceId;
use serde::{Deserialize, Serialize};

/// The signature scheme of a source's webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Standard Webhooks, and Svix.
    Standard,
    /// Stripe.
    Stripe,
    /// GitHub, and other senders of `X-Hub-Signature-256`.
    Github,
    /// HubSpot, version 3.
    Hubspot,
    /// Zendesk.
    Zendesk,
    /// Zoom.
    Zoom,
}

impl Scheme {
    /// Returns whether the signature covers the value at a place.
    #[must_use]
    pub fn covers(self, place: &Place) -> bool {
        match place {
            Place::Body(_) => true,
            Place::Header(name) => self.signs(name),
        }
    }

    /// Returns whether the signature covers a header, given by its name in lower case. Anyone who has seen one webhook
    /// can change what it does not cover.
    fn signs(self, header: &str) -> bool {
        match self {
            Self::Standard => ["webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"].contains(&header),
            Self::Hubspot => header == "x-hubspot-request-timestamp",
            Self::Zoom => header == "x-zm-request-timestamp",
            Self::Zendesk => header == "x-zendesk-webhook-signature-timestamp",
            Self::Stripe | Self::Github => false,
        }
    }
}

/// How a source's webhooks, posted to `/hooks/ID`, are verified and read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// The signature scheme.
    pub scheme: Scheme,
    /// The environment variable with the signing secret, or several separated by white space while one is rotated.
    pub secret_env: String,
    maps: Deferred<Vec<Mapping>>,
}

impl Hook {
    /// Returns the mappings to events. Every mapping that matches makes one; a webhook that matches none is accepted
    /// and ignored.
    ///
    /// # Errors
    /// [`Unreadable`] if the configuration was loaded from damaged bytes.
    pub fn maps(&self) -> Result<&[Mapping], Unreadable> {
        self.maps.get().map(Vec::as_slice)
    }

    /// Returns the hook with other mappings.
    #[must_use]
    pub fn with_maps(self, maps: Vec<Mapping>) -> Self {
        Self { maps: maps.into(), ..self }
    }
}

pub(super) fn compile(
    id: &SourceId,
    scheme: Scheme,
    secret_env: Spanned<String>,
    maps: Vec<Spanned<RawMapping>>,
    report: &mut Reporter<'_>,
) -> Hook {
    let span = secret_env.span();
    let secret_env = secret_env.into_inner();
    let is_name =
        !secret_env.is_empty() && secret_env.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        report.at(span, format!("source `{id}`: secret_env names an environment variable, such as STRIPE_WEBHOOK_SECRET; the secret itself never stands in a file"));
    }
    let owner = format!("source `{id}`");
    let maps: Vec<Mapping> = maps.into_iter().map(|map| Mapping::compile(&owner, None, map, report)).collect();
    Hook { scheme, secret_env, maps: maps.into() }
}
