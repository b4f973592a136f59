//! The client: `ureq` for HTTP and TLS, on connections of our own ([`super::line`]).
//!
//! No redirects (they would carry credentials away), no proxies but one that is set, no plain HTTP
//! but to this machine and the metadata services of clouds, no connection kept.

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use ureq::http::{self, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector};
use zeroize::Zeroizing;

use super::line::{Dial, InThread, Patience, Waited, is_interrupt, stays_here};
use super::{Deadline, Http, Limits, Lines, Request, Response};
use crate::error::{Error, Kind, Result};

/// The longest answer accepted, in bytes: the longest real one is a few kilobytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Where and how to reach one provider.
#[derive(Clone, Default)]
pub struct Route {
    /// The provider's name, for errors.
    pub provider: &'static str,
    /// PEM file of the only authorities trusted; the public ones without it.
    pub ca_file: Option<String>,
    /// Address to connect to in place of asking for the host's: names in certificates stay.
    pub hostaddr: Option<IpAddr>,
    /// An `http://` proxy, spoken to with CONNECT.
    pub proxy: Option<String>,
}

/// HTTP in this process.
pub struct Client {
    agent: ureq::Agent,
    route: Route,
    limits: Limits,
    patience: Arc<dyn Patience>,
}

impl Route {
    /// The three ways out for this route.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn lines(&self, limits: Limits, patience: &Arc<dyn Patience>) -> Result<Lines> {
        let open = |route: Self| -> Result<Box<dyn Http>> {
            Ok(Box::new(Client::new(route, limits, Arc::clone(patience))?))
        };
        Ok(Lines {
            service: open(self.clone())?,
            identity: open(Self {
                hostaddr: None,
                ..self.clone()
            })?,
            metadata: open(Self {
                provider: self.provider,
                ..Self::default()
            })?,
        })
    }
}

impl Client {
    /// Prepares calls to one provider; contacts nobody.
    ///
    /// # Errors
    /// 55000 when the CA file cannot be used, 22023 for a proxy that is none.
    pub fn new(route: Route, limits: Limits, patience: Arc<dyn Patience>) -> Result<Self> {
        let roots = match &route.ca_file {
            Some(path) => RootCerts::from(authorities(path)?),
            None => RootCerts::WebPki,
        };
        let proxy = match &route.proxy {
            Some(proxy) => Some(usable_proxy(proxy).map_err(|why| {
                Error::new(
                    Kind::InvalidParameter,
                    format!(
                        "proxy of key provider \"{}\" cannot be used",
                        route.provider
                    ),
                )
                .with_detail(why)
            })?),
            None => None,
        };
        let config = ureq::config::Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .timeout_connect(Some(limits.connect))
            .max_idle_connections(0)
            .user_agent("confiture")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(Dial::new(Arc::clone(&patience)))
                .chain(RustlsConnector::default());
        // Behind a proxy it is the proxy's name that is looked up here.
        let resolver = InThread::new(route.hostaddr.filter(|_| route.proxy.is_none()));
        Ok(Self {
            agent: ureq::Agent::with_parts(config, connector, resolver),
            route,
            limits,
            patience,
        })
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(
            Kind::Unreachable,
            format!("could not reach key provider \"{}\"", self.route.provider),
        )
        .with_detail(why)
    }

    fn canceled() -> Error {
        Error::new(Kind::QueryCanceled, "canceling a call to a key provider")
    }

    fn explain(&self, error: ureq::Error) -> Error {
        use ureq::Timeout;
        match error {
            ureq::Error::Io(error) if is_interrupt(&error) => Self::canceled(),
            ureq::Error::Io(error) => match error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>().map(tls_reason))
            {
                Some(reason) => self.unreachable(reason),
                None => self.unreachable(&format!("The connection failed: {}.", error.kind())),
            },
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                self.unreachable(&format!(
                    "No connection stood within {} ms (confiture.key_connect_timeout).",
                    self.limits.connect.as_millis()
                ))
            }
            ureq::Error::Timeout(_) => self.unreachable(&format!(
                "It did not answer within {} ms (confiture.key_request_timeout).",
                self.limits.total.as_millis()
            )),
            ureq::Error::HostNotFound => self.unreachable("Its host name could not be resolved."),
            ureq::Error::Rustls(error) => self.unreachable(tls_reason(&error)),
            ureq::Error::Tls(_) => self.unreachable("Its host name cannot be checked by TLS."),
            ureq::Error::ConnectProxyFailed(_) => {
                self.unreachable("The proxy did not make the connection.")
            }
            ureq::Error::BodyExceedsLimit(_) => self.nonsense("It is longer than 64 KiB."),
            _ => self.nonsense("It is not what HTTP allows."),
        }
    }

    fn nonsense(&self, why: &str) -> Error {
        Error::new(
            Kind::Protocol,
            format!(
                "key provider \"{}\" gave an answer that cannot be read",
                self.route.provider
            ),
        )
        .with_detail(why)
    }
}

impl Http for Client {
    fn deadline(&self) -> Deadline {
        Deadline::after(self.limits.total)
    }

