//! `GET /api/segments`: each segment in numbers.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_store::totals::Answers;
use serde::Serialize;

#[derive(Serialize)]
struct SegmentsView<'a> {
    segments: Vec<SegmentView<'a>>,
    config: &'a str,
    /// When the people began to be counted.
    counted_at: Timestamp,
    now: Timestamp,
}

#[derive(Serialize)]
struct SegmentView<'a> {
    name: &'a str,
    description: &'a str,
    owner: Option<&'a str>,
    people: u64,
    nps: NpsView,
    /// The target retention in percent after a year.
    retention_target: Option<u8>,
}

/// The answers to the recommendation survey.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NpsView {
    /// The net promoter score, -100 to 100, with one decimal; `null` without answers.
    score: Option<f64>,
    #[serde(flatten)]
    answers: Answers,
}

impl From<Answers> for NpsView {
    fn from(answers: Answers) -> Self {
        Self { score: answers.score().map(|score| (score * 10.0).round() / 10.0), answers }
    }
}

/// Returns all segments of the active configuration, in its order. The numbers are those of the status, with the same
/// age.
pub(crate) async fn list(deps: &Deps) -> Result<Response<Body>, Failure> {
    let now = deps.clock.now();
    let (_, totals) = deps.status.look_and_count(&deps.store, now).await?;
    let (counted_at, totals) = totals.ok_or(Failure::NotCounted)?;
    let config = deps.config.current().await;
    let segment = |segment: &'_ perennial_config::segments::Segment| {
        totals.segments.get(&segment.name).copied().unwrap_or_default()
    };
    let segments = config.segments.all.iter().map(|of| SegmentView {
        name: &of.name,
        description: &of.description,
        owner: of.owner.as_deref(),
        people: segment(of).people,
        nps: segment(of).nps.into(),
        retention_target: of.retention_target,
    });
    let segments = segments.collect();
    answer::json(&SegmentsView { segments, config: config.version.as_str(), counted_at, now })
}
