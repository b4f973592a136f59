//! Addresses: of a service, and of a key in a vault.
//!
//! What Azure Key Vault calls a `kid` is `https://name.vault.azure.net/keys/NAME/VERSION`
//! ("Objects, identifiers, and versioning" of its documentation). Parts of it come back from the
//! table of keys and become parts of a URL again, so that nothing passes here that does not have
//! exactly this form.

use std::fmt;

/// Length of the name of a version, which the vault chooses.
const VERSION_LEN: usize = 32;
/// The longest name of a key.
const LONGEST_NAME: usize = 127;

/// Scheme, host and port, in one spelling: lower case, no slash at the end, no usual port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin(String);

impl Origin {
    /// Reads `https://host[:port]`, with or without a slash at the end; `http` is left to the
    /// client to refuse. No path, no user, no query.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, usual_port, rest) = match text.split_once("://")? {
            ("https", rest) => ("https", "443", rest),
            ("http", rest) => ("http", "80", rest),
            _ => return None,
        };
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        };
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        if !host.split('.').all(label) {
            return None;
        }
        match port.filter(|port| *port != usual_port) {
            None => Some(Self(format!("{scheme}://{host}"))),
            Some(port) => {
                let digits = port.bytes().all(|c| c.is_ascii_digit());
                let number = port.parse::<u16>().ok().filter(|_| digits)?;
                Some(Self(format!("{scheme}://{host}:{number}")))
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key in a vault, or one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyId {
    /// The vault.
    pub vault: Origin,
    /// The key's name.
    pub name: String,
    /// The version, where there is one.
    pub version: Option<String>,
}

impl KeyId {
    /// Reads `https://host/keys/NAME` or `https://host/keys/NAME/VERSION`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (vault, path) = text.split_once("/keys/")?;
        let (name, version) = match path.split_once('/') {
            Some((name, version)) => (name, Some(version)),
            None => (path, None),
        };
        if vault.ends_with('/') || !is_name(name) || !version.is_none_or(is_version) {
            return None;
        }
        Some(Self {
            vault: Origin::parse(vault)?,
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

/// Whether a text can be the name of a key: letters, digits and hyphens.
pub(super) fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

/// Whether a text can be the name of a version: letters and digits.
pub(super) fn is_version(text: &str) -> bool {
    text.len() == VERSION_LEN && text.bytes().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_spelling() {
        for (text, origin) in [
            (
                "https://name.vault.azure.net",
                "https://name.vault.azure.net",
            ),
            (
                "HTTPS://Name.Vault.Azure.Net/",
                "https://name.vault.azure.net",
            ),
            (
                "https://name.vault.azure.net:443",
                "https://name.vault.azure.net",
            ),
            ("https://localhost:08443/", "https://localhost:8443"),
            ("http://169.254.169.254:80", "http://169.254.169.254"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin, "{text}");
        }
    }

    #[test]
    fn origins_are_nothing_but_scheme_host_and_port() {
        for text in [
            "",
            "name.vault.azure.net",
            "ftp://name",
            "https://",
            "https:///",
            "https://a//",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://a@b",
            "https://a:b@c",
            "https://a:",
            "https://a:+1",
            "https://a:70000",
            "https://a..b",
            "https://a.",
            "https://a b",
            "https://a\n",
            "https://a%2eb",
            "https://ä",
            "https://a\\b",
            "https://a://b",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn key_ids_have_exactly_their_form() {
        let version = "0123456789abcdef0123456789ABCDEF";
        let id = KeyId::parse(&format!("https://n.vault.azure.net/keys/my-KEY/{version}")).unwrap();
        assert_eq!(id.vault.to_string(), "https://n.vault.azure.net");
        assert_eq!(id.name, "my-KEY");
        assert_eq!(id.version.as_deref(), Some(version));
        assert_eq!(KeyId::parse("https://n/keys/k").unwrap().version, None);
        let long = "k".repeat(LONGEST_NAME + 1);
        for text in [
            "".to_owned(),
            "https://n".to_owned(),
            "https://n/keys/".to_owned(),
            "https://n//keys/k".to_owned(),
            "https://n/keys/k/".to_owned(),
            "https://n/keys/../k".to_owned(),
            "https://n/secrets/k".to_owned(),
            "https://n/keys/k?x".to_owned(),
            "https://n/keys/k/wrapkey".to_owned(),
            format!("https://n/keys/{long}"),
            format!("https://n/keys/k/{version}/"),
            format!("https://n/keys/k/{version}0"),
            format!("https://n/keys/k/{}", "-".repeat(VERSION_LEN)),
            format!("https://n/x/keys/k/{version}"),
            format!("https://n/keys/k/keys/{version}"),
        ] {
            assert_eq!(KeyId::parse(&text), None, "{text}");
        }
    }
}
