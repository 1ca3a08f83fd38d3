//! A person's journeys, messages, traits and activity as tables.

use crate::ui::{self, Tone};
use crate::url;
use crate::words::{self, Fate};
use maud::{Markup, html};
use perennial_views::profile::ProfileView;

/// Returns the journeys that the person entered.
pub(super) fn journeys(view: &ProfileView<'_>) -> Markup {
    if view.journeys.is_empty() {
        return html! { p.mute { "They have entered none." } };
    }
    ui::table(
        "Journeys",
        &html! {
            thead { tr { th scope="col" { "Journey" } th.n scope="col" { "Times" } th scope="col" { "Last entered" }
                th scope="col" { "Goal" } th scope="col" { "Now" } } }
            tbody { @for journey in &view.journeys {
                tr {
                    td { (ui::journey(journey.name)) }
                    td.n { (journey.times) }
                    td { (ui::ago(journey.entered, view.now)) }
                    td { @if let Some(at) = journey.reached { (ui::tag(Tone::Good, "reached")) " "
                        (ui::ago(Some(at), view.now)) } @else { span.mute { "–" } } }
                    td {
                        @match &journey.waits {
                            Some(waits) => {
                                @if let Some(step) = waits.step { "at " code { (step) } }
                                @if let Some(until) = waits.until { ", until " (ui::time(until, view.now)) }
                            },
                            None => span.mute { "not in progress" },
                        }
                    }
                }
            } }
        },
    )
}

/// Returns the messages with their states.
pub(super) fn messages(view: &ProfileView<'_>) -> Markup {
    if view.messages.is_empty() {
        return html! { p.mute { "No message was decided for them yet." } };
    }
    html! {
        (ui::table("Messages", &html! {
            thead { tr { th scope="col" { "Decided" } th scope="col" { "Message" } th scope="col" { "Journey" }
                th scope="col" { "State" } } }
            tbody { @for message in &view.messages {
                @let record = &message.record;
                tr {
                    td { (ui::time(record.decided_at, view.now)) }
                    td {
                        (words::capital(words::channel(record.channel))) " " code { (record.template) }
                        @if let Some(subject) = &record.subject { br; "“" (ui::foreign(subject)) "”" }
                        @if let Some(text) = &record.text { details { summary { "Text" }
                            p.text { (ui::foreign(text)) } } }
                    }
                    td { (ui::journey(&record.journey)) }
                    td {
                        @let tone = match words::fate(record.state) { Fate::Sent => Tone::Good,
                            Fate::UnderWay => Tone::Plain, Fate::Withheld => Tone::Warn, Fate::Failed => Tone::Bad };
                        (ui::tag(tone, words::state(record.state)))
                        @if let Some(detail) = &record.detail { br; span.mute.small { (ui::foreign(detail)) } }
                    }
                }
            } }
        }))
        @if view.unreadable_messages >
            0 { p.mute { (words::counted(view.unreadable_messages, "message", "messages")) " cannot be read." } }
    }
}

/// Returns the traits.
pub(super) fn traits(view: &ProfileView<'_>) -> Markup {
    if view.traits.is_empty() {
        return html! { p.mute { "None are known." } };
    }
    html! {
        dl { @for (name, value) in &view.traits { dt { (ui::foreign(name)) } dd { (ui::value(value)) } } }
        @if view.dropped_traits_count >
            0 { p.mute.small { (words::counted(view.dropped_traits_count.into(), "trait was", "traits were"))
            " too large to be kept whole." } }
    }
}

/// Returns accounts, subscriptions, active days and the numbers of events.
pub(super) fn activity(view: &ProfileView<'_>) -> Markup {
    let mut counts: Vec<(&str, u32)> = view.counts.iter().map(|(name, count)| (*name, *count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    html! {
        dl {
            dt { "Active days" } dd { (view.active_days.last_7) " of 7 · " (view.active_days.last_28) " of 28 · "
                (view.active_days.last_90) " of 90" }
            dt { "Last seen" } dd { (ui::ago(view.last_seen, view.now)) }
            @for membership in &view.memberships {
                dt { @if membership.primary { "Account" } @else { "Also in" } }
                dd { a href=(url::path(&["accounts", membership.account.as_str()])) {
                    (ui::foreign(membership.account.as_str())) } }
            }
            @for subscription in &view.subscriptions {
                dt { "Subscription" }
                dd { (words::plain(subscription.is))
                    @if let Some(plan) = &subscription.plan { " · " (ui::foreign(plan)) }
                    @if let Some(at) = subscription.renews_at { " · renews " (ui::ago(Some(at), view.now)) } }
            }
            @for (currency, minor) in &view.revenue { dt { "Paid so far" } dd { (words::money(*minor, *currency)) } }
        }
        @if counts.is_empty() { p.mute { "No events yet." } } @else {
            details { summary { (words::number(view.events)) " events, by name" }
                (ui::table("Events by name", &html! {
                    thead { tr { th scope="col" { "Event" } th.n scope="col" { "Times" } } }
                    tbody { @for (name, count) in &counts { tr { td { (ui::foreign(name)) }
                        td.n { (words::number((*count).into())) } } } }
                }))
            }
        }
    }
}
