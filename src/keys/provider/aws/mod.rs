//! The AWS provider: a symmetric key of KMS wraps with Encrypt and unwraps with Decrypt.
//!
//! The encryption context of every call names the installation, the key, its version and its
//! purpose: KMS binds the ciphertext to it, writes it to CloudTrail and can demand it in a policy.
//! A stored ARN is checked before use; where a request goes is never taken from it but from the
//! setting, which may list former keys in other regions.

mod credentials;
mod endpoint;
mod identity;
mod instant;
mod name;
mod refusal;
#[cfg(test)]
mod script;
mod sigv4;
mod sources;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_identity;

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use self::credentials::{Credentials, Wiped};
use self::endpoint::{Endpoint, is_region};
use self::name::{KeyArn, KeyName};
use self::refusal::{Asked, Reason};
use self::sigv4::Signable;
use self::sources::Sources;
use super::http::{self, Deadline, Http, Lines, Method, Request, Response};
use super::options::Options;
use super::{Environment, Kek, Provider, Wrapped, foreign, probe};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret};

/// The provider's name in the catalog.
pub const NAME: &str = "aws";

/// The options besides those of HTTP.
pub const OPTIONS: &[&str] = &[
    "credentials",
    "credentials_file",
    "endpoint",
    "former_keys",
    "key",
    "profile",
    "region",
    "sts_endpoint",
];

const ALG: &str = "aws-kms-symmetric";

/// The longest ciphertext of KMS, in bytes.
const LONGEST_BLOB: usize = 6144;

/// A key of AWS KMS.
pub struct AwsProvider {
    region: String,
    key: KeyName,
    former: Vec<KeyArn>,
    endpoint: Endpoint,
    sources: Sources,
    lines: Lines,
    clock: fn() -> SystemTime,
}

/// A key, and where to use it.
struct Target<'a> {
    key: &'a str,
    region: &'a str,
    endpoint: &'a Endpoint,
    line: &'a dyn Http,
}

/// One thing KMS does for us.
struct Operation {
    /// As a policy calls it.
    action: &'static str,
    /// As the header `x-amz-target` calls it.
    target: &'static str,
    /// Whether doing it twice is doing it once.
    repeatable: bool,
}

