//! Temporary credentials: from STS for a token of Kubernetes, from the endpoint of a container,
//! from the metadata service of a machine.

use zeroize::Zeroizing;

use super::NAME;
use super::credentials::{Credentials, Given, missing, variable};
use super::endpoint::Endpoint;
use super::refusal::{self, Asked};
use crate::error::{Error, Kind, Result};
use crate::keys::provider::Environment;
use crate::keys::provider::credential::{self, Privacy};
use crate::keys::provider::http::{self, Deadline, Http, Method, Request, Response};

/// Signs in to STS with the token that the platform projected for a role (IRSA of EKS).
///
/// # Errors
/// 55000 when a variable is missing or a file cannot be used, 28000 when the token is not accepted,
/// 42501 when the role may not be taken, 08P01 when the answer makes no sense.
pub(super) fn web_identity(
    environment: &Environment,
    sts: &Endpoint,
    line: &dyn Http,
    deadline: Deadline,
) -> Result<Credentials> {
    let needed = |name: &str| {
        variable(environment, name)
            .ok_or_else(|| missing(&format!("The server has no environment variable {name}.")))
    };
    let path = needed("AWS_WEB_IDENTITY_TOKEN_FILE")?;
    let role = needed("AWS_ROLE_ARN")?;
    let session = variable(environment, "AWS_ROLE_SESSION_NAME");
    let session = session.as_ref().map_or("confiture", |name| name.as_str());
    if !is_role_arn(&role) {
        return Err(missing(
            "AWS_ROLE_ARN in the server's environment is no ARN of a role.",
        ));
    }
    let token = credential::read(NAME, &path, Privacy::Projected)?;
    // Allocated once: parts of the token are not left behind in a shorter one.
    let longest = 3 * (token.len() + role.len() + session.len()) + 256;
    let mut form = Zeroizing::new(String::with_capacity(longest));
    form.push_str("Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    for (name, value) in [
        ("&RoleArn=", role.as_str()),
        ("&RoleSessionName=", session),
        ("&WebIdentityToken=", token.as_str()),
    ] {
        form.push_str(name);
        push_encoded(&mut form, value);
    }
    let mut request = Request::new(Method::POST, sts.url.clone())
        .header("content-type", "application/x-www-form-urlencoded");
    request.body = Zeroizing::new(std::mem::take(&mut *form).into_bytes());
    let response = http::call(line, deadline, &request, refusal::is_busy)?;
    if response.status != 200 {
        let asked = Asked {
            action: "sts:AssumeRoleWithWebIdentity",
            key: &role,
            from: "the web identity token",
        };
        return Err(refusal::explain(&response, &asked));
    }
    given_by_sts(&response)
        .and_then(|given| Credentials::temporary("the web identity role", &given))
        .ok_or_else(|| nonsense("STS"))
}

/// Asks the endpoint that ECS or the Pod Identity of EKS gives a container.
///
/// # Errors
/// 55000 when it is not set up, 28000 when our token is not accepted, 58000 when it has none to
/// give, 08P01 when its answer makes no sense.
pub(super) fn container(
    environment: &Environment,
    line: &dyn Http,
    deadline: Deadline,
) -> Result<Credentials> {
    let relative = variable(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = variable(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let url = match (relative, full) {
        // No host can be hidden in it: what follows the address begins with a slash.
        (Some(path), _) if path.starts_with('/') => format!("http://169.254.170.2{}", *path),
        (Some(_), _) => {
            return Err(missing(
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI in the server's environment is no path.",
            ));
        }
        (None, Some(url)) => url.as_str().to_owned(),
        (None, None) => {
            return Err(missing(
                "The server has no environment variable AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or \
                 AWS_CONTAINER_CREDENTIALS_FULL_URI.",
            ));
        }
    };
    let mut request = Request::new(Method::GET, url).header("accept", "application/json");
    if let Some(path) = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        let token = credential::read(NAME, &path, Privacy::Projected)?;
        request = request.header("authorization", token.as_str());
    } else if let Some(token) = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN") {
        request = request.header("authorization", token.as_str());
    }
    let place = "the container's credential endpoint";
    let response = http::call(line, deadline, &request, |_| false)?;
    match response.status {
        200 => given("the container's role", &response).ok_or_else(|| nonsense(place)),
        status @ (401 | 403) => Err(refused(place, status)),
        status => Err(failed(place, status)),
    }
}

