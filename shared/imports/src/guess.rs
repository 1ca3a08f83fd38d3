//! A first mapping for a file, to be reviewed.

use crate::input::{Input, InputError};
use crate::rows::{Reader, Rows};
use perennial_config::mapping::TimeForm;
use perennial_domain::{scalar, timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The rows that are looked at.
const SAMPLE: usize = 500;

/// Names of columns with the id of a user, the likeliest first.
const USERS: [&str; 12] = [
    "userid",
    "uid",
    "useruuid",
    "memberid",
    "customerid",
    "contactid",
    "personid",
    "visitorid",
    "studentid",
    "id",
    "email",
    "emailaddress",
];
const ACCOUNTS: [&str; 10] = [
    "accountid",
    "groupid",
    "companyid",
    "orgid",
    "organizationid",
    "organisationid",
    "tenantid",
    "workspaceid",
    "teamid",
    "account",
];
const EVENTS: [&str; 7] = ["event", "eventname", "eventtype", "action", "activity", "activitytype", "eventtext"];
const TIMES: [&str; 12] = [
    "timestamp",
    "eventtime",
    "occurredat",
    "time",
    "datetime",
    "eventtimestamp",
    "happenedat",
    "createdat",
    "date",
    "loggedat",
    "ts",
    "updatedat",
];
const MESSAGES: [&str; 6] = ["messageid", "eventid", "insertid", "uuid", "eventuuid", "logid"];

/// Spellings of times that are not read without being stated.
const FORMS: [&str; 10] = [
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y",
];

/// Formats, each with columns that only its files have together.
const SIGNS: [(&str, &[&str]); 11] = [
    ("segment", &["messageId", "type", "receivedAt"]),
    ("calls", &["messageId", "type", "userId"]),
    ("amplitude", &["event_type", "amplitude_id"]),
    ("mixpanel_people", &["$distinct_id", "$properties"]),
    ("hubspot_contacts", &["Record ID - Contact"]),
    ("hubspot_contacts", &["Record ID", "Lifecycle Stage"]),
    ("stripe_subscriptions", &["Customer ID", "Plan", "Status", "Current Period End (UTC)"]),
    ("stripe_customers", &["id", "Email", "Created (UTC)"]),
    ("pinpoint_endpoints", &["ChannelType", "Address"]),
    ("pendo_visitors", &["visitorId", "metadata"]),
    ("customerio_people", &["cio_id"]),
];

/// A first mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// A text for `imports.toml`.
    pub toml: String,
    /// The number of rows that were looked at.
    pub rows: usize,
}

/// Looks at the first rows of `input` and returns a first mapping for the source `id`.
///
/// # Errors
/// [`InputError`] if the file cannot be read.
pub fn guess(input: &Input, id: &str) -> Result<Guess, InputError> {
    let mut columns = Columns::default();
    for text in input.texts()?.flatten() {
        let Ok(rows) = Rows::open(text.bytes, Reader::default()) else { continue };
        for row in rows.flatten().take(SAMPLE) {
            columns.note(&row.values);
        }
        if columns.rows > 0 {
            break;
        }
    }
    Ok(Guess { toml: columns.toml(id), rows: columns.rows })
}

/// The columns, with the values of the sample.
#[derive(Debug, Default)]
struct Columns {
    rows: usize,
    /// In the order of the file.
    names: Vec<String>,
    values: BTreeMap<String, Vec<Value>>,
    object: Option<String>,
    is_mixpanel: bool,
}

impl Columns {
    fn note(&mut self, values: &serde_json::Map<String, Value>) {
        self.rows += 1;
        for (name, value) in values {
            if !self.values.contains_key(name) {
                self.names.push(name.clone());
            }
            self.values.entry(name.clone()).or_default().push(value.clone());
        }
        self.object = values.get("object").and_then(Value::as_str).map(str::to_owned).or(self.object.take());
        let properties = values.get("properties").and_then(Value::as_object);
        self.is_mixpanel |=
            values.contains_key("event") && properties.is_some_and(|all| all.contains_key("distinct_id"));
    }

