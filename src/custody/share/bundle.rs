//! A key on its way to another installation, as JSON.
//!
//! The data key in it is wrapped by a key-encryption key that both installations can use, and
//! bound to the recipient: for anybody else, and for a database with another id, it does not open.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::provider::Wrapped;

/// The form's name and version.
const FORM: &str = "confiture/shared-key/v1";

/// A shared key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The installation it comes from.
    pub sender: [u8; 16],
    /// The installation it is for.
    pub recipient: [u8; 16],
    /// The key's name.
    pub name: String,
    /// Its version, as the sender counts.
    pub version: i32,
    /// What it is for.
    pub purpose: String,
    /// The wrapped bytes.
    pub wrapped: Wrapped,
    /// The binding MAC.
    pub mac: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    form: String,
    sender: String,
    recipient: String,
    name: String,
    version: i32,
    purpose: String,
    provider: String,
    kek_ref: String,
    kek_version: Option<String>,
    alg: String,
    wrapped: String,
    binding_mac: String,
}

/// The longest member accepted, in characters; the longest real one is a wrapped key of 700.
const LONGEST: usize = 4096;

impl Bundle {
    /// What the wrapped bytes are bound to: all of the above.
    pub fn binding(&self) -> Binding {
        Binding {
            installation: self.recipient,
            name: self.name.clone(),
            version: self.version,
            purpose: format!("{} shared by {}", self.purpose, uuid_text(&self.sender)),
        }
    }

    /// The JSON document.
    pub fn to_json(&self) -> serde_json::Value {
        let document = Document {
            form: FORM.to_owned(),
            sender: uuid_text(&self.sender),
            recipient: uuid_text(&self.recipient),
            name: self.name.clone(),
            version: self.version,
            purpose: self.purpose.clone(),
            provider: self.wrapped.provider.clone(),
            kek_ref: self.wrapped.kek_ref.clone(),
            kek_version: self.wrapped.kek_version.clone(),
            alg: self.wrapped.alg.clone(),
            wrapped: BASE64_STANDARD.encode(&self.wrapped.blob),
            binding_mac: BASE64_STANDARD.encode(&self.mac),
        };
        serde_json::to_value(document).unwrap_or_default()
    }

    /// Reads a document.
    ///
    /// # Errors
    /// 22023 when it is not what [`Bundle::to_json`] makes.
    pub fn from_json(document: &str) -> Result<Self> {
        let document: Document = serde_json::from_str(document)
            .map_err(|_| malformed("A member is missing, of another type, or not known."))?;
        if document.form != FORM {
            return Err(malformed("Its form is not known to this version."));
        }
        let texts = [
            &document.name,
            &document.purpose,
            &document.provider,
            &document.kek_ref,
            document.kek_version.as_ref().unwrap_or(&document.form),
            &document.alg,
            &document.wrapped,
            &document.binding_mac,
        ];
        let plain = |text: &String| text.len() <= LONGEST && !text.chars().any(char::is_control);
        if !texts.into_iter().all(plain) {
            return Err(malformed(
                "A member is too long or holds control characters.",
            ));
        }
        let bytes = |text: &str| {
            BASE64_STANDARD
                .decode(text)
                .map_err(|_| malformed("A member is no base64."))
        };
        let uuid = |text: &str| uuid_bytes(text).ok_or_else(|| malformed("A member is no uuid."));
        Ok(Self {
            sender: uuid(&document.sender)?,
            recipient: uuid(&document.recipient)?,
            name: document.name,
            version: document.version,
            purpose: document.purpose,
            wrapped: Wrapped {
                provider: document.provider,
                kek_ref: document.kek_ref,
                kek_version: document.kek_version,
                alg: document.alg,
                blob: bytes(&document.wrapped)?,
            },
            mac: bytes(&document.binding_mac)?,
        })
    }
}

/// A uuid in its usual form (RFC 9562 §4).
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let digits = hex::encode(uuid);
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

/// The bytes of a uuid in that form; `None` for anything else.
pub fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let places = [8, 13, 18, 23];
    let dashed = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| (byte == b'-') == places.contains(&place));
    dashed.then_some(())?;
    hex::decode_to_slice(text.replace('-', ""), &mut bytes).ok()?;
    Some(bytes)
}

fn malformed(why: &str) -> Error {
    Error::new(Kind::InvalidParameter, "this is no shared key")
        .with_detail(why)
        .with_hint("Pass on what confiture.share_key returned, unchanged.")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn bundle() -> Bundle {
        Bundle {
            sender: [1; 16],
            recipient: [0xab; 16],
            name: "masking".into(),
            version: 3,
            purpose: "masking".into(),
            wrapped: Wrapped {
                provider: "vault".into(),
                kek_ref: "transit/confiture".into(),
                kek_version: Some("2".into()),
                alg: "vault-transit".into(),
                blob: vec![0, 1, 255],
            },
            mac: vec![7; 32],
        }
    }

    #[test]
    fn bundle_comes_back_as_it_went() {
        let sent = bundle().to_json();
        assert_eq!(sent["recipient"], "abababab-abab-abab-abab-abababababab");
        assert_eq!(Bundle::from_json(&sent.to_string()).unwrap(), bundle());
        let forged = Bundle {
            sender: [2; 16],
            ..bundle()
        };
        assert_ne!(forged.binding(), bundle().binding());
    }

    #[test]
    fn bundle_refuses_what_is_none() {
        let sent = bundle().to_json();
        let with = |name: &str, value: Value| {
            let mut document = sent.clone();
            document[name] = value;
            document
        };
        for bad in [
            Value::Null,
            json!([]),
            json!("S3CRET"),
            with("form", json!("confiture/shared-key/v2")),
            with("wrapped", json!("S3CRET!")),
            with("recipient", json!("abababababababababababababababab")),
            with("recipient", json!("abababab-abab-abab-abab-ababababab-b")),
            with("recipient", json!("äbababab-abab-abab-abab-ababababab")),
            with("version", json!("3")),
            with("version", json!(3_000_000_000_i64)),
            with("more", json!("S3CRET")),
            with("kek_ref", json!("S3CRET\n")),
            with("kek_ref", json!("S3CRET".repeat(1000))),
            json!("[".repeat(500) + "S3CRET"),
        ] {
            let error = Bundle::from_json(&bad.to_string()).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter);
            assert!(!format!("{error:?}").contains("S3CRET"));
        }
        for bad in ["", "S3CRET", &"[".repeat(500), "1e400"] {
            assert!(Bundle::from_json(bad).is_err());
        }
    }
}
