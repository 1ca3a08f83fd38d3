//! Compiled conditions return what the interpreter of crate `cel` returns.

use super::tape::Tape;
use super::world::{Facts, compile, facts};
use ::cel::objects::Key;
use ::cel::{Context, Env, ExecutionError, Program, Value as Theirs, extensions};
use perennial_config::cel::{Value as Ours, Wanted};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// CEL's own functions, and those on texts.
fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings).unwrap();
    Arc::new(env)
}

fn theirs(json: &Json) -> Theirs {
    match json {
        Json::Null => Theirs::Null,
        Json::Bool(b) => Theirs::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Theirs::Float(n.as_f64().unwrap()), Theirs::Int),
        Json::String(text) => Theirs::String(Arc::new(text.clone())),
        Json::Array(list) => Theirs::List(Arc::new(list.iter().map(theirs).collect())),
        Json::Object(map) => {
            let map: HashMap<String, Theirs> = map.iter().map(|(key, value)| (key.clone(), theirs(value))).collect();
            map.into()
        }
    }
}

/// Returns the interpreter's result for `source`.
fn interpreted(env: &Arc<Env>, source: &str, facts: &Facts) -> Result<Theirs, String> {
    let program: Program = env.compile(source).map_err(|error| error.to_string())?;
    let mut context = Context::with_env(env.clone());
    for (name, value) in facts.0.iter().filter(|(name, _)| *name != "count") {
        context.add_variable_from_value(name.clone(), theirs(value));
    }
    let counts = facts.0.get("count").map(theirs);
    let count = move |event: Arc<String>| -> Result<Theirs, ExecutionError> {
        match &counts {
            Some(Theirs::Map(counts)) => {
                counts.get(&Key::from(event.as_str())).cloned().ok_or_else(|| ExecutionError::no_such_key(&event))
            }
            _ => Err(ExecutionError::no_such_key(&event)),
        }
    };
    context.add_function("count", count).unwrap();
    program.execute(&context).map_err(|error| error.to_string())
}

fn same(ours: &Ours<'_>, theirs: &Theirs) -> bool {
    match (ours, theirs) {
        (Ours::Null, Theirs::Null) => true,
        (Ours::Bool(a), Theirs::Bool(b)) => a == b,
        (Ours::Int(a), Theirs::Int(b)) => a == b,
        (Ours::Double(a), Theirs::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Ours::Text(a), Theirs::String(b)) => a.as_ref() == b.as_str(),
        (Ours::List(a), Theirs::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(&a, b)),
        (Ours::Map(a), Theirs::Map(b)) => {
            a.len() == b.map.len()
                && a.iter().all(|(key, value)| {
                    b.get(&Key::from(key.as_str())).is_some_and(|other| same(&Ours::from(value), other))
                })
        }
        _ => false,
    }
}

/// Runs `source` both ways; `None` if it is rejected before it runs, which an interpreter without types does not do.
fn agree(env: &Arc<Env>, source: &str, wanted: Wanted, facts: &Facts) -> Option<Result<(), String>> {
    let program = compile(source, wanted).ok()?;
    // Placeholders of senders are absent here, which the specification leaves to the implementation of the map.
    let asks_for_keys = ["has(", "in properties", "in account", "in anything"].iter().any(|asks| source.contains(asks));
    let filled = asks_for_keys.then(|| facts.without_nothing());
    let facts = filled.as_ref().unwrap_or(facts);
    let (ours, theirs) = (program.eval(facts), interpreted(env, source, facts));
    let agree = match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => same(ours, theirs),
        (Err(_), Err(_)) => true,
        _ => false,
    };
    let holds = matches!(ours, Ok(Ours::Bool(true)));
    assert_eq!(program.is_true(facts), holds, "{source}: `is_true` and `eval` differ");
    Some(if agree {
        Ok(())
    } else {
        Err(format!("{source}\n ours: {ours:?}\n theirs: {theirs:?}\n facts: {:?}", facts.0))
    })
}

#[test]
fn random_conditions_give_what_the_interpreter_gives() {
    let env = environment();
    let (ran, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 6000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tapes = (proptest::collection::vec(any::<u8>(), 0..80), proptest::collection::vec(any::<u8>(), 24), 0..4_usize);
    let result = runner.run(&tapes, |(choices, known, depth)| {
        let mut tape = Tape::new(&choices);
        let (source, wanted) = match choices.len() % 4 {
            0 => (tape.whole(depth), Wanted::Number),
            1 => (tape.fraction(depth), Wanted::Number),
            _ => (tape.truth(depth), Wanted::Condition),
        };
        let facts = Tape::new(&known).facts();
        let outcome = agree(&env, &source, wanted, &facts);
        let counter = if outcome.is_some() { &ran } else { &refused };
        counter.set(counter.get() + 1);
        outcome.unwrap_or(Ok(())).map_err(TestCaseError::fail)
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let (ran, refused) = (ran.get(), refused.get());
    assert!(ran > 3 * refused / 2, "{ran} ran and {refused} were refused: the test compares too little");
}

#[test]
fn what_conditions_are_made_of_agrees_for_someone_known_and_someone_unknown() {
    let env = environment();
    let known = facts(serde_json::json!({
        "idle_days": 20, "visits": 3, "sentiment": -0.25, "engagement": 80.0, "stage": "trial", "source": "web", "pays": false,
        "segments": ["vip", "eu"], "anything": {"k": 1}, "count": {"a": 4}, "account": {"people": 12},
        "properties": {"a": "Acme GmbH", "b": 2.5, "flag": true, "list": [1, {"k": 2}], "o": {"k": "v"}, "first name": "Ada"},
    }));
    let unknown = facts(serde_json::json!({"properties": {}, "account": {}, "count": {}}));
    let sources = [
        "idle_days >= 14 && count(\"a\") >= 3",
        "properties.nps <= 6 || stage == \"trial\"",
        "stage in [\"trial\", \"customer\"] && !pays",
        "\"vip\" in segments && size(segments) == 2",
        "properties.a.lowerAscii().endsWith(\" gmbh\")",
        "properties[\"first name\"].matches(\"^A\")",
        "properties.list.exists(item, has(item.k) && item.k == 2)",
        "properties.list.all(item, item == 1 || item.k > 1)",
        "segments.exists(s, s == properties.a)",
        "sentiment < 0.0 ? visits > 2 : visits > 20",
        "engagement > visits",
        "account.people > 10 && \"b\" in properties",
        "anything.k == 1 || anything[\"k\"] == 1",
        "(properties.b + 0.5) * 2.0 == 6.0",
        "idle_days / 7 == 2 && idle_days % 7 == 6",
        "double(visits) / 2.0 == 1.5 && int(2.9) == 2",
    ];
    for source in sources {
        for facts in [&known, &unknown] {
            agree(&env, source, Wanted::Condition, facts).expect(source).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
