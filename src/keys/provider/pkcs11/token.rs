//! The token: finding it, signing in, and the calls that are needed of it.

use std::time::Duration;

use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error as Failure, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{AuthPin, Ulong};
use zeroize::Zeroizing;

use super::{IV_LEN, NAME, TAG_LEN, fault, module};
use crate::error::{Error, Kind, Result};
use crate::keys::{KEY_LEN, Secret};

/// How long to wait, in milliseconds, before signing in again where it failed for the moment.
const PAUSES: [u32; 4] = [5, 20, 50, 100];

/// Why signing in came to nothing.
enum Stop {
    /// It may go well in a moment.
    Passing(Error),
    Final(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// One version of a key-encryption key.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// Its CKA_ID, never empty.
    pub(super) id: Vec<u8>,
    handle: ObjectHandle,
}

/// The version with the highest number.
pub(super) fn newest(versions: Vec<Version>) -> Option<Version> {
    versions
        .into_iter()
        .max_by(|a, b| (number(&a.id), &a.id).cmp(&(number(&b.id), &b.id)))
}

/// A big-endian number of any length, in a form that compares.
fn number(id: &[u8]) -> (usize, &[u8]) {
    let zeros = id.iter().take_while(|byte| **byte == 0).count();
    (id.len() - zeros, &id[zeros..])
}

/// The next number, in as few bytes as it needs.
pub(super) fn successor(id: &[u8]) -> Vec<u8> {
    let mut next = number(id).1.to_vec();
    for byte in next.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            return next;
        }
    }
    next.insert(0, 1);
    next
}

/// A session that may use private objects. Dropping it signs out, if it was this one that signed
/// in, and closes it.
pub(super) struct SignedIn {
    session: Session,
    module: Pkcs11,
    slot: Slot,
    token: String,
    signed_in_here: bool,
}

impl Drop for SignedIn {
    fn drop(&mut self) {
        if self.signed_in_here {
            // Closing the session does it too, where it is the last one of this process.
            let _ = self.session.logout();
        }
    }
}

impl SignedIn {
    /// Finds the token, opens a session and signs in; a process that is signed in stays so.
    pub(super) fn open(path: &str, token: &str, pin: &str, write: bool) -> Result<Self> {
        // Tokens that are files, as those of SoftHSM, cannot be read while another process notes
        // its own login down, and a module that was initialized just then never finds out.
        for pause in PAUSES {
            match Self::attempt(path, token, pin, write) {
                Err(Stop::Passing(_)) => {
                    // Not all at the same time.
                    let odd = std::process::id() % pause;
                    std::thread::sleep(Duration::from_millis(u64::from(pause + odd)));
                    if pause > PAUSES[0] {
                        module::restart(path);
                    }
                }
                Err(Stop::Final(error)) => return Err(error),
                Ok(open) => return Ok(open),
            }
        }
        Self::attempt(path, token, pin, write).map_err(|stop| match stop {
            Stop::Passing(error) | Stop::Final(error) => error,
        })
    }

