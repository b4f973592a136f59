//! The text of a provider's setting: `name=value` words as in a connection string of libpq.
//!
//! A value with spaces stands in single quotes; a backslash takes the next character as it is.
//! Settings can be read by monitoring accounts, so that a secret is named by the file it is in, and
//! an option that would hold one does not exist. No error shows a value.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::http::client::Route;
use crate::error::{Error, Kind, Result};

/// Options of every provider that is reached by HTTP.
pub const OF_HTTP: [&str; 3] = ["ca_file", "hostaddr", "proxy"];

/// The options of one provider.
#[derive(Clone, Debug)]
pub struct Options {
    provider: &'static str,
    values: BTreeMap<String, String>,
}

impl Options {
    /// Reads a setting.
    ///
    /// # Errors
    /// 55000 when it is empty; 22023 for an option that is not among the known ones, twice there,
    /// or without a value.
    pub fn parse(provider: &'static str, text: &str, known: &[&[&str]]) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(not_set(provider)
                .with_detail(format!("The setting confiture.key_{provider} is empty.")));
        }
        let mut values = BTreeMap::new();
        for (name, value) in words(text).ok_or_else(|| malformed(provider))? {
            if !known.iter().any(|names| names.contains(&name.as_str())) {
                let mut names: Vec<&str> = known.concat();
                names.sort_unstable();
                // A word that is no option may be a value that lost its quotes.
                return Err(malformed(provider)
                    .with_detail("It holds an option that does not exist.")
                    .with_hint(format!("Available options are {}.", names.join(", "))));
            }
            if value.is_empty() {
                return Err(malformed(provider).with_detail(format!("Option \"{name}\" is empty.")));
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(
                    malformed(provider).with_detail(format!("Option \"{name}\" is there twice."))
                );
            }
        }
        Ok(Self { provider, values })
    }

    /// The value of an option, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of an option, or another one where it is not there.
    pub fn get_or<'a>(&'a self, name: &str, or: &'a str) -> &'a str {
        self.get(name).unwrap_or(or)
    }

    /// The value of an option that must be there.
    ///
    /// # Errors
    /// 55000 when it is not.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            not_set(self.provider).with_detail(format!(
                "The setting confiture.key_{} has no option \"{name}\".",
                self.provider
            ))
        })
    }

    /// One of several words; the first is the default.
    ///
    /// # Errors
    /// 22023 for another word.
    pub fn choice<'a>(&self, name: &str, words: &[&'a str]) -> Result<&'a str> {
        let given = self.get_or(name, words[0]);
        words
            .iter()
            .copied()
            .find(|word| *word == given)
            .ok_or_else(|| {
                malformed(self.provider)
                    .with_detail(format!("Option \"{name}\" has a value that is not known."))
                    .with_hint(format!("Available values are {}.", words.join(", ")))
            })
    }

    /// The route that the options of [`OF_HTTP`] describe.
    ///
    /// # Errors
    /// 22023 when `hostaddr` is no address.
    pub fn route(&self) -> Result<Route> {
        let hostaddr = match self.get("hostaddr") {
            Some(text) => Some(text.parse::<IpAddr>().map_err(|_| {
                malformed(self.provider).with_detail("Option \"hostaddr\" is no IP address.")
            })?),
            None => None,
        };
        Ok(Route {
            provider: self.provider,
            ca_file: self.get("ca_file").map(str::to_owned),
            hostaddr,
            proxy: self.get("proxy").map(str::to_owned),
        })
    }
}

fn not_set(provider: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key provider \"{provider}\" is not set up"),
    )
    .with_hint(format!(
        "Have a superuser set confiture.key_{provider} and reload; see the page on keys."
    ))
}

fn malformed(provider: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("setting confiture.key_{provider} is not a list of name=value"),
    )
}

/// The words of a text; `None` when it is no list of `name=value`.
fn words(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text.chars().peekable();
    let mut found = Vec::new();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Some(found);
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| c.is_ascii_lowercase() || "_0123456789".contains(*c)) {
            name.push(c);
        }
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        rest.next_if_eq(&'=')?;
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = rest.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match rest.next() {
                Some('\'') if quoted => break,
                Some('\\') => value.push(rest.next()?),
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => return None,
                None => break,
            }
        }
        found.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse("vault", text, &[&["address", "key", "auth"], &OF_HTTP])
    }

    #[test]
    fn options_read_words_as_libpq_does() {
        let options = parse("address=https://x:8200  key = 'my key' auth=a\\ b").unwrap();
        assert_eq!(options.get("address"), Some("https://x:8200"));
        assert_eq!(options.get("key"), Some("my key"));
        assert_eq!(options.get("auth"), Some("a b"));
        assert_eq!(options.get("proxy"), None);
        assert_eq!(
            parse("key='it''s'").unwrap_err().kind(),
            Kind::InvalidParameter
        );
        assert_eq!(parse("key='it\\'s'").unwrap().get("key"), Some("it's"));
    }

    #[test]
    fn options_refuse_without_showing_a_value() {
        assert_eq!(parse("  ").unwrap_err().kind(), Kind::NotReady);
        for text in [
            "address",
            "=x",
            "key='S3CRET",
            "S3CRET=1",
            "s3cret=1",
            "token=S3CRET",
            "key=S3CRET key=S3CRET",
            "key=''",
            "hostaddr=S3CRET",
        ] {
            let refused = parse(text).and_then(|options| options.route().map(drop));
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter, "{text}");
            assert!(
                !format!("{error:?}").to_lowercase().contains("s3cret"),
                "{text}"
            );
        }
        let options = parse("auth=S3CRET").unwrap();
        let error = options.choice("auth", &["token", "approle"]).unwrap_err();
        assert!(!format!("{error:?}").contains("S3CRET"));
        assert_eq!(
            parse("key=x").unwrap().choice("auth", &["token"]).unwrap(),
            "token"
        );
    }
}