    fn send(&self, request: &Request, deadline: Deadline) -> Result<Response> {
        let uri: Uri = request.url.parse().map_err(|_| self.no_address())?;
        self.check(&uri)
            .map_err(|why| self.no_address().with_detail(why))?;
        let left = deadline.left();
        if left.is_zero() {
            return Err(self.explain(ureq::Error::Timeout(ureq::Timeout::Global)));
        }
        let mut builder = http::Request::builder().method(&request.method).uri(uri);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.as_str());
        }
        let sent = if request.method == http::Method::GET {
            let request = builder.body(()).map_err(|_| self.bad_header())?;
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(Some(left)).build())
        } else {
            let body = builder
                .body(request.body.as_slice())
                .map_err(|_| self.bad_header())?;
            let request = self.agent.configure_request(body);
            self.agent.run(request.timeout_global(Some(left)).build())
        };
        let mut response = sent.map_err(|error| self.explain(error))?;
        // With room for all of it, and the byte that is too much: growing would leave copies.
        let mut body = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER + 1));
        response
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER as u64 + 1)
            .reader()
            .read_to_end(&mut body)
            .map_err(|error| self.explain(error.into()))?;
        Ok(Response {
            status: response.status().as_u16(),
            body,
        })
    }

    fn pause(&self, length: Duration) -> Result<()> {
        match self.patience.wait(None, false, length) {
            Waited::Interrupted => Err(Self::canceled()),
            Waited::Ready | Waited::TimedOut => Ok(()),
        }
    }
}

impl Client {
    /// HTTPS, or HTTP that does not leave the machine.
    fn check(&self, uri: &Uri) -> Result<(), &'static str> {
        const PLAIN: &str =
            "Plain HTTP is accepted for this machine and for metadata services only.";
        let host = uri.host().ok_or("It names no host.")?;
        check_authority(uri)?;
        match uri.scheme_str() {
            Some("https") => Ok(()),
            Some("http") => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                // What a name stands for is checked once more when it is looked up.
                let here = match host.parse() {
                    Ok(address) => stays_here(address),
                    Err(_) => host == "localhost",
                };
                if !here || !self.route.hostaddr.is_none_or(stays_here) {
                    return Err(PLAIN);
                }
                if self.route.proxy.is_some() {
                    return Err("Plain HTTP is not accepted where a proxy is set.");
                }
                Ok(())
            }
            _ => Err("It must begin with https://."),
        }
    }

    fn no_address(&self) -> Error {
        Error::new(
            Kind::InvalidParameter,
            format!(
                "key provider \"{}\" has no usable address",
                self.route.provider
            ),
        )
    }

    fn bad_header(&self) -> Error {
        Error::new(
            Kind::Credentials,
            format!(
                "credentials for key provider \"{}\" hold characters that cannot be sent",
                self.route.provider
            ),
        )
        .with_hint("Look for a line end or a space in the file they come from.")
    }
}

/// A proxy without credentials, as its URL stands in a setting.
fn usable_proxy(url: &str) -> Result<ureq::Proxy, &'static str> {
    let proxy = ureq::Proxy::new(url).map_err(|_| "It is no URL.")?;
    // Others would be passed by without a word, or need crates that are not here.
    if proxy.protocol() != ureq::ProxyProtocol::Http {
        return Err("It must begin with http://.");
    }
    check_authority(proxy.uri())?;
    Ok(proxy)
}

/// Host and port, as they stand in settings: no place for secrets.
fn check_authority(uri: &Uri) -> Result<(), &'static str> {
    let authority = uri.authority().ok_or("It names no host.")?;
    if authority.as_str().contains('@') {
        return Err("It must not hold credentials.");
    }
    // Another port would be taken without a word.
    if authority.port_u16().is_none() && authority.as_str() != authority.host() {
        return Err("Its port is no number.");
    }
    Ok(())
}

fn authorities(path: &str) -> Result<Vec<Certificate<'static>>> {
    let unusable = |why: &str| {
        Error::new(Kind::NotReady, format!("CA file \"{path}\" cannot be used")).with_detail(why)
    };
    let pem = std::fs::read(path)
        .map_err(|error| unusable(&format!("It cannot be read: {}.", error.kind())))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item.map_err(|_| unusable("It is no PEM."))? {
            PemItem::Certificate(certificate) => {
                // `ureq` leaves out what it cannot read, and then trusts nobody.
                RootCertStore::empty()
                    .add(CertificateDer::from(certificate.der()))
                    .map_err(|_| unusable("It holds a certificate that cannot be read."))?;
                found.push(certificate);
            }
            _ => return Err(unusable("It holds something other than certificates.")),
        }
    }
    if found.is_empty() {
        return Err(unusable("It holds no certificate."));
    }
    Ok(found)
}

fn tls_reason(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "Its certificate has expired.",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "Its certificate is not valid yet."
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "Its certificate is for another host name."
            }
            // The latter is an authority of the same name.
            Bad::UnknownIssuer | Bad::BadSignature => {
                "Its certificate comes from an authority that is not trusted."
            }
            Bad::Revoked => "Its certificate was revoked.",
            _ => "Its certificate cannot be trusted.",
        },
        _ => "TLS could not be agreed on.",
    }
}
