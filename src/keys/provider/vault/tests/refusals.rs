//! What each refusal means, and where a data key is never sent.

use super::*;

#[test]
fn vault_never_sends_a_data_key_to_what_is_no_transit_key() {
    let cases = [
        (
            (400, r#"{"errors":["encryption key not found"]}"#),
            Kind::UndefinedObject,
        ),
        (
            (404, r#"{"errors":["no handler for route S3CRET"]}"#),
            Kind::UndefinedObject,
        ),
        ((404, ""), Kind::UndefinedObject),
        (
            (404, r#"{"errors":["namespace not found"]}"#),
            Kind::UndefinedObject,
        ),
        // An engine that stores whatever it is given.
        ((204, ""), Kind::NotReady),
        ((200, DECRYPTED), Kind::NotReady),
        (
            (405, r#"{"errors":["unsupported operation"]}"#),
            Kind::NotReady,
        ),
        (
            (
                400,
                r#"{"errors":["'[0].associated_data' provided for non-AEAD cipher"]}"#,
            ),
            Kind::NotReady,
        ),
        (
            (
                400,
                r#"{"errors":["missing 'context' for key derivation; S3CRET"]}"#,
            ),
            Kind::NotReady,
        ),
        (
            (400, r#"{"errors":["refusing to use soft-deleted key"]}"#),
            Kind::NotReady,
        ),
        ((400, r#"{"errors":["S3CRET"]}"#), Kind::Protocol),
        ((401, "S3CRET"), Kind::Protocol),
        ((307, "S3CRET"), Kind::NotReady),
    ];
    for (answer, kind) in cases {
        let stage = Stage::with_token();
        stage.answers([FOREVER, answer]);
        let error = failed(stage.vault.wrap(&data_key(), &binding()));
        assert_eq!(error.kind(), kind, "{answer:?} {error:?}");
        assert!(!stage.asked().concat().contains(KEY_TEXT));
    }
    // These say that the key is there.
    let known = [
        "chacha20poly1305: message authentication failed",
        "ciphertext or signature version is disallowed by policy (too old)",
        "invalid ciphertext: unable to decrypt",
    ];
    for text in known {
        let stage = Stage::with_token();
        let (refused, answer) = (format!(r#"{{"errors":["{text}"]}}"#), encrypted(1));
        stage.answers([FOREVER, (400, &refused), (200, &answer)]);
        stage.vault.wrap(&data_key(), &binding()).unwrap();
    }
}

#[test]
fn vault_tells_refusals_of_unwrap_apart() {
    let long = "S3CRET".repeat(1000);
    let cases = [
        (ALTERED, Kind::Corrupt, "cannot be unwrapped"),
        (
            (
                400,
                r#"{"errors":["invalid ciphertext: could not decode"]}"#,
            ),
            Kind::Corrupt,
            "cannot be",
        ),
        (
            (
                400,
                r#"{"errors":["invalid ciphertext: version is too new"]}"#,
            ),
            Kind::UndefinedObject,
            "has no version 3 of transit key \"transit/confiture\"",
        ),
        (
            (
                400,
                r#"{"errors":["ciphertext or signature version is disallowed (too old)"]}"#,
            ),
            Kind::NotReady,
            "no longer decrypts with version 3",
        ),
        (
            (400, r#"{"errors":["encryption key not found"]}"#),
            Kind::UndefinedObject,
            "has no transit key",
        ),
        (
            (404, "<html>S3CRET</html>"),
            Kind::UndefinedObject,
            "has no transit key",
        ),
        (
            (400, r#"{"errors":["refusing to use soft-deleted key"]}"#),
            Kind::NotReady,
            "as deleted",
        ),
        ((400, &long), Kind::Protocol, "did not decrypt with"),
        ((418, "S3CRET"), Kind::Protocol, "did not decrypt with"),
    ];
    for (answer, kind, fact) in cases {
        let stage = Stage::with_token();
        stage.answers([FOREVER, answer]);
        let error = failed(stage.vault.unwrap(&wrapped(), &binding()));
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(fact), "{error:?}");
        stage.asked();
    }
}

#[test]
fn vault_repeats_what_may_pass_and_then_says_what_it_was() {
    let cases = [
        (
            (503, r#"{"errors":["Vault is sealed"]}"#),
            Kind::NotReady,
            "is sealed",
        ),
        ((503, "S3CRET"), Kind::External, "failed"),
        (
            (500, r#"{"errors":["1 error occurred: S3CRET"]}"#),
            Kind::External,
            "failed",
        ),
        ((502, ""), Kind::External, "failed"),
        ((429, "S3CRET"), Kind::Throttled, "less often"),
        ((412, "S3CRET"), Kind::External, "caught up"),
        (
            (500, r#"{"errors":["* refusing to use soft-deleted key"]}"#),
            Kind::NotReady,
            "as deleted",
        ),
    ];
    for (answer, kind, fact) in cases {
        // About the key, at the login, and when a token asks about itself.
        let stage = Stage::with_token();
        stage.answers([FOREVER, answer, answer, answer]);
        let error = failed(stage.vault.unwrap(&wrapped(), &binding()));
        assert_eq!(
            (error.kind(), error.message().contains(fact)),
            (kind, true),
            "{error:?}"
        );
        stage.asked();
        if fact == "as deleted" {
            continue;
        }
        for options in [APPROLE, KUBERNETES, "address=https://v key=k token_file=%"] {
            let stage = Stage::new(options);
            stage.answers([answer, answer, answer]);
            let error = failed(stage.vault.wrap(&data_key(), &binding()));
            assert_eq!(
                (error.kind(), error.message().contains(fact)),
                (kind, true),
                "{error:?}"
            );
            stage.asked();
        }
        // What passes is not noticed.
        let stage = Stage::with_token();
        stage.answers([FOREVER, answer, answer, (200, DECRYPTED)]);
        stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    }
    // These do not pass by waiting.
    let tls = "S3CRET: Client sent an HTTP request to an HTTPS server.";
    for (status, body) in [
        (472, "S3CRET"),
        (473, "S3CRET"),
        (307, "S3CRET"),
        (400, tls),
    ] {
        let stage = Stage::with_token();
        stage.answers([FOREVER, (status, body)]);
        let error = failed(stage.vault.rotate_kek());
        assert_eq!((error.kind(), stage.asked().len()), (Kind::NotReady, 2));
    }
}
