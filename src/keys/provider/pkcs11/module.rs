//! The module: loaded once in a process and kept, initialized by the process that uses it.
//!
//! A backend is a fork of the postmaster. PKCS#11 (v2.40, §2.5.2) asks the child to call
//! C_Initialize itself, so a changed process id does that again. C_Finalize is never called: the
//! module may serve others in this process, and a forked one shares connections with its parent.

use std::path::Path;
use std::process;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error as Failure, RvError};

use super::fault;
use crate::error::Result;

static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

struct Loaded {
    path: String,
    module: Pkcs11,
    /// The process that initialized it.
    owner: Option<u32>,
}

/// The module of that path, ready for calls of this process.
///
/// # Errors
/// 55000 when it cannot be loaded or initialized.
pub(super) fn open(path: &str) -> Result<Pkcs11> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = match loaded.iter().position(|known| known.path == path) {
        Some(place) => place,
        None => {
            loaded.push(Loaded {
                path: path.to_owned(),
                module: load(path)?,
                owner: None,
            });
            loaded.len() - 1
        }
    };
    let known = &mut loaded[place];
    if known.owner != Some(process::id()) {
        // No threads of its own: signals of the server could be delivered to them.
        let flags =
            CInitializeFlags::OS_LOCKING_OK | CInitializeFlags::LIBRARY_CANT_CREATE_OS_THREADS;
        match known.module.initialize(CInitializeArgs::new(flags)) {
            // Somebody else in this process did it, or the module is at ease with forks.
            Ok(()) | Err(Failure::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(failure) => return Err(fault::not_initialized(&failure)),
        }
        known.owner = Some(process::id());
    }
    Ok(known.module.clone())
}

/// Makes the next [`open`] initialize the module again: somebody else finalized it.
pub(super) fn forget(path: &str) {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    for known in loaded.iter_mut().filter(|known| known.path == path) {
        known.owner = None;
    }
}

fn load(path: &str) -> Result<Pkcs11> {
    Pkcs11::new(path).map_err(|failure| {
        fault::no_module(match failure {
            Failure::LibraryLoading(_) if !Path::new(path).exists() => {
                format!("There is no file \"{path}\".")
            }
            Failure::LibraryLoading(_) => {
                format!("The system's loader does not take \"{path}\".")
            }
            Failure::Pkcs11(_, Function::GetInterface | Function::GetFunctionList) => {
                format!("\"{path}\" does not give its functions.")
            }
            _ => format!("\"{path}\" is no PKCS#11 module."),
        })
    })
}
