//! `perennial check`

use crate::bundle;
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
    match Config::load(&bundle::read_dir(&args.dir)?) {
        Ok(config) => {
            let (rules, journeys, sources) = (
                config.scoring.rules.len() + config.scoring.signals.len(),
                config.journeys.all.len(),
                config.sources.len(),
            );
            println!(
                "{}: version {}, {sources} sources, {rules} scoring rules, {journeys} journeys, no errors",
                args.dir.display(),
                config.version
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            for error in &errors.0 {
                println!("{}/{error}", args.dir.display());
            }
            println!("{} errors", errors.0.len());
            Ok(ExitCode::FAILURE)
        }
    }
}
