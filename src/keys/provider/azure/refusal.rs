//! Refusals: the answers of Azure that are not the one hoped for, as errors of ours.
//!
//! Key Vault answers `{"error":{"code":…,"message":…,"innererror":{"code":…}}}`. The codes listed
//! here choose between wordings; nothing of an answer is ever repeated.

use serde::Deserialize;

use super::NAME;
use super::address::Origin;
use crate::error::{Error, Kind};
use crate::keys::envelope::Binding;
use crate::keys::provider::foreign;
use crate::keys::provider::http::Response;

/// What was asked of a vault.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// `wrapkey`.
    Wrap,
    /// `unwrapkey`, for this row.
    Unwrap(&'a Binding),
    /// `rotate`.
    Rotate,
}

impl Asked<'_> {
    fn verb(self) -> &'static str {
        match self {
            Self::Wrap => "wrap with",
            Self::Unwrap(_) => "unwrap with",
            Self::Rotate => "rotate",
        }
    }
}

#[derive(Deserialize)]
struct Body {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(alias = "innerError")]
    innererror: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    code: String,
}

/// Why a vault did not do what was asked of it.
pub(super) fn of_vault(vault: &Origin, key: &str, asked: Asked<'_>, response: &Response) -> Error {
    let status = response.status;
    let inner = serde_json::from_slice::<Body>(&response.body)
        .ok()
        .and_then(|body| body.error.innererror)
        .map(|inner| inner.code)
        .unwrap_or_default();
    match (status, asked, inner.as_str()) {
        (400, Asked::Unwrap(binding), _) => foreign(
            "The vault cannot open the stored bytes with the key they were stored with.",
            binding,
        ),
        (400, ..) => Error::new(
            Kind::NotReady,
            format!(
                "key provider \"{NAME}\" cannot {} key \"{key}\"",
                asked.verb()
            ),
        )
        .with_detail(format!(
            "Vault {vault} calls it a bad request (status 400)."
        ))
        .with_hint("The key must be an RSA key that allows wrapKey and unwrapKey."),
        (401, ..) => not_accepted()
            .with_detail(format!(
                "Vault {vault} does not accept a fresh token (status 401)."
            ))
            .with_hint(
                "The identity must belong to the tenant of the vault, and option \"resource\" be \
                 the one of its cloud.",
            ),
        (403, _, "KeyDisabled") => out_of_use(vault, key, "is disabled"),
        (403, _, "KeyExpired") => out_of_use(vault, key, "has expired"),
        (403, _, "KeyNotYetValid") => out_of_use(vault, key, "is not valid yet"),
        (403, ..) => forbidden(vault, key, asked, &inner),
        (404, ..) => Error::new(
            Kind::UndefinedObject,
            format!("key \"{key}\" of key provider \"{NAME}\" does not exist"),
        )
        .with_detail(format!(
            "Vault {vault} knows no such key, or not this version of it."
        ))
        .with_hint("A key that was deleted can be recovered for as long as the vault keeps it."),
        (409, ..) => out_of_use(vault, key, "is being deleted, recovered or changed"),
        _ => unusual("the vault", status),
    }
}

fn out_of_use(vault: &Origin, key: &str, why: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key \"{key}\" of key provider \"{NAME}\" is out of use"),
    )
    .with_detail(format!("Vault {vault} says that the key {why}."))
}

fn forbidden(vault: &Origin, key: &str, asked: Asked<'_>, inner: &str) -> Error {
    let error = Error::new(
        Kind::Permission,
        format!(
            "key provider \"{NAME}\" refuses to {} key \"{key}\"",
            asked.verb()
        ),
    );
    let needed = match asked {
        Asked::Rotate => {
            "Rotate the key in the vault, or give the identity the permission \"rotate\" on keys."
        }
        _ => {
            "Give the identity the role \"Key Vault Crypto Service Encryption User\" on the key or \
             the permissions \"wrapKey\" and \"unwrapKey\" in the access policy of the vault."
        }
    };
    match inner {
        "ForbiddenByRbac" | "AccessDenied" => error
            .with_detail(format!(
                "The identity has no right to do so in vault {vault}."
            ))
            .with_hint(needed),
        "ForbiddenByFirewall" => error.with_detail(format!(
            "The firewall of vault {vault} keeps this server out."
        )),
        "KeyOperationForbidden" => error.with_detail(format!(
            "The key in vault {vault} does not allow this operation to anybody."
        )),
        _ => error
            .with_detail(format!("Vault {vault} forbids it (status 403)."))
            .with_hint(needed),
    }
}

