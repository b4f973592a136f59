//! Hostile servers: nothing they do holds a call beyond its deadline, keeps it from being canceled,
//! or puts a word of theirs into an error.

mod answers;
mod server;
mod tls;

use std::io::Write;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::NextTimeout;

use self::server::{Caller, Full, LIMITS, Poll, Server, alone, drip, post};
use super::client::{Client, Route};
use super::line::{Dial, InThread, Patience, Waited};
use super::{Http, Limits, Method, Request, call};
use crate::error::Kind;

const OK: &str = "HTTP/1.1 200 OK\r\nX-Token: S3CRET\r\nContent-Length: 2\r\n\r\n{}";

/// Trailers after a body, which nobody counts.
const ENDLESS: (&str, &str) = (
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    "X: S3CRET\r\n",
);

fn caller() -> Caller {
    Caller::new(Route::default())
}

#[test]
fn http_sends_what_was_asked_and_no_more() {
    let server = Server::saying(OK);
    let response = caller().post(&server.url()).unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"{}"[..])
    );
    assert!(response.json().unwrap().is_object());
    let request = server.requests.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "post /v1/x?y=z http/1.1");
    lines.sort();
    assert_eq!(
        lines,
        [
            "accept: */*",
            "authorization: bearer s3cret-header",
            "content-length: 11",
            &format!("host: {}", server.address),
            "user-agent: confiture",
        ]
    );
    assert_eq!(body, "S3CRET-body");

    let get = Request::new(Method::GET, server.url());
    let caller = caller();
    caller.client.send(&get, caller.client.deadline()).unwrap();
    assert!(
        server
            .requests
            .recv()
            .unwrap()
            .starts_with("GET /v1/x?y=z HTTP/1.1\r\n")
    );
    let put = Request::new(Method::PUT, server.url());
    caller.client.send(&put, caller.client.deadline()).unwrap();
    assert!(
        server
            .requests
            .recv()
            .unwrap()
            .to_lowercase()
            .contains("content-length: 0")
    );
}

#[test]
fn http_gives_up_on_a_silent_server_at_the_deadline() {
    let server = Server::answering(|_, _| thread::sleep(Duration::from_secs(60)));
    let error = caller().assert_gives_up(&server.url());
    assert!(
        error
            .detail()
            .unwrap()
            .contains("2000 ms (confiture.key_request_timeout)")
    );
    let begin = Instant::now();
    let late = caller();
    let over = super::Deadline::after(Duration::ZERO);
    assert!(late.client.send(&post(&server.url()), over).is_err());
    assert!(begin.elapsed() < Duration::from_millis(50));
}

#[test]
fn http_gives_up_on_a_server_that_drips() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
    ] {
        let server = Server::answering(move |_, stream| {
            stream.write_all(head.as_bytes()).unwrap();
            drip(stream, b"S", Duration::from_millis(200));
        });
        caller().assert_gives_up(&server.url());
    }
}

#[test]
fn http_says_that_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (error, took) = caller().refusal(&format!("http://{address}/"), "08001");
    assert_eq!(
        error.detail(),
        Some("The connection failed: connection refused.")
    );
    assert!(took < Duration::from_millis(200));
}

#[test]
fn http_gives_up_on_a_connection_that_does_not_stand() {
    let full = Full::new();
    let url = format!("http://{}/", full.address);
    let (error, took) = caller().refusal(&url, "08001");
    assert!(
        error
            .detail()
            .unwrap()
            .contains("1000 ms (confiture.key_connect_timeout)")
    );
    assert!(took < LIMITS.connect.mul_f64(1.1), "{took:?}");
}

#[test]
fn http_shares_the_time_to_connect_among_addresses() {
    let (a, b, live) = (Full::new(), Full::new(), Server::saying(OK));
    let dial = Dial::new(Arc::new(Poll::default()));
    let timeout = || NextTimeout {
        after: LIMITS.connect.into(),
        ..NextTimeout::default()
    };
    let begin = Instant::now();
    assert!(
        dial.first(&[a.address, b.address, a.address], timeout())
            .is_err()
    );
    assert!(
        begin.elapsed() < LIMITS.connect.mul_f64(1.1),
        "{:?}",
        begin.elapsed()
    );
    let begin = Instant::now();
    let (stream, _) = dial.first(&[a.address, live.address], timeout()).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), live.address);
    assert!(
        begin.elapsed() < LIMITS.connect.mul_f64(0.6),
        "{:?}",
        begin.elapsed()
    );
    assert!(dial.first(&[], timeout()).is_err());
}

