//! The archive in a bucket, behind a stand-in that takes the requests where the wire would.

use crate::support::at;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use futures::TryStreamExt;
use perennial_domain::Event;
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, ArchiveError};
use perennial_testkit::EventBuilder;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// A bucket's objects by path, and the requests to it.
#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<Asked>,
    /// The problems of the next requests.
    trouble: VecDeque<Trouble>,
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    Answer(u16),
    Reset,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    method: String,
    host: String,
    path: String,
    authorization: String,
    token: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct StandIn(Arc<Mutex<Bucket>>);

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.0.lock().unwrap().answer(&request))
    }
}

impl Bucket {
    fn answer(&mut self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let url: http::Uri = request.uri().parse().unwrap();
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        self.asked.push(Asked {
            method: request.method().to_owned(),
            host: url.host().unwrap().to_owned(),
            path: url.path().to_owned(),
            authorization: header("authorization").unwrap_or_default(),
            token: header("x-amz-security-token"),
        });
        match self.trouble.pop_front() {
            Some(Trouble::Answer(status)) => return Ok(response(status, "<Error><Code>InternalError</Code></Error>")),
            Some(Trouble::Reset) => return Err(ConnectorError::io("reset by peer".into())),
            None => {}
        }
        let path = url.path().to_owned();
        Ok(match (request.method(), url.query()) {
            ("PUT", _) => {
                self.objects.insert(path, request.body().bytes().unwrap().to_vec());
                response(200, "")
            }
            ("GET", Some(query)) if query.contains("list-type=2") => response(200, self.list(&path)),
            ("GET", _) => match self.objects.get(&path) {
                Some(object) => response(200, object.clone()),
                None => response(404, "<Error><Code>NoSuchKey</Code></Error>"),
            },
            _ => response(403, "<Error><Code>AccessDenied</Code></Error>"),
        })
    }

    fn list(&self, bucket: &str) -> String {
        let mut xml = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
        for (path, object) in &self.objects {
            let key = path.strip_prefix(bucket).unwrap().trim_start_matches('/').replace("%3D", "=");
            let size = object.len();
            xml += &format!(
                "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            );
        }
        xml + "</ListBucketResult>"
    }
}

fn response(status: u16, body: impl Into<SdkBody>) -> HttpResponse {
    let body = body.into();
    let length = body.bytes().map_or(0, <[u8]>::len);
    let mut response = HttpResponse::new(status.try_into().unwrap(), body);
    response.headers_mut().insert("etag", "\"e\"");
    response.headers_mut().insert("content-length", length.to_string());
    response.headers_mut().insert("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    response
}

fn access(stand_in: &StandIn, endpoint: Option<&str>) -> S3Access {
    let keys = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test");
    let mut config = SdkConfig::builder()
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys));
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    S3Access::new(&config.build(), SharedHttpConnector::new(stand_in.clone()))
}

fn batch() -> Vec<Event> {
    let event = |i: i64| EventBuilder::track(&format!("m-{i}"), "u", "Paid").at(at(i)).build();
    (0..3).map(event).collect()
}

async fn read(archive: &Archive) -> Vec<Event> {
    archive.read_all().await.unwrap().try_collect().await.unwrap()
}

#[tokio::test]
async fn a_bucket_keeps_the_archive_below_its_prefix_by_signed_requests() {
    let stand_in = StandIn::default();
    let archive = Archive::open("s3://kept/archive", &access(&stand_in, Some("http://127.0.0.1:4566"))).unwrap();
    archive.write(&batch()).await.unwrap();
    assert_eq!(read(&archive).await, batch());
    let bucket = stand_in.0.lock().unwrap();
    let put = &bucket.asked[0];
    assert_eq!((put.method.as_str(), put.host.as_str()), ("PUT", "127.0.0.1"));
    assert!(put.path.starts_with("/kept/archive/day"), "the bucket is named in the path at an endpoint: {}", put.path);
    for asked in &bucket.asked {
        assert!(asked.authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{asked:?}");
        assert!(asked.authorization.contains("/eu-central-1/s3/aws4_request"), "{asked:?}");
        assert_eq!(asked.token.as_deref(), Some("session"));
    }
}

#[tokio::test]
async fn without_an_endpoint_requests_go_to_the_bucket_s_own_host_in_its_region() {
    let stand_in = StandIn::default();
    let archive = Archive::open("s3://kept", &access(&stand_in, None)).unwrap();
    archive.write(&batch()).await.unwrap();
    let asked = stand_in.0.lock().unwrap().asked[0].clone();
    assert_eq!(asked.host, "kept.s3.eu-central-1.amazonaws.com");
    assert!(asked.path.starts_with("/day"), "{}", asked.path);
}

#[tokio::test]
async fn trouble_that_passes_is_outlived_and_trouble_that_stays_is_an_error() {
    let stand_in = StandIn::default();
    let archive = Archive::open("s3://kept/archive", &access(&stand_in, None)).unwrap();
    stand_in.0.lock().unwrap().trouble = [Trouble::Answer(503), Trouble::Reset].into();
    archive.write(&batch()).await.unwrap();
    assert_eq!(stand_in.0.lock().unwrap().asked.len(), 3);
    assert_eq!(stand_in.0.lock().unwrap().objects.len(), 1);

    stand_in.0.lock().unwrap().trouble = [Trouble::Answer(500); 9].into();
    assert!(
        matches!(archive.write(&batch()).await, Err(ArchiveError::Store(_))),
        "what is not kept must not be taken for kept"
    );
    assert_eq!(stand_in.0.lock().unwrap().asked.len(), 6, "three attempts, no more");
    stand_in.0.lock().unwrap().trouble = [Trouble::Answer(403)].into();
    assert!(archive.write(&batch()).await.is_err());
    assert_eq!(stand_in.0.lock().unwrap().asked.len(), 7, "what is not allowed is not asked again");
}

#[tokio::test]
async fn a_missing_region_or_key_is_told_when_the_archive_is_opened() {
    let stand_in = StandIn::default();
    let http = SharedHttpConnector::new(stand_in.clone());
    let open = |config: SdkConfig| Archive::open("s3://kept/a", &S3Access::new(&config, http.clone())).unwrap_err();
    assert_eq!(
        open(SdkConfig::builder().build()).to_string(),
        "the archive's bucket cannot be reached: no AWS region is set"
    );
    let config = SdkConfig::builder().region(Region::new("eu-central-1")).build();
    assert!(open(config).to_string().ends_with("there are no AWS credentials"));
}

#[tokio::test]
async fn a_directory_keeps_the_archive_and_an_unknown_url_is_refused() {
    let access = access(&StandIn::default(), None);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    Archive::open(&url, &access).unwrap().write(&batch()).await.unwrap();
    assert_eq!(read(&Archive::open(&url, &access).unwrap()).await, batch());
    for url in ["", "somewhere", "ftp://x", "file://relative", "s3://", "s3:///prefix"] {
        assert!(matches!(Archive::open(url, &access), Err(ArchiveError::Url)), "{url}");
    }
}
