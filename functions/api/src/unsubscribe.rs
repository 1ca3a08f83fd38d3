//! `/u/{token}`: a page that asks, and a POST that unsubscribes.
//!
//! Mail scanners and previews follow links, so GET changes nothing. The POST comes from the page's button or, as RFC 8058 has it, from the mail
//! program, with `List-Unsubscribe=One-Click` in one of several encodings. The token is the proof, so what the body says is not asked: a reader who
//! wants out gets out.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::{event, page};
use http::{Method, Response, StatusCode};
use lambda_http::Body;
use perennial_channels::unsubscribe::Unsubscribe;
use perennial_domain::Properties;
use perennial_store::Consistency;
use perennial_store::suppressions::Reason;

/// The event's name.
const EVENT: &str = "Unsubscribed";

/// Answers with a page in every case: a person reads it.
pub(crate) async fn answer(deps: &Deps, method: &Method, token: &str) -> Response<Body> {
    let Ok(request) = deps.keys.verify(token) else {
        return answer::page(StatusCode::NOT_FOUND, page::invalid());
    };
    if *method == Method::GET || *method == Method::HEAD {
        return answer::page(StatusCode::OK, page::ask());
    }
    if *method != Method::POST {
        return Failure::Method("GET, POST").answer();
    }
    if let Err(error) = deps.store.suppress_hashed(&request.address, Reason::Unsubscribe, deps.clock.now()).await {
        tracing::error!(%error, "an address could not be suppressed");
        return answer::page(StatusCode::SERVICE_UNAVAILABLE, page::failed());
    }
    // What the reader asked for is done and durable; a history that lacks its line must not tell them otherwise.
    if let Err(error) = tell(deps, &request).await {
        tracing::error!(%error, "an unsubscription could not be told as an event");
    }
    answer::page(StatusCode::OK, page::done())
}

async fn tell(deps: &Deps, request: &Unsubscribe) -> Result<(), Failure> {
    let Some(stored) = deps.store.follow(request.person, Consistency::Eventual).await? else { return Ok(()) };
    let Some(identity) = event::identity(&stored.profile, request.person) else { return Ok(()) };
    let properties: Properties = [("channel".to_owned(), "mail".into())].into_iter().collect();
    event::send(deps, identity, EVENT, &[request.person.as_bytes(), &request.address], properties).await
}
