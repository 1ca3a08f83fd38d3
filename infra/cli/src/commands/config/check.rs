//! `perennial config check`

mod place;

use perennial_channels::lint;
use perennial_channels::render::TemplateProblem;
use perennial_config::channels::Template;
use perennial_config::sources::WriteKeyHash;
use perennial_config::{Bundle, Config, ConfigError, check};
use perennial_local::bundle;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// The folder to check, and how strictly.
#[derive(Debug, clap::Args)]
#[command(after_help = "Each line is FILE:LINE:COLUMN, so that editors and terminals can open the place.\n\
    Exit code: 0 without errors, 1 with errors (with --strict: or warnings).")]
pub(in crate::commands) struct Args {
    /// The config folder.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
    /// Treat warnings as errors, for a pipeline that deploys the folder.
    #[arg(long)]
    strict: bool,
}

/// Checks the folder and prints the findings.
pub(in crate::commands) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bundle = bundle::read_dir(&args.dir)?;
    let report = Report::of(&bundle);
    let text = report.text(&args.dir.display().to_string(), in_color());
    std::io::stdout().write_all(text.as_bytes())?;
    let fails = !report.errors.is_empty() || (args.strict && !report.warnings.is_empty());
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Returns whether the output may be coloured.
pub(in crate::commands) fn in_color() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the terminal's user asks for it, https://no-color.org")]
    let is_asked_not_to = std::env::var_os("NO_COLOR").is_some();
    std::io::stdout().is_terminal() && !is_asked_not_to
}

/// The findings in a folder.
pub(in crate::commands) struct Report {
    pub(in crate::commands) errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
    /// `true` if a source accepts a well-known write key.
    pub(super) has_local_keys: bool,
    /// A summary of the contents.
    counted: String,
}

impl Report {
    pub(in crate::commands) fn of(bundle: &Bundle) -> Self {
        let checked = check::check(bundle);
        let mut errors = checked.errors;
        let templates = templates(bundle);
        errors.extend(lint::check(&templates).iter().map(|problem| finding(bundle, problem)));
        errors.sort_by(|a, b| a.place().cmp(&b.place()));
        let mut warnings = checked.warnings;
        warnings.extend(lint::suspect(&templates).iter().map(|problem| finding(bundle, problem)));
        warnings.sort_by(|a, b| a.place().cmp(&b.place()));
        let mut counted = many(bundle.files.len(), "file");
        if let Some(config) = &checked.config {
            counted = count(counted, config);
        }
        let sources = checked.config.iter().flat_map(|config| &config.sources);
        let has_local_keys = sources.flat_map(|source| &source.write_key_hashes).any(WriteKeyHash::is_local);
        Self { errors, warnings, has_local_keys, counted }
    }

    /// Returns one line for each finding, and a summary line.
    pub(in crate::commands) fn text(&self, dir: &str, color: bool) -> String {
        let mut text = String::new();
        let paint = |code: &str, part: &str| if color { format!("\x1b[{code}m{part}\x1b[0m") } else { part.to_owned() };
        for (kind, code, findings) in [("error", "1;31", &self.errors), ("warning", "1;33", &self.warnings)] {
            for finding in findings {
                let place = match finding.line {
                    0 => format!("{dir}/{}", finding.file),
                    line => format!("{dir}/{}:{line}:{}", finding.file, finding.column),
                };
                text.push_str(&format!("{}: {}: {}\n", paint("1", &place), paint(code, kind), finding.message));
            }
        }
        let errors = match self.errors.len() {
            0 => paint("32", "no errors"),
            count => paint("31", &many(count, "error")),
        };
        let warnings = match self.warnings.len() {
            0 if !self.errors.is_empty() => String::new(),
            0 => ", no warnings".to_owned(),
            count => format!(", {}", paint("33", &many(count, "warning"))),
        };
        text.push_str(&format!("{dir}: {}: {errors}{warnings}\n", self.counted));
        text
    }
}

/// Returns the readable templates, whatever else is wrong.
fn templates(bundle: &Bundle) -> BTreeMap<String, Template> {
    let templates = bundle.files.iter().filter_map(|(file, text)| {
        let name = file.strip_prefix("templates/")?.strip_suffix(".toml")?;
        Some((name.to_owned(), toml::from_str::<Template>(text).ok()?))
    });
    templates.collect()
}

/// A problem at its place in the file.
fn finding(bundle: &Bundle, problem: &TemplateProblem) -> ConfigError {
    let file = format!("templates/{}.toml", problem.template);
    let text = bundle.files.get(&file).map_or("", String::as_str);
    let (line, column) = place::in_file(text, problem);
    ConfigError { file, line, column, message: format!("{}: {}", problem.part, problem.problem) }
}

fn count(files: String, config: &Config) -> String {
    let scoring = &config.scoring;
    let parts = [
        files,
        many(config.sources.len(), "source"),
        many(scoring.rules.len() + scoring.signals.len(), "rule"),
        many(config.segments.all.len(), "segment"),
        many(config.journeys.all.len(), "journey"),
        format!("version {}", config.version),
    ];
    parts.join(", ")
}

