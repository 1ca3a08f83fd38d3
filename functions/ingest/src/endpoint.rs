//! Which path is what.

use http::Method;
use perennial_contracts::tracking::Route;

/// The endpoint of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint<'a> {
    Call(Route),
    /// The hook of the source with this id.
    Hook(&'a str),
    /// The settings of analytics.js, for the write key in the path.
    Settings(&'a str),
    /// The settings of Rudder's browser SDK.
    SourceConfig,
    Health,
}

impl<'a> Endpoint<'a> {
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        if let Some(route) = Route::parse(path) {
            return Some(Self::Call(route));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some(source) = path.strip_prefix("/hooks/") {
            return (!source.is_empty() && !source.contains('/')).then_some(Self::Hook(source));
        }
        if let Some(key) = path.strip_prefix("/v1/projects/").and_then(|rest| rest.strip_suffix("/settings")) {
            return (!key.is_empty() && !key.contains('/')).then_some(Self::Settings(key));
        }
        match path {
            "/sourceConfig" => Some(Self::SourceConfig),
            "/v1/health" => Some(Self::Health),
            _ => None,
        }
    }

    /// The methods that it takes, `OPTIONS` aside.
    pub(crate) const fn methods(self) -> &'static [Method] {
        match self {
            Self::Call(_) => &[Method::POST],
            Self::Hook(_) => &[Method::POST, Method::GET, Method::HEAD],
            Self::Settings(_) | Self::SourceConfig | Self::Health => &[Method::GET, Method::HEAD],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        assert_eq!(Endpoint::parse("/hooks/stripe"), Some(Endpoint::Hook("stripe")));
        assert_eq!(Endpoint::parse("/v1/projects/k/settings"), Some(Endpoint::Settings("k")));
        assert_eq!(Endpoint::parse("/sourceConfig/"), Some(Endpoint::SourceConfig));
        assert_eq!(Endpoint::parse("/v1/health"), Some(Endpoint::Health));
        assert!(matches!(Endpoint::parse("/v1/batch"), Some(Endpoint::Call(_))));
        for path in
            ["/", "/hooks/", "/hooks/a/b", "/v1/projects//settings", "/v1/projects/a/b/settings", "/sourceConfigs"]
        {
            assert_eq!(Endpoint::parse(path), None, "{path}");
        }
    }
}