    /// The column that is most likely meant: the earliest of `wanted` that is there.
    fn named(&self, wanted: &[&str]) -> Option<&str> {
        let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        wanted.iter().find_map(|wanted| self.names.iter().find(|name| plain(name) == *wanted)).map(String::as_str)
    }

    fn format(&self) -> Option<&'static str> {
        match self.object.as_deref() {
            Some("customer") => return Some("stripe_customers"),
            Some("subscription") => return Some("stripe_subscriptions"),
            _ => {}
        }
        if self.is_mixpanel {
            return Some("mixpanel");
        }
        SIGNS
            .iter()
            .find(|(_, signs)| signs.iter().all(|sign| self.values.contains_key(*sign)))
            .map(|(format, _)| *format)
    }

    fn all(&self, column: &str, fits: impl Fn(&str) -> bool) -> bool {
        let values = self.values.get(column).map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        !texts.is_empty() && texts.len() == values.len() && texts.into_iter().all(fits)
    }

    /// Returns how a time in `column` is written in a map, and a remark.
    fn time(&self, column: &str) -> (String, &'static str) {
        let place = place(column);
        let values = self.values.get(column).map(Vec::as_slice).unwrap_or_default();
        if values.iter().all(|value| timestamp::of_json(value).is_some()) {
            return (place, "");
        }
        let reads = |form: &&&str| {
            let form = TimeForm { format: Some((**form).to_owned()), zone: None };
            self.all(column, |text| form.read(text).is_some())
        };
        let fitting: Vec<&&str> = FORMS.iter().filter(reads).collect();
        match fitting.first() {
            Some(form) => {
                let both = fitting.iter().any(|other| other.starts_with("%m/"))
                    && fitting.iter().any(|other| other.starts_with("%d/"));
                let remark = if both { "   # or the day first: both forms fit the sample" } else { "" };
                (format!("{{ from = {place}, format = {} }}", quoted(form)), remark)
            }
            None => (place, "   # not every value is a time: state its `format`"),
        }
    }

    fn toml(&self, id: &str) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a string does not fail.
            let _infallible = writeln!(out, "{text}");
        };
        line(format_args!(
            "# Made from the first {} rows. Review it and append it to imports.toml, then try it:\n# perennial import FILE --source {id} --config DIR --dry-run",
            self.rows
        ));
        line(format_args!("[[import]]\nid = {}", quoted(id)));
        if let Some(format) = self.format() {
            line(format_args!("format = {}", quoted(format)));
            return out;
        }
        let event = self.named(&EVENTS);
        let time = self.named(&TIMES);
        let user = self.named(&USERS);
        let account = self.named(&ACCOUNTS).filter(|account| Some(*account) != user);
        let user_id = |line: &mut dyn FnMut(std::fmt::Arguments<'_>)| match user {
            Some(user) => line(format_args!("user_id = {}", place(user))),
            None => line(format_args!("user_id = \"/?\"   # no column looks like the id of a user: name it")),
        };
        if let Some(event) = event.filter(|_| time.is_some() || user.is_some()) {
            line(format_args!("\n[[import.map]]\ntype = \"track\"\nevent_from = {}", place(event)));
            user_id(&mut line);
            if let Some(message) = self.named(&MESSAGES) {
                line(format_args!("message_id = {}", place(message)));
            }
            if let Some(account) = account {
                line(format_args!("group_id = {}", place(account)));
            }
            match time.map(|time| self.time(time)) {
                Some((time, remark)) => line(format_args!("timestamp = {time}{remark}")),
                None => line(format_args!(
                    "# No column looks like a time: without `timestamp`, events are of the time of the import."
                )),
            }
            line(format_args!("all_properties = \"*\""));
            self.converted("properties", &[Some(event), user, account], &mut line);
            return out;
        }
        line(format_args!("\n[[import.map]]\ntype = \"identify\""));
        user_id(&mut line);
        line(format_args!("all_traits = \"*\""));
        self.converted("traits", &[user, account], &mut line);
        if let Some(account) = account {
            line(format_args!("\n[[import.map]]\ntype = \"group\""));
            user_id(&mut line);
            line(format_args!("group_id = {}", place(account)));
        }
        out
    }

    /// Writes the columns that are better converted than taken as text.
    fn converted(&self, field: &str, ids: &[Option<&str>], line: &mut dyn FnMut(std::fmt::Arguments<'_>)) {
        let mut picks = Vec::new();
        for column in self.names.iter().filter(|column| !ids.contains(&Some(column.as_str()))) {
            let is_padded = |text: &str| text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
            let kind = if self.all(column, |text| scalar::number(text).is_some() && !is_padded(text)) {
                "number"
            } else if self
                .all(column, |text| text.parse::<bool>().is_ok() || matches!(text, "True" | "False" | "TRUE" | "FALSE"))
            {
                "boolean"
            } else {
                continue;
            };
            picks.push(format!("{} = {{ from = {}, type = \"{kind}\" }}", quoted(column), place(column)));
        }
        if !picks.is_empty() {
            line(format_args!("{field} = {{ {} }}", picks.join(", ")));
        }
    }
}

