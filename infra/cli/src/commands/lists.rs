//! `perennial people` and `perennial accounts`

use super::client::{Target, segment};
use super::tables::{counted, framed};
use perennial_views::lists::{ACCOUNTS, Columns, PEOPLE, table};
use serde_json::Value;
use std::process::ExitCode;

/// Rows of one request.
const A_PAGE: usize = 200;
/// The segments or personas of one row that a table shows.
const SHOWN: usize = 3;

/// Which rows, and how they are printed.
#[derive(Debug, clap::Args)]
struct Common {
    /// People or accounts in this life-cycle stage, such as trial or at_risk.
    #[arg(long)]
    stage: Option<String>,
    /// Of this owner: a colleague or team. Case and accents do not matter.
    #[arg(long)]
    owner: Option<String>,
    /// At least this much of the score, 0 to 100.
    #[arg(long, value_name = "N", requires = "score")]
    min: Option<u8>,
    /// At most this much of the score.
    #[arg(long, value_name = "N", requires = "score")]
    max: Option<u8>,
    /// A whole id or mail address, or the first letters (three or more) of words of the name or company.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// The order across all rows: by the score, else by engagement (people) or readiness (accounts). Without it each page of
    /// 200 rows is sorted by itself.
    #[arg(long, value_parser = ["highest", "lowest"])]
    sort: Option<String>,
    /// The most rows; 0 for all.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Print the rows as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the rows as CSV. Cells that a spreadsheet would run as formulas begin with an apostrophe.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    target: Target,
}

