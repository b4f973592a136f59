//! Credentials of AWS: an id, a secret and, for temporary ones, a token and an end. Those that last
//! are read at each use, from a file or the environment, so that new ones count at once.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{NAME, instant};
use crate::error::{Error, Kind, Result};
use crate::keys::provider::Environment;
use crate::keys::provider::credential::{self, Privacy};

/// How long before their end temporary credentials are replaced.
const MARGIN: Duration = Duration::from_secs(300);

/// What signs requests.
pub(super) struct Credentials {
    /// Where they come from, as words for an error.
    pub(super) from: &'static str,
    /// The id of the access key; it goes over the line as it is.
    pub(super) id: Zeroizing<String>,
    /// The secret access key; it stays here.
    pub(super) secret: Zeroizing<String>,
    /// The session token, for temporary ones; it goes over the line as it is.
    pub(super) token: Option<Zeroizing<String>>,
    expires: Option<SystemTime>,
}

impl Credentials {
    /// Takes them after a look at their form: nothing that would end a header or a field of it.
    pub(super) fn new(
        from: &'static str,
        id: &str,
        secret: &str,
        token: Option<&str>,
        expires: Option<SystemTime>,
    ) -> Option<Self> {
        let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        let visible = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
        let fits = (1..=128).contains(&id.len())
            && id.bytes().all(word)
            && (1..=256).contains(&secret.len())
            && visible(secret)
            && token.is_none_or(|token| (1..=16_384).contains(&token.len()) && visible(token));
        let own = |text: &str| Zeroizing::new(text.to_owned());
        fits.then(|| Self {
            from,
            id: own(id),
            secret: own(secret),
            token: token.map(own),
            expires,
        })
    }

    /// Reads what signing in gave; `None` when a part is missing or wrong.
    pub(super) fn temporary(from: &'static str, given: &Given) -> Option<Self> {
        let expires = instant::parse(given.expiration.0.as_str())?;
        Self::new(
            from,
            &given.access_key_id.0,
            &given.secret_access_key.0,
            Some(&given.token.0),
            Some(expires),
        )
    }

    /// Whether they have an end.
    pub(super) fn is_temporary(&self) -> bool {
        self.expires.is_some()
    }

    /// Whether they will still do for a call at that time.
    pub(super) fn last(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|end| now + MARGIN < end)
    }

    /// Reads a section of a file in the form of `~/.aws/credentials`.
    ///
    /// # Errors
    /// 55000 with what is wrong with the file, never with a byte of it.
    pub(super) fn of_file(path: &str, profile: &str) -> Result<Self> {
        let text = credential::read(NAME, path, Privacy::Private)?;
        section(&text, profile).ok_or_else(|| {
            Error::new(
                Kind::NotReady,
                format!("credential file \"{path}\" of key provider \"{NAME}\" cannot be used"),
            )
            .with_detail(format!(
                "It has no section [{profile}] with a usable aws_access_key_id and \
                 aws_secret_access_key."
            ))
        })
    }

    /// Reads them from the environment; `None` where it has none.
    ///
    /// # Errors
    /// 55000 when it has half of them, or something else in their place.
    pub(super) fn of_environment(environment: &Environment) -> Result<Option<Self>> {
        let Some(id) = variable(environment, "AWS_ACCESS_KEY_ID") else {
            return Ok(None);
        };
        let secret = variable(environment, "AWS_SECRET_ACCESS_KEY");
        let token = variable(environment, "AWS_SESSION_TOKEN");
        secret
            .and_then(|secret| {
                let token = token.as_ref().map(|token| token.as_str());
                Self::new("the server's environment", &id, &secret, token, None)
            })
            .map(Some)
            .ok_or_else(|| {
                missing(
                    "AWS_ACCESS_KEY_ID in the server's environment has no usable \
                     AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN beside it.",
                )
            })
    }
}

/// A variable of the server's environment; an empty one counts as none.
pub(super) fn variable(environment: &Environment, name: &str) -> Option<Zeroizing<String>> {
    environment(name)
        .map(Zeroizing::new)
        .filter(|value| !value.is_empty())
}

/// There is nothing to sign in with.
pub(super) fn missing(why: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key provider \"{NAME}\" has no credentials"),
    )
    .with_detail(why)
}

fn section(text: &str, profile: &str) -> Option<Credentials> {
    let (mut id, mut secret, mut token) = (None, None, None);
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            inside = name.split(']').next().map(str::trim) == Some(profile);
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
        {
            let place = match name.trim() {
                "aws_access_key_id" => &mut id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut token,
                _ => continue,
            };
            *place = Some(value.trim()).filter(|value| !value.is_empty());
        }
    }
    Credentials::new("the credential file", id?, secret?, token, None)
}

/// Temporary credentials as the metadata services write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Given {
    access_key_id: Wiped,
    secret_access_key: Wiped,
    token: Wiped,
    expiration: Wiped,
}