#[test]
fn http_repeats_a_call_that_was_refused_for_now() {
    let caller = caller();
    let ask = |server: &Server| {
        call(
            &caller.client,
            caller.client.deadline(),
            &post(&server.url()),
            |_| false,
        )
    };
    let busy = Server::answering(|number, stream| {
        let answer = "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 6\r\n\r\nS3CRET";
        let answer = if number == 0 { answer } else { OK };
        stream.write_all(answer.as_bytes()).unwrap();
    });
    assert_eq!(ask(&busy).unwrap().status, 200);
    assert_eq!(busy.requests.try_iter().count(), 2);

    let broken = Server::saying("HTTP/1.1 503 No\r\nContent-Length: 6\r\n\r\nS3CRET");
    let begin = Instant::now();
    assert_eq!(ask(&broken).unwrap().status, 503);
    assert_eq!(broken.requests.try_iter().count(), 3);
    assert!(begin.elapsed() >= Duration::from_millis(300));

    let refused = Server::saying("HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nS3CRET");
    assert_eq!(ask(&refused).unwrap().status, 403);
    assert_eq!(refused.requests.try_iter().count(), 1);
    let said = call(
        &caller.client,
        caller.client.deadline(),
        &post(&refused.url()),
        |response| response.body.as_slice() == b"S3CRET",
    );
    assert_eq!(said.unwrap().status, 403);
    assert_eq!(refused.requests.try_iter().count(), 3);

    // Repetitions end with the deadline as well: before one that could not, or within one.
    for (length, ends_with) in [(900, Some(503)), (700, None)] {
        let slow = Server::answering(move |_, stream| {
            thread::sleep(Duration::from_millis(length));
            let _ = stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
        });
        let begin = Instant::now();
        assert_eq!(ask(&slow).ok().map(|response| response.status), ends_with);
        assert!(begin.elapsed() < LIMITS.total.mul_f64(1.1));
    }

    caller.patience.cancel_after(Duration::from_millis(50));
    assert_eq!(ask(&broken).err().unwrap().kind(), Kind::QueryCanceled);
    assert_eq!(
        caller
            .client
            .pause(Duration::from_secs(9))
            .unwrap_err()
            .kind(),
        Kind::QueryCanceled
    );
}

#[test]
fn http_is_canceled_wherever_it_waits() {
    let silent = Server::answering(|_, _| thread::sleep(Duration::from_secs(60)));
    caller().assert_cancels(&silent.url());
    let full = Full::new();
    let patient = Limits {
        connect: LIMITS.total,
        ..LIMITS
    };
    let url = format!("http://{}/", full.address);
    Caller::with(Route::default(), patient).assert_cancels(&url);
    // Asked for TLS, a server that says nothing is one that stops in the middle of the handshake.
    let silent = Server::new(|_, _, _| thread::sleep(Duration::from_secs(60)));
    caller().assert_cancels(&format!("https://{}/", silent.address));
    let dripping = Server::answering(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
            .unwrap();
        drip(stream, b"S", Duration::from_millis(5));
    });
    caller().assert_cancels(&dripping.url());
    let flooding = Server::answering(|_, stream| {
        let _ = stream.write_all(ENDLESS.0.as_bytes());
        drip(stream, ENDLESS.1.repeat(1000).as_bytes(), Duration::ZERO);
    });
    caller().assert_cancels(&flooding.url());
}

#[test]
fn http_without_tls_does_not_leave_the_machine() {
    let refused = |route: Route, url: &str| {
        let (error, took) = Caller::new(route).refusal(url, "22023");
        assert!(took < Duration::from_millis(50), "{url}");
        error.detail().map(str::to_owned).unwrap_or_default()
    };
    for url in [
        "http://vault.example.com/",
        "http://192.0.2.1/",
        "http://0.0.0.0/",
        "http://10.0.0.1:8200/",
        "http://[2001:db8::1]/",
        "http://[::ffff:192.0.2.1]/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
    ] {
        assert!(
            refused(Route::default(), url).contains("Plain HTTP"),
            "{url}"
        );
    }
    let server = Server::saying(OK);
    let local = server.url();
    let elsewhere = |address: &str| Route {
        hostaddr: Some(address.parse::<IpAddr>().unwrap()),
        ..Route::default()
    };
    for url in [local.as_str(), "http://localhost/"] {
        assert!(refused(elsewhere("192.0.2.1"), url).contains("Plain HTTP"));
    }
    assert!(Caller::new(elsewhere("127.0.0.1")).post(&local).is_ok());
    let proxied = Route {
        proxy: Some("http://192.0.2.1:3128".to_owned()),
        ..Route::default()
    };
    assert!(refused(proxied, &local).contains("proxy"));
    for url in [
        "http://user:S3CRET@127.0.0.1/",
        "https://S3CRET@example.com/",
    ] {
        assert!(refused(Route::default(), url).contains("credentials"));
    }
    for url in [
        "",
        "S3CRET",
        "/S3CRET",
        "ftp://127.0.0.1/S3CRET",
        "file:///S3CRET",
        "https://",
        "https://x:S3CRET/",
        "https://x:99999/",
        "http://127.0.0.1:/",
    ] {
        refused(Route::default(), url);
    }
    for address in [
        SocketAddr::from(([127, 0, 0, 1], 1)),
        "[::1]:1".parse().unwrap(),
    ] {
        caller().refusal(&format!("http://{address}/"), "08001");
    }
    let by_name = local.replace("127.0.0.1", "localhost");
    assert!(caller().post(&by_name).is_ok());
    // Names are looked at once more when they are looked up: "localhost" may be anything.
    let config = ureq::config::Config::builder().proxy(None).build();
    let look_up = |url: &str| {
        let uri = url.parse().unwrap();
        InThread::new(None).resolve(&uri, &config, NextTimeout::default())
    };
    assert!(look_up("http://192.0.2.1/").is_err());
    assert!(look_up("https://192.0.2.1/").is_ok());
    assert!(look_up("http://localhost/").is_ok());
}

