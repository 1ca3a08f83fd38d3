//! The journey of the test: a series of stations, each with every kind of step, and its effects.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Stations of the journey.
pub(crate) const STATIONS: usize = 5;
/// Messages that everyone gets: a mail, an in-app message and a webhook at each station.
pub(crate) const MESSAGES: usize = 3 * STATIONS;
/// Steps that everyone takes at a station: one of the two targets at its first branch and at its split, and not the one
/// that its second branch skips.
pub(crate) const STEPS: usize = 17;
/// Steps of a station in the config.
const WRITTEN: usize = 20;

/// Returns the configuration of one station. Everyone waits for two hours at most: one by the clock, one for an event
/// that half of them send.
fn station(number: usize) -> String {
    let step = |name: &str, rest: &str| format!("[[journey.step]]\nid = \"{name}_{number}\"\n{rest}\n");
    let then = |name: &str| format!("then = \"{name}_{number}\"");
    let message = |channel: &str, rest: &str| format!("channel = \"{channel}\"\ntemplate = \"station\"\n{rest}");
    let to = |name: &str| format!("{name}_{number}");
    [
        step("wait", "wait = { hours = 1 }"),
        step("reached", "event = \"Station Reached\""),
        step("traits", &format!("traits = {{ station = {number} }}")),
        step("branch", &format!("branch = {{ when = 'traits.plan == \"pro\"', go_to = \"{}\" }}", to("pro"))),
        step("others", &message("in_app", &then("confirmed"))),
        step("pro", &message("in_app", "")),
        step("confirmed", "wait = { event = \"Confirmed\", hours = 1 }"),
        step("split", &format!("split = {{ {} = 50, {} = 50 }}", to("a"), to("b"))),
        step("a", &message("mail", &then("left"))),
        step("b", &message("mail", "")),
        step("left", &format!("traits = {{ left = {number} }}")),
        step("counted", "event = \"Station Left\""),
        step("task", &message("webhook", "endpoint = \"tasks\"")),
        step("noted", "event = \"Station Noted\""),
        step("note", &format!("traits = {{ note_{number} = true }}")),
        step("again", &format!("branch = {{ when = 'traits.plan != \"none\"', go_to = \"{}\" }}", to("checked"))),
        step("astray", "traits = { astray = true }"),
        step("checked", "event = \"Station Checked\""),
        step("check", &format!("traits = {{ check_{number} = true }}")),
        step("done", "event = \"Station Done\""),
    ]
    .concat()
}

