//! The whole system, end to end, and the rules of its source tree: one binary, since linking the whole product takes longer than most of its tests.

mod accounts;
mod architecture;
mod crash;
mod delivery;
mod hostile;
mod imports;
mod journeys_under_faults;
mod lists;
mod logs;
mod operate;
mod poison;
mod rebuild;
mod renewals;
mod replay;
mod reports;
mod rescore;
mod scenarios;
mod sentiment;
mod support;
