//! Signing in on a scripted line: STS, a container's endpoint, the metadata service of EC2.

use std::fs;
use std::time::{Duration, SystemTime};

use super::script::{ARN, Sent, at, binding, provider};
use crate::error::{Error, Kind};
use crate::keys::Secret;
use crate::keys::provider::Provider;

const SETTING: &str = "region=eu-west-1 key=alias/confiture";
const IMDS: &[(&str, &str)] = &[];
const CONTAINER: &[(&str, &str)] = &[
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "/v2/credentials/x",
    ),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "S3CRET-token"),
];

fn encrypted() -> String {
    format!("{{\"CiphertextBlob\":\"AQID\",\"KeyId\":\"{ARN}\"}}")
}

fn given(id: &str, end: &str) -> String {
    format!(
        "{{\"Code\":\"Success\",\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"S3CRET\\/key\",\
         \"Token\":\"S3CRET-session\",\"Expiration\":\"{end}\"}}"
    )
}

fn given_by_sts(id: &str) -> String {
    format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>x\
         </SubjectFromWebIdentityToken><Credentials>\n <SessionToken>S3CRET-session</SessionToken>\
         <SecretAccessKey>S3CRET/key</SecretAccessKey><Expiration>2015-08-30T13:36:00Z</Expiration>\
         <AccessKeyId>{id}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    )
}

fn secret() -> Secret {
    Secret::random().unwrap()
}

fn assert_silent(error: &Error) {
    assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
}

fn signer(sent: &Sent) -> &str {
    let header = sent.header("authorization").unwrap();
    header
        .split_once("Credential=")
        .unwrap()
        .1
        .split_once('/')
        .unwrap()
        .0
}

/// A file that is gone at the end of the test.
struct TokenFile(String);

