//! `perennial report`

use super::client::{Target, segment};
use super::tables::{framed, number, numbers, plain, unreadable};
use anyhow::Context as _;
use comfy_table::CellAlignment;
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_charts::document;
use perennial_report::{Request, handler};
use perennial_reports::{Cell, Name, Report, Table, Unit, shown};
use serde::Deserialize;
use std::process::ExitCode;

/// The report, its form, and the system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The report: activity, cohorts, activation, funnel, retention, revenue, plans, risk, adoption, nps, answers, scores,
    /// education, experiments, messages, deliverability, events or people. Lists them if omitted.
    name: Option<String>,
    /// The last report of this UTC day, such as 2026-01-31, instead of the last one of all.
    #[arg(long, value_name = "DAY", requires = "name")]
    day: Option<Date>,
    /// Print what the api answers.
    #[arg(long, conflicts_with_all = ["csv", "svg"])]
    json: bool,
    /// Print the tables as CSV, for a spreadsheet: shares from 0 to 1, amounts in major units.
    #[arg(long, requires = "name", conflicts_with = "svg")]
    csv: bool,
    /// Print a picture of the report as SVG: lines over time, heat maps, and bars, in the colours of the reader's theme.
    #[arg(long, requires = "name")]
    svg: bool,
    /// Make all reports now, before showing any: reads the whole table, half a read unit for each 4 KB.
    #[arg(long, conflicts_with = "day")]
    now: bool,
    #[command(flatten)]
    target: Target,
}

/// The form of the event catalogue, and the system.
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    /// Print what the api answers.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the tables as CSV, for a spreadsheet.
    #[arg(long)]
    csv: bool,
    /// Count the events received since the last daily run, too: makes all reports, which reads the whole table.
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    target: Target,
}

/// Shows the event catalogue, which is a report.
pub(super) async fn run_events(args: EventsArgs) -> anyhow::Result<ExitCode> {
    let EventsArgs { json, csv, now, target } = args;
    let name = Some(Name::Events.as_str().to_owned());
    run(Args { name, day: None, json, csv, svg: false, now, target }).await
}

#[derive(Debug, Deserialize)]
struct Listed {
    reports: Vec<Entry>,
    made: Option<Made>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    description: String,
}

