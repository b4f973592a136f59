//! What rows of a query are handed to: it writes them into a table, or where that is partitioned, into
//! its partitions.
//!
//! Without the guards of pgrx, so that an error of the server passes as it was raised, with the names of
//! the table and the constraint: nothing in here would have to be dropped.
//!
//! PostgreSQL source: `commands/copyfrom.c` (`CopyFrom`, `CopyMultiInsertBufferFlush`).

use std::ffi::c_int;
use std::ptr::{copy_nonoverlapping, null_mut};

use pgrx::prelude::pg_guard;
use pgrx::{PgBox, pg_sys};

use super::super::stream::receiving;
use super::context;
use crate::error::{Error, Result};

/// Rows that are written at once, or bytes of them.
const ROWS: usize = 1000;
const BYTES: usize = 65_535;
/// Rows after which the pace is kept.
const PACE: u64 = 100;
const OPTIONS: c_int = pg_sys::TABLE_INSERT_SKIP_FSM.cast_signed();

mod unguarded {
    use super::{c_int, pg_sys};

    unsafe extern "C-unwind" {
        pub(super) fn slot_getsomeattrs_int(slot: *mut pg_sys::TupleTableSlot, number: c_int);
        pub(super) fn ExecStoreVirtualTuple(
            slot: *mut pg_sys::TupleTableSlot,
        ) -> *mut pg_sys::TupleTableSlot;
        pub(super) fn MakeSingleTupleTableSlot(
            described: pg_sys::TupleDesc,
            kind: *const pg_sys::TupleTableSlotOps,
        ) -> *mut pg_sys::TupleTableSlot;
        pub(super) fn ExecConstraints(
            result: *mut pg_sys::ResultRelInfo,
            slot: *mut pg_sys::TupleTableSlot,
            estate: *mut pg_sys::EState,
        );
        pub(super) fn MemoryContextReset(context: pg_sys::MemoryContext);
        pub(super) fn ReleaseBulkInsertStatePin(buffers: pg_sys::BulkInsertState);
        pub(super) fn execute_attr_map_slot(
            map: *mut pg_sys::AttrMap,
            from: *mut pg_sys::TupleTableSlot,
            to: *mut pg_sys::TupleTableSlot,
        ) -> *mut pg_sys::TupleTableSlot;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        pub(super) fn ExecGetRootToChildMap(
            result: *mut pg_sys::ResultRelInfo,
            estate: *mut pg_sys::EState,
        ) -> *mut pg_sys::TupleConversionMap;

        // `executor/nodeModifyTable.h` and `executor/execPartition.h`, of which pgrx has no
        // declarations.
        pub(super) fn ExecComputeStoredGenerated(
            result: *mut pg_sys::ResultRelInfo,
            estate: *mut pg_sys::EState,
            slot: *mut pg_sys::TupleTableSlot,
            command: pg_sys::CmdType::Type,
        );
        pub(super) fn ExecSetupPartitionTupleRouting(
            estate: *mut pg_sys::EState,
            table: pg_sys::Relation,
        ) -> *mut pg_sys::PartitionTupleRouting;
        pub(super) fn ExecFindPartition(
            state: *mut pg_sys::ModifyTableState,
            root: *mut pg_sys::ResultRelInfo,
            routing: *mut pg_sys::PartitionTupleRouting,
            slot: *mut pg_sys::TupleTableSlot,
            estate: *mut pg_sys::EState,
        ) -> *mut pg_sys::ResultRelInfo;
        pub(super) fn ExecCleanupTupleRouting(
            state: *mut pg_sys::ModifyTableState,
            routing: *mut pg_sys::PartitionTupleRouting,
        );
    }
}

/// What the server hands rows to.
#[repr(C)]
pub(super) struct Writer<'a> {
    /// Comes first: all that the server knows of.
    known: pg_sys::DestReceiver,
    table: pg_sys::Relation,
    root: *mut pg_sys::ResultRelInfo,
    estate: *mut pg_sys::EState,
    /// Of a partitioned table: where its rows go.
    routing: *mut pg_sys::PartitionTupleRouting,
    state: *mut pg_sys::ModifyTableState,
    /// Where the rows go that wait: the table, or one of its partitions.
    leaf: *mut pg_sys::ResultRelInfo,
    is_checked: bool,
    is_generated: bool,
    /// Rows that are not written yet; made when first needed, and used again.
    slots: [*mut pg_sys::TupleTableSlot; ROWS],
    count: usize,
    bytes: usize,
    rows: u64,
    /// Of these the ones that were there when the pace was kept last.
    paced: u64,
    /// Of the writing of one page.
    memory: pg_sys::MemoryContext,
    /// Where the slots live.
    lasting: pg_sys::MemoryContext,
    command: pg_sys::CommandId,
    buffers: pg_sys::BulkInsertState,
    pace: &'a mut dyn FnMut(u64) -> Result<()>,
    failed: Option<Error>,
}

