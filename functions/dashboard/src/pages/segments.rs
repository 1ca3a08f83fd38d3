//! The segments.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::shell::{Page, Section};
use crate::ui;
use crate::url;
use crate::words;
use maud::html;
use perennial_views::segments;

/// Returns the page.
pub(crate) async fn page(deps: &Deps) -> Result<Page, Failure> {
    let view = segments::list(&deps.views).await?;
    let config = deps.views.config.current().await;
    let condition = |name: &str| {
        config
            .segments
            .get(name)
            .map(|(_, segment)| segment.when.source().split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let body = html! {
        @if view.segments.is_empty() {
            (ui::empty("There are no segments", &html! { code { "segments.toml" } " of the configuration has none." }))
        } @else {
            (ui::table("Segments", &html! {
                thead { tr { th scope="col" { "Segment" } th scope="col" { "Condition" } th.n scope="col" { "People" }
                    th.n scope="col" { "Net promoter score" } th.n scope="col" { "Retention target" }
                    th scope="col" { "Owner" } } }
                tbody { @for segment in &view.segments {
                    tr {
                        td { a href=(url::query("/people", &[("segment", &segment.name)])) {
                            (words::capital(&words::plain(&segment.name))) }
                            @if !segment.description.is_empty() { br; span.mute.small { (segment.description) } } }
                        td.mono.small { @if let Some(condition) = condition(&segment.name) { (condition) } }
                        td.n { (words::number(segment.people)) }
                        td.n { @if let Some(score) = segment.nps.score { (format!("{score:+.0}")) }
                            @else { span.mute { "–" } } }
                        td.n { @if let Some(target) = segment.retention_target { (target) " %" }
                            @else { span.mute { "–" } } }
                        td { @if let Some(owner) = &segment.owner { (ui::foreign(owner)) } @else { span.mute { "–" } } }
                    }
                } }
            }))
        }
    };
    let beside = html! { span.mute { "Counted " (ui::ago(Some(view.counted_at), view.now)) } };
    Ok(Page::new(Section::Segments, "Segments", view.now, body).beside(beside))
}