impl Given {
    /// From the parts of an answer that is no JSON.
    pub(super) fn of(id: &str, secret: &str, token: &str, expiration: &str) -> Self {
        let own = |text: &str| Wiped(Zeroizing::new(text.to_owned()));
        Self {
            access_key_id: own(id),
            secret_access_key: own(secret),
            token: own(token),
            expiration: own(expiration),
        }
    }
}

/// A text in an answer that is wiped when it is dropped.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct Wiped(pub(super) Zeroizing<String>);

impl From<String> for Wiped {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn environment(values: &'static [(&str, &str)]) -> Environment {
        Box::new(|name| {
            let found = values.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn credentials_of_a_file_are_those_of_the_section() {
        let text = "aws_access_key_id = OUTSIDE\n\n[other]\naws_access_key_id = OTHER\n\
                    aws_secret_access_key=S3CRET2\r\n# [default]\n[ default ]\n\
                    region = eu-west-1\n aws_access_key_id=OWN \naws_secret_access_key = a/b+c=d\n\
                    ; aws_session_token = no\naws_session_token=t0k=\n";
        let own = section(text, "default").unwrap();
        assert_eq!(own.id.as_str(), "OWN");
        assert_eq!(own.secret.as_str(), "a/b+c=d");
        assert_eq!(own.token.as_ref().unwrap().as_str(), "t0k=");
        let other = section(text, "other").unwrap();
        assert_eq!(other.id.as_str(), "OTHER");
        assert_eq!(other.secret.as_str(), "S3CRET2");
        assert!(other.token.is_none());
        assert!(section(text, "third").is_none());
        assert!(section("[default]\naws_access_key_id=A\n", "default").is_none());
        assert!(
            section(
                "[default]\naws_access_key_id=\naws_secret_access_key=b",
                "default"
            )
            .is_none()
        );
        assert!(
            section(
                "[default]\naws_access_key_id=a b\naws_secret_access_key=b",
                "default"
            )
            .is_none()
        );
    }

    #[test]
    fn credentials_of_a_file_that_does_not_do_are_not_shown() {
        let path = std::env::temp_dir().join(format!("confiture-aws-{}", std::process::id()));
        let name = path.to_str().unwrap();
        for (content, mode) in [
            ("[default]\naws_access_key_id=S3CRET\n", 0o600),
            ("S3CRET", 0o600),
            (
                "[default]\naws_access_key_id=S3CRET\naws_secret_access_key=S3CRET",
                0o644,
            ),
            (
                "[default]\naws_access_key_id=S3CRET\naws_secret_access_key=S3 CRET",
                0o600,
            ),
        ] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = Credentials::of_file(name, "default").err().unwrap();
            assert_eq!(error.kind(), Kind::NotReady);
            assert!(!format!("{error:?}").contains("S3CRET"));
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn credentials_of_the_environment_are_whole_or_refused() {
        assert!(
            Credentials::of_environment(&environment(&[]))
                .unwrap()
                .is_none()
        );
        let empty = environment(&[("AWS_ACCESS_KEY_ID", "")]);
        assert!(Credentials::of_environment(&empty).unwrap().is_none());
        let whole = environment(&[
            ("AWS_ACCESS_KEY_ID", "A"),
            ("AWS_SECRET_ACCESS_KEY", "B"),
            ("AWS_SESSION_TOKEN", "C"),
        ]);
        let found = Credentials::of_environment(&whole).unwrap().unwrap();
        assert_eq!(found.token.unwrap().as_str(), "C");
        for bad in [
            environment(&[("AWS_ACCESS_KEY_ID", "S3CRET")]),
            environment(&[
                ("AWS_ACCESS_KEY_ID", "S3 CRET"),
                ("AWS_SECRET_ACCESS_KEY", "S3CRET"),
            ]),
            environment(&[
                ("AWS_ACCESS_KEY_ID", "A"),
                ("AWS_SECRET_ACCESS_KEY", "S3CRET\r\n"),
            ]),
        ] {
            let error = Credentials::of_environment(&bad).err().unwrap();
            assert_eq!(error.kind(), Kind::NotReady);
            assert!(!format!("{error:?}").contains("S3"));
        }
    }

    #[test]
    fn temporary_credentials_end_five_minutes_early() {
        let given = Given::of("A", "B", "C", "2030-01-01T00:10:00Z");
        let found = Credentials::temporary("a test", &given).unwrap();
        let at = |text: &str| instant::parse(text).unwrap();
        assert!(found.is_temporary());
        assert!(found.last(at("2030-01-01T00:04:59Z")));
        assert!(!found.last(at("2030-01-01T00:05:00Z")));
        let endless = Given::of("A", "B", "C", "never");
        assert!(Credentials::temporary("a test", &endless).is_none());
    }
}
