//! From the bytes of a request to a stored, scored profile: CPU of the functions' own code, service calls left out, beside a Node handler that
//! does the same sums on the same bodies.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::FutureExt;
use perennial_config::Config;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{Event, Identity, Likelihood, PersonId};
use perennial_engine::{Mode, Moment, Profile, process};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_store::{Loaded, Summary, codec};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::binaries::workspace;
use crate::progress::Progress;
use crate::report::{Goal, Row, median};
use crate::{bodies, house};

/// The requests of one round: 6,000 events of 200 people, six batches each.
const POSTS: usize = 60;
const EVENTS: usize = 100;
const EACH: usize = 5;
const PEOPLE: usize = 200;
/// Rounds that count, after those that warm up: V8 needs some until it has compiled everything.
const ROUNDS: usize = 7;
const WARM_UP: usize = 5;

/// Returns the row of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let bodies: Vec<String> = (0..POSTS)
        .map(|nth| bodies::batch(EVENTS, EACH, nth * EVENTS, (nth * EVENTS / EACH) % PEOPLE, house::now()))
        .collect();
    let config = Arc::new(common_config()?);
    progress.begin("the road from request to profile", WARM_UP + ROUNDS + 1);
    let mut ours = Vec::new();
    let mut road = Road::new(&config);
    for _ in 0..WARM_UP + ROUNDS {
        progress.step("ours");
        road = Road::new(&config);
        let before = cpu_ns()?;
        for body in &bodies {
            road.post(body)?;
        }
        ours.push((cpu_ns()? - before) as f64 / road.counted as f64);
    }
    ensure!(road.counted == (POSTS * EVENTS) as u64, "{} of {} events were counted", road.counted, POSTS * EVENTS);
    let ours = median(ours.into_iter().skip(WARM_UP)).context("no round was measured")?;
    progress.step("node");
    let node = node(&config, &bodies, &road);
    let speed = format!("{:.0} k events/s a core, {:.2} us an event", 1e6 / ours, ours / 1e3);
    let note = match &node {
        Ok(node) => format!("{speed} against {:.2} us; {POSTS} bodies of {EVENTS} events, {EACH} a person", node / 1e3),
        Err(_) => speed,
    };
    let ratio = node.map(|node| node / ours).map_err(|error| format!("{error:#}"));
    Ok(vec![Row::new("ingest to scored: CPU against a Node handler", Goal::AtLeast(3.0), "x", ratio).note(note)])
}

/// The functions' code on one thread, with a map for a table.
struct Road {
    config: Arc<Config>,
    ingest: perennial_ingest::Deps,
    queue: Arc<MemoryQueue>,
    table: HashMap<PersonId, HashMap<String, AttributeValue>>,
    counted: u64,
}

impl Road {
    fn new(config: &Arc<Config>) -> Self {
        let queue = Arc::new(MemoryQueue::new());
        let clock = Clock::simulated(house::now()).0;
        Self {
            config: Arc::clone(config),
            ingest: house::ingest(config, &queue, clock),
            queue,
            table: HashMap::new(),
            counted: 0,
        }
    }

    /// Sends one request, and runs the resulting invocation of `score`.
    fn post(&mut self, body: &str) -> Result<()> {
        let request = house::request(body)?;
        let answer = perennial_ingest::handler::handle(&self.ingest, request)
            .now_or_never()
            .context("ingest waits for a service")?;
        ensure!(answer.status().is_success(), "ingest answers {}", answer.status());
        for (message, _) in self.queue.drain() {
            let EventsPayload::Events { events } = serde_json::from_str(&message)? else {
                bail!("ingest sends no ticks")
            };
            self.score(events)?;
        }
        Ok(())
    }

    fn score(&mut self, events: Vec<Event>) -> Result<()> {
        let mut people: HashMap<Identity, Vec<Event>> = HashMap::new();
        for event in events {
            people.entry(event.identity().context("an event of nobody")?).or_default().push(event);
        }
        for (identity, events) in people {
            let person = identity.person_id();
            let (mut profile, version) = match self.table.get(&person) {
                None => (Profile::new(identity), 0),
                Some(item) => match codec::decode(item)? {
                    Loaded::Profile(stored) => (stored.profile, stored.version),
                    other => bail!("an unexpected item: {other:?}"),
                },
            };
            let processed = process(
                &Moment::new(&self.config, house::now()),
                &mut profile,
                &events,
                &Default::default(),
                Mode::Live,
            );
            self.counted += u64::from(processed.counted);
            // The outbox is part of the write; it is removed by the next one.
            let item =
                codec::encode(&profile, &Summary::of(&profile, &processed.evaluation, &self.config), version + 1)?;
            self.table.insert(person, item);
        }
        Ok(())
    }

    /// Returns the sum of each score over all people.
    fn scores(&self) -> Result<HashMap<Likelihood, f64>> {
        let mut sums = HashMap::new();
        for item in self.table.values() {
            let Loaded::Profile(stored) = codec::decode(item)? else { continue };
            for (likelihood, score) in &stored.summary.scores {
                *sums.entry(*likelihood).or_default() += f64::from(score.get());
            }
        }
        Ok(sums)
    }
}

