//! The provider against a script that stands for Azure.

mod identities;
mod requests;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::script::Script;
use super::*;
use crate::keys::provider::options::OF_HTTP;

const VAULT: &str = "https://n.vault.azure.net";
const VERSION: &str = "00112233445566778899aabbccddeeff";
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"S3CRET.tok"}"#;

/// A file that is gone after the test.
struct Holder(PathBuf);

impl Holder {
    fn new(name: &str, content: &str) -> Self {
        let name = format!("confiture-azure-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn open(script: &Script, setting: &str, environment: &[(&str, &str)]) -> Result<AzureProvider> {
    let environment: Vec<(String, String)> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let options = Options::parse(NAME, setting, &[OPTIONS, &OF_HTTP])?;
    let read = move |name: &str| {
        let found = environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    AzureProvider::new(&options, script.lines(), Box::new(read))
}

/// The provider on an Azure machine: no file is needed.
fn machine(script: &Script) -> AzureProvider {
    let setting = format!("vault={VAULT} key=confiture auth=managed_identity");
    open(script, &setting, &[]).unwrap()
}

fn binding() -> Binding {
    Binding {
        installation: [1; 16],
        name: "masking".into(),
        version: 1,
        purpose: "masking".into(),
    }
}

fn key() -> Secret {
    Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn wrapped() -> Wrapped {
    Wrapped {
        provider: NAME.into(),
        kek_ref: format!("{VAULT}/keys/confiture"),
        kek_version: Some(VERSION.into()),
        alg: ALG.into(),
        blob: vec![0xfb; 256],
    }
}

fn sealed(kid: &str, length: usize) -> String {
    let value = URL_SAFE_NO_PAD.encode(vec![0xfb; length]);
    format!(r#"{{"kid":"{kid}","value":"{value}"}}"#)
}

fn opened(bytes: &[u8]) -> String {
    let value = URL_SAFE_NO_PAD.encode(bytes);
    format!(r#"{{"kid":"{VAULT}/keys/confiture/{VERSION}","value":"{value}"}}"#)
}

fn clean(error: &Error) -> Kind {
    let shown = format!("{error:?}");
    assert!(!shown.contains("S3CRET"), "{shown}");
    assert!(
        error.message().contains("key") && !error.message().ends_with('.'),
        "{shown}"
    );
    error.kind()
}
