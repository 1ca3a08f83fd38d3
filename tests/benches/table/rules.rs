//! Conditions on people: 20 compiled rules a profile. For comparison, on the same profiles and with the same results,
//! the interpreter of crate `cel`, whose variables are set before the clock starts.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::cel::objects::Key;
use ::cel::{Context as Scope, Env, ExecutionError, extensions};
use anyhow::{Context, Result, anyhow, ensure};
use perennial_config::cel::{
    self, Const, Form, Lookup, Name, Param, Program, Refused, Type, Value, Vocabulary, Wanted,
};
use serde_json::{Value as Json, json};

use crate::callgrind;
use crate::progress::Progress;
use crate::report::{Goal, Row, median};

/// The number of people.
const PEOPLE: usize = 256;
/// Runs of each side, alternating.
const ROUNDS: usize = 11;
/// The shortest duration of one run.
const RUN: Duration = Duration::from_millis(60);
/// The workload that callgrind looks at: [`compiled`].
pub(crate) const PROBE: &str = "rules";

/// Typical conditions of a company: counts, days, stages, traits, segments.
const RULES: [&str; 20] = [
    "idle_days >= 14",
    "idle_days < 3 && active_days >= 8",
    "count(\"Pricing Page Viewed\", 7) >= 3",
    "count(\"Invite Sent\", 28) > 0 && stage == \"trial\"",
    "stage in [\"trial\", \"customer\", \"advocate\"] && active_days * 2 >= idle_days",
    "nps >= 9",
    "nps <= 6 && pays",
    "pays && idle_days > 7 && active_days < 2",
    "!pays && count(\"Checkout Started\", 14) >= 1",
    "sentiment < -0.3 || nps < 5",
    "sentiment > 0.5 && pays",
    "\"vip\" in segments",
    "traits.employees > 50",
    "has(traits.title) && traits.title.contains(\"Head\")",
    "traits.title == \"CTO\" || traits.title == \"CEO\"",
    "traits.plan == \"free\" && active_days > 10",
    "stage == \"lead\" && (count(\"Demo Requested\", 28) > 0 || traits.source == \"partner\")",
    "count(\"Support Ticket Opened\", 28) - count(\"Support Ticket Closed\", 28) > 2",
    "traits.country in [\"DE\", \"AT\", \"CH\"]",
    "size(segments) > 1 && stage != \"churned\"",
];

const EVENTS: [&str; 6] = [
    "Pricing Page Viewed",
    "Invite Sent",
    "Checkout Started",
    "Demo Requested",
    "Support Ticket Opened",
    "Support Ticket Closed",
];

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let people = people();
    let programs = programs()?;
    let interpreter = Interpreter::new(&people)?;
    for (person, scope) in people.iter().zip(&interpreter.scopes) {
        let (ours, theirs) = (compiled(&programs, person), interpreter.interpreted(scope));
        ensure!(ours == theirs, "the compiled rules and the interpreter differ: {ours:020b} and {theirs:020b}");
    }

    progress.begin("rules", ROUNDS);
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        progress.step("compiled, interpreter");
        our_rates
            .push(rate(|| people.iter().map(|person| compiled(&programs, black_box(person))).fold(0, |a, b| a ^ b)));
        their_rates
            .push(rate(|| interpreter.scopes.iter().map(|scope| interpreter.interpreted(scope)).fold(0, |a, b| a ^ b)));
    }
    let ratio = median(our_rates.iter().zip(&their_rates).map(|(ours, theirs)| ours / theirs))
        .context("no run was measured")?;
    let (ours, theirs) = (median(our_rates).unwrap_or_default(), median(their_rates).unwrap_or_default());
    let instructions = callgrind::instructions_each(PROBE, 200, PEOPLE as u64).map_err(|error| format!("{error:#}"));
    Ok(vec![
        Row::new(
            "rules: 20 a profile, compiled, against crate cel's interpreter",
            Goal::Stated,
            " x",
            Ok::<_, String>(ratio),
        )
        .note(format!("{:.1} M profiles/s a core against {:.0} k, the same results", ours / 1e6, theirs / 1e3)),
        Row::new("rules: 20 a profile, compiled", Goal::Stated, " instr/profile", instructions),
    ])
}

