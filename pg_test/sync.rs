//! Runs as far as one transaction lets them: the plan with everything it refuses, and that a run
//! itself does not begin in a transaction. Whole runs are in `tests/cluster`.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg::ident;
    use crate::pg::shared::Shared;
    use crate::pg_test::support::{holds, masking_key, refused, run, texts};

    /// A source schema of that name, and a profile of that name for it.
    fn shop(name: &str, rules: &str) -> Result<()> {
        masking_key()?;
        run(&format!(
            "CREATE SCHEMA {name};
             CREATE TABLE {name}.users (id int PRIMARY KEY, email text NOT NULL UNIQUE, born date,
                code int UNIQUE);
             CREATE TABLE {name}.orders (id int PRIMARY KEY,
                user_email text REFERENCES {name}.users (email));
             CREATE VIEW {name}.seen AS SELECT * FROM {name}.users"
        ))?;
        profile(name, rules)
    }

    fn profile(name: &str, rules: &str) -> Result<()> {
        masking_key()?;
        let yaml = format!(
            "name: {name}\nversion: 1\ncoverage: copy\nstrategies:\n  mail: {{type: email}}\n  \
             gone: {{type: redact}}\n  short: {{type: hash, config: {{length: 8}}}}\n\
             tables:\n{rules}"
        );
        run(&format!(
            "SELECT confiture.load_profile({})",
            ident::literal(&yaml)
        ))
    }

    fn plan(name: &str) -> String {
        format!("SELECT confiture.plan('{name}', '{name}', '{name}_staging')")
    }

    const GOOD: &str = "  users:\n    rules: [{column: email, strategy: mail, seed: 7}]\n    \
                        preserve: [{column: id, why: surrogate}]\n  \
                        orders: [{column: user_email, strategy: mail, seed: 7}]\n";

    #[pg_test]
    fn sync_memory_of_a_run_that_is_over_is_none() {
        let handle = Shared::new(8).expect("some memory").handle();
        assert!(Shared::attach(handle).is_none());
    }

    #[pg_test]
    fn sync_cannot_run_in_a_transaction() -> Result<()> {
        shop("sync_in_transaction", GOOD)?;
        let call =
            "CALL confiture.sync('sync_in_transaction', 'sync_in_transaction', 'sync_nowhere')";
        run(&format!(
            "CREATE FUNCTION pg_temp.runs() RETURNS void
               LANGUAGE plpgsql AS $$ BEGIN {call}; END $$"
        ))?;
        for attempt in [
            call.to_owned(),
            format!("DO $do$ BEGIN {call}; END $do$"),
            "SELECT pg_temp.runs()".to_owned(),
        ] {
            let refusal = refused("25001", &attempt);
            assert!(refusal.hint.contains("autocommit"), "{refusal:?}");
        }
        holds(
            "to_regnamespace('sync_nowhere') IS NULL AND NOT EXISTS (SELECT
               FROM confiture.audit_log WHERE run_id IS NOT NULL)",
        );
        Ok(())
    }

    #[pg_test]
    fn sync_arguments_are_checked_before_anything_else() {
        for (arguments, says) in [
            ("NULL, 'a', 'b'", "\"profile\" must not be null"),
            ("'p', NULL, 'b'", "\"source\" must not be null"),
            ("'p', 'a', NULL", "\"target\" must not be null"),
            ("'p', 'a', 'b', '[]'", "must be a JSON object"),
            (
                "'p', 'a', 'b', '{\"tirggers\": \"skip\"}'",
                "Did you mean \"triggers\"?",
            ),
            (
                "'p', 'a', 'b', '{\"triggers\": \"maybe\"}'",
                "refuse, fire or skip",
            ),
            ("'p', 'a', 'b', '{\"adopt\": \"yes\"}'", "true or false"),
        ] {
            for call in ["SELECT confiture.plan", "CALL confiture.sync"] {
                let refusal = refused("22023", &format!("{call}({arguments})"));
                assert!(refusal.words().contains(says), "{refusal:?}");
            }
        }
    }

    #[pg_test]
    fn sync_plan_tells_every_column() -> Result<()> {
        shop("sync_plan", GOOD)?;
        let rows = texts(
            "SELECT concat_ws('|', table_name, column_name, decision, strategy, seed_source,
               column_type, note)
               FROM confiture.plan('sync_plan', source => 'sync_plan',
                  target => 'sync_plan_staging')",
        )?;
        assert_eq!(
            rows,
            [
                "users|id|preserved|integer|surrogate",
                "users|email|masked|mail (email)|rule, literal|text",
                "users|born|copied|date|undecided: copied unchanged",
                "users|code|copied|integer|undecided: copied unchanged",
                "orders|id|copied|integer|undecided: copied unchanged",
                "orders|user_email|masked|mail (email)|rule, literal|text",
            ]
        );
        holds(
            "to_regnamespace('sync_plan_staging') IS NULL AND NOT EXISTS (SELECT
               FROM confiture.audit_log WHERE run_id IS NOT NULL)",
        );
        Ok(())
    }

    #[pg_test]
    fn sync_plan_needs_a_key() -> Result<()> {
        shop("sync_no_key", GOOD)?;
        // A rotation is no loss: the profile goes on with the version that it pins.
        run("SELECT confiture.rotate_key('masking')")?;
        run(&plan("sync_no_key"))?;
        run(
            "UPDATE confiture.key_version SET state = 'destroyed', wrapped = NULL, binding_mac = NULL
               WHERE version = 1",
        )?;
        let refusal = refused("55000", &plan("sync_no_key"));
        assert!(refusal.message.contains("was destroyed"), "{refusal:?}");
        assert!(refusal.hint.contains("as a new version"), "{refusal:?}");
        Ok(())
    }

    #[pg_test]
    fn sync_plan_names_what_is_not_there() -> Result<()> {
        refused("42704", &plan("sync_no_profile"));
        profile("sync_no_source", GOOD)?;
        let refusal = refused("3F000", &plan("sync_no_source"));
        assert!(
            refusal.message.contains("\"sync_no_source\""),
            "{refusal:?}"
        );
        shop(
            "sync_no_table",
            "  usres: [{column: email, strategy: mail}]\n",
        )?;
        let refusal = refused("42P01", &plan("sync_no_table"));
        assert_eq!(refusal.hint, "Did you mean \"users\"?");
        shop(
            "sync_no_column",
            "  users: [{column: emial, strategy: mail}]\n",
        )?;
        let refusal = refused("42703", &plan("sync_no_column"));
        assert!(refusal.words().contains("\"email\""), "{refusal:?}");
        shop(
            "sync_elsewhere",
            "  elsewhere.users: [{column: email, strategy: mail}]\n",
        )?;
        refused("22023", &plan("sync_elsewhere"));
        shop("sync_version", GOOD)?;
        refused(
            "42704",
            "SELECT confiture.plan('sync_version', 'sync_version', 'x', '{\"version\": \"9\"}')",
        );
        Ok(())
    }

    #[pg_test]
    fn sync_plan_refuses_what_does_not_fit() -> Result<()> {
        let both = |users: &str| format!("  users: [{{column: email, strategy: mail}}, {users}]\n");
        shop("sync_type", &both("{column: born, strategy: mail}"))?;
        refused("42804", &plan("sync_type"));
        shop("sync_unique", &both("{column: code, strategy: short}"))?;
        let refusal = refused("22023", &plan("sync_unique"));
        assert!(refusal.message.contains("unique"), "{refusal:?}");
        shop("sync_alike", &GOOD.replacen("seed: 7", "seed: 8", 1))?;
        let refusal = refused("22023", &plan("sync_alike"));
        assert!(refusal.message.contains("not masked alike"), "{refusal:?}");
        shop("sync_view", "  seen: [{column: email, strategy: mail}]\n")?;
        refused("0A000", &plan("sync_view"));
        Ok(())
    }

    #[pg_test]
    fn sync_plan_refuses_schemas_that_cannot_take_part() -> Result<()> {
        shop("sync_schemas", GOOD)?;
        for (source, target) in [
            ("sync_schemas", "sync_schemas"),
            ("pg_catalog", "x"),
            ("sync_schemas", "pg_temp_3"),
            ("sync_schemas", "information_schema"),
            ("sync_schemas", "confiture"),
            ("confiture", "x"),
        ] {
            refused(
                "22023",
                &format!("SELECT confiture.plan('sync_schemas', '{source}', '{target}')"),
            );
        }
        Ok(())
    }

    #[pg_test]
    fn sync_plan_refuses_undecided_columns_with_the_yaml_to_paste() -> Result<()> {
        masking_key()?;
        run("CREATE SCHEMA sync_undecided; CREATE TABLE sync_undecided.t (id int, name text)")?;
        run("SELECT confiture.load_profile('name: sync_undecided
version: 1
coverage: strict
strategies: {gone: {type: redact}}
tables: {t: [{column: name, strategy: gone}]}')")?;
        let refusal = refused("55000", &plan("sync_undecided"));
        assert!(refusal.detail.contains("t.id"), "{refusal:?}");
        assert!(refusal.hint.contains("- {column: id, why: "), "{refusal:?}");
        Ok(())
    }

    #[pg_test]
    fn sync_plan_needs_the_rights_of_a_run() -> Result<()> {
        shop("sync_rights", GOOD)?;
        run("CREATE ROLE sync_operator")?;
        let as_operator = format!("SET LOCAL ROLE sync_operator; {}", plan("sync_rights"));
        refused("42501", &as_operator);
        run("SELECT confiture.grant_access('operator', 'sync_operator')")?;
        let refusal = refused("42501", &as_operator);
        assert!(refusal.hint.contains("USAGE on schema"), "{refusal:?}");
        run("GRANT USAGE ON SCHEMA sync_rights TO sync_operator")?;
        run("CREATE SCHEMA sync_rights_staging AUTHORIZATION sync_operator")?;
        let refusal = refused("42501", &as_operator);
        assert!(refusal.message.contains("cannot be read"), "{refusal:?}");
        run("GRANT SELECT ON ALL TABLES IN SCHEMA sync_rights TO sync_operator")?;
        run(&as_operator)?;
        run("RESET ROLE")?;
        // Rows hidden from the role would make a smaller copy.
        run("ALTER TABLE sync_rights.users ENABLE ROW LEVEL SECURITY")?;
        let refusal = refused("42501", &as_operator);
        assert!(
            refusal.message.contains("row-level security"),
            "{refusal:?}"
        );
        Ok(())
    }

    #[pg_test]
    fn sync_plan_refuses_a_target_of_others() -> Result<()> {
        shop("sync_target", GOOD)?;
        run("CREATE SCHEMA sync_target_staging;
             CREATE TABLE sync_target_staging.users (LIKE sync_target.users INCLUDING ALL)")?;
        let refusal = refused("55000", &plan("sync_target"));
        assert!(
            refusal.message.contains("\"sync_target_staging.users\""),
            "{refusal:?}"
        );
        run(
            "SELECT confiture.plan('sync_target', 'sync_target', 'sync_target_staging',
               '{\"adopt\": true}')",
        )?;
        run("GRANT CREATE ON SCHEMA sync_target_staging TO PUBLIC")?;
        refused(
            "42501",
            "SELECT confiture.plan('sync_target', 'sync_target', 'sync_target_staging',
               '{\"adopt\": true}')",
        );
        Ok(())
    }

    #[pg_test]
    fn sync_plan_refuses_code_of_weaker_roles() -> Result<()> {
        shop("sync_trust", GOOD)?;
        run("CREATE ROLE sync_weak;
             CREATE FUNCTION sync_trust.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             ALTER FUNCTION sync_trust.f() OWNER TO sync_weak;
             ALTER TABLE sync_trust.users ADD COLUMN extra int DEFAULT sync_trust.f()")?;
        let refusal = refused("42501", &plan("sync_trust"));
        assert!(refusal.words().contains("sync_weak"), "{refusal:?}");
        Ok(())
    }

    #[pg_test]
    fn sync_masks_of_a_run_work_in_a_run_only() {
        for value in [
            "'x'::text",
            "1::smallint",
            "1",
            "1::bigint",
            "gen_random_uuid()",
            "'x'::bytea",
        ] {
            refused("55000", &format!("SELECT confiture._run_mask(0, {value})"));
        }
        holds("confiture._run_mask(0, NULL::text) IS NULL");
    }
}
