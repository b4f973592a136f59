//! How many rows the running statement has written so far: looked at from time to time by the timer of
//! the process, so that nothing is counted per row. And, where that is asked for, how its time is
//! divided, which costs a few looks at the clock for each row.
//!
//! The hooks here are plain functions, without a guard around them: an error of the server passes
//! through them as it was raised, with the names of the table and the column that a guard would lose.
//! For that they hold nothing that would have to be dropped, and call nothing that panics.
//!
//! PostgreSQL source: `executor/execMain.c` (`es_processed`), `utils/misc/timeout.c`,
//! `executor/instrument.c`; `contrib/auto_explain` asks for times in the same way.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::Once;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed,
};

use pgrx::pg_sys;

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

/// Without the guards of pgrx, see above: an error in one of these leaves by a jump.
pub(super) mod unguarded {
    use super::{c_char, c_void, pg_sys};

    /// What is called with each node of a tree.
    pub(in crate::pg) type Visit =
        Option<unsafe extern "C-unwind" fn(*mut pg_sys::Node, *mut c_void) -> bool>;

    unsafe extern "C-unwind" {
        pub(in crate::pg) fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: i32);
        pub(in crate::pg) fn standard_planner(
            query: *mut pg_sys::Query,
            written: *const c_char,
            options: i32,
            parameters: pg_sys::ParamListInfo,
        ) -> *mut pg_sys::PlannedStmt;
        pub(in crate::pg) fn check_functions_in_node(
            node: *mut pg_sys::Node,
            called: pg_sys::check_function_callback,
            context: *mut c_void,
        ) -> bool;
        #[cfg_attr(
            not(any(feature = "pg14", feature = "pg15")),
            link_name = "query_tree_walker_impl"
        )]
        pub(in crate::pg) fn query_tree_walker(
            query: *mut pg_sys::Query,
            visit: Visit,
            context: *mut c_void,
            flags: i32,
        ) -> bool;
        #[cfg_attr(
            not(any(feature = "pg14", feature = "pg15")),
            link_name = "expression_tree_walker_impl"
        )]
        pub(in crate::pg) fn expression_tree_walker(
            node: *mut pg_sys::Node,
            visit: Visit,
            context: *mut c_void,
        ) -> bool;
        #[cfg(not(feature = "pg18"))]
        pub(super) fn standard_ExecutorRun(
            query: *mut pg_sys::QueryDesc,
            direction: pg_sys::ScanDirection::Type,
            count: u64,
            once: bool,
        );
        #[cfg(feature = "pg18")]
        pub(super) fn standard_ExecutorRun(
            query: *mut pg_sys::QueryDesc,
            direction: pg_sys::ScanDirection::Type,
            count: u64,
        );
        pub(super) fn InstrEndLoop(instrument: *mut pg_sys::Instrumentation);
        pub(super) fn MemoryContextAllocExtended(
            context: pg_sys::MemoryContext,
            size: usize,
            flags: i32,
        ) -> *mut c_void;
        pub(super) fn MemoryContextRegisterResetCallback(
            context: pg_sys::MemoryContext,
            callback: *mut pg_sys::MemoryContextCallback,
        );
    }
}

/// Any number from the first of users on asks for the next free one, and that first is smaller than
/// this in every release.
const OF_USERS: i32 = 20;

/// Where the number of rows goes to.
static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());
/// The state of the statement that is counted, while it runs.
static STATE: AtomicPtr<pg_sys::EState> = AtomicPtr::new(null_mut());
/// What the rows of the statement go to, where it is none that says INSERT itself.
static DESTINATION: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// Whether the next INSERT is it.
static AWAITED: AtomicBool = AtomicBool::new(false);
static TIMER: AtomicI32 = AtomicI32::new(0);
/// After so many looks somebody wants to know; 0 for never.
static PERIOD: AtomicU32 = AtomicU32::new(0);
static LOOKS: AtomicU32 = AtomicU32::new(0);
static DUE: AtomicBool = AtomicBool::new(false);

/// Whether the times of that statement are wanted.
static TIMED: AtomicBool = AtomicBool::new(false);
/// What they were, as the bits of seconds: of all, and of making the rows.
static TIMES: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// How the time of a statement was divided, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Making the rows: reading, and every function of the SELECT.
    pub making: f64,
    /// Writing them.
    pub writing: f64,
}

