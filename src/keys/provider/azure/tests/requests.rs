//! The exact requests of each operation, its refusals, and garbage.

use super::*;

#[test]
fn azure_wraps_with_the_newest_version_and_stores_its_name() {
    let kid = format!("{VAULT}/keys/confiture/{VERSION}");
    let script = Script::new(&[(200, TOKEN), (200, &sealed(&kid, 256))]);
    assert_eq!(
        machine(&script).wrap(&key(), &binding()).unwrap(),
        wrapped()
    );
    let sent = script.sent();
    assert_eq!(sent[0].line, "metadata");
    assert_eq!(
        sent[0].head,
        "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
         &resource=https%3A%2F%2Fvault.azure.net"
    );
    assert_eq!(
        sent[0].headers,
        ["accept: application/json", "metadata: true"]
    );
    assert_eq!(sent[0].body, "");
    assert_eq!(sent[1].line, "service");
    assert_eq!(
        sent[1].head,
        "POST https://n.vault.azure.net/keys/confiture/wrapkey?api-version=7.4"
    );
    assert_eq!(
        sent[1].headers,
        [
            "accept: application/json",
            "authorization: Bearer S3CRET.tok",
            "content-type: application/json"
        ]
    );
    assert_eq!(
        sent[1].body,
        r#"{"alg":"RSA-OAEP-256","value":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#
    );
    assert_eq!(sent.len(), 2);
}

