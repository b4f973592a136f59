//! A Vault of the unit tests: it answers from a list, and notes what it was asked.

mod garbage;
mod refusals;
mod requests;
mod tokens;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::super::http::{Deadline, Http, Lines, Request, Response};
use super::super::options::{OF_HTTP, Options};
use super::super::{Provider, Wrapped};
use super::{NAME, OPTIONS, VaultProvider};
use crate::error::{Error, Kind, Result};
use crate::keys::Secret;
use crate::keys::envelope::Binding;

/// What transit says to bytes that it did not wrap.
const ALTERED: (u16, &str) = (
    400,
    r#"{"errors":["cipher: message authentication failed"]}"#,
);

/// What a token says of itself that lives for ever.
const FOREVER: (u16, &str) = (
    200,
    r#"{"data":{"ttl":0,"creation_ttl":0,"renewable":false,"id":"S3CRET"}}"#,
);

/// What transit says to a request that a policy refuses.
const FORBIDDEN: (u16, &str) = (
    403,
    "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n S3CRET\"]}",
);

/// A status and a body, or what the line reports.
type Answer = Result<(u16, Vec<u8>)>;

/// What was asked and what will be answered.
#[derive(Default)]
struct State {
    asked: RefCell<Vec<String>>,
    answers: RefCell<VecDeque<Answer>>,
    deadlines: Cell<u32>,
    now: Cell<Duration>,
}

struct Script(Rc<State>);

impl Http for Script {
    fn deadline(&self) -> Deadline {
        self.0.deadlines.set(self.0.deadlines.get() + 1);
        Deadline::after(Duration::from_secs(3600))
    }

    fn send(&self, request: &Request, _: Deadline) -> Result<Response> {
        let mut text = format!("{} {}\n", request.method, request.url);
        for (name, value) in &request.headers {
            text += &format!("{name}: {}\n", value.as_str());
        }
        text += std::str::from_utf8(&request.body).unwrap();
        self.0.asked.borrow_mut().push(text);
        let (status, body) = self
            .0
            .answers
            .borrow_mut()
            .pop_front()
            .unwrap_or_else(|| Err(Error::new(Kind::Unreachable, "the script is over")))?;
        Ok(Response {
            status,
            body: Zeroizing::new(body),
        })
    }

    fn pause(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

/// One provider with its script and its credential file.
struct Stage {
    state: Rc<State>,
    vault: VaultProvider,
    file: PathBuf,
}

impl Stage {
    /// A provider with a token, or with these options where `%` stands for the credential file.
    fn new(options: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("confiture-vault-{}-{number}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let options = options.replace('%', file.to_str().unwrap());
        let state = Rc::new(State::default());
        let mut vault = open(&options, &state).unwrap();
        let clock = Rc::clone(&state);
        vault.session.clock = Box::new(move || SystemTime::UNIX_EPOCH + clock.now.get());
        let stage = Self { state, vault, file };
        stage.credential("S3CRET-a");
        stage
    }

    /// A provider with a token.
    fn with_token() -> Self {
        Self::new("address=https://vault:8200 key=confiture token_file=%")
    }

    /// Writes the credential file.
    fn credential(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
        fs::set_permissions(&self.file, Permissions::from_mode(0o600)).unwrap();
    }

    /// Adds answers.
    fn answers<'a>(&self, answers: impl IntoIterator<Item = (u16, &'a str)>) {
        for (status, body) in answers {
            let answer = Ok((status, body.as_bytes().to_vec()));
            self.state.answers.borrow_mut().push_back(answer);
        }
    }

    /// Sets the clock.
    fn at(&self, seconds: u64) {
        self.state.now.set(Duration::from_secs(seconds));
    }

    /// What was asked since the last time, one text per request.
    fn asked(&self) -> Vec<String> {
        let asked = self.state.asked.take();
        assert!(
            self.state.answers.borrow().is_empty(),
            "answers are left: {asked:?}"
        );
        asked
    }

    /// The paths that were asked since the last time.
    fn paths(&self) -> Vec<String> {
        let path = |text: String| {
            let url = text.lines().next().unwrap().split(' ').nth(1).unwrap();
            url.split_once("/v1/").unwrap().1.to_owned()
        };
        self.asked().into_iter().map(path).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// A provider with these options.
fn open(options: &str, state: &Rc<State>) -> Result<VaultProvider> {
    let options = Options::parse(NAME, options, &[OPTIONS, &OF_HTTP])?;
    let script = || Box::new(Script(Rc::clone(state)));
    let lines = Lines {
        service: script(),
        identity: script(),
        metadata: script(),
    };
    VaultProvider::new(&options, lines)
}

/// The data key of the tests.
fn data_key() -> Secret {
    let mut bytes = *b"S3CRET-0123456789abcdefghijklmno";
    Secret::take(&mut bytes)
}

/// The data key in base64: what must be in one request and in no error.
const KEY_TEXT: &str = "UzNDUkVULTAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm8=";

/// What it is bound to.
fn binding() -> Binding {
    Binding {
        installation: [1; 16],
        name: "masking".to_owned(),
        version: 1,
        purpose: "masking".to_owned(),
    }
}

/// The binding in base64, computed with Python.
const BOUND: &str = concat!(
    "AAAAEGNvbmZpdHVyZS9rZXkvdjEAAAAQAQEBAQEBAQEBAQEBAQEBAQAAAAdtYXNraW5n",
    "AAAABAAAAAEAAAAHbWFza2luZw=="
);

/// What the probe is bound to, likewise.
const PROBED: &str = concat!(
    "AAAAEGNvbmZpdHVyZS9rZXkvdjEAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAZoZWFsdGgA",
    "AAAEAAAAAAAAAAZoZWFsdGg="
);

/// A wrapped key of that version, as transit would write it.
fn sealed(version: u32) -> String {
    format!("vault:v{version}:{}", "QUJD".repeat(20))
}

/// An answer to `encrypt`.
fn encrypted(version: u32) -> String {
    let text = sealed(version);
    format!(r#"{{"data":{{"ciphertext":"{text}","key_version":{version}}}}}"#)
}

const DECRYPTED: &str = r#"{"data":{"plaintext":"UzNDUkVULTAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm8="}}"#;
const APPROLE: &str = "address=https://vault:8200 key=confiture namespace=team auth=approle \
                       role_id=r\"1 secret_id_file=%";
const KUBERNETES: &str = "address=https://vault:8200 mount=kms/transit key=confiture \
                          auth=kubernetes auth_mount=k8s role=postgres jwt_file=%";

fn wrapped() -> Wrapped {
    Wrapped {
        provider: "vault".to_owned(),
        kek_ref: "transit/confiture".to_owned(),
        kek_version: Some("3".to_owned()),
        alg: "vault-transit".to_owned(),
        blob: sealed(3).into_bytes(),
    }
}

fn login(token: &str, lease: u32, renewable: bool) -> String {
    let life = format!(r#""lease_duration":{lease},"renewable":{renewable}"#);
    format!(r#"{{"auth":{{"client_token":"{token}",{life}}}}}"#)
}

fn silent(error: &Error) {
    let text = format!("{error:?}");
    assert!(
        !text.contains("S3CRET") && !text.contains(KEY_TEXT),
        "{text}"
    );
    assert!(!text.contains("QUJD"), "{text}");
}

/// The error of a call that must fail, with what every error must keep to.
fn failed<T>(result: Result<T>) -> Error {
    let error = result.err().unwrap();
    silent(&error);
    error
}
