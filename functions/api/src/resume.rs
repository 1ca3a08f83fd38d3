//! `POST /api/journeys/{name}/resume`: resumes a paused journey.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use lambda_http::Body;
use serde_json::json;

/// Resumes the journey: the results of its mails are counted from now. `deliver` knows of it within a minute.
pub(crate) async fn resume(deps: &Deps, journey: &str) -> Result<Response<Body>, Failure> {
    let now = deps.views.clock.now();
    if !deps.views.store.resume_journey(journey, now).await? {
        return Err(Failure::NotFound("no journey of this name is paused"));
    }
    tracing::warn!(journey, "a paused journey was resumed");
    answer::json(&json!({ "journey": journey, "resumed": now }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::access::Access;
    use crate::handler::handle;
    use crate::test_support::{House, house, now};
    use http::StatusCode;
    use perennial_store::pauses::{Health, Tally};
    use serde_json::Value;

    async fn ask(house: &House, method: &str, path: &str) -> (StatusCode, Value) {
        let request = http::Request::builder().method(method).uri(path).body(Body::Empty).unwrap();
        let (parts, body) = handle(&house.deps, request).await.into_parts();
        let Body::Text(text) = body else { panic!("no text") };
        (parts.status, serde_json::from_str(&text).unwrap())
    }

    #[tokio::test]
    async fn a_paused_journey_is_shown_with_its_figures_until_it_is_resumed() {
        let house = house(Access::Open).await;
        let tally = Tally { sent: 400, bounced: 31, complained: 0 };
        let health = Health { tally, paused: None, resumed: None };
        house.deps.views.store.pause_journey("news", &health, now()).await.unwrap();
        let (_, status) = ask(&house, "GET", "/api/status").await;
        let figures = json!([{ "journey": "news", "since": now(), "sent": 400, "bounced": 31, "complained": 0 }]);
        assert_eq!(status["paused_journeys"], figures);

        assert_eq!(ask(&house, "GET", "/api/journeys/news/resume").await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask(&house, "POST", "/api/journeys/other/resume").await.0, StatusCode::NOT_FOUND);
        let (code, answer) = ask(&house, "POST", "/api/journeys/news/resume").await;
        assert_eq!((code, answer), (StatusCode::OK, json!({ "journey": "news", "resumed": now() })));
        assert_eq!(ask(&house, "POST", "/api/journeys/news/resume").await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(&house, "GET", "/api/status").await.1["paused_journeys"], json!([]));
    }
}