impl<'a> Writer<'a> {
    /// # Safety
    /// An open table, which stays open.
    pub(super) unsafe fn new(
        table: pg_sys::Relation,
        command: pg_sys::CommandId,
        pace: &'a mut dyn FnMut(u64) -> Result<()>,
    ) -> Self {
        // SAFETY: as the caller promises; what is made lives in the current memory.
        unsafe {
            let estate = pg_sys::CreateExecutorState();
            pg_sys::MakePerTupleExprContext(estate);
            let root = PgBox::<pg_sys::ResultRelInfo>::alloc_node(pg_sys::NodeTag::T_ResultRelInfo)
                .into_pg();
            pg_sys::InitResultRelInfo(root, table, 0, null_mut(), 0);
            let lasting = pg_sys::CurrentMemoryContext;
            let mut writer = Self {
                known: receiving(receive, start),
                table,
                root,
                estate,
                routing: null_mut(),
                state: null_mut(),
                leaf: null_mut(),
                is_checked: false,
                is_generated: false,
                slots: [null_mut(); ROWS],
                count: 0,
                bytes: 0,
                rows: 0,
                paced: 0,
                memory: context(lasting, c"confiture page"),
                lasting,
                command,
                buffers: pg_sys::GetBulkInsertState(),
                pace,
                failed: None,
            };
            let kind = (*(*table).rd_rel).relkind.cast_unsigned();
            if kind == pg_sys::RELKIND_PARTITIONED_TABLE {
                let state = PgBox::<pg_sys::ModifyTableState>::alloc_node(
                    pg_sys::NodeTag::T_ModifyTableState,
                );
                writer.state = state.into_pg();
                (*writer.state).ps.state = estate;
                (*writer.state).operation = pg_sys::CmdType::CMD_INSERT;
                (*writer.state).mt_nrels = 1;
                (*writer.state).resultRelInfo = root;
                (*writer.state).rootResultRelInfo = root;
                writer.routing = pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    unguarded::ExecSetupPartitionTupleRouting(estate, table)
                });
            } else {
                writer.turn_to(root);
            }
            writer
        }
    }

    /// Notes where the next rows go.
    ///
    /// # Safety
    /// The table, or one of its partitions, and no row waits.
    unsafe fn turn_to(&mut self, leaf: *mut pg_sys::ResultRelInfo) {
        // SAFETY: as the caller promises.
        unsafe {
            self.leaf = leaf;
            let constraints = (*(*(*leaf).ri_RelationDesc).rd_att).constr;
            self.is_checked = !constraints.is_null();
            self.is_generated = self.is_checked && (*constraints).has_generated_stored;
            unguarded::ReleaseBulkInsertStatePin(self.buffers);
        }
    }

    /// Why it took no more rows.
    pub(super) fn failed(&mut self) -> Option<Error> {
        self.failed.take()
    }

    /// Lets go of everything.
    ///
    /// # Safety
    /// Nothing is handed to it any more.
    pub(super) unsafe fn end(self) {
        // SAFETY: made by `new` and `receive`, and given back once.
        unsafe {
            pg_sys::FreeBulkInsertState(self.buffers);
            for slot in self.slots.into_iter().filter(|slot| !slot.is_null()) {
                pg_sys::ExecDropSingleTupleTableSlot(slot);
            }
            if !self.routing.is_null() {
                pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    unguarded::ExecCleanupTupleRouting(self.state, self.routing);
                });
            }
            pg_sys::ExecResetTupleTable((*self.estate).es_tupleTable, false);
            pg_sys::FreeExecutorState(self.estate);
        }
    }
}

unsafe extern "C-unwind" fn start(
    _this: *mut pg_sys::DestReceiver,
    _operation: c_int,
    _described: pg_sys::TupleDesc,
) {
}

