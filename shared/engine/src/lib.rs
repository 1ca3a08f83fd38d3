#![doc = include_str!("../README.md")]

pub mod action;
pub mod activity;
pub mod apply;
pub mod counts;
mod decide;
pub mod due;
pub mod evaluate;
pub mod facts;
pub mod merge;
pub mod points;
pub mod process;
pub mod profile;
pub mod register;
pub mod seen;
pub mod stage;
pub mod state;

pub use action::Action;
pub use evaluate::{Evaluation, Reason, Scored, evaluate};
pub use process::{Mode, Processed, process, tick};
pub use profile::{Part, Profile};
pub use seen::{RolledBlock, SeenIds};
pub use state::State;
