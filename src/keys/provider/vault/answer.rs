//! What Vault says: the parts of an answer that are read, and what each refusal means.
//!
//! Vault has no codes for its errors. The listed phrases choose the wording here; no other byte
//! of an answer is looked at, and none is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::http::Response;
use super::place::Place;
use crate::error::{Error, Kind, Result};
use crate::keys::{KEY_LEN, Secret};

/// The longest wrapped key accepted, in bytes; real ones have about 90.
const LONGEST: usize = 4096;

/// What is asked of a transit key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Wraps a data key.
    Encrypt,
    /// Opens one.
    Decrypt,
    /// Makes a new version of the key.
    Rotate,
}

impl Act {
    /// The path under `/v1/`.
    pub(super) fn path(self, place: &Place) -> String {
        let Place { mount, key, .. } = place;
        match self {
            Self::Encrypt => format!("{mount}/encrypt/{key}"),
            Self::Decrypt => format!("{mount}/decrypt/{key}"),
            Self::Rotate => format!("{mount}/keys/{key}/rotate"),
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt with",
            Self::Decrypt => "decrypt with",
            Self::Rotate => "rotate",
        }
    }
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted<'a> {
    ciphertext: &'a str,
    key_version: u64,
}

#[derive(Deserialize)]
struct Decrypted<'a> {
    plaintext: &'a str,
}

#[derive(Deserialize)]
struct Authenticated<T> {
    auth: T,
}

#[derive(Deserialize)]
struct Login<'a> {
    client_token: &'a str,
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct Renewal {
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct Lookup {
    ttl: u64,
    #[serde(default)]
    creation_ttl: u64,
    renewable: bool,
}

/// How long a token lives; zero seconds mean for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// Seconds that are left.
    pub(super) left: u64,
    /// Seconds it was given for.
    pub(super) whole: u64,
    /// Whether it can be renewed.
    pub(super) renewable: bool,
}

/// The wrapped key of an answer to [`Act::Encrypt`], with the version that wrapped it.
///
/// # Errors
/// 08P01 when the answer holds none, or contradicts itself.
pub(super) fn encrypted(response: &Response) -> Result<(Vec<u8>, String)> {
    let Data { data } = read::<Data<Encrypted<'_>>>(response)?;
    let version = version_of(data.ciphertext.as_bytes())
        .ok_or_else(|| nonsense("It holds no wrapped key."))?;
    if version != data.key_version.to_string() {
        return Err(nonsense("It names two versions of one key."));
    }
    Ok((data.ciphertext.as_bytes().to_vec(), version.to_owned()))
}

