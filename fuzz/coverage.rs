//! What the compiler counts: one byte for each edge of what was built with SanitizerCoverage, nothing in
//! any other build.
//!
//! LLVM documentation, "SanitizerCoverage": `-sanitizer-coverage-inline-8bit-counters`. The only file
//! with `unsafe` outside of `src/pg`, and part of no library.

#![allow(
    unsafe_code,
    reason = "the counters are memory that the compiler hands over"
)]

use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

static START: AtomicUsize = AtomicUsize::new(0);
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Called before `main` by each instrumented object, with the counters of all of them.
// SAFETY: nothing else has the name in a program without a runtime of LLVM's.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    START.store(start as usize, Ordering::Relaxed);
    LENGTH.store(stop as usize - start as usize, Ordering::Relaxed);
}

/// The edges that were taken, and about how often.
#[derive(Default)]
pub(crate) struct Coverage {
    /// For each edge the magnitudes of its counts.
    seen: Vec<u8>,
    edges: usize,
}

impl Coverage {
    /// Whether edges are counted at all.
    pub(crate) fn is_there() -> bool {
        LENGTH.load(Ordering::Relaxed) > 0
    }

    /// How many edges were taken.
    pub(crate) fn edges(&self) -> usize {
        self.edges
    }

    /// Counts from here on.
    pub(crate) fn begin() {
        counters().fill(0);
    }

    /// Whether something was taken since `begin` that never was before, or more often than ever.
    pub(crate) fn is_new(&mut self) -> bool {
        let counters = counters();
        self.seen.resize(counters.len(), 0);
        let mut is_new = false;
        for (count, seen) in counters.iter().zip(&mut self.seen) {
            if *count == 0 {
                continue;
            }
            // 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more.
            let magnitude = match *count {
                count @ 1..=3 => count - 1,
                4..=7 => 3,
                8..=15 => 4,
                16..=31 => 5,
                32..=127 => 6,
                _ => 7,
            };
            if *seen & (1 << magnitude) == 0 {
                self.edges += usize::from(*seen == 0);
                *seen |= 1 << magnitude;
                is_new = true;
            }
        }
        is_new
    }
}

fn counters() -> &'static mut [u8] {
    let length = LENGTH.load(Ordering::Relaxed);
    if length == 0 {
        return &mut [];
    }
    // SAFETY: the section that the compiler has handed over, which lives as long as the program. The code
    // that counts writes to it as well: bytes, of which none means anything to the language. Each target
    // has a process of its own where edges are counted, so that nobody else reads them.
    unsafe { slice::from_raw_parts_mut(START.load(Ordering::Relaxed) as *mut u8, length) }
}
