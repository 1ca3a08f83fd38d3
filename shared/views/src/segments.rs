//! Each segment in numbers.

use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_store::totals::Answers;
use serde::Serialize;

/// All segments.
#[derive(Debug, Serialize)]
pub struct SegmentsView {
    /// In the configuration's order.
    pub segments: Vec<SegmentView>,
    /// The active configuration.
    pub config: String,
    /// When the people began to be counted.
    pub counted_at: Timestamp,
    /// When this was asked.
    pub now: Timestamp,
}

/// A segment in numbers.
#[derive(Debug, Serialize)]
pub struct SegmentView {
    /// Its name.
    pub name: String,
    /// Its purpose, in its author's words.
    pub description: String,
    /// The colleague in charge.
    pub owner: Option<String>,
    /// The number of its people.
    pub people: u64,
    /// Their answers to the recommendation survey.
    pub nps: NpsView,
    /// The target retention in percent after a year.
    pub retention_target: Option<u8>,
}

/// The answers to the recommendation survey.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NpsView {
    /// The net promoter score, -100 to 100, with one decimal; `null` without answers.
    pub score: Option<f64>,
    /// The numbers of answers.
    #[serde(flatten)]
    pub answers: Answers,
}

impl From<Answers> for NpsView {
    fn from(answers: Answers) -> Self {
        Self { score: answers.score().map(|score| (score * 10.0).round() / 10.0), answers }
    }
}

/// Returns all segments of the active configuration, in its order. The numbers are those of the status, with the same
/// age.
///
/// # Errors
/// [`ViewError::NotCounted`] before the first count, or if the table or a queue fails.
pub async fn list(views: &Views) -> Result<SegmentsView, ViewError> {
    let now = views.clock.now();
    let (_, totals) = views.status.look_and_count(&views.store, now).await?;
    let (counted_at, totals) = totals.ok_or(ViewError::NotCounted)?;
    let config = views.config.current().await;
    let segment = |segment: &'_ perennial_config::segments::Segment| {
        totals.segments.get(&segment.name).copied().unwrap_or_default()
    };
    let segments = config.segments.all.iter().map(|of| SegmentView {
        name: of.name.clone(),
        description: of.description.clone(),
        owner: of.owner.clone(),
        people: segment(of).people,
        nps: segment(of).nps.into(),
        retention_target: of.retention_target,
    });
    let segments = segments.collect();
    Ok(SegmentsView { segments, config: config.version.to_string(), counted_at, now })
}
