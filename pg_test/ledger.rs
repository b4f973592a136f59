//! The ledger: nothing but a run appends, nobody changes it, and what is changed is found.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;
    use serde_json::json;

    use crate::error::Result;
    use crate::ledger::entry::{Event, Facts};
    use crate::ledger::store;
    use crate::pg_test::support::{holds, masking_key, refusal, refused, run, texts};

    /// Three entries as a run would write them.
    fn entries() -> Result<()> {
        masking_key()?;
        let facts = |event| {
            store::append(
                event,
                Facts {
                    run_id: Some([7; 16]),
                    source_schema: Some("prod".to_owned()),
                    target_schema: Some("staging".to_owned()),
                    profile_name: Some("p".to_owned()),
                    profile_version: Some("1.0".to_owned()),
                    profile_hash: Some(vec![1; 32]),
                    tables_synced: Some(vec!["a".to_owned(), "b".to_owned()]),
                    rows_anonymized: Some(json!({"a": 1, "b": 2}).into()),
                    strategies_applied: Some(json!({"a": {"x": "email/1"}}).into()),
                    verification_passed: Some(true),
                    verification_report: Some(json!([{"check": "rows"}]).into()),
                    details: Some(json!({"seconds": 1}).into()),
                    ..Facts::default()
                },
            )
        };
        facts(Event::Started)?;
        facts(Event::Completed)?;
        facts(Event::Failed)?;
        Ok(())
    }

    fn statuses() -> Result<Vec<String>> {
        texts("SELECT check_code || ' ' || status FROM confiture.verify_ledger()")
    }

    /// Commands that change the definition of the ledger are not refused from here on.
    fn commands_unguarded() -> Result<()> {
        for moment in ["start", "end", "drop", "rewrite"] {
            run(&format!(
                "ALTER EVENT TRIGGER confiture_definition_{moment} DISABLE"
            ))?;
        }
        Ok(())
    }

    // TRUNCATE waits for every other test before it is refused, and they for it: tests/cluster has it.
    const CHANGES: [&str; 11] = [
        "UPDATE confiture.audit_log SET user_name = 'nobody'",
        "UPDATE confiture.audit_log SET user_name = 'nobody' WHERE false",
        "UPDATE ONLY confiture.audit_log SET seq = seq",
        "DELETE FROM confiture.audit_log",
        "DELETE FROM confiture.audit_log WHERE seq = 2",
        "DELETE FROM confiture.audit_log WHERE false",
        "DELETE FROM confiture.ledger_head",
        "DELETE FROM confiture.ledger_head WHERE false",
        "UPDATE confiture.ledger_head SET seq = seq",
        "UPDATE confiture.ledger_head SET seq = 1 WHERE false",
        "WITH gone AS (DELETE FROM confiture.audit_log RETURNING seq) SELECT count(*) FROM gone",
    ];

    fn unchangeable() {
        for change in CHANGES {
            let refusal = refused("42501", change);
            assert_eq!(refusal.message, "the ledger is append-only", "{change}");
        }
    }

    #[pg_test]
    fn ledger_refuses_changes_of_its_entries() -> Result<()> {
        entries()?;
        unchangeable();
        // A role that holds every privilege, and one whose triggers are off.
        run("SET LOCAL session_replication_role = replica")?;
        unchangeable();
        run("SET LOCAL session_replication_role = local")?;
        unchangeable();
        holds("count(*) = 4 FROM confiture.audit_log");
        Ok(())
    }

    #[pg_test]
    fn ledger_refuses_changes_while_it_is_empty() -> Result<()> {
        // Takes the locks of the others' order first.
        masking_key()?;
        unchangeable();
        Ok(())
    }

    #[pg_test]
    #[cfg(not(feature = "pg14"))]
    fn ledger_refuses_merge() -> Result<()> {
        entries()?;
        for action in [
            "MATCHED THEN DELETE",
            "MATCHED THEN UPDATE SET user_name = 'x'",
            "MATCHED AND false THEN DELETE",
        ] {
            refused(
                "42501",
                &format!(
                    "MERGE INTO confiture.audit_log a USING (SELECT 1 AS seq) s ON a.seq
                       = s.seq WHEN {action}"
                ),
            );
        }
        Ok(())
    }

    #[pg_test]
    fn ledger_refuses_upserts() -> Result<()> {
        entries()?;
        refused(
            "42501",
            "INSERT INTO confiture.audit_log SELECT * FROM confiture.audit_log WHERE seq = 1
             ON CONFLICT (seq) DO UPDATE SET user_name = 'nobody'",
        );
        Ok(())
    }

    #[pg_test]
    fn ledger_holds_what_a_run_said_and_who_it_was() -> Result<()> {
        entries()?;
        assert_eq!(statuses()?, ["OK ok", "W01 warn"]);
        holds("array_agg(seq) = '{4,3}' FROM confiture.get_audit_log(2)");
        // The first one tells of the key that signs.
        holds("count(*) = 4 FROM confiture.get_audit_log()");
        holds(
            "bool_and(user_name = current_user AND session_user_name = session_user
                 AND backend_pid = pg_backend_pid() AND source_database = current_database()
                 AND server_version = current_setting('server_version_num')::int
                 AND origin = 'run' AND key_name = 'masking' AND key_version = 1
                 AND octet_length(entry_hash) = 32 AND octet_length(signature) = 32)
                 FROM confiture.audit_log",
        );
        holds(
            "(j ->> 'event', j ->> 'user', j -> 'rows_anonymized', j -> 'tables_synced',
                j -> 'verification_passed', j ->> 'key') =
               ('COMPLETED', current_user::text, '{\"a\": 1, \"b\": 2}', '[\"a\", \"b\"]', 'true',
                  'masking/1')
                 FROM confiture.audit_log a, confiture.audit_entry_json(a.id) j WHERE a.seq = 3",
        );
        holds("confiture.audit_entry_json(gen_random_uuid()) IS NULL");
        Ok(())
    }

    #[pg_test]
    fn ledger_empty_is_in_order() -> Result<()> {
        assert_eq!(statuses()?, ["OK ok"]);
        refused("22023", "SELECT confiture.verify_ledger(ARRAY[NULL])");
        holds("count(*) = 0 FROM confiture.get_audit_log()");
        Ok(())
    }

    #[pg_test]
    fn ledger_finds_a_change_of_every_column() -> Result<()> {
        entries()?;
        commands_unguarded()?;
        // A column that is NULL in the entry gets a value: NULL || 'x' would change nothing.
        let columns = texts(
            "SELECT c || ' = ' || CASE
                      WHEN atttypid = 'uuid'::regtype THEN 'gen_random_uuid()'
                      WHEN atttypid = 'text'::regtype THEN format('concat(%s, ''x'')', c)
                      WHEN atttypid = 'text[]'::regtype THEN format('%s || ''x''::text', c)
                      WHEN atttypid = 'jsonb'::regtype THEN '''{\"x\": 9}'''
                      WHEN atttypid = 'boolean'::regtype THEN 'NOT ' || c
                      WHEN atttypid = 'bytea'::regtype THEN
                         format('coalesce(set_byte(%1$s, 0, get_byte(%1$s, 0) # 1), ''x'')', c)
                      WHEN atttypid = 'timestamptz'::regtype THEN c || ' + ''1us'''
                      ELSE format('coalesce(%s, 0) + 10', c) END
               FROM pg_attribute CROSS JOIN LATERAL quote_ident(attname) c
              WHERE attrelid = 'confiture.audit_log'::regclass AND attnum > 0 AND NOT attisdropped",
        )?;
        assert!(columns.len() > 30, "{columns:?}");
        let nulls = texts(
            "SELECT quote_ident(attname) || ' = NULL' FROM pg_attribute
               CROSS JOIN (SELECT to_jsonb(e) AS entry FROM confiture.audit_log e WHERE seq = 3) e
              WHERE attrelid = 'confiture.audit_log'::regclass AND attnum > 0 AND NOT attnotnull
                AND entry -> attname::text <> 'null'",
        )?;
        assert!(nulls.len() > 8, "{nulls:?}");
        for assignment in columns.iter().chain(&nulls) {
            let refusal = refused(
                "P0001",
                &tampered(&format!(
                    "UPDATE confiture.audit_log SET {} WHERE seq = 3",
                    assignment.replace("timestamp =", "\"timestamp\" =")
                )),
            );
            assert!(
                refusal.message.contains("fail"),
                "{assignment}: {refusal:?}"
            );
        }
        Ok(())
    }

    #[pg_test]
    fn ledger_finds_removed_added_and_moved_entries() -> Result<()> {
        entries()?;
        commands_unguarded()?;
        for change in [
            "DELETE FROM confiture.audit_log WHERE seq = 1",
            "DELETE FROM confiture.audit_log WHERE seq = 2",
            "DELETE FROM confiture.audit_log WHERE seq = 4",
            "DELETE FROM confiture.audit_log",
            "UPDATE confiture.audit_log SET seq = 5 - seq + 10",
            "UPDATE confiture.ledger_head SET seq = 2",
            "UPDATE confiture.ledger_head SET entry_hash = sha256('x')",
            "DELETE FROM confiture.ledger_head",
        ] {
            let refusal = refused("P0001", &tampered(change));
            assert!(refusal.message.contains("fail"), "{change}: {refusal:?}");
        }
        // An entry of somebody who can write the table and has no key.
        run("CREATE TEMP TABLE forged AS SELECT * FROM confiture.audit_log WHERE seq = 4")?;
        run(
            "UPDATE forged SET seq = 5, id = gen_random_uuid(), previous_entry_hash = entry_hash,
                    entry_hash = sha256(entry_hash)",
        )?;
        refused(
            "42501",
            "INSERT INTO confiture.audit_log SELECT * FROM forged",
        );
        let refusal = refused(
            "P0001",
            &tampered(
                "INSERT INTO confiture.audit_log SELECT * FROM forged;
                 UPDATE confiture.ledger_head SET seq = 5, entry_hash = f.entry_hash FROM forged f",
            ),
        );
        assert!(refusal.message.contains("E01 fail"), "{refusal:?}");
        Ok(())
    }

    /// Does a change with the guards off and the commands unguarded, and raises what the
    /// verification says of the entries.
    fn tampered(change: &str) -> String {
        format!(
            "DO $do$ BEGIN
               ALTER TABLE confiture.audit_log DISABLE TRIGGER USER;
               ALTER TABLE confiture.ledger_head DISABLE TRIGGER USER;
               {change};
               RAISE EXCEPTION '%', (SELECT string_agg(check_code || ' ' || status, ', ')
                                       FROM confiture.verify_ledger() WHERE check_code <> 'E10');
             END $do$"
        )
    }

    #[pg_test]
    fn ledger_without_its_key_is_unverifiable_not_intact() -> Result<()> {
        entries()?;
        run(
            "UPDATE confiture.key_version SET state = 'destroyed', wrapped = NULL, binding_mac = NULL",
        )?;
        let found = statuses()?;
        assert!(
            found.iter().any(|status| status.ends_with(" unverifiable")),
            "{found:?}"
        );
        assert!(
            !found.iter().any(|status| status.ends_with(" ok")),
            "{found:?}"
        );
        Ok(())
    }

    #[pg_test]
    fn ledger_entries_survive_a_rotation() -> Result<()> {
        entries()?;
        run("SELECT confiture.rotate_key('masking')")?;
        store::append(Event::Started, Facts::default())?;
        assert_eq!(statuses()?, ["OK ok", "W01 warn"]);
        holds("array_agg(key_version ORDER BY seq) = '{1,1,1,1,2,2}' FROM confiture.audit_log");
        Ok(())
    }

    #[pg_test]
    fn ledger_a_rule_that_rewrites_entries_is_noticed_at_once() -> Result<()> {
        entries()?;
        run(
            "CREATE FUNCTION pg_temp.lie() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.user_name := 'angel'; RETURN NEW; END $$",
        )?;
        let plant = "CREATE TRIGGER lie BEFORE INSERT ON confiture.audit_log
             FOR EACH ROW EXECUTE FUNCTION pg_temp.lie()";
        refused("42501", plant);
        commands_unguarded()?;
        run(plant)?;
        // Once because of the definition, and should that ever miss something, because of the row.
        let anyway = |event, facts| store::append_anyway(store::Origin::Run, event, facts, None);
        for error in [
            store::append(Event::Failed, Facts::default()).err(),
            anyway(Event::Failed, Facts::default()).err(),
        ] {
            assert_eq!(
                error.map(|error| error.kind()),
                Some(crate::error::Kind::Corrupt)
            );
        }
        Ok(())
    }

    #[pg_test]
    fn ledger_no_function_appends() -> Result<()> {
        masking_key()?;
        // Every function of the extension, with arguments that somebody might hope for.
        let calls = texts(
            "SELECT CASE p.prokind WHEN 'p' THEN 'CALL '
               ELSE 'SELECT ' END || p.oid::regproc || '(' ||
                    coalesce(string_agg(CASE format_type(a.type, NULL)
                      WHEN 'text' THEN '''COMPLETED''' WHEN 'text[]' THEN '''{COMPLETED}'''
                      WHEN 'jsonb' THEN '''{\"verification_passed\": true}'''
                      WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'boolean' THEN 'true'
                      WHEN 'bytea' THEN '''\\x01''::bytea'
                         ELSE '1::' || format_type(a.type, NULL) END,
                      ', ' ORDER BY a.n), '') || ')'
               FROM pg_extension e
               JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                               AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
               JOIN pg_proc p ON p.oid = d.objid AND p.pronamespace <> 'tests'::regnamespace
               LEFT JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, n) ON true
              WHERE e.extname = 'confiture'
                AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
                -- Acts that are on record as what they are: of a superuser, and of scripts, whose
                -- entries say `declared`; and a verification, which is looked at below.
                AND p.proname NOT IN ('disarm', 'begin_run', 'record_verification')
              GROUP BY p.oid, p.prokind",
        )?;
        assert!(calls.len() > 25, "{calls:?}");
        let mut done = 0;
        for call in &calls {
            done += usize::from(refusal(call)?.is_none());
            holds("count(*) = 1 FROM confiture.audit_log");
        }
        assert!(done > 10, "only {done} of these could be called: {calls:?}");
        // The guards are no way in either; the one of commands finds none to judge.
        assert!(refusal("SELECT confiture._ledger_guard()")?.is_some());
        run(
            "SELECT confiture._drop_guard(), confiture._definition_guard(), confiture._follow_tables()",
        )?;
        holds("count(*) = 1 FROM confiture.audit_log");
        // What a verification puts on record is what it found, whatever it was handed.
        run("SELECT confiture.record_verification('{COMPLETED}')")?;
        holds(
            "count(*) = 2 AND bool_and(event <> 'COMPLETED')
               AND bool_or(event = 'VERIFIED' AND NOT verification_passed
                             AND details ->> 'status' = 'fail'
                             AND verification_report::text NOT LIKE '%COMPLETED%')
               FROM confiture.audit_log",
        );
        Ok(())
    }

    #[pg_test]
    fn ledger_auditor_reads_and_no_more() -> Result<()> {
        entries()?;
        run("CREATE ROLE ledger_auditor")?;
        run("SELECT confiture.grant_access('auditor', 'ledger_auditor')")?;
        run("SET LOCAL ROLE ledger_auditor")?;
        assert_eq!(statuses()?, ["OK ok", "W01 warn"]);
        // The first one tells of the key that signs, the last one of the access.
        holds("count(*) = 5 FROM confiture.get_audit_log()");
        for change in CHANGES.iter().chain(&[
            "INSERT INTO confiture.audit_log SELECT * FROM confiture.audit_log",
            "SELECT * FROM confiture.key_version",
            "ALTER TABLE confiture.audit_log DISABLE TRIGGER ALL",
        ]) {
            refused("42501", change);
        }
        run("RESET ROLE")
    }

    #[pg_test]
    fn ledger_holding_entries_keeps_the_extension() -> Result<()> {
        entries()?;
        for command in [
            "DROP EXTENSION confiture",
            "DROP EXTENSION confiture CASCADE",
            "DROP SCHEMA confiture CASCADE",
            "DROP SCHEMA public CASCADE",
            "DROP OWNED BY CURRENT_USER",
        ] {
            let refusal = refused("55000", command);
            assert!(
                refusal.hint.contains("confiture.allow_drop"),
                "{command}: {refusal:?}"
            );
        }
        run("CREATE SCHEMA ledger_bystander")?;
        run("DROP SCHEMA ledger_bystander CASCADE")
    }
}