const ENCRYPT: Operation = Operation {
    action: "kms:Encrypt",
    target: "TrentService.Encrypt",
    repeatable: true,
};
const DECRYPT: Operation = Operation {
    action: "kms:Decrypt",
    target: "TrentService.Decrypt",
    repeatable: true,
};
const ROTATE: Operation = Operation {
    action: "kms:RotateKeyOnDemand",
    target: "TrentService.RotateKeyOnDemand",
    repeatable: false,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: Wiped,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rotated {
    #[serde(rename = "KeyId")]
    _key_id: String,
}

/// What KMS answered to whom.
struct Answer {
    response: Response,
    from: &'static str,
}

impl AwsProvider {
    /// Reads the options; contacts nobody. `environment` returns the value of a variable of the
    /// server's environment.
    ///
    /// # Errors
    /// 55000 when an option is missing, 22023 for a value that is not accepted.
    pub fn new(options: &Options, lines: Lines, environment: Environment) -> Result<Self> {
        let region = options.required("region")?;
        if !is_region(region) {
            return Err(malformed("Option \"region\" is no region of AWS."));
        }
        let key = KeyName::parse(options.required("key")?).ok_or_else(|| {
            malformed("Option \"key\" is no id, ARN or alias (alias/NAME) of a key of KMS.")
        })?;
        if !key.is_in(region) {
            return Err(malformed(
                "Option \"key\" names a key that is not in option \"region\".",
            ));
        }
        let former = options.get_or("former_keys", "").split(',').map(str::trim);
        let former = former
            .filter(|text| !text.is_empty())
            .map(|text| {
                KeyArn::parse(text).ok_or_else(|| {
                    malformed("Option \"former_keys\" is no list of ARNs of keys, with commas.")
                })
            })
            .collect::<Result<_>>()?;
        let endpoint = match options.get("endpoint") {
            Some(text) => Endpoint::parse("Option \"endpoint\"", text)?,
            None => Endpoint::of_region("kms", region),
        };
        Ok(Self {
            region: region.to_owned(),
            key,
            former,
            endpoint,
            sources: Sources::new(options, region, environment)?,
            lines,
            clock: SystemTime::now,
        })
    }

    /// The key of the setting.
    fn own<'a>(&'a self, key: &'a str) -> Target<'a> {
        Target {
            key,
            region: &self.region,
            endpoint: &self.endpoint,
            line: &*self.lines.service,
        }
    }

    fn encrypt(&self, data_key: &Secret, binding: &Binding, deadline: Deadline) -> Result<Wrapped> {
        let mut plaintext = Zeroizing::new([0; 4 * KEY_LEN.div_ceil(3)]);
        let length = STANDARD
            .encode_slice(data_key.expose(), &mut *plaintext)
            .map_err(|_| Error::new(Kind::Internal, "could not encode a key"))?;
        let head = format!(
            "{{\"EncryptionContext\":{},\"KeyId\":\"{}\",\"Plaintext\":\"",
            context(binding),
            self.key.text
        );
        // Allocated once: bytes of the key are not left behind in a shorter one.
        let mut body = Zeroizing::new(Vec::with_capacity(head.len() + length + 2));
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&plaintext[..length]);
        body.extend_from_slice(b"\"}");
        let target = self.own(&self.key.text);
        let answer = self.call(&ENCRYPT, &target, &body, deadline)?;
        let encrypted: Encrypted = answer.granted(&ENCRYPT, &target)?;
        let blob = STANDARD
            .decode(encrypted.ciphertext_blob)
            .ok()
            .filter(|blob| (1..=LONGEST_BLOB).contains(&blob.len()));
        let arn = KeyArn::parse(&encrypted.key_id)
            .filter(|arn| arn.region == self.region && self.key.fits(arn));
        let (Some(blob), Some(arn)) = (blob, arn) else {
            return Err(nonsense());
        };
        Ok(Wrapped {
            provider: NAME.to_owned(),
            kek_ref: arn.text(),
            kek_version: None,
            alg: ALG.to_owned(),
            blob,
        })
    }

    fn decrypt(
        &self,
        target: &Target<'_>,
        blob: &[u8],
        binding: &Binding,
        deadline: Deadline,
    ) -> Result<Secret> {
        let body = Zeroizing::new(
            format!(
                "{{\"CiphertextBlob\":\"{}\",\"EncryptionContext\":{},\"KeyId\":\"{}\"}}",
                STANDARD.encode(blob),
                context(binding),
                target.key
            )
            .into_bytes(),
        );
        let answer = self.call(&DECRYPT, target, &body, deadline)?;
        if refusal::known(&answer.response).is_some_and(|known| known.reason == Reason::Altered) {
            return Err(foreign(
                "The stored bytes were altered, or belong to another key, version or installation.",
                binding,
            ));
        }
        let decrypted: Decrypted = answer.granted(&DECRYPT, target)?;
        let plaintext = STANDARD
            .decode(decrypted.plaintext.0.as_str())
            .map(Zeroizing::new);
        let mut plaintext = plaintext.map_err(|_| nonsense())?;
        let bytes: &mut [u8; KEY_LEN] = plaintext
            .as_mut_slice()
            .try_into()
            .map_err(|_| nonsense())?;
        let secret = Secret::take(bytes);
        if decrypted.key_id == target.key {
            Ok(secret)
        } else {
            Err(nonsense())
        }
    }

    /// The name that opens what a key wrapped; `None` for a key that the setting does not cover.
    fn cover(&self, arn: &KeyArn) -> Option<KeyArn> {
        if self.former.contains(arn) {
            return Some(arn.clone());
        }
        if self
            .key
            .account
            .as_ref()
            .is_some_and(|own| *own != arn.account)
        {
            return None;
        }
        if arn.region == self.region {
            return Some(arn.clone());
        }
        // One key in several regions: the one here opens what the one there closed.
        arn.replica(&self.region)
    }

    /// Calls KMS, and once more with new credentials where kept ones are no longer accepted.
    fn call(
        &self,
        operation: &Operation,
        target: &Target<'_>,
        body: &Zeroizing<Vec<u8>>,
        deadline: Deadline,
    ) -> Result<Answer> {
        loop {
            let found = self.sources.find(&self.lines, deadline, (self.clock)())?;
            let request = self.request(operation, target, body, &found.credentials);
            let response = if operation.repeatable {
                http::call(target.line, deadline, &request, refusal::is_busy)?
            } else {
                target.line.send(&request, deadline)?
            };
            // What was kept is dropped, so the next turn is the last.
            if !found.kept || !refusal::is_about_credentials(&response) {
                let from = found.credentials.from;
                return Ok(Answer { response, from });
            }
            self.sources.forget();
        }
    }

    fn request(
        &self,
        operation: &Operation,
        target: &Target<'_>,
        body: &Zeroizing<Vec<u8>>,
        credentials: &Credentials,
    ) -> Request {
        let stamp = instant::stamp((self.clock)());
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-date", stamp.as_str()),
            ("x-amz-target", operation.target),
        ];
        if let Some(token) = &credentials.token {
            headers.push(("x-amz-security-token", token.as_str()));
        }
        let mut request = Request::new(Method::POST, target.endpoint.url.clone());
        for (name, value) in &headers {
            request = request.header(name, *value);
        }
        // The client sends this one by itself, from the URL.
        headers.push(("host", target.endpoint.host.as_str()));
        let authorization = sigv4::authorization(
            credentials,
            &Signable {
                method: "POST",
                region: target.region,
                service: "kms",
                stamp: &stamp,
                headers: &headers,
                body,
            },
        );
        request = request.header("authorization", authorization);
        request.body = body.clone();
        request
    }
}

