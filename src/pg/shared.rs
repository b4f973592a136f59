//! Memory that other sessions of the server can read, without anything preloaded.
//!
//! PostgreSQL source: `storage/ipc/dsm.c`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pgrx::pg_sys;
use pgrx::prelude::pg_guard;

const WORD: usize = size_of::<AtomicU64>();

/// Words that every process of the server may read that knows their handle. They begin as zeros, and go
/// when nobody has them any more.
pub struct Shared {
    segment: *mut pg_sys::dsm_segment,
    /// Whether this process had them before, and keeps them.
    is_kept: bool,
}

impl Shared {
    /// Makes some; `None` where the server has no more to give.
    pub fn new(words: usize) -> Option<Self> {
        let bytes = words * WORD;
        // SAFETY: a plain call with an owner of resources; pinned at once, so that the mapping outlives
        // the transaction and `drop` alone ends it.
        unsafe {
            let segment =
                pg_sys::dsm_create(bytes, pg_sys::DSM_CREATE_NULL_IF_MAXSEGMENTS.cast_signed());
            if segment.is_null() {
                return None;
            }
            pg_sys::dsm_pin_mapping(segment);
            let start: *mut u8 = pg_sys::dsm_segment_address(segment).cast();
            start.write_bytes(0, pg_sys::dsm_segment_map_length(segment));
            Some(Self {
                segment,
                is_kept: false,
            })
        }
    }

    /// Those of a handle; `None` where there are none, or so few that nothing can be in them.
    pub fn attach(handle: u32) -> Option<Self> {
        // SAFETY: a handle of no segment gives NULL; of one that this process has it must not be asked
        // for again.
        let shared = unsafe {
            let mine = pg_sys::dsm_find_mapping(handle);
            let segment = match mine.is_null() {
                true => pg_sys::dsm_attach(handle),
                false => mine,
            };
            // Not `then_some`: what is made and thrown away is detached.
            (!segment.is_null()).then(|| Self {
                segment,
                is_kept: !mine.is_null(),
            })
        };
        shared.filter(|shared| !shared.words().is_empty())
    }

    /// Has them wiped when this process lets go of them, whatever way it ends.
    pub fn wiped_at_end(self) -> Self {
        // SAFETY: attached; the function stays loaded as long as the process lasts.
        unsafe { pg_sys::on_dsm_detach(self.segment, Some(wipe), pg_sys::Datum::from(0)) };
        self
    }

    /// Keeps them for as long as the process lasts.
    pub fn keep(self) -> &'static [AtomicU64] {
        if !self.is_kept {
            // SAFETY: attached; from here on nothing but the end of the process detaches it.
            unsafe { pg_sys::dsm_pin_mapping(self.segment) };
        }
        let (start, count) = (self.words().as_ptr(), self.words().len());
        std::mem::forget(self);
        // SAFETY: mapped for good, as `words` has it.
        unsafe { std::slice::from_raw_parts(start, count) }
    }

    /// By what another process attaches them.
    pub fn handle(&self) -> u32 {
        // SAFETY: attached.
        unsafe { pg_sys::dsm_segment_handle(self.segment) }
    }

    /// The words.
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: mapped for as long as `self` lives, on pages, so aligned; whoever else has them uses
        // whole words as well, or reads garbage of somebody else's, which the caller must expect.
        unsafe {
            let start = pg_sys::dsm_segment_address(self.segment).cast();
            let count = pg_sys::dsm_segment_map_length(self.segment) / WORD;
            std::slice::from_raw_parts(start, count)
        }
    }
}

/// Called when the process lets go of a segment, which it has until then.
#[pg_guard]
unsafe extern "C-unwind" fn wipe(segment: *mut pg_sys::dsm_segment, _nothing: pg_sys::Datum) {
    // SAFETY: mapped, on pages, so aligned.
    unsafe {
        let start: *mut AtomicU64 = pg_sys::dsm_segment_address(segment).cast();
        let count = pg_sys::dsm_segment_map_length(segment) / WORD;
        for word in std::slice::from_raw_parts(start, count) {
            word.store(0, Relaxed);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.is_kept {
            // SAFETY: attached or made by this value, and given back once.
            unsafe { pg_sys::dsm_detach(self.segment) };
        }
    }
}