#[derive(Debug, Deserialize)]
struct Made {
    at: Timestamp,
    people: u64,
    unreadable: u64,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(name) = args.name.as_deref().filter(|name| Name::parse(name).is_none()) {
        let names: Vec<&str> = Name::ALL.into_iter().map(Name::as_str).collect();
        anyhow::bail!("no report is called `{name}`; there are {}", names.join(", "));
    }
    if args.now {
        make(&args.target).await?;
    }
    let Some(name) = &args.name else {
        let answer = args.target.get("/api/reports").await?;
        let text =
            if args.json { serde_json::to_string_pretty(&answer)? } else { listed(&serde_json::from_value(answer)?) };
        println!("{text}");
        return Ok(ExitCode::SUCCESS);
    };
    let day = args.day.map_or_else(String::new, |day| format!("?day={day}"));
    let answer = args.target.get(&format!("/api/reports/{}{day}", segment(name))).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let report: Report = serde_json::from_value(answer).context("the report is of another version of perennial")?;
    if args.svg {
        print!("{}", picture(&report)?);
    } else if args.csv {
        print!("{}", shown::csv(&report));
    } else {
        println!("{}", told(&report));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the picture of a report.
fn picture(report: &Report) -> anyhow::Result<String> {
    let name = report.name.as_str();
    document::svg(report).with_context(|| {
        format!("`{name}` has nothing to draw: none of its tables has two days, months or names yet; without `--svg` it is shown as a table")
    })
}

/// Makes the reports in this process, with the operator's own permissions.
async fn make(target: &Target) -> anyhow::Result<()> {
    let deps = target.operated().await?.report();
    while handler::handle(&deps, Request { now: true }).await?.made.is_none() {}
    Ok(())
}

fn listed(answer: &Listed) -> String {
    let mut table = plain(&[]);
    for Entry { name, description } in &answer.reports {
        table.row([name.clone(), description.clone()]);
    }
    let made = match &answer.made {
        None => "They were not made yet: `perennial report --now` makes them.".to_owned(),
        Some(Made { at, people, unreadable: skipped }) => {
            format!("Made at {at:.0}, of {} people.\n{}", number(*people), unreadable(*skipped))
        }
    };
    format!("{table}\n\n{}", made.trim_end())
}

fn told(report: &Report) -> String {
    let period =
        if report.from == report.to { report.to.to_string() } else { format!("{} to {}", report.from, report.to) };
    let mut out =
        format!("{}: {}\n{period}, made at {:.0}.\n", report.name.as_str(), report.name.description(), report.at);
    for table in &report.tables {
        out += &format!("\n{}\n{}\n", table.name, grid(table));
    }
    for note in &report.notes {
        out += &format!("Note: {note}.\n");
    }
    out += &unreadable(report.unreadable);
    out.trim_end().to_owned()
}

fn grid(table: &Table) -> String {
    if table.rows.is_empty() {
        return "nothing yet".to_owned();
    }
    let header: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let is_text = table.columns.iter().all(|column| column.unit == Unit::Text);
    let mut grid = if is_text { framed(&header) } else { numbers(&header) };
    for (index, column) in table.columns.iter().enumerate() {
        if let (Unit::Text, Some(column)) = (column.unit, grid.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    for row in &table.rows {
        grid.add_row(row.iter().map(cell));
    }
    grid.to_string()
}

/// A cell as people read it: counts have separators between thousands.
fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => number(*count),
        cell => shown::text(cell),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn report() -> Report {
        let columns = [("month", Unit::Text), ("customers", Unit::Count), ("mrr", Unit::Money), ("kept", Unit::Share)];
        let mut table = Table::new("months", &columns);
        let jpy = perennial_domain::Currency::parse("JPY").unwrap();
        table.row([
            Cell::text("2026-02"),
            Cell::Count(12345),
            Cell::Money { minor: 1200, currency: jpy },
            Cell::share(1, 3),
        ]);
        table.row([Cell::text("2026-03"), Cell::Count(0)]);
        Report {
            name: Name::Revenue,
            at: "2026-03-02T00:10:00Z".parse().unwrap(),
            config: perennial_testkit::ConfigBuilder::least().load().version,
            from: "2024-04-01".parse().unwrap(),
            to: "2026-03-02".parse().unwrap(),
            people: 1,
            unreadable: 2,
            notes: vec!["JPY: retention is over 4 months only; a year is intended".to_owned()],
            tables: vec![table.clone(), Table { name: "retention".to_owned(), rows: Vec::new(), ..table }],
        }
    }

    #[test]
    fn a_report_is_told_with_its_period_its_tables_and_its_notes() {
        insta::assert_snapshot!(told(&report()));
    }

    #[test]
    fn picture_is_svg_and_a_report_without_one_says_so() {
        let one = picture(&report());
        assert!(one.is_ok_and(|svg| svg.starts_with("<svg ") && svg.contains("Months")));
        let none = picture(&Report { tables: Vec::new(), ..report() }).unwrap_err().to_string();
        assert!(none.contains("`revenue` has nothing to draw"), "{none}");
    }

    #[test]
    fn reports_are_listed_with_when_they_were_made() {
        let entry = Entry { name: "funnel".to_owned(), description: "stages".to_owned() };
        let made = Made { at: "2026-03-02T00:10:00Z".parse().unwrap(), people: 1234, unreadable: 1 };
        let text = listed(&Listed { reports: vec![entry], made: Some(made) });
        assert!(text.contains("funnel") && text.contains("1,234 people"), "{text}");
        assert!(
            text.ends_with("1 profile cannot be read, and are not included.") || text.contains("cannot be read"),
            "{text}"
        );
        assert!(listed(&Listed { reports: Vec::new(), made: None }).contains("--now"));
    }
}