impl Answer {
    /// What was asked for.
    fn granted<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        target: &Target<'_>,
    ) -> Result<T> {
        if self.response.status != 200 {
            let asked = Asked {
                action: operation.action,
                key: target.key,
                from: self.from,
            };
            return Err(refusal::explain(&self.response, &asked));
        }
        serde_json::from_slice(&self.response.body).map_err(|_| nonsense())
    }
}

impl Provider for AwsProvider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        self.encrypt(data_key, binding, self.lines.service.deadline())
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        let deadline = self.lines.service.deadline();
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        let stored = KeyArn::parse(&wrapped.kek_ref)
            .ok_or_else(|| foreign("Its row does not name a key of AWS KMS.", binding))?;
        if !(1..=LONGEST_BLOB).contains(&wrapped.blob.len()) {
            return Err(foreign("Its row holds no ciphertext of AWS KMS.", binding));
        }
        let arn = self
            .cover(&stored)
            .ok_or_else(|| not_covered(&stored, binding))?;
        let key = arn.text();
        if arn.region == self.region {
            return self.decrypt(&self.own(&key), &wrapped.blob, binding, deadline);
        }
        // Listed in the setting. An address set for one region does not hold for another.
        let endpoint = Endpoint::of_region("kms", &arn.region);
        let target = Target {
            key: &key,
            region: &arn.region,
            endpoint: &endpoint,
            line: &*self.lines.identity,
        };
        self.decrypt(&target, &wrapped.blob, binding, deadline)
    }

    /// Makes new material for the key; KMS keeps the former one, and the name stays.
    fn rotate_kek(&self) -> Result<Kek> {
        let deadline = self.lines.service.deadline();
        // KMS rotates a key by its own name only; wrapping gives it, without another permission.
        let reference = match KeyArn::parse(&self.key.text) {
            Some(arn) => arn.text(),
            None => {
                self.encrypt(&Secret::random()?, &probe(), deadline)?
                    .kek_ref
            }
        };
        let target = self.own(&reference);
        let body = Zeroizing::new(format!("{{\"KeyId\":\"{reference}\"}}").into_bytes());
        let answer = self.call(&ROTATE, &target, &body, deadline)?;
        let _: Rotated = answer.granted(&ROTATE, &target)?;
        Ok(Kek {
            reference,
            version: None,
        })
    }
}

/// The encryption context of a row, as JSON with sorted names. No secret: CloudTrail shows it.
fn context(binding: &Binding) -> String {
    let digits = hex::encode(binding.installation);
    let uuid = [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| &digits[part])
        .join("-");
    serde_json::json!({
        "confiture:installation": uuid,
        "confiture:key": binding.name,
        "confiture:purpose": binding.purpose,
        "confiture:version": binding.version.to_string(),
    })
    .to_string()
}

/// A value of the setting, or of the server's environment, cannot be used.
fn malformed(why: impl Into<String>) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("key provider \"{NAME}\" is set up in a way that cannot work"),
    )
    .with_detail(why)
}

fn not_covered(arn: &KeyArn, binding: &Binding) -> Error {
    Error::new(
        Kind::NotReady,
        format!(
            "version {} of key \"{}\" was wrapped by a key that the setting does not cover",
            binding.version, binding.name
        ),
    )
    .with_detail(format!(
        "It was wrapped by {}, which is in another region or account than the key of \
         confiture.key_{NAME}.",
        arn.text()
    ))
    .with_hint("If that was your key, add its ARN to the option former_keys.")
}

fn nonsense() -> Error {
    Error::new(
        Kind::Protocol,
        format!("key provider \"{NAME}\" gave an answer that makes no sense"),
    )
}
