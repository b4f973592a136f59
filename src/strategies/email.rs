//! `email`: a keyed digest inside an address that can never reach anybody.
//!
//! The output is a valid address: a dot-atom (RFC 5321, 5322) at a domain reserved by RFC 2606 and
//! RFC 6761, or with `preserve_domain` at the input's own. Spellings of one address share one
//! pseudonym (trimmed, NFC, lower case); what is no address is masked like any other value.

use super::canonical;
use super::keyed::Keyed;
use super::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use super::{Kind, Properties, Seed};

/// The parameters of `email`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    preserve_domain: bool,
    hash_length: u16,
    before: String,
    after: String,
    domain: String,
}

impl Email {
    /// Parses and checks the parameters.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with the name of the parameter.
    pub fn new(params: &Params) -> Result<Self, ParamError> {
        let reader = Reader::new(Kind::Email, params)?;
        let hash_length = reader.int("hash_length", 20, 8..=64)?;
        let format = reader.text("format", FORMAT);
        let (before, after, domain) =
            split(format).map_err(|detail| reader.invalid("format", detail))?;
        let email = Self {
            preserve_domain: reader.bool("preserve_domain", false),
            hash_length,
            before: before.to_owned(),
            after: after.to_owned(),
            domain: domain.to_ascii_lowercase(),
        };
        let local = email.local_length();
        if local > LONGEST_LOCAL || local + 1 + email.domain.len() > LONGEST_ADDRESS {
            let name = if reader.is_given("format") {
                "format"
            } else {
                "hash_length"
            };
            let detail = format!(
                "The part before the \"@\" would have {local} octets, of at most {LONGEST_LOCAL}, \
                 and the address {}, of at most {LONGEST_ADDRESS}.",
                local + 1 + email.domain.len()
            );
            return Err(reader.invalid(name, detail));
        }
        Ok(email)
    }

    /// Returns every parameter with its effective value.
    pub fn effective_params(&self) -> Params {
        let format = format!("{}{HASH}{}@{}", self.before, self.after, self.domain);
        Params::from([
            ("format".to_owned(), Value::Text(format)),
            (
                "hash_length".to_owned(),
                Value::Int(i64::from(self.hash_length)),
            ),
            (
                "preserve_domain".to_owned(),
                Value::Bool(self.preserve_domain),
            ),
        ])
    }

    /// Returns what can be relied on.
    pub fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            keeps_format: true,
            keyed: true,
            folds_spellings: true,
            collision_bits: Some(4 * u32::from(self.hash_length)),
            ..Properties::NONE
        }
    }

    /// Returns the longest text output, in characters.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let local = self.local_length();
        let kept = match (self.preserve_domain, input_max_chars) {
            (false, _) => 0,
            (true, None) => LONGEST_ADDRESS,
            (true, Some(max)) => (local + max).min(LONGEST_ADDRESS),
        };
        Some(kept.max(local + 1 + self.domain.len()))
    }

    pub(super) fn mask(self, key: &[u8; 32], seed: Seed) -> Mask {
        Mask {
            keyed: Keyed::new(Kind::Email, key, seed),
            email: self,
        }
    }

    fn local_length(&self) -> usize {
        self.before.len() + usize::from(self.hash_length) + self.after.len()
    }
}

/// `email` with its key.
pub(super) struct Mask {
    email: Email,
    keyed: Keyed,
}

impl Mask {
    pub(super) fn text(&self, value: &str) -> String {
        let Email { before, after, .. } = &self.email;
        let value = canonical::text(value);
        let domain = self.kept_domain(&value).unwrap_or(&self.email.domain);
        let mut out = String::with_capacity(self.email.local_length() + 1 + domain.len());
        out.push_str(before);
        let digest = self.keyed.digest(value.as_bytes());
        digest.push_hex(self.email.hash_length, &mut out);
        out.push_str(after);
        out.push('@');
        out.push_str(domain);
        out
    }

    fn kept_domain<'a>(&self, canonical: &'a str) -> Option<&'a str> {
        if !self.email.preserve_domain {
            return None;
        }
        let (local, domain) = canonical.rsplit_once('@')?;
        let fits = self.email.local_length() + 1 + domain.len() <= LONGEST_ADDRESS;
        (fits && !local.is_empty() && is_host_name(domain)).then_some(domain)
    }
}

