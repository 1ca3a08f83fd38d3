//! The language of conditions: [CEL](https://cel.dev), checked for its types and compiled once to a small program.
//!
//! ```
//! use perennial_config::cel::{self, Const, Form, Lookup, Name, Refused, Type, Value, Vocabulary, Wanted};
//!
//! /// Conditions may speak of `idle_days` and of `traits.…`; what they look up is named by a text.
//! struct People;
//!
//! static NAMES: [Name; 2] = [
//!     Name { name: "idle_days", form: Form::Variable, ty: Type::Int, doc: "Whole days since the last activity." },
//!     Name { name: "traits", form: Form::Map, ty: Type::Dyn, doc: "What is known of the person." },
//! ];
//!
//! impl Vocabulary for People {
//!     type Slot = String;
//!     fn names(&self) -> &[Name] {
//!         &NAMES
//!     }
//!     fn variable(&self, name: &str) -> Option<(String, Type)> {
//!         (name == "idle_days").then(|| (name.to_owned(), Type::Int))
//!     }
//!     fn member(&self, _map: &str, path: &[String]) -> Result<(String, Type), String> {
//!         Ok((path.join("."), Type::Dyn))
//!     }
//!     fn call(&self, function: &str, _arguments: &[Const]) -> Result<(String, Type), Refused> {
//!         Err(Refused { argument: None, message: format!("`{function}` is not known") })
//!     }
//! }
//!
//! /// A person whose facts are JSON.
//! struct Person(serde_json::Value);
//!
//! impl Lookup<String> for Person {
//!     fn get(&self, name: &String) -> Option<Value<'_>> {
//!         self.0.get(name).map(Value::from)
//!     }
//! }
//!
//! let program = cel::compile("idle_days >= 14 && traits.plan in [\"team\", \"company\"]", &People, Wanted::Condition).unwrap();
//! assert_eq!(program.slots(), ["idle_days", "plan"]);
//! assert!(program.is_true(&Person(serde_json::json!({"idle_days": 20, "plan": "team"}))));
//! assert!(!program.is_true(&Person(serde_json::json!({"idle_days": 20}))));
//!
//! let errors = cel::compile("idle_dys >= 14 && traits = 3", &People, Wanted::Condition).unwrap_err();
//! assert_eq!(errors[0].message, "`=` assigns, and conditions only ask: write `==`");
//! let errors = cel::compile("idle_dys >= 14 && traits == 3", &People, Wanted::Condition).unwrap_err();
//! assert_eq!((errors[0].at.clone(), errors[0].message.as_str()), (0..8, "`idle_dys` is no known name; did you mean `idle_days`?"));
//! assert_eq!(errors[1].message, "`traits` has keys: write `traits.KEY` or `traits[\"KEY\"]`");
//! ```
//!
//! # What can be written
//!
//! | | |
//! |---|---|
//! | literals | `14`, `0x0e`, `0.5`, `1e3`, `"text"`, `'text'`, `"""lines"""`, `r"\d"`, `true`, `false`, `null`, `["a", 1]` |
//! | names | `idle_days`, `traits.plan`, `traits["first name"]`, `properties.products[0].sku`, `count("Pricing Page Viewed", 7)` |
//! | order and equality | `==` `!=` `<` `<=` `>` `>=`: numbers across their types, texts by code point, `false` before `true` |
//! | logic | `&&` `\|\|` `!` `condition ? a : b` |
//! | arithmetic | `+` `-` `*` `/` `%` of whole numbers, `+` `-` `*` `/` of numbers with a fraction, `+` of texts and lists |
//! | lists | `x in list`, `list.exists(e, e > 3)`, `list.all(e, e > 3)`, `size(list)`, `list[0]` |
//! | keys | `has(traits.plan)`, `"plan" in traits` |
//! | texts | `.contains(x)`, `.startsWith(x)`, `.endsWith(x)`, `.matches("pattern")` (found anywhere), `.lowerAscii()`, `size(text)` |
//! | conversion | `int(x)`, `double(x)` of numbers and texts |
//!
//! # What it means
//!
//! The meaning is CEL's. What is missing, and types that do not fit, make an error, and an error is no truth: a condition that
//! has one does not hold. `&&` and `||` absorb errors where the other side decides: `false && x` is false, whatever `x` is.
//! Whole numbers that outgrow 64 bits and division of one by zero are errors. Whole numbers and numbers with a fraction are
//! compared, but not computed with each other: `double(visits) * 0.5`.
//!
//! The interpreter of crate `cel` gives the same, which tests hold it to, but for four things:
//!
//! - whole numbers and ones with a fraction are compared exactly; it rounds beyond 2 to the 53rd, and the specification does not;
//! - "not a number" has no order, so a comparison with it is false, as in the specification; to it that is an error;
//! - `+` of a list and an object is an error, as in the specification; it gives a list;
//! - `has(a.b.c)` is false where `a.b` is missing. CEL makes that an error, and then `!has(a.b.c)` would not hold either.
//!
//! Types are checked before anything runs, as far as the vocabulary knows them: what can never hold for its types is refused.
//! A source has at most [`MAX_BYTES`] bytes, its brackets nest at most [`MAX_NESTING`] deep, and its tree is at most
//! [`MAX_HEIGHT`] operators high.

mod ast;
mod check;
mod clauses;
mod constant;
mod error;
mod eval;
mod lex;
mod node;
mod ops;
mod parse;
mod pattern;
mod program;
mod ranges;
mod syntax;
mod texts;
mod value;
mod vocabulary;

pub use clauses::{Clause, clauses};
pub use error::{CelError, EvalError};
pub use program::Program;
pub use ranges::{Outcomes, Range, Ranges};
pub use syntax::{MAX_BYTES, MAX_HEIGHT, MAX_NESTING};
pub use texts::{Compared, compared_texts};
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
