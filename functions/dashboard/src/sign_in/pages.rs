//! The pages of signing in and out. They contain no data of customers.

use super::Refusal;
use crate::role::{NoRole, Rules};
use crate::shell;
use crate::ui;
use crate::words;
use http::{Response, StatusCode};
use lambda_http::Body;
use maud::{Markup, html};

/// Returns the page after signing out. `provider` is the page on which people sign out of the provider itself.
pub(super) fn signed_out(provider: Option<&str>) -> Response<Body> {
    let body = html! {
        p { "Your session in this browser has ended." }
        @if let Some(provider) = provider {
            p { "Your identity provider may still know you, and sign you in again without asking. On a computer that others use, "
                a href=(provider) rel="noreferrer" { "sign out there as well" } "." }
        }
        (another())
    };
    shell::alone("You are signed out", StatusCode::OK, &body)
}

/// Returns the page of a sign-in that led to no session.
pub(super) fn refused(refusal: &Refusal, rules: &Rules) -> Response<Body> {
    match refusal {
        Refusal::Lost => {
            let body = html! {
                p { "A sign-in has to be finished within ten minutes, in the browser and the tab in which it began. This one was not, or a later one replaced it." }
                (again())
            };
            shell::alone("Please sign in again", StatusCode::BAD_REQUEST, &body)
        }
        Refusal::Provider(said) => {
            let body =
                html! { p { "Your identity provider did not sign you in. It says: " (ui::foreign(said)) } (again()) };
            shell::alone("You are not signed in", StatusCode::FORBIDDEN, &body)
        }
        Refusal::Oidc(error) if error.is_outage() => {
            let body = html! {
                p { "Nobody can sign in at the moment. Who is signed in is not affected." }
                p.mute { (words::sentence(&error.to_string())) }
                (again())
            };
            shell::alone("The identity provider does not answer", StatusCode::SERVICE_UNAVAILABLE, &body)
        }
        Refusal::Oidc(error) => {
            let body = html! {
                p { "The answer of the identity provider was not accepted. If it stays, the settings of the two do not match." }
                p.mute { (words::sentence(&error.to_string())) }
                (again())
            };
            shell::alone("You are not signed in", StatusCode::FORBIDDEN, &body)
        }
        Refusal::NoRole(none) => shell::alone("You have no access", StatusCode::FORBIDDEN, &no_role(none, rules)),
    }
}

fn no_role(none: &NoRole, rules: &Rules) -> Markup {
    html! {
        p { "You are known to the identity provider, but have no role here. Ask whoever manages your groups for one of these:" }
        dl {
            @for (role, members) in rules.needed() {
                dt { (words::capital(role.as_str())) }
                dd { @for (at, member) in members.iter().enumerate() { @if at > 0 { ", " } code { (ui::foreign(member)) } } }
            }
        }
        p {
            "The claim " code { (ui::foreign(rules.claim())) } " of your token "
            @if none.seen.is_empty() { "names no group." } @else {
                "names " @for (at, name) in none.seen.iter().enumerate() { @if at > 0 { ", " } code { (ui::foreign(name)) } }
                @if none.more > 0 { " and " (words::number(none.more as u64)) " more" } "."
            }
        }
        @if none.left_out {
            p { "The provider left groups out because there are too many. With Microsoft Entra, let the token contain only the groups assigned to the application, or use app roles and the claim " code { "roles" } "." }
        }
        (another())
    }
}

fn again() -> Markup {
    html! { p { a.btn.p href="/sign-in" { "Sign in" } } }
}

/// Returns the button of a sign-in for which the provider asks who it is, as another person may be at this browser.
fn another() -> Markup {
    html! { p { a.btn.p href="/sign-in?again=yes" { "Sign in" } } }
}