/// Returns profiles a second of `work`, which does [`PEOPLE`] of them.
fn rate(mut work: impl FnMut() -> u32) -> f64 {
    let started = Instant::now();
    let mut done = 0.0;
    while started.elapsed() < RUN {
        black_box(work());
        done += PEOPLE as f64;
    }
    done / started.elapsed().as_secs_f64()
}

/// Performs the probe's workload.
pub(crate) fn probe(times: u64) -> Result<()> {
    let (people, programs) = (people(), programs()?);
    for _ in 0..times {
        for person in &people {
            black_box(compiled(&programs, black_box(person)));
        }
    }
    Ok(())
}

/// Which rules hold, a bit each.
fn compiled(programs: &[Program<Fact>], person: &Person) -> u32 {
    programs.iter().enumerate().fold(0, |held, (bit, program)| held | u32::from(program.is_true(person)) << bit)
}

fn programs() -> Result<Vec<Program<Fact>>> {
    let compile = |rule: &&str| {
        cel::compile(rule, &Facts, Wanted::Condition)
            .map_err(|errors| anyhow!("{rule}: {}", errors.iter().map(ToString::to_string).collect::<String>()))
    };
    RULES.iter().map(compile).collect()
}

/// The lookups of the rules.
#[derive(Debug, Clone, PartialEq)]
enum Fact {
    IdleDays,
    ActiveDays,
    Nps,
    Sentiment,
    Stage,
    Pays,
    Segments,
    Trait(String),
    Count(usize),
}

/// A profile's state, in the form of the engine: typed fields, and traits as JSON.
struct Person {
    idle_days: i64,
    active_days: i64,
    nps: Option<i64>,
    sentiment: Option<f64>,
    stage: &'static str,
    pays: bool,
    segments: Vec<String>,
    traits: serde_json::Map<String, Json>,
    counts: [i64; EVENTS.len()],
}

impl Lookup<Fact> for Person {
    fn get(&self, fact: &Fact) -> Option<Value<'_>> {
        match fact {
            Fact::IdleDays => Some(self.idle_days.into()),
            Fact::ActiveDays => Some(self.active_days.into()),
            Fact::Nps => self.nps.map(Value::from),
            Fact::Sentiment => self.sentiment.map(Value::from),
            Fact::Stage => Some(self.stage.into()),
            Fact::Pays => Some(self.pays.into()),
            Fact::Segments => Some(self.segments.as_slice().into()),
            Fact::Trait(name) => self.traits.get(name).map(Value::from),
            Fact::Count(event) => self.counts.get(*event).copied().map(Value::from),
        }
    }
}

/// Returns [`PEOPLE`] people, each a little different.
fn people() -> Vec<Person> {
    let stages = ["lead", "trial", "customer", "advocate", "churned"];
    let titles = ["CTO", "Head of Marketing", "Developer", "CEO"];
    let countries = ["DE", "US", "CH", "FR"];
    let person = |n: usize| {
        let i = n as i64;
        let mut traits = serde_json::Map::new();
        if !n.is_multiple_of(3) {
            traits.insert("title".to_owned(), json!(titles[n % titles.len()]));
            traits.insert("employees".to_owned(), json!(i * 7 % 200));
        }
        traits.insert("country".to_owned(), json!(countries[n % countries.len()]));
        traits.insert("plan".to_owned(), json!(if n.is_multiple_of(2) { "free" } else { "team" }));
        Person {
            idle_days: i % 31,
            active_days: i % 29,
            nps: n.is_multiple_of(4).then_some(i % 11),
            sentiment: n.is_multiple_of(5).then_some((i % 21) as f64 / 10.0 - 1.0),
            stage: stages[n % stages.len()],
            pays: n % stages.len() == 2,
            segments: if n.is_multiple_of(6) { vec!["eu".to_owned(), "vip".to_owned()] } else { vec!["eu".to_owned()] },
            traits,
            counts: std::array::from_fn(|event| (i + event as i64) % 6),
        }
    };
    (0..PEOPLE).map(person).collect()
}

/// The vocabulary of the rules.
struct Facts;

