//! The guards of the ledger: who may write, and that its tables stay what they are.
//!
//! Three layers, none of which trusts the one before it. Triggers refuse every change of a row that
//! the library does not make itself; event triggers refuse commands that change the definition of
//! the tables; [`definition`] is compared before every entry and by every verification, so that
//! what a superuser does with the triggers off is found.

pub mod definition;
pub mod sql;
pub mod store;

use std::cell::Cell;

use super::verify::{AUDIT, LINEAGE};

/// Chains by the table that holds their entries, which is the list of tables that take restored
/// rows.
const CHAINS: [(&str, &str); 2] = [("audit_log", AUDIT), ("lineage", LINEAGE)];

/// The table of the keys of runs, which can be destroyed.
const RUN_KEY: &str = "run_key";

/// The table that holds the last entry of each chain.
pub const HEAD: &str = "ledger_head";

thread_local! {
    static OPEN: Cell<bool> = const { Cell::new(false) };
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

/// What a trigger stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new row.
    Insert,
    /// A change of a row, or a statement that would change rows.
    Update,
    /// DELETE or TRUNCATE.
    Remove,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It goes on if it belongs to a restore.
    PassRestored,
    /// It is refused.
    Refuse,
}

/// Judges an operation on a table of the ledger; `open` says that the library itself is writing.
pub fn judge(table: &str, operation: Operation, open: bool) -> Verdict {
    match operation {
        Operation::Insert if open => Verdict::Pass,
        Operation::Insert if table == HEAD || chain(table).is_some() => Verdict::PassRestored,
        Operation::Update if open && table == HEAD => Verdict::Pass,
        Operation::Remove if open && table == RUN_KEY => Verdict::Pass,
        Operation::Insert | Operation::Update | Operation::Remove => Verdict::Refuse,
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
        use Operation::{Insert, Remove, Update};
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
            ("run_key", Update, Verdict::Refuse, Verdict::Refuse),
            ("run_key", Remove, Verdict::Refuse, Verdict::Pass),
            ("another", Insert, Verdict::Refuse, Verdict::Pass),
            ("another", Update, Verdict::Refuse, Verdict::Refuse),
        ] {
            assert_eq!(
                judge(table, operation, false),
                closed,
                "{table} {operation:?}"
            );
            assert_eq!(
                judge(table, operation, true),
                opened,
                "{table} {operation:?}"
            );
        }
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
