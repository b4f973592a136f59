//! How many rows the running statement has written so far: looked at from time to time by the timer of
//! the process, so that nothing is counted per row.
//!
//! PostgreSQL source: `executor/execMain.c` (`es_processed`), `utils/misc/timeout.c`.

use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::Once;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed,
};

use pgrx::{pg_guard, pg_sys};

/// Milliseconds between two looks.
const EVERY: i32 = 250;
/// Looks in a second.
const IN_A_SECOND: u32 = 4;

unsafe extern "C" {
    /// `utils/timeout.h`, of which pgrx has no declarations: none of these raises an error here.
    fn RegisterTimeout(id: i32, handler: extern "C" fn()) -> i32;
    #[cfg(not(feature = "pg14"))]
    fn enable_timeout_every(id: i32, first: pg_sys::TimestampTz, delay: i32);
    fn disable_timeout(id: i32, keep_indicator: bool);
}

/// Any number from the first of users on asks for the next free one, and that first is smaller than
/// this in every release.
const OF_USERS: i32 = 20;

/// Where the number of rows goes to.
static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());
/// The state of the statement that is counted, while it runs.
static STATE: AtomicPtr<pg_sys::EState> = AtomicPtr::new(null_mut());
/// Whether the next INSERT is it.
static AWAITED: AtomicBool = AtomicBool::new(false);
static TIMER: AtomicI32 = AtomicI32::new(0);
/// After so many looks somebody wants to know; 0 for never.
static PERIOD: AtomicU32 = AtomicU32::new(0);
static LOOKS: AtomicU32 = AtomicU32::new(0);
static DUE: AtomicBool = AtomicBool::new(false);

/// Keeps a word up to date with the number of rows of the next INSERT, until dropped.
pub struct Counting<'a>(PhantomData<&'a AtomicU64>);

/// Counts into a word of shared memory; [`is_due`] every so many seconds, or never for 0.
pub fn count_into(word: &AtomicU64, seconds: u32) -> Counting<'_> {
    static READY: Once = Once::new();
    // SAFETY: once per process, for good: the functions are never unloaded, and one who was hooked
    // in before is called.
    READY.call_once(|| unsafe {
        PREVIOUS = pg_sys::ExecutorRun_hook;
        pg_sys::ExecutorRun_hook = Some(run);
        TIMER.store(RegisterTimeout(OF_USERS, look), Relaxed);
    });
    PERIOD.store(seconds.saturating_mul(IN_A_SECOND), Relaxed);
    LOOKS.store(0, Relaxed);
    DUE.store(false, Relaxed);
    WORD.store(std::ptr::from_ref(word).cast_mut(), Relaxed);
    AWAITED.store(true, Relaxed);
    #[cfg(not(feature = "pg14"))]
    // SAFETY: a timer of this module.
    unsafe {
        let first = pg_sys::GetCurrentTimestamp() + i64::from(EVERY) * 1000;
        enable_timeout_every(TIMER.load(Relaxed), first, EVERY);
    }
    Counting(PhantomData)
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        // SAFETY: as above. Off before the word may go.
        unsafe { disable_timeout(TIMER.load(Relaxed), false) };
        AWAITED.store(false, Relaxed);
        DUE.store(false, Relaxed);
        STATE.store(null_mut(), Relaxed);
        WORD.store(null_mut(), Relaxed);
    }
}

/// Whether it is time to tell how far the statement is; then not again for a while. Cheap enough to be
/// asked for every row.
pub fn is_due() -> bool {
    DUE.load(Relaxed) && DUE.swap(false, Relaxed)
}

/// Called by the signal of the timer, in the middle of anything: it copies a number.
extern "C" fn look() {
    let period = PERIOD.load(Relaxed);
    if period > 0 && LOOKS.fetch_add(1, Relaxed) % period == period - 1 {
        DUE.store(true, Relaxed);
    }
    let (state, word) = (STATE.load(Relaxed), WORD.load(Relaxed));
    if !state.is_null() && !word.is_null() {
        // SAFETY: the state is there while the statement runs, and the word while it is counted: both
        // are taken away first, in this process, which does not go on while this function runs.
        unsafe { (*word).store((*state).es_processed, Relaxed) };
    }
}

static mut PREVIOUS: pg_sys::ExecutorRun_hook_type = None;

/// Notes which statement runs.
#[pg_guard]
unsafe extern "C-unwind" fn run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    count: u64,
    #[cfg(not(feature = "pg18"))] once: bool,
) {
    struct Running(bool);
    impl Drop for Running {
        fn drop(&mut self) {
            if self.0 {
                STATE.store(null_mut(), Relaxed);
            }
        }
    }
    // SAFETY: the server calls with a statement that is ready to run.
    unsafe {
        let is_it =
            (*query).operation == pg_sys::CmdType::CMD_INSERT && AWAITED.swap(false, Relaxed);
        if is_it {
            STATE.store((*query).estate, Relaxed);
        }
        let _running = Running(is_it);
        match PREVIOUS {
            // Of the server, or of another library: its errors are caught where they cross into Rust.
            Some(previous) => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                #[cfg(not(feature = "pg18"))]
                previous(query, direction, count, once);
                #[cfg(feature = "pg18")]
                previous(query, direction, count);
            }),
            #[cfg(not(feature = "pg18"))]
            None => pg_sys::standard_ExecutorRun(query, direction, count, once),
            #[cfg(feature = "pg18")]
            None => pg_sys::standard_ExecutorRun(query, direction, count),
        }
    }
}
