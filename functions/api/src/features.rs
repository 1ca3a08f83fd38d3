//! `GET /api/features`: feature usage, and errors by feature.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::features::Feature;
use perennial_engine::figures::{FEATURE_DAYS, FeatureFigures};
use serde::Serialize;

#[derive(Serialize)]
struct FeaturesView<'a> {
    /// In the config's order.
    features: Vec<FeatureView<'a>>,
    /// The number of past days that are counted, except for `ever`.
    days: u16,
    /// All people, whether they use anything or not.
    people: u64,
    /// Profiles that cannot be read, and are in none of the numbers.
    unreadable: u64,
    /// The config that they were counted under.
    config: &'a str,
    /// When they began to be counted.
    counted_at: Timestamp,
    now: Timestamp,
}

/// The numbers of a feature that was not there yet when people were counted are `null`.
#[derive(Serialize)]
struct FeatureView<'a> {
    name: &'a str,
    high_value: bool,
    /// How many people used it.
    people: Option<u64>,
    /// How many people ever did.
    people_ever: Option<u64>,
    /// Errors that were met in it; `null` where features.toml does not say what an error is.
    errors: Option<u64>,
    /// The number of people who met errors.
    people_with_errors: Option<u64>,
}

impl<'a> FeatureView<'a> {
    fn new(feature: &'a Feature, counted: Option<&FeatureFigures>, has_errors: bool) -> Self {
        let errors = counted.filter(|_| has_errors);
        Self {
            name: &feature.name,
            high_value: feature.high_value,
            people: counted.map(|counted| counted.people),
            people_ever: counted.map(|counted| counted.people_ever),
            errors: errors.map(|counted| counted.errors),
            people_with_errors: errors.map(|counted| counted.people_with_errors),
        }
    }
}

/// Answers with all features of the active configuration, in its order.
pub(crate) async fn list(deps: &Deps) -> Result<Response<Body>, Failure> {
    let (config, now) = (deps.config.current().await, deps.clock.now());
    let counted = deps.status.count(&deps.store, &config, now).await?;
    let (all, figures) = (&config.features, &counted.figures);
    let view = |feature| FeatureView::new(feature, figures.features.get(&feature.name), all.has_errors);
    answer::json(&FeaturesView {
        features: all.all.iter().map(view).collect(),
        days: FEATURE_DAYS,
        people: figures.people,
        unreadable: figures.unreadable,
        config: counted.config.as_str(),
        counted_at: counted.at,
        now,
    })
}
