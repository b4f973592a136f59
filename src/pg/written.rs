//! What hangs on relations that are written to where code of others is held back ([`super::trusted`]).
//!
//! It is looked at where the server asks who may write, for every statement that it starts, also one that was
//! planned before, and for COPY, which has no plan. A trigger of a partition or a child is met when rows
//! come to it, and one that is put off only when the transaction ends and nobody holds it back any more.
//!
//! PostgreSQL source: `executor/execMain.c` (`ExecCheckRTPerms`), `commands/copy.c` (`DoCopy`),
//! `commands/trigger.c`.

use pgrx::{PgList, pg_guard, pg_sys};

use super::walk::Found;
use super::{heap, led, trusted, whose};

#[cfg(any(feature = "pg14", feature = "pg15"))]
type Entry = pg_sys::RangeTblEntry;
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
type Entry = pg_sys::RTEPermissionInfo;

/// What is asked for, and the triggers that fire for it.
const EVENTS: [(u32, u32); 3] = [
    (pg_sys::ACL_INSERT, pg_sys::TRIGGER_TYPE_INSERT),
    (pg_sys::ACL_UPDATE, pg_sys::TRIGGER_TYPE_UPDATE),
    (pg_sys::ACL_DELETE, pg_sys::TRIGGER_TYPE_DELETE),
];
const ANY_EVENT: u32 =
    pg_sys::TRIGGER_TYPE_INSERT | pg_sys::TRIGGER_TYPE_UPDATE | pg_sys::TRIGGER_TYPE_DELETE;

/// Raises an error, 42501, where a trigger of a relation that is written to, or of a part of it, must not run.
///
/// # Safety
/// A list of what the server asks permissions for, whose relations are locked.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn require(entries: *mut pg_sys::List) {
    // SAFETY: as the caller promises.
    let written: Vec<(pg_sys::Oid, u32)> = unsafe {
        let entries = PgList::<Entry>::from_pg(entries);
        let all = entries.iter_ptr().map(|entry| {
            let asked = EVENTS
                .iter()
                .filter(|(right, _)| (*entry).requiredPerms & pg_sys::AclMode::from(*right) != 0);
            ((*entry).relid, asked.fold(0, |all, (_, event)| all | event))
        });
        all.filter(|(relation, events)| *events != 0 && !whose::is_servers(*relation))
            .collect()
    };
    for (relation, events) in written {
        // SAFETY: as the caller promises; parts are locked when they are found.
        unsafe { require_relation(relation, events) };
    }
}

/// # Safety
/// A relation that is locked.
unsafe fn require_relation(relation: pg_sys::Oid, events: u32) {
    // SAFETY: as the caller promises.
    unsafe {
        let (parts, of_parts) = match (heap::kind(relation), events) {
            // A row that changes its partition is deleted from one and inserted into the other.
            ('p', _) => (heap::parts(relation), ANY_EVENT),
            // Rows go into the table alone.
            (_, pg_sys::TRIGGER_TYPE_INSERT) => (Vec::new(), 0),
            _ => (heap::parts(relation), events),
        };
        require_triggers(relation, events);
        for part in parts {
            require_triggers(part, of_parts);
        }
    }
}

/// As [`require`], of one relation alone; TRUNCATE names each.
///
/// # Safety
/// A relation that is locked.
pub(super) unsafe fn require_triggers(relation: pg_sys::Oid, events: u32) {
    // SAFETY: as the caller promises.
    let all = unsafe { triggers(relation, events) };
    for of in &all {
        trusted::require_function(of.function);
    }
    let is_late = |of: &Trigger| of.is_late && led::is_followed(of.function);
    // A run has it done itself; it deletes no row of anybody's.
    let is_left = led::is_inside() || events == pg_sys::TRIGGER_TYPE_DELETE;
    if is_left && all.iter().any(is_late) {
        led::leave();
    }
    if !led::is_inside() {
        return;
    }
    if events & (pg_sys::TRIGGER_TYPE_INSERT | pg_sys::TRIGGER_TYPE_UPDATE) != 0 {
        // Before it was planned, for a statement; COPY has no plan.
        led::require_written(relation);
    }
    let is_trusted = whose::owner_of_relation(relation).is_some_and(trusted::admits);
    for of in all {
        if is_trusted {
            of.condition.name();
        } else if !whose::is_servers(of.function) {
            // Who owns the table says what the function is called for, and with which arguments.
            whose::require_relation("trigger", relation);
        }
    }
}

struct Trigger {
    function: pg_sys::Oid,
    condition: Found,
    /// Whether it may run as late as at the end of the transaction.
    is_late: bool,
}

/// The triggers of a relation that fire for some events.
///
/// # Safety
/// A relation that is locked.
unsafe fn triggers(relation: pg_sys::Oid, events: u32) -> Vec<Trigger> {
    // SAFETY: as the caller promises; its entry stays until it is closed, and trees are copies.
    unsafe {
        let is_replica = pg_sys::SessionReplicationRole
            == pg_sys::SESSION_REPLICATION_ROLE_REPLICA.cast_signed();
        let fires = |trigger: &pg_sys::Trigger| match trigger.tgenabled.cast_unsigned() {
            pg_sys::TRIGGER_FIRES_ALWAYS => true,
            pg_sys::TRIGGER_FIRES_ON_ORIGIN => !is_replica,
            pg_sys::TRIGGER_FIRES_ON_REPLICA => is_replica,
            _ => false,
        };
        let opened = pg_sys::relation_open(relation, pg_sys::NoLock.cast_signed());
        let mut found = Vec::new();
        if let Some(all) = (*opened).trigdesc.as_ref() {
            for at in 0..usize::try_from(all.numtriggers).unwrap_or(0) {
                let trigger = &*all.triggers.add(at);
                let kind = u32::from(trigger.tgtype.cast_unsigned());
                if !trigger.tgisinternal && fires(trigger) && kind & events != 0 {
                    let condition = match trigger.tgqual.is_null() {
                        true => Found::default(),
                        false => Found::in_tree(pg_sys::stringToNode(trigger.tgqual).cast()),
                    };
                    found.push(Trigger {
                        function: trigger.tgfoid,
                        condition,
                        is_late: trigger.tgdeferrable,
                    });
                }
            }
        }
        pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
        found
    }
}