/// `1 error`, `2 errors`.
fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn with(file: &str, change: impl Fn(&str) -> String) -> Report {
        let mut bundle = bundle::embedded();
        let text = change(&bundle.files[file]);
        bundle.files.insert(file.to_owned(), text);
        Report::of(&bundle)
    }

    #[test]
    fn of_the_default_config_nothing_is_told_but_that_everybody_knows_its_write_keys() {
        let report = Report::of(&bundle::embedded());
        assert!(report.has_local_keys);
        let text = report.text("infra/config", false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[..2].iter().all(|line| line.contains("warning: source `") && line.contains("everybody knows")),
            "{text}"
        );
        assert!(lines.len() == 3 && text.ends_with(": no errors, 2 warnings\n"), "{text}");
        assert!(lines[2].starts_with("infra/config: 6") && text.contains(" rules, 15 segments, "), "{text}");
    }

    #[test]
    fn a_finding_is_a_place_that_can_be_opened_and_the_last_line_sums_up() {
        let report = with("schedules.toml", |text| text.replace("\"sweep\"\nexpression", "\"swep\"\nexpression"));
        let text = report.text("dir", false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("dir/schedules.toml:") && lines[0].contains(":12: error: "), "{text}");
        assert!(lines[0].contains("did you mean `sweep`?"), "{text}");
        assert!(lines.last().unwrap().ends_with(" files: 1 error, 2 warnings"), "{text}");
        assert!(!text.contains('\x1b'));
        assert!(report.text("dir", true).contains("\x1b[1;31merror\x1b[0m"));
    }

    #[test]
    fn warnings_are_told_and_are_no_errors() {
        let report = with("scoring.toml", |text| {
            format!("{text}\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\n")
        });
        assert!(report.errors.is_empty());
        let text = report.text("dir", false);
        assert!(
            text.contains(": warning: rule `x`: its points add up for good")
                && text.ends_with("no errors, 3 warnings\n"),
            "{text}"
        );
    }

    #[test]
    fn errors_and_warnings_are_told_together() {
        let mut bundle = bundle::embedded();
        let add = |bundle: &mut Bundle, file: &str, text: &str| bundle.files.get_mut(file).unwrap().push_str(text);
        add(
            &mut bundle,
            "scoring.toml",
            "\n[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"Demo Request\"\npoints = 5\ncap = 9\n",
        );
        add(&mut bundle, "schedules.toml", "\n[[schedule]]\n");
        let text = Report::of(&bundle).text("d", false);
        assert!(text.contains(": warning: nothing else is called `Demo Request`"), "{text}");
        assert!(text.contains(": error: `id` is missing") && text.ends_with(", 3 warnings\n"), "{text}");
    }

    #[test]
    fn a_template_that_does_not_compile_is_told_at_its_part_whatever_else_is_wrong() {
        let mut bundle = bundle::embedded();
        bundle
            .files
            .insert("templates/welcome.toml".to_owned(), "# a\nsubject = \"{{ person\"\ntext = \"t\"\n".to_owned());
        bundle.files.insert("schedules.toml".to_owned(), "[[schedule]]\n".to_owned());
        let text = Report::of(&bundle).text("d", false);
        assert!(text.contains("d/templates/welcome.toml:2:1: error: subject: "), "{text}");
        assert!(text.contains("d/schedules.toml:1:1: error: `id` is missing"), "{text}");
    }

    #[test]
    fn what_is_wrong_in_mjml_is_told_at_its_line_of_the_file() {
        let report = with("templates/welcome.toml", |text| text.replace("<mj-button href", "<mj-buton href"));
        let line = bundle::embedded().files["templates/welcome.toml"]
            .lines()
            .position(|line| line.contains("<mj-button href"));
        let text = report.text("d", false);
        let place = format!("d/templates/welcome.toml:{}:1: error: mjml: `<mj-buton`", line.unwrap() + 1);
        assert!(text.contains(&place), "{text}");
    }

    #[test]
    fn templates_of_other_tools_and_unknown_names_are_told_at_their_line() {
        let template = "subject = \"Hello {{ customer.first_name }}\"\ntext = \"\"\"\nHi,\n{{#if user.premium}}\nx\n{{/if}}\n{{ person.name|upcase }}\n\"\"\"\n";
        let report = with("templates/welcome.toml", |_| template.to_owned());
        let text = report.text("d", false);
        for wanted in [
            "d/templates/welcome.toml:1:21: error: subject: nothing fills `customer.first_name`; did you mean `person.first_name`?",
            "d/templates/welcome.toml:4:1: error: text: `{{#if user.premium}}` is Handlebars; write `{% if person.premium %}`",
            "d/templates/welcome.toml:6:1: error: text: `{{/if}}` is Handlebars; write `{% endif %}`",
            "d/templates/welcome.toml:7:16: error: text: `upcase` is not a filter; write `|upper`",
        ] {
            assert!(text.contains(wanted), "wanted\n{wanted}\nfound\n{text}");
        }
        assert_eq!(report.errors.len(), 4, "{text}");
    }

    #[test]
    fn files_of_windows_have_the_same_findings_at_the_same_places() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("templates")).unwrap();
        let mut files = bundle::embedded().files;
        let schedules = files.get_mut("schedules.toml").unwrap();
        *schedules = schedules.replace("\"sweep\"\nexpression", "\"swep\"\nexpression");
        let unix = Report::of(&Bundle { files: files.clone() }).text("d", false);
        for (name, text) in &files {
            std::fs::write(dir.path().join(name), format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
        }
        assert_eq!(Report::of(&bundle::read_dir(dir.path()).unwrap()).text("d", false), unix);
    }
}
