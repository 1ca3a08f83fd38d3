//! The parts that pages are made of.

use crate::url::path;
use crate::words;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_domain::text::cut;
use perennial_domain::{Score, Stage};
use serde_json::Value;

/// The tone of a tag or a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => " good",
            Self::Warn => " warn",
            Self::Bad => " bad",
        }
    }
}

/// Returns a short label.
pub(crate) fn tag(tone: Tone, text: &str) -> Markup {
    html! { span class={ "tag" (tone.class()) } { (text) } }
}

/// Returns a stage as a label.
pub(crate) fn stage(stage: Stage) -> Markup {
    let tone = match stage {
        Stage::AtRisk | Stage::Churned => Tone::Warn,
        Stage::Onboarding | Stage::Adopting | Stage::Established | Stage::WonBack => Tone::Good,
        Stage::Visitor | Stage::Lead | Stage::Trial | Stage::Freemium => Tone::Plain,
    };
    tag(tone, &words::stage(stage))
}

/// Returns text of others, whose direction must not change that of what is around it.
pub(crate) fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// The most characters of a value that are shown.
const MOST: usize = 300;

/// Returns a value of others: text as it is, everything else as JSON; `–` for none.
pub(crate) fn value(value: &Value) -> Markup {
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    foreign(&cut(&text, MOST))
}

/// Returns a moment that the script writes in the reader's zone.
pub(crate) fn time(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) title=(format!("{} UTC",
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%-d %B %Y %H:%M"))) { (words::moment(at, now)) } }
}

/// Returns how long ago a moment was; the moment itself is its title.
pub(crate) fn ago(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @match at {
            Some(at) => time datetime=(at.to_string())
                data-ago title=(words::moment(at, now)) { (words::distance(at, now)) },
            None => span.mute { "never" },
        }
    }
}

/// Returns a link to a person.
pub(crate) fn person(id: &str, name: &str) -> Markup {
    html! { a href=(path(&["people", id])) { (foreign(name)) } }
}

/// Returns a link to an account.
pub(crate) fn account(id: &str, name: Option<&str>) -> Markup {
    html! { a href=(path(&["accounts", id])) { (foreign(name.unwrap_or(id))) } }
}

/// Returns a link to a journey.
pub(crate) fn journey(id: &str) -> Markup {
    html! { a href=(path(&["journeys", id])) { (words::plain(id)) } }
}

/// Returns a bar from 0 to 100. `is_bad` colours it as a warning. The number stands beside it, so it is hidden from screen
/// readers.
pub(crate) fn bar(value: u8, is_bad: bool) -> Markup {
    html! {
        svg class={ "bar" @if is_bad { " bad" } }
            viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track width="100" height="8" {}
            rect.fill width=(value.min(100)) height="8" {}
        }
    }
}

/// Returns a score as a number with a bar; a dash without one.
pub(crate) fn score(value: Option<Score>, is_bad: bool) -> Markup {
    html! {
        @match value {
            Some(value) => span.meter { b { (value.get()) } (bar(value.get(), is_bad)) },
            None => span.mute { "–" },
        }
    }
}

/// Returns a figure with its label, and what it compares with.
pub(crate) fn figure(label: &str, value: &str, below: &Markup) -> Markup {
    html! { div.card.figure { span.mute { (label) } strong { (value) } span.below { (below) } } }
}

/// Returns what stands where there is nothing yet.
pub(crate) fn empty(title: &str, text: &Markup) -> Markup {
    html! { div.empty { b { (title) } p { (text) } } }
}

/// Returns a note above a page's content.
pub(crate) fn note(tone: Tone, body: &Markup) -> Markup {
    html! { div class={ "note" (tone.class()) } role="status" { (body) } }
}

/// Returns a note about what cannot be read; nothing if everything can.
pub(crate) fn unreadable(count: u64, one: &str, many: &str) -> Markup {
    html! {
        @if count > 0 {
            (note(Tone::Warn, &html! { (words::counted(count, one, many)) " cannot be read, and are not shown." }))
        }
    }
}

/// Returns a table that scrolls by itself where it is wider than the page. `label` names it for screen readers.
pub(crate) fn table(label: &str, body: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { table { (body) } } }
}

/// Returns the links below a page of a list.
pub(crate) fn pager(first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pager aria-label="Pages" {
                @if let Some(first) = first { a.btn href=(first) { "First page" } }
                @if let Some(next) = next { a.btn rel="next" href=(next) { "Next page" } }
            }
        }
    }
}