/// Takes a row; false where no more is wanted.
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    this: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the writer of `load`, and a row of as many columns as the table has, of their types.
    unsafe {
        let this: *mut Writer<'_> = this.cast();
        let row = copied(this, slot);
        let mut written = row;
        if !(*this).routing.is_null() {
            let leaf = unguarded::ExecFindPartition(
                (*this).state,
                (*this).root,
                (*this).routing,
                row,
                (*this).estate,
            );
            if leaf != (*this).leaf {
                let place = (*this).count;
                flush(this);
                (*this).slots.swap(0, place);
                (*this).turn_to(leaf);
            }
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            let map = (*leaf).ri_RootToPartitionMap;
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            let map = unguarded::ExecGetRootToChildMap(leaf, (*this).estate);
            if !map.is_null() {
                let there = (*leaf).ri_PartitionTupleSlot;
                written = unguarded::execute_attr_map_slot((*map).attrMap, row, there);
            }
        }
        let insert = pg_sys::CmdType::CMD_INSERT;
        if (*this).is_generated {
            unguarded::ExecComputeStoredGenerated((*this).leaf, (*this).estate, written, insert);
        }
        if (*this).is_checked {
            unguarded::ExecConstraints((*this).leaf, written, (*this).estate);
        }
        if written == row {
            if let Some(materialize) = (*(*row).tts_ops).materialize {
                materialize(row);
            }
            let tuple = (*row.cast::<pg_sys::HeapTupleTableSlot>()).tuple;
            (*this).bytes += (*tuple).t_len as usize;
            (*this).count += 1;
        } else {
            write_one(this, written);
            (*this).rows += 1;
        }
        let expressions = (*(*this).estate).es_per_tuple_exprcontext;
        unguarded::MemoryContextReset((*expressions).ecxt_per_tuple_memory);
        if (*this).count == ROWS || (*this).bytes > BYTES {
            flush(this);
        }
        if (*this).rows - (*this).paced >= PACE {
            (*this).paced = (*this).rows;
            return keep_pace(this);
        }
        true
    }
}

/// The values of a row, in the first slot that is free; they are the server's until they are
/// materialized.
///
/// # Safety
/// As `receive`.
unsafe fn copied(
    this: *mut Writer<'_>,
    slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: as the caller promises.
    unsafe {
        let described = (*(*this).table).rd_att;
        let columns = (*described).natts;
        if i32::from((*slot).tts_nvalid) < columns {
            unguarded::slot_getsomeattrs_int(slot, columns);
        }
        let place = (*this).count;
        if (*this).slots[place].is_null() {
            let before = pg_sys::CurrentMemoryContext;
            pg_sys::CurrentMemoryContext = (*this).lasting;
            (*this).slots[place] =
                unguarded::MakeSingleTupleTableSlot(described, &raw const pg_sys::TTSOpsHeapTuple);
            pg_sys::CurrentMemoryContext = before;
        }
        let row = (*this).slots[place];
        clear(row);
        let count = usize::try_from(columns).unwrap_or(0);
        copy_nonoverlapping((*slot).tts_values, (*row).tts_values, count);
        copy_nonoverlapping((*slot).tts_isnull, (*row).tts_isnull, count);
        unguarded::ExecStoreVirtualTuple(row);
        row
    }
}

/// # Safety
/// A slot.
unsafe fn clear(slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: every kind of slot has this function.
    unsafe {
        if let Some(clear) = (*(*slot).tts_ops).clear {
            clear(slot);
        }
    }
}

/// Writes a row of a partition whose columns stand otherwise than those of the table.
///
/// # Safety
/// As `receive`.
unsafe fn write_one(this: *mut Writer<'_>, row: *mut pg_sys::TupleTableSlot) {
    // SAFETY: as the caller promises.
    unsafe {
        let before = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = (*this).memory;
        let table = (*(*this).leaf).ri_RelationDesc;
        if let Some(write) = (*(*table).rd_tableam).tuple_insert {
            write(table, row, (*this).command, OPTIONS, (*this).buffers);
        }
        pg_sys::CurrentMemoryContext = before;
        unguarded::MemoryContextReset((*this).memory);
    }
}

/// Writes the rows that wait.
///
/// # Safety
/// A writer.
pub(super) unsafe extern "C-unwind" fn flush(this: *mut Writer<'_>) {
    // SAFETY: as the caller promises.
    unsafe {
        let count = (*this).count;
        if count == 0 {
            return;
        }
        let before = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = (*this).memory;
        let table = (*(*this).leaf).ri_RelationDesc;
        if let Some(write) = (*(*table).rd_tableam).multi_insert {
            write(
                table,
                (&raw mut (*this).slots).cast(),
                c_int::try_from(count).unwrap_or(0),
                (*this).command,
                OPTIONS,
                (*this).buffers,
            );
        }
        pg_sys::CurrentMemoryContext = before;
        unguarded::MemoryContextReset((*this).memory);
        for place in 0..count {
            clear((*this).slots[place]);
        }
        (*this).rows += count as u64;
        (*this).count = 0;
        (*this).bytes = 0;
    }
}

/// Tells how many rows there are; false where no more is wanted.
#[pg_guard]
unsafe extern "C-unwind" fn keep_pace(this: *mut Writer<'_>) -> bool {
    // SAFETY: the writer of `load`.
    unsafe {
        let this = &mut *this;
        this.failed = (this.pace)(this.rows).err();
        this.failed.is_none()
    }
}
