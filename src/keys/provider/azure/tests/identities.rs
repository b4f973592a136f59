//! Settings, the ways to a token, and how long one is kept.

use super::*;

#[test]
fn azure_signs_in_with_a_secret_from_a_file() {
    let secret = Holder::new("secret", "S3CRET/+=~\n");
    let setting = format!(
        "vault={VAULT}/ key=confiture auth=client_secret tenant=contoso.example client_id='a b' \
         client_secret_file={} authority=https://login.example resource=https://vault.azure.cn",
        secret.path()
    );
    let script = Script::new(&[(200, TOKEN), (200, &opened(key().expose()))]);
    let provider = open(&script, &setting, &[("AZURE_TENANT_ID", "other")]).unwrap();
    provider.unwrap(&wrapped(), &binding()).unwrap();
    let sent = script.sent();
    assert_eq!(sent[0].line, "identity");
    assert_eq!(
        sent[0].head,
        "POST https://login.example/contoso.example/oauth2/v2.0/token"
    );
    assert_eq!(
        sent[0].headers,
        [
            "accept: application/json",
            "content-type: application/x-www-form-urlencoded"
        ]
    );
    assert_eq!(
        sent[0].body,
        "grant_type=client_credentials&client_id=a%20b\
         &scope=https%3A%2F%2Fvault.azure.cn%2F.default&client_secret=S3CRET%2F%2B%3D~"
    );
    fs::set_permissions(&secret.0, Permissions::from_mode(0o644)).unwrap();
    let provider = open(&script, &setting, &[]).unwrap();
    let error = provider.unwrap(&wrapped(), &binding()).err().unwrap();
    assert_eq!(clean(&error), Kind::NotReady);
    assert!(script.sent().is_empty());
}

