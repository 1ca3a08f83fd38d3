//! A Lambda Runtime API on loopback that records when a function requests its first event and when it responds.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};

/// An action of the function, and its time.
#[derive(Debug)]
pub(crate) enum Happened {
    /// It requested the next event: before its first one, init is over.
    Asked(Instant),
    /// It received an event.
    Given(Instant),
    /// It responded.
    Answered(Instant, Vec<u8>),
    /// It reported an error, in init or in an invocation.
    Failed(Vec<u8>),
}

/// The server's side of one function's life.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    /// The actions, in order.
    pub(crate) happened: Receiver<Happened>,
}

type Events = Arc<Mutex<VecDeque<Vec<u8>>>>;

impl RuntimeApi {
    /// Starts a server that sends `events` and then leaves the function waiting for the next.
    pub(crate) fn start(events: Vec<Vec<u8>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port on loopback")?;
        let address = listener.local_addr()?;
        let events: Events = Arc::new(Mutex::new(events.into()));
        let (tell, happened) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Acquire) {
                    break;
                }
                let (events, tell) = (Arc::clone(&events), tell.clone());
                std::thread::spawn(move || serve(stream, &events, &tell));
            }
        });
        Ok(Self { address, over, happened })
    }

    /// Returns the value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the listener, so that its thread sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers requests on one connection until it closes or there are no more events.
fn serve(stream: TcpStream, events: &Events, tell: &Sender<Happened>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut out = stream.try_clone().ok()?;
    let mut input = BufReader::new(stream);
    loop {
        let (path, body) = request(&mut input)?;
        let arrived = Instant::now();
        if path.ends_with("/invocation/next") {
            tell.send(Happened::Asked(arrived)).ok()?;
            let Some(event) = events.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                // An idle function is frozen in this request.
                std::io::copy(&mut input, &mut std::io::sink()).ok()?;
                return None;
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: 4102444800000\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:000000000000:function:bench\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n\r\n",
                event.len()
            );
            tell.send(Happened::Given(Instant::now())).ok()?;
            out.write_all(&[head.as_bytes(), &event].concat()).ok()?;
            continue;
        }
        let answered = path.ends_with("/response");
        tell.send(if answered { Happened::Answered(arrived, body) } else { Happened::Failed(body) }).ok()?;
        out.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

/// Reads one request: its path and its body, sized or chunked.
fn request(input: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        input.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let header = line.trim().to_ascii_lowercase();
        match header.split_once(": ") {
            None if header.is_empty() => break,
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("transfer-encoding", value)) => chunked = value.contains("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if !chunked {
        body.resize(length, 0);
        input.read_exact(&mut body).ok()?;
        return Some((path, body));
    }
    loop {
        line.clear();
        input.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let start = body.len();
        body.resize(start + size, 0);
        input.read_exact(&mut body[start..]).ok()?;
        line.clear();
        input.read_line(&mut line).ok()?;
        if size == 0 {
            return Some((path, body));
        }
    }
}
