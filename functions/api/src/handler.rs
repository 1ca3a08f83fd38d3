//! Routes.

use crate::access::{Scope, bearer};
use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::inbox::{Deed, Reader};
use crate::{cors, inbox, lists, play, resume, snippet, unmerge, unsubscribe};
use http::{Method, Response};
use lambda_http::{Body, Request};
use percent_encoding::percent_decode_str;
use perennial_contracts::tokens::Purpose;
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_reports::Name;
use perennial_views::account::FoundAccount;
use perennial_views::lists::one as parameter;
use perennial_views::person::Found;
use perennial_views::{
    digest, experiments, explain, features, journey_list, profile, rejects, reports, segments, status, why_not,
};
use serde_json::json;

/// The default number of items in a list.
const LIMIT: usize = 100;
/// The most that are shown at once.
const MAX_LIMIT: usize = 1000;
/// The path that pages of other origins may call.
const INBOXES: &str = "/api/inbox/";

/// The message for an unknown path.
const NOTHING: &str = "there is nothing under this path; the api's paths begin with /api/: status, profiles, profiles/{identity}, accounts, accounts/{id}, segments, \
    digests/{owner}, journeys, experiments, features, events, reports, rejects, inbox/{identity}";

/// Answers a request. Every failure is an answer.
pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    let mut answer = match route(deps, &request).await {
        Ok(answer) => answer,
        Err(failure) => failure.answer(),
    };
    if request.uri().path().starts_with(INBOXES) {
        cors::allow(&mut answer);
    }
    Metrics::new("Perennial", "api")
        .count(CONFIGS_COMPILED, deps.views.config.take_compiled())
        .emit(deps.views.clock.now());
    answer
}