/// Returns the place of a column, as a text of TOML.
fn place(column: &str) -> String {
    quoted(&format!("/{}", column.replace('~', "~0").replace('/', "~1")))
}

/// Returns a basic string of TOML, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::Config;
    use perennial_testkit::ConfigBuilder;
    use std::sync::Arc;

    fn of(text: &str) -> String {
        let input = Input::new("f", text.len() as u64, Arc::new(text.as_bytes().to_vec()));
        guess(&input, "history").unwrap().toml
    }

    /// Loads a guess as configuration.
    fn loads(toml: &str) -> Config {
        ConfigBuilder::least().with(&[("imports.toml", toml)]).load()
    }

    #[test]
    fn activity_log_becomes_tracks_in_its_form_of_time() {
        let toml = of(
            "User ID;Action;Date;Duration;Plan;Ref/No\n1;Signed In;24.07.2026 14:30;12.5;true;007\n2;Exported;25.07.2026 09:00;3;false;008\n",
        );
        for expected in [
            "event_from = \"/Action\"",
            "user_id = \"/User ID\"",
            "timestamp = { from = \"/Date\", format = \"%d.%m.%Y %H:%M\" }",
            "\"Duration\" = { from = \"/Duration\", type = \"number\" }",
            "\"Plan\" = { from = \"/Plan\", type = \"boolean\" }",
        ] {
            assert!(toml.contains(expected), "{expected}\n{toml}");
        }
        assert!(!toml.contains("/Ref~1No"), "zeros in front are of a code: {toml}");
        assert_eq!(loads(&toml).imports[0].own_maps().len(), 1);
    }

    #[test]
    fn user_database_becomes_identify_and_group() {
        let toml = of("id,email,company_id,seats,signed_up\n1,a@b.example,acme,5,2026-01-01\n");
        assert!(toml.contains("type = \"identify\"") && toml.contains("group_id = \"/company_id\""), "{toml}");
        assert_eq!(loads(&toml).imports[0].own_maps().len(), 2);
    }

    #[test]
    fn exports_of_known_systems_are_recognised() {
        for (text, format) in [
            ("{\"messageId\":\"m\",\"type\":\"track\",\"receivedAt\":\"x\"}\n", "segment"),
            ("{\"event\":\"e\",\"properties\":{\"distinct_id\":\"u\",\"time\":1}}\n", "mixpanel"),
            ("{\"event_type\":\"e\",\"amplitude_id\":1,\"user_id\":null}\n", "amplitude"),
            ("{\"object\":\"customer\",\"id\":\"cus_1\"}\n", "stripe_customers"),
            ("Record ID - Contact,Email\n1,a@b.example\n", "hubspot_contacts"),
            ("{\"ChannelType\":\"EMAIL\",\"Address\":\"a@b.example\"}\n", "pinpoint_endpoints"),
        ] {
            let toml = of(text);
            assert!(toml.contains(&format!("format = \"{format}\"")), "{format}: {toml}");
            assert_eq!(loads(&toml).imports.len(), 1);
        }
    }

    #[test]
    fn ambiguous_dates_are_remarked_on() {
        let toml = of("user_id,event,time\n1,E,01/02/2026\n");
        assert!(toml.contains("# or the day first"), "{toml}");
        loads(&toml);
    }
}
