//! The env provider: 64 hexadecimal digits in the server's environment, as containers get secrets.
//!
//! `CONFITURE_KEK` wraps; `CONFITURE_KEK_PREVIOUS`, a comma-separated list, only unwraps. The
//! server reads its environment at start. Who may run programs as the server (a superuser) can see
//! it, and PostgreSQL itself logs it at `log_min_messages = debug3`.

use zeroize::Zeroizing;

use super::local::LocalKek;
use super::{Kek, Provider, Wrapped};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret, is_degenerate};

/// The provider's name in the catalog.
pub const NAME: &str = "env";

/// The variable of the key that wraps.
pub const VARIABLE: &str = "CONFITURE_KEK";
/// The variable of the keys that are kept for unwrapping.
pub const PREVIOUS: &str = "CONFITURE_KEK_PREVIOUS";

/// The key-encryption keys of the environment.
pub struct EnvProvider {
    current: LocalKek,
    previous: Vec<LocalKek>,
}

impl EnvProvider {
    /// Reads the keys; `variable` returns the value of a variable of the server's environment.
    ///
    /// # Errors
    /// 55000 when the variable is not set or holds no key, never with a digit of it.
    pub fn open(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let value = variable(VARIABLE).map(Zeroizing::new).ok_or_else(|| {
            Error::new(Kind::NotReady, "key provider \"env\" is not set up")
                .with_detail(format!(
                    "The server has no environment variable {VARIABLE}."
                ))
                .with_hint(
                    "Set it to 64 random hexadecimal digits (openssl rand -hex 32) where the \
                     server is started, and restart the server.",
                )
        })?;
        let previous = variable(PREVIOUS).map(Zeroizing::new).unwrap_or_default();
        Ok(Self {
            current: parse(VARIABLE, &value)?,
            previous: previous
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(|part| parse(PREVIOUS, part))
                .collect::<Result<_>>()?,
        })
    }
}

impl Provider for EnvProvider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        self.current.wrap(NAME, data_key, binding)
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|kek| kek.fingerprint() == wrapped.kek_ref)
            .ok_or_else(|| {
                Error::new(
                    Kind::NotReady,
                    "the key in the server's environment is not the one that wrapped the keys of \
                     this database",
                )
                .with_detail(format!(
                    "Version {} of key \"{}\" was wrapped by key {}, {VARIABLE} holds key {}.",
                    binding.version,
                    binding.name,
                    wrapped.kek_ref,
                    self.current.fingerprint()
                ))
                .with_hint(format!(
                    "Put the former key into {PREVIOUS} and restart the server."
                ))
            })?
            .unwrap(wrapped, binding)
    }

    fn knows(&self, kek_ref: &str) -> Result<()> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|kek| kek.fingerprint() == kek_ref)
            .map(drop)
            .ok_or_else(|| {
                Error::new(
                    Kind::NotReady,
                    format!("no key in the server's environment is key {kek_ref}"),
                )
            })
    }

    fn rotate_kek(&self) -> Result<Kek> {
        Err(Error::new(
            Kind::Unsupported,
            "a server cannot change its own environment",
        )
        .with_hint(format!(
            "Move the value of {VARIABLE} to {PREVIOUS}, set {VARIABLE} to new digits and restart \
             the server; then CALL confiture.rewrap_keys('env')."
        )))
    }
}

fn parse(variable: &str, text: &str) -> Result<LocalKek> {
    let unusable = |why: &str| {
        Error::new(
            Kind::NotReady,
            format!("environment variable {variable} of the server holds no key"),
        )
        .with_detail(why)
    };
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    hex::decode_to_slice(text.trim(), &mut *bytes)
        .map_err(|_| unusable("It must hold exactly 64 hexadecimal digits."))?;
    if is_degenerate(&bytes) {
        return Err(unusable("Its bytes are all equal, which is no key."));
    }
    Ok(LocalKek::new(Secret::take(&mut bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const B: &str = "101112131415161718191a1b1c1d1e1f000102030405060708090a0b0c0d0e0f";

    fn open(current: Option<&str>, previous: Option<&str>) -> Result<EnvProvider> {
        EnvProvider::open(&|name| {
            match name {
                VARIABLE => current,
                PREVIOUS => previous,
                _ => None,
            }
            .map(str::to_owned)
        })
    }

    fn binding() -> Binding {
        Binding {
            installation: [1; 16],
            name: "masking".into(),
            version: 1,
            purpose: "masking".into(),
        }
    }

    #[test]
    fn env_unwraps_with_former_keys_and_wraps_with_the_current_one() {
        let key = Secret::random().unwrap();
        let before = open(Some(A), None).unwrap();
        let wrapped = before.wrap(&key, &binding()).unwrap();
        assert_eq!(
            open(Some(B), None)
                .unwrap()
                .unwrap(&wrapped, &binding())
                .err()
                .unwrap()
                .kind(),
            Kind::NotReady
        );
        let after = open(Some(B), Some(&format!("{A}, "))).unwrap();
        let moved = after.rewrap(&wrapped, &binding()).unwrap();
        assert_ne!(moved.kek_ref, wrapped.kek_ref);
        let opened = open(Some(B), None).unwrap().unwrap(&moved, &binding());
        assert_eq!(opened.unwrap().expose(), key.expose());
        assert_eq!(after.rotate_kek().unwrap_err().kind(), Kind::Unsupported);
        after.health().unwrap();
    }

    #[test]
    fn env_refuses_what_is_no_key_and_shows_no_digit() {
        let equal = "07".repeat(32);
        for bad in ["", "beef", &A[1..], &equal, "not hexadecimal"] {
            for (current, previous) in [(Some(bad), None), (Some(A), Some(bad))] {
                if bad.is_empty() && previous.is_some() {
                    continue;
                }
                let error = open(current, previous).err().unwrap();
                assert_eq!(error.kind(), Kind::NotReady);
                assert!(bad.is_empty() || !format!("{error:?}").contains(bad));
            }
        }
        assert!(open(None, Some(A)).is_err());
    }
}
