//! The journal, as far as one transaction that is rolled back can show it; the rest, which is most
//! of it, is in `tests/cluster/test_journal.py`.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::ledger::journal::store;
    use crate::pg_test::support::{holds, masking_key, one, refusal};

    const REVEAL: &str = "SELECT anon_fpe_decrypt('12345678')";

    #[pg_test]
    fn journal_takes_no_record_signed_by_a_key_that_may_go() -> Result<()> {
        masking_key()?;
        let refused = refusal(REVEAL)?.expect("the key was made in this transaction");
        assert_eq!(refused.sqlstate, "55000");
        assert!(refused.words().contains("Commit first"), "{refused:?}");
        holds("NOT EXISTS (SELECT FROM confiture.journal)");
        Ok(())
    }

    #[pg_test]
    fn journal_lets_a_restore_in_until_something_was_counted() -> Result<()> {
        assert_eq!(store::counted()?, None);
        let row =
            "INSERT INTO confiture.journal SELECT 1, now(), 'REVEALED', 'a', 'a', 'a', 'a', 1,
                     1, 'a', NULL, NULL, 1, 'masking', 1, 1::smallint, ''::bytea";
        assert!(refusal(row)?.is_none());
        holds("(SELECT count(*) = 1 FROM confiture.reveals)");
        let empty = "DELETE FROM confiture.journal";
        assert_eq!(refusal(empty)?.expect("append-only").sqlstate, "42501");
        let found = "(SELECT string_agg(check_code, ' ' ORDER BY check_code)
                        FROM confiture.verify_ledger() WHERE chain = 'journal')";
        assert_eq!(one::<String>(&format!("SELECT {found}"))?, "E11 W01 W08");
        Ok(())
    }
}
