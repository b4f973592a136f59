//! A scripted line for the unit tests: answers in their order, and what was sent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::{AwsProvider, NAME, OPTIONS, instant};
use crate::error::{Error, Result};
use crate::keys::envelope::Binding;
use crate::keys::provider::http::{Deadline, Http, Lines, Request, Response};
use crate::keys::provider::options::{OF_HTTP, Options};

pub(super) const ARN: &str =
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// One request as it would have gone out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) line: &'static str,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// Status and body, or what the client would have failed with.
type Answer = Result<(u16, Vec<u8>)>;

/// What all lines of one provider share.
#[derive(Default)]
pub(super) struct Script {
    answers: RefCell<VecDeque<Answer>>,
    pub(super) sent: RefCell<Vec<Sent>>,
    pub(super) pauses: RefCell<Vec<Duration>>,
}

impl Script {
    pub(super) fn answer(&self, status: u16, body: impl AsRef<[u8]>) {
        let answer = Ok((status, body.as_ref().to_vec()));
        self.answers.borrow_mut().push_back(answer);
    }

    pub(super) fn fail(&self, error: Error) {
        self.answers.borrow_mut().push_back(Err(error));
    }

    /// What was sent, which is then forgotten; no answer may be left over.
    pub(super) fn take(&self) -> Vec<Sent> {
        assert_eq!(self.answers.borrow().len(), 0, "answers are left over");
        self.sent.take()
    }

    pub(super) fn clear(&self) {
        self.answers.borrow_mut().clear();
        self.sent.borrow_mut().clear();
    }

    pub(super) fn lines(self: &Rc<Self>) -> Lines {
        let line = |name| {
            Box::new(Scripted {
                name,
                script: Rc::clone(self),
            })
        };
        Lines {
            service: line("service"),
            identity: line("identity"),
            metadata: line("metadata"),
        }
    }
}

struct Scripted {
    name: &'static str,
    script: Rc<Script>,
}

impl Http for Scripted {
    fn deadline(&self) -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    fn send(&self, request: &Request, _: Deadline) -> Result<Response> {
        let headers = request.headers.iter();
        self.script.sent.borrow_mut().push(Sent {
            line: self.name,
            method: request.method.to_string(),
            url: request.url.clone(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), value.as_str().to_owned()))
                .collect(),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
        });
        let answer = self.script.answers.borrow_mut().pop_front();
        let (status, body) = answer.expect("one more request than answers")?;
        Ok(Response {
            status,
            body: Zeroizing::new(body),
        })
    }

    fn pause(&self, length: Duration) -> Result<()> {
        self.script.pauses.borrow_mut().push(length);
        Ok(())
    }
}

/// A provider on a script, at 12:36 of 2015-08-30.
pub(super) fn provider(
    setting: &str,
    environment: &'static [(&str, &str)],
) -> Result<(AwsProvider, Rc<Script>)> {
    let script = Rc::new(Script::default());
    let options = Options::parse(NAME, setting, &[OPTIONS, &OF_HTTP])?;
    let variable = move |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name)?;
        Some(found.1.to_owned())
    };
    let mut provider = AwsProvider::new(&options, script.lines(), Box::new(variable))?;
    provider.clock = || at("2015-08-30T12:36:00Z");
    Ok((provider, script))
}

pub(super) fn at(text: &str) -> SystemTime {
    instant::parse(text).unwrap()
}

pub(super) fn binding() -> Binding {
    Binding {
        installation: std::array::from_fn(|i| u8::try_from(i * 17).unwrap()),
        name: "masking".into(),
        version: 3,
        purpose: "masking".into(),
    }
}
