//! The analysis: personas, scores and their components, the survey, tallies, segments, and the lifecycle with its
//! history.
#![allow(clippy::unwrap_used, clippy::panic)]

mod errors;
mod life;
mod lifecycle;
mod likelihoods;
mod pages;
mod personas;
mod reasons;
mod segments;
mod survey;
