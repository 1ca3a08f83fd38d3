//! Feature usage, and errors by feature.

use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::features::Feature;
use perennial_engine::figures::{FEATURE_DAYS, FeatureFigures};
use serde::Serialize;

/// All features.
#[derive(Debug, Serialize)]
pub struct FeaturesView {
    /// In the config's order.
    pub features: Vec<FeatureView>,
    /// The number of past days that are counted, except for `ever`.
    pub days: u16,
    /// All people, whether they use anything or not.
    pub people: u64,
    /// Profiles that cannot be read, and are in none of the numbers.
    pub unreadable: u64,
    /// The config that they were counted under.
    pub config: String,
    /// When they began to be counted.
    pub counted_at: Timestamp,
    /// When this was asked.
    pub now: Timestamp,
}

/// A feature in numbers. Those of a feature that was not there yet when people were counted are `null`.
#[derive(Debug, Serialize)]
pub struct FeatureView {
    /// Its name.
    pub name: String,
    /// `true` for one that keeps customers.
    pub high_value: bool,
    /// How many people used it.
    pub people: Option<u64>,
    /// How many people ever did.
    pub people_ever: Option<u64>,
    /// Errors that were met in it; `null` where features.toml does not say what an error is.
    pub errors: Option<u64>,
    /// The number of people who met errors.
    pub people_with_errors: Option<u64>,
}

impl FeatureView {
    fn new(feature: &Feature, counted: Option<&FeatureFigures>, has_errors: bool) -> Self {
        let errors = counted.filter(|_| has_errors);
        Self {
            name: feature.name.clone(),
            high_value: feature.high_value,
            people: counted.map(|counted| counted.people),
            people_ever: counted.map(|counted| counted.people_ever),
            errors: errors.map(|counted| counted.errors),
            people_with_errors: errors.map(|counted| counted.people_with_errors),
        }
    }
}

/// Returns all features of the active configuration, in its order.
///
/// # Errors
/// [`ViewError::NotCounted`] before the first count, or if the table fails.
pub async fn list(views: &Views) -> Result<FeaturesView, ViewError> {
    let (config, now) = (views.config.current().await, views.clock.now());
    let counted = views.status.count(&views.store, &config, now).await?;
    let (all, figures) = (&config.features, &counted.figures);
    let view = |feature| FeatureView::new(feature, figures.features.get(&feature.name), all.has_errors);
    Ok(FeaturesView {
        features: all.all.iter().map(view).collect(),
        days: FEATURE_DAYS,
        people: figures.people,
        unreadable: figures.unreadable,
        config: counted.config.to_string(),
        counted_at: counted.at,
        now,
    })
}
