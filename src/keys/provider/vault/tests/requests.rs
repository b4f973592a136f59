//! What is sent, to the byte, and what is read from an answer that is as hoped for.

use super::*;

#[test]
fn vault_wraps_with_these_requests() {
    let stage = Stage::with_token();
    let answer = encrypted(3);
    stage.answers([FOREVER, ALTERED, (200, &answer)]);
    let made = stage.vault.wrap(&data_key(), &binding()).unwrap();
    assert_eq!(made, wrapped());
    let zeros = format!("{}=", "A".repeat(107));
    assert_eq!(
        stage.asked(),
        [
            "GET https://vault:8200/v1/auth/token/lookup-self\n\
             x-vault-token: S3CRET-a\n\
             x-vault-request: true\n"
                .to_owned(),
            format!(
                "POST https://vault:8200/v1/transit/decrypt/confiture\n\
                 x-vault-token: S3CRET-a\n\
                 x-vault-request: true\n\
                 content-type: application/json\n\
                 {{\"ciphertext\":\"vault:v1:{zeros}\",\"associated_data\":\"{PROBED}\"}}"
            ),
            format!(
                "POST https://vault:8200/v1/transit/encrypt/confiture\n\
                 x-vault-token: S3CRET-a\n\
                 x-vault-request: true\n\
                 content-type: application/json\n\
                 {{\"plaintext\":\"{KEY_TEXT}\",\"associated_data\":\"{BOUND}\"}}"
            ),
        ]
    );
    assert_eq!(stage.state.deadlines.get(), 1);
}

#[test]
fn vault_unwraps_with_this_request() {
    let stage = Stage::with_token();
    stage.answers([FOREVER, (200, DECRYPTED)]);
    let opened = stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    assert_eq!(opened.expose(), data_key().expose());
    let text = sealed(3);
    assert_eq!(
        stage.asked()[1],
        format!(
            "POST https://vault:8200/v1/transit/decrypt/confiture\n\
             x-vault-token: S3CRET-a\n\
             x-vault-request: true\n\
             content-type: application/json\n\
             {{\"ciphertext\":\"{text}\",\"associated_data\":\"{BOUND}\"}}"
        )
    );
    assert_eq!(stage.state.deadlines.get(), 1);
}

#[test]
fn vault_rotates_and_learns_the_version_by_wrapping() {
    for status in [200, 204] {
        let stage = Stage::with_token();
        let answer = encrypted(4);
        stage.answers([FOREVER, (status, ""), ALTERED, (200, &answer)]);
        let kek = stage.vault.rotate_kek().unwrap();
        assert_eq!(
            (kek.reference.as_str(), kek.version.as_deref()),
            ("transit/confiture", Some("4"))
        );
        let asked = stage.asked();
        assert_eq!(
            asked[1],
            "POST https://vault:8200/v1/transit/keys/confiture/rotate\n\
             x-vault-token: S3CRET-a\n\
             x-vault-request: true\n\
             content-type: application/json\n\
             {}"
        );
        assert!(asked[3].contains(PROBED));
        assert_eq!(stage.state.deadlines.get(), 1);
    }
}

#[test]
fn vault_signs_in_with_these_requests() {
    let stage = Stage::new(APPROLE);
    let answer = login("S3CRET-t", 0, false);
    stage.answers([(200, answer.as_str()), (200, DECRYPTED)]);
    let inside = Wrapped {
        kek_ref: "team/transit/confiture".to_owned(),
        ..wrapped()
    };
    stage.vault.unwrap(&inside, &binding()).unwrap();
    let asked = stage.asked();
    assert_eq!(
        asked[0],
        "POST https://vault:8200/v1/auth/approle/login\n\
         x-vault-namespace: team\n\
         x-vault-request: true\n\
         content-type: application/json\n\
         {\"role_id\":\"r\\\"1\",\"secret_id\":\"S3CRET-a\"}"
    );
    assert!(asked[1].starts_with(
        "POST https://vault:8200/v1/transit/decrypt/confiture\n\
         x-vault-token: S3CRET-t\n\
         x-vault-namespace: team\n"
    ));
    // Of another namespace, the path says which.
    stage.answers([(200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    assert!(!stage.asked()[0].contains("x-vault-namespace"));

    let stage = Stage::new(KUBERNETES);
    let sealed = encrypted(1);
    stage.answers([(200, answer.as_str()), ALTERED, (200, &sealed)]);
    let made = stage.vault.wrap(&data_key(), &binding()).unwrap();
    assert_eq!(made.kek_ref, "kms/transit/confiture");
    let asked = stage.asked();
    assert_eq!(
        asked[0],
        "POST https://vault:8200/v1/auth/k8s/login\n\
         x-vault-request: true\n\
         content-type: application/json\n\
         {\"role\":\"postgres\",\"jwt\":\"S3CRET-a\"}"
    );
    assert!(asked[2].starts_with("POST https://vault:8200/v1/kms/transit/encrypt/confiture\n"));
}

#[test]
fn vault_refuses_settings_that_cannot_work() {
    let state = Rc::new(State::default());
    let cases = [
        ("key=k token_file=/t", Kind::NotReady),
        ("address=https://v token_file=/t", Kind::NotReady),
        ("address=https://v key=k", Kind::NotReady),
        (
            "address=https://v key=k auth=approle role_id=r",
            Kind::NotReady,
        ),
        (
            "address=https://v key=k auth=approle secret_id_file=/s",
            Kind::NotReady,
        ),
        ("address=https://v key=k auth=kubernetes", Kind::NotReady),
        (
            "address=https://v key=k auth=S3CRET",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k token=S3CRET",
            Kind::InvalidParameter,
        ),
        (
            "address=https://S3CRET@v key=k token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=S3CRET/k token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k mount=sys token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k namespace=.. token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k auth_mount=x token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k role_id=S3CRET token_file=/t",
            Kind::InvalidParameter,
        ),
        (
            "address=https://v key=k auth=kubernetes role=r token_file=/t",
            Kind::InvalidParameter,
        ),
    ];
    for (options, kind) in cases {
        let error = failed(open(options, &state));
        assert_eq!(error.kind(), kind, "{options}: {error:?}");
    }
    // A credential file that is not there is said when it is needed.
    let vault = open("address=https://v key=k token_file=/no/such/token", &state).unwrap();
    let error = failed(vault.wrap(&data_key(), &binding()));
    assert_eq!(error.kind(), Kind::NotReady);
    assert!(state.asked.borrow().is_empty());
}

#[test]
fn vault_passes_on_what_the_line_reports() {
    for kind in [Kind::Unreachable, Kind::QueryCanceled, Kind::Protocol] {
        let stage = Stage::with_token();
        stage.answers([FOREVER]);
        let broken = Err(Error::new(kind, "the line"));
        stage.state.answers.borrow_mut().push_back(broken);
        assert_eq!(
            failed(stage.vault.unwrap(&wrapped(), &binding())).kind(),
            kind
        );
        // The token is still held.
        stage.asked();
        stage.answers([(200, DECRYPTED)]);
        stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    }
}
