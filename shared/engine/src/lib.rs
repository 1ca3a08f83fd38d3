#![doc = include_str!("../README.md")]

pub mod account;
pub mod action;
pub mod activity;
pub mod apply;
pub mod counts;
mod decide;
mod due;
pub mod evaluate;
pub mod explain;
pub mod moment;
pub mod mood;
mod occurrence;
mod person;
mod score;
pub mod sentiment;
pub mod trend;
pub mod facts;
pub mod membership;
pub mod merge;
pub mod points;
pub mod process;
pub mod profile;
pub mod register;
pub mod seen;
pub mod stage;
pub mod state;

pub use action::Action;
pub use evaluate::{Evaluation, evaluate};
pub use explain::{Explanation, Reason, explain};
pub use moment::Moment;
pub use person::NpsClass;
pub use process::{Mode, Processed, process, tick};
pub use profile::{Part, Profile};
pub use seen::{RolledBlock, SeenIds};
pub use stage::{StageMove, stage_history};
pub use state::State;
