//! Signing in: a token from a file, or a login with an AppRole or a Kubernetes service account.
//!
//! A token is kept for as long as the session is. It is renewed in the last third of its lease, and
//! replaced (the file read again, the login repeated) when it is over or no longer accepted.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::super::credential::{self, Privacy};
use super::super::http::{self, Deadline, Http, Method, Request, Response};
use super::super::options::Options;
use super::NAME;
use super::answer::{self, Lease};
use super::place;
use crate::error::{Error, Kind, Result};

/// Where Kubernetes puts the token of a pod's service account.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Longer leases are no longer watched.
const LONGEST_LEASE: u64 = 10 * 365 * 86_400;

/// The way to Vault.
pub(super) struct Wire {
    pub(super) http: Box<dyn Http>,
    pub(super) address: String,
}

impl Wire {
    /// Sends a request for a path under `/v1/`; without a body it is a GET.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub(super) fn send(
        &self,
        path: &str,
        namespace: Option<&str>,
        token: Option<&str>,
        body: Option<Zeroizing<Vec<u8>>>,
        deadline: Deadline,
    ) -> Result<Response> {
        let method = match body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = Request::new(method, format!("{}/v1/{path}", self.address));
        if let Some(token) = token {
            request = request.header("x-vault-token", token);
        }
        if let Some(namespace) = namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        // An agent in between may ask for this header, which no page of a browser can send.
        request = request.header("x-vault-request", "true");
        if let Some(body) = body {
            request = request.header("content-type", "application/json");
            request.body = body;
        }
        http::call(&*self.http, deadline, &request, |response| {
            response.status == 412
        })
    }
}

/// How a token is come by.
#[derive(Debug)]
enum Way {
    Token {
        file: String,
    },
    AppRole {
        mount: String,
        role_id: String,
        secret_id_file: String,
    },
    Kubernetes {
        mount: String,
        role: String,
        jwt_file: String,
    },
}

/// A token, and what is known of it.
#[derive(Clone)]
pub(super) struct Held {
    /// The token.
    pub(super) token: Zeroizing<String>,
    /// Whether it was come by in this very call.
    pub(super) is_fresh: bool,
    /// Whether Vault itself has said that it is good.
    pub(super) is_known: bool,
    /// When it ends, if ever.
    ends: Option<SystemTime>,
    /// How long it was given for.
    lease: Duration,
    renewable: bool,
}

/// Who we are to Vault.
pub(super) struct Session {
    way: Way,
    namespace: Option<String>,
    held: RefCell<Option<Held>>,
    pub(super) clock: Box<dyn Fn() -> SystemTime>,
}

impl Session {
    /// Reads the way from the options.
    ///
    /// # Errors
    /// 55000 for an option that is missing, 22023 for one that cannot be used or belongs to another
    /// way.
    pub(super) fn new(options: &Options, namespace: Option<String>) -> Result<Self> {
        let auth = options.choice("auth", &["token", "approle", "kubernetes"])?;
        let own: &[&str] = match auth {
            "approle" => &["auth_mount", "role_id", "secret_id_file"],
            "kubernetes" => &["auth_mount", "role", "jwt_file"],
            _ => &["token_file"],
        };
        let all = [
            "auth_mount",
            "token_file",
            "role_id",
            "secret_id_file",
            "role",
            "jwt_file",
        ];
        for option in all {
            if options.get(option).is_some() && !own.contains(&option) {
                return Err(place::unusable(
                    option,
                    &format!("It does not belong to auth={auth}."),
                ));
            }
        }
        let mount = || place::mount("auth_mount", options.get_or("auth_mount", auth));
        let way = match auth {
            "approle" => Way::AppRole {
                mount: mount()?,
                role_id: options.required("role_id")?.to_owned(),
                secret_id_file: options.required("secret_id_file")?.to_owned(),
            },
            "kubernetes" => Way::Kubernetes {
                mount: mount()?,
                role: options.required("role")?.to_owned(),
                jwt_file: options.get_or("jwt_file", POD_TOKEN).to_owned(),
            },
            _ => Way::Token {
                file: options.required("token_file")?.to_owned(),
            },
        };
        Ok(Self {
            way,
            namespace,
            held: RefCell::new(None),
            clock: Box::new(SystemTime::now),
        })
    }

    /// A token to send with a request.
    ///
    /// # Errors
    /// 55000 when the credential file cannot be used, 28000 when it is not accepted, and what
    /// follows from Vault's state.
    pub(super) fn token(&self, wire: &Wire, deadline: Deadline) -> Result<Held> {
        let held = self.held.borrow().clone();
        let held = match held {
            Some(held) => self.prolong(held, wire, deadline)?,
            None => None,
        };
        let held = match held {
            Some(held) => held,
            None => self.sign_in(wire, deadline)?,
        };
        *self.held.borrow_mut() = Some(Held {
            is_fresh: false,
            ..held.clone()
        });
        Ok(held)
    }

    /// Drops the token: the next one comes from the file or a login.
    pub(super) fn forget(&self) {
        *self.held.borrow_mut() = None;
    }

    /// The error of a token that Vault does not accept.
    pub(super) fn not_accepted(&self) -> Error {
        let detail = match &self.way {
            Way::Token { file } => format!(
                "The token in \"{file}\" is not known there, was revoked, or is over; or its \
                 policies allow neither the request nor a look at itself."
            ),
            Way::AppRole { mount, .. } | Way::Kubernetes { mount, .. } => {
                format!("The login at \"auth/{mount}\" was refused.")
            }
        };
        Error::new(
            Kind::Credentials,
            "key provider \"vault\" did not accept the credentials",
        )
        .with_detail(detail)
    }

