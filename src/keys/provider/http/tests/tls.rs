//! TLS: who a server must be, what is said when it is not, and proxies, which see nothing of it.

use std::io::{Write, copy};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::super::client::{Client, Route};
use super::OK;
use super::server::{Caller, LIMITS, Poll, Server, alone, drip, read_request};
use crate::error::Kind;

const NAME: &str = "kms.test";

/// An authority of its own, with the PEM file that says so.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    ca_file: PathBuf,
}

impl Authority {
    fn new(stem: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, stem);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let name = format!("confiture-ca-{}-{number}.pem", std::process::id());
        let ca_file = std::env::temp_dir().join(name);
        std::fs::write(&ca_file, certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            ca_file,
        }
    }

    /// What a server needs that is to be believed to be `name`, until the end of a year.
    fn identity(&self, name: &str, last_year: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private);
        Arc::new(config.unwrap())
    }

    /// The route to a server of this machine by a name that only its certificate knows.
    fn route(&self) -> Route {
        Route {
            ca_file: Some(self.ca_file.to_str().unwrap().to_owned()),
            hostaddr: Some(IpAddr::from([127, 0, 0, 1])),
            ..Route::default()
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server with TLS; its requests begin with the name it was asked for by.
fn serve(identity: Arc<ServerConfig>, answer: impl Fn(&mut dyn Write) + Send + 'static) -> Server {
    Server::new(move |_, socket, requests| {
        let mut connection = ServerConnection::new(identity.clone()).unwrap();
        let mut stream = Stream::new(&mut connection, socket);
        let request = read_request(&mut stream);
        let asked = connection.server_name().unwrap_or_default();
        requests.send(format!("{asked} {request}")).unwrap();
        let mut stream = Stream::new(&mut connection, socket);
        answer(&mut stream);
        connection.send_close_notify();
        let _ = connection.complete_io(socket);
    })
}

fn say_ok(stream: &mut dyn Write) {
    let _ = stream.write_all(OK.as_bytes());
}

fn url(server: &Server) -> String {
    format!("https://{NAME}:{}/v1/x", server.address.port())
}

#[test]
fn tls_keeps_the_name_where_an_address_is_set() {
    let authority = Authority::new("name");
    let server = serve(authority.identity(NAME, 2090), say_ok);
    let response = Caller::new(authority.route()).post(&url(&server)).unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"{}"[..])
    );
    let request = server.requests.recv().unwrap().to_lowercase();
    assert!(
        request.starts_with("kms.test post /v1/x http/1.1\r\n"),
        "{request}"
    );
    let host = format!("\r\nhost: kms.test:{}\r\n", server.address.port());
    assert!(request.contains(&host));
}

#[test]
fn tls_says_why_a_certificate_is_refused() {
    let (authority, other) = (Authority::new("right"), Authority::new("wrong"));
    let namesake = Authority::new("right");
    let public = Route {
        ca_file: None,
        ..authority.route()
    };
    for (identity, route, words) in [
        (
            other.identity(NAME, 2090),
            authority.route(),
            "authority that is not trusted",
        ),
        (
            namesake.identity(NAME, 2090),
            authority.route(),
            "authority that is not trusted",
        ),
        (
            authority.identity(NAME, 2090),
            public,
            "authority that is not trusted",
        ),
        (
            authority.identity("other.test", 2090),
            authority.route(),
            "another host name",
        ),
        (
            authority.identity(NAME, 2002),
            authority.route(),
            "has expired",
        ),
    ] {
        let server = serve(identity, say_ok);
        let (error, _) = Caller::new(route).refusal(&url(&server), "08001");
        assert!(error.detail().unwrap().contains(words), "{error:?}");
        // Nothing was said to it.
        let request = server
            .requests
            .recv_timeout(Duration::from_secs(5))
            .unwrap();
        assert!(!request.contains("S3CRET"), "{request}");
    }
    let plain = Server::new(|_, socket, _| drop(socket.write_all(b"HTTP/1.1 400 S3CRET\r\n\r\n")));
    let url = url(&plain);
    let (error, _) = Caller::new(authority.route()).refusal(&url, "08001");
    assert_eq!(error.detail(), Some("TLS could not be agreed on."));
    // A server that hangs up in the handshake.
    let closing = Server::new(|_, socket, _| drop(socket.shutdown(Shutdown::Both)));
    Caller::new(authority.route()).refusal(&self::url(&closing), "08001");
}

#[test]
fn tls_keeps_deadline_and_cancel() {
    let authority = Authority::new("deadline");
    let dripping = |pause| {
        serve(authority.identity(NAME, 2090), move |stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n");
            drip(&mut &mut *stream, b"S", Duration::from_millis(pause));
        })
    };
    Caller::new(authority.route()).assert_gives_up(&url(&dripping(200)));
    Caller::new(authority.route()).assert_cancels(&url(&dripping(200)));
    Caller::new(authority.route()).assert_cancels(&url(&dripping(1)));
    let silent = Server::new(|_, _, _| thread::sleep(Duration::from_secs(60)));
    let (error, took) = Caller::new(authority.route()).refusal(&url(&silent), "08001");
    assert!(
        error.detail().unwrap().contains("key_connect_timeout"),
        "{error:?}"
    );
    assert!(took < LIMITS.connect.mul_f64(1.1), "{took:?}");
    // A body that ends without the end that TLS demands.
    let cut = Server::new({
        let identity = authority.identity(NAME, 2090);
        move |_, socket, _| {
            let mut connection = ServerConnection::new(identity.clone()).unwrap();
            let mut stream = Stream::new(&mut connection, socket);
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nS3CRET");
        }
    });
    Caller::new(authority.route()).refusal(&url(&cut), "08001");
}

