//! The pages of a table as they lie in its file: what a query no longer shows is still there.

use pgrx::itemptr::item_pointer_set_all;
use pgrx::{PgTupleDesc, pg_sys};

use super::server;

/// What a file holds beside the rows that everybody sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Old versions of rows, and rows that were deleted.
    pub old_rows: u64,
    /// Pages whose free space holds bytes of rows that were taken away.
    pub pages: u64,
    /// Current rows that still have the values of columns that were dropped.
    pub with_dropped: u64,
    /// The last transaction that has written or deleted one of the rows that are there.
    pub newest: Option<u32>,
}

/// Reads every page of a table that keeps its rows as a heap; `None` of any other relation, of
/// temporary tables, and of one that has gone.
pub fn remains(relation: pg_sys::Oid) -> Option<Remains> {
    // SAFETY: a relation that has gone gives NULL; the lock keeps it until `Opened` lets it go.
    let opened = unsafe {
        let relation = pg_sys::try_relation_open(relation, LOCK);
        if relation.is_null() {
            return None;
        }
        Opened(relation)
    };
    // SAFETY: fields of an open relation.
    let (blocks, oldest) = unsafe {
        let facts = (*opened.0).rd_rel;
        let kinds = [
            pg_sys::RELKIND_RELATION,
            pg_sys::RELKIND_TOASTVALUE,
            pg_sys::RELKIND_MATVIEW,
        ];
        let is_heap = (*facts).relam == pg_sys::HEAP_TABLE_AM_OID
            && kinds.contains(&(*facts).relkind.cast_unsigned())
            && (*facts).relpersistence.cast_unsigned() != pg_sys::RELPERSISTENCE_TEMP;
        if !is_heap {
            return None;
        }
        (
            pg_sys::RelationGetNumberOfBlocksInFork(opened.0, pg_sys::ForkNumber::MAIN_FORKNUM),
            pg_sys::GetOldestNonRemovableTransactionId(opened.0),
        )
    };
    let mut found = Remains::default();
    let dropped = opened.dropped();
    // SAFETY: memory of the server, given back by `Ring`.
    let ring =
        Ring(unsafe { pg_sys::GetAccessStrategy(pg_sys::BufferAccessStrategyType::BAS_BULKREAD) });
    for block in 0..blocks {
        server::check_for_interrupts();
        let page = Page::read(&opened, block, &ring);
        found.pages += u64::from(page.has_remains());
        page.rows(oldest, &dropped, &mut found);
    }
    Some(found)
}

const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

/// An open relation, closed when dropped.
struct Opened(pg_sys::Relation);

impl Opened {
    /// The places of the columns that were dropped.
    fn dropped(&self) -> Vec<usize> {
        // SAFETY: the descriptor of an open relation.
        let columns = unsafe { PgTupleDesc::from_pg_unchecked((*self.0).rd_att) };
        let places = columns.iter().enumerate();
        places
            .filter(|(_, column)| column.attisdropped)
            .map(|(place, _)| place)
            .collect()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: opened by `remains`; the lock stays until the transaction ends.
        unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock.cast_signed()) };
    }
}

/// Few buffers, used in turn: the others stay as they are.
struct Ring(pg_sys::BufferAccessStrategy);

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: made by `remains`, and no longer used.
        unsafe { pg_sys::FreeAccessStrategy(self.0) };
    }
}

/// A page in a buffer, locked against writers.
struct Page {
    buffer: pg_sys::Buffer,
    table: pg_sys::Oid,
    block: pg_sys::BlockNumber,
    start: *const u8,
}

