//! TXT records, by DNS over HTTPS: no resolver library is needed, and every network with HTTPS access allows it.
//!
//! Cloudflare and Google both support this JSON form:
//! <https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/>.

use super::facts::Read;
use perennial_channels::page;
use serde::Deserialize;

/// The type of TXT records.
const TXT: u16 = 16;
/// The name exists, with or without such records.
const NO_ERROR: u16 = 0;
/// The name does not exist.
const NO_NAME: u16 = 3;

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "Status")]
    status: u16,
    #[serde(rename = "Answer", default)]
    answer: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: u16,
    data: String,
}

/// Returns the TXT records of `name` from the resolver at `url`; none if the name does not exist.
pub(super) async fn txt(url: &str, name: &str) -> Read<Vec<String>> {
    let why = |error: &dyn std::fmt::Display| format!("DNS over HTTPS at {url} does not answer: {error}");
    let question =
        reqwest::Url::parse_with_params(url, [("name", name), ("type", "TXT")]).map_err(|error| why(&error))?;
    let answer = page::read(question.as_str(), "application/dns-json").await.map_err(|error| why(&error))?;
    if answer.status != 200 {
        return Err(why(&format_args!("HTTP status {}", answer.status)));
    }
    read(&answer.body).map_err(|error| why(&error))
}

fn read(answer: &[u8]) -> Result<Vec<String>, String> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| "its answer cannot be read".to_owned())?;
    match answer.status {
        NO_ERROR | NO_NAME => {
            Ok(answer.answer.iter().filter(|entry| entry.kind == TXT).map(|entry| joined(&entry.data)).collect())
        }
        code => Err(format!("DNS error {code}")),
    }
}

/// The strings of a record as one: longer records than 255 bytes come in several, each in quotes.
fn joined(data: &str) -> String {
    if data.starts_with('"') {
        data.trim_matches('"').replace("\" \"", "").replace("\"\"", "")
    } else {
        data.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_are_read_with_their_strings_joined_and_other_types_left_out() {
        let answer = br#"{"Status":0,"Answer":[{"name":"a.example","type":5,"TTL":1,"data":"b.example."},
            {"name":"b.example","type":16,"TTL":1,"data":"\"v=spf1 include:amazon\" \"ses.com ~all\""},
            {"name":"b.example","type":16,"TTL":1,"data":"\"google-site-verification=x\""}]}"#;
        assert_eq!(read(answer).unwrap(), ["v=spf1 include:amazonses.com ~all", "google-site-verification=x"]);
    }

    #[test]
    fn name_that_is_not_there_has_no_records_and_a_failure_is_no_answer() {
        assert_eq!(read(br#"{"Status":3}"#).unwrap(), Vec::<String>::new());
        assert_eq!(read(br#"{"Status":2}"#).unwrap_err(), "DNS error 2");
        assert!(read(b"<html>").is_err());
    }
}
