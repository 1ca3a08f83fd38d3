//! Routes.

use crate::access::Access;
use crate::answer::{Failure, Shown, see_other};
use crate::deps::Deps;
use crate::pages::{
    account, accounts, audit as audit_log, experiments, journey, journeys, operations, overview, people, person,
    report, reports, segments, why_not,
};
use crate::shell::{Frame, Page};
use crate::sign_in::SignIn;
use crate::visitor::Visitor;
use crate::{act, asset, audit, form, shell};
use http::{Method, Response};
use lambda_http::{Body, Request};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};

/// Answers a request. Every failure is a page.
pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    let answer = match admit(deps, &request).await {
        Ok(Admitted::Visitor(visitor, segments)) => show(deps, &visitor, &segments, &request).await,
        Ok(Admitted::Answered(answer)) => answer,
        Err(failure) => shell::failure_of_nobody(&failure),
    };
    let compiled = deps.views.config.take_compiled();
    Metrics::new("Perennial", "dashboard").count(CONFIGS_COMPILED, compiled).emit(deps.views.clock.now());
    answer
}

/// The decision of access control.
enum Admitted {
    /// The visitor may see pages; the decoded segments of the path.
    Visitor(Visitor, Vec<String>),
    /// The request is answered.
    Answered(Response<Body>),
}

/// Identifies the visitor of a request. A request without one gets no answer from behind this point.
async fn admit(deps: &Deps, request: &Request) -> Result<Admitted, Failure> {
    let segments = segments_of(request.uri().path())?;
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["assets", name] = parts.as_slice() {
        return asset::show(name).map(Admitted::Answered);
    }
    let now = deps.views.clock.now();
    match &deps.access {
        Access::Refused => Ok(Admitted::Answered(shell::refusal())),
        Access::Open => Ok(Admitted::Visitor(Visitor::local(), segments)),
        Access::SignIn(sign_in) => {
            if let Some(answer) = sign_in.answer(&parts, request, &deps.tokens, now).await? {
                return Ok(Admitted::Answered(answer));
            }
            match sign_in.visitor(request.headers(), now) {
                Some(visitor) => Ok(Admitted::Visitor(visitor, segments)),
                None if is_read(request) => Ok(Admitted::Answered(see_other(&SignIn::page_for(request)))),
                None => Err(Failure::SignedOut),
            }
        }
    }
}

/// Answers a visitor. What is shown is noted first.
async fn show(deps: &Deps, visitor: &Visitor, segments: &[String], request: &Request) -> Response<Body> {
    let now = deps.views.clock.now();
    let token = deps.tokens.make(&visitor.session, now);
    let frame = Frame { visitor, token: &token };
    let shown = async {
        let mut shown = route(deps, frame, segments, request).await?;
        let read = match &mut shown {
            Shown::Page(page) => page.read.take(),
            Shown::File(_, read) => read.take(),
        };
        if let Some(read) = read.filter(|read| read.rows > 0) {
            audit::note(deps, visitor, read).await?;
        }
        Ok(shown)
    };
    match shown.await {
        Ok(Shown::Page(page)) => page.answer(frame),
        Ok(Shown::File(file, _)) => file,
        Err(failure) => shell::failure(&failure, frame, now),
    }
}

async fn route(deps: &Deps, frame: Frame<'_>, segments: &[String], request: &Request) -> Result<Shown<Page>, Failure> {
    const NOTHING: &str = "there is no page at this address";
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if *request.method() == Method::POST {
        return Ok(Shown::File(act::perform(deps, frame.visitor, &segments, request).await?, None));
    }
    if !is_read(request) {
        return Err(Failure::Method);
    }
    let query = request.uri().query().unwrap_or_default();
    let page = match segments.as_slice() {
        [] => overview::page(deps).await?,
        ["people"] => return people::answer(deps, query).await,
        ["people", id] => person::page(deps, frame, id, query).await?,
        ["people", id, "why-not"] => why_not::page(deps, id, query).await?,
        ["accounts"] => return accounts::answer(deps, query).await,
        ["accounts", id] => account::page(deps, frame, id, query).await?,
        ["journeys"] => journeys::page(deps).await?,
        ["journeys", id] => journey::page(deps, id).await?,
        ["segments"] => segments::page(deps).await?,
        ["experiments"] => experiments::page(deps).await?,
        ["reports"] => reports::page(deps).await?,
        ["reports", name] => return report::answer(deps, name, query).await,
        ["operations"] => operations::page(deps, frame, query).await?,
        ["audit"] => return audit_log::answer(deps, frame.visitor, query).await,
        _ => return Err(Failure::NotFound(NOTHING.to_owned())),
    };
    Ok(Shown::Page(page))
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Returns the decoded segments of a path. Split before decoding: an id may contain a slash.
fn segments_of(path: &str) -> Result<Vec<String>, Failure> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Ok(Vec::new());
    }
    // In a path, a plus is a plus.
    let decode = |segment: &str| form::decode(&segment.replace('+', "%2B"));
    let segments = path.split('/').map(decode).collect::<Option<_>>();
    segments.ok_or_else(|| Failure::Wrong("the address is not UTF-8".to_owned()))
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
