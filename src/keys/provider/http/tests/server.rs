//! What the tests talk to: little servers in threads, and patience by `poll` with a cancel.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::super::client::{Client, Route};
use super::super::line::{Patience, Waited};
use super::super::{Http, Limits, Method, Request, Response};
use crate::error::{Error, Result};

/// Patience by `poll`, in short slices; from a moment on, the statement is to end.
#[derive(Debug, Default)]
pub(super) struct Poll(Mutex<Option<Instant>>);

impl Poll {
    pub(super) fn cancel_after(&self, length: Duration) {
        *self.0.lock().unwrap() = Some(Instant::now() + length);
    }
}

impl Patience for Poll {
    fn wait(&self, socket: Option<BorrowedFd<'_>>, write: bool, longest: Duration) -> Waited {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let until = Instant::now() + longest;
        loop {
            if self
                .0
                .lock()
                .unwrap()
                .is_some_and(|end| end <= Instant::now())
            {
                return Waited::Interrupted;
            }
            let left = until.saturating_duration_since(Instant::now());
            let slice = left.min(Duration::from_millis(20));
            let flags = if write { PollFlags::OUT } else { PollFlags::IN };
            let time = Timespec::try_from(slice).unwrap();
            let mut sockets: Vec<_> = socket
                .iter()
                .map(|socket| PollFd::from_borrowed_fd(*socket, flags))
                .collect();
            if poll(&mut sockets, Some(&time)).is_ok_and(|ready| ready > 0) {
                return Waited::Ready;
            }
            if left.is_zero() {
                return Waited::TimedOut;
            }
        }
    }
}

/// A client with its patience.
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) patience: Arc<Poll>,
}

/// The limits of most tests.
pub(super) const LIMITS: Limits = Limits {
    connect: Duration::from_millis(1000),
    total: Duration::from_millis(2000),
};

impl Caller {
    pub(super) fn new(route: Route) -> Self {
        Self::with(route, LIMITS)
    }

    pub(super) fn with(route: Route, limits: Limits) -> Self {
        let patience = Arc::new(Poll::default());
        let route = Route {
            provider: "vault",
            ..route
        };
        Self {
            client: Client::new(route, limits, patience.clone()).unwrap(),
            patience,
        }
    }

    /// A call with a credential in a header and in its body.
    pub(super) fn post(&self, url: &str) -> Result<Response> {
        self.client.send(&post(url), self.client.deadline())
    }

    /// What a call ends with, how long it takes; the error is checked for what must not be in it.
    pub(super) fn refusal(&self, url: &str, sqlstate: &str) -> (Error, Duration) {
        let begin = Instant::now();
        let error = self.post(url).err().expect("refused");
        let took = begin.elapsed();
        assert_eq!(error.kind().sqlstate().as_str(), sqlstate, "{error:?}");
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
        (error, took)
    }

    /// A call that is canceled after 0.3 s must have ended after 0.5 s.
    pub(super) fn assert_cancels(&self, url: &str) {
        self.patience.cancel_after(Duration::from_millis(300));
        let (error, took) = self.refusal(url, "57014");
        assert!(took >= Duration::from_millis(290), "{took:?}: {error:?}");
        assert!(took < Duration::from_millis(500), "{took:?}: {error:?}");
    }

    /// A call must end at its deadline, at most 10 % late.
    pub(super) fn assert_gives_up(&self, url: &str) -> Error {
        let (error, took) = self.refusal(url, "08001");
        assert!(took >= LIMITS.total.mul_f64(0.98), "{took:?}");
        assert!(took < LIMITS.total.mul_f64(1.1), "{took:?}");
        error
    }
}

pub(super) fn post(url: &str) -> Request {
    Request::new(Method::POST, url)
        .header("authorization", "Bearer S3CRET-header")
        .body("S3CRET-body")
}

/// A server on a port of its own. It ends with the process.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Every request as it came, head and body.
    pub(super) requests: Receiver<String>,
}

impl Server {
    /// Reads a request from each connection and answers by the number of the connection.
    pub(super) fn answering(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> Self {
        Self::new(move |number, stream, requests| {
            let _ = requests.send(read_request(stream));
            answer(number, stream);
        })
    }

    /// Answers each connection with the same bytes, and closes it.
    pub(super) fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::answering(move |_, stream| drop(stream.write_all(&bytes)))
    }

    /// Hands each connection to a function, one after another.
    pub(super) fn new(
        talk: impl Fn(usize, &mut TcpStream, &Sender<String>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                talk(number, &mut stream.unwrap(), &sender);
            }
        });
        Self { address, requests }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/v1/x?y=z", self.address)
    }
}

/// Reads head and body of a request.
pub(super) fn read_request(stream: &mut impl Read) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        seen.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&seen).to_lowercase();
    let length = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.lines().next()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    seen.extend(body);
    String::from_utf8(seen).unwrap()
}

/// Sends bytes until the other side is gone; `pause` between them.
pub(super) fn drip(stream: &mut impl Write, bytes: &[u8], pause: Duration) {
    while stream.write_all(bytes).is_ok() && stream.flush().is_ok() {
        thread::sleep(pause);
    }
}

/// An address that neither takes nor refuses a connection: its queue is full.
pub(super) struct Full {
    pub(super) address: SocketAddr,
    _listener: socket2::Socket,
    _waiting: Vec<TcpStream>,
}

impl Full {
    pub(super) fn new() -> Self {
        use socket2::{Domain, Socket, Type};
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 10, "the queue does not fill");
        }
        Self {
            address,
            _listener: listener,
            _waiting: waiting,
        }
    }
}

const ALONE: &str = "CONFITURE_TEST_ALONE";

/// Runs a test in a process of its own, where nothing else goes on and the environment is another.
pub(super) fn alone(module: &str, name: &str, environment: &[(&str, &str)], test: fn()) {
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let path = format!("{}::{name}", module.split_once("::").unwrap().1);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &path, "--test-threads=1"])
        .env(ALONE, "")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && told.contains("1 passed"),
        "{told}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
}