#[test]
fn http_sends_no_header_that_could_be_two() {
    let server = Server::saying(OK);
    let caller = caller();
    for bad in [
        "S3CRET\r\nX-Other: 1",
        "S3CRET\n",
        "S3CRET\r",
        "S3CRET\0",
        "S3CRET\x7f",
    ] {
        let request = Request::new(Method::GET, server.url()).header("x-vault-token", bad);
        let error = caller
            .client
            .send(&request, caller.client.deadline())
            .err()
            .unwrap();
        assert_eq!(error.kind(), Kind::Credentials);
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
    }
    for bad in ["\r\nX-Other: S3CRET", " S3CRET", "\n", "\0"] {
        caller.refusal(&format!("{}{bad}", server.url()), "22023");
    }
    assert!(
        server
            .requests
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
}

/// Wakes up at once, whatever it waits for.
#[derive(Debug)]
struct Nervous;

impl Patience for Nervous {
    fn wait(&self, _: Option<BorrowedFd<'_>>, _: bool, _: Duration) -> Waited {
        thread::sleep(Duration::from_millis(1));
        Waited::Ready
    }
}

#[test]
fn http_takes_no_wake_up_for_a_connection() {
    let full = Full::new();
    let timeout = NextTimeout {
        after: Duration::from_millis(300).into(),
        ..NextTimeout::default()
    };
    let nervous = Dial::new(Arc::new(Nervous));
    assert!(nervous.first(&[full.address], timeout).is_err());
    let client = Client::new(Route::default(), LIMITS, Arc::new(Nervous)).unwrap();
    let slow = Server::answering(|_, stream| {
        thread::sleep(Duration::from_millis(100));
        stream.write_all(OK.as_bytes()).unwrap();
    });
    let response = client.send(&post(&slow.url()), client.deadline());
    assert_eq!(response.unwrap().status, 200);
}

#[test]
fn http_says_that_a_name_stands_for_nothing() {
    // Without a name server at hand this may take as long as the resolver likes.
    let error = caller().refusal("https://vault.invalid/", "08001").0;
    assert_eq!(error.detail(), Some("Its host name could not be resolved."));
}

#[test]
fn http_starts_no_thread() {
    alone(module_path!(), "http_starts_no_thread", &[], || {
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let (sender, seen) = std::sync::mpsc::channel();
        let server = Server::answering(move |_, stream| {
            sender.send(threads()).unwrap();
            stream.write_all(OK.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        });
        let before = threads();
        let caller = caller();
        let by_name = server.url().replace("127.0.0.1", "localhost");
        assert_eq!(caller.post(&by_name).unwrap().status, 200);
        let _ = caller.post("https://127.0.0.1:1/");
        let _ = caller.post("https://vault.invalid/");
        assert_eq!(seen.recv().unwrap(), before);
        assert_eq!(threads(), before);
    });
}

#[test]
fn http_takes_no_proxy_but_one_without_secrets() {
    for bad in [
        "",
        "http://",
        "socks5://127.0.0.1:1080",
        "socks4://127.0.0.1:1080",
        "https://127.0.0.1:1080",
        "http://user:S3CRET@127.0.0.1:3128",
        "ftp://127.0.0.1/S3CRET",
        "http://127.0.0.1:S3CRET",
    ] {
        let route = Route {
            provider: "vault",
            proxy: Some(bad.to_owned()),
            ..Route::default()
        };
        let refused = Client::new(route, LIMITS, Arc::new(Poll::default()));
        let error = refused.err().unwrap_or_else(|| panic!("{bad}"));
        assert_eq!(error.kind(), Kind::InvalidParameter);
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
    }
}
