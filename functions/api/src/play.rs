//! `POST /api/journeys/{name}/test`: plays a journey for one person on a virtual clock. Nothing is written or sent.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use lambda_http::Body;
use perennial_views::play::{Request, test as play};

/// Answers what would happen.
pub(crate) async fn test(deps: &Deps, journey: &str, body: &Body) -> Result<Response<Body>, Failure> {
    let request: Request = if body.is_empty() {
        Request::default()
    } else {
        serde_json::from_slice(body.as_ref())
            .map_err(|error| Failure::Invalid(format!("the body is invalid: {error}")))?
    };
    answer::json(&play(&deps.views, journey, &request).await?)
}
