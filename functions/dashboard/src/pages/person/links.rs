//! The identities of a person, why they are linked, and the button that separates them.

use crate::shell::Frame;
use crate::ui::{self, Tone};
use crate::url;
use maud::{Markup, html};
use perennial_engine::joins::{Evidence, Limit};
use perennial_views::person::Found;
use perennial_views::profile::ProfileView;
use perennial_views::unmerge;
use perennial_views::who::{ApartView, Why};

/// Returns the identities with their links, and what was not merged.
pub(super) fn shown(found: &Found, view: &ProfileView<'_>, frame: Frame<'_>) -> Markup {
    html! {
        (identities(found, view, frame))
        @if !view.joins.is_empty() {
            h3 { "Why they are one person" }
            (ui::table("Links", &html! {
                thead { tr { th scope="col" { "Identity" } th scope="col" { "with" } th scope="col" { "Because of" }
                    th scope="col" { "When" } } }
                tbody { @for join in &view.joins {
                    tr { td.mono { (ui::foreign(&join.identity)) } td.mono { (ui::foreign(&join.with)) }
                        td { (evidence(join.evidence)) @if !join.shown.is_empty() { " " (ui::foreign(join.shown)) } }
                        td { (ui::time(join.at, view.now)) } }
                } }
            }))
        }
        @if !view.apart.is_empty() {
            h3 { "What does not link them with others" }
            (ui::table("Links that do not count", &html! {
                thead { tr { th scope="col" { "Identity" } th scope="col" { "Link" }
                    th scope="col" { "Why it does not count" } th scope="col" { "When" } } }
                tbody { @for apart in &view.apart {
                    tr {
                        td.mono { (ui::foreign(&apart.identity)) }
                        td { @if let Some(of) = apart.evidence { (evidence(of)) " " } (ui::foreign(apart.shown))
                            @if let Some(other) = &apart.other {
                            a href=(url::path(&["people", &other.to_string()])) { "the other profile" } } }
                        td { (why(apart)) }
                        td { (ui::time(apart.at, view.now)) }
                    }
                } }
            }))
        }
    }
}

fn identities(found: &Found, view: &ProfileView<'_>, frame: Frame<'_>) -> Markup {
    let action = url::path(&["people", &view.id.to_string(), "unmerge"]);
    ui::table(
        "Identities",
        &html! {
            thead { tr { th scope="col" { "Kind" } th scope="col" { "Id" } th scope="col" { "Linked since" }
                @if frame.visitor.role.may_act() { th scope="col" { "Does it belong to somebody else?" } } } }
            tbody {
                @for shown in &view.identities {
                    @let part = found.profile.parts.iter().find(|part| part.identity.as_str() == shown.id);
                    tr {
                        td { (shown.kind) }
                        td.mono { (ui::foreign(shown.id)) }
                        td { @if let Some(at) = shown.joined_at { (ui::time(at, view.now)) }
                            @else { span.mute { "–" } } }
                        @if frame.visitor.role.may_act() { td {
                            @if let Some(part) = part.filter(|part| unmerge::is_possible(&found.profile,
                                &part.identity)) {
                                details.act { summary.btn { "Unmerge" }
                                    form method="post" action=(action) {
                                        input type="hidden" name="token" value=(frame.token);
                                        input type="hidden" name="identity" value=(part.identity.to_string());
                                        @if frame.visitor.is_local { label { span { "Your name" }
                                            input name="by" required maxlength="200" autocomplete="name"; } }
                                        label { span { "Reason" } input name="why" required maxlength="200"; }
                                        p.small.mute { "The identity leaves with everything that it did, and earlier links no longer merge the two. Nothing is deleted." }
                                        button.btn.bad { "Unmerge " (ui::foreign(shown.id)) }
                                    }
                                }
                            } @else { span.mute { "Nothing else would remain" } }
                        } }
                    }
                }
            }
        },
    )
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Identify => "an identify call with both",
        Evidence::Alias => "an alias call",
        Evidence::Mail => "the same mail address",
        Evidence::External => "the same id in another system",
    }
}

fn why(apart: &ApartView<'_>) -> Markup {
    match &apart.why {
        Why::Shared => html! { "too many identities have this value" },
        Why::Limit(limit) => html! { "the merge would have exceeded a limit of identity.toml: " (limit_name(*limit)) },
        Why::GivenUp(_) => html! { "the address was given up; a later owner is another person" },
        Why::Severed => html! { (ui::tag(Tone::Warn, "unmerged")) " earlier links no longer count" },
        Why::Unverified => html! { "a public source reported it without the user's token" },
        Why::Parted { by, why } => {
            html! { (ui::tag(Tone::Warn, "unmerged")) " by " (ui::foreign(by))
            @if !why.is_empty() { ": " (ui::foreign(why)) } }
        }
    }
}

fn limit_name(limit: Limit) -> &'static str {
    match limit {
        Limit::Identities => "identities of a profile",
        Limit::UserIds => "user ids of a profile",
        Limit::AnonymousIds => "anonymous ids of a profile",
        Limit::Addresses => "mail addresses of a profile",
        Limit::ExternalIds => "ids in other systems of a profile",
    }
}
