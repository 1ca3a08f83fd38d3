//! Pages and screens of `page` and `screen` calls, and patterns of their paths and names.
//!
//! One page is written in many ways: with host and query, with a trailing slash, behind a `#`, below a language, in
//! capitals. All are normalized before they are compared.

mod locale;
mod track;

use crate::event::{Event, EventKind, Properties};
use serde::{Deserialize, Serialize};

/// The longest path or URL that is looked at, in bytes.
const MAX_BYTES: usize = 2048;
/// The properties that contain a path, named by analytics.js, PostHog, Google Analytics, Mixpanel, Snowplow and
/// Amplitude.
const PATHS: [&str; 7] =
    ["path", "$pathname", "pathname", "page_path", "current_url_path", "page_urlpath", "[Amplitude] Page Path"];
/// The properties that contain a URL, likewise.
const URLS: [&str; 7] = [
    "url",
    "$current_url",
    "current_url",
    "page_url",
    "page_location",
    "[Amplitude] Page URL",
    "[Amplitude] Page Location",
];
/// The properties that contain the name of a page or screen, likewise.
const NAMES: [&str; 4] = ["name", "$screen_name", "screen_name", "page_name"];

/// A pattern of paths, names or categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern(Vec<String>);

/// Parses a pattern of paths, such as `/pricing` or `/blog/**`; `None` if it does not begin with a slash, or has a
/// query.
pub fn path_pattern(text: &str) -> Option<Pattern> {
    let text = text.trim();
    let fits = text.starts_with('/') && !text.contains(['?', '#']) && text.len() <= MAX_BYTES;
    fits.then(|| Pattern(segments(text)))
}

/// Parses a pattern of names; `None` if it is empty.
pub fn text_pattern(text: &str) -> Option<Pattern> {
    let text = plain(text);
    (!text.is_empty()).then(|| Pattern(vec![text]))
}

/// A page view from a `page` or `screen` call, or an equivalent `track` call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Segments of each path that the page has: the path itself, and that without a leading language or country.
    paths: Vec<Vec<String>>,
    names: Vec<String>,
    categories: Vec<String>,
}

impl Seen {
    /// Returns the page view of a call: `properties.path` and `.url`, else those of `context.page`; its name,
    /// `properties.name` and `.category`, under all names that analytics tools use. `None` if the call is not a page
    /// view.
    ///
    /// A `track` call is a page view if its event has a tool's name for one (`$pageview`, `Page Viewed`, `Viewed
    /// Pricing Page`).
    pub fn of(event: &Event) -> Option<Self> {
        let name = event.event.as_ref().map(|name| name.as_str());
        let name = match event.kind {
            EventKind::Page | EventKind::Screen => name,
            EventKind::Track => track::view_of(name?)?.name,
            EventKind::Identify | EventKind::Group | EventKind::Alias => return None,
        };
        let mut seen = Self::default();
        seen.add_paths(&event.properties);
        if seen.paths.is_empty()
            && let Some(page) = event.context.get("page").and_then(|page| page.as_object())
        {
            seen.add_paths(page);
        }
        let property = |name: &str| event.properties.get(name).and_then(|value| value.as_str());
        seen.categories = property("category").into_iter().map(plain).collect();
        seen.names = name.into_iter().chain(NAMES.iter().filter_map(|name| property(name))).map(plain).collect();
        if event.kind == EventKind::Track
            && let Some(category) = seen.categories.first()
            && let Some(rest) = seen.names.first().and_then(|name| name.strip_prefix(&format!("{category} ")))
        {
            // In `Viewed Docs Pricing page` the first word may be the category.
            seen.names.push(rest.to_owned());
        }
        Some(seen)
    }

    fn add_paths(&mut self, properties: &Properties) {
        let text = |name: &&str| properties.get(*name).and_then(|value| value.as_str()).map(str::trim);
        for path in PATHS.iter().filter_map(text) {
            self.add(path);
        }
        for url in URLS.iter().filter_map(text) {
            self.add(without_host(url));
        }
    }

    /// Adds a path with its query and fragment.
    fn add(&mut self, text: &str) {
        if text.is_empty() || text.len() > MAX_BYTES {
            return;
        }
        let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
        // A path may be given as a whole address.
        self.add_path(if path.contains("://") { without_host(path) } else { path });
        // Routers without a server keep the route behind a `#` or `#!`.
        if let Some(route) = Some(fragment.trim_start_matches('!')).filter(|route| route.starts_with('/')) {
            self.add_path(route);
        }
    }

    fn add_path(&mut self, path: &str) {
        let path = path.split(['?', '#', ';']).next().unwrap_or_default();
        let segments = segments(&decoded(path));
        for skipped in 1..=locale::length(&segments) {
            self.insert(segments[skipped..].to_vec());
        }
        self.insert(segments);
    }

    fn insert(&mut self, segments: Vec<String>) {
        if !self.paths.contains(&segments) {
            self.paths.push(segments);
        }
    }