/// The credentials were shown and are not good.
pub(super) fn not_accepted() -> Error {
    Error::new(
        Kind::Credentials,
        format!("credentials for key provider \"{NAME}\" were not accepted"),
    )
}

/// An answer with a status that means the same wherever it comes from, or nothing at all.
pub(super) fn unusual(who: &str, status: u16) -> Error {
    match status {
        429 => Error::new(
            Kind::Throttled,
            format!("key provider \"{NAME}\" asks to be called less often"),
        )
        .with_detail(format!("This comes from {who} (status 429).")),
        500.. => Error::new(
            Kind::External,
            format!("key provider \"{NAME}\" does not work at the moment"),
        )
        .with_detail(format!("This comes from {who} (status {status}).")),
        _ => nonsense(&format!("The answer of {who} has status {status}.")),
    }
}

/// An answer that makes no sense.
pub(super) fn nonsense(why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("key provider \"{NAME}\" gave an answer that cannot be read"),
    )
    .with_detail(why)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn binding() -> Binding {
        Binding {
            installation: [1; 16],
            name: "masking".into(),
            version: 1,
            purpose: "masking".into(),
        }
    }

    fn refusal(asked: Asked<'_>, status: u16, body: &str) -> Error {
        let response = Response {
            status,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        let vault = Origin::parse("https://n.vault.azure.net").unwrap();
        of_vault(&vault, "confiture", asked, &response)
    }

    fn body(inner: &str) -> String {
        format!(
            r#"{{"error":{{"code":"x","message":"S3CRET","innererror":{{"code":"{inner}"}}}}}}"#
        )
    }

    #[test]
    fn refusals_have_each_their_kind() {
        for (status, inner, kind) in [
            (400, "", Kind::NotReady),
            (401, "", Kind::Credentials),
            (403, "", Kind::Permission),
            (403, "ForbiddenByRbac", Kind::Permission),
            (403, "ForbiddenByFirewall", Kind::Permission),
            (403, "KeyOperationForbidden", Kind::Permission),
            (403, "S3CRET", Kind::Permission),
            (403, "KeyDisabled", Kind::NotReady),
            (403, "KeyExpired", Kind::NotReady),
            (404, "", Kind::UndefinedObject),
            (409, "ObjectIsBeingDeleted", Kind::NotReady),
            (429, "", Kind::Throttled),
            (500, "", Kind::External),
            (503, "", Kind::External),
            (302, "", Kind::Protocol),
            (201, "", Kind::Protocol),
        ] {
            for asked in [Asked::Wrap, Asked::Rotate] {
                let error = refusal(asked, status, &body(inner));
                assert_eq!(error.kind(), kind, "{status} {inner}");
                assert!(!format!("{error:?}").contains("S3CRET"));
            }
            let binding = binding();
            let error = refusal(Asked::Unwrap(&binding), status, &body(inner));
            let kind = if status == 400 { Kind::Corrupt } else { kind };
            assert_eq!(error.kind(), kind, "{status} {inner}");
            assert!(!format!("{error:?}").contains("S3CRET"));
        }
    }

    #[test]
    fn refusals_need_no_body_that_can_be_read() {
        for garbage in [
            "",
            "S3CRET",
            "[]",
            "{\"error\":7}",
            "{\"error\":{\"innererror\":\"x\"}}",
        ] {
            let error = refusal(Asked::Wrap, 403, garbage);
            assert_eq!(error.kind(), Kind::Permission);
            assert!(!format!("{error:?}").contains("S3CRET"));
        }
        // Key Vault has been seen to write the name in both ways.
        let other = body("KeyDisabled").replace("innererror", "innerError");
        assert_eq!(refusal(Asked::Wrap, 403, &other).kind(), Kind::NotReady);
    }
}
