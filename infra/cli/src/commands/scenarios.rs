//! Tables of what the journeys of each scenario sent, who met errors, and public mentions.

use super::tables::{number, numbers};
use comfy_table::Table;
use perennial_config::Config;
use perennial_domain::{Channel, Identity, PersonId};
use perennial_local::stack::Stack;
use perennial_sample::BRAND;
use perennial_store::totals::Totals;
use serde_json::Value;
use std::collections::BTreeMap;

/// The scenario without a journey: every message goes to a person once, however many accounts they have.
const ONE_PERSON: u8 = 12;

/// Messages by channel and state.
type Channels = BTreeMap<String, BTreeMap<String, u64>>;

/// One row: messages sent by channel, and those withheld by reason.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Row {
    sent: [u64; Channel::ALL.len()],
    capped: u64,
    held_out: u64,
    dropped: u64,
    suppressed: u64,
}

impl Row {
    fn of(channels: &Channels) -> Self {
        let mut row = Self::default();
        for (at, channel) in Channel::ALL.into_iter().enumerate() {
            for (state, messages) in channels.get(channel.as_str()).into_iter().flatten() {
                row.count(at, state, *messages);
            }
        }
        row
    }

    fn count(&mut self, channel: usize, state: &str, messages: u64) {
        match state {
            "capped" => self.capped += messages,
            "held_out" => self.held_out += messages,
            "expired" | "displaced" => self.dropped += messages,
            "suppressed" => self.suppressed += messages,
            _ => self.sent[channel] += messages,
        }
    }

    fn cells(&self) -> Vec<String> {
        let all = self.sent.into_iter().chain([self.capped, self.dropped, self.held_out, self.suppressed]);
        all.map(|n| if n == 0 { String::new() } else { number(n) }).collect()
    }
}

/// Renders what each journey sent, in the order of the scenario numbers in their descriptions; those without a number
/// come last.
pub(super) fn table(config: &Config, totals: &Totals, several_accounts: &Channels) -> Table {
    let none = BTreeMap::new();
    let mut rows: Vec<(u8, String, Row)> = Vec::new();
    for journey in &config.journeys.all {
        // A journey without messages has nothing to show.
        if journey.messages().next().is_none() {
            continue;
        }
        let (number, about) = scenario(&journey.description);
        let about = if about.is_empty() { journey.id.as_str() } else { about };
        rows.push((number, about.to_owned(), Row::of(totals.journeys.get(&journey.id).unwrap_or(&none))));
    }
    let about = "people with several user ids: all that they got".to_owned();
    rows.push((ONE_PERSON, about, Row::of(several_accounts)));
    rows.sort_by_key(|(number, ..)| *number);
    let mut table =
        numbers(&["messages by scenario", "mail", "in app", "tasks", "capped", "dropped", "held out", "not wanted"]);
    for (number, about, row) in rows {
        let first = if number == u8::MAX { about } else { format!("{number:>2} {about}") };
        table.add_row([first].into_iter().chain(row.cells()));
    }
    table
}

/// Returns the scenario's number and the rest of the description; [`u8::MAX`] without a number.
fn scenario(description: &str) -> (u8, &str) {
    let parts = description.split_once(": ");
    let numbered = parts.and_then(|(number, about)| Some((number.trim().parse().ok()?, about)));
    numbered.unwrap_or((u8::MAX, description))
}

/// Returns what people with several user ids received.
pub(super) async fn several_accounts(stack: &Stack) -> anyhow::Result<Channels> {
    let mut sums = Channels::new();
    for person in with_several_ids(stack).await? {
        for record in stack.store().messages(person).await?.items {
            let of = sums.entry(record.channel.as_str().to_owned()).or_default();
            *of.entry(record.state.as_str().to_owned()).or_default() += 1;
        }
    }
    Ok(sums)
}

async fn with_several_ids(stack: &Stack) -> anyhow::Result<Vec<PersonId>> {
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = stack.store().people(from).await?;
        for profile in page.people.iter().map(|stored| &stored.profile) {
            let users = profile.parts.iter().filter(|part| matches!(part.identity, Identity::User(_)));
            if users.count() > 1 {
                found.push(profile.id);
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

/// Renders the product report of `GET /api/features`: feature usage, and errors by feature.
pub(super) fn features(answer: &Value) -> Table {
    let mut table = numbers(&["feature, last 28 days", "people", "errors", "people who met them"]);
    for feature in answer["features"].as_array().into_iter().flatten() {
        let name = feature["name"].as_str().unwrap_or_default();
        let high = if feature["high_value"] == true { ", high value" } else { "" };
        let count = |field: &str| feature[field].as_u64().map_or_else(String::new, number);
        let numbers = ["people", "errors", "people_with_errors"].map(count);
        table.add_row([format!("{name}{high}")].into_iter().chain(numbers));
    }
    table
}

/// The path of the brand's profile.
pub(super) fn brand_path() -> String {
    format!("/api/profiles/{BRAND}")
}

/// Renders public mentions of the company, from its own profile.
pub(super) fn mentions(brand: &Value) -> Table {
    let mut table = numbers(&["mentions in public", ""]);
    let count = |event: &str| number(brand["counts"][event].as_u64().unwrap_or_default());
    table.add_row(["in all".to_owned(), count("Brand Mentioned")]);
    table.add_row(["negative".to_owned(), count("Negative Mention")]);
    let mood = brand["sentiment"].as_f64().map_or_else(String::new, |mood| format!("{mood:+.2}"));
    table.add_row(["mood of three months, -1 to 1".to_owned(), mood]);
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_withheld_is_told_from_what_went_out() {
        let states = |pairs: &[(&str, u64)]| pairs.iter().map(|(state, n)| ((*state).to_owned(), *n)).collect();
        let channels: Channels = [
            (
                "mail".to_owned(),
                states(&[
                    ("sent", 2),
                    ("delivered", 3),
                    ("capped", 4),
                    ("suppressed", 1),
                    ("expired", 7),
                    ("displaced", 1),
                ]),
            ),
            ("in_app".to_owned(), states(&[("sent", 5), ("held_out", 6)])),
        ]
        .into();
        let row = Row::of(&channels);
        assert_eq!(row, Row { sent: [5, 5, 0], capped: 4, held_out: 6, dropped: 8, suppressed: 1 });
        assert_eq!(row.cells(), ["5", "5", "", "4", "8", "6", "1"]);
    }

    #[test]
    fn the_rows_are_in_the_order_of_the_scenarios_and_each_scenario_of_the_shipped_config_has_one() {
        let config = Config::load(&perennial_local::bundle::embedded()).unwrap();
        let table = table(&config, &Totals::default(), &Channels::new());
        let first = table.row_iter().map(|row| row.cell_iter().next().unwrap().content());
        let numbers: Vec<u8> = first.map(|first| first.get(..2).unwrap().trim().parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        let is_shown = |number: u8| [23, 25].contains(&number) || numbers.contains(&number);
        assert!((1..=29).all(is_shown), "{numbers:?}");
    }

    #[test]
    fn a_description_without_a_number_is_all_text() {
        assert_eq!(scenario("7: a trial"), (7, "a trial"));
        assert_eq!(scenario("who: knows"), (u8::MAX, "who: knows"));
    }
}
