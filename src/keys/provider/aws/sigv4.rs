//! AWS Signature Version 4, as far as a request to the root of a service needs it: no query, a body
//! that is known, values of headers without white space at their ends.
//!
//! From "Signature Version 4 signing process" of the AWS General Reference. The tests take the
//! vectors of Amazon's own test suite and those that botocore computed (tests/vectors/sigv4.py).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::credentials::Credentials;

/// What is signed.
pub(super) struct Signable<'a> {
    /// As sent.
    pub(super) method: &'a str,
    /// Region of the scope.
    pub(super) region: &'a str,
    /// Service of the scope.
    pub(super) service: &'a str,
    /// The time, as the header `x-amz-date` has it.
    pub(super) stamp: &'a str,
    /// Names in lower case, in any order; `host` and `x-amz-date` must be among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// As sent.
    pub(super) body: &'a [u8],
}

/// The value of the header `authorization`.
pub(super) fn authorization(credentials: &Credentials, signable: &Signable<'_>) -> String {
    let mut headers = signable.headers.to_vec();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");

    let mut hash = Sha256::new();
    hash.update(format!("{}\n/\n\n", signable.method));
    for (name, value) in headers {
        // Not put together first: one of the values is the session token.
        for part in [name, ":", value, "\n"] {
            hash.update(part);
        }
    }
    let body = hex::encode(Sha256::digest(signable.body));
    hash.update(format!("\n{names}\n{body}"));
    let canonical = hex::encode(hash.finalize());

    let stamp = signable.stamp;
    let day = stamp.get(..8).unwrap_or(stamp);
    let scope = format!(
        "{day}/{}/{}/aws4_request",
        signable.region, signable.service
    );
    let secret = Zeroizing::new([b"AWS4", credentials.secret.as_bytes()].concat());
    let mut key = mac(&secret, day.as_bytes());
    for part in [signable.region, signable.service, "aws4_request"] {
        key = mac(&*key, part.as_bytes());
    }
    let signature = mac(
        &*key,
        format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}").as_bytes(),
    );
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
        credentials.id.as_str(),
        hex::encode(*signature)
    )
}

fn mac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signatures_equal_those_of_a_second_implementation() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/sigv4.json")).unwrap();
        let vectors = vectors.as_array().unwrap();
        let published = |vector: &&Value| {
            let name = vector["name"].as_str().unwrap();
            name.starts_with("published: ")
        };
        assert!(vectors.len() >= 11 && vectors.iter().filter(published).count() >= 6);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let credentials = Credentials::new(
                "a test",
                text("id"),
                text("secret"),
                vector["token"].as_str(),
                None,
            )
            .unwrap();
            let mut headers = vec![("x-amz-date", text("stamp")), ("host", text("host"))];
            headers.extend(
                vector["token"]
                    .as_str()
                    .map(|t| ("x-amz-security-token", t)),
            );
            let others = vector["headers"].as_object().unwrap();
            headers.extend(
                others
                    .iter()
                    .map(|(k, v)| (k.as_str(), v.as_str().unwrap())),
            );
            let signed = authorization(
                &credentials,
                &Signable {
                    method: text("method"),
                    region: text("region"),
                    service: text("service"),
                    stamp: text("stamp"),
                    headers: &headers,
                    body: text("body").as_bytes(),
                },
            );
            assert_eq!(signed, text("authorization"), "{}", text("name"));
        }
    }
}
