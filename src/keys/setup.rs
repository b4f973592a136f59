//! Which providers there are and how the settings open them. A provider is made once per session
//! and settings, so that what it was told when it signed in is asked for once.

use std::cell::RefCell;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::Secret;
use super::envelope::Binding;
use super::provider::http::line::{Patience, Waited};
use super::provider::http::{Limits, Lines};
use super::provider::options::{self, Options};
use super::provider::{Environment, Kek, Provider, Wrapped, aws, azure, env, file, vault};
use crate::error::{Error, Kind, Result};
use crate::pg::{latch, server};
use crate::settings;

/// Every provider, in the order they are named to users.
pub const PROVIDERS: [&str; 6] = ["file", "env", "aws", "vault", "azure", "pkcs11"];

/// The name of the provider that wraps new keys.
///
/// # Errors
/// 55000 when none is set up, 22023 when the setting names none that exists.
pub fn chosen() -> Result<&'static str> {
    match settings::key_provider() {
        Some(name) => known(&name),
        None if settings::key_file().is_some() => Ok(file::NAME),
        None => Err(Error::new(Kind::NotReady, "no key provider is set up")
            .with_detail("The settings confiture.key_provider and confiture.key_file are empty.")
            .with_hint(
                "Run LOAD 'confiture'; SELECT confiture.init_key_file(); and follow what it prints.",
            )),
    }
}

/// The provider of a name as it stands in the catalog.
///
/// # Errors
/// 22023 for a name that does not exist.
pub fn known(name: &str) -> Result<&'static str> {
    PROVIDERS
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                format!("key provider \"{name}\" does not exist"),
            )
            .with_hint(format!("Available providers are {}.", PROVIDERS.join(", ")))
        })
}

/// A provider as the settings describe it.
///
/// # Errors
/// 55000 when it is not set up, 22023 when its setting is malformed or the name unknown, 0A000
/// when this library was built without it.
pub fn provider(name: &str) -> Result<Rc<dyn Provider>> {
    let name = known(name)?;
    // Read again at every use: a file may have been replaced, and is read in microseconds.
    if name == file::NAME {
        let path = settings::key_file().ok_or_else(|| {
            Error::new(Kind::NotReady, "key provider \"file\" is not set up")
                .with_detail("The setting confiture.key_file is empty.")
                .with_hint(
                    "Run LOAD 'confiture'; SELECT confiture.init_key_file(); and follow what it \
                     prints.",
                )
        })?;
        return Ok(Rc::new(file::FileProvider::open(
            path.as_ref(),
            &server::data_directory(),
        )?));
    }
    let limits = Limits {
        connect: settings::key_connect_timeout(),
        total: settings::key_request_timeout(),
    };
    let setting = settings::key_service(name);
    OPEN.with_borrow_mut(|open| {
        if let Some(kept) = open
            .iter()
            .find(|kept| kept.name == name && kept.setting == setting && kept.limits == limits)
        {
            return Ok(Rc::clone(&kept.provider));
        }
        let provider: Rc<dyn Provider> = Rc::new(Interruptible(make(name, &setting, limits)?));
        open.retain(|kept| kept.name != name);
        open.push(Open {
            name,
            setting,
            limits,
            provider: Rc::clone(&provider),
        });
        Ok(provider)
    })
}

/// Forgets every provider with what it was told when it signed in.
pub fn forget() {
    OPEN.with_borrow_mut(Vec::clear);
}

thread_local! {
    static OPEN: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

struct Open {
    name: &'static str,
    setting: String,
    limits: Limits,
    provider: Rc<dyn Provider>,
}

fn make(name: &'static str, setting: &str, limits: Limits) -> Result<Box<dyn Provider>> {
    let patience: Arc<dyn Patience> = Arc::new(Latch);
    let service = |own: &[&str]| -> Result<(Options, Lines)> {
        let options = Options::parse(name, setting, &[own, &options::OF_HTTP])?;
        let lines = options.route()?.lines(limits, &patience)?;
        Ok((options, lines))
    };
    let environment: Environment = Box::new(environment);
    Ok(match name {
        env::NAME => Box::new(env::EnvProvider::open(&environment)?),
        aws::NAME => {
            let (options, lines) = service(aws::OPTIONS)?;
            Box::new(aws::AwsProvider::new(&options, lines, environment)?)
        }
        azure::NAME => {
            let (options, lines) = service(azure::OPTIONS)?;
            Box::new(azure::AzureProvider::new(&options, lines, environment)?)
        }
        vault::NAME => {
            let (options, lines) = service(vault::OPTIONS)?;
            Box::new(vault::VaultProvider::new(&options, lines)?)
        }
        #[cfg(feature = "pkcs11")]
        super::provider::pkcs11::NAME => {
            use super::provider::pkcs11::{OPTIONS, Pkcs11Provider};
            let options = Options::parse(name, setting, &[OPTIONS])?;
            Box::new(Pkcs11Provider::new(&options)?)
        }
        _ => {
            return Err(Error::new(
                Kind::Unsupported,
                format!("key provider \"{name}\" is not part of this build"),
            )
            .with_hint(format!("Build the extension with --features {name}.")));
        }
    })
}

/// A variable of the server's environment, as it was when the server started.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Waits by the latch of the backend.
#[derive(Debug)]
struct Latch;

impl Patience for Latch {
    fn wait(&self, socket: Option<BorrowedFd<'_>>, write: bool, longest: Duration) -> Waited {
        match latch::wait(socket, write, longest) {
            latch::Waited::Ready => Waited::Ready,
            latch::Waited::TimedOut => Waited::TimedOut,
            latch::Waited::Interrupted => Waited::Interrupted,
        }
    }
}

/// A provider whose calls end as the server wants a canceled statement to end: with its own error,
/// raised when the provider's conversation is over and tidied up.
struct Interruptible(Box<dyn Provider>);

fn served<T>(outcome: Result<T>) -> Result<T> {
    if let Err(error) = &outcome
        && error.kind() == Kind::QueryCanceled
    {
        server::check_for_interrupts();
    }
    outcome
}

impl Provider for Interruptible {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        served(self.0.wrap(data_key, binding))
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        served(self.0.unwrap(wrapped, binding))
    }

    fn rewrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Wrapped> {
        served(self.0.rewrap(wrapped, binding))
    }

    fn rotate_kek(&self) -> Result<Kek> {
        served(self.0.rotate_kek())
    }

    fn current(&self) -> Result<Kek> {
        served(self.0.current())
    }

    fn knows(&self, kek_ref: &str) -> Result<()> {
        self.0.knows(kek_ref)
    }

    fn health(&self) -> Result<()> {
        served(self.0.health())
    }
}