/// Options of `perennial people`.
#[derive(Debug, clap::Args)]
pub(super) struct PeopleArgs {
    /// In this segment, see `perennial segments`.
    #[arg(long)]
    segment: Option<String>,
    /// With this persona, such as power_user.
    #[arg(long)]
    persona: Option<String>,
    /// To whom this score applies: one of the nine, such as churn, or engagement.
    #[arg(long, value_name = "NAME")]
    score: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Options of `perennial accounts`.
#[derive(Debug, clap::Args)]
pub(super) struct AccountArgs {
    /// With this touch model: high, low or none.
    #[arg(long)]
    touch: Option<String>,
    /// To which this score applies: readiness or health.
    #[arg(long, value_name = "NAME")]
    score: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run_people(args: PeopleArgs) -> anyhow::Result<ExitCode> {
    let PeopleArgs { segment, persona, score, common } = args;
    let of = Of { path: "/api/profiles", rows: "people", columns: &PEOPLE };
    let shown = score.clone();
    let own = [("segment", segment), ("persona", persona), ("score", score)];
    run(&of, own.into(), &common, |rows| people(rows, shown.as_deref())).await
}

pub(super) async fn run_accounts(args: AccountArgs) -> anyhow::Result<ExitCode> {
    let AccountArgs { touch, score, common } = args;
    let of = Of { path: "/api/accounts", rows: "accounts", columns: &ACCOUNTS };
    run(&of, [("touch", touch), ("score", score)].into(), &common, accounts).await
}

/// A list of the API.
struct Of {
    path: &'static str,
    /// The name of the rows in its answer.
    rows: &'static str,
    columns: &'static Columns,
}

async fn run(
    of: &Of,
    mut filters: Vec<(&'static str, Option<String>)>,
    common: &Common,
    shown: impl Fn(&[Value]) -> String,
) -> anyhow::Result<ExitCode> {
    filters.extend([
        ("stage", common.stage.clone()),
        ("owner", common.owner.clone()),
        ("min", common.min.map(|min| min.to_string())),
        ("max", common.max.map(|max| max.to_string())),
        ("search", common.search.clone()),
        ("sort", common.sort.clone()),
    ]);
    let found = collect(of, &filters, common).await?;
    if common.json {
        println!("{}", serde_json::to_string_pretty(&found.rows)?);
    } else if common.csv {
        print!("{}", table(of.columns, &found.rows));
    } else {
        println!("{}", shown(&found.rows));
    }
    if found.has_more {
        eprintln!("There are more; use --limit 0 for all of them.");
    }
    if found.unreadable > 0 {
        eprintln!("{} could not be read and are left out.", counted(found.unreadable, "entry", "entries"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows of all requested pages.
#[derive(Debug, Default)]
struct FoundRows {
    rows: Vec<Value>,
    has_more: bool,
    unreadable: u64,
}

async fn collect(of: &Of, filters: &[(&str, Option<String>)], common: &Common) -> anyhow::Result<FoundRows> {
    let mut found = FoundRows::default();
    let mut cursor: Option<String> = None;
    loop {
        let wanted = if common.limit == 0 { A_PAGE } else { (common.limit - found.rows.len()).min(A_PAGE) };
        let mut path = format!("{}?limit={wanted}", of.path);
        let given = filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        for (name, value) in given.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))) {
            path.push_str(&format!("&{name}={}", segment(value)));
        }
        let mut page = common.target.get(&path).await?;
        if let Some(rows) = page.get_mut(of.rows).and_then(Value::as_array_mut) {
            found.rows.append(rows);
        }
        found.unreadable += page["unreadable"].as_u64().unwrap_or_default();
        cursor = page["next"].as_str().map(str::to_owned);
        found.has_more = cursor.is_some();
        if cursor.is_none() || (common.limit > 0 && found.rows.len() >= common.limit) {
            return Ok(found);
        }
    }
}

fn people(rows: &[Value], score: Option<&str>) -> String {
    if rows.is_empty() {
        return "Nobody matches.".to_owned();
    }
    let score = score.filter(|score| *score != "engagement").unwrap_or("churn");
    let mut table = framed(&["person", "name", "account", "stage", score, "engagement", "segments", "owner"]);
    for row in rows {
        table.add_row([
            first(&[&row["identity"], &row["id"]]),
            first(&[&row["name"], &row["email"]]),
            first(&[&row["account"]]),
            first(&[&row["stage"]]),
            first(&[&row["scores"][score]]),
            first(&[&row["engagement"]]),
            several(&row["segments"]),
            first(&[&row["owner"]]),
        ]);
    }
    format!("{table}\n{}", counted(rows.len() as u64, "person", "people"))
}

fn accounts(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "No account matches.".to_owned();
    }
    let mut table = framed(&["account", "name", "stage", "people", "readiness", "health", "touch", "owner"]);
    for row in rows {
        let names = ["id", "name", "stage", "people", "readiness", "health", "touch", "owner"];
        table.add_row(names.map(|name| first(&[&row[name]])));
    }
    format!("{table}\n{}", counted(rows.len() as u64, "account", "accounts"))
}

/// Returns the first value that there is, without control characters, which could change the terminal.
fn first(values: &[&Value]) -> String {
    let shown = |value: &&&Value| match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.chars().filter(|c| !c.is_control()).collect()),
        value => Some(value.to_string()),
    };
    values.iter().find_map(|value| shown(&value)).unwrap_or_default()
}

fn several(names: &Value) -> String {
    let all: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rest = all.len().saturating_sub(SHOWN);
    let shown = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_and_accounts_are_tables() {
        let people_rows = [
            json!({ "id": "p1", "identity": "user-1", "name": "Ada \u{1b}[31mLovelace", "email": "ada@example.com",
                "account": "acme", "owner": "sales", "stage": "at_risk", "scores": { "churn": 78 }, "engagement": 12,
                "segments": ["at_risk", "declining", "long_tail", "upset"] }),
            json!({ "id": "p2", "identity": null, "name": null, "email": "b@example.com", "account": null, "owner": null,
                "stage": "lead", "scores": {}, "engagement": 0, "segments": [] }),
        ];
        let account_rows =
            [json!({ "id": "acme", "name": "Acme", "stage": "established", "people": 7, "readiness": 40,
            "health": null, "touch": "high", "owner": "key accounts" })];
        insta::assert_snapshot!(format!("{}\n{}", people(&people_rows, Some("churn")), accounts(&account_rows)));
        assert_eq!(
            (people(&[], None), accounts(&[])),
            ("Nobody matches.".to_owned(), "No account matches.".to_owned())
        );
    }
}
