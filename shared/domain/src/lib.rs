#![doc = include_str!("../README.md")]

pub mod account;
pub mod billing;
pub mod curve;
pub mod event;
pub mod external_id;
pub mod full_name;
pub mod hash;
pub mod hygiene;
pub mod id;
pub mod identity;
pub mod message;
pub mod money;
pub mod page;
pub mod scalar;
pub mod score;
pub mod search;
pub mod spreadsheet;
pub mod stage;
pub mod suppression;
pub mod text;
pub mod time;
pub mod timestamp;
pub mod title;
pub mod traits;
pub mod trust;
pub mod update;

pub use account::{AccountFacts, AccountReason, AccountSummary, Measure, Member, Touch};
pub use curve::Curve;
pub use event::{Event, EventKind, InvalidEvent, Properties};
pub use external_id::ExternalId;
pub use id::{
    AccountId, AnonymousId, ConfigVersion, DecisionId, EventName, InvalidId, MessageId, PersonId, SourceId, UserId,
};
pub use identity::Identity;
pub use message::{Cause, Channel, Decision, Entry, Withheld};
pub use money::{Currency, Money};
pub use score::{Likelihood, Score, Scores};
pub use stage::Stage;
pub use suppression::SuppressionReason;
pub use trust::Trust;
pub use update::{CrmUpdate, Subject};