impl Page {
    fn read(relation: &Opened, block: pg_sys::BlockNumber, ring: &Ring) -> Self {
        // SAFETY: a block of an open relation; the buffer is let go by `Drop`.
        unsafe {
            let buffer = pg_sys::ReadBufferExtended(
                relation.0,
                pg_sys::ForkNumber::MAIN_FORKNUM,
                block,
                pg_sys::ReadBufferMode::RBM_NORMAL,
                ring.0,
            );
            pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE.cast_signed());
            Self {
                buffer,
                table: (*relation.0).rd_id,
                block,
                start: pg_sys::BufferGetPage(buffer).cast::<u8>().cast_const(),
            }
        }
    }

    /// Where the free space begins and ends; nothing of a page that was never used.
    fn bounds(&self) -> Option<(usize, usize)> {
        // SAFETY: every page begins with this header.
        let (lower, upper) = unsafe {
            let header = self.start.cast::<pg_sys::PageHeaderData>();
            ((*header).pd_lower, (*header).pd_upper)
        };
        let (lower, upper) = (usize::from(lower), usize::from(upper));
        let fits = (HEADER..=upper).contains(&lower) && upper <= PAGE;
        fits.then_some((lower, upper))
    }

    /// Whether its free space holds anything.
    fn has_remains(&self) -> bool {
        let Some((lower, upper)) = self.bounds() else {
            return false;
        };
        // SAFETY: inside the page, as `bounds` has made sure, and locked.
        let free = unsafe { std::slice::from_raw_parts(self.start.add(lower), upper - lower) };
        free.iter().any(|byte| *byte != 0)
    }

    /// Counts the rows in it that are not current, and those with values in dropped columns.
    fn rows(&self, oldest: pg_sys::TransactionId, dropped: &[usize], found: &mut Remains) {
        let Some((lower, _)) = self.bounds() else {
            return;
        };
        let items = (lower - HEADER) / size_of::<pg_sys::ItemIdData>();
        for item in 0..items {
            // SAFETY: one of the line pointers before `lower`; a normal one leads to a row inside
            // the page. The buffer is locked, as the judgement of a row needs.
            let (verdict, row) = unsafe {
                let pointer = *self
                    .start
                    .add(HEADER)
                    .cast::<pg_sys::ItemIdData>()
                    .add(item);
                let (at, length) = (pointer.lp_off() as usize, pointer.lp_len());
                if pointer.lp_flags() != pg_sys::LP_NORMAL || at + length as usize > PAGE {
                    continue;
                }
                let mut row = pg_sys::HeapTupleData {
                    t_len: length,
                    t_self: pg_sys::ItemPointerData::default(),
                    t_tableOid: self.table,
                    t_data: self.start.add(at).cast_mut().cast(),
                };
                #[allow(clippy::cast_possible_truncation, reason = "a page has fewer items")]
                item_pointer_set_all(&mut row.t_self, self.block, item as u16 + 1);
                let verdict = pg_sys::HeapTupleSatisfiesVacuum(&raw mut row, oldest, self.buffer);
                (verdict, Row(row.t_data))
            };
            let is_old = verdict == pg_sys::HTSV_Result::HEAPTUPLE_DEAD
                || verdict == pg_sys::HTSV_Result::HEAPTUPLE_RECENTLY_DEAD;
            found.old_rows += u64::from(is_old);
            let has_dropped = || dropped.iter().any(|place| row.has(*place));
            found.with_dropped += u64::from(!is_old && has_dropped());
            let change = if is_old { row.deleted() } else { row.written() };
            found.newest = later(found.newest, change);
        }
    }
}

/// A row of a page that is locked.
struct Row(pg_sys::HeapTupleHeader);

impl Row {
    /// Whether it has a value, not NULL, in a column.
    fn has(&self, place: usize) -> bool {
        // SAFETY: the header of a row, with a bit for each of its columns where it has NULLs.
        unsafe {
            let (flags, more) = ((*self.0).t_infomask, (*self.0).t_infomask2);
            if place >= usize::from(more) & pg_sys::HEAP_NATTS_MASK as usize {
                return false;
            }
            if u32::from(flags) & pg_sys::HEAP_HASNULL == 0 {
                return true;
            }
            let bits = (&raw const (*self.0).t_bits).cast::<u8>();
            *bits.add(place / 8) & (1 << (place % 8)) != 0
        }
    }

    /// The transaction that wrote it; also of one that is frozen.
    fn written(&self) -> Option<u32> {
        // SAFETY: as above.
        normal(unsafe { (*self.0).t_choice.t_heap.t_xmin })
    }

    /// The transaction that deleted it; `None` where several had to do with it, or its own failed.
    fn deleted(&self) -> Option<u32> {
        // SAFETY: as above.
        let (flags, by) = unsafe {
            let header = &*self.0;
            (u32::from(header.t_infomask), header.t_choice.t_heap.t_xmax)
        };
        let frozen = pg_sys::HEAP_XMIN_COMMITTED | pg_sys::HEAP_XMIN_INVALID;
        let has_failed = flags & frozen == pg_sys::HEAP_XMIN_INVALID;
        let other = pg_sys::HEAP_XMAX_INVALID | pg_sys::HEAP_XMAX_IS_MULTI;
        match has_failed || flags & other != 0 {
            true => None,
            false => normal(by),
        }
    }
}

fn normal(transaction: pg_sys::TransactionId) -> Option<u32> {
    let number = transaction.into_inner();
    (number >= pg_sys::FirstNormalTransactionId.into_inner()).then_some(number)
}

/// The later of two transactions: their numbers go round.
fn later(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    match (one, other) {
        (Some(a), Some(b)) if b.wrapping_sub(a).cast_signed() < 0 => Some(a),
        (one, None) => one,
        (_, other) => other,
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: read and locked by `read`.
        unsafe { pg_sys::UnlockReleaseBuffer(self.buffer) };
    }
}

const PAGE: usize = pg_sys::BLCKSZ as usize;

/// The header of a page, up to its line pointers.
const HEADER: usize = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