/// Asks the metadata service of an EC2 machine, in its second version.
///
/// # Errors
/// 55000 when it is switched off or has no role for the machine, 28000 when it refuses, 58000 when
/// it is broken, 08P01 when its answer makes no sense.
pub(super) fn imds(
    environment: &Environment,
    line: &dyn Http,
    deadline: Deadline,
) -> Result<Credentials> {
    let disabled = variable(environment, "AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(missing(
            "AWS_EC2_METADATA_DISABLED in the server's environment switches the last source off.",
        ));
    }
    let root = match variable(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        Some(text) => Endpoint::parse("AWS_EC2_METADATA_SERVICE_ENDPOINT", &text)?.url,
        None => "http://169.254.169.254/".to_owned(),
    };
    let place = "the metadata service of EC2";
    let ask = |request: &Request| {
        let response = http::call(line, deadline, request, |_| false)?;
        match response.status {
            200 => Ok(response),
            404 => Err(missing(
                "This machine has no role: its metadata service knows none.",
            )),
            status @ (401 | 403) => Err(refused(place, status)),
            status => Err(failed(place, status)),
        }
    };
    let request = Request::new(Method::PUT, format!("{root}latest/api/token"))
        .header("x-aws-ec2-metadata-token-ttl-seconds", "60");
    let response = ask(&request)?;
    let token = line_of(&response).ok_or_else(|| nonsense(place))?;
    let roles = format!("{root}latest/meta-data/iam/security-credentials/");
    let get = |url: String| {
        ask(&Request::new(Method::GET, url).header("x-aws-ec2-metadata-token", token))
    };
    let response = get(roles.clone())?;
    let role = line_of(&response)
        .filter(|role| is_role_name(role))
        .ok_or_else(|| nonsense(place))?;
    let response = get(format!("{roles}{role}"))?;
    given("the machine's role", &response).ok_or_else(|| nonsense(place))
}

fn given(from: &'static str, response: &Response) -> Option<Credentials> {
    Credentials::temporary(from, &serde_json::from_slice(&response.body).ok()?)
}

/// STS answers in XML; of that, four texts without any entity in them are all that is needed.
fn given_by_sts(response: &Response) -> Option<Given> {
    let text = std::str::from_utf8(&response.body).ok()?;
    let text = text
        .split_once("<Credentials>")?
        .1
        .split_once("</Credentials>")?
        .0;
    let element = |name: &str| {
        let rest = text.split_once(&format!("<{name}>"))?.1;
        let (value, rest) = rest.split_once('<')?;
        let closed = rest.strip_prefix('/')?.strip_prefix(name)?.starts_with('>');
        (closed && !value.contains('&')).then_some(value.trim())
    };
    Some(Given::of(
        element("AccessKeyId")?,
        element("SecretAccessKey")?,
        element("SessionToken")?,
        element("Expiration")?,
    ))
}

/// The first line of an answer, if it can stand in a header.
fn line_of(response: &Response) -> Option<&str> {
    let text = std::str::from_utf8(&response.body)
        .ok()?
        .lines()
        .next()?
        .trim();
    (!text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic())).then_some(text)
}

fn is_role_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || b"+=,.@_-".contains(&c);
    text.len() <= 64 && text.bytes().all(fits) && !text.bytes().all(|c| c == b'.')
}

fn is_role_arn(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || b"+=,.@_-/:".contains(&c);
    text.len() <= 2048
        && text.starts_with("arn:aws")
        && text.contains(":iam::")
        && text.contains(":role/")
        && text.bytes().all(fits)
}

/// Percent-encoding of RFC 3986: all but the unreserved characters.
fn push_encoded(form: &mut String, value: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push('%');
            form.push(char::from(DIGITS[usize::from(byte >> 4)]));
            form.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn refused(place: &str, status: u16) -> Error {
    Error::new(
        Kind::Credentials,
        format!("{place} gives key provider \"{NAME}\" no credentials"),
    )
    .with_detail(format!("It answered with HTTP status {status}."))
}

fn failed(place: &str, status: u16) -> Error {
    Error::new(
        Kind::External,
        format!("{place} has no credentials for key provider \"{NAME}\""),
    )
    .with_detail(format!("It answered with HTTP status {status}."))
}

fn nonsense(place: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("{place} gave key provider \"{NAME}\" an answer that makes no sense"),
    )
    .with_detail("It does not hold temporary credentials with their end.")
}
