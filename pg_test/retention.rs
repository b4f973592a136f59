//! Retention inside a server: what goes, what is said of it, and what is refused.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::keys::store::active_now;
    use crate::keys::{Use, subkey};
    use crate::ledger::anchor::origin;
    use crate::ledger::checkpoint::Checkpoint;
    use crate::ledger::entry::{Event, Facts};
    use crate::ledger::store;
    use crate::ledger::tree::Frontier;
    use crate::pg::spi;
    use crate::pg_test::support::{holds, masking_key, one, refused, run, texts};

    /// A log of five entries in the test's transaction, and the anchor of the first three.
    fn anchored() -> Result<String> {
        masking_key()?;
        for event in [Event::Started, Event::Completed] {
            store::append(event, Facts::default())?;
            store::append(event, Facts::default())?;
        }
        let mut tree = Frontier::default();
        spi::rows(
            "SELECT entry_hash FROM confiture.audit_log WHERE seq <= 3 ORDER BY seq",
            &[],
            |row| row.required::<Vec<u8>>(1),
        )?
        .iter()
        .for_each(|hash| tree.push(hash));
        let log_id: pgrx::Uuid = one("SELECT log_id FROM confiture.ledger_head")?;
        let name = origin(log_id.as_bytes());
        let seed = subkey(&active_now("ledger")?.secret, Use::LedgerAnchor);
        let checkpoint = Checkpoint {
            origin: name.clone(),
            size: tree.size(),
            root: tree.root(),
        };
        Ok(checkpoint.sign(&name, &seed))
    }

    fn prune(anchor: &str, dry_run: bool) -> Result<Vec<String>> {
        texts(&format!(
            "SELECT concat_ws(' ', first_seq, last_seq, entries, lineage, journal, sha256 IS NULL)
               FROM confiture.prune_ledger(clock_timestamp(), {dry_run}, ARRAY['{anchor}'])"
        ))
    }

    fn found(anchor: &str) -> Result<Vec<String>> {
        texts(&format!(
            "SELECT concat_ws(' ', check_code, status, seq_from, seq_to)
               FROM confiture.verify_ledger(ARRAY['{anchor}'])"
        ))
    }

    #[pg_test]
    fn retention_takes_out_what_is_anchored_and_goes_on() -> Result<()> {
        let anchor = anchored()?;
        assert_eq!(prune(&anchor, true)?, ["1 3 3 0 0 t"]);
        holds("count(*) = 5 FROM confiture.audit_log");
        assert_eq!(prune(&anchor, false)?, ["1 3 3 0 0 f"]);
        assert_eq!(
            texts("SELECT seq || ' ' || event FROM confiture.audit_log ORDER BY seq")?,
            ["4 COMPLETED", "5 COMPLETED", "6 PRUNED"]
        );
        assert_eq!(found(&anchor)?, ["OK ok 4 6", "W01 warn 4 6"]);
        store::append(Event::Config, Facts::default())?;
        assert_eq!(found(&anchor)?, ["OK ok 4 7", "W01 warn 4 7"]);
        assert_eq!(prune(&anchor, false)?, [""; 0]);
        Ok(())
    }

    #[pg_test]
    fn retention_leaves_the_guards_up() -> Result<()> {
        let anchor = anchored()?;
        prune(&anchor, false)?;
        for table in ["audit_log", "lineage", "journal"] {
            refused("42501", &format!("DELETE FROM confiture.{table}"));
        }
        Ok(())
    }

    #[pg_test]
    fn retention_refuses_what_it_cannot_do() -> Result<()> {
        let anchor = anchored()?;
        for (sqlstate, arguments) in [
            ("22023", "NULL".to_owned()),
            ("22023", "clock_timestamp() + interval '1 day'".to_owned()),
            ("22023", "clock_timestamp(), NULL".to_owned()),
            ("22023", "clock_timestamp(), true, ARRAY[NULL]".to_owned()),
            ("55000", "clock_timestamp(), true, '{}'".to_owned()),
            (
                "XX001",
                format!("clock_timestamp(), true, ARRAY['{anchor}x']"),
            ),
        ] {
            refused(
                sqlstate,
                &format!("SELECT * FROM confiture.prune_ledger({arguments})"),
            );
        }
        run("CREATE ROLE retention_clerk")?;
        run("GRANT USAGE ON SCHEMA confiture TO retention_clerk")?;
        run("GRANT EXECUTE ON FUNCTION confiture.prune_ledger TO retention_clerk")?;
        run("SET LOCAL ROLE retention_clerk")?;
        refused(
            "42501",
            "SELECT * FROM confiture.prune_ledger('2000-01-01')",
        );
        run("RESET ROLE")?;
        holds("count(*) = 5 FROM confiture.audit_log");
        Ok(())
    }

    #[pg_test]
    fn retention_since_an_anchor_says_what_it_compared() -> Result<()> {
        let anchor = anchored()?;
        holds(&format!(
            "bool_and(detail LIKE '%Of entries up to 3 only the stored hashes%')
               FROM confiture.verify_ledger(ARRAY['{anchor}'], since_anchor => true)"
        ));
        refused(
            "22023",
            "SELECT * FROM confiture.verify_ledger(NULL, since_anchor => NULL)",
        );
        Ok(())
    }
}
