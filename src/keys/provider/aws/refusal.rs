//! What a refusal of AWS means. Of its text only a code that is listed here is ever used.

use serde::Deserialize;

use super::NAME;
use crate::error::{Error, Kind};
use crate::keys::provider::http::Response;

/// What is behind a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The ciphertext is not for this key and this row.
    Altered,
    /// Called too often.
    Busy,
    /// Out of order.
    Broken,
    /// Another one is doing the same.
    Conflict,
    /// Who we are was not accepted.
    Credentials,
    /// The request has a form that it does not take.
    Form,
    /// There is no such key.
    Missing,
    /// What we may do was not enough.
    Policy,
    /// The key is disabled, waits for deletion or has no material.
    OutOfUse,
    /// The key is of a kind that cannot do this.
    Unfit,
}

/// The codes of KMS and STS, and those common to all services, without the ending `Exception` that
/// some of them have in one form of answer and not in another.
const CODES: [(&str, Reason); 44] = [
    ("AccessDenied", Reason::Policy),
    ("AuthFailure", Reason::Credentials),
    ("CloudHsmClusterInvalidConfiguration", Reason::Broken),
    ("Conflict", Reason::Conflict),
    ("CustomKeyStoreInvalidState", Reason::OutOfUse),
    ("DependencyTimeout", Reason::Broken),
    ("Disabled", Reason::OutOfUse),
    ("ExpiredToken", Reason::Credentials),
    ("IDPCommunicationError", Reason::Broken),
    ("IDPRejectedClaim", Reason::Credentials),
    ("IncompleteSignature", Reason::Credentials),
    ("IncorrectKey", Reason::Altered),
    ("InternalError", Reason::Broken),
    ("InternalFailure", Reason::Broken),
    ("InvalidAccessKeyId", Reason::Credentials),
    ("InvalidArn", Reason::Missing),
    ("InvalidCiphertext", Reason::Altered),
    ("InvalidClientTokenId", Reason::Credentials),
    ("InvalidIdentityToken", Reason::Credentials),
    ("InvalidKeyUsage", Reason::Unfit),
    ("InvalidSignature", Reason::Credentials),
    ("InvalidToken", Reason::Credentials),
    ("KMSInternal", Reason::Broken),
    ("KMSInvalidState", Reason::OutOfUse),
    ("KeyUnavailable", Reason::Broken),
    ("LimitExceeded", Reason::Busy),
    ("MissingAuthenticationToken", Reason::Credentials),
    ("NotAuthorized", Reason::Policy),
    ("NotFound", Reason::Missing),
    ("OptInRequired", Reason::Policy),
    ("RegionDisabled", Reason::Policy),
    ("RequestExpired", Reason::Credentials),
    ("RequestLimitExceeded", Reason::Busy),
    ("RequestThrottled", Reason::Busy),
    ("ServiceUnavailable", Reason::Broken),
    ("SignatureDoesNotMatch", Reason::Credentials),
    ("SlowDown", Reason::Busy),
    ("Throttling", Reason::Busy),
    ("TooManyRequests", Reason::Busy),
    ("UnrecognizedClient", Reason::Credentials),
    ("UnsupportedOperation", Reason::Unfit),
    ("Validation", Reason::Form),
    ("ValidationError", Reason::Form),
    ("XksProxyUriUnreachable", Reason::Broken),
];

/// A code that is listed here.
#[derive(Clone, Copy)]
pub(super) struct Known {
    code: &'static str,
    ending: &'static str,
    /// What is behind it.
    pub(super) reason: Reason,
}

/// The code of a refusal; `None` when it has none that is known.
pub(super) fn known(response: &Response) -> Option<Known> {
    if response.status == 200 {
        return None;
    }
    let said = code(&response.body)?;
    let (stem, ending) = match said.strip_suffix("Exception") {
        Some(stem) => (stem, "Exception"),
        None => (said.as_str(), ""),
    };
    let (code, reason) = CODES.iter().copied().find(|(code, _)| *code == stem)?;
    Some(Known {
        code,
        ending,
        reason,
    })
}

/// Whether the same request may go through a little later.
pub(super) fn is_busy(response: &Response) -> bool {
    known(response).is_some_and(|known| matches!(known.reason, Reason::Busy | Reason::Broken))
}

/// Whether other credentials may be accepted.
pub(super) fn is_about_credentials(response: &Response) -> bool {
    known(response).is_some_and(|known| known.reason == Reason::Credentials)
}

/// What an answer calls itself: `__type` of JSON, `Code` of XML.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(rename = "__type")]
        code: String,
    }
    if let Ok(refused) = serde_json::from_slice::<Refused>(body) {
        // A name space may stand before it, an address after it.
        let code = refused.code.rsplit('#').next()?;
        return Some(code.split(':').next()?.to_owned());
    }
    let head = std::str::from_utf8(body).ok()?;
    let rest = head.split_once("<Code>")?.1;
    let code = rest.split('<').next()?;
    (code.len() <= 64).then(|| code.to_owned())
}

/// What was asked for, in words for an error.
pub(super) struct Asked<'a> {
    /// `kms:Encrypt`.
    pub(super) action: &'static str,
    /// The key as configured, or its checked ARN; the role when signing in.
    pub(super) key: &'a str,
    /// Where the credentials come from.
    pub(super) from: &'static str,
}

