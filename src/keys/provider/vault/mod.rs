//! The vault provider: a key of the transit engine of HashiCorp Vault or OpenBao.
//!
//! The key-encryption key never leaves Vault. Data keys are bound to their rows as associated data,
//! so that Vault itself refuses a row that was exchanged with another. Transit's own `rewrap` takes
//! no associated data: keys are wrapped anew on this side. Checked against OpenBao 2.7.2.

mod answer;
mod auth;
mod place;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use self::answer::Act;
use self::auth::{Session, Wire};
use self::place::Place;
use super::http::{Deadline, Lines, Response};
use super::options::Options;
use super::{Kek, Provider, Wrapped, foreign, probe};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret};

/// The provider's name in the catalog.
pub const NAME: &str = "vault";

/// The options of its setting, besides those of every provider that is reached by HTTP.
pub const OPTIONS: &[&str] = &[
    "address",
    "auth",
    "auth_mount",
    "jwt_file",
    "key",
    "mount",
    "namespace",
    "role",
    "role_id",
    "secret_id_file",
    "token_file",
];

const ALG: &str = "vault-transit";

/// Digits of base64 for a key.
const KEY_DIGITS: usize = KEY_LEN.div_ceil(3) * 4;

/// One transit key, and who we are to Vault.
pub struct VaultProvider {
    wire: Wire,
    session: Session,
    home: Place,
}

impl VaultProvider {
    /// Reads the setting; contacts nobody. The environment is not asked for anything.
    ///
    /// # Errors
    /// 55000 for an option that is missing, 22023 for one that cannot be used.
    pub fn new(options: &Options, lines: Lines) -> Result<Self> {
        let address = place::address(options.required("address")?)?;
        let home = Place {
            namespace: options.get("namespace").map(place::namespace).transpose()?,
            mount: place::mount("mount", options.get_or("mount", "transit"))?,
            key: place::key(options.required("key")?)?,
        };
        Ok(Self {
            session: Session::new(options, home.namespace.clone())?,
            wire: Wire {
                http: lines.service,
                address,
            },
            home,
        })
    }

    fn wrap_by(&self, data_key: &Secret, binding: &Binding, deadline: Deadline) -> Result<Wrapped> {
        self.check_key(deadline)?;
        let body = plaintext_body(data_key, binding)?;
        let response = self.ask(Act::Encrypt, &self.home, body, deadline)?;
        if response.status != 200 {
            return Err(answer::refusal(&response, Act::Encrypt, &self.home, ""));
        }
        let (blob, version) = answer::encrypted(&response)?;
        Ok(Wrapped {
            provider: NAME.to_owned(),
            kek_ref: self.home.reference(),
            kek_version: Some(version),
            alg: ALG.to_owned(),
            blob,
        })
    }

    /// Makes sure that there is a transit key of that name.
    ///
    /// Transit would make a missing key at the first `encrypt`, and an engine that stores values
    /// would store the data key; no policy need stand in the way of either. So `decrypt` is asked
    /// first, about bytes that nothing has wrapped.
    fn check_key(&self, deadline: Deadline) -> Result<()> {
        let nothing = format!("vault:v1:{}", STANDARD.encode([0; 80]));
        let body = ciphertext_body(&nothing, &probe());
        let response = self.ask(Act::Decrypt, &self.home, body, deadline)?;
        if answer::proves_key(&response) {
            return Ok(());
        }
        Err(answer::refusal(&response, Act::Decrypt, &self.home, "1"))
    }

    /// Sends a request about a key, with a new token where the one that was held is refused.
    fn ask(
        &self,
        act: Act,
        place: &Place,
        body: Zeroizing<Vec<u8>>,
        deadline: Deadline,
    ) -> Result<Response> {
        let path = act.path(place);
        let send = |token: &str| {
            let namespace = place.namespace.as_deref();
            let body = Some(body.clone());
            self.wire
                .send(&path, namespace, Some(token), body, deadline)
        };
        let mut held = self.session.token(&self.wire, deadline)?;
        let mut response = send(&held.token)?;
        if response.status == 403 && !held.is_fresh {
            self.session.forget();
            held = self.session.token(&self.wire, deadline)?;
            response = send(&held.token)?;
        }
        if response.status != 403 {
            return Ok(response);
        }
        if held.is_known {
            return Err(answer::forbidden(act, place));
        }
        self.session.forget();
        Err(self.session.not_accepted())
    }
}

impl Provider for VaultProvider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        self.wrap_by(data_key, binding, self.wire.http.deadline())
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        let place = Place::stored(&wrapped.kek_ref, &self.home)
            .ok_or_else(|| foreign("Its kek_ref is no path of a transit key.", binding))?;
        let version = answer::version_of(&wrapped.blob)
            .ok_or_else(|| foreign("The stored bytes are none that transit wrapped.", binding))?;
        if wrapped.kek_version.as_deref() != Some(version) {
            return Err(foreign(
                "Its kek_version is not the one in the stored bytes.",
                binding,
            ));
        }
        let ciphertext = std::str::from_utf8(&wrapped.blob)
            .map_err(|_| foreign("The stored bytes are none that transit wrapped.", binding))?;
        let body = ciphertext_body(ciphertext, binding);
        let response = self.ask(Act::Decrypt, &place, body, self.wire.http.deadline())?;
        if response.status == 200 {
            return answer::decrypted(&response);
        }
        if answer::is_altered(&response) {
            return Err(foreign(
                "The stored bytes were altered, or belong to another key, version or installation.",
                binding,
            ));
        }
        Err(answer::refusal(&response, Act::Decrypt, &place, version))
    }

    /// Makes a new version of the transit key; former ones go on decrypting until
    /// `min_decryption_version` is raised.
    fn rotate_kek(&self) -> Result<Kek> {
        let deadline = self.wire.http.deadline();
        let body = Zeroizing::new(b"{}".to_vec());
        let response = self.ask(Act::Rotate, &self.home, body, deadline)?;
        if ![200, 204].contains(&response.status) {
            return Err(answer::refusal(&response, Act::Rotate, &self.home, ""));
        }
        // Older servers answer without a word, so the version is learned by wrapping.
        Ok(self.wrap_by(&Secret::random()?, &probe(), deadline)?.kek())
    }
}

/// The body of an `encrypt`. Base64 has nothing that JSON would escape.
fn plaintext_body(data_key: &Secret, binding: &Binding) -> Result<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new([0; KEY_DIGITS]);
    STANDARD
        .encode_slice(data_key.expose(), &mut *digits)
        .map_err(|_| Error::new(Kind::Internal, "could not write a key for its provider"))?;
    let bound = STANDARD.encode(binding.bytes());
    // Large enough never to be moved, which would leave a copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(KEY_DIGITS + bound.len() + 64));
    body.extend_from_slice(b"{\"plaintext\":\"");
    body.extend_from_slice(&*digits);
    body.extend_from_slice(b"\",\"associated_data\":\"");
    body.extend_from_slice(bound.as_bytes());
    body.extend_from_slice(b"\"}");
    Ok(body)
}

/// The body of a `decrypt` of what has the form that [`answer::version_of`] checks.
fn ciphertext_body(ciphertext: &str, binding: &Binding) -> Zeroizing<Vec<u8>> {
    let bound = STANDARD.encode(binding.bytes());
    let text = format!("{{\"ciphertext\":\"{ciphertext}\",\"associated_data\":\"{bound}\"}}");
    Zeroizing::new(text.into_bytes())
}
