#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Returns the results one after the other, and the last one for ever.
struct Answers(Mutex<Vec<Vec<SocketAddr>>>, AtomicUsize);

impl Answers {
    fn new(answers: Vec<Vec<SocketAddr>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers), AtomicUsize::new(0)))
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

async fn receiver(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let n = stream.read(&mut request).await.unwrap();
            log.lock().unwrap().push(String::from_utf8_lossy(&request[..n]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, seen)
}

async fn post(transport: &Transport, url: &str, allow_private: bool) -> Result<StatusCode, TransportError> {
    Ok(ask(transport, url, allow_private, 0).await?.status)
}

async fn ask(transport: &Transport, url: &str, allow_private: bool, read: usize) -> Result<Answer, TransportError> {
    let body = Bytes::from_static(b"{}");
    transport.send(Call { method: Method::POST, url, allow_private, headers: HeaderMap::new(), body, read }).await
}

fn system() -> Transport {
    Transport::new(Arc::new(SystemResolver))
}

#[tokio::test]
async fn urls_that_lead_inside_are_refused_however_they_are_written() {
    let refused = [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "x",
        "https://user:pass@example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1:8443/",
        "https://localhost/",
        "https://0/",
        "https://[fd00:ec2::254]/",
    ];
    for url in refused {
        let outcome = post(&system(), url, false).await;
        assert!(matches!(outcome, Err(TransportError::NotAllowed(_))), "{url}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_name_with_one_private_address_is_refused_whole() {
    let mixed = vec!["8.8.8.8:443".parse().unwrap(), "10.0.0.1:443".parse().unwrap()];
    let transport = Transport::new(Answers::new(vec![mixed]));
    assert_eq!(
        post(&transport, "https://hooks.example/", false).await,
        Err(TransportError::NotAllowed("the host is not on the public Internet"))
    );
}

#[tokio::test]
async fn a_name_is_resolved_once_and_connected_to_what_was_checked() {
    let (address, seen) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answers = Answers::new(vec![vec![address], vec![elsewhere.local_addr().unwrap()]]);
    let transport = Transport::new(Arc::clone(&answers) as Arc<dyn Resolve>);
    assert_eq!(post(&transport, "http://hooks.example/path?x=1", true).await, Ok(StatusCode::NO_CONTENT));
    assert_eq!(answers.1.load(Ordering::SeqCst), 1, "a second look could give another address");
    let request = seen.lock().unwrap().remove(0).to_lowercase();
    assert!(
        request.starts_with("post /path?x=1 http/1.1\r\n") && request.contains("\r\nhost: hooks.example\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, seen) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    let location: &'static str = Box::leak(
        format!("HTTP/1.1 307 X\r\nlocation: http://{inside}/secret\r\ncontent-length: 0\r\n\r\n").into_boxed_str(),
    );
    let (outside, _) = receiver(location).await;
    assert_eq!(post(&system(), &format!("http://{outside}/"), true).await, Ok(StatusCode::TEMPORARY_REDIRECT));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_endless_head_is_not_read_to_its_end() {
    let long: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(64 * 1024)).into_boxed_str());
    let (address, _) = receiver(long).await;
    assert_eq!(
        post(&system(), &format!("http://{address}/"), true).await,
        Err(TransportError::Lost("the connection to the receiver broke"))
    );
}

#[tokio::test]
async fn a_silent_receiver_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let transport = Transport { total: Duration::from_millis(200), ..system() };
    assert_eq!(post(&transport, &url, true).await, Err(TransportError::Lost("the receiver did not answer in time")));
}

#[tokio::test]
async fn a_certificate_that_no_public_authority_signed_is_refused() {
    // The server does not use TLS: the handshake must fail, and nothing of the request may be sent in clear.
    let (address, seen) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    let outcome = post(&system(), &format!("https://{address}/"), true).await;
    assert_eq!(outcome, Err(TransportError::NotSent("the TLS handshake failed")));
    assert!(!seen.lock().unwrap().iter().any(|text| text.contains("POST")));
}

#[test]
fn failed_handshake_says_what_is_wrong_with_the_certificate() {
    let with = |why| std::io::Error::other(tokio_rustls::rustls::Error::InvalidCertificate(why));
    for (why, expected) in [
        (CertificateError::Expired, "the certificate has expired"),
        (CertificateError::NotValidForName, "the certificate is for another name"),
        (CertificateError::UnknownIssuer, "the certificate is signed by nobody whom browsers trust"),
        (CertificateError::Revoked, "the certificate is not valid"),
    ] {
        assert_eq!(handshake(&with(why)), TransportError::Certificate(expected));
    }
    let other = std::io::Error::other("reset");
    assert_eq!(handshake(&other), TransportError::NotSent("the TLS handshake failed"));
}

#[tokio::test]
async fn name_without_an_address_does_not_resolve() {
    let outcome = post(&system(), "https://nowhere.invalid/", true).await;
    assert_eq!(outcome, Err(TransportError::Unresolved));
}

#[tokio::test]
async fn of_an_answers_body_as_much_is_read_as_was_asked_for() {
    let (address, _) = receiver("HTTP/1.1 200 OK\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\nhello").await;
    let url = format!("http://{address}/");
    let answer = ask(&system(), &url, true, 5).await.unwrap();
    assert_eq!(
        (&answer.body[..], &answer.headers["retry-after"]),
        (&b"hello"[..], &http::HeaderValue::from_static("7"))
    );
    assert_eq!(ask(&system(), &url, true, 0).await.unwrap().body, Bytes::new());
    let unread = TransportError::Lost("the receiver's answer could not be read");
    assert_eq!(ask(&system(), &url, true, 4).await, Err(unread));
}

#[tokio::test]
async fn what_nobody_takes_is_known_not_to_be_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(post(&system(), &url, true).await, Err(TransportError::NotSent("the receiver could not be reached")));
}
