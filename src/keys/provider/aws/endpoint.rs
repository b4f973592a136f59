//! Where a service is: made of the setting and of nothing else.

use super::{NAME, malformed};
use crate::error::Result;

/// The root of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `https://HOST/`.
    pub(super) url: String,
    /// What the header `host` says and the signature covers.
    pub(super) host: String,
}

impl Endpoint {
    /// The public endpoint of a service in a region of which [`is_region`] holds. Regions of the
    /// isolated partitions and of the European Sovereign Cloud lie elsewhere: they need an option.
    pub(super) fn of_region(service: &str, region: &str) -> Self {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        let host = format!("{service}.{region}.amazonaws.com{end}");
        Self {
            url: format!("https://{host}/"),
            host,
        }
    }

    /// Reads an option: scheme, host and perhaps a port.
    ///
    /// # Errors
    /// 22023 for anything else.
    pub(super) fn parse(what: &str, text: &str) -> Result<Self> {
        authority(text).ok_or_else(|| {
            malformed(format!(
                "{what} of key provider \"{NAME}\" must be https:// with a host and perhaps a port."
            ))
        })
    }
}

fn authority(text: &str) -> Option<Endpoint> {
    let text = text.to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let default = match scheme {
        "https" => "443",
        // Accepted for this machine only, by the client.
        "http" => "80",
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (name, port) = match rest.strip_prefix('[') {
        Some(inside) => {
            let (address, port) = inside.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (&rest[..address.len() + 2], port)
        }
        None => {
            let (name, port) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
            let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'.';
            if name.is_empty() || !name.bytes().all(fits) {
                return None;
            }
            (name, port)
        }
    };
    let host = match port.strip_prefix(':') {
        Some(port) if port == default => name.to_owned(),
        Some(port) => {
            let number: u16 = port.parse().ok()?;
            if number == 0 || port != number.to_string() {
                return None;
            }
            format!("{name}:{port}")
        }
        None if port.is_empty() => name.to_owned(),
        None => return None,
    };
    Some(Endpoint {
        url: format!("{scheme}://{host}/"),
        host,
    })
}

/// Whether a text has the form of a region: `eu-west-1`, `us-gov-east-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut words = text.split('-');
    let fits = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase());
    let number = words.next_back().unwrap_or_default();
    text.len() <= 32
        && (1..=2).contains(&number.len())
        && number.bytes().all(|c| c.is_ascii_digit())
        && words.clone().count() >= 2
        && words.all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn endpoints_keep_what_is_signed_and_sent_equal() {
        for (text, url, host) in [
            (
                "https://KMS.example.com",
                "https://kms.example.com/",
                "kms.example.com",
            ),
            ("https://a.b:443/", "https://a.b/", "a.b"),
            ("http://127.0.0.1:80", "http://127.0.0.1/", "127.0.0.1"),
            (
                "http://127.0.0.1:5566",
                "http://127.0.0.1:5566/",
                "127.0.0.1:5566",
            ),
            ("https://[::1]:8443/", "https://[::1]:8443/", "[::1]:8443"),
            ("https://[::1]", "https://[::1]/", "[::1]"),
        ] {
            let found = Endpoint::parse("endpoint", text).unwrap();
            assert_eq!((found.url.as_str(), found.host.as_str()), (url, host));
        }
        assert_eq!(
            Endpoint::of_region("kms", "cn-north-1").url,
            "https://kms.cn-north-1.amazonaws.com.cn/"
        );
        assert_eq!(
            Endpoint::of_region("sts", "eu-west-1").host,
            "sts.eu-west-1.amazonaws.com"
        );
    }

    #[test]
    fn endpoints_with_anything_more_are_refused() {
        for text in [
            "",
            "https://",
            "https:///",
            "kms.example.com",
            "ftp://a.b",
            "https://a.b/path",
            "https://user@a.b",
            "https://a.b?x",
            "https://a.b#x",
            "https://a.b:",
            "https://a.b:0",
            "https://a.b:70000",
            "https://a.b:08",
            "https://a b",
            "https://[::1",
            "https://[x]",
            "https://[::1]x",
            "https://a.b//",
            "https://é.b",
            "https://a.b:+1",
            "https://a:1:2",
        ] {
            let error = Endpoint::parse("endpoint", text).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter, "{text}");
        }
    }

    #[test]
    fn regions_have_their_form() {
        for good in [
            "eu-west-1",
            "us-gov-east-1",
            "ap-southeast-12",
            "cn-north-1",
        ] {
            assert!(is_region(good), "{good}");
        }
        for bad in [
            "",
            "-",
            "eu",
            "eu-1",
            "eu-west",
            "eu-west-",
            "eu-west-123",
            "EU-west-1",
            "eu--west-1",
            "eu-west-1.evil.example",
            "eu-west-1/",
            "@x-y-1",
            "eu_west_1",
            "eu-west-1\n",
            "aaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaaaaa-1",
        ] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
