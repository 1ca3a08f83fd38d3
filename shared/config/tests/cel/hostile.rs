//! Compiling any input ends soon, with a program or with errors at positions of the source.

use super::tape::Tape;
use super::world::compile;
use perennial_config::cel::{MAX_BYTES, MAX_HEIGHT, MAX_NESTING, Wanted};
use proptest::prelude::*;

/// Compiles, and runs what compiles; checks that errors are at places of the source.
fn endure(source: &str) {
    match compile(source, Wanted::Condition) {
        Ok(program) => {
            let _ = program.is_true(&Tape::new(&[]).facts());
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "{source}");
            for error in errors {
                assert!(source.get(error.at.clone()).is_some(), "{source}: {error:?}");
                assert!(!error.message.contains("is no CEL"), "{source}: not found before the parser: {error:?}");
            }
        }
    }
}

const WORDS: [&str; 62] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "?",
    ":",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "in",
    "=",
    "&",
    "true",
    "null",
    "1",
    "-1",
    "0x1f",
    "1.5",
    ".5",
    "1e9",
    "9223372036854775808",
    "3u",
    "\"a\"",
    "'b'",
    "r'\\d'",
    "b'x'",
    "\"\"\"c\"\"\"",
    "\"\\u00e4\"",
    "visits",
    "stage",
    "pays",
    "properties",
    "properties.a",
    "segments",
    "anything",
    "count",
    "count(\"a\")",
    "has",
    "has(properties.a)",
    "size",
    "exists",
    "all",
    "e",
    "matches",
    "if",
    "//",
    "§",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_endured(source in any::<String>()) {
        endure(&source);
    }

    #[test]
    fn any_printable_text_is_endured(source in "[ -~\\n\u{e4}\u{201c}]{0,60}") {
        endure(&source);
    }

    #[test]
    fn any_soup_of_tokens_is_endured(words in proptest::collection::vec(0..WORDS.len(), 0..16), spaced: bool) {
        let words: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        endure(&words.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn a_condition_with_one_token_changed_is_endured(tape in proptest::collection::vec(any::<u8>(), 0..60), at in 0..100_usize, word in 0..WORDS.len()) {
        let source = Tape::new(&tape).truth(3);
        let mut words: Vec<&str> = source.split(' ').collect();
        let at = at % words.len();
        words[at] = WORDS[word];
        endure(&words.join(" "));
    }
}

/// Runs `test` on half of a thread's default stack, so that allowed input has room to spare. Frames of unoptimised code
/// are twice as large, so it gets the whole stack there.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let bytes = if cfg!(debug_assertions) { 2 << 20 } else { 1 << 20 };
    std::thread::Builder::new().stack_size(bytes).spawn(test).unwrap().join().unwrap();
}

#[test]
fn nesting_ends_at_its_limit_and_not_at_the_stacks() {
    on_a_small_stack(|| {
        let nested = |n: usize, open: &str, close: &str| format!("{}pays{}", open.repeat(n), close.repeat(n));
        assert!(compile(&nested(MAX_NESTING, "(", ")"), Wanted::Condition).is_ok());
        for (open, close) in [("(", ")"), ("!(", ")"), ("[", "]"), ("[pays ? ", " : 1]"), ("size(", ")")] {
            endure(&nested(MAX_NESTING, open, close));
            endure(&nested(MAX_NESTING + 1, open, close));
            endure(&nested(500, open, close));
        }
        for source in [
            "!".repeat(8000),
            "-".repeat(8000),
            "(".repeat(8000),
            "pays?".repeat(1600),
            "a.".repeat(4000),
            "[".repeat(8000),
        ] {
            endure(&format!("{source}pays"));
        }
    });
}

#[test]
fn long_rows_of_operators_end_at_their_limit_and_not_at_the_stacks() {
    on_a_small_stack(|| {
        let row = |n: usize, operator: &str| vec!["visits"; n].join(operator);
        for operator in ["+", "-", "*", "==", " in ", "."] {
            for n in [2, 50, MAX_HEIGHT - 2, MAX_HEIGHT + 5, 900] {
                endure(&format!("{} > 3", row(n, operator)));
            }
        }
        assert!(compile(&format!("{} > 3", row(MAX_HEIGHT - 10, "+")), Wanted::Condition).is_ok());
        for operator in ["&&", "||"] {
            let row = vec!["visits > 3"; 600].join(operator);
            assert!(compile(&row, Wanted::Condition).is_ok(), "{operator} makes no tree that is high");
        }
        // Sequences within brackets, each as long as the nesting allows.
        let mut source = "1".to_owned();
        for _ in 0..MAX_NESTING {
            source = format!("({source}+1+1+1+1+1+1)");
        }
        endure(&format!("{source} > 3"));
    });
}

#[test]
fn a_source_that_is_too_long_is_refused_as_a_whole() {
    let errors = compile(&format!("pays{}", " ".repeat(MAX_BYTES)), Wanted::Condition).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.contains("8192 are allowed"), "{errors:?}");
}

#[test]
fn a_pattern_that_grows_when_it_is_compiled_is_refused() {
    let errors = compile("stage.matches(\"(\\\\w{100}){100}\")", Wanted::Condition).unwrap_err();
    assert!(errors[0].message.contains("make it simpler"), "{errors:?}");
}
