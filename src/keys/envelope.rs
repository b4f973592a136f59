//! Wrapping a data key with a key-encryption key held here (file, environment), and the MAC that
//! binds every stored key to its row, whatever the provider can bind by itself.
//!
//! AES-256-GCM-SIV (RFC 8452): a nonce that repeats, after a fork or a restored snapshot of the
//! machine, shows equality and nothing more.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{KEY_LEN, Secret, Use, push_field, subkey};
use crate::error::{Error, Kind, Result};

/// What a stored key is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The installation's id: random, made once, dumped with the data.
    pub installation: [u8; 16],
    /// The key's name.
    pub name: String,
    /// The key's version, from 1.
    pub version: i32,
    /// What the key is for.
    pub purpose: String,
}

impl Binding {
    /// The bytes bound, in the length-prefixed form of the house.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        push_field(&mut out, b"confiture/key/v1");
        push_field(&mut out, &self.installation);
        push_field(&mut out, self.name.as_bytes());
        push_field(&mut out, &self.version.to_be_bytes());
        push_field(&mut out, self.purpose.as_bytes());
        out
    }

    /// The MAC kept beside a wrapped key: HMAC-SHA256 under the data key's own binding subkey.
    pub fn mac(&self, data_key: &Secret) -> [u8; 32] {
        let key = subkey(data_key, Use::Binding);
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose())
            .expect("HMAC takes a key of any length");
        mac.update(&self.bytes());
        mac.finalize().into_bytes().into()
    }

    /// Checks the stored MAC, in constant time.
    ///
    /// # Errors
    /// XX001 when the row is not the one the key was wrapped for.
    pub fn check(&self, data_key: &Secret, mac: &[u8]) -> Result<()> {
        if bool::from(self.mac(data_key).ct_eq(mac)) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Corrupt,
            format!(
                "version {} of key \"{}\" does not belong to this row",
                self.version, self.name
            ),
        )
        .with_detail(
            "The stored key was wrapped for another name, version, purpose or installation.",
        )
        .with_hint("Restore confiture.key_version from a backup of this installation."))
    }
}

const FORMAT: u8 = 1;
const NONCE_LEN: usize = 12;

/// Wraps a data key: format byte, nonce, ciphertext and tag.
///
/// # Errors
/// XX000 when the system has no randomness to give.
pub fn wrap(kek: &Secret, data_key: &Secret, binding: &Binding) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)
        .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes for a nonce"))?;
    let sealed = Aes256GcmSiv::new(kek.expose().into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: data_key.expose(),
                aad: &binding.bytes(),
            },
        )
        .map_err(|_| Error::new(Kind::Internal, "could not wrap a key"))?;
    let mut blob = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
    blob.push(FORMAT);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&sealed);
    Ok(blob)
}

/// Unwraps what [`wrap`] made; `None` when the key-encryption key, the binding or the bytes are
/// not the ones it was made with.
pub fn unwrap(kek: &Secret, blob: &[u8], binding: &Binding) -> Option<Secret> {
    let (format, rest) = blob.split_first()?;
    if *format != FORMAT || rest.len() != NONCE_LEN + KEY_LEN + 16 {
        return None;
    }
    let (nonce, sealed) = rest.split_at(NONCE_LEN);
    let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
    let mut opened = zeroize::Zeroizing::new(
        Aes256GcmSiv::new(kek.expose().into())
            .decrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: &binding.bytes(),
                },
            )
            .ok()?,
    );
    let bytes: &mut [u8; KEY_LEN] = opened.as_mut_slice().try_into().ok()?;
    Some(Secret::take(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> Binding {
        Binding {
            installation: [3; 16],
            name: "masking".into(),
            version: 1,
            purpose: "masking".into(),
        }
    }

    #[test]
    fn envelope_opens_what_it_wrapped() {
        let (kek, key) = (Secret::random().unwrap(), Secret::random().unwrap());
        let blob = wrap(&kek, &key, &binding()).unwrap();
        let opened = unwrap(&kek, &blob, &binding()).unwrap();
        assert_eq!(opened.expose(), key.expose());
    }

    #[test]
    fn envelope_refuses_another_row_key_or_byte() {
        let (kek, key) = (Secret::random().unwrap(), Secret::random().unwrap());
        let blob = wrap(&kek, &key, &binding()).unwrap();
        let others = [
            Binding {
                version: 2,
                ..binding()
            },
            Binding {
                name: "other".into(),
                ..binding()
            },
            Binding {
                purpose: "vault".into(),
                ..binding()
            },
            Binding {
                installation: [4; 16],
                ..binding()
            },
        ];
        for other in &others {
            assert!(unwrap(&kek, &blob, other).is_none());
            assert!(other.check(&key, &binding().mac(&key)).is_err());
        }
        assert!(unwrap(&Secret::random().unwrap(), &blob, &binding()).is_none());
        for i in 0..blob.len() {
            let mut bad = blob.clone();
            bad[i] ^= 1;
            assert!(unwrap(&kek, &bad, &binding()).is_none(), "byte {i}");
        }
        assert!(unwrap(&kek, &blob[..blob.len() - 1], &binding()).is_none());
        assert!(unwrap(&kek, &[], &binding()).is_none());
    }

    #[test]
    fn envelope_never_repeats_a_blob() {
        let (kek, key) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(
            wrap(&kek, &key, &binding()).unwrap(),
            wrap(&kek, &key, &binding()).unwrap()
        );
    }
}
