//! The list of reports.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::html;
use perennial_views::reports;

/// Returns the page.
pub(crate) async fn page(deps: &Deps) -> Result<Page, Failure> {
    let view = reports::list(&deps.views).await?;
    let body = html! {
        @if view.made.is_none() {
            (ui::note(Tone::Plain, &html! { b { "The reports were not made yet. " }
                "They are made once a day; " code { "perennial report --now" } " makes them at once." }))
        }
        ul.cards { @for report in &view.reports {
            li.card { h2 { a href=(url::path(&["reports", report.name])) {
                (words::capital(&words::plain(report.name))) } } p.mute { (words::sentence(report.description)) } }
        } }
    };
    Ok(Page::new(Section::Reports, "Reports", view.now, body))
}