    /// The token, renewed where its end is near; `None` when a new one is needed.
    fn prolong(&self, held: Held, wire: &Wire, deadline: Deadline) -> Result<Option<Held>> {
        let Some(ends) = held.ends else {
            return Ok(Some(held));
        };
        let left = ends.duration_since((self.clock)()).unwrap_or_default();
        if left.is_zero() {
            return Ok(None);
        }
        if !held.renewable || left >= held.lease / 3 {
            return Ok(Some(held));
        }
        let body = Some(Zeroizing::new(b"{}".to_vec()));
        let namespace = self.namespace.as_deref();
        let path = "auth/token/renew-self";
        let response = wire.send(path, namespace, Some(&held.token), body, deadline)?;
        match response.status {
            200 => {
                let lease = answer::renewed(&response)?;
                let mut next = self.hold(held.token, lease);
                next.is_fresh = false;
                if next.ends.is_some() && next.lease < held.lease / 3 {
                    // Its longest life is nearly over, so that renewing gains nothing any more.
                    if !matches!(self.way, Way::Token { .. }) {
                        return Ok(None);
                    }
                    next.renewable = false;
                }
                Ok(Some(next))
            }
            400 | 403 | 404 => Ok(None),
            // It may still be good: the request itself will tell.
            _ => Ok(Some(held)),
        }
    }

    fn sign_in(&self, wire: &Wire, deadline: Deadline) -> Result<Held> {
        match &self.way {
            Way::Token { file } => {
                let token = credential::read(NAME, file, Privacy::Private)?;
                self.look_up(token, wire, deadline)
            }
            Way::AppRole {
                mount,
                role_id,
                secret_id_file,
            } => {
                let secret_id = credential::read(NAME, secret_id_file, Privacy::Private)?;
                let login = [("role_id", role_id.as_str()), ("secret_id", &secret_id)];
                self.log_in(mount, login, wire, deadline)
            }
            Way::Kubernetes {
                mount,
                role,
                jwt_file,
            } => {
                let jwt = credential::read(NAME, jwt_file, Privacy::Projected)?;
                let login = [("role", role.as_str()), ("jwt", &jwt)];
                self.log_in(mount, login, wire, deadline)
            }
        }
    }

    /// Learns how long a token from a file lives.
    fn look_up(&self, token: Zeroizing<String>, wire: &Wire, deadline: Deadline) -> Result<Held> {
        let namespace = self.namespace.as_deref();
        let path = "auth/token/lookup-self";
        let response = wire.send(path, namespace, Some(&token), None, deadline)?;
        match response.status {
            200 => {
                let lease = answer::looked_up(&response)?;
                Ok(self.hold(token, lease))
            }
            // A token without the policy "default" may not even ask that, and can still be good.
            403 => {
                let forever = Lease {
                    left: 0,
                    whole: 0,
                    renewable: false,
                };
                let mut held = self.hold(token, forever);
                held.is_known = false;
                Ok(held)
            }
            status => Err(answer::trouble(&response).unwrap_or_else(|| unexpected(status))),
        }
    }

    fn log_in(
        &self,
        mount: &str,
        login: [(&str, &str); 2],
        wire: &Wire,
        deadline: Deadline,
    ) -> Result<Held> {
        let body = login_body(login)?;
        let path = format!("auth/{mount}/login");
        let namespace = self.namespace.as_deref();
        let response = wire.send(&path, namespace, None, Some(body), deadline)?;
        if response.status == 200 {
            let (token, lease) = answer::signed_in(&response)?;
            return Ok(self.hold(token, lease));
        }
        if let Some(trouble) = answer::trouble(&response) {
            return Err(trouble);
        }
        match response.status {
            400 | 401 | 403 | 404 | 405 => Err(self.not_accepted()),
            status => Err(unexpected(status)),
        }
    }

    fn hold(&self, token: Zeroizing<String>, lease: Lease) -> Held {
        let ends = match lease.left {
            0 => None,
            left => (self.clock)().checked_add(Duration::from_secs(left.min(LONGEST_LEASE))),
        };
        Held {
            token,
            is_fresh: true,
            is_known: true,
            ends,
            lease: Duration::from_secs(lease.whole.min(LONGEST_LEASE)),
            renewable: lease.renewable,
        }
    }
}

/// A JSON object of two texts, one of them secret.
fn login_body(login: [(&str, &str); 2]) -> Result<Zeroizing<Vec<u8>>> {
    let length: usize = login
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    // Large enough never to be moved, which would leave a copy behind: an escape has six bytes.
    let mut body = Zeroizing::new(Vec::with_capacity(6 * length + 16));
    for (place, (name, text)) in login.into_iter().enumerate() {
        let before: &[u8] = if place == 0 { b"{\"" } else { b",\"" };
        body.extend_from_slice(before);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *body, text)
            .map_err(|_| Error::new(Kind::Internal, "could not write a login"))?;
    }
    body.push(b'}');
    Ok(body)
}

fn unexpected(status: u16) -> Error {
    Error::new(
        Kind::Protocol,
        "key provider \"vault\" did not answer a login",
    )
    .with_detail(format!(
        "It answered with HTTP status {status}, which was not expected."
    ))
}