    fn attempt(path: &str, token: &str, pin: &str, write: bool) -> Result<Self, Stop> {
        let stop = |failure: Failure| {
            let error = fault::explain(&failure, token);
            match failure {
                Failure::Pkcs11(
                    RvError::GeneralError | RvError::UserPinNotInitialized,
                    Function::Login,
                ) => Stop::Passing(error),
                // A device that fails may have counted the PIN as a wrong one.
                Failure::Pkcs11(_, Function::Login) => Stop::Final(error),
                Failure::Pkcs11(
                    RvError::GeneralError
                    | RvError::DeviceError
                    | RvError::DeviceRemoved
                    | RvError::TokenNotPresent,
                    _,
                ) => Stop::Passing(error),
                _ => Stop::Final(error),
            }
        };
        let module = module::open(path)?;
        let (module, slots) = match module.get_slots_with_token() {
            Err(Failure::Pkcs11(RvError::CryptokiNotInitialized, _)) => {
                module::forget(path);
                let module = module::open(path)?;
                let slots = module.get_slots_with_token();
                (module, slots)
            }
            slots => (module, slots),
        };
        let slot = find(&module, &slots.map_err(stop)?, token)?;
        let session = if write {
            module.open_rw_session(slot)
        } else {
            module.open_ro_session(slot)
        };
        let mut open = Self {
            session: session.map_err(stop)?,
            module,
            slot,
            token: token.to_owned(),
            signed_in_here: false,
        };
        let state = open.module.get_token_info(slot).map_err(stop)?;
        if state.user_pin_locked() {
            return Err(fault::locked_pin(token).into());
        }
        if state.user_pin_final_try() {
            return Err(fault::last_try(token).into());
        }
        // Made of the text's own length: growing would leave a copy behind.
        let pin = AuthPin::new(Box::from(pin));
        match open.session.login(UserType::User, Some(&pin)) {
            Ok(()) => open.signed_in_here = true,
            Err(Failure::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(failure) => return Err(stop(failure)),
        }
        Ok(open)
    }

    /// The AES keys of a label that have a CKA_ID, or those of one CKA_ID.
    pub(super) fn versions(&self, label: &str, id: Option<&[u8]>) -> Result<Vec<Version>> {
        let mut wanted = vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        wanted.extend(id.map(|id| Attribute::Id(id.to_vec())));
        let found = self.session.find_objects(&wanted);
        let mut versions = Vec::new();
        for handle in found.map_err(|failure| self.explain(&failure))? {
            for attribute in self.attributes(handle, &[AttributeType::Id])? {
                if let Attribute::Id(id) = attribute
                    && !id.is_empty()
                {
                    versions.push(Version { id, handle });
                }
            }
        }
        Ok(versions)
    }

    /// What keeps a version from wrapping, if anything does.
    pub(super) fn objection(&self, version: &Version) -> Result<Option<&'static str>> {
        let attributes = self.attributes(
            version.handle,
            &[
                AttributeType::ValueLen,
                AttributeType::Sensitive,
                AttributeType::Extractable,
                AttributeType::Encrypt,
                AttributeType::Decrypt,
            ],
        )?;
        let has = |wanted: Attribute| attributes.contains(&wanted);
        let long = attributes.iter().any(|attribute| match attribute {
            Attribute::ValueLen(length) => usize::from(*length) != KEY_LEN,
            _ => false,
        });
        Ok(if long {
            Some("It is no AES key of 256 bits.")
        } else if !has(Attribute::Sensitive(true)) || !has(Attribute::Extractable(false)) {
            Some("Its bytes could leave the token: it must be sensitive and not extractable.")
        } else if !has(Attribute::Encrypt(true)) || !has(Attribute::Decrypt(true)) {
            Some("It may not both encrypt and decrypt.")
        } else {
            None
        })
    }

    /// Makes a key that never leaves the token.
    pub(super) fn generate(&self, label: &str, id: &[u8]) -> Result<()> {
        let length = Ulong::try_from(KEY_LEN).map_err(|failure| self.explain(&failure))?;
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.to_vec()),
            Attribute::ValueLen(length),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            // A key that decrypts and wraps would give other keys away.
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::Derive(false),
            Attribute::Sign(false),
            Attribute::Verify(false),
        ];
        let made = self.session.generate_key(&Mechanism::AesKeyGen, &template);
        made.map(drop).map_err(|failure| self.explain(&failure))
    }

    /// Seals a data key. A token that insists on an IV of its own leaves it in `iv`.
    pub(super) fn seal(
        &self,
        version: &Version,
        iv: &mut [u8; IV_LEN],
        additional: &[u8],
        data_key: &Secret,
    ) -> Result<Vec<u8>> {
        let sealed = encrypt(&self.session, version.handle, iv, additional, data_key)
            .map_err(|failure| self.explain(&failure))?;
        if sealed.len() != KEY_LEN + TAG_LEN {
            return Err(self.odd_length());
        }
        Ok(sealed)
    }

    /// Opens sealed bytes; `None` when they do not belong to this key and these additional bytes.
    pub(super) fn open_sealed(
        &self,
        version: &Version,
        iv: [u8; IV_LEN],
        additional: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Secret>> {
        match decrypt(&self.session, version.handle, iv, additional, sealed) {
            Ok(mut opened) => match <&mut [u8; KEY_LEN]>::try_from(opened.as_mut_slice()) {
                Ok(bytes) => Ok(Some(Secret::take(bytes))),
                Err(_) => Err(self.odd_length()),
            },
            Err(failure) if self.means_forgery(version, &failure)? => Ok(None),
            Err(failure) => Err(self.explain(&failure)),
        }
    }

    /// Whether a failed decryption is due to the bytes. Many modules have no code for it that is
    /// not one for broken devices too; then a device that opens what it seals is not broken.
    fn means_forgery(&self, version: &Version, failure: &Failure) -> Result<bool> {
        let Failure::Pkcs11(code, Function::Decrypt) = failure else {
            return Ok(false);
        };
        Ok(match code {
            RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::SignatureInvalid => true,
            RvError::GeneralError
            | RvError::FunctionFailed
            | RvError::DataInvalid
            | RvError::DataLenRange
            | RvError::ArgumentsBad
            | RvError::DeviceError
            | RvError::UnknownErrorCode(_)
            | RvError::VendorDefined(_) => self.works(version)?,
            _ => false,
        })
    }

    /// Whether a version opens what it seals, in a session of its own.
    fn works(&self, version: &Version) -> Result<bool> {
        let secret = Secret::random()?;
        let Ok(session) = self.module.open_ro_session(self.slot) else {
            return Ok(false);
        };
        let mut iv = random_iv()?;
        let opened = encrypt(&session, version.handle, &mut iv, NAME.as_bytes(), &secret)
            .and_then(|sealed| decrypt(&session, version.handle, iv, NAME.as_bytes(), &sealed));
        Ok(opened.is_ok_and(|opened| opened.as_slice() == secret.expose()))
    }

    fn attributes(&self, handle: ObjectHandle, wanted: &[AttributeType]) -> Result<Vec<Attribute>> {
        self.session
            .get_attributes(handle, wanted)
            .map_err(|failure| self.explain(&failure))
    }

    fn odd_length(&self) -> Error {
        fault::nonsense(
            &self.token,
            "What it encrypted or decrypted has an odd length.",
        )
    }

    fn explain(&self, failure: &Failure) -> Error {
        fault::explain(failure, &self.token)
    }
}

