//! The guards of the ledger: who may write, and that its tables stay what they are.
//!
//! Three layers, none of which trusts the one before it. Triggers refuse every change of a row that
//! the library does not make itself; event triggers refuse commands that change the definition of
//! the tables; [`definition`] is compared before every entry and by every verification, so that
//! what a superuser does with the triggers off is found.

pub mod definition;
pub mod restored;
pub mod sql;
pub mod store;

use std::cell::Cell;

use super::verify::{AUDIT, LINEAGE};

/// Chains by the table that holds their entries, which is the list of tables that take restored
/// rows.
const CHAINS: [(&str, &str); 2] = [("audit_log", AUDIT), ("lineage", LINEAGE)];

/// What can be destroyed: the keys of runs, and the hashes of rows, which are nothing without them.
const DESTRUCTIBLE: [&str; 2] = [ROW_CHUNK, RUN_KEY];

/// The table of the hashes of rows.
pub const ROW_CHUNK: &str = "lineage_row_chunk";

/// The table of the keys of runs.
pub const RUN_KEY: &str = "run_key";

/// The table that holds the last entry of each chain.
pub const HEAD: &str = "ledger_head";

/// The table of the journal.
const JOURNAL: &str = "journal";

thread_local! {
    static OPEN: Cell<bool> = const { Cell::new(false) };
    static GOING: Cell<Option<Going>> = const { Cell::new(None) };
}

/// Does `work` as the library itself: what it writes passes the guards. Only single statements of
/// ours belong in here.
///
/// The mark is in the memory of the process. A setting would do the same and could be set by those
/// whom the guards are for.
pub fn open<T>(work: impl FnOnce() -> T) -> T {
    struct Close(bool);
    impl Drop for Close {
        fn drop(&mut self) {
            OPEN.set(self.0);
        }
    }
    let _close = Close(OPEN.replace(true));
    work()
}

/// Whether the library itself is writing.
pub fn is_open() -> bool {
    OPEN.get()
}

/// What may go from each table while a part of the ledger is pruned: what stands up to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Going {
    /// The last entry of the audit log.
    pub audit: i64,
    /// The last entry of the lineage.
    pub lineage: i64,
    /// The last record of the journal.
    pub journal: i64,
}

impl Going {
    fn until(self, table: &str) -> Option<i64> {
        match (table, chain(table)) {
            (_, Some(AUDIT)) => Some(self.audit),
            (_, Some(LINEAGE)) => Some(self.lineage),
            (JOURNAL, _) => Some(self.journal),
            _ => None,
        }
    }
}

/// Does `work` as the library that prunes: what it deletes up to these numbers passes the guards,
/// and nothing else does that is not let through anyway. Only the statements that delete belong in
/// here.
///
/// As with [`open`] the mark is in the memory of the process; it goes with `work`, however that
/// ends.
pub fn prune<T>(going: Going, work: impl FnOnce() -> T) -> T {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            GOING.set(None);
        }
    }
    let _end = End;
    GOING.set(Some(going));
    work()
}

/// Up to which number rows of a table are being pruned; `None` while nothing is, or nothing of it.
pub fn pruned_until(table: &str) -> Option<i64> {
    GOING.get()?.until(table)
}

/// What a trigger stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new row.
    Insert,
    /// A change of a row, or a statement that would change rows.
    Update,
    /// A row that goes, or a statement that would delete rows.
    Remove,
    /// TRUNCATE.
    Empty,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It goes on if it belongs to a restore.
    PassRestored,
    /// It goes on if it belongs to the part that is being pruned.
    PassPruned,
    /// It is refused.
    Refuse,
}

/// Judges an operation on a table of the ledger; `open` says that the library itself is writing,
/// `pruning` that it prunes this table.
pub fn judge(table: &str, operation: Operation, open: bool, pruning: bool) -> Verdict {
    match operation {
        Operation::Insert if open => Verdict::Pass,
        Operation::Insert
            if table == HEAD || chain(table).is_some() || DESTRUCTIBLE.contains(&table) =>
        {
            Verdict::PassRestored
        }
        Operation::Update if open && table == HEAD => Verdict::Pass,
        Operation::Remove if open && DESTRUCTIBLE.contains(&table) => Verdict::Pass,
        Operation::Remove if pruning => Verdict::PassPruned,
        Operation::Insert | Operation::Update | Operation::Remove | Operation::Empty => {
            Verdict::Refuse
        }
    }
}