const PARAMS: [Param; 2] =
    [Param { name: "event", ty: Type::Text, optional: false }, Param { name: "days", ty: Type::Int, optional: false }];

static NAMES: [Name; 2] = [
    Name { name: "traits", form: Form::Map, ty: Type::Dyn, doc: "what is known of the person" },
    Name { name: "count", form: Form::Function(&PARAMS), ty: Type::Int, doc: "how often an event happened" },
];

impl Vocabulary for Facts {
    type Slot = Fact;

    fn names(&self) -> &[Name] {
        &NAMES
    }

    fn variable(&self, name: &str) -> Option<(Fact, Type)> {
        Some(match name {
            "idle_days" => (Fact::IdleDays, Type::Int),
            "active_days" => (Fact::ActiveDays, Type::Int),
            "nps" => (Fact::Nps, Type::Int),
            "sentiment" => (Fact::Sentiment, Type::Double),
            "stage" => (Fact::Stage, Type::Text),
            "pays" => (Fact::Pays, Type::Bool),
            "segments" => (Fact::Segments, Type::List),
            _ => return None,
        })
    }

    fn member(&self, _: &str, path: &[String]) -> Result<(Fact, Type), String> {
        Ok((Fact::Trait(path.join(".")), Type::Dyn))
    }

    fn call(&self, _: &str, args: &[Const]) -> Result<(Fact, Type), Refused> {
        let known = |event: &String| EVENTS.iter().position(|known| known == event);
        match args.first() {
            Some(Const::Text(event)) => known(event).map(|at| (Fact::Count(at), Type::Int)),
            _ => None,
        }
        .ok_or(Refused { argument: Some(0), message: "is no event of the benchmark".to_owned() })
    }
}

/// The interpreter, with everyone's variables and functions set.
struct Interpreter {
    programs: Vec<::cel::Program>,
    scopes: Vec<Scope<'static, 'static>>,
}

impl Interpreter {
    fn new(people: &[Person]) -> Result<Self> {
        let mut env = Env::stdlib();
        env.add_extension(extensions::strings)?;
        let env = Arc::new(env);
        let programs = RULES.iter().map(|rule| env.compile(rule)).collect::<Result<_, _>>()?;
        let scopes = people.iter().map(|person| scope(&env, person)).collect::<Result<_>>()?;
        Ok(Self { programs, scopes })
    }

    /// Which rules hold, a bit each.
    fn interpreted(&self, scope: &Scope<'_, '_>) -> u32 {
        let holds = |program: &::cel::Program| matches!(program.execute(scope), Ok(::cel::Value::Bool(true)));
        self.programs.iter().enumerate().fold(0, |held, (bit, program)| held | u32::from(holds(program)) << bit)
    }
}

fn scope(env: &Arc<Env>, person: &Person) -> Result<Scope<'static, 'static>> {
    let mut scope = Scope::with_env(Arc::clone(env));
    scope.add_variable_from_value("idle_days", person.idle_days);
    scope.add_variable_from_value("active_days", person.active_days);
    if let Some(nps) = person.nps {
        scope.add_variable_from_value("nps", nps);
    }
    if let Some(sentiment) = person.sentiment {
        scope.add_variable_from_value("sentiment", sentiment);
    }
    scope.add_variable_from_value("stage", person.stage);
    scope.add_variable_from_value("pays", person.pays);
    scope.add_variable_from_value("segments", person.segments.clone());
    let value = |json: &Json| match json {
        Json::Number(n) => ::cel::Value::from(n.as_i64().unwrap_or_default()),
        other => ::cel::Value::from(other.as_str().unwrap_or_default()),
    };
    let traits: HashMap<Key, ::cel::Value> =
        person.traits.iter().map(|(name, json)| (Key::from(name.as_str()), value(json))).collect();
    scope.add_variable_from_value("traits", traits);
    let counts: HashMap<&str, i64> = EVENTS.into_iter().zip(person.counts).collect();
    let count = move |event: Arc<String>, _days: i64| -> Result<i64, ExecutionError> {
        counts.get(event.as_str()).copied().ok_or_else(|| ExecutionError::no_such_key(&event))
    };
    scope.add_function("count", count)?;
    Ok(scope)
}
