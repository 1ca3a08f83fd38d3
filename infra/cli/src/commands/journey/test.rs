//! `perennial journey test`

use super::send;
use super::shown::shown;
use crate::commands::client::{Refused, Target, segment};
use anyhow::Context as _;
use perennial_channels::address::Address;
use perennial_config::Config;
use perennial_domain::{Properties, Stage};
use perennial_lambda_kit::Clock;
use perennial_local::bundle;
use perennial_views::play::{Answer, EventRequest, NotPlayed, Request, SampleRequest, play_alone};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit code of a usage error.
const USAGE: u8 = 2;

/// The journey, the person, and simulated events.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Moments are a day (2026-03-02, which means 10:00 of the person's day), a time of it (2026-03-02T18:30), an RFC \
    3339 timestamp, or for --at so long after --from (3d, \"2d 12h\").\n\n\
    Examples:\n  \
    perennial journey test trial_rescue --person ada@acme.example     what would Ada get, from now on?\n  \
    perennial journey test trial_rescue --person ada --from 2026-03-02 --days 14 --event Login --at 3d\n  \
    \u{20}                                                                 what if she logs in on day 3?\n  \
    perennial journey test detractor_task --stage established --properties '{\"nps\": 3}'\n  \
    \u{20}                                                                 for someone who is made up\n  \
    perennial journey test welcome --config infra/config --html mail.html\n  \
    \u{20}                                                                 by a folder that is not pushed; no system has to run\n  \
    perennial journey test welcome --send-to me@example.com            the mails themselves\n\n\
    Exit code: 0 if the journey was played and none of its messages fails; 1 if a message would fail (a template, no mail address), if \
    nobody has that name, or if the person does not enter (it says which rule keeps them out); 2 if the arguments are wrong. What a template prints and what comes \
    out empty is warned of."
)]
pub(super) struct Args {
    /// The journey, by its id in journeys.toml.
    name: String,
    /// The person: user id, anonymous id, id in another system (such as stripe:cus_5), mail address or profile id;
    /// default: an invented person.
    #[arg(long, value_name = "ID", conflicts_with_all = ["stage", "traits", "sample"])]
    person: Option<String>,
    /// When the trigger happens; default: now.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The number of days to simulate.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// The properties of the triggering event, a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    properties: Option<Properties>,
    /// Suppose that an event happens, with --at for each; may be repeated.
    #[arg(long = "event", value_name = "NAME[=JSON]", value_parser = event)]
    events: Vec<(String, Properties)>,
    /// When the event before it happens.
    #[arg(long = "at", value_name = "MOMENT", allow_hyphen_values = true)]
    at: Vec<String>,
    /// Ignore earlier entries of the person.
    #[arg(long)]
    anew: bool,
    /// The stage of an invented person; default: the journey's first stage.
    #[arg(long, value_parser = stage)]
    stage: Option<Stage>,
    /// A trait of an invented person; may be repeated.
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = named)]
    traits: Vec<(String, Value)>,
    /// The user id of an invented person: another id gets other variants of splits and holdouts.
    #[arg(long, value_name = "ID")]
    sample: Option<String>,
    /// Play by this folder, which need not be pushed.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Write the HTML of the mail to FILE; of several to FILE-1, FILE-2 and so on.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show all steps of other journeys, and not only their messages.
    #[arg(long)]
    all: bool,
    /// Send the mails of the journey to this address, so that you see them in a mail program. They are recorded on the
    /// profile as tests, and never counted: not for caps, experiments, totals or the reputation of the journey.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    send_to: Option<String>,
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.events.len() != args.at.len() {
        eprintln!("error: each --event takes an --at, such as --event Login --at 3d");
        return Ok(ExitCode::from(USAGE));
    }
    let answer = match play(&args).await? {
        Ok(answer) => answer,
        Err(NotAsked { message, code }) => {
            eprintln!("error: {message}");
            return Ok(ExitCode::from(code));
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", shown(&answer, args.all));
    }
    if let Some(file) = &args.html {
        for file in write_html(&answer, file)? {
            eprintln!("written: {}", file.display());
        }
    }
    if let Some(to) = &args.send_to {
        let mails = send::to(args.target.operated().await?, &answer, to).await?;
        match mails {
            0 => eprintln!("nothing is sent: the journey sends no mail here"),
            mails => eprintln!("{mails} of its mails will be sent to {to} within a minute, as tests"),
        }
    }
    Ok(exit_code(&answer))
}

