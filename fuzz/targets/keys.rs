//! Answers of key services: whatever they say, no panic, and no word of it in an error.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use confiture::custody::share::bundle::Bundle;
use confiture::error::{Error, Kind, Result};
use confiture::keys::Secret;
use confiture::keys::envelope::Binding;
use confiture::keys::provider::aws::{self, AwsProvider};
use confiture::keys::provider::azure::{self, AzureProvider};
use confiture::keys::provider::http::{Deadline, Http, Lines, Request, Response};
use confiture::keys::provider::options::{OF_HTTP, Options};
use confiture::keys::provider::vault::{self, VaultProvider};
use confiture::keys::provider::{Provider, Wrapped};

use super::documents::decent;
use crate::engine::found;

/// Stands in the answers of the corpus where a service tells a secret.
const SECRET: &str = "S3CRET";

/// A status and a body.
type Answer = (u16, Vec<u8>);

/// Answers one after another, and again from the beginning.
#[derive(Clone)]
struct Script(Rc<RefCell<VecDeque<Answer>>>);

impl Script {
    /// Reads answers: a status of three digits and a body, divided by a line.
    fn of(input: &[u8]) -> Self {
        let mut answers = VecDeque::new();
        let mut rest = input;
        while rest.len() > 3 && answers.len() < 16 {
            let end = find(rest, b"\n====\n").unwrap_or(rest.len());
            let (answer, after) = rest.split_at(end);
            rest = after.get(6..).unwrap_or_default();
            let (status, body) = answer.split_at(answer.len().min(3));
            let status = std::str::from_utf8(status)
                .ok()
                .and_then(|s| s.parse().ok());
            answers.push_back((status.unwrap_or(200), body.to_vec()));
        }
        Self(Rc::new(RefCell::new(answers)))
    }

    fn lines(&self) -> Lines {
        Lines {
            service: Box::new(self.clone()),
            identity: Box::new(self.clone()),
            metadata: Box::new(self.clone()),
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

impl Http for Script {
    fn deadline(&self) -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    fn send(&self, request: &Request, _: Deadline) -> Result<Response> {
        assert!(request.url.starts_with("http"), "{}", request.url);
        assert!(!request.url.contains(char::is_control), "{:?}", request.url);
        let mut answers = self.0.borrow_mut();
        let Some((status, body)) = answers.pop_front() else {
            return Err(Error::new(Kind::Unreachable, "the script is over"));
        };
        answers.push_back((status, body.clone()));
        Ok(Response {
            status,
            body: body.into(),
        })
    }

    fn pause(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

fn binding() -> Binding {
    Binding {
        installation: [1; 16],
        name: "masking".to_owned(),
        version: 1,
        purpose: "masking".to_owned(),
    }
}

/// Every operation of a provider that stands in front of a service.
fn ask(provider: &dyn Provider, stored: &Wrapped) {
    let key = Secret::copy_of(&[0x42; 32]);
    let wrapped = provider.wrap(&key, &binding());
    let outcomes = [
        provider.unwrap(stored, &binding()).map(drop),
        provider.rotate_kek().map(drop),
        provider.current().map(drop),
        provider.health(),
        match &wrapped {
            Ok(wrapped) => provider.unwrap(wrapped, &binding()).map(drop),
            Err(error) => Err(error.clone()),
        },
    ];
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        decent(error);
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
}

fn options(provider: &'static str, text: &str, known: &[&[&str]]) -> Options {
    Options::parse(provider, text, known).expect("a setting")
}

/// A file that only its owner may read.
fn credential() -> &'static str {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let file = found().join("credential");
        fs::write(&file, "hvs.of-a-test").expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("its mode");
        file
    });
    file.to_str().expect("a path in UTF-8")
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI",
        "AWS_ROLE_ARN" => "arn:aws:iam::111122223333:role/confiture",
        "AWS_WEB_IDENTITY_TOKEN_FILE" => credential(),
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => "/v2/credentials",
        _ => return None,
    };
    Some(value.to_owned())
}

/// AWS KMS, signed in by each of its ways.
pub(crate) fn aws(input: &[u8]) {
    let stored = Wrapped {
        provider: aws::NAME.to_owned(),
        kek_ref: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            .into(),
        kek_version: None,
        alg: "aws-kms-symmetric".to_owned(),
        blob: vec![7; 180],
    };
    for way in ["environment", "web_identity", "container", "imds"] {
        let setting = format!("region=eu-west-1 key=alias/confiture credentials={way}");
        let options = options(aws::NAME, &setting, &[aws::OPTIONS, &OF_HTTP]);
        let lines = Script::of(input).lines();
        let provider = AwsProvider::new(&options, lines, Box::new(variable)).expect("a provider");
        ask(&provider, &stored);
    }
}

/// Azure Key Vault, signed in by each of its ways.
pub(crate) fn azure(input: &[u8]) {
    let stored = Wrapped {
        provider: azure::NAME.to_owned(),
        kek_ref: "https://n.vault.azure.net/keys/confiture".to_owned(),
        kek_version: Some("00112233445566778899aabbccddeeff".to_owned()),
        alg: "RSA-OAEP-256".to_owned(),
        blob: vec![0xfb; 256],
    };
    let file = credential();
    for way in [
        "auth=managed_identity".to_owned(),
        format!("auth=client_secret tenant=t client_id=c client_secret_file={file}"),
    ] {
        let setting = format!("vault=https://n.vault.azure.net key=confiture {way}");
        let options = options(azure::NAME, &setting, &[azure::OPTIONS, &OF_HTTP]);
        let lines = Script::of(input).lines();
        let provider = AzureProvider::new(&options, lines, Box::new(|_| None)).expect("a provider");
        ask(&provider, &stored);
    }
}

/// Vault, or OpenBao, signed in by a token and by a role.
pub(crate) fn vault(input: &[u8]) {
    let stored = Wrapped {
        provider: vault::NAME.to_owned(),
        kek_ref: "transit/confiture".to_owned(),
        kek_version: Some("3".to_owned()),
        alg: "vault-transit".to_owned(),
        blob: format!("vault:v3:{}", "QUJD".repeat(20)).into_bytes(),
    };
    let file = credential();
    for way in [
        format!("token_file={file}"),
        format!("auth=approle role_id=r secret_id_file={file}"),
    ] {
        let setting = format!("address=https://vault:8200 key=confiture {way}");
        let options = options(vault::NAME, &setting, &[vault::OPTIONS, &OF_HTTP]);
        let lines = Script::of(input).lines();
        let provider = VaultProvider::new(&options, lines).expect("a provider");
        ask(&provider, &stored);
    }
}

/// A key that another installation shares: it is written as it was read.
pub(crate) fn shared(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match Bundle::from_json(text) {
        Ok(bundle) => {
            let written = bundle.to_json().to_string();
            let again = Bundle::from_json(&written).expect("what was written can be read");
            assert_eq!(again.to_json().to_string(), written);
            let _ = bundle.binding();
        }
        Err(error) => decent(&error),
    }
}
