//! The paths of the tracking API and their dialects.

use perennial_domain::EventKind;

/// The format of a body's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Segment's spec, which Rudder, Jitsu and Customer.io share.
    Segment,
    /// PostHog's capture API: `distinct_id`, and names that begin with a dollar.
    PostHog,
}

/// The kind of body that a path accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// One event of this kind; its own `type` is ignored.
    Single(EventKind),
    /// Events with their own kind: an array, an object with `batch`, or a single event.
    Batch(Dialect),
    /// A batch of historical events in Segment's format. Imported traits do not count as activity.
    Import,
}

impl Route {
    /// Returns the route of a path, with or without a trailing slash; `None` if it is not a call.
    ///
    /// | client | paths |
    /// |---|---|
    /// | server SDKs, Rudder's browser SDK | `/v1/identify`, `track`, `page`, `screen`, `group`, `alias`, `batch`, `import` |
    /// | analytics.js | `/v1/i`, `t`, `p` (page), `g`, `a`, `s` (screen), `b` (batch) |
    /// | Jitsu | `/api/s/…` with the same names |
    /// | PostHog | `/batch`, `/e`, `/i/v0/e`, `/capture` |
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if let "/batch" | "/e" | "/i/v0/e" | "/capture" = path {
            return Some(Self::Batch(Dialect::PostHog));
        }
        let call = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/api/s/"))?;
        Some(match call {
            "identify" | "i" => Self::Single(EventKind::Identify),
            "track" | "t" => Self::Single(EventKind::Track),
            "page" | "p" => Self::Single(EventKind::Page),
            "screen" | "s" => Self::Single(EventKind::Screen),
            "group" | "g" => Self::Single(EventKind::Group),
            "alias" | "a" => Self::Single(EventKind::Alias),
            "import" => Self::Import,
            "batch" | "b" => Self::Batch(Dialect::Segment),
            _ => return None,
        })
    }
}

impl Route {
    /// Returns the format of its bodies' events.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Batch(dialect) => dialect,
            Self::Single(_) | Self::Import => Dialect::Segment,
        }
    }
}

/// Returns the kind for a `type` field.
pub(crate) fn kind(name: &str) -> Option<EventKind> {
    Some(match name {
        "identify" => EventKind::Identify,
        "track" => EventKind::Track,
        "page" => EventKind::Page,
        "screen" => EventKind::Screen,
        "group" => EventKind::Group,
        "alias" => EventKind::Alias,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clients_paths_are_known() {
        for (path, kind) in [
            ("/v1/identify", EventKind::Identify),
            ("/v1/i", EventKind::Identify),
            ("/v1/t", EventKind::Track),
            ("/v1/p", EventKind::Page),
            ("/v1/s", EventKind::Screen),
            ("/v1/g", EventKind::Group),
            ("/v1/a", EventKind::Alias),
            ("/api/s/page", EventKind::Page),
            ("/v1/track/", EventKind::Track),
        ] {
            assert_eq!(Route::parse(path), Some(Route::Single(kind)), "{path}");
        }
        assert_eq!(Route::parse("/v1/import"), Some(Route::Import));
        for path in ["/v1/batch", "/v1/b"] {
            assert_eq!(Route::parse(path), Some(Route::Batch(Dialect::Segment)), "{path}");
        }
        for path in ["/batch/", "/e/", "/i/v0/e/", "/capture"] {
            assert_eq!(Route::parse(path), Some(Route::Batch(Dialect::PostHog)), "{path}");
        }
        for path in ["/", "/v1", "/v1/", "/v1/nothing", "/v2/track", "/other"] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }
}
