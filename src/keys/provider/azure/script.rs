//! A scripted way out, for the tests: answers in order, and a record of what was sent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::keys::provider::http::{Deadline, Http, Lines, Request, Response};

/// What was sent, as text: line, method, URL, headers, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub line: &'static str,
    pub head: String,
    pub headers: Vec<String>,
    pub body: String,
}

/// Answers that are left, and what was sent so far.
#[derive(Clone, Default)]
pub(super) struct Script(Rc<Record>);

#[derive(Default)]
struct Record {
    answers: RefCell<VecDeque<(u16, Vec<u8>)>>,
    sent: RefCell<Vec<Sent>>,
}

struct Line {
    name: &'static str,
    script: Script,
}

impl Script {
    /// Answers in this order, whatever line they are asked on.
    pub(super) fn new(answers: &[(u16, &str)]) -> Self {
        let script = Self::default();
        script.add(answers);
        script
    }

    pub(super) fn add(&self, answers: &[(u16, &str)]) {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, body.as_bytes().to_vec()));
        self.0.answers.borrow_mut().extend(answers);
    }

    pub(super) fn add_bytes(&self, status: u16, body: Vec<u8>) {
        self.0.answers.borrow_mut().push_back((status, body));
    }

    pub(super) fn lines(&self) -> Lines {
        let open = |name| -> Box<dyn Http> {
            Box::new(Line {
                name,
                script: self.clone(),
            })
        };
        Lines {
            service: open("service"),
            identity: open("identity"),
            metadata: open("metadata"),
        }
    }

    /// What was sent since the last time this was asked.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.0.sent.take()
    }
}

impl Http for Line {
    fn deadline(&self) -> Deadline {
        Deadline::after(Duration::from_secs(3))
    }

    fn send(&self, request: &Request, _: Deadline) -> Result<Response> {
        self.script.0.sent.borrow_mut().push(Sent {
            line: self.name,
            head: format!("{} {}", request.method, request.url),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.as_str()))
                .collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        match self.script.0.answers.borrow_mut().pop_front() {
            Some((status, body)) => Ok(Response {
                status,
                body: Zeroizing::new(body),
            }),
            None => Err(Error::new(
                Kind::Unreachable,
                "the key service of the script has ended",
            )),
        }
    }

    fn pause(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}