/// The chain whose entries a table holds.
pub fn chain(table: &str) -> Option<&'static str> {
    CHAINS
        .iter()
        .find(|(name, _)| *name == table)
        .map(|(_, chain)| *chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judge_lets_only_the_library_move_the_head() {
        use Operation::{Empty, Insert, Remove, Update};
        for (table, operation, closed, opened) in [
            ("audit_log", Insert, Verdict::PassRestored, Verdict::Pass),
            ("audit_log", Update, Verdict::Refuse, Verdict::Refuse),
            ("audit_log", Remove, Verdict::Refuse, Verdict::Refuse),
            (HEAD, Insert, Verdict::PassRestored, Verdict::Pass),
            (HEAD, Update, Verdict::Refuse, Verdict::Pass),
            (HEAD, Remove, Verdict::Refuse, Verdict::Refuse),
            ("lineage", Insert, Verdict::PassRestored, Verdict::Pass),
            ("lineage", Update, Verdict::Refuse, Verdict::Refuse),
            ("lineage", Remove, Verdict::Refuse, Verdict::Refuse),
            ("run_key", Insert, Verdict::PassRestored, Verdict::Pass),
            (
                "lineage_row_chunk",
                Insert,
                Verdict::PassRestored,
                Verdict::Pass,
            ),
            ("run_key", Update, Verdict::Refuse, Verdict::Refuse),
            ("run_key", Remove, Verdict::Refuse, Verdict::Pass),
            (
                "lineage_row_chunk",
                Update,
                Verdict::Refuse,
                Verdict::Refuse,
            ),
            ("lineage_row_chunk", Remove, Verdict::Refuse, Verdict::Pass),
            ("another", Insert, Verdict::Refuse, Verdict::Pass),
            ("another", Update, Verdict::Refuse, Verdict::Refuse),
            ("audit_log", Empty, Verdict::Refuse, Verdict::Refuse),
            ("run_key", Empty, Verdict::Refuse, Verdict::Refuse),
        ] {
            assert_eq!(
                judge(table, operation, false, false),
                closed,
                "{table} {operation:?}"
            );
            assert_eq!(
                judge(table, operation, true, false),
                opened,
                "{table} {operation:?}"
            );
        }
    }

    #[test]
    fn judge_lets_rows_go_only_while_their_table_is_pruned() {
        use Operation::{Empty, Insert, Remove, Update};
        for table in ["audit_log", "lineage", "journal"] {
            assert_eq!(judge(table, Remove, false, false), Verdict::Refuse);
            assert_eq!(judge(table, Remove, false, true), Verdict::PassPruned);
            assert_eq!(judge(table, Update, false, true), Verdict::Refuse);
            assert_eq!(judge(table, Empty, false, true), Verdict::Refuse);
            assert_ne!(judge(table, Insert, false, true), Verdict::Pass);
        }
    }

    #[test]
    fn prune_ends_with_its_work_also_when_that_fails() {
        let going = Going {
            audit: 7,
            lineage: 5,
            journal: 3,
        };
        let tables = [
            "audit_log",
            "lineage",
            "journal",
            HEAD,
            "run_key",
            "another",
        ];
        let seen = || tables.map(pruned_until);
        assert_eq!(seen(), [None; 6]);
        prune(going, || {
            assert_eq!(seen(), [Some(7), Some(5), Some(3), None, None, None]);
            assert!(!is_open());
        });
        assert_eq!(seen(), [None; 6]);
        let failed = std::panic::catch_unwind(|| prune(going, || panic!("the work failed")));
        assert!(failed.is_err());
        assert_eq!(seen(), [None; 6]);
    }

    #[test]
    fn open_closes_again_also_when_the_work_fails() {
        assert!(!is_open());
        open(|| {
            assert!(is_open());
            open(|| assert!(is_open()));
            assert!(is_open());
        });
        let failed = std::panic::catch_unwind(|| open(|| panic!("the work failed")));
        assert!(failed.is_err() && !is_open());
    }
}