impl TokenFile {
    fn new(name: &str, content: &str) -> Self {
        let name = format!("confiture-aws-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path.to_str().unwrap().to_owned())
    }

    /// An environment that names it.
    fn environment(
        &self,
        more: &[(&'static str, &'static str)],
    ) -> &'static [(&'static str, &'static str)] {
        let path: &'static str = self.0.clone().leak();
        let mut all = more.to_vec();
        all.push(("AWS_WEB_IDENTITY_TOKEN_FILE", path));
        all.leak()
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/confiture");

#[test]
fn web_identity_sends_the_token_to_sts_unsigned() {
    let file = TokenFile::new("sts", "S3CRET.to+ken=\n");
    let (aws, script) = provider(SETTING, file.environment(&[ROLE])).unwrap();
    script.answer(200, given_by_sts("ASIAONE"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    let sent = script.take();
    assert_eq!(
        (sent[0].line, sent[0].method.as_str(), sent[0].url.as_str()),
        ("identity", "POST", "https://sts.eu-west-1.amazonaws.com/")
    );
    assert_eq!(
        sent[0].body,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fconfiture\
         &RoleSessionName=confiture&WebIdentityToken=S3CRET.to%2Bken%3D"
    );
    assert_eq!(
        sent[0].headers,
        [(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned()
        )]
    );
    assert_eq!((sent[1].line, signer(&sent[1])), ("service", "ASIAONE"));
    assert_eq!(
        sent[1].header("x-amz-security-token"),
        Some("S3CRET-session")
    );

    // Signed in once: kept until five minutes before the end.
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    assert_eq!(script.take().len(), 1);
}

#[test]
fn web_identity_finds_sts_where_it_is_set() {
    let file = TokenFile::new("sts-place", "token");
    let environment = file.environment(&[
        ROLE,
        ("AWS_ROLE_SESSION_NAME", "a/b"),
        ("AWS_ENDPOINT_URL_STS", "https://sts.internal:8443"),
    ]);
    for (more, url) in [
        ("", "https://sts.internal:8443/"),
        (
            " sts_endpoint=https://other.internal/",
            "https://other.internal/",
        ),
    ] {
        let (aws, script) = provider(&format!("{SETTING}{more}"), environment).unwrap();
        script.answer(200, given_by_sts("ASIAONE"));
        script.answer(200, encrypted());
        aws.wrap(&secret(), &binding()).unwrap();
        let sent = script.take();
        assert_eq!(sent[0].url, url);
        assert!(sent[0].body.contains("&RoleSessionName=a%2Fb&"));
    }
}

#[test]
fn web_identity_refusals_keep_their_meaning() {
    let file = TokenFile::new("sts-refused", "S3CRET");
    let environment = file.environment(&[ROLE]);
    for (status, code, kind, tries) in [
        (400, "InvalidIdentityToken", Kind::Credentials, 1),
        (400, "ExpiredTokenException", Kind::Credentials, 1),
        (403, "AccessDenied", Kind::Permission, 1),
        (400, "IDPCommunicationError", Kind::External, 3),
        (403, "RegionDisabledException", Kind::Permission, 1),
        (400, "Throttling", Kind::Throttled, 3),
        (400, "S3CRET", Kind::Protocol, 1),
        (503, "S3CRET", Kind::External, 3),
    ] {
        let (aws, script) = provider(SETTING, environment).unwrap();
        for _ in 0..tries {
            let body = format!("<E><Code>{code}</Code><Message>S3CRET</Message></E>");
            script.answer(status, body);
        }
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_silent(&error);
        assert_eq!(script.take().len(), tries);
    }
    let good = given_by_sts("ASIAONE");
    for body in [
        String::new(),
        "S3CRET".to_owned(),
        "{\"AssumeRoleWithWebIdentityResponse\":{}}".to_owned(),
        good.replace("</SecretAccessKey>", ""),
        good.replace("<SecretAccessKey>", "<SecretAccessKey x=\"S3CRET\">"),
        good.replace("S3CRET/key", "S3CRET&amp;key"),
        good.replace("S3CRET/key", "S3CRET key"),
        good.replace("2015-08-30T13:36:00Z", "S3CRET"),
        good.replace("ASIAONE", "<b>S3CRET</b>"),
        good.replace("</Credentials>", ""),
    ] {
        let (aws, script) = provider(SETTING, environment).unwrap();
        script.answer(200, &body);
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
        assert_silent(&error);
    }
}

#[test]
fn web_identity_needs_its_variables_and_its_file() {
    let file = TokenFile::new("sts-half", "token");
    for environment in [
        file.environment(&[]),
        file.environment(&[("AWS_ROLE_ARN", "S3CRET")]),
        &[ROLE, ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/at/all")],
    ] {
        let (aws, script) = provider(SETTING, environment).unwrap();
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotReady);
        assert_silent(&error);
        assert_eq!(script.take(), []);
    }
}

#[test]
fn container_endpoints_are_asked_with_their_token() {
    let (aws, script) = provider(SETTING, CONTAINER).unwrap();
    script.answer(200, given("ASIATWO", "2015-08-30T18:00:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    let sent = script.take();
    assert_eq!(
        (sent[0].line, sent[0].method.as_str(), sent[0].url.as_str()),
        ("metadata", "GET", "http://169.254.170.2/v2/credentials/x")
    );
    assert_eq!(sent[0].header("authorization"), Some("S3CRET-token"));
    assert_eq!(signer(&sent[1]), "ASIATWO");

    let file = TokenFile::new("pod", "S3CRET-projected\n");
    let path: &'static str = file.0.clone().leak();
    let environment: &'static [(&str, &str)] = vec![
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1/credentials",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one"),
    ]
    .leak();
    let (aws, script) = provider(SETTING, environment).unwrap();
    script.answer(200, given("ASIATWO", "2015-08-30T18:00:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    let sent = script.take();
    assert_eq!(sent[0].url, "http://169.254.170.23/v1/credentials");
    assert_eq!(sent[0].header("authorization"), Some("S3CRET-projected"));
}

#[test]
fn container_endpoints_that_refuse_or_make_no_sense() {
    for (status, kind, tries) in [
        (401, Kind::Credentials, 1),
        (403, Kind::Credentials, 1),
        (404, Kind::External, 1),
        (500, Kind::External, 3),
    ] {
        let (aws, script) = provider(SETTING, CONTAINER).unwrap();
        for _ in 0..tries {
            script.answer(status, "S3CRET");
        }
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        assert_silent(&error);
        assert_eq!(script.take().len(), tries);
    }
    let good = given("ASIATWO", "2015-08-30T18:00:00Z");
    for body in [
        String::new(),
        "S3CRET".to_owned(),
        "[]".to_owned(),
        good.replace("\"Token\"", "\"token\""),
        good.replace("\"ASIATWO\"", "7"),
        good.replace("ASIATWO", "S3CRET/ID"),
        good.replace("2015-08-30T18:00:00Z", "S3CRET"),
        good.replace("S3CRET-session", "S3CRET\\r\\nhost: evil"),
    ] {
        let (aws, script) = provider(SETTING, CONTAINER).unwrap();
        script.answer(200, &body);
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
        assert_silent(&error);
    }
    let hidden = &[(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        ".evil.example/S3CRET",
    )];
    let (aws, script) = provider(SETTING, hidden).unwrap();
    let error = aws.wrap(&secret(), &binding()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotReady);
    assert_silent(&error);
    assert_eq!(script.take(), []);
}

#[test]
fn imds_is_asked_for_a_token_a_role_and_its_credentials() {
    let (aws, script) = provider(SETTING, IMDS).unwrap();
    script.answer(200, "S3CRET-imds");
    script.answer(200, "confiture-role\nanother\n");
    script.answer(200, given("ASIATHREE", "2015-08-30T18:00:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    let sent = script.take();
    let asked: Vec<_> = sent
        .iter()
        .map(|sent| (sent.line, sent.method.as_str(), sent.url.as_str()))
        .collect();
    let root = "http://169.254.169.254/latest";
    let roles = format!("{root}/meta-data/iam/security-credentials/");
    assert_eq!(
        asked,
        [
            ("metadata", "PUT", format!("{root}/api/token").as_str()),
            ("metadata", "GET", roles.as_str()),
            ("metadata", "GET", format!("{roles}confiture-role").as_str()),
            ("service", "POST", "https://kms.eu-west-1.amazonaws.com/"),
        ]
    );
    assert_eq!(
        sent[0].header("x-aws-ec2-metadata-token-ttl-seconds"),
        Some("60")
    );
    assert_eq!(sent[0].body, "");
    for sent in &sent[1..3] {
        assert_eq!(sent.header("x-aws-ec2-metadata-token"), Some("S3CRET-imds"));
    }
    assert_eq!(signer(&sent[3]), "ASIATHREE");
    assert_eq!(
        sent[3].header("x-amz-security-token"),
        Some("S3CRET-session")
    );
}

#[test]
fn imds_that_is_not_there_is_no_credentials_unless_it_was_chosen() {
    let unreachable = || Error::new(Kind::Unreachable, "could not reach key provider \"aws\"");
    for (setting, kind) in [
        (SETTING.to_owned(), Kind::NotReady),
        (format!("{SETTING} credentials=imds"), Kind::Unreachable),
    ] {
        let (aws, script) = provider(&setting, IMDS).unwrap();
        script.fail(unreachable());
        assert_eq!(aws.wrap(&secret(), &binding()).unwrap_err().kind(), kind);
        script.fail(Error::new(Kind::QueryCanceled, "canceling"));
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), Kind::QueryCanceled);
    }
    let (aws, script) = provider(SETTING, &[("AWS_EC2_METADATA_DISABLED", "TRUE")]).unwrap();
    assert_eq!(
        aws.wrap(&secret(), &binding()).unwrap_err().kind(),
        Kind::NotReady
    );
    assert_eq!(script.take(), []);
}

#[test]
fn imds_that_refuses_or_makes_no_sense() {
    for (answers, kind) in [
        (&[(403, "S3CRET")][..], Kind::Credentials),
        (&[(404, "S3CRET")], Kind::NotReady),
        (&[(200, "")], Kind::Protocol),
        (&[(200, "S3CRET\u{7f}")], Kind::Protocol),
        (&[(200, "t"), (404, "S3CRET")], Kind::NotReady),
        (&[(200, "t"), (200, "")], Kind::Protocol),
        (&[(200, "t"), (200, "../S3CRET")], Kind::Protocol),
        (&[(200, "t"), (200, "..")], Kind::Protocol),
        (
            &[(200, "t"), (200, "role"), (401, "S3CRET")],
            Kind::Credentials,
        ),
        (
            &[(200, "t"), (200, "role"), (200, "{\"Code\":\"S3CRET\"}")],
            Kind::Protocol,
        ),
    ] {
        let (aws, script) = provider(SETTING, IMDS).unwrap();
        for (status, body) in answers {
            script.answer(*status, body);
        }
        let error = aws.wrap(&secret(), &binding()).unwrap_err();
        assert_eq!(error.kind(), kind, "{answers:?}");
        assert_silent(&error);
        assert_eq!(script.take().len(), answers.len());
    }
}

#[test]
fn credentials_are_renewed_five_minutes_before_their_end() {
    let (mut aws, script) = provider(SETTING, CONTAINER).unwrap();
    script.answer(200, given("ASIAONE", "2015-08-30T13:36:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    script.take();
    aws.clock = || at("2015-08-30T13:30:59Z");
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    assert_eq!(signer(&script.take()[0]), "ASIAONE");
    aws.clock = || -> SystemTime { at("2015-08-30T13:30:59Z") + Duration::from_secs(1) };
    script.answer(200, given("ASIATWO", "2015-08-30T14:36:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    assert_eq!(signer(&script.take()[1]), "ASIATWO");
}

#[test]
fn kept_credentials_that_are_no_longer_accepted_are_renewed_once() {
    let expired = "{\"__type\":\"ExpiredTokenException\",\"message\":\"S3CRET\"}";
    let (aws, script) = provider(SETTING, CONTAINER).unwrap();
    script.answer(200, given("ASIAONE", "2015-08-30T18:00:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    script.take();
    script.answer(400, expired);
    script.answer(200, given("ASIATWO", "2015-08-30T18:00:00Z"));
    script.answer(200, encrypted());
    aws.wrap(&secret(), &binding()).unwrap();
    let sent = script.take();
    assert_eq!((signer(&sent[0]), signer(&sent[2])), ("ASIAONE", "ASIATWO"));
    assert_eq!(sent[0].body, sent[2].body);

    // A second refusal is the end of it.
    script.answer(400, expired);
    script.answer(200, given("ASIATHREE", "2015-08-30T18:00:00Z"));
    script.answer(400, expired);
    let error = aws.wrap(&secret(), &binding()).unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(error.message().contains("the container's role"));
    assert_silent(&error);
    assert_eq!(script.take().len(), 3);
}
