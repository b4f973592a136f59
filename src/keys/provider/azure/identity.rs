//! Who we are to Azure: three ways to a token for the vault, kept until shortly before its end.
//!
//! * `client_secret`: the client credentials grant of OAuth 2.0 (RFC 6749 §4.4) with a secret.
//! * `workload_identity`: the same with a token of the platform in place of the secret
//!   (RFC 7523 §2.2), as Kubernetes projects it.
//! * `managed_identity`: the metadata service of an Azure machine.
//!
//! Secrets are read from their files at each sign-in, so that a new one needs no reload.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::NAME;
use super::address::Origin;
use super::refusal::{nonsense, not_accepted, unusual};
use crate::error::{Error, Kind, Result};
use crate::keys::provider::credential::{self, Privacy};
use crate::keys::provider::http::{Deadline, Lines, Method, Request, Response, call};
use crate::keys::provider::options::Options;

/// A token is not used in its last minutes: a call under way must not outlive it.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// However long a token is said to last, it is renewed after that.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Who signs applications in, in the public cloud.
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";
/// The version of the metadata service's interface that is spoken.
const METADATA_VERSION: &str = "2018-02-01";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a token is come by, and the one that is there.
pub(super) struct Identity {
    way: Way,
    /// What the token is for.
    resource: Origin,
    token: RefCell<Option<Token>>,
}

enum Way {
    Application {
        authority: Origin,
        tenant: String,
        client: String,
        proof: Proof,
    },
    Machine {
        metadata: Origin,
        client: Option<String>,
    },
}

/// The file that holds what an application proves itself with.
enum Proof {
    Secret(String),
    Federated(String),
}

struct Token {
    text: Zeroizing<String>,
    until: Instant,
}

/// What both the token endpoint and the metadata service answer.
#[derive(Deserialize)]
struct Granted<'a> {
    access_token: &'a str,
    expires_in: Option<Seconds>,
}

/// A number, which the metadata service writes as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_codes: Vec<u64>,
}

impl Identity {
    /// Reads the options; `environment` gives the defaults of a workload identity.
    ///
    /// # Errors
    /// 55000 for an option that is missing, 22023 for one without the form it must have.
    pub(super) fn new(
        options: &Options,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        options.required("auth")?;
        let way = match options.choice(
            "auth",
            &["client_secret", "managed_identity", "workload_identity"],
        )? {
            "managed_identity" => Way::Machine {
                metadata: origin(
                    "metadata",
                    options.get_or("metadata", "http://169.254.169.254"),
                )?,
                client: options.get("client_id").map(str::to_owned),
            },
            "workload_identity" => {
                let found = |name: &str, variable: &str| {
                    let given = options.get(name).map(str::to_owned);
                    given.or_else(|| environment(variable).filter(|value| !value.is_empty()))
                };
                let needed = |name: &str, variable: &str| match found(name, variable) {
                    Some(value) => Ok(value),
                    None => options.required(name).map(str::to_owned).map_err(|error| {
                        error.with_hint(format!(
                            "Set it, or {variable} in the server's environment, where Azure's \
                             webhook for workload identities puts it."
                        ))
                    }),
                };
                let authority = found("authority", "AZURE_AUTHORITY_HOST");
                application(
                    authority.as_deref().unwrap_or(PUBLIC_AUTHORITY),
                    needed("tenant", "AZURE_TENANT_ID")?,
                    needed("client_id", "AZURE_CLIENT_ID")?,
                    Proof::Federated(needed(
                        "federated_token_file",
                        "AZURE_FEDERATED_TOKEN_FILE",
                    )?),
                )?
            }
            _ => application(
                options.get_or("authority", PUBLIC_AUTHORITY),
                options.required("tenant")?.to_owned(),
                options.required("client_id")?.to_owned(),
                Proof::Secret(options.required("client_secret_file")?.to_owned()),
            )?,
        };
        Ok(Self {
            way,
            resource: origin(
                "resource",
                options.get_or("resource", "https://vault.azure.net"),
            )?,
            token: RefCell::default(),
        })
    }

