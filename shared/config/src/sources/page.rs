//! Pages that stand for events: `page` and `screen` calls that count under an event's name.

use crate::error::Reporter;
use crate::spanned::Spanned;
use perennial_domain::page::{self, Pattern, Seen};
use perennial_domain::{Event, EventKind};
use serde::Deserialize;

/// A page, or a screen of an app, that stands for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The event that a view of it counts as.
    event: String,
    /// Patterns of paths.
    paths: Vec<Pattern>,
    /// Patterns of names.
    names: Vec<Pattern>,
    /// Patterns of categories, one of which has to fit too; any category where empty.
    categories: Vec<Pattern>,
}

/// All of them, in the file's order: the first that fits counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages(Vec<Page>);

/// A page, or a screen of an app, that stands for an event: a `page` or `screen` call that fits counts as this event instead of
/// "$page" or "$screen". It fits where one of its paths or one of its names does. The first page of the file that fits counts.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    /// The event that a view counts as.
    event: Spanned<String>,
    /// Paths, such as "/pricing". Compared without host, query, fragment, trailing slash, capitals, "index.html" and a leading
    /// language such as /en or /pt-BR; a route behind a # counts as a path. `*` stands for any text within a segment, and a
    /// segment `**` for any number of segments.
    #[serde(default)]
    path: Vec<Spanned<String>>,
    /// Names of the page or screen, such as "Pricing", without regard to capitals; `*` stands for any text.
    #[serde(default)]
    name: Vec<Spanned<String>>,
    /// Categories, one of which the page has to have too; `*` stands for any text. Any category where nothing is written.
    #[serde(default)]
    category: Vec<Spanned<String>>,
}

impl Pages {
    /// The event that a `page` or `screen` call counts as; `None` for other calls, and where no page fits.
    pub fn event_of(&self, event: &Event) -> Option<&str> {
        if self.0.is_empty() || !matches!(event.kind, EventKind::Page | EventKind::Screen) {
            return None;
        }
        let seen = Seen::of(event);
        self.0.iter().find(|page| page.fits(&seen)).map(|page| page.event.as_str())
    }

    /// The events that pages stand for, in the file's order; one may come several times.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|page| page.event.as_str())
    }
}

impl Page {
    fn fits(&self, seen: &Seen) -> bool {
        let place = seen.has_path(&self.paths) || seen.has_name(&self.names);
        place && (self.categories.is_empty() || seen.has_category(&self.categories))
    }
}

/// Checks and compiles the pages.
pub(super) fn load(raw: Vec<Spanned<RawPage>>, report: &mut Reporter<'_>) -> Pages {
    Pages(raw.into_iter().map(|raw| compile(raw, report)).collect())
}

fn compile(raw: Spanned<RawPage>, report: &mut Reporter<'_>) -> Page {
    let span = raw.span();
    let raw = raw.into_inner();
    report.event(&raw.event);
    let event = raw.event.get_ref();
    if event.starts_with('$') {
        report.at(raw.event.span(), format!("page: `{event}` is what a call counts as anyway; take an event's name"));
    }
    if raw.path.is_empty() && raw.name.is_empty() {
        report.at(span, format!("page of `{event}`: needs path or name"));
    }
    let mut patterns = |all: &[Spanned<String>], parse: fn(&str) -> Option<Pattern>, wrong: &str| {
        let mut compiled = Vec::new();
        for text in all {
            match parse(text.get_ref()) {
                Some(pattern) => compiled.push(pattern),
                None => report.at(text.span(), format!("page of `{event}`: `{}` {wrong}", text.get_ref())),
            }
        }
        compiled
    };
    Page {
        paths: patterns(&raw.path, page::path_pattern, "is no path: it begins with `/`, without host and query"),
        names: patterns(&raw.name, page::text_pattern, "is empty"),
        categories: patterns(&raw.category, page::text_pattern, "is empty"),
        event: raw.event.into_inner(),
    }
}
