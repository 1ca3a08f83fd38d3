#![doc = include_str!("../README.md")]

mod activity;
mod adoption;
mod cohorts;
mod funnel;
mod money;
mod name;
mod nps;
mod people;
mod report;
mod retention;
mod revenue;
mod risk;
mod scores;
pub mod shown;
mod tally;

pub use name::Name;
pub use report::{Cell, Column, Report, Table, Unit};
pub use revenue::{Ledger, Notice, notice, rules};
pub use tally::{Counted, Tally};
