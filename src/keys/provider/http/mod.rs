//! HTTP to a key provider, from inside a backend: one thread, every wait can be canceled, every
//! call has a deadline, and no part of an answer ever reaches an error.

pub mod client;
pub mod line;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use ureq::http::Method;
use zeroize::Zeroizing;

use crate::error::Result;

/// How often a call is repeated when the provider is busy or broken.
const RETRIES: u32 = 2;

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// Until the whole operation is over: signing in, the call and its repetitions.
    pub total: Duration,
}

/// When an operation must be over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that far from now.
    pub fn after(length: Duration) -> Self {
        Self(Instant::now() + length)
    }

    /// The time that is left.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// One request. Headers and body may hold credentials and are wiped.
pub struct Request {
    /// GET, POST or PUT.
    pub method: Method,
    /// Scheme, host, path and query.
    pub url: String,
    /// Names in lower case, values as sent.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body; empty for GET.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Zeroizing::default(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Zeroizing::new(value.into())));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Zeroizing::new(body.into());
        self
    }
}

/// One answer. It never goes into an error or a log: it may hold a key.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, at most 64 KiB.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The body as JSON; `None` when it is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What a provider calls: the one below, or a script in a unit test.
pub trait Http {
    /// When an operation that begins now must be over.
    fn deadline(&self) -> Deadline;

    /// Sends a request once; any status is an answer.
    ///
    /// # Errors
    /// 08001 when the provider cannot be reached in time or is not who it should be, 08P01 when
    /// what it says is no HTTP or too long, 57014 when the statement is to end, 22023 for an
    /// address that is none.
    fn send(&self, request: &Request, deadline: Deadline) -> Result<Response>;

    /// Waits before a repetition.
    ///
    /// # Errors
    /// 57014 when the statement is to end.
    fn pause(&self, length: Duration) -> Result<()>;
}

/// Sends a request, and again (twice at most, within the deadline) while the answer is 429, 5xx
/// or what `is_busy` recognizes. The last answer counts.
///
/// # Errors
/// As [`Http::send`].
pub fn call(
    http: &dyn Http,
    deadline: Deadline,
    request: &Request,
    is_busy: impl Fn(&Response) -> bool,
) -> Result<Response> {
    let mut pause = Duration::from_millis(100);
    for _ in 0..RETRIES {
        let response = http.send(request, deadline)?;
        let busy = response.status == 429 || response.status >= 500 || is_busy(&response);
        if !busy || deadline.left() <= pause {
            return Ok(response);
        }
        http.pause(pause)?;
        pause *= 2;
    }
    http.send(request, deadline)
}

/// The ways out of this process, which differ in what may be set for them.
pub struct Lines {
    /// To the key service: `ca_file`, `hostaddr` and `proxy` as set.
    pub service: Box<dyn Http>,
    /// To whoever signs us in, where that is another host: without `hostaddr`.
    pub identity: Box<dyn Http>,
    /// To the metadata service of the machine: nothing set, no proxy.
    pub metadata: Box<dyn Http>,
}
