//! The steps of a journey's run: for playing a journey, and for tests.

use crate::candidate::WaitsFor;
use crate::refusal::Refusal;
use jiff::Timestamp;
use perennial_domain::{Cause, DecisionId, Withheld};

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTaken {
    /// The journey.
    pub journey: String,
    /// The step's id; `None` where the journey as a whole is meant.
    pub step: Option<String>,
    /// The event of the step.
    pub what: Taken,
}

/// An event of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// The person entered.
    Entered {
        /// Because of this.
        cause: Cause,
    },
    /// The trigger happened, and the person did not enter.
    Refused(Refusal),
    /// A message was decided.
    Decided {
        /// The decision, which is in the outbox.
        decision: DecisionId,
        /// Why it will not be sent, where that is so.
        withheld: Option<Withheld>,
    },
    /// A message waits for the end of the quiet hours.
    PutOff {
        /// Their end.
        until: Timestamp,
    },
    /// A message waits for its turn, or for a cap.
    Queued {
        /// The condition that it waits for.
        waits_for: WaitsFor,
        /// When it is evaluated again, unless something happens before.
        until: Timestamp,
    },
    /// A mail waits for an address.
    Held {
        /// Until when, at most.
        until: Timestamp,
    },
    /// The run waits.
    Waits {
        /// When it resumes at the latest.
        until: Timestamp,
        /// The event that resumes it earlier.
        event: Option<String>,
    },
    /// The awaited event happened.
    Happened {
        /// The event.
        event: String,
    },
    /// A branch was evaluated.
    Branched {
        /// `true` if it held.
        held: bool,
    },
    /// A split led them on.
    Split {
        /// The variant's name.
        way: String,
    },
    /// An event was counted for them.
    Counted {
        /// Its name.
        event: String,
    },
    /// Traits of theirs were written.
    Wrote {
        /// Their names.
        traits: Vec<String>,
    },
    /// Nothing is recorded or set for a person in a holdout.
    Skipped,
    /// The goal was reached, and the run exited.
    Reached,
    /// The run exited before the end.
    Left(Left),
    /// The run reached the end.
    Ended,
}

/// The reason why a run exits before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It is not for the person's current stage.
    Stage,
    /// Its exit condition started to hold.
    Exit,
    /// The journey, or the step at which the run waited, no longer exists.
    Gone,
}
