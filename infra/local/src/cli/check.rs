//! `perennial check`

use crate::bundle;
use perennial_channels::render::Renderer;
use perennial_config::Config;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The config folder.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = args.dir.display();
    let problems: Vec<String> = match Config::load(&bundle::read_dir(&args.dir)?) {
        Ok(config) => {
            let renderer = Renderer::new(&config.templates);
            if renderer.problems().is_empty() {
                let rules = config.scoring.rules.len() + config.scoring.signals.len();
                let (journeys, sources) = (config.journeys.all.len(), config.sources.len());
                println!(
                    "{dir}: version {}, {sources} sources, {rules} scoring rules, {journeys} journeys, no errors",
                    config.version
                );
                return Ok(ExitCode::SUCCESS);
            }
            renderer.problems().iter().map(ToString::to_string).collect()
        }
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    };
    for problem in &problems {
        println!("{dir}/{problem}");
    }
    println!("{} errors", problems.len());
    Ok(ExitCode::FAILURE)
}
