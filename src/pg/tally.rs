//! How often each of some numbers comes, in the state of an aggregate: in the memory that the server
//! counts against `work_mem`, so that it puts further groups on disk in time.
//!
//! PostgreSQL source: `hash_agg_check_limits` and `AggCheckCallContext` in `nodeAgg.c`.

use pgrx::{Internal, pg_sys};

use super::call;
use crate::error::{Error, Kind, Result};

/// Numbers with how often each came, and how often none did.
#[repr(C)]
pub struct Tally {
    /// How often NULL came.
    nulls: u64,
    used: usize,
    /// How many entries there is room for: a power of two.
    room: usize,
    entries: *mut Entry,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    number: i64,
    /// 0 where the entry is free.
    count: u64,
}

/// Up to here entries stand in the order they came.
const IN_A_ROW: usize = 8;

/// How many times the memory of a hash table all states together may take.
const TIMES: f64 = 16.0;

/// Bytes of an entry, as [`bytes`] writes them.
pub const ENTRY: usize = size_of::<Entry>();

/// Counts what a row of a group has; with `is_bounded`, together with all groups that are kept at
/// the same time, no more than a multiple of what a hash table may take.
///
/// # Errors
/// 0A000 outside of an aggregate; 54000 where it is more.
pub fn add(fcinfo: pg_sys::FunctionCallInfo) -> Result<Internal> {
    let memory = memory(fcinfo)?;
    let tally = match state(fcinfo, 0) {
        Some(tally) => tally,
        None => Tally::new(memory),
    };
    let is_bounded = call::argument::<bool>(fcinfo, 2).unwrap_or(true);
    match call::argument::<i64>(fcinfo, 1) {
        Some(number) => tally.add(number, 1, memory, is_bounded)?,
        None => tally.nulls += 1,
    }
    Ok(give(tally))
}