/// The slot of the only token of a label.
fn find(module: &Pkcs11, slots: &[Slot], token: &str) -> Result<Slot, Stop> {
    // A reader that is out of order must not hide the others.
    let mut found = slots.iter().copied().filter(|slot| {
        module
            .get_token_info(*slot)
            .is_ok_and(|state| state.token_initialized() && state.label() == token)
    });
    match (found.next(), found.next()) {
        (Some(slot), None) => Ok(slot),
        (None, _) => Err(Stop::Passing(fault::no_token(
            token,
            "The module shows no token of that label to the server.",
        ))),
        (Some(_), Some(_)) => Err(Stop::Final(fault::no_token(
            token,
            "The module shows more than one token of that label.",
        ))),
    }
}

/// An IV for one call: at 96 random bits, 2^32 calls are safe with one key (NIST SP 800-38D, §8.3).
pub(super) fn random_iv() -> Result<[u8; IV_LEN]> {
    let mut iv = [0; IV_LEN];
    getrandom::fill(&mut iv)
        .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes for a nonce"))?;
    Ok(iv)
}

fn gcm<'a>(iv: &'a mut [u8], additional: &'a [u8]) -> Result<Mechanism<'a>, Failure> {
    let tag = Ulong::try_from(8 * TAG_LEN)?;
    Ok(Mechanism::AesGcm(GcmParams::new(iv, additional, tag)?))
}

fn encrypt(
    session: &Session,
    key: ObjectHandle,
    iv: &mut [u8; IV_LEN],
    additional: &[u8],
    data_key: &Secret,
) -> Result<Vec<u8>, Failure> {
    session.encrypt(&gcm(iv, additional)?, key, data_key.expose())
}

fn decrypt(
    session: &Session,
    key: ObjectHandle,
    mut iv: [u8; IV_LEN],
    additional: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    session
        .decrypt(&gcm(&mut iv, additional)?, key, sealed)
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_counts_versions_as_big_endian_numbers() {
        let mut id = Vec::new();
        for number in 1u32..70_000 {
            id = successor(&id);
            let expected = number.to_be_bytes();
            let zeros = expected.iter().take_while(|byte| **byte == 0).count();
            assert_eq!(id, &expected[zeros..]);
        }
        assert_eq!(successor(&[0, 0, 255]), [1, 0]);
        assert_eq!(successor(&[255; 20]).len(), 21);
        let mut ids = [&[2][..], &[0, 0, 3], &[1, 0], &[255]];
        ids.sort_by_key(|id| number(id));
        assert_eq!(ids, [&[2][..], &[0, 0, 3], &[255], &[1, 0]]);
    }
}
