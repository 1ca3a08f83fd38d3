//! `GET /api/features`: feature usage, and errors by feature.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::features::{ERROR_DAYS, Feature};
use perennial_domain::time::day_of;
use perennial_engine::State;
use serde::Serialize;

/// The number of past days in which use and errors are counted, today included.
const DAYS: u16 = ERROR_DAYS;

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
    config: &'a str,
    now: Timestamp,
}

#[derive(Serialize)]
struct FeatureView<'a> {
    name: &'a str,
    high_value: bool,
    /// The number of people who used it.
    people: u64,
    /// The number of people who ever used it.
    people_ever: u64,
    /// Errors in it; `null` if features.toml does not define errors.
    errors: Option<u64>,
    /// The number of people who met errors.
    people_with_errors: Option<u64>,
}

impl<'a> FeatureView<'a> {
    /// Returns a usage without people.
    fn new(feature: &'a Feature, has_errors: bool) -> Self {
        let none = has_errors.then_some(0);
        Self {
            name: &feature.name,
            high_value: feature.high_value,
            people: 0,
            people_ever: 0,
            errors: none,
            people_with_errors: none,
        }
    }

    /// Adds one person's usage on `today`.
    fn add(&mut self, feature: &Feature, state: &State, today: i32) {
        let uses = state.uses.get(&feature.key);
        self.people += u64::from(uses.is_some_and(|uses| uses.active(today, u32::from(DAYS)) > 0));
        self.people_ever += u64::from(uses.is_some());
        let errors = state.windowed(feature.errors_key, today, DAYS);
        self.errors = self.errors.map(|all| all + u64::from(errors));
        self.people_with_errors = self.people_with_errors.map(|all| all + u64::from(errors > 0));
    }
}

/// Returns all features of the active configuration, in its order. It reads every profile, half a read unit for each 4
/// KB of the table: meant for a report, not for a page that is polled all day.
pub(crate) async fn list(deps: &Deps) -> Result<Response<Body>, Failure> {
    let (config, now) = (deps.config.current().await, deps.clock.now());
    let (all, today) = (&config.features, day_of(now));
    let mut features: Vec<_> = all.all.iter().map(|feature| FeatureView::new(feature, all.has_errors)).collect();
    let (mut people, mut unreadable, mut from) = (0, 0, None);
    loop {
        let page = deps.store.people(from).await?;
        for stored in page.known() {
            let state = stored.profile.view();
            features.iter_mut().zip(&all.all).for_each(|(view, feature)| view.add(feature, &state, today));
        }
        people += page.known().count() as u64;
        unreadable += page.unreadable;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    answer::json(&FeaturesView { features, days: DAYS, people, unreadable, config: config.version.as_str(), now })
}
