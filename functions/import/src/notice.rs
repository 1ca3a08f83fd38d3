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
    /// The id of the import in `imports.toml`: the folder below `incoming/`.
    pub(crate) source: String,
}

#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
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

/// Returns the files in a notice that are to be imported: objects `incoming/SOURCE/…`. The test notice that S3 sends when it
/// is set up has none.
///
/// # Errors
/// If it is no notice.
pub(crate) fn objects(body: &str) -> Result<Vec<Object>, serde_json::Error> {
    let notice: Notice = serde_json::from_str(body)?;
    let objects = notice.records.into_iter().filter_map(|record| {
        // Keys are encoded as in forms.
        let key = record.s3.object.key.replace('+', " ");
        let key = percent_decode_str(&key).decode_utf8().ok()?.into_owned();
        let (source, file) = key.strip_prefix(PREFIX)?.split_once('/')?;
        let is_file = !file.is_empty() && !file.ends_with('/');
        is_file.then(|| Object { source: source.to_owned(), key: key.clone() })
    });
    Ok(objects.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_below_incoming_are_found_and_nothing_else() {
        let notice = |key: &str| {
            format!(
                r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":5,"eTag":"e"}}}}}}]}}"#
            )
        };
        let object = |source: &str, key: &str| vec![Object { source: source.to_owned(), key: key.to_owned() }];
        assert_eq!(
            objects(&notice("incoming/crm/my+file+%C3%BC.csv")).unwrap(),
            object("crm", "incoming/crm/my file ü.csv")
        );
        assert_eq!(objects(&notice("incoming/crm/2026/a.csv")).unwrap(), object("crm", "incoming/crm/2026/a.csv"));
        for other in ["incoming/crm/", "incoming/a.csv", "archive/day=1/a", "incoming/crm/folder/"] {
            assert_eq!(objects(&notice(other)).unwrap(), [], "{other}");
        }
        assert_eq!(objects(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#).unwrap(), []);
        assert!(objects("{").is_err());
    }
}