/// Keeps a word up to date with the number of rows of the next INSERT, until dropped; what was counted
/// before, because a statement that is counted has called for this one, is counted again then.
pub struct Counting<'a> {
    word: PhantomData<&'a AtomicU64>,
    before: Counted,
}

/// What is counted, and how: all that is in the words above, but for what the timer does with them.
struct Counted {
    word: *mut AtomicU64,
    state: *mut pg_sys::EState,
    destination: *mut c_void,
    is_awaited: bool,
    period: u32,
    is_timed: bool,
    times: [u64; 2],
}

impl Counted {
    fn now() -> Self {
        Self {
            word: WORD.load(Relaxed),
            state: STATE.load(Relaxed),
            destination: DESTINATION.load(Relaxed),
            is_awaited: AWAITED.load(Relaxed),
            period: PERIOD.load(Relaxed),
            is_timed: TIMED.load(Relaxed),
            times: [0, 1].map(|of| TIMES[of].load(Relaxed)),
        }
    }

    /// While the timer is off, or nothing is counted.
    fn put(&self) {
        PERIOD.store(self.period, Relaxed);
        LOOKS.store(0, Relaxed);
        DUE.store(false, Relaxed);
        TIMED.store(self.is_timed, Relaxed);
        for (of, seconds) in TIMES.iter().zip(self.times) {
            of.store(seconds, Relaxed);
        }
        STATE.store(self.state, Relaxed);
        DESTINATION.store(self.destination, Relaxed);
        WORD.store(self.word, Relaxed);
        AWAITED.store(self.is_awaited, Relaxed);
    }
}

/// Sets the timer that looks.
fn look_often() {
    #[cfg(not(feature = "pg14"))]
    // SAFETY: a timer of this module.
    unsafe {
        let first = pg_sys::GetCurrentTimestamp() + i64::from(EVERY) * 1000;
        enable_timeout_every(TIMER.load(Relaxed), first, EVERY);
    }
}

fn look_no_more() {
    // SAFETY: a timer of this module, which may be off.
    unsafe { disable_timeout(TIMER.load(Relaxed), false) };
}

impl Counting<'_> {
    /// How the time was divided of the statement that has run; `None` where nobody asked.
    pub fn times(&self) -> Option<Times> {
        let [all, making] = [0, 1].map(|of| f64::from_bits(TIMES[of].load(Relaxed)));
        TIMED.load(Relaxed).then_some(Times {
            making,
            writing: (all - making).max(0.0),
        })
    }
}

/// Counts into a word of shared memory; [`is_due`] every so many seconds, or never for 0. With `timed`
/// the time of the statement is divided.
pub fn count_into(word: &AtomicU64, seconds: u32, timed: bool) -> Counting<'_> {
    static READY: Once = Once::new();
    // SAFETY: once per process, for good: the functions are never unloaded, and one who was hooked
    // in before is called.
    READY.call_once(|| unsafe {
        PREVIOUS = pg_sys::ExecutorRun_hook;
        pg_sys::ExecutorRun_hook = Some(run);
        BEFORE_START = pg_sys::ExecutorStart_hook;
        pg_sys::ExecutorStart_hook = Some(start);
        TIMER.store(RegisterTimeout(OF_USERS, look), Relaxed);
    });
    look_no_more();
    let before = Counted::now();
    let counted = Counted {
        word: std::ptr::from_ref(word).cast_mut(),
        state: null_mut(),
        destination: null_mut(),
        is_awaited: true,
        period: seconds.saturating_mul(IN_A_SECOND),
        is_timed: timed,
        times: [0, 0],
    };
    counted.put();
    look_often();
    Counting {
        word: PhantomData,
        before,
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        // Off before the word may go.
        look_no_more();
        self.before.put();
        if !self.before.word.is_null() {
            look_often();
        }
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
static mut BEFORE_START: pg_sys::ExecutorStart_hook_type = None;

/// Asks for times before the server makes ready to run the statement.
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: i32) {
    // SAFETY: the server calls with a statement that is about to be made ready.
    unsafe {
        if are_times_wanted() && is_load(query) {
            (*query).instrument_options |= pg_sys::InstrumentOption::INSTRUMENT_TIMER.cast_signed();
        }
        match BEFORE_START {
            Some(previous) => previous(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
        }
    }
}

/// Notes which statement runs.
#[cfg(not(feature = "pg18"))]
unsafe extern "C-unwind" fn run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    count: u64,
    once: bool,
) {
    // SAFETY: the server calls with a statement that is ready to run.
    unsafe {
        let is_it = note(query);
        match PREVIOUS {
            Some(previous) => previous(query, direction, count, once),
            None => unguarded::standard_ExecutorRun(query, direction, count, once),
        }
        if is_it {
            divide(query);
        }
    }
}

