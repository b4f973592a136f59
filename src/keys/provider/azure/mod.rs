//! The azure provider: an RSA key in Azure Key Vault, by its REST interface (api-version 7.4,
//! operations `wrapkey`, `unwrapkey` and `rotate`).
//!
//! A vault wraps with RSA-OAEP-256 and takes no associated data, so that nothing here binds the
//! wrapped bytes to their row: the MAC of [`Binding`] does, which the core checks after each
//! unwrapping. Wrapping goes to the newest version of the key, and the version that the vault names
//! is stored, since only that one can unwrap. Of what is stored, only the name and the version of
//! the key go back into a URL; the host is the one of the setting, always.

mod address;
mod identity;
mod refusal;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use self::address::{KeyId, Origin};
use self::identity::Identity;
use self::refusal::Asked;
use super::http::{Deadline, Lines, Method, Request, Response, call};
use super::options::Options;
use super::{Environment, Kek, Provider, Wrapped, foreign};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret};

/// The provider's name in the catalog.
pub const NAME: &str = "azure";

/// Its options, besides those of every provider that is reached by HTTP.
pub const OPTIONS: &[&str] = &[
    "auth",
    "authority",
    "client_id",
    "client_secret_file",
    "federated_token_file",
    "key",
    "metadata",
    "resource",
    "tenant",
    "vault",
];

const ALG: &str = "RSA-OAEP-256";
const API_VERSION: &str = "7.4";

/// What RSA keys of a vault give: 2048, 3072 and 4096 bits.
const BLOB_LENGTHS: [usize; 3] = [256, 384, 512];

/// A key in a vault, and who we are to it.
pub struct AzureProvider {
    vault: Origin,
    key: String,
    identity: Identity,
    lines: Lines,
}

/// What `wrapkey` answers.
#[derive(Deserialize)]
struct Sealed {
    kid: String,
    value: String,
}

/// What `unwrapkey` answers: borrowed, because the value is a data key.
#[derive(Deserialize)]
struct Opened<'a> {
    value: &'a str,
}

/// What `rotate` answers.
#[derive(Deserialize)]
struct Rotated {
    key: RotatedKey,
}

#[derive(Deserialize)]
struct RotatedKey {
    kid: String,
}

impl AzureProvider {
    /// Reads the options; contacts nobody.
    ///
    /// # Errors
    /// 55000 for an option that is missing, 22023 for one without the form it must have.
    pub fn new(options: &Options, lines: Lines, environment: Environment) -> Result<Self> {
        let vault = identity::origin("vault", options.required("vault")?)?;
        let key = options.required("key")?;
        if !address::is_name(key) {
            return Err(identity::malformed("key", "the name of a key in a vault"));
        }
        Ok(Self {
            vault,
            key: key.to_owned(),
            identity: Identity::new(options, &*environment)?,
            lines,
        })
    }

    fn url(&self, name: &str, version: Option<&str>, operation: &str) -> String {
        let version = version
            .map(|version| format!("/{version}"))
            .unwrap_or_default();
        format!(
            "{}/keys/{name}{version}/{operation}?api-version={API_VERSION}",
            self.vault
        )
    }

    /// Sends a request, signed in; once more with a new token where the vault does not take the
    /// one that was kept.
    fn send(&self, deadline: Deadline, url: &str, body: &[u8]) -> Result<Response> {
        let attempt = || {
            let token = self.identity.token(&self.lines, deadline)?;
            let mut request = Request::new(Method::POST, url)
                .header("accept", "application/json")
                .header("authorization", format!("Bearer {}", *token));
            if body.is_empty() {
                // A rotation: what may have been done must not be done again.
                return self.lines.service.send(&request, deadline);
            }
            request = request
                .header("content-type", "application/json")
                .body(body);
            call(&*self.lines.service, deadline, &request, |_| false)
        };
        let response = attempt()?;
        if response.status != 401 {
            return Ok(response);
        }
        self.identity.forget();
        let response = attempt()?;
        if response.status == 401 {
            self.identity.forget();
        }
        Ok(response)
    }

    /// The key and its version as the vault names them; it must be the key of the setting.
    fn named(&self, kid: &str) -> Result<Kek> {
        let id = KeyId::parse(kid)
            .filter(|id| id.vault == self.vault && id.name.eq_ignore_ascii_case(&self.key))
            .filter(|id| id.version.is_some())
            .ok_or_else(|| refusal::nonsense("It does not name a version of the key asked for."))?;
        Ok(Kek {
            reference: format!("{}/keys/{}", id.vault, id.name),
            version: id.version,
        })
    }

