//! Compiles conditions and measures in the files and reports their errors at their positions.

use crate::cel::{self, Program, Wanted};
use crate::error::Reporter;
use crate::spanned::Spanned;
use crate::vocabulary::{EventSlot, EventVocabulary, PersonSlot, PersonVocabulary};

/// Compiles a condition on one event.
pub(crate) fn on_event(report: &mut Reporter<'_>, source: &Spanned<String>) -> Option<Program<EventSlot>> {
    compile(report, source, &EventVocabulary, Wanted::Condition)
}

/// Compiles a condition on a person.
pub(crate) fn on_person(
    report: &mut Reporter<'_>,
    source: &Spanned<String>,
    vocabulary: &PersonVocabulary<'_>,
) -> Option<Program<PersonSlot>> {
    compile(report, source, vocabulary, Wanted::Condition)
}

/// Compiles a measure of a person: a number.
pub(crate) fn measure(
    report: &mut Reporter<'_>,
    source: &Spanned<String>,
    vocabulary: &PersonVocabulary<'_>,
) -> Option<Program<PersonSlot>> {
    compile(report, source, vocabulary, Wanted::Number)
}

/// Returns a condition that holds for nobody, in place of an invalid one.
pub(crate) fn never(vocabulary: &PersonVocabulary<'_>) -> Option<Program<PersonSlot>> {
    cel::compile("false", vocabulary, Wanted::Condition).ok()
}

fn compile<V: cel::Vocabulary>(
    report: &mut Reporter<'_>,
    source: &Spanned<String>,
    vocabulary: &V,
    wanted: Wanted,
) -> Option<Program<V::Slot>> {
    match cel::compile(source.get_ref(), vocabulary, wanted) {
        Ok(program) => Some(program),
        Err(errors) => {
            for error in errors {
                report.within(source, error.at, error.message);
            }
            None
        }
    }
}
