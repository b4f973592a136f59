//! Calls of KMS on a scripted line: what is sent, and what is made of the answers.

use serde_json::Value;

use super::script::{ARN, Sent, binding, provider};
use super::{AwsProvider, NAME};
use crate::error::{Error, Kind};
use crate::keys::Secret;
use crate::keys::provider::{Provider, Wrapped};

const SETTING: &str = "region=eu-west-1 key=alias/confiture";
const PLAINTEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// The id and the secret of Amazon's own examples, with and without a token.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const LASTING: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
];
const TEMPORARY: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
    (
        "AWS_SESSION_TOKEN",
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfp\
         SPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQ\
         DYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+s\
         cqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
    ),
];

fn data_key() -> Secret {
    Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn wrapped() -> Wrapped {
    Wrapped {
        provider: NAME.to_owned(),
        kek_ref: ARN.to_owned(),
        kek_version: None,
        alg: "aws-kms-symmetric".to_owned(),
        blob: vec![1, 2, 3],
    }
}

fn encrypted() -> String {
    format!("{{\"CiphertextBlob\":\"AQID\",\"KeyId\":\"{ARN}\",\"EncryptionAlgorithm\":\"X\"}}")
}

fn decrypted() -> String {
    format!("{{\"KeyId\":\"{ARN}\",\"Plaintext\":\"{PLAINTEXT}\"}}")
}

/// A request is the one for which botocore computed the signature, byte for byte.
fn assert_is_vector(sent: &Sent, name: &str) {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/vectors/sigv4.json")).unwrap();
    let vector = vectors.iter().find(|v| v["name"] == name).unwrap();
    assert_eq!(sent.line, "service");
    assert_eq!(sent.method, vector["method"]);
    assert_eq!(
        sent.url,
        format!("https://{}/", vector["host"].as_str().unwrap())
    );
    assert_eq!(sent.body, vector["body"].as_str().unwrap());
    let mut expected = vec![
        ("authorization", vector["authorization"].as_str().unwrap()),
        ("x-amz-date", vector["stamp"].as_str().unwrap()),
    ];
    expected.extend(
        vector["token"]
            .as_str()
            .map(|t| ("x-amz-security-token", t)),
    );
    let others = vector["headers"].as_object().unwrap();
    expected.extend(
        others
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap())),
    );
    expected.sort_unstable();
    let mut headers: Vec<(&str, &str)> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    headers.sort_unstable();
    assert_eq!(headers, expected);
}