/// Adds the state of one process to that of another.
///
/// # Errors
/// As [`add`].
pub fn combine(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Internal>> {
    let memory = memory(fcinfo)?;
    let Some(other) = state(fcinfo, 1) else {
        return Ok(state(fcinfo, 0).map(give));
    };
    let tally = match state(fcinfo, 0) {
        Some(tally) => tally,
        None => Tally::new(memory),
    };
    tally.nulls += other.nulls;
    for entry in other.entries() {
        tally.add(entry.number, entry.count, memory, true)?;
    }
    Ok(Some(give(tally)))
}

/// A state as bytes: how often NULL came, then each number and how often it came, in the order of the
/// machine.
///
/// # Errors
/// As [`add`].
pub fn bytes(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Vec<u8>>> {
    memory(fcinfo)?;
    Ok(state(fcinfo, 0).map(|tally| {
        let mut bytes = Vec::with_capacity(8 + tally.used * ENTRY);
        bytes.extend(tally.nulls.to_ne_bytes());
        for entry in tally.entries() {
            bytes.extend(entry.number.to_ne_bytes());
            bytes.extend(entry.count.to_ne_bytes());
        }
        bytes
    }))
}

/// A state of bytes that another process wrote.
///
/// # Errors
/// As [`add`]; XX000 for bytes that are none.
pub fn from_bytes(fcinfo: pg_sys::FunctionCallInfo) -> Result<Internal> {
    memory(fcinfo)?;
    // SAFETY: the memory of this call, which lasts until the state was added to another.
    let memory = unsafe { pg_sys::CurrentMemoryContext };
    let tally = Tally::new(memory);
    let bytes: &[u8] = call::argument(fcinfo, 0).unwrap_or_default();
    let (nulls, pairs) = read(bytes)?;
    tally.nulls = nulls;
    for (number, count) in pairs {
        tally.add(number, count, memory, false)?;
    }
    Ok(give(tally))
}

/// What [`bytes`] wrote: how often NULL came, and the numbers with how often they came.
///
/// # Errors
/// XX000 for anything else.
pub fn read(bytes: &[u8]) -> Result<(u64, impl Iterator<Item = (i64, u64)> + '_)> {
    let broken = || Error::new(Kind::Internal, "a tally is not as it was written");
    let (nulls, pairs) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
    if !pairs.len().is_multiple_of(ENTRY) {
        return Err(broken());
    }
    let pairs = pairs.chunks_exact(ENTRY).map(|pair| {
        let half = |from: usize| {
            let mut half = [0; 8];
            half.copy_from_slice(&pair[from..from + 8]);
            half
        };
        (i64::from_ne_bytes(half(0)), u64::from_ne_bytes(half(8)))
    });
    Ok((u64::from_ne_bytes(*nulls), pairs))
}

/// Where the server keeps the states of the aggregate that is running.
fn memory(fcinfo: pg_sys::FunctionCallInfo) -> Result<pg_sys::MemoryContext> {
    let mut memory = std::ptr::null_mut();
    // SAFETY: the running call; the context is written before it is read.
    let kind = unsafe { pg_sys::AggCheckCallContext(fcinfo, &raw mut memory) };
    if kind != pg_sys::AGG_CONTEXT_AGGREGATE.cast_signed() || memory.is_null() {
        return Err(Error::new(
            Kind::Unsupported,
            "this function is part of an aggregate and answers nothing else",
        ));
    }
    Ok(memory)
}

fn state(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<&'static mut Tally> {
    // SAFETY: within an aggregate, a state is one that `Tally::new` made; the server gives it to no
    // other call meanwhile, and nobody keeps the reference past the call.
    unsafe { call::raw(fcinfo, place)?.cast_mut_ptr::<Tally>().as_mut() }
}

fn give(tally: &mut Tally) -> Internal {
    Internal::from(Some(pg_sys::Datum::from(std::ptr::from_mut(tally))))
}

impl Tally {
    fn new(memory: pg_sys::MemoryContext) -> &'static mut Self {
        // SAFETY: fresh memory of the right size, written before it is read.
        unsafe {
            let tally = pg_sys::MemoryContextAlloc(memory, size_of::<Self>()).cast::<Self>();
            tally.write(Self {
                nulls: 0,
                used: 0,
                room: 0,
                entries: std::ptr::null_mut(),
            });
            &mut *tally
        }
    }

    fn slots(&mut self) -> &mut [Entry] {
        if self.room == 0 {
            return &mut [];
        }
        // SAFETY: `grow` made that many entries, each written.
        unsafe { std::slice::from_raw_parts_mut(self.entries, self.room) }
    }

    fn entries(&mut self) -> impl Iterator<Item = Entry> {
        self.slots().iter().copied().filter(|entry| entry.count > 0)
    }

    fn add(
        &mut self,
        number: i64,
        count: u64,
        memory: pg_sys::MemoryContext,
        is_bounded: bool,
    ) -> Result<()> {
        let place = self.place(number);
        if let Some(entry) = place.and_then(|place| self.slots().get_mut(place))
            && entry.count > 0
        {
            entry.count += count;
            return Ok(());
        }
        let is_full = match self.room {
            ..=IN_A_ROW => self.used == self.room,
            room => self.used * 4 >= room * 3,
        };
        if is_full {
            self.grow(memory, is_bounded)?;
        }
        if let Some(place) = self.place(number) {
            self.slots()[place] = Entry { number, count };
            self.used += 1;
        }
        Ok(())
    }

    /// Where a number stands, or would; `None` where there is no room for it.
    fn place(&mut self, number: i64) -> Option<usize> {
        let (room, used) = (self.room, self.used);
        let slots = self.slots();
        if room <= IN_A_ROW {
            let found = slots[..used]
                .iter()
                .position(|entry| entry.number == number);
            return found.or((used < room).then_some(used));
        }
        // Fibonacci hashing (Knuth, volume 3, 6.4): the high bits are mixed best.
        let mixed = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut place = usize::try_from(mixed).unwrap_or_default() & (room - 1);
        while slots[place].count > 0 && slots[place].number != number {
            place = (place + 1) & (room - 1);
        }
        Some(place)
    }

    fn grow(&mut self, memory: pg_sys::MemoryContext, is_bounded: bool) -> Result<()> {
        let room = (self.room * 2).max(2);
        // SAFETY: the context of the running aggregate.
        let taken = unsafe { (*memory).mem_allocated };
        if is_bounded && !fits(taken.saturating_add(room * ENTRY)) {
            return Err(Error::new(
                Kind::ProgramLimit,
                "the groups of an aggregate take more memory than they may",
            ));
        }
        // Entries that stand in a row come first in either order.
        let former: Vec<Entry> = self.entries().collect();
        // SAFETY: fresh memory for so many entries, each written; what was there before is not
        // looked at any more.
        unsafe {
            let flags = pg_sys::MCXT_ALLOC_HUGE.cast_signed();
            let fresh = pg_sys::MemoryContextAllocExtended(memory, room * ENTRY, flags);
            let free = Entry {
                number: 0,
                count: 0,
            };
            for place in 0..room {
                fresh.cast::<Entry>().add(place).write(free);
            }
            if !self.entries.is_null() {
                pg_sys::pfree(self.entries.cast());
            }
            self.entries = fresh.cast();
        }
        (self.room, self.used) = (room, 0);
        for entry in former {
            if let Some(place) = self.place(entry.number) {
                self.slots()[place] = entry;
                self.used += 1;
            }
        }
        Ok(())
    }
}

/// Whether the values of classes may take so much memory: 16 times what a hash table may.
#[allow(clippy::cast_precision_loss, reason = "a bound, and no count")]
pub fn fits(bytes: usize) -> bool {
    // SAFETY: settings of the session, read on its own thread.
    let (kilobytes, times) = unsafe { (pg_sys::work_mem, pg_sys::hash_mem_multiplier) };
    bytes as f64 <= f64::from(kilobytes) * 1024.0 * times.max(1.0) * TIMES
}