/// Nanoseconds that this thread has been on a CPU: another process's share of the machine does not show.
fn cpu_ns() -> Result<u64> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").context("no /proc: CPU time")?;
    schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).context("no CPU time in schedstat")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeAnswer {
    cpu_ns_per_event: Vec<f64>,
    events: u64,
    scores: HashMap<Likelihood, f64>,
}

/// Returns the CPU nanoseconds an event of the Node handler, which must compute the same scores.
fn node(config: &Config, bodies: &[String], road: &Road) -> Result<f64> {
    let script = workspace().join("tests/benches/table/node/handler.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| anyhow!("node is not installed"))?;
    let input = json!({
        "config": config_for_node(config),
        "bodies": bodies,
        "now": house::now().as_millisecond(),
        "rounds": WARM_UP + ROUNDS,
    });
    child.stdin.take().context("no stdin")?.write_all(&serde_json::to_vec(&input)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the Node handler failed");
    let answer: NodeAnswer = serde_json::from_slice(&output.stdout)?;
    ensure!(answer.events == road.counted, "Node counted {} events of {}", answer.events, road.counted);
    let ours = road.scores()?;
    for likelihood in Likelihood::ALL {
        let (node, ours) =
            (answer.scores.get(&likelihood).copied().unwrap_or(0.0), ours.get(&likelihood).copied().unwrap_or(0.0));
        // A point a person, for rounding.
        ensure!(
            (node - ours).abs() <= PEOPLE as f64,
            "Node's {} adds up to {node}, ours to {ours}",
            likelihood.as_str()
        );
    }
    median(answer.cpu_ns_per_event.into_iter().skip(WARM_UP)).context("Node measured nothing")
}

/// Returns the default configuration without the parts of scoring that the Node handler does not support: shared caps,
/// conditions on who has a score, and signals that measure anything but idle days, active days and tenure, or that have a condition. Personas,
/// segments, features and accounts are kept: only the Rust side does that work.
fn common_config() -> Result<Config> {
    let mut bundle = perennial_local::bundle::embedded();
    let scoring = bundle.files.get_mut("scoring.toml").context("no scoring.toml")?;
    let mut file: toml::Table = scoring.parse()?;
    file.remove("category");
    for applies in
        file.get_mut("applies").and_then(toml::Value::as_table_mut).into_iter().flat_map(|all| all.iter_mut())
    {
        if let Some(applies) = applies.1.as_table_mut() {
            applies.remove("when");
        }
    }
    for (name, known) in [("rule", None), ("signal", Some(MEASURES))] {
        let Some(all) = file.get_mut(name).and_then(toml::Value::as_array_mut) else { continue };
        all.retain_mut(|one| {
            let Some(one) = one.as_table_mut() else { return false };
            one.remove("category");
            let measure = one.get("measure").and_then(toml::Value::as_str).unwrap_or_default();
            let speaks_of_texts =
                one.get("where").and_then(toml::Value::as_str).is_some_and(|text| text.contains("sentiment"));
            !one.contains_key("when") && !speaks_of_texts && known.is_none_or(|known| known.contains(&measure))
        });
    }
    *scoring = toml::to_string(&file)?;
    Config::load(&bundle).map_err(|errors| anyhow!("the reduced config is wrong: {errors}"))
}

/// The measures that the Node handler knows.
const MEASURES: [&str; 3] = ["idle_days", "active_days(28)", "tenure_days"];

/// The compiled config in the form that the Node handler reads.
fn config_for_node(config: &Config) -> Value {
    let scoring = &config.scoring;
    let rules: Vec<Value> = scoring
        .rules
        .iter()
        .map(|rule| {
            json!({
                "key": rule.key, "id": rule.id, "score": rule.score, "event": rule.event, "filter": rule.filter.as_ref().map(|filter| filter.source()), "points": rule.points,
                "halfLifeDays": rule.half_life_days, "cap": rule.cap, "reason": rule.reason,
            })
        })
        .collect();
    let signals: Vec<Value> = scoring
        .signals
        .iter()
        .map(|signal| {
            json!({
                "id": signal.id, "score": signal.score, "measure": signal.measure.source(), "from": signal.from, "to": signal.to, "points": signal.points,
                "stages": signal.stages, "reason": signal.reason,
            })
        })
        .collect();
    json!({
        "likelihoods": Likelihood::ALL,
        "base": Likelihood::ALL.map(|likelihood| (likelihood.as_str(), scoring.score(likelihood).base)).into_iter().collect::<HashMap<_, _>>(),
        "applies": Likelihood::ALL.map(|likelihood| (likelihood.as_str(), &scoring.score(likelihood).applies.stages)).into_iter().collect::<HashMap<_, _>>(),
        "rules": rules,
        "signals": signals,
        "tallies": scoring.tallies,
        "milestones": config.lifecycle.milestones,
        "onboardingDays": config.lifecycle.onboarding_days,
        "adoptingDays": config.lifecycle.adopting_days,
        "atRiskAfterIdleDays": config.lifecycle.at_risk_after_idle_days,
    })
}