/// The data key of an answer to [`Act::Decrypt`].
///
/// # Errors
/// 08P01 when the answer holds none.
pub(super) fn decrypted(response: &Response) -> Result<Secret> {
    let Data { data } = read::<Data<Decrypted<'_>>>(response)?;
    // The decoder asks for room in steps of three bytes, and more room shows a key too long.
    let mut bytes = Zeroizing::new([0; KEY_LEN + 16]);
    let length = STANDARD.decode_slice(data.plaintext, &mut *bytes).ok();
    if length != Some(KEY_LEN) {
        return Err(nonsense("It holds no key of 32 bytes."));
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    key.copy_from_slice(&bytes[..KEY_LEN]);
    Ok(Secret::take(&mut key))
}

/// The token of an answer to a login.
///
/// # Errors
/// 08P01 when the answer is none to a login, 28000 when it comes without a token.
pub(super) fn signed_in(response: &Response) -> Result<(Zeroizing<String>, Lease)> {
    let Authenticated { auth } = read::<Authenticated<Login<'_>>>(response)?;
    if auth.client_token.is_empty() {
        return Err(Error::new(
            Kind::Credentials,
            "key provider \"vault\" gave no token at the login",
        )
        .with_detail("A login that asks for a second factor cannot be used."));
    }
    let lease = Lease {
        left: auth.lease_duration,
        whole: auth.lease_duration,
        renewable: auth.renewable,
    };
    Ok((Zeroizing::new(auth.client_token.to_owned()), lease))
}

/// The lease of an answer to a renewal.
///
/// # Errors
/// 08P01 when the answer holds none.
pub(super) fn renewed(response: &Response) -> Result<Lease> {
    let Authenticated { auth } = read::<Authenticated<Renewal>>(response)?;
    Ok(Lease {
        left: auth.lease_duration,
        whole: auth.lease_duration,
        renewable: auth.renewable,
    })
}

/// The lease of an answer to a token's question about itself.
///
/// # Errors
/// 08P01 when the answer holds none.
pub(super) fn looked_up(response: &Response) -> Result<Lease> {
    let Data { data } = read::<Data<Lookup>>(response)?;
    Ok(Lease {
        left: data.ttl,
        whole: data.creation_ttl.max(data.ttl),
        renewable: data.renewable,
    })
}

/// The version in a wrapped key, `vault:v3:` and base64; `None` when it does not have that form.
pub(super) fn version_of(blob: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(blob).ok()?;
    let (version, sealed) = text.strip_prefix("vault:v")?.split_once(':')?;
    // Transit reads version 0 as version 1, and the version is part of no MAC.
    let canonical = (1..=9).contains(&version.len())
        && version.bytes().all(|c| c.is_ascii_digit())
        && !version.starts_with('0');
    if !canonical || text.len() > LONGEST {
        return None;
    }
    // A nonce, the key and a tag of 16 bytes; anything shorter carries no data key.
    let sealed = STANDARD.decode(sealed).ok()?;
    (sealed.len() >= 12 + KEY_LEN + 16).then_some(version)
}

/// What a refusal means that can follow any request; `None` for one that depends on the request.
pub(super) fn trouble(response: &Response) -> Option<Error> {
    let status = response.status;
    let failed = |kind, fact: &str| {
        Some(
            Error::new(kind, format!("key provider \"vault\" {fact}"))
                .with_detail(format!("It answered with HTTP status {status}.")),
        )
    };
    match status {
        503 if says(response, "is sealed") => Some(
            Error::new(Kind::NotReady, "key provider \"vault\" is sealed")
                .with_hint("Have Vault unsealed by those who hold its unseal keys."),
        ),
        300..=399 => Some(
            Error::new(
                Kind::NotReady,
                "key provider \"vault\" answered with a redirect",
            )
            .with_detail("Redirects are not followed: they could lead a token elsewhere.")
            .with_hint("Let \"address\" name the active node, or what stands before all nodes."),
        ),
        404 if says(response, "namespace not found") => Some(
            Error::new(
                Kind::UndefinedObject,
                "key provider \"vault\" has no namespace of that name",
            )
            .with_hint("Look at \"namespace\" and \"mount\" in confiture.key_vault."),
        ),
        400 if says(response, "HTTP request to an HTTPS server") => Some(
            Error::new(
                Kind::NotReady,
                "key provider \"vault\" speaks TLS at that address",
            )
            .with_hint("Let \"address\" in confiture.key_vault begin with https://."),
        ),
        412 => failed(Kind::External, "has not caught up with its active node"),
        429 => failed(Kind::Throttled, "asks to be called less often"),
        472 | 473 => failed(Kind::NotReady, "is a standby that does not serve"),
        // A key that is marked as deleted is refused with 400 or 500.
        500..=599 if !says(response, SOFT_DELETED) => failed(Kind::External, "failed"),
        _ => None,
    }
}

const SOFT_DELETED: &str = "refusing to use soft-deleted key";

/// What an answer to a transit request means that is not the one hoped for, 403 excepted.
pub(super) fn refusal(response: &Response, act: Act, place: &Place, version: &str) -> Error {
    if let Some(trouble) = trouble(response) {
        return trouble;
    }
    let key = format!("transit key \"{}\"", place.reference());
    let status = response.status;
    if says(response, SOFT_DELETED) {
        return Error::new(
            Kind::NotReady,
            format!("key provider \"vault\" has marked {key} as deleted"),
        )
        .with_hint("Have it restored in Vault.");
    }
    match status {
        400 if says(response, "key not found") => absent(place),
        400 if says(response, "(too old)") => Error::new(
            Kind::NotReady,
            format!("key provider \"vault\" no longer decrypts with version {version} of {key}"),
        )
        .with_detail("Its min_decryption_version is higher.")
        .with_hint("Have it lowered, CALL confiture.rewrap_keys('vault'), and have it raised."),
        400 if says(response, "version is too new") => Error::new(
            Kind::UndefinedObject,
            format!("key provider \"vault\" has no version {version} of {key}"),
        ),
        400 if ["non-AEAD", "missing 'context'", "not supported"]
            .iter()
            .any(|phrase| says(response, phrase)) =>
        {
            Error::new(
                Kind::NotReady,
                format!("key provider \"vault\" cannot wrap keys with {key}"),
            )
            .with_detail("It is derived, or of a type without associated data.")
            .with_hint("Use a key of type aes256-gcm96 that is not derived.")
        }
        200..=299 | 405 => Error::new(
            Kind::NotReady,
            format!(
                "key provider \"vault\" has no transit engine at \"{}\"",
                place.mount
            ),
        )
        .with_hint("Look at \"mount\" in confiture.key_vault."),
        404 => absent(place).with_detail("Nothing answers at that mount and namespace."),
        _ => Error::new(
            Kind::Protocol,
            format!("key provider \"vault\" did not {} {key}", act.verb()),
        )
        .with_detail(format!(
            "It answered with HTTP status {status}, which was not expected."
        )),
    }
}

/// Whether bytes that nothing had wrapped were refused for that reason alone: the key is there and
/// of a usable type.
pub(super) fn proves_key(response: &Response) -> bool {
    response.status == 400
        && ["authentication failed", "(too old)", "invalid ciphertext"]
            .iter()
            .any(|phrase| says(response, phrase))
}

/// Whether wrapped bytes were refused because they, or what they are bound to, are not the same.
pub(super) fn is_altered(response: &Response) -> bool {
    proves_key(response) && !says(response, "(too old)") && !says(response, "version is too new")
}

/// A refusal by policy.
pub(super) fn forbidden(act: Act, place: &Place) -> Error {
    Error::new(
        Kind::Permission,
        format!(
            "key provider \"vault\" refused to {} transit key \"{}\"",
            act.verb(),
            place.reference()
        ),
    )
    .with_detail("It accepted the token, but no policy of the token allows it.")
    .with_hint(format!("Grant it \"update\" on \"{}\".", act.path(place)))
}

/// An answer that cannot be understood.
pub(super) fn nonsense(why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        "key provider \"vault\" gave an answer that cannot be read",
    )
    .with_detail(why)
}

fn absent(place: &Place) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!(
            "key provider \"vault\" has no transit key \"{}\"",
            place.reference()
        ),
    )
    .with_hint(
        "Look at \"mount\", \"key\" and \"namespace\" in confiture.key_vault; a key is made in \
         Vault, never from here.",
    )
}

fn read<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T> {
    serde_json::from_slice(&response.body).map_err(|_| nonsense("It lacks what was asked for."))
}

fn says(response: &Response, phrase: &str) -> bool {
    response
        .body
        .windows(phrase.len())
        .any(|window| window == phrase.as_bytes())
}