/// Splits a format into what stands before and after the hash, and the domain.
fn split(format: &str) -> Result<(&str, &str, &str), &'static str> {
    let (local, domain) = format.split_once('@').unwrap_or((format, DOMAIN));
    let (before, after) = local
        .split_once(HASH)
        .ok_or("It must contain {hash} once, before the \"@\".")?;
    if [before, after, domain]
        .iter()
        .any(|part| part.contains(['{', '}']))
    {
        return Err("It must contain {hash} once and no other brace.");
    }
    if !is_host_name(domain) {
        return Err("What follows the \"@\" must be a host name of two or more labels.");
    }
    if !is_reserved(domain) {
        return Err(
            "Its domain must be reserved, so that no mail can arrive: example.com, \
                    example.net or example.org, or a name below one of these or below .example, \
                    .invalid, .localhost or .test.",
        );
    }
    // Any hexadecimal digit stands for the hash.
    let is_dot_atom = format!("{before}0{after}")
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    if !is_dot_atom {
        return Err(
            "What precedes the \"@\" must be ASCII letters, digits and the characters \
                    !#$%&'*+-/=?^_`|~ with single dots between them.",
        );
    }
    Ok((before, after, domain))
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`|~".contains(&byte)
}

/// Letters, digits and hyphens in two or more labels, the last of which is no number (RFC 1123).
fn is_host_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.len() <= 253
        && domain.split('.').all(is_label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()))
}

fn is_reserved(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    RESERVED.iter().any(|reserved| {
        domain
            .strip_suffix(reserved)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "format",
        kind: ParamKind::Text,
        default: FORMAT,
        about: "The address, with {hash} for the digest; the domain must be a reserved one.",
    },
    ParamSpec {
        name: "hash_length",
        kind: ParamKind::Int,
        default: "20",
        about: "Hexadecimal digits of the digest, 8 to 64.",
    },
    ParamSpec {
        name: "preserve_domain",
        kind: ParamKind::Bool,
        default: "false",
        about: "Keeps the input's domain, which tells the organization and can reach real people.",
    },
];

const HASH: &str = "{hash}";
const FORMAT: &str = "user_{hash}@example.com";
const DOMAIN: &str = "example.com";
const LONGEST_LOCAL: usize = 64;
const LONGEST_ADDRESS: usize = 254;
const RESERVED: [&str; 7] = [
    "example.com",
    "example.net",
    "example.org",
    "example",
    "invalid",
    "localhost",
    "test",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn email(params: &[(&str, Value)]) -> Result<Email, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Email::new(&params.collect())
    }

    fn mask(params: &[(&str, Value)]) -> Mask {
        email(params).unwrap().mask(&[7; 32], Seed::new(1))
    }

    #[test]
    fn email_keeps_the_domain() {
        for format in ["user_{hash}@example.com", "u{hash}@mail.test", "{hash}"] {
            let mask = mask(&[
                ("preserve_domain", Value::Bool(true)),
                ("format", Value::from(format)),
            ]);
            let domain = |address| mask.text(address).rsplit_once('@').unwrap().1.to_owned();
            assert_eq!(domain(" Alice@Corp.CO.uk "), "corp.co.uk");
            assert_eq!(domain("a@b@c.com"), "c.com");
        }
    }

    #[test]
    fn email_keeps_no_domain_that_is_none() {
        let mask = mask(&[("preserve_domain", Value::Bool(true))]);
        let long = format!("a@{}.com", "a.".repeat(130));
        for address in [
            "",
            "a",
            "a@",
            "a@localhost",
            "@b.com",
            "a@-b.com",
            "a@b..com",
            "a@b.com.",
            "a@b c.com",
            "a@[1.2.3.4]",
            "a@1.2.3.4",
            "a@müller.de",
            "a@b_c.com",
            &long,
        ] {
            assert!(mask.text(address).ends_with("@example.com"), "{address}");
        }
    }

    #[test]
    fn email_address_stays_within_254_octets() {
        let mask = mask(&[("preserve_domain", Value::Bool(true))]);
        let domain = |length: usize| format!("{}{}", "a.".repeat(length / 2 - 1), "com");
        for (length, kept) in [(227, true), (229, false)] {
            let domain = domain(length - 1);
            assert_eq!(domain.len(), length);
            let out = mask.text(&format!("a@{domain}"));
            assert_eq!(out.ends_with(&domain), kept);
            assert!(out.len() <= 254);
        }
    }

    #[test]
    fn email_unites_spellings() {
        let mask = mask(&[]);
        assert_eq!(mask.text("zoë@x.com"), mask.text("\u{a0}ZOE\u{308}@X.com "));
        assert_eq!(mask.text("a@b.c").len(), 37);
    }

    #[test]
    fn email_refuses_a_bad_format() {
        for format in [
            "",
            "user@example.com",
            "{hash}{hash}@example.com",
            "{hash}@{hash}.test",
            "{hash.__class__}@example.com",
            "{{hash}}@example.com",
            "user@{hash}.example.com",
            "{hash}@corp.com",
            "{hash}@test.local",
            "{hash}@notexample.com",
            "{hash}@example.com.",
            "{hash}@localhost",
            "{hash}@",
            "{hash}@a@example.com",
            ".{hash}@example.com",
            "a..{hash}@example.com",
            "{hash}.@example.com",
            "ü{hash}@example.com",
            "a {hash}@example.com",
            "{hash}\n@example.com",
            "\"{hash}\"@example.com",
        ] {
            let refused = email(&[("format", Value::from(format))]).unwrap_err();
            assert_eq!(refused.param, "format", "{format}");
            assert!(refused.error.detail().is_some());
        }
    }

    #[test]
    fn email_adds_the_domain_a_format_lacks() {
        let email = email(&[("format", Value::from("{hash}"))]).unwrap();
        assert_eq!(
            email.effective_params()["format"],
            Value::from("{hash}@example.com")
        );
    }

    #[test]
    fn email_local_part_stays_within_64_octets() {
        assert!(email(&[("hash_length", Value::Int(59))]).is_ok());
        let refused = email(&[("hash_length", Value::Int(60))]).unwrap_err();
        assert_eq!(refused.param, "hash_length");
        assert!(
            email(&[
                ("hash_length", Value::Int(64)),
                ("format", Value::from("{hash}"))
            ])
            .is_ok()
        );
    }
}
