//! Sections 2 to 4 of the domain, line by line: personas, scores and what they are made of, the survey, tallies, segments,
//! and the lifecycle with its history.
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
