//! Which credentials sign: the order in which they are looked for, and those that are kept.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use super::credentials::{Credentials, missing, variable};
use super::endpoint::Endpoint;
use super::{NAME, identity};
use crate::error::{Error, Kind, Result};
use crate::keys::provider::Environment;
use crate::keys::provider::http::{Deadline, Lines};
use crate::keys::provider::options::Options;

/// The values of the option `credentials`.
const CHOICES: [&str; 6] = [
    "auto",
    "file",
    "environment",
    "web_identity",
    "container",
    "imds",
];

/// Where credentials may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    File,
    Environment,
    WebIdentity,
    Container,
    Imds,
}

/// All of the places that were set up, and the temporary credentials that are still good.
pub(super) struct Sources {
    /// `None` for the first of them that is there.
    choice: Option<Source>,
    file: Option<(String, String)>,
    region: String,
    sts: Option<Endpoint>,
    environment: Environment,
    kept: RefCell<Option<Rc<Credentials>>>,
}

/// Credentials for one call.
pub(super) struct Found {
    /// The credentials.
    pub(super) credentials: Rc<Credentials>,
    /// Whether an earlier operation signed in for them.
    pub(super) kept: bool,
}

impl Sources {
    /// Reads the options; looks at no file and asks nobody.
    ///
    /// # Errors
    /// 55000 when the option `credentials_file` is missing, 22023 for a value that is not accepted.
    pub(super) fn new(options: &Options, region: &str, environment: Environment) -> Result<Self> {
        let choice = match options.choice("credentials", &CHOICES)? {
            "file" => Some(Source::File),
            "environment" => Some(Source::Environment),
            "web_identity" => Some(Source::WebIdentity),
            "container" => Some(Source::Container),
            "imds" => Some(Source::Imds),
            _ => None,
        };
        if choice == Some(Source::File) {
            options.required("credentials_file")?;
        }
        let profile = options.get_or("profile", "default").to_owned();
        let sts = options
            .get("sts_endpoint")
            .map(|text| Endpoint::parse("Option \"sts_endpoint\"", text))
            .transpose()?;
        Ok(Self {
            choice,
            file: options
                .get("credentials_file")
                .map(|path| (path.to_owned(), profile)),
            region: region.to_owned(),
            sts,
            environment,
            kept: RefCell::new(None),
        })
    }

    /// Credentials that are good at that time.
    ///
    /// # Errors
    /// 55000 when there are none, 28000 or 42501 when signing in is refused, and what a call gives.
    pub(super) fn find(&self, lines: &Lines, deadline: Deadline, now: SystemTime) -> Result<Found> {
        if let Some(credentials) = self.kept.borrow().as_ref()
            && credentials.last(now)
        {
            return Ok(Found {
                credentials: Rc::clone(credentials),
                kept: true,
            });
        }
        let credentials = Rc::new(self.fetch(lines, deadline)?);
        *self.kept.borrow_mut() = credentials.is_temporary().then(|| Rc::clone(&credentials));
        Ok(Found {
            credentials,
            kept: false,
        })
    }

    /// Drops what was kept: it is no longer accepted.
    pub(super) fn forget(&self) {
        *self.kept.borrow_mut() = None;
    }

    fn fetch(&self, lines: &Lines, deadline: Deadline) -> Result<Credentials> {
        match self.choice.unwrap_or_else(|| self.first()) {
            Source::File => {
                let (path, profile) = self
                    .file
                    .as_ref()
                    .ok_or_else(|| missing("No file is set."))?;
                Credentials::of_file(path, profile)
            }
            Source::Environment => {
                Credentials::of_environment(&self.environment)?.ok_or_else(|| {
                    missing("The server has no environment variable AWS_ACCESS_KEY_ID.")
                })
            }
            Source::WebIdentity => {
                let sts = match (
                    &self.sts,
                    variable(&self.environment, "AWS_ENDPOINT_URL_STS"),
                ) {
                    (Some(set), _) => set.clone(),
                    (None, Some(text)) => Endpoint::parse("AWS_ENDPOINT_URL_STS", &text)?,
                    (None, None) => Endpoint::of_region("sts", &self.region),
                };
                identity::web_identity(&self.environment, &sts, &*lines.identity, deadline)
            }
            Source::Container => identity::container(&self.environment, &*lines.metadata, deadline),
            Source::Imds => identity::imds(&self.environment, &*lines.metadata, deadline)
                .map_err(|error| self.unless_chosen(error)),
        }
    }

    /// The first place that is set up. The metadata service cannot be told from one that is not
    /// there without asking it.
    fn first(&self) -> Source {
        let has = |name: &str| variable(&self.environment, name).is_some();
        if self.file.is_some() {
            Source::File
        } else if has("AWS_ACCESS_KEY_ID") {
            Source::Environment
        } else if has("AWS_WEB_IDENTITY_TOKEN_FILE") {
            Source::WebIdentity
        } else if has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
            || has("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        {
            Source::Container
        } else {
            Source::Imds
        }
    }

    /// Where nobody chose the metadata service, its absence means that nothing is set up.
    fn unless_chosen(&self, error: Error) -> Error {
        if self.choice.is_some() || error.kind() != Kind::Unreachable {
            return error;
        }
        missing(
            "The setting names no file, the server's environment holds none and says of no service \
             that has some, and the metadata service of EC2 does not answer.",
        )
        .with_hint(format!(
            "Set the option credentials_file of confiture.key_{NAME}."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::provider::options::OF_HTTP;

    fn sources(text: &str, environment: &'static [&str]) -> Result<Sources> {
        let options = Options::parse(NAME, text, &[super::super::OPTIONS, &OF_HTTP])?;
        let environment = move |name: &str| {
            let found = environment.iter().find(|known| **known == name)?;
            Some((*found).to_owned())
        };
        Sources::new(&options, "eu-west-1", Box::new(environment))
    }

    #[test]
    fn sources_are_tried_in_their_order() {
        let variables = &[
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        for (text, left, expected) in [
            ("credentials_file=/x", &variables[..], Source::File),
            ("region=r", &variables[..], Source::Environment),
            ("region=r", &variables[1..], Source::WebIdentity),
            ("region=r", &variables[2..], Source::Container),
            ("region=r", &[], Source::Imds),
        ] {
            assert_eq!(sources(text, left).unwrap().first(), expected);
        }
    }

    #[test]
    fn sources_that_are_no_choice_are_refused() {
        let error = sources("credentials=sso", &[]).err().unwrap();
        assert_eq!(error.kind(), Kind::InvalidParameter);
        let error = sources("credentials=file", &[]).err().unwrap();
        assert_eq!(error.kind(), Kind::NotReady);
        let error = sources("sts_endpoint=sts", &[]).err().unwrap();
        assert_eq!(error.kind(), Kind::InvalidParameter);
    }
}
