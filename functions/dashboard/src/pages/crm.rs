//! The updates of a CRM's record, of an account or a person.

use crate::ui;
use crate::words;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_store::updates::UpdateRecord;

/// Updates that are shown at first.
const UPDATES: usize = 5;

/// Returns the updates, the newest first.
pub(crate) fn shown(updates: &[UpdateRecord], now: Timestamp) -> Markup {
    if updates.is_empty() {
        return html! { p.mute { "None in the last 90 days." } };
    }
    let (newest, rest) = updates.split_at(UPDATES.min(updates.len()));
    html! {
        (table("Updates of the CRM", newest, now))
        @if !rest.is_empty() { details { summary { (words::number(rest.len() as u64)) " earlier" }
            (table("Earlier updates of the CRM", rest, now)) } }
    }
}

fn table(label: &str, updates: &[UpdateRecord], now: Timestamp) -> Markup {
    ui::table(
        label,
        &html! {
            thead { tr { th scope="col" { "When" } th scope="col" { "To" } th scope="col" { "Fields" }
                th scope="col" { "State" } } }
            tbody { @for update in updates {
                tr {
                    td { (ui::time(update.decided_at, now)) }
                    td { (update.endpoint) }
                    td.small { @for (at, (name, value)) in update.fields.iter().enumerate() { @if at > 0 { " · " }
                        span.mute { (ui::foreign(name)) " " } (ui::value(value)) } }
                    td { (words::state(update.state))
                        @if let Some(detail) = &update.detail { br; span.mute.small { (ui::foreign(detail)) } } }
                }
            } }
        },
    )
}