#[test]
fn azure_unwraps_with_the_version_that_is_stored() {
    let script = Script::new(&[(200, TOKEN), (200, &opened(key().expose()))]);
    let secret = machine(&script).unwrap(&wrapped(), &binding()).unwrap();
    assert_eq!(secret.expose(), key().expose());
    let sent = script.sent();
    assert_eq!(
        sent[1].head,
        format!("POST {VAULT}/keys/confiture/{VERSION}/unwrapkey?api-version=7.4")
    );
    let value = "-_v7".repeat(85) + "-w";
    assert_eq!(
        sent[1].body,
        format!(r#"{{"alg":"RSA-OAEP-256","value":"{value}"}}"#)
    );
}

#[test]
fn azure_rotates_and_names_the_new_version() {
    let kid = format!("https://N.VAULT.azure.net:443/keys/Confiture/{VERSION}");
    let answer = format!(r#"{{"key":{{"kid":"{kid}","kty":"RSA"}},"attributes":{{}}}}"#);
    let script = Script::new(&[(200, TOKEN), (200, &answer)]);
    let kek = machine(&script).rotate_kek().unwrap();
    assert_eq!(kek.reference, format!("{VAULT}/keys/Confiture"));
    assert_eq!(kek.version.as_deref(), Some(VERSION));
    let sent = script.sent();
    assert_eq!(
        sent[1].head,
        format!("POST {VAULT}/keys/confiture/rotate?api-version=7.4")
    );
    assert_eq!(sent[1].body, "");
    // What may have been done is not done again.
    let script = Script::new(&[(200, TOKEN), (503, "S3CRET"), (200, &answer)]);
    assert_eq!(
        clean(&machine(&script).rotate_kek().unwrap_err()),
        Kind::External
    );
    assert_eq!(script.sent().len(), 2);
}

#[test]
fn azure_sends_nothing_for_a_row_that_is_not_its_own() {
    let script = Script::default();
    let provider = machine(&script);
    let refused = |change: &dyn Fn(&mut Wrapped)| {
        let mut row = wrapped();
        change(&mut row);
        clean(&provider.unwrap(&row, &binding()).err().unwrap())
    };
    for reference in [
        "",
        "S3CRET",
        "https://n.vault.azure.net",
        "https://n.vault.azure.net/keys/../secrets/S3CRET",
        "https://n.vault.azure.net/keys/k?S3CRET",
        "https://n.vault.azure.net/keys/k#S3CRET",
        "https://n.vault.azure.net/keys/%2e",
        "https://n.vault.azure.net@evil.example/keys/k",
        "https://n.vault.azure.net/keys/k/00112233445566778899aabbccddeeff",
    ] {
        let kind = refused(&|row| row.kek_ref = reference.to_owned());
        assert_eq!(kind, Kind::Corrupt, "{reference}");
    }
    for version in [
        "",
        "..",
        "S3CRET",
        "0011223344556677/9aabbccddeeff00",
        &"é".repeat(16),
    ] {
        let kind = refused(&|row| row.kek_version = Some(version.to_owned()));
        assert_eq!(kind, Kind::Corrupt, "{version}");
    }
    assert_eq!(refused(&|row| row.kek_version = None), Kind::Corrupt);
    for length in [0, 32, 255, 257, 1024, 1 << 20] {
        assert_eq!(
            refused(&|row| row.blob = vec![1; length]),
            Kind::Corrupt,
            "{length}"
        );
    }
    assert_eq!(refused(&|row| row.alg = "RSA1_5".into()), Kind::Unsupported);
    for vault in [
        "https://evil.example",
        "http://n.vault.azure.net",
        "https://n.vault.azure.net:8443",
    ] {
        let kind = refused(&|row| row.kek_ref = format!("{vault}/keys/confiture"));
        assert_eq!(kind, Kind::NotReady, "{vault}");
    }
    assert!(script.sent().is_empty());
}

#[test]
fn azure_takes_32_bytes_from_a_vault_and_nothing_else() {
    for (body, kind) in [
        (opened(b"S3CRET"), Kind::Corrupt),
        (opened(&[7; 31]), Kind::Corrupt),
        (opened(&[7; 33]), Kind::Corrupt),
        (opened(&[]), Kind::Corrupt),
        (r#"{"value":"S3CRET!"}"#.to_owned(), Kind::Protocol),
        (r#"{"value":"a"}"#.to_owned(), Kind::Protocol),
        (r#"{"value":7}"#.to_owned(), Kind::Protocol),
        (r#"{"kid":"S3CRET"}"#.to_owned(), Kind::Protocol),
        ("S3CRET".to_owned(), Kind::Protocol),
        (String::new(), Kind::Protocol),
    ] {
        let script = Script::new(&[(200, TOKEN), (200, &body)]);
        let error = machine(&script)
            .unwrap(&wrapped(), &binding())
            .err()
            .unwrap();
        assert_eq!(clean(&error), kind, "{body}");
    }
    // With the padding that the documentation leaves away.
    let padded = opened(key().expose()).replace("Hh8\"", "Hh8=\"");
    let script = Script::new(&[(200, TOKEN), (200, &padded)]);
    let secret = machine(&script).unwrap(&wrapped(), &binding()).unwrap();
    assert_eq!(secret.expose(), key().expose());
}

#[test]
fn azure_believes_no_vault_that_names_another_key() {
    let good = format!("{VAULT}/keys/confiture/{VERSION}");
    for kid in [
        format!("https://evil.example/keys/confiture/{VERSION}"),
        format!("{VAULT}/keys/other/{VERSION}"),
        format!("{VAULT}/keys/confiture"),
        format!("{VAULT}/keys/confiture/S3CRET"),
        String::new(),
    ] {
        let answers = [
            (sealed(&kid, 256), format!(r#"{{"key":{{"kid":"{kid}"}}}}"#)),
            (sealed(&good, 255), r#"{"key":{}}"#.to_owned()),
            (
                format!(r#"{{"kid":"{good}","value":"S3CRET!"}}"#),
                "S3CRET".to_owned(),
            ),
            (String::new(), String::new()),
        ];
        for (wrapping, rotating) in answers {
            let script = Script::new(&[(200, TOKEN), (200, &wrapping), (200, &rotating)]);
            let provider = machine(&script);
            let error = provider.wrap(&key(), &binding()).unwrap_err();
            assert_eq!(clean(&error), Kind::Protocol, "{wrapping}");
            assert_eq!(
                clean(&provider.rotate_kek().unwrap_err()),
                Kind::Protocol,
                "{rotating}"
            );
        }
    }
}

#[test]
fn azure_repeats_what_is_worth_it_and_reports_the_rest() {
    let answer = opened(key().expose());
    let script = Script::new(&[(200, TOKEN), (429, ""), (503, ""), (200, &answer)]);
    machine(&script).unwrap(&wrapped(), &binding()).unwrap();
    for (status, code, kind) in [
        (429, "S3CRET", Kind::Throttled),
        (500, "S3CRET", Kind::External),
        (400, "S3CRET", Kind::Corrupt),
        (403, "KeyDisabled", Kind::NotReady),
        (403, "ForbiddenByRbac", Kind::Permission),
        (404, "S3CRET", Kind::UndefinedObject),
    ] {
        let body =
            format!(r#"{{"error":{{"message":"S3CRET","innererror":{{"code":"{code}"}}}}}}"#);
        let refused = (status, body.as_str());
        let script = Script::new(&[(200, TOKEN), refused, refused, refused]);
        let error = machine(&script)
            .unwrap(&wrapped(), &binding())
            .err()
            .unwrap();
        assert_eq!(clean(&error), kind, "{status} {code}");
    }
}

#[test]
fn azure_survives_any_garbage() {
    let pieces: [&[u8]; 12] = [
        b"{",
        b"}",
        b"\"",
        b"\"value\":",
        b"\"kid\":",
        b"\"access_token\":\"S3CRET\"",
        b",",
        b"\"error\":",
        b"[",
        b"\\u0000",
        b"\xff\x00",
        b"9e999",
    ];
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..3000 {
        let garbage: Vec<u8> = (0..next(9))
            .flat_map(|_| pieces[next(12)])
            .copied()
            .collect();
        let status = [200, 200, 400, 401, 403, 500][next(6)];
        for at in 0..2 {
            let script = Script::default();
            if at == 1 {
                script.add(&[(200, TOKEN)]);
            }
            for _ in 0..12 {
                script.add_bytes(status, garbage.clone());
            }
            let provider = machine(&script);
            for error in [
                provider.wrap(&key(), &binding()).err(),
                provider.unwrap(&wrapped(), &binding()).err(),
                provider.rotate_kek().err(),
            ] {
                clean(&error.unwrap());
            }
        }
    }
}
