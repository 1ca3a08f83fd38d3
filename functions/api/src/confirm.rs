//! `/u/{token}` of a mail that asks a reader to confirm their address: a page with two buttons, and the POST that stores what they said.
//!
//! As on the page of preferences, GET changes nothing: mail scanners follow links. What is no form of the page, such as the one-click request of a mail
//! program, confirms nothing.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::page;
use crate::wish::{Change, form, tell};
use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request};
use perennial_channels::unsubscribe::Unsubscribe;
use perennial_store::{Consistency, StoreError, Stored};

/// Answers with a page in every case: a person reads it.
pub(crate) async fn answer(deps: &Deps, request: &Request, link: &Unsubscribe) -> Response<Body> {
    let wants = match *request.method() {
        Method::GET | Method::HEAD => None,
        Method::POST => {
            let form = form(request.body());
            Some(form.iter().any(|(name, value)| name == "do" && value == "confirm"))
        }
        _ => return Failure::Method("GET, POST").answer(),
    };
    match fulfil(deps, link, wants).await {
        // Of whom was erased nothing is written again.
        Ok(None) => answer::page(StatusCode::NOT_FOUND, page::invalid()),
        Ok(Some(said)) => answer::page(StatusCode::OK, page::confirmation(said)),
        Err(error) => {
            tracing::error!(%error, "failed to read or store a confirmation");
            answer::page(StatusCode::SERVICE_UNAVAILABLE, page::failed())
        }
    }
}

/// Stores what the reader said, and returns what they have said by then; `None` if there is no such profile.
async fn fulfil(deps: &Deps, link: &Unsubscribe, wants: Option<bool>) -> Result<Option<Option<bool>>, StoreError> {
    let Some(stored) = deps.views.store.follow(link.person, Consistency::Strong).await? else { return Ok(None) };
    let known = deps.views.store.wishes(link.person).await?;
    let said = known.confirmation(&link.address).map(|choice| choice.wants);
    let Some(wants) = wants else { return Ok(Some(said)) };
    if said != Some(wants) {
        deps.views.store.confirm_address(link.person, &link.address, wants, deps.views.clock.now()).await?;
        note(deps, link, &stored, wants).await;
    }
    Ok(Some(Some(wants)))
}

/// Publishes the choice as an event. A failure is only logged: the choice is stored, so the reader must not see an
/// error.
async fn note(deps: &Deps, link: &Unsubscribe, stored: &Stored, wants: bool) {
    let change = Change { topic: None, wants, since: deps.views.clock.now() };
    if let Err(error) = tell(deps, link, Some(stored), &[change]).await {
        tracing::error!(%error, "failed to send the event of a confirmation");
    }
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