async fn route(deps: &Deps, request: &Request) -> Result<Response<Body>, Failure> {
    let path = request.uri().path().trim_matches('/');
    // Split before decoding: an id may hold a slash.
    let parts =
        path.split('/').map(decode).collect::<Option<Vec<_>>>().ok_or(Failure::Wrong("the path is not UTF-8"))?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["u", token] => return Ok(unsubscribe::answer(deps, request, token).await),
        ["inbox.js"] => return snippet::script(request.headers()),
        ["inbox.d.ts"] => return snippet::types(request.headers()),
        ["api", "inbox", ..] if *request.method() == Method::OPTIONS => return Ok(cors::preflight()),
        ["api", "health"] => return answer::json(&json!({ "ok": true })),
        ["api", ..] => {}
        _ => return Err(Failure::NotFound(NOTHING)),
    }
    let is_reader = match parts.as_slice() {
        ["api", "inbox", identity, ..] => {
            let is_theirs = |token| deps.tokens.verify(Purpose::Inbox, token, identity, deps.views.clock.now());
            bearer(request.headers()).is_some_and(is_theirs)
        }
        _ => false,
    };
    let scope = deps.access.scope(request.headers());
    if !is_reader && scope.is_none() {
        return Err(Failure::NoKey);
    }
    let reader = if scope.is_some() { Reader::Key } else { Reader::Token };
    let operates = || if scope >= Some(Scope::Operate) { Ok(()) } else { Err(Failure::ReadOnly) };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let only =
        |allowed: &'static str, is_allowed: bool| if is_allowed { Ok(()) } else { Err(Failure::Method(allowed)) };
    match parts.as_slice() {
        ["api", "inbox", identity, decision, deed] => {
            let deed = Deed::parse(deed).ok_or(Failure::NotFound("a message is read, dismissed or clicked"))?;
            only("POST", *request.method() == Method::POST)?;
            if !is_reader {
                operates()?;
            }
            inbox::act(deps, identity, reader, decision, deed).await
        }
        ["api", "status"] => {
            only("GET", reads)?;
            answer::json(&status::show(&deps.views).await?)
        }
        ["api", "journeys"] => {
            only("GET", reads)?;
            answer::json(&journey_list::list(&deps.views).await?)
        }
        ["api", "journeys", journey, "test"] => {
            only("POST", *request.method() == Method::POST)?;
            play::test(deps, journey, request.body()).await
        }
        ["api", "journeys", journey, "resume"] => {
            only("POST", *request.method() == Method::POST)?;
            operates()?;
            resume::resume(deps, journey).await
        }
        ["api", "people", person, "unmerge"] => {
            only("POST", *request.method() == Method::POST)?;
            operates()?;
            unmerge::ask(deps, person, request.body()).await
        }
        ["api", "profiles"] => {
            only("GET", reads)?;
            lists::people(deps, request.uri().query().unwrap_or_default(), request.headers()).await
        }
        ["api", "accounts"] => {
            only("GET", reads)?;
            lists::accounts(deps, request.uri().query().unwrap_or_default(), request.headers()).await
        }
        ["api", "profiles", identity] => {
            only("GET", reads)?;
            let found = Found::look_up(&deps.views, identity).await?;
            answer::json(&profile::view(&deps.views, &found).await?)
        }
        ["api", "profiles", identity, "explain", score @ ..] if score.len() <= 1 => {
            only("GET", reads)?;
            let asked = explain::asked(score.first().copied())?;
            answer::json(&explain::view(&Found::look_up(&deps.views, identity).await?, &asked))
        }
        ["api", "profiles", identity, "why-not", journey] => {
            only("GET", reads)?;
            let found = Found::look_up(&deps.views, identity).await?;
            answer::json(&why_not::view(&deps.views, &found, journey).await?)
        }
        ["api", "segments"] => {
            only("GET", reads)?;
            answer::json(&segments::list(&deps.views).await?)
        }
        ["api", "digests", owner] => {
            only("GET", reads)?;
            answer::json(&digest::preview(&deps.views, owner).await?)
        }
        ["api", "features"] => {
            only("GET", reads)?;
            answer::json(&features::list(&deps.views).await?)
        }
        ["api", "events"] => {
            only("GET", reads)?;
            report(deps, Name::Events.as_str(), request.uri().query().unwrap_or_default()).await
        }
        ["api", "reports"] => {
            only("GET", reads)?;
            answer::json(&reports::list(&deps.views).await?)
        }
        ["api", "reports", name] => {
            only("GET", reads)?;
            report(deps, name, request.uri().query().unwrap_or_default()).await
        }
        ["api", "experiments", journey @ ..] if journey.len() <= 1 => {
            only("GET", reads)?;
            let effect = parameter(request.uri().query().unwrap_or_default(), "effect")?;
            answer::json(&experiments::show(&deps.views, journey.first().copied(), effect.as_deref()).await?)
        }
        ["api", "accounts", id] => {
            only("GET", reads)?;
            let query = request.uri().query().unwrap_or_default();
            let after = parameter(query, "after")?;
            answer::json(&FoundAccount::look_up(&deps.views, id, limit(query)?, after.as_deref()).await?.view())
        }
        ["api", "inbox", identity] => {
            only("GET", reads)?;
            inbox::list(deps, identity, reader).await
        }
        ["api", "rejects"] => {
            only("GET", reads)?;
            let query = request.uri().query().unwrap_or_default();
            let after = parameter(query, "after")?;
            answer::json(&rejects::list(&deps.views, limit(query)?, after.as_deref()).await?)
        }
        _ => Err(Failure::NotFound(NOTHING)),
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Answers with a report, of the day that a query names.
async fn report(deps: &Deps, name: &str, query: &str) -> Result<Response<Body>, Failure> {
    let day = parameter(query, "day")?;
    answer::json(&reports::show(&deps.views, name, day.as_deref()).await?)
}

/// Returns the number of items that a query requests.
fn limit(query: &str) -> Result<usize, Failure> {
    let Some(text) = parameter(query, "limit")? else { return Ok(LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or(Failure::Wrong("limit must be a whole number from 1 to 1000"))
}

#[cfg(test)]
#[path = "handler_tests.rs"]
pub(crate) mod tests;