    /// Returns whether a pattern matches one of its paths.
    pub fn has_path(&self, patterns: &[Pattern]) -> bool {
        patterns.iter().any(|pattern| self.paths.iter().any(|path| path_fits(&pattern.0, path)))
    }

    /// Returns whether a pattern matches one of its names.
    pub fn has_name(&self, patterns: &[Pattern]) -> bool {
        text_fits(patterns, &self.names)
    }

    /// Returns whether a pattern matches its category.
    pub fn has_category(&self, patterns: &[Pattern]) -> bool {
        text_fits(patterns, &self.categories)
    }
}

/// The address without scheme and host.
fn without_host(url: &str) -> &str {
    let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
    match rest {
        Some(rest) => rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..]),
        // `acme.example/pricing`
        None if !url.starts_with(['/', '#', '?']) => url.find(['/', '?', '#']).map_or("/", |at| &url[at..]),
        None => url,
    }
}

/// Returns the segments of a path in lower case, without empty ones and index pages.
fn segments(path: &str) -> Vec<String> {
    let mut all: Vec<String> =
        path.split('/').map(str::trim).filter(|segment| !segment.is_empty()).map(str::to_lowercase).collect();
    if let Some(last) = all.last_mut() {
        for suffix in [".html", ".htm", ".php", ".aspx"] {
            if let Some(name) = last.strip_suffix(suffix).map(str::to_owned) {
                *last = name;
                break;
            }
        }
        if *last == "index" {
            all.pop();
        }
    }
    all
}

/// The path with `%41` as `A`; as it is where that is no text.
fn decoded(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.first_chunk::<2>().filter(|_| *first == b'%');
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// A name in lower case, with single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn path_fits(pattern: &[String], path: &[String]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|skipped| path_fits(rest, &path[skipped..])),
        Some((first, rest)) => {
            path.split_first().is_some_and(|(segment, after)| matches(first, segment) && path_fits(rest, after))
        }
    }
}

fn text_fits(patterns: &[Pattern], texts: &[String]) -> bool {
    let fits = |pattern: &Pattern, text: &str| pattern.0.iter().all(|one| matches(one, text));
    patterns.iter().any(|pattern| texts.iter().any(|text| fits(pattern, text)))
}

