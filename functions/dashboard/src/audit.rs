//! The audit log: a read is noted before its page is sent, an act before it is performed and again once its result is known.
//! What cannot be noted is neither shown nor done.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::keys::random;
use crate::read::Read;
use crate::visitor::Visitor;
use perennial_domain::PersonId;
use perennial_store::audit::{AuditEntry, AuditKind, MAX_PEOPLE};

/// Records the personal data that a visitor is about to be shown, which has a row or more. Everyone on loopback can read the table itself, so nothing is noted there.
///
/// # Errors
/// [`Failure`] if it was not written: the page must not be sent.
pub(crate) async fn note(deps: &Deps, visitor: &Visitor, read: Read) -> Result<(), Failure> {
    if visitor.is_local {
        return Ok(());
    }
    let Read { page, people, rows } = read;
    let entry = entry(deps, visitor, AuditKind::Read, page, people, rows, None)?;
    Ok(deps.views.store.note_audit(&entry, deps.audit_days).await?)
}

/// An act that was noted and is to be performed.
#[must_use = "an act whose result is not noted stays unknown"]
pub(crate) struct Begun(AuditEntry);

/// Records that a visitor is about to perform `act`, about `people`; `before` is how it is now.
///
/// # Errors
/// [`Failure`] if it was not written: the act must not be performed.
pub(crate) async fn begin(
    deps: &Deps,
    visitor: &Visitor,
    act: String,
    people: Vec<PersonId>,
    before: String,
) -> Result<Begun, Failure> {
    let entry = entry(deps, visitor, AuditKind::Act, act, people, 0, Some(before))?;
    deps.views.store.note_audit(&entry, deps.audit_days).await?;
    Ok(Begun(entry))
}

impl Begun {
    /// Records how it is after the act, and returns the act's outcome.
    ///
    /// # Errors
    /// The act's own failure, or [`Failure`] if its result was not written: the entry then says that it is unknown.
    pub(crate) async fn finish<T>(
        self,
        deps: &Deps,
        outcome: Result<T, Failure>,
        after: impl FnOnce(&T) -> String,
    ) -> Result<T, Failure> {
        let after = match &outcome {
            Ok(done) => after(done),
            Err(failure) => format!("failed: {}", failure.words()),
        };
        let noted = deps.views.store.finish_audit(&self.0, &after).await;
        let done = outcome?;
        noted?;
        Ok(done)
    }
}

fn entry(
    deps: &Deps,
    visitor: &Visitor,
    kind: AuditKind,
    what: String,
    mut people: Vec<PersonId>,
    rows: usize,
    before: Option<String>,
) -> Result<AuditEntry, Failure> {
    people.truncate(MAX_PEOPLE);
    Ok(AuditEntry {
        at: deps.views.clock.now(),
        id: AuditEntry::id_of(&random()?),
        actor: visitor.actor(),
        kind,
        what,
        people,
        rows: rows as u64,
        before,
        after: None,
    })
}
