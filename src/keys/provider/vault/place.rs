//! Where a transit key is: namespace, mount and name, as set and as stored beside a wrapped key.
//!
//! What is stored can be written by others. Nothing of it comes into a URL that is not made of
//! plain segments, and the host is always the one that is set.

use crate::error::{Error, Kind, Result};

/// Mounts of Vault's own, none of which is a transit engine.
const RESERVED: [&str; 6] = ["audit", "auth", "cubbyhole", "identity", "root", "sys"];

/// The longest path accepted, in bytes.
const LONGEST: usize = 512;

/// One transit key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The namespace sent as a header, where one is set.
    pub(super) namespace: Option<String>,
    /// The mount of the transit engine.
    pub(super) mount: String,
    /// The name of the key.
    pub(super) key: String,
}

impl Place {
    /// The key as it is stored and shown: namespace, mount and name with slashes between.
    pub(super) fn reference(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}/{}", self.mount, self.key),
            None => format!("{}/{}", self.mount, self.key),
        }
    }

    /// The place of a stored reference; `None` when it does not have the form of one.
    ///
    /// Vault takes a namespace as a header or as the beginning of a path. The one that is set is
    /// split off; any other one stays in the path.
    pub(super) fn stored(reference: &str, home: &Self) -> Option<Self> {
        let (path, key) = reference.rsplit_once('/')?;
        let inside = home.namespace.as_deref().and_then(|namespace| {
            let mount = path.strip_prefix(namespace)?.strip_prefix('/')?;
            Some((namespace, mount))
        });
        let (namespace, mount) = match inside {
            Some((namespace, mount)) => (Some(namespace), mount),
            None => (None, path),
        };
        (is_mount(mount) && is_key(key)).then(|| Self {
            namespace: namespace.map(str::to_owned),
            mount: mount.to_owned(),
            key: key.to_owned(),
        })
    }
}

/// A mount as set, with or without slashes at its ends.
///
/// # Errors
/// 22023 when it is none.
pub(super) fn mount(option: &str, text: &str) -> Result<String> {
    let text = text.trim_matches('/');
    if is_mount(text) {
        return Ok(text.to_owned());
    }
    Err(unusable(
        option,
        "It is made of letters, digits, dots, hyphens, underscores and slashes, and is none of \
         Vault's own paths.",
    ))
}

/// A namespace as set, with or without slashes at its ends.
///
/// # Errors
/// 22023 when it is none.
pub(super) fn namespace(text: &str) -> Result<String> {
    let text = text.trim_matches('/');
    if is_path(text) {
        return Ok(text.to_owned());
    }
    Err(unusable(
        "namespace",
        "It is made of letters, digits, dots, hyphens, underscores and slashes.",
    ))
}

/// The name of a transit key as set.
///
/// # Errors
/// 22023 when it is none.
pub(super) fn key(text: &str) -> Result<String> {
    if is_key(text) {
        return Ok(text.to_owned());
    }
    Err(unusable(
        "key",
        "It is made of letters, digits and underscores, with dots and hyphens between them.",
    ))
}

/// The address as set: scheme, host and port.
///
/// # Errors
/// 22023 when it is none.
pub(super) fn address(text: &str) -> Result<String> {
    let text = text.trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or_default();
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._:[]".contains(&c);
    if !host.is_empty() && host.len() <= LONGEST && host.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(unusable(
        "address",
        "It has the form https://host:port, without a path and without credentials.",
    ))
}

/// The error of an option whose value cannot be used.
pub(super) fn unusable(option: &str, why: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("option \"{option}\" of setting confiture.key_vault cannot be used"),
    )
    .with_detail(why)
}

fn is_mount(text: &str) -> bool {
    is_path(text) && !text.split('/').any(|part| RESERVED.contains(&part))
}

fn is_path(text: &str) -> bool {
    text.len() <= LONGEST && text.split('/').all(is_segment)
}

fn is_segment(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(plain)
}

/// What transit's own routes accept as a name.
fn is_key(text: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let ends = text.as_bytes().first().copied().is_some_and(word)
        && text.as_bytes().last().copied().is_some_and(word);
    ends && is_segment(text) && text.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(namespace: Option<&str>) -> Place {
        Place {
            namespace: namespace.map(str::to_owned),
            mount: "transit".to_owned(),
            key: "confiture".to_owned(),
        }
    }

    #[test]
    fn vault_reads_back_every_reference_it_writes() {
        for namespace in [None, Some("team"), Some("admin/team")] {
            for mount in ["transit", "kms/transit", "a.b-c_d"] {
                let place = Place {
                    mount: mount.to_owned(),
                    ..home(namespace)
                };
                assert_eq!(Place::stored(&place.reference(), &place), Some(place));
            }
        }
        // Of another namespace, the whole path goes into the URL.
        let other = Place::stored("other/transit/k", &home(Some("team"))).unwrap();
        assert_eq!(
            (other.namespace, other.mount.as_str()),
            (None, "other/transit")
        );
        let other = Place::stored("teams/transit/k", &home(Some("team"))).unwrap();
        assert_eq!(
            (other.namespace, other.mount.as_str()),
            (None, "teams/transit")
        );
    }

    #[test]
    fn vault_refuses_references_that_are_no_plain_path() {
        let long = format!("{}/k", "m".repeat(600));
        for bad in [
            "",
            "/",
            "k",
            "transit/",
            "/k",
            "//k",
            "transit//k",
            "/transit/k",
            "transit/k/",
            "../k",
            "transit/../k",
            "transit/./k",
            "transit/..",
            "transit/-k",
            "transit/k.",
            "transit/k?x=1",
            "transit/k#x",
            "transit/k%2f",
            "transit/k\n",
            "transit/k k",
            "transit/k@host",
            "https://host/k",
            "sys/k",
            "auth/token/k",
            "cubbyhole/k",
            "team/sys/k",
            "transit/schl\u{fc}ssel",
            long.as_str(),
        ] {
            for home in [home(None), home(Some("team"))] {
                assert_eq!(Place::stored(bad, &home), None, "{bad}");
            }
        }
    }

    #[test]
    fn vault_refuses_options_without_showing_them() {
        assert_eq!(
            address("https://vault:8200/").unwrap(),
            "https://vault:8200"
        );
        assert_eq!(address("http://[::1]:8200").unwrap(), "http://[::1]:8200");
        assert_eq!(mount("mount", "/kms/transit/").unwrap(), "kms/transit");
        assert_eq!(namespace("admin/team/").unwrap(), "admin/team");
        assert_eq!(key("a.b-c_9").unwrap(), "a.b-c_9");
        let refused = [
            address("https://user:s3cret@vault"),
            address("https://vault/s3cret"),
            address("vault:8200/s3cret"),
            address("https://"),
            mount("mount", "s3cret/../x"),
            mount("auth_mount", "sys/s3cret"),
            namespace("s3cret?"),
            namespace("/"),
            key("s3cret/x"),
            key(""),
        ];
        for refused in refused {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter);
            assert!(!format!("{error:?}").contains("s3cret"));
        }
    }
}
