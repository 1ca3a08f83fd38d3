//! S3's notices of new objects: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// The prefix of files to import.
const PREFIX: &str = "incoming/";

/// A new object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its key.
    pub(crate) key: String,
    /// The id of the import in `imports.toml`: the folder below `incoming/`. `None` for a file that is in no folder.
    pub(crate) source: Option<String>,
}

/// An error that makes a message unreadable as a notice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
    /// It is not JSON, or has another form.
    #[error("line {}, column {}: neither a notice of S3 nor its test event", .0.line(), .0.column())]
    Form(#[from] serde_json::Error),
    /// A key is not encoded as S3 encodes keys.
    #[error("the key of record {0} is not encoded as UTF-8")]
    Key(usize),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Notice {
    New {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// S3 sends it when notices are set up.
    Test {
        #[serde(rename = "Event")]
        _event: TestEvent,
    },
}

#[derive(Deserialize)]
enum TestEvent {
    #[serde(rename = "s3:TestEvent")]
    Test,
}

#[derive(Deserialize)]
struct Record {
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    object: Named,
}

#[derive(Deserialize)]
struct Named {
    key: String,
}

/// Returns the files below `incoming/` in a notice. The test event, folders and other objects are none.
///
/// # Errors
/// [`NoticeError`] for anything else, which must not be deleted from the queue as if it had been done.
pub(crate) fn objects(body: &str) -> Result<Vec<Object>, NoticeError> {
    let Notice::New { records } = serde_json::from_str(body)? else { return Ok(Vec::new()) };
    let mut objects = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        // Keys are encoded as in forms.
        let spaced = record.s3.object.key.replace('+', " ");
        let key = percent_decode_str(&spaced).decode_utf8().map_err(|_| NoticeError::Key(at))?.into_owned();
        let Some(rest) = key.strip_prefix(PREFIX) else { continue };
        // Consoles create folders as empty objects whose key ends with a slash.
        if rest.is_empty() || rest.ends_with('/') {
            continue;
        }
        let source = rest.split_once('/').map(|(source, _)| source.to_owned());
        objects.push(Object { key, source });
    }
    Ok(objects)
}

/// Returns a notice as S3 sends it for a new object at `key`.
#[must_use]
pub fn of(key: &str) -> String {
    let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
    serde_json::json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": { "object": { "key": key } } }] })
        .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(key: &str) -> String {
        format!(
            r#"{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":5,"eTag":"e","versionId":"v","sequencer":"0"}}}}}}"#
        )
    }

    fn object(source: &str, key: &str) -> Object {
        Object { source: (!source.is_empty()).then(|| source.to_owned()), key: key.to_owned() }
    }

    #[test]
    fn files_below_incoming_are_found_and_nothing_else() {
        let found = |key: &str| objects(&format!(r#"{{"Records":[{}]}}"#, record(key))).unwrap();
        assert_eq!(found("incoming/crm/my+file+%C3%BC.csv"), [object("crm", "incoming/crm/my file ü.csv")]);
        assert_eq!(found("incoming/crm/2026/a.csv"), [object("crm", "incoming/crm/2026/a.csv")]);
        assert_eq!(found("incoming/crm/a%2Bb+50%25.csv"), [object("crm", "incoming/crm/a+b 50%.csv")]);
        assert_eq!(found("incoming/a.csv"), [object("", "incoming/a.csv")], "a file without a folder is not lost");
        for other in ["incoming/", "incoming/crm/", "archive/day=1/a", "incoming/crm/folder/", "incoming%2F"] {
            assert_eq!(found(other), [], "{other}");
        }
    }

    #[test]
    fn all_records_of_a_notice_are_found_and_its_own_form_is_read_back() {
        let both = format!(r#"{{"Records":[{},{}]}}"#, record("incoming/a/1.csv"), record("incoming/b/2.csv"));
        assert_eq!(objects(&both).unwrap(), [object("a", "incoming/a/1.csv"), object("b", "incoming/b/2.csv")]);
        let key = "incoming/crm/a+b ü 50%/#1~.csv";
        assert_eq!(objects(&of(key)).unwrap(), [object("crm", key)]);
    }

    #[test]
    fn test_event_is_nothing_to_do_and_any_other_message_is_an_error() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE"}"#;
        assert_eq!(objects(test).unwrap(), []);
        let event_bridge = r#"{"detail-type":"Object Created","detail":{"object":{"key":"incoming/crm/a.csv"}}}"#;
        for other in ["{", "{}", "[]", event_bridge, r#"{"Event":"s3:Other"}"#, r#"{"Records":[{}]}"#] {
            assert!(objects(other).is_err(), "{other}");
        }
        let latin = format!(r#"{{"Records":[{},{}]}}"#, record("incoming/a/1.csv"), record("incoming/a/%FC.csv"));
        assert_eq!(objects(&latin).unwrap_err().to_string(), "the key of record 1 is not encoded as UTF-8");
    }
}
