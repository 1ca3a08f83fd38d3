//! Pages that count as events: page views under an event's name.

use crate::error::Reporter;
use crate::position::line_and_column;
use crate::spanned::Spanned;
use perennial_domain::Event;
use perennial_domain::page::{self, Pattern, Seen};
use serde::{Deserialize, Serialize};

/// A page, or a screen of an app, that counts as an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// All pages, in the file's order: the first match counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages(Vec<Page>);

/// A page, or a screen of an app, that counts as an event: a matching `page` or `screen` call, or an equivalent `track`
/// call ("$pageview", "Page Viewed", "Viewed Pricing Page"), is counted as this event instead. It matches if one of its
/// paths or names does. The first matching page of the file counts.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    /// The event that a view counts as.
    event: Spanned<String>,
    /// Paths, such as "/pricing". Compared without host, query, fragment, trailing slash, capitals, "index.html" and a
    /// leading language or country such as /en, /pt-BR or /us/en; a route behind a # counts as a path. `*` matches any
    /// text within a segment, and a segment `**` any number of segments.
    #[serde(default)]
    path: Vec<Spanned<String>>,
    /// Names of the page or screen, such as "Pricing", compared without case; `*` matches any text.
    #[serde(default)]
    name: Vec<Spanned<String>>,
    /// Categories, one of which the page must also have; `*` matches any text; default: any category.
    #[serde(default)]
    category: Vec<Spanned<String>>,
}

impl Pages {
    /// Returns the event that a `page` or `screen` call, or an equivalent `track` call, counts as; `None` for other
    /// calls, and if no page matches.
    pub fn event_of(&self, event: &Event) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let seen = Seen::of(event)?;
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
    let mut uses = Vec::new();
    Pages(raw.into_iter().map(|raw| compile(raw, &mut uses, report)).collect())
}

/// A path or name of a page, which hides it from later pages of the same categories.
struct Use {
    /// `path` or `name`.
    field: &'static str,
    pattern: Pattern,
    categories: Vec<Pattern>,
    line: usize,
}

fn compile(raw: Spanned<RawPage>, uses: &mut Vec<Use>, report: &mut Reporter<'_>) -> Page {
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
                Some(pattern) => compiled.push((pattern, text.clone())),
                None => report.at(text.span(), format!("page of `{event}`: `{}` {wrong}", text.get_ref())),
            }
        }
        compiled
    };
    let paths = patterns(&raw.path, page::path_pattern, "is no path: it begins with `/`, without host and query");
    let names = patterns(&raw.name, page::text_pattern, "is empty");
    let categories = patterns(&raw.category, page::text_pattern, "is empty");
    let categories: Vec<Pattern> = categories.into_iter().map(|(pattern, _)| pattern).collect();
    for (field, all) in [("path", &paths), ("name", &names)] {
        for (pattern, text) in all {
            let hides = |earlier: &&Use| {
                let is_same = (earlier.field, &earlier.pattern) == (field, pattern);
                is_same && (earlier.categories.is_empty() || earlier.categories == categories)
            };
            match uses.iter().find(hides) {
                Some(Use { line, .. }) => {
                    report
                        .at(text.span(), format!("duplicate {field} `{}`, first used at line {line}", text.get_ref()));
                }
                None => uses.push(Use {
                    field,
                    pattern: pattern.clone(),
                    categories: categories.clone(),
                    line: line_and_column(report.text(), text.span().start).0,
                }),
            }
        }
    }
    let only = |all: Vec<(Pattern, _)>| all.into_iter().map(|(pattern, _)| pattern).collect();
    Page { paths: only(paths), names: only(names), categories, event: raw.event.into_inner() }
}
