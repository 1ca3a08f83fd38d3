//! A person: what happened and what was done, nine scores with their reasons, the identities and why they are linked.

mod details;
mod links;
mod scores;
mod timeline;

use crate::answer::Failure;
use crate::deps::Deps;
use crate::pages::crm;
use crate::pages::list::{Chosen, choice};
use crate::read::Read;
use crate::shell::{Frame, Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_domain::Likelihood;
use perennial_views::explain::{self, ExplainView};
use perennial_views::person::{Found, display_name};
use perennial_views::profile::{self, ProfileView};

/// Returns the page of the person with this identity.
pub(crate) async fn page(deps: &Deps, frame: Frame<'_>, identity: &str, query: &str) -> Result<Page, Failure> {
    let found = Found::look_up(&deps.views, identity).await?;
    let view = profile::view(&deps.views, &found).await?;
    let explained = explain::view(&found, &Likelihood::ALL);
    let name = display_name(&found.profile, &found.state);
    let done = Chosen::read(query, &["done"]);
    let body = html! {
        @if done.get("done") == "unmerge" {
            (ui::note(Tone::Good, &html! { b { "Queued. " } "The identity leaves this profile within a few seconds, with everything that it did. Reload to see both." }))
        }
        (head(&found, &view, &explained))
        div.grid.two {
            section.card { h2 { "What happened" } (timeline::shown(&view)) }
            div.stack {
                section.card { h2 { "Scores" } (scores::shown(&explained, &view)) }
                section.card { h2 { "Why did a journey not reach them?" } (why_not(&found, &view)) }
            }
        }
        section.card { h2 { "Journeys" } (details::journeys(&view)) }
        section.card { h2 { "Messages" } (details::messages(&view)) }
        @if found.config.accounts.people.is_some() || !view.crm.is_empty() {
            section.card { h2 { "Updates of the CRM" } (crm::shown(view.crm, view.now)) } }
        section.card id="links" { h2 { "Identities and links" } (links::shown(&found, &view, frame)) }
        div.grid.two.even {
            section.card { h2 { "Traits" } (details::traits(&view)) }
            section.card { h2 { "Activity" } (details::activity(&view)) }
        }
    };
    let read = Read::of(url::path(&["people", &view.id.to_string()]), [found.profile.id]);
    Ok(Page::new(Section::People, name, view.now, body).beside(beside(&view, frame)).reads(read))
}

fn beside(view: &ProfileView<'_>, frame: Frame<'_>) -> Markup {
    html! {
        (ui::stage(view.stage)) " "
        // Deployed, the API is elsewhere and needs a key.
        @if frame.visitor.is_local { a.btn href=(format!("/api/profiles/{}", view.id)) { "As JSON" } }
    }
}

/// Returns who this is, in a line and in sentences.
fn head(found: &Found, view: &ProfileView<'_>, explained: &ExplainView<'_>) -> Markup {
    let email = found.state.text_trait("email");
    let company = found.state.text_trait("company");
    html! {
        p.lead {
            @for persona in &view.personas { (ui::tag(Tone::Plain, &words::plain(persona))) " " }
            @for segment in &view.segments {
                a.tag href=(url::query("/people", &[("segment", segment.name)])) { (words::plain(segment.name)) } " " }
            @if let Some(email) = &email { span.mute { (ui::foreign(email)) } " " }
            @if let Some(account) = view.account { (ui::account(account.as_str(), company.as_deref())) }
        }
        details.card.told { summary { "In words" }
            ul { @for sentence in &explained.person.told { li { (ui::foreign(sentence)) } } }
        }
    }
}

fn why_not(found: &Found, view: &ProfileView<'_>) -> Markup {
    let journeys = &found.config.journeys.all;
    if journeys.is_empty() {
        return html! { p.mute { "The configuration has no journeys." } };
    }
    let options: Vec<(String, String)> =
        journeys.iter().map(|journey| (journey.id.clone(), words::plain(&journey.id))).collect();
    html! {
        form.line action=(url::path(&["people", &view.id.to_string(), "why-not"])) {
            (choice("journey", "Journey", "choose one", "", &options))
            button.btn.p { "Explain" }
        }
        p.mute.small { "Each condition with its value now, limits, consent and experiments." }
    }
}
