//! The frame of every page.

use crate::answer::{self, Failure};
use crate::asset::ADDRESSES;
use crate::read::Read;
use crate::ui;
use crate::visitor::Visitor;
use http::{Response, StatusCode};
use jiff::Timestamp;
use lambda_http::Body;
use maud::{DOCTYPE, Markup, html};

/// A section of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    People,
    Accounts,
    Journeys,
    Experiments,
    Segments,
    Reports,
    Operations,
    Audit,
    /// A page that is in none of them.
    Elsewhere,
}

/// An entry of the navigation: its section, path and label.
type Link = (Section, &'static str, &'static str);

/// The navigation: headings, and the sections below each.
const NAVIGATION: [(&str, &[Link]); 4] = [
    (
        "",
        &[
            (Section::Overview, "/", "Overview"),
            (Section::People, "/people", "People"),
            (Section::Accounts, "/accounts", "Accounts"),
        ],
    ),
    (
        "Engage",
        &[
            (Section::Journeys, "/journeys", "Journeys"),
            (Section::Experiments, "/experiments", "Experiments"),
            (Section::Segments, "/segments", "Segments"),
        ],
    ),
    ("Learn", &[(Section::Reports, "/reports", "Reports")]),
    ("Run", &[(Section::Operations, "/operations", "Operations"), (Section::Audit, "/audit", "Audit log")]),
];

/// A page without its frame.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its section.
    pub(crate) section: Section,
    /// Its title, in the browser's tab and as its heading.
    pub(crate) title: String,
    /// The content beside the heading.
    pub(crate) beside: Markup,
    /// Its content.
    pub(crate) body: Markup,
    /// The time that it is of.
    pub(crate) now: Timestamp,
    /// The status that it is answered with.
    pub(crate) status: StatusCode,
    /// The personal data on it.
    pub(crate) read: Option<Read>,
}

/// The part of a page's frame that depends on its visitor.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) visitor: &'a Visitor,
    /// The token of the form that signs out.
    pub(crate) token: &'a str,
}

impl Page {
    /// Returns a page with nothing beside its heading.
    pub(crate) fn new(section: Section, title: impl Into<String>, now: Timestamp, body: Markup) -> Self {
        Self { section, title: title.into(), beside: html! {}, body, now, status: StatusCode::OK, read: None }
    }

    /// Sets what stands beside the heading.
    pub(crate) fn beside(self, beside: Markup) -> Self {
        Self { beside, ..self }
    }

    /// Sets the status that it is answered with.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Sets the personal data on it.
    pub(crate) fn reads(self, read: Read) -> Self {
        Self { read: Some(read), ..self }
    }

    /// Returns the page as an answer to a visitor.
    pub(crate) fn answer(&self, frame: Frame<'_>) -> Response<Body> {
        answer::html(self.status, self.render(frame).into_string())
    }

    fn render(&self, frame: Frame<'_>) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" data-now=(self.now.to_string()) {
                (head(&self.title))
                body {
                    a.skip href="#main" { "Skip to the content" }
                    div.shell {
                        (navigation(self.section, frame))
                        main id="main" tabindex="-1" {
                            header.top { h1 { (ui::foreign(&self.title)) } div.beside { (self.beside) } }
                            (self.body)
                            footer.foot { span data-zone { "Times are in UTC." } }
                        }
                    }
                }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · Perennial" }
            link rel="stylesheet" href=(ADDRESSES.style);
            link rel="icon" type="image/svg+xml" href=(ADDRESSES.icon);
            script src=(ADDRESSES.script) defer {}
        }
    }
}

fn navigation(current: Section, frame: Frame<'_>) -> Markup {
    let may_see = |section: Section| section != Section::Audit || frame.visitor.role.may_audit();
    html! {
        nav.side aria-label="Main" {
            a.brand href="/" { img src=(ADDRESSES.icon) width="22" height="22" alt=""; "Perennial" }
            form.search action="/people" role="search" {
                label for="find" { "Find a person" }
                input id="find" name="search" type="search" placeholder="Name, mail or id" autocomplete="off" data-find;
            }
            @for (heading, sections) in NAVIGATION {
                @if !heading.is_empty() { h2 { (heading) } }
                ul {
                    @for (section, to, name) in sections.iter().filter(|(section, ..)| may_see(*section)) {
                        li { a href=(to) aria-current=[(*section == current).then_some("page")] { (name) } }
                    }
                }
            }
            @if !frame.visitor.is_local { (who(frame)) }
        }
    }
}

/// Returns who is signed in, and the button that signs them out.
fn who(Frame { visitor, token }: Frame<'_>) -> Markup {
    html! {
        div.who {
            p { (ui::foreign(&visitor.name)) br; span.mute.small { (visitor.role.as_str()) } }
            form method="post" action="/sign-out" {
                input type="hidden" name="token" value=(token);
                button.btn { "Sign out" }
            }
        }
    }
}

/// Returns the page of a failure, and logs what is no visitor's doing.
pub(crate) fn failure(failure: &Failure, frame: Frame<'_>, now: Timestamp) -> Response<Body> {
    log(failure);
    let body = html! {
        div.card.empty {
            p { (failure.words()) }
            p { a.btn href="/" { "Overview" } " " a.btn href="/people" { "People" }
                " " a.btn href="/operations" { "Operations" } }
        }
    };
    Page::new(Section::Elsewhere, failure.title(), now, body).status(failure.status()).answer(frame)
}

/// Returns the page of a failure for somebody who is not signed in. It contains no data and no navigation.
pub(crate) fn failure_of_nobody(failure: &Failure) -> Response<Body> {
    log(failure);
    let body = html! { p { (failure.words()) } p { a.btn.p href="/sign-in" { "Sign in" } } };
    alone(failure.title(), failure.status(), &body)
}

fn log(failure: &Failure) {
    if failure.status().is_server_error() && !matches!(failure, Failure::NotCounted) {
        tracing::error!(error = %failure, "failed to show a page");
    }
}

/// Returns the only page of a dashboard without sign-in. It contains no data and no navigation.
pub(crate) fn refusal() -> Response<Body> {
    let body = html! {
        p { "This dashboard shows personal data, so it answers nobody until it knows who may see it." }
        p { "Whoever deploys it sets it up: register it as a web application at your identity provider, with the callback "
            code { "https://THIS-HOST/sign-in/callback" } ", and deploy with the issuer, the client id and the groups of each role. "
            "The README of " code { "functions/dashboard" } " has the steps for Cognito, Google, Microsoft Entra, Okta, Auth0 and Keycloak." }
        p { "Until then, every page can be seen on your own machine, with your own AWS permissions: the commands "
            code { "perennial people" } ", " code { "perennial explain" } " and " code { "perennial status" }
            " with " code { "--stack NAME" } " show the same." }
    };
    alone("Sign-in is not set up", StatusCode::FORBIDDEN, &body)
}

/// Returns a page without navigation, for visitors who are not signed in.
pub(crate) fn alone(title: &str, status: StatusCode, body: &Markup) -> Response<Body> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body { main.alone id="main" { h1 { (title) } (body) } }
        }
    };
    answer::html(status, page.into_string())
}
