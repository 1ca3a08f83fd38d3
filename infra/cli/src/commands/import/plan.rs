//! Which mapping a file is imported by.

use super::Args;
use anyhow::Context;
use perennial_config::Config;
use perennial_config::imports::{Format, Import, Mode};
use perennial_domain::SourceId;
use perennial_local::bundle;
use std::sync::Arc;

/// How files are imported.
pub(super) struct Plan {
    pub(super) import: Arc<Import>,
    pub(super) mode: Mode,
}

impl Plan {
    /// Finds the mapping: a ready one, or that of imports.toml.
    ///
    /// # Errors
    /// If there is none, or several could be meant.
    pub(super) async fn make(args: &Args) -> anyhow::Result<Self> {
        let import = match &args.format {
            Some(name) => of_format(name, args.source.as_deref())?,
            None => {
                let config = match &args.config {
                    Some(dir) => {
                        let config = Config::load(&bundle::read_dir(dir)?);
                        Arc::new(config.map_err(|errors| anyhow::anyhow!("the config has errors:\n{errors}"))?)
                    }
                    None => args.target.operated().await?.config().await?,
                };
                chosen(&config.imports, args.source.as_deref())?
            }
        };
        let mode = args.mode.or(import.mode).unwrap_or(Mode::History);
        Ok(Self { import: Arc::new(import), mode })
    }
}

fn of_format(name: &str, source: Option<&str>) -> anyhow::Result<Import> {
    let format = Format::named(name).map_err(anyhow::Error::msg)?;
    let source = source.unwrap_or(format.name);
    let id = SourceId::parse(source).with_context(|| format!("--source `{source}` is no name of a source"))?;
    Ok(Import::of(id, format))
}

fn chosen(imports: &[Import], source: Option<&str>) -> anyhow::Result<Import> {
    let ids = || imports.iter().map(|import| import.id.as_str()).collect::<Vec<_>>().join(", ");
    match (source, imports) {
        (_, []) => anyhow::bail!(
            "imports.toml has no imports: add one (`perennial import FILE --guess` writes a first one), push it, or use --config DIR or --format NAME"
        ),
        (None, [only]) => Ok(only.clone()),
        (None, _) => anyhow::bail!("which import of imports.toml? Use --source with one of {}", ids()),
        (Some(source), _) => {
            let found = imports.iter().find(|import| import.id.as_str() == source);
            found.cloned().with_context(|| format!("imports.toml has no import `{source}`; there are {}", ids()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn import_is_that_of_the_source_or_the_only_one() {
        let of = |id: &str| of_format("segment", Some(id)).unwrap();
        let two = [of("a"), of("b")];
        assert_eq!(chosen(&two, Some("b")).unwrap().id.as_str(), "b");
        assert_eq!(chosen(&two[..1], None).unwrap().id.as_str(), "a");
        for (imports, source, expected) in [
            (&two[..], None, "--source with one of a, b"),
            (&two[..], Some("c"), "no import `c`; there are a, b"),
            (&two[..0], None, "--guess"),
        ] {
            let error = chosen(imports, source).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(of_format("hubspot-contacts", None).unwrap().id.as_str(), "hubspot_contacts");
        assert!(of_format("hub", None).unwrap_err().to_string().contains("hubspot_contacts"));
    }
}