/// No part of an error holds what was in the environment, the row or the answer.
fn assert_silent(error: &Error) {
    let shown = format!("{error:?}");
    for secret in [
        "S3CRET",
        "AKIDEXAMPLE",
        SECRET,
        "AQoDYXdz",
        PLAINTEXT,
        "AQID",
        "AAECAwQ",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn wrapping_is_one_signed_encrypt() {
    let (aws, script) = provider(SETTING, LASTING).unwrap();
    script.answer(200, encrypted());
    assert_eq!(aws.wrap(&data_key(), &binding()).unwrap(), wrapped());
    let sent = script.take();
    assert_eq!(sent.len(), 1);
    assert_is_vector(&sent[0], "wrap");
}

#[test]
fn unwrapping_is_one_signed_decrypt_by_the_stored_name() {
    let (aws, script) = provider(SETTING, TEMPORARY).unwrap();
    script.answer(200, decrypted());
    let opened = aws.unwrap(&wrapped(), &binding()).unwrap();
    assert_eq!(opened.expose(), data_key().expose());
    let sent = script.take();
    assert_eq!(sent.len(), 1);
    assert_is_vector(&sent[0], "unwrap");
}

#[test]
fn rotating_names_the_key_by_what_wrapping_says() {
    let (aws, script) = provider(SETTING, LASTING).unwrap();
    script.answer(200, encrypted());
    script.answer(200, format!("{{\"KeyId\":\"{ID}\"}}"));
    let kek = aws.rotate_kek().unwrap();
    assert_eq!((kek.reference.as_str(), kek.version), (ARN, None));
    let sent = script.take();
    assert_eq!(sent[0].header("x-amz-target"), Some("TrentService.Encrypt"));
    assert!(sent[0].body.contains("\"confiture:key\":\"health\""));
    assert!(
        sent[0]
            .body
            .contains("\"00000000-0000-0000-0000-000000000000\"")
    );
    assert_is_vector(&sent[1], "rotate");

    let setting = format!("region=eu-west-1 key={ARN}");
    let (aws, script) = provider(&setting, LASTING).unwrap();
    script.answer(200, format!("{{\"KeyId\":\"{ID}\"}}"));
    aws.rotate_kek().unwrap();
    assert_is_vector(&script.take()[0], "rotate");
}

#[test]
fn rotating_is_never_repeated() {
    let setting = format!("region=eu-west-1 key={ARN}");
    for (status, code, kind) in [
        (500, "KMSInternalException", Kind::External),
        (400, "LimitExceededException", Kind::Throttled),
        (400, "ThrottlingException", Kind::Throttled),
        (400, "ConflictException", Kind::InUse),
        (400, "UnsupportedOperationException", Kind::Unsupported),
        (400, "DisabledException", Kind::NotReady),
        (503, "", Kind::External),
    ] {
        let (aws, script) = provider(&setting, LASTING).unwrap();
        script.answer(
            status,
            format!("{{\"__type\":\"{code}\",\"message\":\"S3CRET\"}}"),
        );
        let error = aws.rotate_kek().unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_silent(&error);
        assert_eq!(script.take().len(), 1);
    }
}

#[test]
fn refusals_of_kms_keep_their_meaning() {
    for (status, code, kind, tries) in [
        (400, "NotFoundException", Kind::UndefinedObject, 1),
        (400, "DisabledException", Kind::NotReady, 1),
        (400, "KMSInvalidStateException", Kind::NotReady, 1),
        (400, "AccessDeniedException", Kind::Permission, 1),
        (400, "UnrecognizedClientException", Kind::Credentials, 1),
        (403, "SignatureDoesNotMatch", Kind::Credentials, 1),
        (
            403,
            "MissingAuthenticationTokenException",
            Kind::Credentials,
            1,
        ),
        (400, "ThrottlingException", Kind::Throttled, 3),
        (400, "RequestLimitExceeded", Kind::Throttled, 3),
        (429, "TooManyRequestsException", Kind::Throttled, 3),
        (500, "KeyUnavailableException", Kind::External, 3),
        (503, "DependencyTimeoutException", Kind::External, 3),
        (500, "S3CRET", Kind::External, 3),
        (400, "S3CRET", Kind::Protocol, 1),
        (302, "S3CRET", Kind::Protocol, 1),
    ] {
        for opening in [false, true] {
            let (aws, script) = provider(SETTING, TEMPORARY).unwrap();
            for _ in 0..tries {
                let body = format!("{{\"__type\":\"{code}\",\"message\":\"S3CRET {PLAINTEXT}\"}}");
                script.answer(status, body);
            }
            let error = if opening {
                aws.unwrap(&wrapped(), &binding()).err().unwrap()
            } else {
                aws.wrap(&data_key(), &binding()).unwrap_err()
            };
            assert_eq!(error.kind(), kind, "{code}");
            assert_silent(&error);
            assert_eq!(script.take().len(), tries, "{code}");
        }
    }
}

#[test]
fn ciphertexts_of_another_row_are_corrupt() {
    for code in ["InvalidCiphertextException", "IncorrectKeyException"] {
        let (aws, script) = provider(SETTING, LASTING).unwrap();
        script.answer(400, format!("{{\"__type\":\"{code}\",\"message\":null}}"));
        let error = aws.unwrap(&wrapped(), &binding()).err().unwrap();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.message().contains("version 3 of key \"masking\""));
        script.take();
        script.answer(400, format!("{{\"__type\":\"{code}\"}}"));
        assert_eq!(
            aws.wrap(&data_key(), &binding()).unwrap_err().kind(),
            Kind::Protocol
        );
    }
}

#[test]
fn rows_that_do_not_name_a_key_are_refused_before_a_call() {
    let (aws, script) = provider(SETTING, LASTING).unwrap();
    for kek_ref in [
        "",
        "alias/confiture",
        "arn:aws:kms:evil.example/#-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:key/x\",\"y\":\"z",
        "https://evil.example/",
    ] {
        let row = Wrapped {
            kek_ref: kek_ref.to_owned(),
            ..wrapped()
        };
        let error = aws.unwrap(&row, &binding()).err().unwrap();
        assert_eq!(error.kind(), Kind::Corrupt, "{kek_ref}");
    }
    for length in [0, 6145] {
        let row = Wrapped {
            blob: vec![7; length],
            ..wrapped()
        };
        assert_eq!(
            aws.unwrap(&row, &binding()).err().unwrap().kind(),
            Kind::Corrupt
        );
    }
    let row = Wrapped {
        alg: "aes-256-gcm-siv".to_owned(),
        ..wrapped()
    };
    assert_eq!(
        aws.unwrap(&row, &binding()).err().unwrap().kind(),
        Kind::Unsupported
    );
    assert_eq!(script.take(), []);
}

#[test]
fn rows_are_opened_where_the_setting_says_and_nowhere_else() {
    let elsewhere = ARN.replace("eu-west-1", "us-east-1");
    let foreign = ARN.replace("111122223333", "999922223333");
    let open = |setting: &str, kek_ref: &str, answered: &str| {
        let (aws, script) = provider(setting, LASTING).unwrap();
        if !answered.is_empty() {
            script.answer(200, decrypted().replace(ARN, answered));
        }
        let row = Wrapped {
            kek_ref: kek_ref.to_owned(),
            ..wrapped()
        };
        let opened = aws.unwrap(&row, &binding()).map(drop);
        let sent = script.take().pop();
        opened.map(|()| sent.unwrap())
    };

    // Another region: refused, until the setting lists that key.
    let error = open(SETTING, &elsewhere, "").unwrap_err();
    assert_eq!(error.kind(), Kind::NotReady);
    assert!(error.hint().unwrap().contains("former_keys"));
    let listed = format!("{SETTING} endpoint=https://kms.internal former_keys={elsewhere}");
    let sent = open(&listed, &elsewhere, &elsewhere).unwrap();
    assert_eq!(
        (sent.line, sent.url.as_str()),
        ("identity", "https://kms.us-east-1.amazonaws.com/")
    );
    let signed = sent.header("authorization").unwrap();
    assert!(signed.contains("/20150830/us-east-1/kms/aws4_request"));
    assert!(open(&listed, ARN, ARN).unwrap().url == "https://kms.internal/");

    // Another account: refused where the setting says which one is ours.
    let own = format!("region=eu-west-1 key={ARN}");
    assert_eq!(open(&own, &foreign, "").unwrap_err().kind(), Kind::NotReady);
    let sent = open(
        &format!("{own} former_keys='{foreign}, {elsewhere}'"),
        &foreign,
        &foreign,
    );
    assert_eq!(sent.unwrap().url, "https://kms.eu-west-1.amazonaws.com/");
    assert!(open(SETTING, &foreign, &foreign).is_ok());

    // A multi-Region key: the one here.
    let there = elsewhere.replace(ID, "mrk-1234abcd12ab34cd56ef1234567890ab");
    let here = there.replace("us-east-1", "eu-west-1");
    let sent = open(SETTING, &there, &here).unwrap();
    assert_eq!(sent.url, "https://kms.eu-west-1.amazonaws.com/");
    assert!(sent.body.contains(&here) && !sent.body.contains("us-east-1"));
}

#[test]
fn answers_that_make_no_sense_are_refused() {
    let long = format!(
        "{{\"CiphertextBlob\":\"{}\",\"KeyId\":\"{ARN}\"}}",
        "A".repeat(8200)
    );
    for body in [
        "",
        "S3CRET",
        "[]",
        "{}",
        "null",
        "{\"CiphertextBlob\":7,\"KeyId\":\"S3CRET\"}",
        &format!("{{\"CiphertextBlob\":\"\",\"KeyId\":\"{ARN}\"}}"),
        &format!("{{\"CiphertextBlob\":\"S3CRET!\",\"KeyId\":\"{ARN}\"}}"),
        "{\"CiphertextBlob\":\"AQID\",\"KeyId\":\"S3CRET\"}",
        "{\"CiphertextBlob\":\"AQID\",\"KeyId\":\"alias/confiture\"}",
        &encrypted().replace("eu-west-1", "eu-west-2"),
        &long,
        "<xml>S3CRET</xml>",
        "\u{0}",
    ] {
        let (aws, script) = provider(SETTING, LASTING).unwrap();
        script.answer(200, body);
        let error = aws.wrap(&data_key(), &binding()).unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
        assert_silent(&error);
    }
    let other = ARN.replace('1', "2");
    for body in [
        "",
        "S3CRET",
        "{}",
        "{\"Plaintext\":\"S3CRET\"}",
        &format!("{{\"KeyId\":\"{ARN}\",\"Plaintext\":\"\"}}"),
        &format!("{{\"KeyId\":\"{ARN}\",\"Plaintext\":\"AQID\"}}"),
        &format!("{{\"KeyId\":\"{ARN}\",\"Plaintext\":\"{PLAINTEXT}{PLAINTEXT}\"}}"),
        &format!("{{\"KeyId\":\"{ARN}\",\"Plaintext\":[1,2]}}"),
        &format!("{{\"KeyId\":\"{other}\",\"Plaintext\":\"{PLAINTEXT}\"}}"),
        &format!("{{\"Plaintext\":\"{PLAINTEXT}\"}}"),
    ] {
        let (aws, script) = provider(SETTING, LASTING).unwrap();
        script.answer(200, body);
        let error = aws.unwrap(&wrapped(), &binding()).err().unwrap();
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
        assert_silent(&error);
    }
}

#[test]
fn answers_of_another_key_than_the_one_set_are_refused() {
    let setting = format!("region=eu-west-1 key={ID}");
    let (aws, script) = provider(&setting, LASTING).unwrap();
    script.answer(200, encrypted());
    assert!(aws.wrap(&data_key(), &binding()).is_ok());
    script.answer(
        200,
        encrypted().replace(ID, "00000000-12ab-34cd-56ef-1234567890ab"),
    );
    assert_eq!(
        aws.wrap(&data_key(), &binding()).unwrap_err().kind(),
        Kind::Protocol
    );
}

#[test]
fn garbage_never_panics_and_is_never_shown() {
    let (aws, script) = provider(SETTING, TEMPORARY).unwrap();
    let good = [
        encrypted(),
        decrypted(),
        "{\"__type\":\"Throttling\"}".to_owned(),
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    for turn in 0..4000 {
        let mut body = good[next(3)].clone().into_bytes();
        if turn % 4 == 0 {
            body = (0..next(200))
                .map(|_| u8::try_from(next(256)).unwrap())
                .collect();
        } else {
            for _ in 0..next(6) {
                let at = next(body.len());
                body[at] = u8::try_from(next(256)).unwrap();
            }
            body.truncate(next(2 * body.len() + 1));
        }
        let status = u16::try_from([200, 200, 400, 403, 500][next(5)]).unwrap();
        for _ in 0..3 {
            script.answer(status, &body);
        }
        let results = if turn % 2 == 0 {
            aws.wrap(&data_key(), &binding()).err()
        } else {
            aws.unwrap(&wrapped(), &binding()).err()
        };
        if let Some(error) = results {
            assert_silent(&error);
        }
        script.clear();
    }
}

#[test]
fn settings_that_cannot_work_are_refused_without_a_call() {
    let refused = |setting: &str| provider(setting, &[]).err().unwrap();
    assert_eq!(refused("key=alias/x").kind(), Kind::NotReady);
    assert_eq!(refused("region=eu-west-1").kind(), Kind::NotReady);
    for setting in [
        "region=S3CRET key=alias/x",
        "region=eu-west-1.evil.example key=alias/x",
        "region=eu-west-1 key=S3CRET",
        "region=eu-west-1 key=alias/x endpoint=S3CRET",
        "region=eu-west-1 key=alias/x endpoint=https://a/S3CRET",
        "region=eu-west-1 key=alias/x former_keys=S3CRET",
        "region=eu-west-1 key=alias/x credentials=S3CRET",
        "region=eu-west-1 key=alias/x secret=S3CRET",
        &format!("region=eu-west-2 key={ARN}"),
    ] {
        let error = refused(setting);
        assert_eq!(error.kind(), Kind::InvalidParameter, "{setting}");
        assert_silent(&error);
    }
}

#[test]
fn health_wraps_and_unwraps() {
    let (aws, script): (AwsProvider, _) = provider(SETTING, LASTING).unwrap();
    script.answer(200, encrypted());
    script.answer(200, decrypted());
    // What is opened is not what was wrapped, as only a script would answer.
    assert_eq!(aws.health().unwrap_err().kind(), Kind::Protocol);
    assert_eq!(script.take().len(), 2);
    script.answer(200, encrypted());
    assert_eq!(aws.current().unwrap().reference, ARN);
}
