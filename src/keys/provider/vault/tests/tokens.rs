//! How tokens are come by, kept, renewed and replaced.

use super::*;

#[test]
fn vault_tells_a_refused_token_from_a_refused_request() {
    // A token that is good in itself.
    let stage = Stage::with_token();
    stage.answers([FOREVER, FORBIDDEN]);
    let error = failed(stage.vault.unwrap(&wrapped(), &binding()));
    assert_eq!(error.kind(), Kind::Permission);
    assert!(
        error
            .hint()
            .unwrap()
            .contains("\"update\" on \"transit/decrypt/confiture\"")
    );
    // Held from before: the file is read again first.
    stage.asked();
    stage.answers([FORBIDDEN, FOREVER, FORBIDDEN]);
    let error = failed(stage.vault.rotate_kek());
    assert_eq!(error.kind(), Kind::Permission);
    assert!(
        error
            .hint()
            .unwrap()
            .contains("transit/keys/confiture/rotate")
    );
    // One that is not even known.
    let stage = Stage::with_token();
    stage.answers([FORBIDDEN, FORBIDDEN]);
    let error = failed(stage.vault.unwrap(&wrapped(), &binding()));
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(
        error
            .detail()
            .unwrap()
            .contains(stage.file.to_str().unwrap())
    );
    assert_eq!(
        stage.paths(),
        ["auth/token/lookup-self", "transit/decrypt/confiture"]
    );
    // One that may not ask about itself, but may decrypt.
    stage.answers([FORBIDDEN, (200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    // A login that is refused.
    for status in [400, 401, 403, 404, 405] {
        for options in [APPROLE, KUBERNETES] {
            let stage = Stage::new(options);
            stage.answers([(status, r#"{"errors":["invalid role or secret ID S3CRET"]}"#)]);
            let error = failed(stage.vault.wrap(&data_key(), &binding()));
            assert_eq!(error.kind(), Kind::Credentials);
            assert_eq!(stage.asked().len(), 1);
        }
    }
}

#[test]
fn vault_takes_a_new_token_from_the_file_when_the_old_one_is_refused() {
    let stage = Stage::with_token();
    stage.answers([FOREVER, (200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    stage.asked();
    stage.credential("S3CRET-b");
    stage.answers([(200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    assert!(
        stage.asked()[0].contains("S3CRET-a"),
        "the held one is used while it is good"
    );
    stage.answers([FORBIDDEN, FOREVER, (200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    let asked = stage.asked();
    assert!(asked[0].contains("S3CRET-a") && asked[1].contains("S3CRET-b"));
    assert!(asked[2].contains("S3CRET-b"));
}

#[test]
fn vault_signs_in_again_once_when_a_login_token_is_refused() {
    let stage = Stage::new(APPROLE);
    let first = login("S3CRET-1", 3600, true);
    let second = login("S3CRET-2", 3600, true);
    stage.answers([(200, first.as_str()), (200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    stage.asked();
    stage.answers([FORBIDDEN, (200, second.as_str()), (200, DECRYPTED)]);
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    assert!(stage.asked()[2].contains("S3CRET-2"));
    stage.answers([FORBIDDEN, (200, first.as_str()), FORBIDDEN]);
    assert_eq!(
        failed(stage.vault.unwrap(&wrapped(), &binding())).kind(),
        Kind::Permission
    );
    stage.asked();
    stage.answers([
        FORBIDDEN,
        (400, r#"{"errors":["invalid role or secret ID"]}"#),
    ]);
    assert_eq!(
        failed(stage.vault.unwrap(&wrapped(), &binding())).kind(),
        Kind::Credentials
    );
}

/// Unwraps at a time, and returns the paths that were asked for.
fn unwrap_at(stage: &Stage, seconds: u64, answers: &[(u16, &str)]) -> Vec<String> {
    stage.at(seconds);
    stage.answers(answers.iter().copied());
    stage.vault.unwrap(&wrapped(), &binding()).unwrap();
    let mut paths = stage.paths();
    assert_eq!(paths.pop().unwrap(), "transit/decrypt/confiture");
    paths
}

#[test]
fn vault_renews_a_token_in_the_last_third_of_its_lease() {
    let (first, renewed) = (login("S3CRET-t", 90, true), login("S3CRET-t", 90, true));
    let done = (200, DECRYPTED);
    let stage = Stage::new(APPROLE);
    assert_eq!(
        unwrap_at(&stage, 1000, &[(200, &first), done]),
        ["auth/approle/login"]
    );
    assert!(unwrap_at(&stage, 1060, &[done]).is_empty());
    assert_eq!(
        unwrap_at(&stage, 1061, &[(200, &renewed), done]),
        ["auth/token/renew-self"]
    );
    assert!(
        unwrap_at(&stage, 1121, &[done]).is_empty(),
        "the renewal counts from its time"
    );
    // What is over is not renewed.
    assert_eq!(
        unwrap_at(&stage, 1151, &[(200, &first), done]),
        ["auth/approle/login"]
    );
    // A renewal that is refused, or that gains nothing, is followed by a login.
    let short = login("S3CRET-t", 20, true);
    for answer in [(403, "S3CRET"), (400, "S3CRET"), (200, short.as_str())] {
        let stage = Stage::new(APPROLE);
        unwrap_at(&stage, 1000, &[(200, &first), done]);
        assert_eq!(
            unwrap_at(&stage, 1070, &[answer, (200, &first), done]),
            ["auth/token/renew-self", "auth/approle/login"]
        );
    }
    // One that fails for another reason leaves a token that may be good.
    let broken = (500, "S3CRET");
    assert_eq!(
        unwrap_at(&stage, 1215, &[broken, broken, broken, done]).len(),
        3
    );
    // A batch token cannot be renewed.
    let stage = Stage::new(KUBERNETES);
    let batch = login("S3CRET-t", 90, false);
    assert_eq!(
        unwrap_at(&stage, 1000, &[(200, &batch), done]),
        ["auth/k8s/login"]
    );
    assert!(unwrap_at(&stage, 1089, &[done]).is_empty());
    assert_eq!(
        unwrap_at(&stage, 1090, &[(200, &batch), done]),
        ["auth/k8s/login"]
    );
}

#[test]
fn vault_renews_the_token_of_a_file_too() {
    let lookup = r#"{"data":{"ttl":50,"creation_ttl":90,"renewable":true}}"#;
    let done = (200, DECRYPTED);
    let stage = Stage::with_token();
    let asks = ["auth/token/lookup-self"];
    assert_eq!(unwrap_at(&stage, 1000, &[(200, lookup), done]), asks);
    assert!(unwrap_at(&stage, 1020, &[done]).is_empty());
    let short = login("S3CRET-a", 25, true);
    assert_eq!(
        unwrap_at(&stage, 1021, &[(200, &short), done]),
        ["auth/token/renew-self"]
    );
    // It lives no longer than that: it is used to its end, then the file is read again.
    assert!(unwrap_at(&stage, 1045, &[done]).is_empty());
    assert_eq!(unwrap_at(&stage, 1046, &[(200, lookup), done]), asks);
    assert_eq!(
        unwrap_at(&stage, 1070, &[(403, "S3CRET"), (200, lookup), done]),
        ["auth/token/renew-self", "auth/token/lookup-self"]
    );
    // A clock that goes back, or a lease longer than time, does no harm.
    assert!(unwrap_at(&stage, 5, &[done]).is_empty());
    let stage = Stage::with_token();
    let long = format!(r#"{{"data":{{"ttl":{},"renewable":true}}}}"#, u64::MAX);
    unwrap_at(&stage, 1000, &[(200, &long), done]);
    assert!(unwrap_at(&stage, 10_000_000, &[done]).is_empty());
}