/// As above.
#[cfg(feature = "pg18")]
unsafe extern "C-unwind" fn run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    count: u64,
) {
    // SAFETY: as above.
    unsafe {
        let is_it = note(query);
        match PREVIOUS {
            Some(previous) => previous(query, direction, count),
            None => unguarded::standard_ExecutorRun(query, direction, count),
        }
        if is_it {
            divide(query);
        }
    }
}

/// # Safety
/// A statement of the server.
unsafe fn is_load(query: *mut pg_sys::QueryDesc) -> bool {
    // SAFETY: as the caller promises.
    unsafe { (*query).operation == pg_sys::CmdType::CMD_INSERT || is_selected(query) }
}

/// Whether the rows of a statement are those of an INSERT that it does not say itself.
///
/// # Safety
/// A statement of the server.
unsafe fn is_selected(query: *mut pg_sys::QueryDesc) -> bool {
    // SAFETY: as the caller promises.
    let destination: *mut c_void = unsafe { (*query).dest }.cast();
    !destination.is_null() && destination == DESTINATION.load(Relaxed)
}

/// Has the statement be counted, as the next INSERT, that hands its rows to `destination`.
pub(super) fn await_rows_for(destination: *mut c_void) {
    DESTINATION.store(destination, Relaxed);
}

/// Whether the time of the statement that is about to be made ready is to be divided.
pub(super) fn are_times_wanted() -> bool {
    TIMED.load(Relaxed) && AWAITED.load(Relaxed)
}

/// Keeps how long all took of a statement that [`await_rows_for`] was called for, which has ended.
pub(super) fn took(seconds: f64) {
    DESTINATION.store(null_mut(), Relaxed);
    TIMES[0].store(seconds.to_bits(), Relaxed);
}

/// Notes the state of the statement, if it is the one that is awaited, for as long as it is there: it is
/// forgotten before its memory goes, also after an error.
///
/// # Safety
/// A statement that is ready to run.
unsafe fn note(query: *mut pg_sys::QueryDesc) -> bool {
    // SAFETY: as the caller promises. Without room for the callback nothing is noted.
    unsafe {
        if !is_load(query) || !AWAITED.swap(false, Relaxed) {
            return false;
        }
        let state = (*query).estate;
        let room = unguarded::MemoryContextAllocExtended(
            (*state).es_query_cxt,
            size_of::<pg_sys::MemoryContextCallback>(),
            pg_sys::MCXT_ALLOC_NO_OOM.cast_signed(),
        );
        if room.is_null() {
            return false;
        }
        let callback: *mut pg_sys::MemoryContextCallback = room.cast();
        (*callback).func = Some(forget);
        (*callback).arg = state.cast();
        unguarded::MemoryContextRegisterResetCallback((*state).es_query_cxt, callback);
        STATE.store(state, Relaxed);
        true
    }
}

/// The memory of a state goes.
unsafe extern "C-unwind" fn forget(state: *mut c_void) {
    // Not that of another statement, which is noted meanwhile.
    let _ = STATE.compare_exchange(state.cast(), null_mut(), Relaxed, Relaxed);
}

/// Keeps how the time of the statement was divided, where that is wanted.
///
/// # Safety
/// A statement that has run.
unsafe fn divide(query: *mut pg_sys::QueryDesc) {
    // SAFETY: as the caller promises.
    unsafe {
        let top = (*query).planstate;
        if !TIMED.load(Relaxed) || top.is_null() {
            return;
        }
        if is_selected(query) {
            TIMES[1].store(seconds(top).to_bits(), Relaxed);
            return;
        }
        for (of, node) in TIMES.iter().zip([top, (*top).lefttree]) {
            of.store(seconds(node).to_bits(), Relaxed);
        }
    }
}

/// # Safety
/// The state of a node that has run, or NULL.
unsafe fn seconds(node: *mut pg_sys::PlanState) -> f64 {
    // SAFETY: as the caller promises; the end of a loop may be said twice.
    unsafe {
        if node.is_null() || (*node).instrument.is_null() {
            return 0.0;
        }
        unguarded::InstrEndLoop((*node).instrument);
        (*(*node).instrument).total
    }
}