/// Returns whether `text` matches `pattern`, in which `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn seen(name: Option<&str>, properties: Value, context: Value) -> Seen {
        called("page", name, properties, context).unwrap()
    }

    fn called(kind: &str, name: Option<&str>, properties: Value, context: Value) -> Option<Seen> {
        let event = json!({"messageId": "m", "type": kind, "userId": "u", "timestamp": "2026-01-01T00:00:00Z",
            "receivedAt": "2026-01-01T00:00:00Z", "source": "web", "event": name, "properties": properties, "context": context});
        Seen::of(&serde_json::from_value(event).unwrap())
    }

    fn at(path: &str) -> Seen {
        seen(None, json!({"path": path}), json!({}))
    }

    fn fits(pattern: &str, seen: &Seen) -> bool {
        seen.has_path(&[path_pattern(pattern).unwrap()])
    }

    #[test]
    fn one_page_is_recognised_in_all_of_its_spellings() {
        for path in [
            "/pricing",
            "/pricing/",
            "/Pricing",
            "//pricing",
            "/pricing?plan=pro",
            "/pricing/?utm_source=mail#faq",
            "/pricing#faq",
            "/en/pricing",
            "/en-US/pricing/",
            "/pt_BR/pricing",
            "/zh-hant/pricing",
            "/es-419/pricing",
            "/us/pricing",
            "/us/en/pricing/",
            "/en/us/pricing?x=1",
            "/intl/de/pricing",
            "/#/us/en/pricing",
            "/app#/pricing",
            "https://acme.example/us/en/pricing.html",
            "/de/pricing.html",
            "/pricing/index.html",
            "/#/pricing",
            "/#!/pricing?x=1",
            "#/en/pricing",
            "/%70ricing",
            "/pricing;jsessionid=1",
            " /pricing ",
            "pricing",
            "https://acme.example/pricing?x=1",
        ] {
            assert!(fits("/pricing", &at(path)), "{path}");
        }
        for path in [
            "/",
            "",
            "/pricing-strategy",
            "/blog/pricing",
            "/pricing/enterprise",
            "/docs/pricing",
            "/qq/pricing",
            "/en/docs/pricing",
            "/us/en/gb/pricing",
            "/?page=/pricing",
            "/#pricing",
        ] {
            assert!(!fits("/pricing", &at(path)), "{path}");
        }
    }

    #[test]
    fn the_path_is_found_where_clients_write_it() {
        for (properties, context) in [
            (json!({"url": "https://www.acme.example/pricing?x=1"}), json!({})),
            (json!({"url": "https://acme.example/pricing"}), json!({})),
            (json!({"url": "acme.example/pricing"}), json!({})),
            (json!({"url": "//acme.example/pricing/"}), json!({})),
            (json!({"path": "/", "url": "https://acme.example/#/pricing"}), json!({})),
            (json!({"$current_url": "https://acme.example/pricing"}), json!({})),
            (json!({"$pathname": "/pricing"}), json!({})),
            (json!({}), json!({"page": {"path": "/pricing"}})),
            (json!({"path": null}), json!({"page": {"url": "https://acme.example/pricing"}})),
        ] {
            assert!(fits("/pricing", &seen(None, properties.clone(), context.clone())), "{properties} {context}");
        }
        let own = seen(None, json!({"path": "/home"}), json!({"page": {"path": "/pricing"}}));
        assert!(!fits("/pricing", &own), "what the call itself says counts");
        assert!(!fits("/pricing", &seen(None, json!({"path": 7, "url": ["x"]}), json!({"page": "x"}))));
    }

    #[test]
    fn a_track_call_that_stands_for_a_page_view_is_read_as_one() {
        for (event, properties) in [
            ("$pageview", json!({"$current_url": "https://acme.example/pricing?x=1", "$pathname": "/pricing"})),
            ("Page Viewed", json!({"path": "/pricing"})),
            ("Viewed Page", json!({"url": "https://acme.example/pricing"})),
            ("Viewed Price List Page", json!({"path": "/us/en/pricing"})),
            ("$mp_web_page_view", json!({"current_url_path": "/pricing"})),
            ("[Amplitude] Page Viewed", json!({"[Amplitude] Page Location": "https://acme.example/pricing?x=1"})),
            ("[Amplitude] Page Viewed", json!({"[Amplitude] Page Path": "/pricing"})),
            ("page_view", json!({"page_location": "https://acme.example/de/pricing"})),
            ("page_view", json!({"page_urlpath": "/pricing"})),
            ("Pageview", json!({"path": "/pricing"})),
        ] {
            let seen = called("track", Some(event), properties.clone(), json!({}));
            assert!(seen.is_some_and(|seen| fits("/pricing", &seen)), "{event} {properties}");
        }
        let by_context = called("track", Some("Loaded a Page"), json!({}), json!({"page": {"path": "/pricing"}}));
        assert!(by_context.is_some_and(|seen| fits("/pricing", &seen)));
        let named = |event: &str, properties: Value| {
            let seen = called("track", Some(event), properties, json!({})).unwrap();
            seen.has_name(&[text_pattern("Pricing").unwrap()])
        };
        assert!(
            named("Viewed Pricing Page", json!({})) && named("Viewed Sales Pricing page", json!({"category": "Sales"}))
        );
        assert!(named("$screen", json!({"$screen_name": "Pricing"})) && !named("Viewed Sales Pricing page", json!({})));
    }

    #[test]
    fn other_calls_are_no_page_views_whatever_page_they_were_made_on() {
        let context = json!({"page": {"path": "/pricing"}});
        for (kind, event) in
            [("track", Some("Report Shared")), ("track", Some("Pricing Page Viewed")), ("identify", None)]
        {
            assert_eq!(called(kind, event, json!({"path": "/pricing"}), context.clone()), None, "{kind} {event:?}");
        }
    }

    #[test]
    fn stars_stand_for_text_within_a_segment_and_two_for_any_number_of_segments() {
        for (pattern, path, expected) in [
            ("/blog/*", "/blog/churn", true),
            ("/blog/*", "/blog", false),
            ("/blog/*", "/blog/2026/churn", false),
            ("/blog/**", "/blog/2026/05/churn/", true),
            ("/blog/**", "/en/blog", true),
            ("/blog/*/**", "/blog", false),
            ("/**/cancel", "/settings/billing/cancel", true),
            ("/**/cancel", "/cancel", true),
            ("/pricing-*", "/pricing-for-teams", true),
            ("/*-pricing", "/team-pricing", true),
            ("/a*b*c", "/aXbYc", true),
            ("/a*b*c", "/acb", false),
            ("/", "/", true),
            ("/", "/en", true),
            ("/*", "/x", true),
        ] {
            assert_eq!(fits(pattern, &at(path)), expected, "{pattern} {path}");
        }
        for wrong in ["pricing", "", "https://acme.example/pricing", "/pricing?x", "/#/pricing"] {
            assert_eq!(path_pattern(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn screens_are_recognised_by_name_and_category() {
        let screen = seen(Some("Pricing  Page"), json!({"category": "Sales", "name": "Prices"}), json!({}));
        let has = |name: &str| screen.has_name(&[text_pattern(name).unwrap()]);
        assert!(has("pricing page") && has("Pricing*") && has("prices") && !has("pricing"));
        assert!(
            screen.has_category(&[text_pattern("sales").unwrap()])
                && !screen.has_category(&[text_pattern("docs").unwrap()])
        );
        assert_eq!(text_pattern("  "), None);
    }
}
