//! Anchors inside a server: what each finds, and that none speaks of what may be rolled back.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::keys::store::active_now;
    use crate::keys::{Use, subkey};
    use crate::ledger::anchor::origin;
    use crate::ledger::checkpoint::{Checkpoint, Note, Signed, VerifierKey};
    use crate::ledger::entry::{Event, Facts};
    use crate::ledger::store;
    use crate::ledger::tree::{self, Frontier, Hash};
    use crate::pg::spi;
    use crate::pg_test::support::{holds, masking_key, one, refused, run, texts};

    /// A log of five entries, in the test's transaction.
    fn entries() -> Result<()> {
        masking_key()?;
        for event in [Event::Started, Event::Completed] {
            store::append(event, Facts::default())?;
            store::append(event, Facts::default())?;
        }
        Ok(())
    }

    fn hashes() -> Result<Vec<Vec<u8>>> {
        spi::rows(
            "SELECT entry_hash FROM confiture.audit_log ORDER BY seq",
            &[],
            |row| row.required::<Vec<u8>>(1),
        )
    }

    fn root(leaves: &[Vec<u8>]) -> Hash {
        let mut tree = Frontier::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree.root()
    }

    /// The anchor that export_anchor would have made of the first entries, had they been committed.
    fn anchor(size: usize) -> Result<String> {
        let log_id: pgrx::Uuid = one("SELECT log_id FROM confiture.ledger_head")?;
        let origin = origin(log_id.as_bytes());
        let seed = subkey(&active_now("ledger")?.secret, Use::LedgerAnchor);
        let checkpoint = Checkpoint {
            size: size as u64,
            root: root(&hashes()?[..size]),
            origin: origin.clone(),
        };
        let note = checkpoint.sign(&origin, &seed);
        let key: String = one("SELECT confiture.anchor_key()")?;
        let key = [VerifierKey::parse(&key).expect("a key")];
        let parsed = Note::parse(&note).expect("a note");
        assert!(matches!(parsed.signed(&key, |key| key), Signed::By(_)));
        Ok(note)
    }

    fn found(anchors: &[String]) -> Result<Vec<String>> {
        texts(&format!(
            "SELECT concat_ws(' ', check_code, status, seq_from, seq_to)
               FROM confiture.verify_ledger(ARRAY[{}]::text[])",
            anchors
                .iter()
                .map(|note| format!("'{note}'"))
                .collect::<Vec<_>>()
                .join(", ")
        ))
    }

    #[pg_test]
    fn anchors_speak_of_no_uncommitted_entry() -> Result<()> {
        entries()?;
        let refusal = refused("25001", "SELECT confiture.export_anchor()");
        assert!(refusal.hint.contains("Commit"), "{refusal:?}");
        holds("count(*) = 5 FROM confiture.audit_log");
        Ok(())
    }

    #[pg_test]
    fn anchors_cover_what_came_before_them() -> Result<()> {
        entries()?;
        assert_eq!(found(&[])?, ["OK ok 1 5", "W01 warn 1 5"]);
        assert_eq!(found(&[anchor(2)?])?, ["OK ok 1 5", "W01 warn 3 5"]);
        let stored_by_a_shell = anchor(2)?.trim_end().to_owned();
        assert_eq!(found(&[stored_by_a_shell])?, ["OK ok 1 5", "W01 warn 3 5"]);
        assert_eq!(found(&[anchor(5)?, anchor(3)?, anchor(3)?])?, ["OK ok 1 5"]);
        Ok(())
    }

    /// Every guard as it was, without an entry about that.
    const ARMED: &str = "DO $do$ DECLARE t record; BEGIN
          FOR t IN SELECT tgname, tgrelid::regclass AS name FROM pg_trigger
                    WHERE tgrelid IN ('confiture.audit_log'::regclass, 'confiture.ledger_head'::regclass)
                      AND NOT tgisinternal LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.name, t.tgname);
          END LOOP;
          FOR t IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'confiture%' LOOP
            EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', t.evtname);
          END LOOP;
        END $do$";

    #[pg_test]
    fn anchors_find_a_cut_end_and_another_history() -> Result<()> {
        entries()?;
        let anchors = [anchor(3)?, anchor(5)?];
        // As a superuser who puts everything back.
        for moment in ["start", "end", "drop", "rewrite"] {
            run(&format!(
                "ALTER EVENT TRIGGER confiture_definition_{moment} DISABLE"
            ))?;
        }
        for table in ["audit_log", "ledger_head"] {
            run(&format!(
                "ALTER TABLE confiture.{table} DISABLE TRIGGER USER"
            ))?;
        }
        run("DELETE FROM confiture.audit_log WHERE seq > 4")?;
        run("UPDATE confiture.ledger_head SET seq = 4, entry_hash =
               (SELECT entry_hash FROM confiture.audit_log WHERE seq = 4) WHERE chain = 'audit'")?;
        run(ARMED)?;
        assert_eq!(found(&[])?, ["OK ok 1 4", "W01 warn 1 4"]);
        assert_eq!(found(&anchors)?, ["E08 fail 5 5", "W01 warn 4 4"]);
        store::append(Event::Failed, Facts::default())?;
        assert_eq!(found(&[])?, ["OK ok 1 5", "W01 warn 1 5"]);
        assert_eq!(found(&anchors)?, ["E09 fail 4 5", "W01 warn 4 5"]);
        Ok(())
    }

    #[pg_test]
    fn anchors_that_are_none_fail() -> Result<()> {
        entries()?;
        let good = anchor(3)?;
        for bad in [
            String::new(),
            "anything".to_owned(),
            good.replace("\n3\n", "\n4\n"),
            good.replace("\n3\n", "\n03\n"),
            format!("{good} "),
        ] {
            let found = found(&[good.clone(), bad])?;
            assert_eq!(found, ["E02 fail", "W01 warn 4 5"]);
        }
        Ok(())
    }

    #[pg_test]
    fn anchors_come_with_proofs() -> Result<()> {
        entries()?;
        let leaves = hashes()?;
        let proof = |call: String| {
            spi::rows(
                &format!("SELECT hash FROM confiture.{call} ORDER BY n"),
                &[],
                |row| Ok(row.required::<Vec<u8>>(1)?.try_into().expect("32 bytes")),
            )
        };
        for size in 1..=5 {
            let now = root(&leaves[..size]);
            for at in 1..=size {
                let hashes: Vec<Hash> = proof(format!("inclusion_proof({at}, {size})"))?;
                let leaf = tree::leaf(&leaves[at - 1]);
                assert!(tree::includes(
                    at as u64 - 1,
                    size as u64,
                    &leaf,
                    &hashes,
                    &now
                ));
                let hashes: Vec<Hash> = proof(format!("consistency_proof({at}, {size})"))?;
                let before = root(&leaves[..at]);
                assert!(tree::is_consistent(
                    at as u64,
                    &before,
                    size as u64,
                    &now,
                    &hashes
                ));
            }
        }
        for numbers in ["0", "6", "-1", "3, 2", "1, 6", "NULL"] {
            refused(
                "22023",
                &format!("SELECT confiture.inclusion_proof({numbers})"),
            );
            refused(
                "22023",
                &format!("SELECT confiture.consistency_proof({numbers})"),
            );
        }
        Ok(())
    }

    #[pg_test]
    fn anchors_are_held_against_logs_of_many_pages() -> Result<()> {
        entries()?;
        for _ in 0..1010 {
            store::append(Event::Started, Facts::default())?;
        }
        let anchors = [anchor(500)?, anchor(1000)?, anchor(1015)?];
        assert_eq!(found(&anchors)?, ["OK ok 1 1015"]);
        let proof: Vec<Hash> = spi::rows(
            "SELECT hash FROM confiture.consistency_proof(1000) ORDER BY n",
            &[],
            |row| Ok(row.required::<Vec<u8>>(1)?.try_into().expect("32 bytes")),
        )?;
        let leaves = hashes()?;
        let (before, now) = (root(&leaves[..1000]), root(&leaves));
        assert!(tree::is_consistent(1000, &before, 1015, &now, &proof));
        Ok(())
    }
}