/// The error for an answer other than 200.
pub(super) fn explain(response: &Response, asked: &Asked<'_>) -> Error {
    let Asked { action, key, from } = asked;
    let status = response.status;
    let known = known(response);
    let said = match known {
        Some(Known { code, ending, .. }) => {
            format!("{action} was answered with {code}{ending} (HTTP status {status}).")
        }
        None => format!("{action} was answered with HTTP status {status}."),
    };
    let reason = match (known, status) {
        // Only Decrypt may say so, and there it is no error of this kind.
        (Some(Known { reason, .. }), _) if reason != Reason::Altered => Some(reason),
        (_, 401) => Some(Reason::Credentials),
        (_, 403) => Some(Reason::Policy),
        (_, 429) => Some(Reason::Busy),
        (_, 500..) => Some(Reason::Broken),
        _ => None,
    };
    let error = |kind, fact: String| Error::new(kind, fact).with_detail(said.clone());
    match reason {
        Some(Reason::Busy) => error(
            Kind::Throttled,
            format!("key provider \"{NAME}\" asks to be called less often"),
        ),
        Some(Reason::Broken) => error(
            Kind::External,
            format!("key provider \"{NAME}\" is out of order"),
        ),
        Some(Reason::Credentials) => error(
            Kind::Credentials,
            format!("key provider \"{NAME}\" does not accept the credentials of {from}"),
        )
        .with_hint("Check them, and that the clock of this machine is right."),
        Some(Reason::Missing) => {
            let fact = format!("key \"{key}\" of key provider \"{NAME}\" does not exist");
            let error = error(Kind::UndefinedObject, fact);
            match *action {
                // To unwrap, a key is called what its row says.
                "kms:Decrypt" => error,
                _ => error.with_hint("Check the options region and key of confiture.key_aws."),
            }
        }
        Some(Reason::Policy) => error(
            Kind::Permission,
            format!("key provider \"{NAME}\" does not permit {action} with \"{key}\""),
        )
        .with_hint("See the policy on the page of this provider."),
        Some(Reason::OutOfUse) => error(
            Kind::NotReady,
            format!("key \"{key}\" of key provider \"{NAME}\" is out of use"),
        )
        .with_hint("Enable it, or cancel its deletion, at AWS."),
        Some(Reason::Unfit) => error(
            Kind::Unsupported,
            format!("key \"{key}\" of key provider \"{NAME}\" cannot do {action}"),
        )
        .with_hint("It must be a symmetric key for encryption, with material made by KMS."),
        Some(Reason::Conflict) => error(
            Kind::InUse,
            format!("key \"{key}\" of key provider \"{NAME}\" is being changed by somebody else"),
        ),
        Some(Reason::Altered | Reason::Form) | None => error(
            Kind::Protocol,
            format!("key provider \"{NAME}\" does not take a request of ours"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    fn kind(status: u16, body: &str) -> Kind {
        let asked = Asked {
            action: "kms:Encrypt",
            key: "alias/x",
            from: "a test",
        };
        let error = explain(&response(status, body), &asked);
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
        error.kind()
    }

    #[test]
    fn refusals_are_told_apart() {
        for (code, expected) in [
            ("AccessDeniedException", Kind::Permission),
            ("com.amazonaws.kms#NotFoundException", Kind::UndefinedObject),
            (
                "NotFoundException:http://internal.amazon.com/x/",
                Kind::UndefinedObject,
            ),
            ("DisabledException", Kind::NotReady),
            ("KMSInvalidStateException", Kind::NotReady),
            ("ThrottlingException", Kind::Throttled),
            ("LimitExceededException", Kind::Throttled),
            ("RequestLimitExceeded", Kind::Throttled),
            ("TooManyRequestsException", Kind::Throttled),
            ("UnrecognizedClientException", Kind::Credentials),
            ("InvalidSignatureException", Kind::Credentials),
            ("ExpiredTokenException", Kind::Credentials),
            ("MissingAuthenticationTokenException", Kind::Credentials),
            ("MissingAuthenticationToken", Kind::Credentials),
            ("KeyUnavailableException", Kind::External),
            ("DependencyTimeoutException", Kind::External),
            ("KMSInternalException", Kind::External),
            ("InvalidKeyUsageException", Kind::Unsupported),
            ("InvalidCiphertextException", Kind::Protocol),
            ("ConflictException", Kind::InUse),
            ("ValidationException", Kind::Protocol),
            ("S3CRET", Kind::Protocol),
        ] {
            let json = format!("{{\"__type\":\"{code}\",\"message\":\"S3CRET\"}}");
            assert_eq!(kind(400, &json), expected, "{code}");
            let code = code.rsplit('#').next().unwrap().split(':').next().unwrap();
            let xml = format!(
                "<?xml version=\"1.0\"?><ErrorResponse><Errors><Error><Code>{code}</Code>\
                 <Message>S3CRET</Message></Error></Errors></ErrorResponse>"
            );
            assert_eq!(kind(400, &xml), expected, "{code} in XML");
        }
    }

    #[test]
    fn refusals_without_a_known_code_go_by_their_status() {
        for (status, expected) in [
            (400, Kind::Protocol),
            (401, Kind::Credentials),
            (403, Kind::Permission),
            (404, Kind::Protocol),
            (429, Kind::Throttled),
            (500, Kind::External),
            (503, Kind::External),
            (302, Kind::Protocol),
        ] {
            for body in [
                "",
                "S3CRET",
                "{}",
                "[]",
                "{\"__type\":7}",
                "{\"__type\":\"S3CRET\"}",
                "{\"__type\":\"#\"}",
                "<Code>",
                "<Code></Code>",
                "<Code>S3CRET AccessDenied</Code>",
                "<html>S3CRET</html>",
            ] {
                assert_eq!(kind(status, body), expected, "{status} {body}");
            }
        }
    }

    #[test]
    fn codes_are_sorted_and_have_no_ending() {
        assert!(CODES.is_sorted_by_key(|(code, _)| *code));
        assert!(CODES.iter().all(|(code, _)| !code.ends_with("Exception")));
    }
}
