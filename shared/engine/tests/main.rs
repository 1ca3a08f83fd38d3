//! The integration tests of this crate: one binary, so that the crate is linked once.

mod accounts;
mod accounts_over_time;
mod analysis;
mod billing;
mod billing_changes;
mod calibrate;
mod decisions;
mod entries;
mod external;
mod joins;
mod journeys;
mod late_facts;
mod laws;
mod limits;
mod memberships;
mod play;
mod pushes;
mod renewals;
mod rescore;
mod starts;
mod subscriptions;
mod support;
mod trust;
mod turns;
mod waiting;
mod words;