    /// The token that is there, or a new one.
    ///
    /// # Errors
    /// 28000 when who we are is not accepted, 55000 when the file of the secret cannot be used,
    /// 08P01 for an answer that makes no sense, and as the calls themselves.
    pub(super) fn token(&self, lines: &Lines, deadline: Deadline) -> Result<Zeroizing<String>> {
        if let Some(token) = &*self.token.borrow()
            && Instant::now() < token.until
        {
            return Ok(token.text.clone());
        }
        let began = Instant::now();
        let response = self.sign_in(lines, deadline)?;
        if response.status != 200 {
            return Err(self.refusal(&response));
        }
        let granted: Granted<'_> =
            serde_json::from_slice(&response.body).map_err(|_| self.unreadable())?;
        let text = granted.access_token;
        let lasts = match granted.expires_in {
            None => Some(0),
            Some(Seconds::Number(number)) => Some(number),
            Some(Seconds::Text(text)) => text.parse().ok(),
        };
        // Anything else could not stand in a header.
        let sendable = !text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic());
        let lasts = lasts
            .filter(|_| sendable)
            .ok_or_else(|| self.unreadable())?;
        let text = Zeroizing::new(text.to_owned());
        *self.token.borrow_mut() = Some(Token {
            text: text.clone(),
            until: began + usable(Duration::from_secs(lasts)),
        });
        Ok(text)
    }

    /// Drops the token: the vault no longer takes it.
    pub(super) fn forget(&self) {
        *self.token.borrow_mut() = None;
    }

    fn sign_in(&self, lines: &Lines, deadline: Deadline) -> Result<Response> {
        match &self.way {
            Way::Application {
                authority,
                tenant,
                client,
                proof,
            } => {
                let mut fields = vec![
                    (
                        "grant_type",
                        Zeroizing::new("client_credentials".to_owned()),
                    ),
                    ("client_id", Zeroizing::new(client.clone())),
                    (
                        "scope",
                        Zeroizing::new(format!("{}/.default", self.resource)),
                    ),
                ];
                match proof {
                    Proof::Secret(file) => fields.push((
                        "client_secret",
                        credential::read(NAME, file, Privacy::Private)?,
                    )),
                    Proof::Federated(file) => {
                        let kind = Zeroizing::new(ASSERTION_TYPE.to_owned());
                        fields.push(("client_assertion_type", kind));
                        fields.push((
                            "client_assertion",
                            credential::read(NAME, file, Privacy::Projected)?,
                        ));
                    }
                }
                let url = format!("{authority}/{tenant}/oauth2/v2.0/token");
                let request = Request::new(Method::POST, url)
                    .header("accept", "application/json")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(form(&fields));
                call(&*lines.identity, deadline, &request, |_| false)
            }
            Way::Machine { metadata, client } => {
                let mut fields = vec![
                    ("api-version", Zeroizing::new(METADATA_VERSION.to_owned())),
                    ("resource", Zeroizing::new(self.resource.to_string())),
                ];
                if let Some(client) = client {
                    fields.push(("client_id", Zeroizing::new(client.clone())));
                }
                let query = String::from_utf8(form(&fields)).unwrap_or_default();
                let url = format!("{metadata}/metadata/identity/oauth2/token?{query}");
                let request = Request::new(Method::GET, url)
                    .header("accept", "application/json")
                    .header("metadata", "true");
                // So the service says that it is being updated.
                call(&*lines.metadata, deadline, &request, |response| {
                    matches!(response.status, 404 | 410)
                })
            }
        }
    }

    fn who(&self) -> &'static str {
        match self.way {
            Way::Application { .. } => "the token endpoint",
            Way::Machine { .. } => "the machine's metadata service",
        }
    }

    fn unreadable(&self) -> Error {
        nonsense(&format!("It comes from {} and holds no token.", self.who()))
    }

    fn refusal(&self, response: &Response) -> Error {
        let status = response.status;
        match (&self.way, status) {
            (_, 403) => Error::new(
                Kind::Permission,
                format!("key provider \"{NAME}\" refuses to sign us in"),
            )
            .with_detail(format!("This comes from {} (status 403).", self.who())),
            (Way::Application { proof, .. }, 400 | 401) => {
                not_accepted().with_detail(reason(proof, response))
            }
            (Way::Machine { .. }, 400 | 401) => not_accepted()
                .with_detail(format!(
                    "The machine has no managed identity for this (status {status})."
                ))
                .with_hint(
                    "Assign one to the machine; where there are several, name one by option \
                     \"client_id\".",
                ),
            (Way::Machine { .. }, 404 | 410) => Error::new(
                Kind::External,
                format!("key provider \"{NAME}\" does not work at the moment"),
            )
            .with_detail(format!(
                "The machine's metadata service has no token to give (status {status})."
            )),
            _ => unusual(self.who(), status),
        }
    }
}

