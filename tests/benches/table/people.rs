//! The cost of lists, reports and pages at a thousand people and at a hundred thousand, each written through `ingest` and `score` as in use.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use lambda_http::{Body, Request};
use perennial_channels::unsubscribe::Keys;
use perennial_lambda_kit::queue::Queue;
use perennial_store::ConfigHandle;
use perennial_views::{MaxAge, Status, Views};

use crate::bodies::START;
use crate::progress::Progress;
use crate::report::{Goal, Row, median};
use crate::road::Road;

/// The people at whom everything is measured, unless `--people` says another larger number.
const FEW: usize = 1_000;
/// People in a request, of three events each.
const A_POST: usize = 100;
/// Requests that `score` takes at once.
const POSTS: usize = 10;
/// How often each page is asked for: the middle time counts.
const TIMES: usize = 7;
/// The most milliseconds of a page, on the server.
const PAGE: Goal = Goal::AtMost(300.0);
/// The dashboard's pages, and what they are called in the table.
const PAGES: [(&str, &str); 8] = [
    ("overview", "/"),
    ("people", "/people?stage=trial"),
    ("person", "/people/user-00000007"),
    ("accounts", "/accounts"),
    ("journeys", "/journeys"),
    ("segments", "/segments"),
    ("report", "/reports/activity"),
    ("operations", "/operations"),
];
/// The api's requests, and what they are called in the table.
const REQUESTS: [(&str, &str); 3] = [
    ("a page of a list", "/api/profiles?stage=trial&limit=50"),
    ("a page of a score's list", "/api/profiles?score=trial_success&limit=50"),
    ("a report", "/api/reports/activity"),
];

/// The cost of a request.
#[derive(Debug, Clone, Copy)]
struct Asked {
    calls: f64,
    units: f64,
    milliseconds: f64,
}

/// Returns the rows of this part; `people` is the larger number of people.
pub(crate) fn rows(people: usize, progress: &mut Progress) -> Result<Vec<Row>> {
    let mut road = Road::start(START)?;
    write(&mut road, 0..FEW, progress)?;
    report(&road)?;
    let before = ask_all(&road, progress)?;
    write(&mut road, FEW..people.max(FEW), progress)?;
    progress.begin("reports", 1);
    let (units, took) = report(&road)?;
    let after = ask_all(&road, progress)?;

    let name = format!("reports of {people} people");
    let each = 100_000.0 / people as f64;
    let mut rows = vec![
        Row::new(format!("{name}: read units for 100,000"), Goal::Stated, "", Ok::<_, String>(units * each)),
        Row::new(
            format!("{name}: seconds for 100,000"),
            Goal::Stated,
            " s",
            Ok::<_, String>(took.as_secs_f64() * each),
        ),
    ];
    for ((name, few), (_, many)) in before.into_iter().zip(after) {
        // As many calls as with few people; the size of what is shown may differ.
        let (calls, units) = (Ok::<_, String>(many.calls), Ok::<_, String>(many.units));
        let as_before = format!("{} and {:.1} at {FEW} people", few.calls, few.units);
        rows.push(Row::new(
            format!("{name} of {people} people: calls of the table"),
            Goal::AtMost(few.calls),
            "",
            calls,
        ));
        rows.push(Row::new(format!("{name} of {people} people: read units"), Goal::Stated, "", units).note(as_before));
        if name.starts_with("page ") {
            let time = Ok::<_, String>(many.milliseconds);
            rows.push(Row::new(format!("{name} of {people} people: server time"), PAGE, " ms", time));
        }
    }
    Ok(rows)
}

/// Has people sign up, begin a trial and use the product.
fn write(road: &mut Road, range: std::ops::Range<usize>, progress: &mut Progress) -> Result<()> {
    let posts: Vec<usize> = range.clone().step_by(A_POST).collect();
    progress.begin(&format!("{} people", range.len()), posts.len());
    for some in posts.chunks(POSTS) {
        for from in some {
            progress.step("a hundred people");
            road.post(&body(*from..range.end.min(from + A_POST))?)?;
        }
        road.score()?;
    }
    Ok(())
}