/// Success where they enter, and none of the journey's messages fails.
fn exit_code(answer: &Answer) -> ExitCode {
    if answer.entered && answer.failing().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The reason why there is nothing to show.
struct NotAsked {
    message: String,
    code: u8,
}

/// Plays it in the system, or locally if no person is given and the configuration is available.
async fn play(args: &Args) -> anyhow::Result<Result<Answer, NotAsked>> {
    let bundle = args.config.as_deref().map(bundle::read_dir).transpose()?;
    let mut request = args.request();
    if let (None, Some(bundle)) = (&args.person, &bundle) {
        let config = match Config::load(bundle) {
            Ok(config) => config,
            Err(errors) => return Ok(Err(NotAsked { message: format!("the config has errors:\n{errors}"), code: 1 })),
        };
        let played = play_alone(&config, &args.name, &request, Clock::system().now()).await;
        return Ok(played.map_err(|error| {
            let code = if matches!(error, NotPlayed::NoJourney { .. }) { 1 } else { USAGE };
            NotAsked { message: error.to_string(), code }
        }));
    }
    request.config = bundle;
    let path = format!("/api/journeys/{}/test", segment(&args.name));
    match args.target.post(&path, &serde_json::to_value(&request)?).await {
        Ok(answer) => Ok(Ok(serde_json::from_value(answer)?)),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(Refused { message, status }) if *status == reqwest::StatusCode::BAD_REQUEST => {
                Ok(Err(NotAsked { message: message.clone(), code: USAGE }))
            }
            Some(Refused { message, status }) if *status == reqwest::StatusCode::NOT_FOUND => {
                Ok(Err(NotAsked { message: message.clone(), code: 1 }))
            }
            _ => Err(error),
        },
    }
}

impl Args {
    fn request(&self) -> Request {
        let events = self.events.iter().zip(&self.at).map(|((event, properties), at)| EventRequest {
            event: event.clone(),
            at: at.clone(),
            properties: properties.clone(),
        });
        let sample =
            SampleRequest { id: self.sample.clone(), stage: self.stage, traits: self.traits.iter().cloned().collect() };
        Request {
            person: self.person.clone(),
            sample: Some(sample).filter(|_| self.person.is_none()),
            from: self.from.clone(),
            days: Some(self.days),
            properties: self.properties.clone().unwrap_or_default(),
            events: events.collect(),
            anew: self.anew,
            config: None,
        }
    }
}

/// Writes the HTML of the journey's own mails; returns the paths.
fn write_html(answer: &Answer, file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let own = answer.steps.iter().filter(|step| step.journey.as_ref() == Some(&answer.journey));
    let mails: Vec<&str> = own.filter_map(|step| step.message.as_ref()?.html.as_deref()).collect();
    let mut written = Vec::new();
    for (number, html) in mails.iter().enumerate() {
        let path = if mails.len() == 1 { file.to_owned() } else { numbered(file, number + 1) };
        std::fs::write(&path, html).with_context(|| format!("{} cannot be written", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// `mail.html` as `mail-2.html`.
fn numbered(file: &Path, number: usize) -> PathBuf {
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = part(file.file_stem()).unwrap_or_default();
    let extension = part(file.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
    file.with_file_name(format!("{stem}-{number}{extension}"))
}

fn address(text: &str) -> Result<String, String> {
    let address =
        Address::parse(text).map_err(|error| format!("this is no mail address that can be written to: {error}"))?;
    Ok(address.as_str().to_owned())
}

fn object(text: &str) -> Result<Properties, String> {
    serde_json::from_str(text).map_err(|error| format!("this is no JSON object such as {{\"nps\": 10}}: {error}"))
}

/// `Login` or `Login={"plan": "pro"}`.
fn event(text: &str) -> Result<(String, Properties), String> {
    match text.split_once("={") {
        None => Ok((text.to_owned(), Properties::new())),
        Some((name, json)) => Ok((name.to_owned(), object(&format!("{{{json}"))?)),
    }
}

/// Parses `name=value`, where the value is JSON or a text.
fn named(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a trait is NAME=VALUE, such as first_name=Ada")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

fn stage(text: &str) -> Result<Stage, String> {
    let name = text.replace('-', "_");
    Stage::ALL.into_iter().find(|stage| stage.as_str() == name).ok_or_else(|| {
        let all: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
        format!("the stages are {}", all.join(", "))
    })
}

#[cfg(test)]
#[path = "test_tests.rs"]
mod tests;
