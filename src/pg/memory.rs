//! Memory for keys: core dumps leave it out, a process made by `fork` finds it empty, and it is
//! wiped when it is given back.

use std::ptr::NonNull;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};

use crate::error::{Error, Kind, Result};

const BYTES: usize = 16 * 1024;

/// How many entries of 32 bytes there are.
pub const SLOTS: usize = BYTES / 32;

/// Pages of 32-byte entries.
pub struct Sealed(NonNull<[[u8; 32]; SLOTS]>);

impl Sealed {
    /// Maps them.
    ///
    /// # Errors
    /// XX000 when the system does not give one with these properties.
    pub fn new() -> Result<Self> {
        let refused = |_| {
            Error::new(
                Kind::Internal,
                "the system gives no memory that core dumps leave out",
            )
        };
        // SAFETY: a fresh private mapping that nothing else knows; it is advised on as a whole.
        unsafe {
            let flags = MapFlags::PRIVATE;
            let start = mmap_anonymous(
                std::ptr::null_mut(),
                BYTES,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
            .map_err(refused)?;
            let sealed = Self(NonNull::new_unchecked(start.cast()));
            madvise(start, BYTES, Advice::LinuxDontDump).map_err(refused)?;
            madvise(start, BYTES, Advice::LinuxWipeOnFork).map_err(refused)?;
            // Out of swap too, where the limit of the process allows it.
            let _ = mlock(start, BYTES);
            Ok(sealed)
        }
    }

    /// The address, for looking it up in `/proc/self/smaps`.
    pub fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }
}

impl AsRef<[[u8; 32]]> for Sealed {
    fn as_ref(&self) -> &[[u8; 32]] {
        // SAFETY: mapped, zeroed at first, and borrowed as Rust borrows the owner.
        unsafe { self.0.as_ref() }
    }
}

impl AsMut<[[u8; 32]]> for Sealed {
    fn as_mut(&mut self) -> &mut [[u8; 32]] {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.as_mut().as_flattened_mut().zeroize();
        // SAFETY: mapped by `new`, and nobody has it any more.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), BYTES) };
    }
}