/// Returns the calls of some people, who have no company in common.
fn body(people: std::ops::Range<usize>) -> Result<String> {
    let mut body = String::from("{\"batch\":[");
    for person in people.clone() {
        let at = START.checked_sub(SignedDuration::from_secs(i64::try_from(person % 86_400)?))?;
        let who = format!("\"userId\":\"user-{person:08}\",\"timestamp\":\"{at:.3}\"");
        if person > people.start {
            body.push(',');
        }
        write!(
            body,
            "{{\"messageId\":\"i{person}\",\"type\":\"identify\",{who},\"traits\":{{\"email\":\"user{person}@gmail.com\",\"name\":\"User Number {person}\"}}}},\
             {{\"messageId\":\"t{person}\",\"type\":\"track\",\"event\":\"Trial Started\",{who}}},\
             {{\"messageId\":\"f{person}\",\"type\":\"track\",\"event\":\"Feature Used\",{who},\"properties\":{{\"feature\":\"export-{}\"}}}}",
            person % 40
        )?;
    }
    body.push_str("]}");
    Ok(body)
}

/// Makes all reports; returns the read units and the time.
fn report(road: &Road) -> Result<(f64, Duration)> {
    let deps = perennial_report::Deps::new(road.services.store.clone(), road.archive(), road.clock());
    road.services.meter()?.reset();
    let began = Instant::now();
    road.services.runtime.block_on(async {
        let request = perennial_report::Request { now: true };
        while perennial_report::handler::handle(&deps, request).await?.made.is_none() {}
        anyhow::Ok(())
    })?;
    Ok((road.services.meter()?.snapshot().dynamodb.read_units, began.elapsed()))
}

/// Asks for each request and each page.
fn ask_all(road: &Road, progress: &mut Progress) -> Result<Vec<(String, Asked)>> {
    progress.begin("lists, reports and pages", REQUESTS.len() + PAGES.len());
    let queue = Arc::new(Queue::new(road.services.sqs.clone(), &road.services.queues.events));
    let views = || -> Result<Views> {
        let config = road.services.runtime.block_on(ConfigHandle::load(road.services.store.clone()))?;
        let age = MaxAge { busy: Duration::ZERO, idle: Duration::ZERO };
        let status = Status::new(Vec::new(), Arc::new(road.services.sqs.clone()), age);
        Ok(Views { store: road.services.store.clone(), config, status, clock: road.clock() })
    };
    let keys = Keys::new(["nobody follows a link of a benchmark"])?;
    let api = perennial_api::Deps::new(views()?, queue.clone(), perennial_api::Access::Open, keys);
    let access = perennial_dashboard::Access::Open;
    let dashboard = perennial_dashboard::Deps::new(views()?, queue, road.services.sqs.clone(), access);
    let mut all = Vec::new();
    for (name, path) in REQUESTS {
        progress.step(name);
        all.push((
            name.to_owned(),
            ask(road, path, async |request| perennial_api::handler::handle(&api, request).await)?,
        ));
    }
    for (name, path) in PAGES {
        progress.step(name);
        let asked = ask(road, path, async |request| perennial_dashboard::handler::handle(&dashboard, request).await);
        all.push((format!("page \"{name}\""), asked?));
    }
    Ok(all)
}

/// Asks some times: the last answer's calls, and the middle time.
fn ask(road: &Road, path: &str, handle: impl AsyncFn(Request) -> lambda_http::Response<Body>) -> Result<Asked> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        road.services.meter()?.reset();
        let request =
            http::Request::get(format!("http://localhost{path}")).header("host", "localhost").body(Body::Empty)?;
        let began = Instant::now();
        let answer = road.services.runtime.block_on(handle(request));
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status().is_success(), "{path} answers {}", answer.status());
    }
    let usage = road.services.meter()?.snapshot().dynamodb;
    let calls: u64 = usage.operations.values().map(|operation| operation.calls).sum();
    let milliseconds = median(times).context("a page was asked for")?;
    Ok(Asked { calls: calls as f64, units: usage.read_units, milliseconds })
}