fn application(authority: &str, tenant: String, client: String, proof: Proof) -> Result<Way> {
    let in_url = |c: u8| c.is_ascii_alphanumeric() || b".-".contains(&c);
    if !tenant.bytes().all(in_url) || tenant.starts_with('.') {
        return Err(malformed("tenant", "a tenant's id or domain"));
    }
    Ok(Way::Application {
        authority: origin("authority", authority)?,
        tenant,
        client,
        proof,
    })
}

/// An option that is an address.
///
/// # Errors
/// 22023 when it is none.
pub(super) fn origin(name: &str, text: &str) -> Result<Origin> {
    Origin::parse(text).ok_or_else(|| malformed(name, "of the form https://host"))
}

/// An option without the form it must have.
pub(super) fn malformed(name: &str, form: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("setting confiture.key_{NAME} has an option that cannot be used"),
    )
    .with_detail(format!("Option \"{name}\" is not {form}."))
}

/// How long a token is used that lasts so long.
fn usable(lasts: Duration) -> Duration {
    let lasts = lasts.min(LONGEST);
    lasts - MARGIN.min(lasts / 3)
}

/// `application/x-www-form-urlencoded`, with every byte escaped that could mean something.
fn form(fields: &[(&str, Zeroizing<String>)]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    // Of the full length from the start: growing would leave copies of a secret behind.
    let longest = fields
        .iter()
        .map(|(name, value)| name.len() + 3 * value.len() + 2)
        .sum();
    let mut out = Vec::with_capacity(longest);
    for (name, value) in fields {
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(byte);
            } else {
                out.push(b'%');
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
    out
}

/// What Microsoft Entra ID minds, by the numbers of its messages. They choose words and nothing
/// else, since Microsoft reserves the right to change them.
fn reason(proof: &Proof, response: &Response) -> &'static str {
    let denied: Denied = serde_json::from_slice(&response.body).unwrap_or_default();
    let number = |known: &[u64]| denied.error_codes.iter().any(|code| known.contains(code));
    match proof {
        _ if number(&[700_016]) => "The tenant knows no application with this client_id.",
        _ if number(&[90_002]) => "The tenant does not exist.",
        _ if number(&[500_011]) => "The tenant does not know the resource.",
        Proof::Secret(_) if number(&[7_000_222]) => "The client secret has expired.",
        Proof::Federated(_) if number(&[70_021, 700_211, 700_212, 700_213]) => {
            "The application has no federated credential for the issuer, subject and audience of \
             the token in the file."
        }
        Proof::Federated(_) if number(&[700_024]) => "The token in the file is out of date.",
        Proof::Secret(_) if denied.error == "invalid_client" => {
            "The client secret is not one of the application's."
        }
        Proof::Federated(_) if denied.error == "invalid_client" => {
            "The token in the file is not accepted for the application."
        }
        _ => "The token endpoint refuses the application, its tenant or the resource.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_before_their_end() {
        for (lasts, used) in [
            (0, 0),
            (3, 2),
            (600, 400),
            (900, 600),
            (3600, 3300),
            (86_400, 86_100),
        ] {
            assert_eq!(
                usable(Duration::from_secs(lasts)),
                Duration::from_secs(used),
                "{lasts}"
            );
        }
        assert_eq!(
            usable(Duration::from_secs(u64::MAX)),
            Duration::from_secs(86_100)
        );
    }

    #[test]
    fn forms_escape_all_but_plain_characters() {
        let fields = [
            ("a", Zeroizing::new("x Y-._~9".to_owned())),
            ("b", Zeroizing::new("&=+%/:\n\u{e4}".to_owned())),
        ];
        assert_eq!(
            String::from_utf8(form(&fields)).unwrap(),
            "a=x%20Y-._~9&b=%26%3D%2B%25%2F%3A%0A%C3%A4"
        );
    }
}
