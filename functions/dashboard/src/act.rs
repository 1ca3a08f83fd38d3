//! Acts: forms that change something, through the same code as the API and the command.

use crate::answer::{Failure, see_other};
use crate::audit;
use crate::deps::Deps;
use crate::form::{Fields, is_same_origin};
use crate::url::{path, query};
use crate::visitor::Visitor;
use crate::words;
use http::Response;
use lambda_http::{Body, Request};
use perennial_contracts::queue::EventsPayload;
use perennial_lambda_kit::queue::{Delay, redrive};
use perennial_views::unmerge::unmerge;
use perennial_views::{person, status};

/// The most dead letters that one request moves: it has to answer within seconds.
const REDRIVEN: u64 = 500;

/// Performs the act at a path. The browser then loads the page that shows its result.
pub(crate) async fn perform(
    deps: &Deps,
    visitor: &Visitor,
    segments: &[&str],
    request: &Request,
) -> Result<Response<Body>, Failure> {
    if !is_same_origin(request.headers()) {
        return Err(Failure::Form);
    }
    let fields =
        Fields::parse(request.body().as_ref()).ok_or_else(|| Failure::Wrong("the form cannot be read".to_owned()))?;
    if !deps.tokens.is_valid(fields.get("token"), &visitor.session, deps.views.clock.now()) {
        return Err(Failure::Form);
    }
    if !visitor.role.may_act() {
        return Err(Failure::Role("only operators and admins may change something"));
    }
    match segments {
        ["people", id, "unmerge"] => unmerge_identity(deps, visitor, id, &fields).await,
        ["journeys", journey, "resume"] => resume(deps, visitor, journey).await,
        ["operations", "queues", queue, "redrive"] => redrive_queue(deps, visitor, queue).await,
        _ => Err(Failure::Method),
    }
}

/// Queues an unmerge for `score`, which alone writes profiles.
async fn unmerge_identity(
    deps: &Deps,
    visitor: &Visitor,
    id: &str,
    fields: &Fields,
) -> Result<Response<Body>, Failure> {
    // The name of a visitor with a session comes from the session, and not from the form.
    let by = if visitor.is_local { fields.get("by").to_owned() } else { visitor.named() };
    let why = fields.get("why");
    if by.is_empty() || why.is_empty() {
        return Err(Failure::Wrong(
            "an unmerge needs your name and a reason: both are kept with the profile".to_owned(),
        ));
    }
    let stored = person::find(&deps.views, id).await?;
    let profile = stored.profile.id;
    let request = unmerge(&stored.profile, fields.get("identity"), &by, why, deps.views.clock.now())?;
    // An identity may be a mail address: the log has its own profile id instead.
    let leaves = request.identity.person_id();
    let body = serde_json::to_string(&EventsPayload::Unmerge(request))
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let before = words::counted(stored.profile.parts.len() as u64, "identity", "identities");
    let act = audit::begin(deps, visitor, "unmerge".to_owned(), vec![profile, leaves], before).await?;
    let report = deps.events.send(vec![body], Delay::NONE).await;
    let outcome = report.into_result().map_err(|error| Failure::Unavailable(error.to_string()));
    act.finish(deps, outcome, |_| format!("queued: the identity of {leaves} leaves the profile")).await?;
    Ok(see_other(&query(&path(&["people", &profile.to_string()]), &[("done", "unmerge")])))
}

/// Resumes a paused journey: the results of its mails are counted from now.
async fn resume(deps: &Deps, visitor: &Visitor, journey: &str) -> Result<Response<Body>, Failure> {
    const NOT_PAUSED: &str = "no journey of this name is paused";
    let paused = deps.views.store.paused_journeys().await?.into_iter().find(|paused| paused.journey == journey);
    let paused = paused.ok_or_else(|| Failure::NotFound(NOT_PAUSED.to_owned()))?;
    let before = format!(
        "paused since {:.0} after {} mails, of which {} bounced and {} were reported as spam",
        paused.since, paused.tally.sent, paused.tally.bounced, paused.tally.complained
    );
    let act = audit::begin(deps, visitor, format!("resume journey {journey}"), Vec::new(), before).await?;
    let outcome = deps.views.store.resume_journey(journey, deps.views.clock.now()).await;
    let outcome = outcome
        .map_err(Failure::from)
        .and_then(|resumed| if resumed { Ok(()) } else { Err(Failure::NotFound(NOT_PAUSED.to_owned())) });
    act.finish(deps, outcome, |()| "in progress".to_owned()).await?;
    tracing::warn!(journey, "a paused journey was resumed");
    Ok(see_other(&query("/operations", &[("done", "resume"), ("journey", journey)])))
}

/// Moves dead letters of a queue back to it.
async fn redrive_queue(deps: &Deps, visitor: &Visitor, name: &str) -> Result<Response<Body>, Failure> {
    let queue = deps.views.status.queue(name).ok_or_else(|| Failure::NotFound("no queue has this name".to_owned()))?;
    let dead = status::show(&deps.views).await?.queues.get(name).map_or(0, |queue| queue.dlq);
    let before = words::counted(dead, "dead letter", "dead letters");
    let act = audit::begin(deps, visitor, format!("redrive queue {name}"), Vec::new(), before).await?;
    let outcome = redrive(&deps.sqs, queue, REDRIVEN, |_| {}).await;
    let outcome = outcome.map_err(|error| Failure::Unavailable(error.to_string()));
    let (moved, is_more) = act.finish(deps, outcome, |(moved, _)| format!("{moved} moved back to the queue")).await?;
    tracing::warn!(queue = name, moved, "dead letters were redriven");
    let more = if is_more { "yes" } else { "" };
    let done = [("done", "redrive"), ("queue", name), ("moved", &moved.to_string()), ("more", more)];
    Ok(see_other(&query("/operations", &done)))
}