    /// The stored key and version, checked: their names become part of a URL.
    fn stored<'a>(&self, wrapped: &'a Wrapped, binding: &Binding) -> Result<(String, &'a str)> {
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        let version = wrapped.kek_version.as_deref();
        let id = KeyId::parse(&wrapped.kek_ref).filter(|id| id.version.is_none());
        let (Some(id), Some(version)) = (id, version.filter(|text| address::is_version(text)))
        else {
            return Err(foreign(
                "What is stored beside it names no key and version of a vault.",
                binding,
            ));
        };
        if !BLOB_LENGTHS.contains(&wrapped.blob.len()) {
            return Err(foreign(
                "The stored bytes do not have the length of an RSA key.",
                binding,
            ));
        }
        if id.vault != self.vault {
            return Err(Error::new(
                Kind::NotReady,
                format!(
                    "key provider \"{NAME}\" is set to another vault than the one that wrapped the \
                     keys of this database"
                ),
            )
            .with_detail(format!(
                "Version {} of key \"{}\" was not wrapped by vault {}.",
                binding.version, binding.name, self.vault
            ))
            .with_hint(format!(
                "Set option \"vault\" of confiture.key_{NAME} to the vault that kek_ref in \
                 confiture.key_status names."
            )));
        }
        Ok((id.name, version))
    }
}

impl Provider for AzureProvider {
    fn wrap(&self, data_key: &Secret, _: &Binding) -> Result<Wrapped> {
        let deadline = self.lines.service.deadline();
        let url = self.url(&self.key, None, "wrapkey");
        let response = self.send(deadline, &url, &body(data_key.expose()))?;
        if response.status != 200 {
            return Err(refusal::of_vault(
                &self.vault,
                &self.key,
                Asked::Wrap,
                &response,
            ));
        }
        let sealed: Sealed = parsed(&response)?;
        let kek = self.named(&sealed.kid)?;
        let blob = URL_SAFE_NO_PAD
            .decode(sealed.value.trim_end_matches('='))
            .ok()
            .filter(|blob| BLOB_LENGTHS.contains(&blob.len()))
            .ok_or_else(|| refusal::nonsense("It holds no bytes wrapped by an RSA key."))?;
        Ok(Wrapped {
            provider: NAME.to_owned(),
            kek_ref: kek.reference,
            kek_version: kek.version,
            alg: ALG.to_owned(),
            blob,
        })
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        let deadline = self.lines.service.deadline();
        let (name, version) = self.stored(wrapped, binding)?;
        let url = self.url(&name, Some(version), "unwrapkey");
        let response = self.send(deadline, &url, &body(&wrapped.blob))?;
        if response.status != 200 {
            let asked = Asked::Unwrap(binding);
            return Err(refusal::of_vault(&self.vault, &name, asked, &response));
        }
        let value = parsed::<Opened<'_>>(&response)?.value.trim_end_matches('=');
        let mut opened = Zeroizing::new(vec![0; base64::decoded_len_estimate(value.len())]);
        let length = URL_SAFE_NO_PAD
            .decode_slice(value, &mut opened)
            .map_err(|_| refusal::nonsense("It holds no unwrapped bytes."))?;
        let bytes: &mut [u8; KEY_LEN] = (&mut opened[..length])
            .try_into()
            .map_err(|_| foreign("What was wrapped is no data key.", binding))?;
        Ok(Secret::take(bytes))
    }

    fn rotate_kek(&self) -> Result<Kek> {
        let deadline = self.lines.service.deadline();
        let url = self.url(&self.key, None, "rotate");
        let response = self.send(deadline, &url, &[])?;
        if response.status != 200 {
            return Err(refusal::of_vault(
                &self.vault,
                &self.key,
                Asked::Rotate,
                &response,
            ));
        }
        self.named(&parsed::<Rotated>(&response)?.key.kid)
    }
}

/// `{"alg":…,"value":…}`, made in one piece: no copy of a data key is left behind.
fn body(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let (head, tail) = (
        format!("{{\"alg\":\"{ALG}\",\"value\":\"").into_bytes(),
        b"\"}",
    );
    let longest = value.len().div_ceil(3) * 4;
    let mut body = Zeroizing::new(vec![0; head.len() + longest + tail.len()]);
    body[..head.len()].copy_from_slice(&head);
    let written = URL_SAFE_NO_PAD
        .encode_slice(value, &mut body[head.len()..])
        .expect("base64 takes four characters for three bytes");
    let end = head.len() + written;
    body[end..end + tail.len()].copy_from_slice(tail);
    body.truncate(end + tail.len());
    body
}

fn parsed<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T> {
    serde_json::from_slice(&response.body)
        .map_err(|_| refusal::nonsense("It is not the JSON that was asked for."))
}