/// Writes the config into `folder`: the shipped one with this journey alone, no limits but an hour between two
/// messages, so that messages wait for their turn under faults too, and webhooks to `receiver`.
pub(crate) fn write_config(folder: &Path, receiver: &str) {
    let mut bundle = perennial_local::bundle::embedded();
    let mut journey = "[[journey]]\nid = \"way\"\ntrigger = { event = \"Trial Started\" }\n".to_owned();
    for number in 0..STATIONS {
        write!(journey, "{}", station(number)).unwrap();
    }
    bundle.files.insert("journeys.toml".to_owned(), journey);
    bundle.files.insert("limits.toml".to_owned(), "gap_hours = 1\n".to_owned());
    bundle.files.insert(
        "templates/station.toml".to_owned(),
        "subject = \"Step {{ step }}\"\ntext = \"Station {{ person.station }} of {{ person.plan }}.\"\n".to_owned(),
    );
    let mut channels: toml::Table = bundle.files["channels.toml"].parse().unwrap();
    let tasks = channels["webhook"]["tasks"].as_table_mut().unwrap();
    tasks.insert("url".to_owned(), receiver.into());
    tasks.insert("allow_private".to_owned(), true.into());
    bundle.files.insert("channels.toml".to_owned(), channels.to_string());
    for (name, text) in &bundle.files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Returns the calls by which person `number` enters.
pub(crate) fn entry(number: usize, at: jiff::Timestamp) -> [String; 2] {
    let user = user(number);
    let plan = if number.is_multiple_of(3) { "pro" } else { "basic" };
    let traits = json!({ "email": format!("{user}@customer.example"), "plan": plan });
    [
        json!({ "messageId": format!("{user}-who"), "type": "identify", "userId": user, "timestamp": at, "traits": traits }),
        json!({ "messageId": format!("{user}-start"), "type": "track", "event": "Trial Started", "userId": user, "timestamp": at }),
    ]
    .map(|call| call.to_string())
}

/// Returns the call of person `number` in round `round`, for those who send the awaited event.
pub(crate) fn confirmation(number: usize, round: usize, at: jiff::Timestamp) -> Option<String> {
    let user = user(number);
    let call = json!({ "messageId": format!("{user}-{round}"), "type": "track", "event": "Confirmed", "userId": user, "timestamp": at });
    number.is_multiple_of(2).then(|| call.to_string())
}

/// Returns person `number`'s user id.
pub(crate) fn user(number: usize) -> String {
    format!("walker-{number}")
}

/// The decisions of a person's messages by channel: each must arrive exactly once.
pub(crate) type Decisions = BTreeMap<String, Vec<String>>;

/// Returns the number of steps of person `number`, by their effects on the `profile`; fails if one is missing, was
/// taken twice, or was not the person's.
pub(crate) fn steps(number: usize, profile: &Value, decisions: &mut Decisions) -> usize {
    let messages = profile["messages"].as_array().unwrap();
    assert_eq!(messages.len(), MESSAGES, "person {number}: {messages:#?}");
    let mut steps = 0;
    let mut before = moment(&profile["first_seen"]);
    for station in 0..STATIONS {
        let written = |offset: usize| (station * WRITTEN + offset) as u64;
        // Which step of these two sent something, and what.
        let mut sent = |offsets: [usize; 2], channel: &str, state: &str| {
            let of =
                |offset: usize| messages.iter().filter(move |it| it["step"] == written(offset)).collect::<Vec<_>>();
            let found =
                if offsets[0] == offsets[1] { of(offsets[0]) } else { [of(offsets[0]), of(offsets[1])].concat() };
            let [message] = found.as_slice() else { panic!("person {number}, station {station}: {found:?}") };
            assert_eq!((&message["channel"], &message["state"]), (&json!(channel), &json!(state)), "{message}");
            decisions.entry(channel.to_owned()).or_default().push(message["id"].as_str().unwrap().to_owned());
            (message["step"].as_u64().unwrap() - written(0), moment(&message["decided_at"]), (*message).clone())
        };
        let (way, in_app, _) = sent([4, 5], "in_app", "sent");
        assert_eq!(way, if number.is_multiple_of(3) { 5 } else { 4 }, "person {number} took the other way");
        let (way, mail, message) = sent([8, 9], "mail", "delivered");
        let variant = format!("split_{station}={}_{station}", if way == 8 { "a" } else { "b" });
        assert_eq!(message["variant"], json!(variant), "person {number} went as the split says");
        let (_, task, _) = sent([12, 12], "webhook", "sent");
        let hour = jiff::SignedDuration::from_hours(1);
        assert!(in_app.duration_since(before) >= hour, "person {number} did not wait at station {station}");
        assert!(mail >= in_app && (number.is_multiple_of(2) || mail.duration_since(in_app) >= hour), "person {number}");
        assert!(task >= mail);
        before = task;
        steps += STEPS;
    }
    for name in ["Reached", "Left", "Noted", "Checked", "Done"] {
        assert_eq!(profile["counts"][format!("Station {name}")], STATIONS as u64, "person {number}: {name}");
    }
    for name in ["station", "left"] {
        assert_eq!(profile["traits"][name], (STATIONS - 1) as u64, "person {number}: {name}");
    }
    for name in (0..STATIONS).flat_map(|station| [format!("note_{station}"), format!("check_{station}")]) {
        assert_eq!(profile["traits"][&name], true, "person {number}: {name}");
    }
    assert_eq!(profile["traits"]["astray"], Value::Null, "person {number} went where the branch does not lead");
    steps
}

fn moment(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value} is no moment")).parse().unwrap()
}
