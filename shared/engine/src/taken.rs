//! What a journey did for someone, told step by step: for whoever plays a journey, and for tests.

use crate::candidates::WaitsFor;
use crate::entry::Refusal;
use jiff::Timestamp;
use perennial_domain::{Cause, DecisionId, Withheld};

/// One thing that happened to someone on the way through a journey.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTaken {
    /// The journey.
    pub journey: String,
    /// The step's id; `None` where the journey as a whole is meant.
    pub step: Option<String>,
    /// What happened.
    pub what: Taken,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// They entered.
    Entered {
        /// Because of this.
        cause: Cause,
    },
    /// What would have set the journey off came, and they did not enter.
    Refused(Refusal),
    /// A message was decided.
    Decided {
        /// Which: the outbox holds it.
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
        /// What it waits for.
        waits_for: WaitsFor,
        /// When it is looked at again, unless something happens before.
        until: Timestamp,
    },
    /// A mail waits for an address.
    Held {
        /// Until when, at most.
        until: Timestamp,
    },
    /// They wait.
    Waits {
        /// When they go on, whatever happens.
        until: Timestamp,
        /// The event that lets them go on before.
        event: Option<String>,
    },
    /// What they waited for happened.
    Happened {
        /// The event.
        event: String,
    },
    /// A branch asked its condition.
    Branched {
        /// Whether it held.
        held: bool,
    },
    /// A split led them on.
    Split {
        /// The way's name.
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
    /// Nothing is counted or written of who is held out.
    Skipped,
    /// They reached the goal, and left.
    Reached,
    /// They left before the end.
    Left(Left),
    /// They came to the end.
    Ended,
}

/// Why someone leaves a journey before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It is not for the stage that they are in now.
    Stage,
    /// Its exit condition came to hold.
    Exit,
    /// It is not there any more, or the step at which they waited is not.
    Gone,
}
