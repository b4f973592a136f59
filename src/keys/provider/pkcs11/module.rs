//! The module: loaded once in a process and kept, initialized by the process that uses it.
//!
//! A backend is a fork of the postmaster. PKCS#11 (v2.20, §6.6.1) asks the child to call
//! C_Initialize itself, so a changed process id does that again. C_Finalize is called only where
//! this process initialized the module here and nothing else helps ([`restart`]): the module may
//! serve others in this process, and a forked one shares connections with its parent.

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
    /// The process that can use it.
    owner: Option<u32>,
    /// Whether that process initialized it here, and not elsewhere or before it was forked.
    begun_here: bool,
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
                begun_here: false,
            });
            loaded.len() - 1
        }
    };
    let known = &mut loaded[place];
    if known.owner != Some(process::id()) {
        // No threads of its own: signals of the server could be delivered to them.
        let flags =
            CInitializeFlags::OS_LOCKING_OK | CInitializeFlags::LIBRARY_CANT_CREATE_OS_THREADS;
        known.begun_here = match known.module.initialize(CInitializeArgs::new(flags)) {
            Ok(()) => true,
            // Somebody else in this process did it, or the module is at ease with forks.
            Err(Failure::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => false,
            Err(failure) => return Err(fault::not_initialized(&failure)),
        };
        known.owner = Some(process::id());
    }
    Ok(known.module.clone())
}

/// Makes the next [`open`] initialize the module again: somebody else finalized it.
pub(super) fn forget(path: &str) {
    with(path, |known| known.owner = None);
}

/// Makes the next [`open`] begin anew, where that harms nobody: what a module saw when it was
/// initialized, it may go on seeing, as a connection that has broken since or a token that another
/// process was writing to.
pub(super) fn restart(path: &str) {
    with(path, |known| {
        if known.begun_here && known.owner == Some(process::id()) {
            known.owner = None;
            known.begun_here = false;
            // In vain only if it is not initialized.
            let _ = known.module.clone().finalize();
        }
    });
}

fn with(path: &str, change: impl Fn(&mut Loaded)) {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    loaded
        .iter_mut()
        .filter(|known| known.path == path)
        .for_each(change);
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
