//! `perennial config reference` and `perennial config schema`

use anyhow::Context;
use perennial_config::{reference, schema};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The output of the page.
#[derive(Debug, clap::Args)]
pub(super) struct ReferenceArgs {
    /// Write it to REFERENCE.md in the config folder instead of printing it.
    #[arg(long)]
    write: bool,
    /// The config folder.
    #[arg(long, value_name = "DIR", default_value = "infra/config")]
    dir: PathBuf,
}

/// Which schemas, and where to put them.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// The file without its extension: scoring, journeys, …, or template; default: list their names.
    name: Option<String>,
    /// Write all of them to schema/ in the config folder, where the first line of each file looks for its own.
    #[arg(long, conflicts_with = "name")]
    write: bool,
    /// The config folder.
    #[arg(long, value_name = "DIR", default_value = "infra/config")]
    dir: PathBuf,
}

pub(super) fn reference(args: &ReferenceArgs) -> anyhow::Result<ExitCode> {
    let page = reference::page();
    if args.write {
        write(&args.dir.join("REFERENCE.md"), &page)?;
    } else {
        print!("{page}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn schema(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let schemas = schema::schemas();
    if args.write {
        let folder = args.dir.join("schema");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for schema in &schemas {
            write(&folder.join(schema.file_name()), &schema.text())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<&str> = schemas.iter().map(|schema| schema.name).collect();
    match &args.name {
        None => println!("{}", names.join("\n")),
        Some(name) => {
            let found = schemas.iter().find(|schema| schema.name == *name);
            let schema = found.with_context(|| format!("there is no file `{name}`; there are {}", names.join(", ")))?;
            print!("{}", schema.text());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}