#[test]
fn azure_signs_in_as_a_workload_with_what_the_environment_says() {
    let token = Holder::new("federated", "S3CRET.jwt");
    let environment = [
        ("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
        ("AZURE_FEDERATED_TOKEN_FILE", token.path()),
    ];
    let setting = format!("vault={VAULT} key=confiture auth=workload_identity");
    let script = Script::new(&[(200, TOKEN), (200, &opened(key().expose()))]);
    let provider = open(&script, &setting, &environment).unwrap();
    provider.unwrap(&wrapped(), &binding()).unwrap();
    let sent = script.sent();
    assert_eq!(
        sent[0].head,
        "POST https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555\
         /oauth2/v2.0/token"
    );
    assert_eq!(
        sent[0].body,
        "grant_type=client_credentials&client_id=client\
         &scope=https%3A%2F%2Fvault.azure.net%2F.default\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=S3CRET.jwt"
    );
    for missing in [0, 1, 3] {
        let mut some = environment.to_vec();
        some.remove(missing);
        let error = open(&script, &setting, &some).err().unwrap();
        assert_eq!(clean(&error), Kind::NotReady);
        assert!(error.hint().unwrap().contains(environment[missing].0));
    }
    // The setting counts more than the environment.
    let more = format!("{setting} tenant=mine client_id=me authority=https://login.example");
    script.add(&[(200, TOKEN)]);
    let provider = open(&script, &more, &environment).unwrap();
    let _ = provider.rotate_kek();
    assert_eq!(
        script.sent()[0].head,
        "POST https://login.example/mine/oauth2/v2.0/token"
    );
}

#[test]
fn azure_keeps_a_token_until_it_is_refused_or_near_its_end() {
    let answer = opened(key().expose());
    // Cached, refused, replaced.
    let script = Script::new(&[
        (200, TOKEN),
        (200, &answer),
        (200, &answer),
        (401, "S3CRET"),
    ]);
    script.add(&[(200, TOKEN), (200, &answer)]);
    let provider = machine(&script);
    for _ in 0..3 {
        provider.unwrap(&wrapped(), &binding()).unwrap();
    }
    let lines: Vec<_> = script.sent().iter().map(|sent| sent.line).collect();
    assert_eq!(
        lines,
        [
            "metadata", "service", "service", "service", "metadata", "service"
        ]
    );
    // Refused twice: that was it, and the token is not kept.
    script.add(&[
        (401, ""),
        (200, TOKEN),
        (401, "S3CRET"),
        (200, TOKEN),
        (200, &answer),
    ]);
    let error = provider.unwrap(&wrapped(), &binding()).err().unwrap();
    assert_eq!(clean(&error), Kind::Credentials);
    provider.unwrap(&wrapped(), &binding()).unwrap();
    // Lifetimes as text and as a number, none, and nothing at all of it left.
    for (lifetime, again) in [
        (r#","expires_in":"86399","expires_on":"1""#, false),
        (r#","expires_in":18446744073709551615"#, false),
        (r#","expires_in":0"#, true),
        ("", true),
    ] {
        let token = format!(r#"{{"access_token":"t"{lifetime}}}"#);
        let script = Script::new(&[(200, &token), (200, &answer)]);
        script.add(if again { &[(200, TOKEN)] } else { &[] });
        script.add(&[(200, &answer)]);
        let provider = machine(&script);
        provider.unwrap(&wrapped(), &binding()).unwrap();
        provider.unwrap(&wrapped(), &binding()).unwrap();
        assert_eq!(script.sent().len(), 3 + usize::from(again), "{lifetime}");
    }
}

#[test]
fn azure_says_why_it_is_not_signed_in() {
    let secret = Holder::new("why", "S3CRET");
    let federated = format!(
        "vault={VAULT} key=confiture auth=workload_identity tenant=t client_id=c \
         federated_token_file={}",
        secret.path()
    );
    let secret = federated
        .replace("workload_identity", "client_secret")
        .replace("federated_token", "client_secret");
    let machine = format!("vault={VAULT} key=confiture auth=managed_identity client_id='S3 ä'");
    let body = |error: &str, code: u64| {
        let text = r#""error_description":"S3CRET","trace_id":"S3CRET""#;
        format!(r#"{{"error":"{error}","error_codes":[{code}],{text}}}"#)
    };
    for (setting, status, body, kind, word) in [
        (
            &secret,
            401,
            body("invalid_client", 7_000_215),
            Kind::Credentials,
            "secret is not one",
        ),
        (
            &secret,
            401,
            body("invalid_client", 7_000_222),
            Kind::Credentials,
            "has expired",
        ),
        (
            &secret,
            400,
            body("unauthorized_client", 700_016),
            Kind::Credentials,
            "no application",
        ),
        (
            &secret,
            400,
            body("invalid_request", 90_002),
            Kind::Credentials,
            "tenant does not",
        ),
        (
            &secret,
            400,
            body("S3CRET", 1),
            Kind::Credentials,
            "refuses the application",
        ),
        (
            &secret,
            400,
            "S3CRET".into(),
            Kind::Credentials,
            "refuses the application",
        ),
        (
            &federated,
            401,
            body("invalid_client", 700_213),
            Kind::Credentials,
            "audience",
        ),
        (
            &federated,
            401,
            body("invalid_client", 700_024),
            Kind::Credentials,
            "out of date",
        ),
        (
            &federated,
            401,
            body("invalid_client", 1),
            Kind::Credentials,
            "token in the file",
        ),
        (
            &machine,
            400,
            body("invalid_request", 0),
            Kind::Credentials,
            "no managed identity",
        ),
        (
            &machine,
            404,
            "S3CRET".into(),
            Kind::External,
            "metadata service",
        ),
        (
            &machine,
            410,
            "S3CRET".into(),
            Kind::External,
            "metadata service",
        ),
        (&secret, 403, "S3CRET".into(), Kind::Permission, "403"),
        (&secret, 404, "S3CRET".into(), Kind::Protocol, "404"),
        (&secret, 302, "S3CRET".into(), Kind::Protocol, "302"),
        (
            &secret,
            429,
            "S3CRET".into(),
            Kind::Throttled,
            "token endpoint",
        ),
        (
            &machine,
            500,
            "S3CRET".into(),
            Kind::External,
            "metadata service",
        ),
        (&secret, 200, "S3CRET".into(), Kind::Protocol, "no token"),
        (&secret, 200, "{}".into(), Kind::Protocol, "no token"),
        (
            &secret,
            200,
            r#"{"access_token":""}"#.into(),
            Kind::Protocol,
            "no token",
        ),
        (
            &secret,
            200,
            r#"{"access_token":"S3CRET\n"}"#.into(),
            Kind::Protocol,
            "no token",
        ),
        (
            &secret,
            200,
            r#"{"access_token":"S3CRET x"}"#.into(),
            Kind::Protocol,
            "no token",
        ),
        (
            &secret,
            200,
            r#"{"access_token":"t","expires_in":"S3CRET"}"#.into(),
            Kind::Protocol,
            "",
        ),
        (
            &secret,
            200,
            r#"{"access_token":"t","expires_in":-1}"#.into(),
            Kind::Protocol,
            "",
        ),
    ] {
        // Thrice: some answers are worth a repetition.
        let script = Script::new(&[(status, &body), (status, &body), (status, &body)]);
        let provider = open(&script, setting, &[]).unwrap();
        let error = provider.wrap(&key(), &binding()).unwrap_err();
        assert_eq!(clean(&error), kind, "{status} {body}");
        assert!(error.detail().unwrap().contains(word), "{error:?}");
    }
    let script = Script::new(&[(400, "")]);
    let _ = open(&script, &machine, &[])
        .unwrap()
        .wrap(&key(), &binding());
    assert!(script.sent()[0].head.ends_with("&client_id=S3%20%C3%A4"));
}

#[test]
fn azure_refuses_a_setting_that_lacks_something() {
    let script = Script::default();
    let whole = format!(
        "vault={VAULT} key=confiture auth=client_secret tenant=t client_id=c client_secret_file=/f"
    );
    open(&script, &whole, &[]).unwrap();
    for name in [
        "vault",
        "key",
        "auth",
        "tenant",
        "client_id",
        "client_secret_file",
    ] {
        let start = format!("{name}=");
        let rest: Vec<&str> = whole
            .split(' ')
            .filter(|word| !word.starts_with(&start))
            .collect();
        let error = open(&script, &rest.join(" "), &[]).err().unwrap();
        assert_eq!(clean(&error), Kind::NotReady, "{name}");
        assert!(error.detail().unwrap().contains(name));
    }
    for (from, to) in [
        (VAULT, "https://n.vault.azure.net/S3CRET"),
        (VAULT, "S3CRET"),
        ("key=confiture", "key=S3CRET/x"),
        ("auth=client_secret", "auth=S3CRET"),
        ("tenant=t", "tenant=S3CRET/../x"),
        ("tenant=t", "tenant=.."),
        ("tenant=t", "tenant=t authority=S3CRET"),
        ("tenant=t", "tenant=t resource=https://S3CRET/x"),
        (
            "auth=client_secret",
            "auth=managed_identity metadata=S3CRET",
        ),
    ] {
        let error = open(&script, &whole.replace(from, to), &[]).err().unwrap();
        assert_eq!(clean(&error), Kind::InvalidParameter, "{to}");
    }
    assert!(script.sent().is_empty());
}
