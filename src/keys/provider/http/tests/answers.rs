//! Answers: what is none, what is too much of one, what lies about itself, what leads elsewhere.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Http, Method, Request};
use super::server::{LIMITS, Server, drip, post};
use super::{ENDLESS, OK, caller};
use crate::error::Kind;

#[test]
fn http_does_not_listen_to_a_flood() {
    // None of these makes a body that is too long.
    for (head, flood) in [
        ("", "HTTP/1.1 100 Continue\r\nX: S3CRET\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "X-Filler: S3CRET\r\n"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=",
            "S3CRET",
        ),
        ENDLESS,
    ] {
        let server = Server::answering(move |_, stream| {
            stream.write_all(head.as_bytes()).unwrap();
            drip(stream, flood.repeat(1000).as_bytes(), Duration::ZERO);
        });
        let begin = Instant::now();
        let error = caller().post(&server.url()).err().unwrap();
        assert!(begin.elapsed() < LIMITS.total.mul_f64(1.1), "{error:?}");
        assert!(
            matches!(error.kind(), Kind::Unreachable | Kind::Protocol),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("S3CRET"));
    }
}

#[test]
fn http_refuses_what_is_no_http() {
    for garbage in [
        &b"S3CRET\r\n\r\n"[..],
        b"SSH-2.0-S3CRET\r\n",
        b"HTTP/1.1 abc S3CRET\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nS3CRET\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: S3CRET\r\n\r\nS3CRET",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nS3CRET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nS3CRET\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nS3CRET",
        b"\x16\x03\x01\x02\x00S3CRET\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n",
    ] {
        let server = Server::saying(garbage);
        let (error, took) = caller().refusal(&server.url(), "08P01");
        assert!(took < Duration::from_secs(1), "{error:?}");
    }
    // Nothing at all, or not enough to judge.
    for little in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nX: S3CRET\r\n"] {
        let server = Server::saying(little);
        caller().refusal(&server.url(), "08001");
    }
}

#[test]
fn http_takes_bodies_of_64_kib_and_no_longer_ones() {
    let long = "S3CRET--".repeat(8193);
    let at_most = &long[..64 * 1024];
    let heads = |length: usize| {
        [
            format!("Content-Length: {length}\r\n\r\n"),
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n"),
            "Connection: close\r\n\r\n".to_owned(),
        ]
    };
    for head in heads(at_most.len()) {
        let end = if head.contains("chunked") {
            "\r\n0\r\n\r\n"
        } else {
            ""
        };
        let server = Server::saying(format!("HTTP/1.1 200 OK\r\n{head}{at_most}{end}"));
        let response = caller().post(&server.url()).unwrap();
        assert_eq!(response.body.as_slice(), at_most.as_bytes());
    }
    for head in heads(long.len()) {
        let server = Server::saying(format!("HTTP/1.1 200 OK\r\n{head}{long}"));
        let (error, _) = caller().refusal(&server.url(), "08P01");
        assert_eq!(error.detail(), Some("It is longer than 64 KiB."));
    }
}

#[test]
fn http_believes_no_length_that_is_a_lie() {
    // Less than was said, then the end.
    let short = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nS3CRET");
    caller().refusal(&short.url(), "08001");
    let short = Server::saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nS3CRET\r\n6\r\nS3",
    );
    caller().refusal(&short.url(), "08001");
    // Less than was said, then nothing.
    let waiting = Server::answering(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nS3CRET")
            .unwrap();
        thread::sleep(Duration::from_secs(60));
    });
    caller().assert_gives_up(&waiting.url());
    // More than was said: the rest is nobody's.
    let more = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}S3CRET");
    assert_eq!(caller().post(&more.url()).unwrap().body.as_slice(), b"{}");
    // No memory is taken for what is only announced.
    let announced = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    caller().refusal(&announced.url(), "08001");
}

#[test]
fn http_reads_chunks() {
    let server = Server::saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\n{\r\nA;x=y\r\n\"a\":12345}\r\n0\r\n\r\n",
    );
    let response = caller().post(&server.url()).unwrap();
    assert_eq!(response.body.as_slice(), b"{\"a\":12345}");
}

#[test]
fn http_follows_no_redirect() {
    let other = Server::saying(OK);
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = other.url();
        let server = Server::saying(format!(
            "HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 6\r\n\r\nS3CRET"
        ));
        for method in [Method::GET, Method::POST] {
            let caller = caller();
            let request = Request {
                method,
                ..post(&server.url())
            };
            let response = caller
                .client
                .send(&request, caller.client.deadline())
                .unwrap();
            assert_eq!(response.status, status[..3].parse::<u16>().unwrap());
        }
    }
    assert!(
        other
            .requests
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
}
