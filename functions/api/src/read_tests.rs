//! The answers of the read paths: views as JSON and CSV.

mod account;
mod crm;
mod experiments;
mod explain;
mod journeys;
mod lists;
mod play;
mod reports;
mod status;
mod why_not;
