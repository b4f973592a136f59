//! Stored rows and answers that were altered: none is believed, none is shown.

use super::*;

#[test]
fn vault_opens_nothing_that_lacks_the_form() {
    let good = wrapped();
    let blob = |text: &str| Wrapped {
        blob: text.as_bytes().to_vec(),
        ..good.clone()
    };
    let digits = "QUJD".repeat(20);
    let altered = [
        Wrapped {
            kek_ref: "transit/../sys/seal".into(),
            ..good.clone()
        },
        Wrapped {
            kek_ref: "https://evil/k".into(),
            ..good.clone()
        },
        Wrapped {
            kek_ref: "sys/k".into(),
            ..good.clone()
        },
        Wrapped {
            kek_ref: String::new(),
            ..good.clone()
        },
        Wrapped {
            kek_version: None,
            ..good.clone()
        },
        Wrapped {
            kek_version: Some("2".into()),
            ..good.clone()
        },
        Wrapped {
            kek_version: Some("03".into()),
            ..good.clone()
        },
        Wrapped {
            kek_version: Some("0".into()),
            ..blob(&sealed(0))
        },
        blob(""),
        blob("vault:v3:"),
        blob("vault:v3:QUJD"),
        blob(&format!("vault:v03:{digits}")),
        blob(&format!("vault:v+3:{digits}")),
        blob(&format!("vault:v3:{digits}\"")),
        blob(&format!("vault:v3:{digits}\",\"x\":\"")),
        blob(&format!(" vault:v3:{digits}")),
        blob(&format!("vault:v3:{}", "QUJD".repeat(2000))),
        Wrapped {
            blob: vec![0xff; 90],
            ..good.clone()
        },
    ];
    let stage = Stage::with_token();
    for bad in altered {
        let error = failed(stage.vault.unwrap(&bad, &binding()));
        assert_eq!(error.kind(), Kind::Corrupt, "{bad:?}");
    }
    let other = Wrapped {
        alg: "aws".into(),
        ..good
    };
    assert_eq!(
        failed(stage.vault.unwrap(&other, &binding())).kind(),
        Kind::Unsupported
    );
    assert!(stage.asked().is_empty(), "nobody was asked");
}

#[test]
fn vault_believes_no_answer_that_makes_no_sense() {
    let digits = "QUJD".repeat(20);
    let wraps = [
        format!(r#"{{"data":{{"ciphertext":"vault:v3:{digits}","key_version":4}}}}"#),
        format!(r#"{{"data":{{"ciphertext":"vault:v3:{digits}","key_version":"3"}}}}"#),
        format!(r#"{{"data":{{"ciphertext":"vault:v3:{digits}"}}}}"#),
        format!(r#"{{"data":{{"ciphertext":"{KEY_TEXT}","key_version":3}}}}"#),
        r#"{"data":{"ciphertext":"vault:v3:QUJD","key_version":3}}"#.to_owned(),
        r#"{"data":null}"#.to_owned(),
        "null".to_owned(),
    ];
    for body in &wraps {
        let stage = Stage::with_token();
        stage.answers([FOREVER, ALTERED, (200, body)]);
        let error = failed(stage.vault.wrap(&data_key(), &binding()));
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
    }
    let (short, long) = (&KEY_TEXT[..40], format!("{}AAAA", &KEY_TEXT[..40]));
    for text in ["", "====", "S3CRET!", short, &long, &"QUJD".repeat(500)] {
        let stage = Stage::with_token();
        let body = format!(r#"{{"data":{{"plaintext":"{text}"}}}}"#);
        stage.answers([FOREVER, (200, &body)]);
        let error = failed(stage.vault.unwrap(&wrapped(), &binding()));
        assert_eq!(error.kind(), Kind::Protocol, "{text}");
    }
    let second_factor = login("", 0, false);
    let stage = Stage::new(APPROLE);
    stage.answers([(200, second_factor.as_str())]);
    let error = failed(stage.vault.wrap(&data_key(), &binding()));
    assert_eq!(error.kind(), Kind::Credentials);
}

#[test]
fn vault_survives_garbage_and_shows_none_of_it() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap()
    };
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "true",
        "-1",
        "1e999",
        "18446744073709551616",
        "\"data\":",
        "\"auth\":",
        "\"errors\":",
        "\"plaintext\":",
        "\"ciphertext\":",
        "\"key_version\":",
        "\"client_token\":",
        "\"lease_duration\":",
        "\"renewable\":",
        "\"ttl\":",
        "S3CRET",
        KEY_TEXT,
        "vault:v1:",
        "QUJDQUJD",
        "\\u0000",
        "\u{fc}",
        "Vault is sealed",
        "key not found",
        "(too old)",
        "authentication failed",
        "=",
        " ",
    ];
    let statuses = [200, 200, 204, 301, 400, 403, 404, 412, 429, 472, 500, 503];
    for round in 0..4000 {
        let options = [APPROLE, KUBERNETES, "address=https://v key=k token_file=%"][round % 3];
        let stage = Stage::new(options);
        for _ in 0..12 {
            let status = statuses[random() % statuses.len()];
            let mut body = Vec::new();
            for _ in 0..random() % 24 {
                if random() % 20 == 0 {
                    body.push(u8::try_from(random() % 256).unwrap());
                }
                body.extend_from_slice(pieces[random() % pieces.len()].as_bytes());
            }
            stage
                .state
                .answers
                .borrow_mut()
                .push_back(Ok((status, body)));
        }
        let outcomes = [
            stage.vault.wrap(&data_key(), &binding()).err(),
            stage.vault.unwrap(&wrapped(), &binding()).err(),
            stage.vault.rotate_kek().err(),
        ];
        outcomes.iter().flatten().for_each(silent);
    }
}