#[test]
fn tls_needs_a_ca_file_of_certificates() {
    let path = std::env::temp_dir().join(format!("confiture-ca-{}", std::process::id()));
    let key = KeyPair::generate().unwrap().serialize_pem();
    let broken = "-----BEGIN CERTIFICATE-----\nS3CRET!\n-----END CERTIFICATE-----\n";
    let untrue = "-----BEGIN CERTIFICATE-----\nS3CRETS3CRET\n-----END CERTIFICATE-----\n";
    for content in ["", "S3CRET", key.as_str(), broken, untrue] {
        std::fs::write(&path, content).unwrap();
        let route = Route {
            ca_file: Some(path.to_str().unwrap().to_owned()),
            ..Route::default()
        };
        let error = Client::new(route, LIMITS, Arc::new(Poll::default()));
        let error = error.err().unwrap_or_else(|| panic!("{content:?}"));
        assert_eq!(error.kind(), Kind::NotReady);
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
    }
    std::fs::remove_file(&path).unwrap();
}

/// A proxy that answers CONNECT with some text and, if it agrees, joins both sides.
fn proxy(answer: &'static str, target: u16) -> Server {
    Server::answering(move |_, client| {
        if client.write_all(answer.as_bytes()).is_err() || !answer.contains(" 200 ") {
            return;
        }
        let mut server = TcpStream::connect(("127.0.0.1", target)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let _ = copy(&mut server, client);
        let _ = client.shutdown(Shutdown::Both);
    })
}

fn through(authority: &Authority, proxy: &Server) -> Caller {
    Caller::new(Route {
        proxy: Some(format!("http://{}", proxy.address)),
        // Of no use behind a proxy.
        hostaddr: Some(IpAddr::from([192, 0, 2, 1])),
        ..authority.route()
    })
}

#[test]
fn proxy_sees_the_name_and_nothing_else() {
    let authority = Authority::new("proxy");
    let server = serve(authority.identity(NAME, 2090), say_ok);
    let proxy = proxy("HTTP/1.1 200 Fine\r\n\r\n", server.address.port());
    let response = through(&authority, &proxy).post(&url(&server)).unwrap();
    assert_eq!(response.status, 200);
    let asked = proxy.requests.recv().unwrap();
    let target = format!("CONNECT {NAME}:{} HTTP/1.1\r\n", server.address.port());
    assert!(asked.starts_with(&target), "{asked}");
    assert!(!asked.contains("S3CRET"), "{asked}");
    assert!(server.requests.recv().unwrap().contains("S3CRET-header"));
    // The proxy is no way around the certificate.
    let other = serve(authority.identity("other.test", 2090), say_ok);
    let proxy = self::proxy("HTTP/1.1 200 Fine\r\n\r\n", other.address.port());
    let (error, _) = through(&authority, &proxy).refusal(&url(&other), "08001");
    assert!(error.detail().unwrap().contains("another host name"));
}

#[test]
fn proxy_that_refuses_or_dawdles_is_no_way_out() {
    let authority = Authority::new("dawdle");
    let target = "https://kms.test/";
    for answer in [
        "HTTP/1.1 407 S3CRET\r\nProxy-Authenticate: S3CRET\r\n\r\nS3CRET",
        "HTTP/1.1 502 S3CRET\r\n\r\n",
        "HTTP/1.1 301 S3CRET\r\nLocation: https://example.com/\r\n\r\n",
        "",
    ] {
        let proxy = proxy(answer, 1);
        let (error, _) = through(&authority, &proxy).refusal(target, "08001");
        assert!(
            error.detail().unwrap().contains("proxy") || answer.is_empty(),
            "{error:?}"
        );
    }
    let garbage = proxy("S3CRET\r\n\r\n", 1);
    through(&authority, &garbage).refusal(target, "08P01");
    let silent = || Server::answering(|_, _| thread::sleep(Duration::from_secs(60)));
    let dripping = || {
        Server::answering(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 ");
            drip(stream, b"S", Duration::from_millis(100));
        })
    };
    for make in [&silent as &dyn Fn() -> Server, &dripping] {
        let proxy = make();
        let (error, took) = through(&authority, &proxy).refusal(target, "08001");
        assert!(took < LIMITS.connect.mul_f64(1.1), "{took:?}: {error:?}");
        through(&authority, &make()).assert_cancels(target);
    }
}

#[test]
fn proxy_of_the_environment_is_not_used() {
    let there = [
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("https_proxy", "http://127.0.0.1:1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
        ("NO_PROXY", "*"),
    ];
    // Without NO_PROXY, a proxy that was taken from there would be a refused connection.
    for variables in [&there[..5], &there] {
        alone(
            module_path!(),
            "proxy_of_the_environment_is_not_used",
            variables,
            || {
                let authority = Authority::new("environment");
                let server = serve(authority.identity(NAME, 2090), say_ok);
                let direct = Caller::new(authority.route());
                assert_eq!(direct.post(&url(&server)).unwrap().status, 200);
                // One that is set is used whatever NO_PROXY says.
                let proxy = proxy("HTTP/1.1 200 Fine\r\n\r\n", server.address.port());
                let response = through(&authority, &proxy).post(&url(&server));
                assert_eq!(response.unwrap().status, 200);
                assert!(proxy.requests.recv().unwrap().starts_with("CONNECT "));
            },
        );
    }
}
