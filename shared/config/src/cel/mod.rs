//! The language of conditions.

mod ast;
mod check;
mod error;
mod eval;
mod lex;
mod node;
mod ops;
mod parse;
mod program;
mod syntax;
mod value;
mod vocabulary;

pub use error::{CelError, EvalError};
pub use program::Program;
pub use syntax::{MAX_BYTES, MAX_HEIGHT, MAX_NESTING};
pub use value::{List, Lookup, Value};
pub use vocabulary::{Const, Form, Name, Param, Refused, Type, Vocabulary, Wanted};

/// Compiles `source` against `vocabulary`, or says everything that is wrong with it, in the order of the source.
///
/// Nothing is looked up, and nothing depends on the time or the place: the same source and vocabulary give the same program.
pub fn compile<V: Vocabulary>(source: &str, vocabulary: &V, wanted: Wanted) -> Result<Program<V::Slot>, Vec<CelError>> {
    let mut errors = Vec::new();
    if let Some(expr) = parse::parse(source, &mut errors) {
        let (node, slots) = check::check(source, &expr, vocabulary, wanted, &mut errors);
        if errors.is_empty() {
            return Ok(Program::new(source, slots, node));
        }
    }
    errors.sort_by_key(|error| (error.at.start, error.at.end));
    errors.dedup();
    Err(errors)
}
