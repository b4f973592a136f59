//! Rules for every SQL object of the extension, whichever room it belongs to, and the reference
//! page held against them.

#[pgrx::pg_schema]
mod tests {
    use std::collections::BTreeSet;

    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg_test::support::{holds, members, none, one, texts};

    #[pg_test]
    fn catalog_every_object_has_a_comment() -> Result<()> {
        none("SELECT shown FROM routines WHERE obj_description(oid, 'pg_proc') IS NULL")?;
        // A sequence of an identity column is part of its table.
        none(
            "SELECT shown FROM relations r WHERE obj_description(oid, 'pg_class') IS NULL
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                                   AND d.objid = r.oid AND d.deptype = 'i')
                AND relkind <> 'i'",
        )?;
        none(
            "SELECT t.evtname FROM pg_event_trigger t
                JOIN members m ON m.classid = 'pg_event_trigger'::regclass AND m.objid = t.oid
               WHERE obj_description(t.oid, 'pg_event_trigger') IS NULL",
        )?;
        none(
            "SELECT n.nspname FROM pg_namespace n
                JOIN members m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
               WHERE n.nspname <> 'tests' AND obj_description(n.oid, 'pg_namespace') IS NULL",
        )?;
        // Catalog habit: a comment is no sentence.
        none(
            "SELECT description FROM pg_description x
               JOIN members m ON m.classid = x.classoid AND m.objid = x.objoid
              WHERE x.classoid <> 'pg_namespace'::regclass
                AND (description ~ '[.!\\n]$' OR description !~ '^[A-Z]')",
        )
    }

    #[pg_test]
    fn catalog_public_may_do_nothing() -> Result<()> {
        none(
            "SELECT shown FROM routines r
               CROSS JOIN aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) a
                  WHERE a.grantee = 0
                    -- What masked views call: it takes no value, and asks by itself who may read.
                    AND r.proname <> '_mask_row'",
        )?;
        none(
            "SELECT shown FROM relations r
               CROSS JOIN aclexplode(coalesce(r.relacl, acldefault(
                 CASE r.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END, r.relowner))) a
                    WHERE a.grantee = 0",
        )?;
        none(
            "SELECT r.shown || '.' || t.attname
           FROM relations r JOIN pg_attribute t ON t.attrelid = r.oid
               CROSS JOIN aclexplode(t.attacl) a WHERE a.grantee = 0",
        )?;
        holds(
            "NOT has_schema_privilege('public', 'confiture', 'USAGE')
               AND NOT has_schema_privilege('public', 'confiture', 'CREATE')",
        );
        Ok(())
    }

    #[pg_test]
    fn catalog_search_paths_are_pinned() -> Result<()> {
        let path =
            "(SELECT split_part(c, '=', 2) FROM unnest(proconfig) c WHERE c LIKE 'search_path=%')";
        none(&format!(
            "SELECT shown FROM routines
               WHERE prosecdef AND coalesce({path}, '') !~ '(^|, )pg_temp$'"
        ))?;
        none(&format!(
            "SELECT shown FROM routines r JOIN pg_language l ON l.oid = r.prolang
              WHERE l.lanname IN ('sql', 'plpgsql')
                 AND coalesce({path}, '') <> 'pg_catalog, pg_temp'"
        ))?;
        none(
            "SELECT shown FROM routines r JOIN pg_language l ON l.oid = r.prolang
               WHERE l.lanname NOT IN ('c', 'sql', 'plpgsql') AND prokind <> 'a'",
        )
    }

    #[pg_test]
    fn catalog_volatility_and_parallel_safety_are_as_meant() -> Result<()> {
        let found = members(
            "SELECT concat_ws(' ', shown,
                      CASE prokind WHEN 'p' THEN 'procedure' ELSE
                        CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable'
                           ELSE 'volatile' END END,
                      CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'
                         ELSE 'unsafe' END,
                      CASE WHEN proisstrict THEN 'strict' END,
                         CASE WHEN prosecdef THEN 'definer' END)
               FROM routines WHERE proname NOT LIKE 'anon\\_%' ORDER BY shown COLLATE \"C\"",
        )?;
        let meant: Vec<_> = MEANT
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(found, meant, "\nfound:\n{}\n", found.join("\n"));
        Ok(())
    }

    /// One by one they are declared by the list of strategies, which `declare.rs` tests.
    #[pg_test]
    fn catalog_masks_have_a_key_or_are_immutable_or_draw() -> Result<()> {
        let keyed = "'key_version' = ANY (proargnames)";
        none(&format!(
            "SELECT shown FROM routines WHERE proname LIKE 'anon\\_%' AND proargnames[1] = 'value' AND prokind = 'f'
                AND (provolatile, proparallel) <> CASE
                  WHEN proname LIKE '%\\_decrypt' OR proname = 'anon_tokenize' THEN ('v'::\"char\", 'u'::\"char\")
                  WHEN {keyed} THEN ('s'::\"char\", 'r'::\"char\")
                  WHEN 'seed' = ANY (proargnames) THEN ('i'::\"char\", 's'::\"char\")
                  ELSE ('v'::\"char\", 's'::\"char\") END"
        ))?;
        none(
            "SELECT shown FROM routines WHERE proname LIKE 'anon\\_%' AND (proisstrict OR prosecdef)",
        )
    }

    const MEANT: &str = "
        confiture._citus_keys() volatile unsafe strict
        confiture._decision_guard() volatile unsafe
        confiture._definition_guard() volatile unsafe
        confiture._dp_avg(internal,anyelement,bigint,bigint,bigint,double precision) volatile unsafe
        confiture._dp_avg(internal,anyelement,double precision,double precision,double precision,double precision) volatile unsafe
        confiture._dp_avg(internal,anyelement,integer,integer,integer,double precision) volatile unsafe
        confiture._dp_avg(internal,anyelement,numeric,numeric,numeric,double precision) volatile unsafe
        confiture._dp_avg_end(internal) volatile unsafe
        confiture._dp_count(internal,anyelement,double precision) volatile unsafe
        confiture._dp_count(internal,anyelement,double precision,integer) volatile unsafe
        confiture._dp_count_end(internal) volatile unsafe
        confiture._dp_quantile(internal,anyelement,bigint,double precision,bigint,bigint,double precision) volatile unsafe
        confiture._dp_quantile(internal,anyelement,double precision,double precision,double precision,double precision,double precision) volatile unsafe
        confiture._dp_quantile(internal,anyelement,integer,double precision,integer,integer,double precision) volatile unsafe
        confiture._dp_quantile(internal,anyelement,numeric,double precision,numeric,numeric,double precision) volatile unsafe
        confiture._dp_quantile_end_bigint(internal) volatile unsafe
        confiture._dp_quantile_end_double(internal) volatile unsafe
        confiture._dp_quantile_end_numeric(internal) volatile unsafe
        confiture._dp_sum(internal,anyelement,bigint,bigint,bigint,double precision) volatile unsafe
        confiture._dp_sum(internal,anyelement,double precision,double precision,double precision,double precision) volatile unsafe
        confiture._dp_sum(internal,anyelement,integer,integer,integer,double precision) volatile unsafe
        confiture._dp_sum(internal,anyelement,numeric,numeric,numeric,double precision) volatile unsafe
        confiture._dp_sum_end_bigint(internal) volatile unsafe
        confiture._dp_sum_end_double(internal) volatile unsafe
        confiture._dp_sum_end_numeric(internal) volatile unsafe
        confiture._drop_guard() volatile unsafe
        confiture._follow_replication() volatile unsafe
        confiture._follow_tables() volatile unsafe
        confiture._follow_views() volatile unsafe
        confiture._journal_guard() volatile unsafe
        confiture._keys_changed() volatile unsafe
        confiture._ledger_guard() volatile unsafe
        confiture._mask_replicated() volatile unsafe
        confiture._mask_row(integer,integer,oid,tid,anyelement) stable unsafe
        confiture._mask_value(integer,integer,anyelement) volatile unsafe
        confiture._mask_value(integer,integer,anyelement,\"any\") volatile unsafe
        confiture._run_chance(text,integer) immutable safe strict
        confiture._run_mac(bigint,integer,\"any\") volatile unsafe
        confiture._run_mask(integer,anyelement) volatile safe
        confiture._run_mask(integer,anyelement,\"any\") volatile safe
        confiture._run_scan(integer,integer,integer,integer,\"any\") volatile safe
        confiture._run_track(integer,integer,\"any\") volatile safe
        confiture._strategies() immutable safe strict
        confiture._sync_progress() volatile restricted strict
        confiture._tally(bigint,boolean) immutable safe
        confiture._tally_add(internal,bigint,boolean) immutable safe
        confiture._tally_bytes(internal) immutable safe
        confiture._tally_combine(internal,internal) immutable safe
        confiture._tally_state(bytea,internal) immutable safe strict
        confiture._version_guard() volatile unsafe
        confiture._watch_columns() volatile unsafe
        confiture.anchor_key() stable unsafe strict
        confiture.audit_entry_json(uuid) stable safe
        confiture.begin_run(text,text,text) volatile unsafe
        confiture.check_regression(text,integer) stable restricted
        confiture.citus_nodes() volatile unsafe strict
        confiture.citus_setup(text) procedure unsafe
        confiture.cleanup_expired_tokens(text) volatile unsafe
        confiture.compliance_conflicts(text[],date) stable unsafe
        confiture.compliance_coverage(text,date,text[],text) stable unsafe
        confiture.compliance_fields(text,date,text[],text) stable unsafe
        confiture.compliance_gaps(text[],date) stable unsafe
        confiture.compliance_matrix(text[],date,boolean) stable unsafe
        confiture.compliance_minimum(text[],date) stable unsafe
        confiture.compliance_report(text,text,date,text[],text) stable unsafe
        confiture.consistency_proof(bigint,bigint) stable unsafe
        confiture.continue_run(uuid) volatile restricted
        confiture.create_domain(text,text,text,integer,boolean,boolean,interval,integer) volatile unsafe
        confiture.create_key(text,text) volatile unsafe
        confiture.create_masked_views(text,text,text,jsonb) volatile unsafe
        confiture.decide_conflict(text,text,text,text,date) volatile unsafe
        confiture.declare_fact(text,text,jsonb,date,date,text) volatile unsafe
        confiture.destroy_key_version(text,integer) volatile unsafe
        confiture.detect(text,integer,boolean) volatile unsafe
        confiture.disarm(text) volatile unsafe
        confiture.drop_masked_views(text,text,boolean) volatile unsafe
        confiture.end_run(jsonb) volatile unsafe
        confiture.export_anchor() volatile unsafe strict
        confiture.export_controller(date) stable unsafe
        confiture.export_ledger(bigint) stable safe
        confiture.export_openlineage(uuid,text) stable unsafe
        confiture.fail_run(text) volatile unsafe
        confiture.forget_keys() volatile unsafe strict
        confiture.forget_subject(text,text) volatile unsafe
        confiture.get_audit_log(integer) stable safe
        confiture.grant_access(text,text,text) volatile unsafe
        confiture.help(text) immutable safe
        confiture.hook_analyze(jsonb) volatile unsafe
        confiture.hook_refresh_materialized_views(jsonb) volatile unsafe
        confiture.hook_row_limits(jsonb) immutable safe
        confiture.hook_scan_source(jsonb) volatile unsafe
        confiture.import_anon_labels(text,text,text,text) stable restricted
        confiture.import_anon_report(text,text,text) stable restricted
        confiture.import_greenmask(text,text,text) stable restricted
        confiture.import_greenmask_report(text,text) stable restricted
        confiture.import_key(text) volatile unsafe
        confiture.incident_deadlines(text) stable unsafe
        confiture.inclusion_proof(bigint,bigint) stable unsafe
        confiture.init_key_file(text) volatile unsafe
        confiture.installation_id() volatile unsafe strict
        confiture.issue_compliance_report(text,text,date,text[],text) volatile unsafe
        confiture.issue_lineage_report(text,text,text) volatile unsafe
        confiture.issue_openlineage(uuid,text) volatile unsafe
        confiture.lineage_history(text,text) stable safe
        confiture.lineage_report(text,text,text) stable unsafe
        confiture.lint_access(text,text) volatile unsafe
        confiture.lint_replication(text) volatile unsafe
        confiture.load_controller(text) volatile unsafe
        confiture.load_keys() volatile unsafe strict
        confiture.load_profile(text) volatile unsafe
        confiture.load_rules(text) volatile unsafe
        confiture.mask_in_place(text,text,jsonb) procedure unsafe
        confiture.mask_replication(text,text,text) volatile unsafe
        confiture.pause_run(uuid) volatile restricted
        confiture.plan(text,text,text,jsonb) volatile unsafe
        confiture.plan_warnings(text,text,text,jsonb) volatile unsafe
        confiture.preview(text,text,text,integer,jsonb) volatile unsafe
        confiture.profile_run(uuid) stable restricted
        confiture.provider_problem(text,text) volatile unsafe
        confiture.prune_ledger(timestamp with time zone,boolean,text[]) volatile unsafe
        confiture.rearm() volatile unsafe strict
        confiture.record_verification(text[]) volatile unsafe
        confiture.refresh_masked_views(text,text) volatile unsafe
        confiture.register_hook(text,text,text,integer,jsonb) volatile unsafe
        confiture.residue_check(text) volatile unsafe
        confiture.resolve_seed(text,text,text,text) stable restricted
        confiture.resume(uuid) procedure unsafe
        confiture.retention_overdue(date) stable unsafe
        confiture.retire_profile(text,text) volatile unsafe
        confiture.reveal(text,text,text) volatile unsafe
        confiture.reveal_batch(text[],text,text) volatile unsafe
        confiture.revoke_access(text,text,text) volatile unsafe
        confiture.rewrap_keys(text) procedure unsafe
        confiture.rewrap_tokens(text,integer) procedure unsafe
        confiture.rotate_kek(text) procedure unsafe
        confiture.rotate_key(text) volatile unsafe
        confiture.rules_in_use() stable unsafe strict
        confiture.share_key(text,uuid,text,integer) procedure unsafe
        confiture.shred_run_key(uuid) volatile unsafe
        confiture.suggest_controller(text,text[]) stable unsafe
        confiture.suggest_profile(text,text,integer) volatile unsafe
        confiture.sync(text,text,text,jsonb) procedure unsafe
        confiture.tokenize_batch(text,text[],text[]) volatile unsafe
        confiture.track(text,text,text,\"any\",anyelement) volatile unsafe
        confiture.unmask_replication(text,text) volatile unsafe
        confiture.unregister_hook(text,text,text) volatile unsafe
        confiture.unwatch(text,text) volatile unsafe
        confiture.validate_profile(text) stable restricted
        confiture.validate_value(text,jsonb,text,text) stable safe
        confiture.verify_fleet(jsonb,text,uuid[],interval) stable unsafe
        confiture.verify_ledger(text[],boolean) stable unsafe
        confiture.verify_lineage_data(uuid,text,text) volatile unsafe
        confiture.verify_lineage_integrity() stable unsafe
        confiture.verify_lineage_row(uuid,text,text,text[],text) volatile unsafe
        confiture.verify_lineage_rows(uuid,text,text,integer) volatile unsafe
        confiture.watch(text,text,text) volatile unsafe
        confiture.withdraw_fact(text,text,date,text) volatile unsafe";

    #[pg_test]
    fn catalog_every_table_is_dumped() -> Result<()> {
        none(
            // The count of the journal is read at another moment than its table, so it starts anew.
            // Numbers of tables mean nothing in another database.
            "SELECT shown FROM relations r WHERE relkind IN ('r', 'p', 'S')
                AND relname NOT IN ('journal_count', 'table_number', 'unrefreshed_view')
                AND NOT EXISTS (SELECT FROM pg_extension e WHERE r.oid = ANY (e.extconfig))",
        )?;
        // What pg_dump dumps must be empty after CREATE EXTENSION, or a restore would collide.
        for table in members("SELECT shown FROM relations WHERE relkind IN ('r', 'p') ORDER BY 1")?
        {
            assert_eq!(
                one::<i64>(&format!("SELECT count(*) FROM {table}"))?,
                0,
                "{table}"
            );
        }
        Ok(())
    }

    #[pg_test]
    fn catalog_tables_hold_names_not_numbers_of_the_catalog() -> Result<()> {
        // OIDs of a dump would name other tables after a restore: what holds them is in none.
        none(
            "SELECT r.shown || '.' || a.attname
           FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid
               WHERE r.relkind IN ('r', 'p') AND a.attnum > 0
                 AND EXISTS (SELECT FROM pg_extension e WHERE r.oid = ANY (e.extconfig))
                 AND (a.atttypid = 'oid'::regtype OR format_type(a.atttypid, NULL) ~ '^reg')",
        )
    }

    #[pg_test]
    fn catalog_guards_always_fire() -> Result<()> {
        let guarded = members(
            "SELECT DISTINCT r.relname FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid
              WHERE t.tgfoid = 'confiture._ledger_guard'::regproc ORDER BY 1",
        )?;
        assert_eq!(
            guarded,
            [
                "audit_log",
                "journal",
                "ledger_head",
                "lineage",
                "lineage_row_chunk",
                "run_key"
            ]
        );
        none(
            "SELECT t.tgname FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid
               WHERE NOT t.tgisinternal AND t.tgenabled <> 'A'",
        )?;
        none(
            "SELECT t.evtname FROM pg_event_trigger t
                JOIN members m ON m.classid = 'pg_event_trigger'::regclass AND m.objid = t.oid
               WHERE t.evtenabled <> 'A'",
        )
    }

    #[pg_test]
    fn catalog_constraints_and_triggers_are_named_after_their_table() -> Result<()> {
        none(
            "SELECT c.conname FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid
               WHERE c.conname !~ ('^' || r.relname || '_') AND c.contype <> 'n'",
        )?;
        none(
            "SELECT t.tgname FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid
               WHERE NOT t.tgisinternal AND t.tgname !~ ('^' || r.relname || '_')",
        )?;
        none(
            "SELECT i.relname FROM relations r JOIN pg_index x ON x.indrelid = r.oid
                JOIN pg_class i ON i.oid = x.indexrelid
               WHERE i.relname !~ ('^' || r.relname || '_.*(pkey|key|idx)$')",
        )
    }

    #[pg_test]
    fn catalog_settings_are_described() -> Result<()> {
        let names = setting_names();
        assert!(names.len() >= 3);
        for name in &names {
            holds(&format!("current_setting('{name}') IS NOT NULL"));
        }
        let shown = texts(
            "SELECT name FROM pg_settings
               WHERE name LIKE 'confiture.%' AND short_desc ~ '\\.$' AND extra_desc <> ''",
        )?;
        // A setting that is shown to nobody is not in the view.
        let visible: Vec<_> = names
            .iter()
            .filter(|name| !REFERENCES.contains(&name.as_str()))
            .collect();
        assert_eq!(shown.iter().collect::<Vec<_>>(), visible);
        Ok(())
    }

    /// Settings that say where keys or evidence are, and one that a run sets for its workers.
    const REFERENCES: [&str; 9] = [
        "confiture.anchor_directory",
        "confiture.archive_directory",
        "confiture.key_aws",
        "confiture.key_azure",
        "confiture.key_file",
        "confiture.key_pkcs11",
        "confiture.key_provider",
        "confiture.key_vault",
        "confiture.kit",
    ];

    fn setting_names() -> Vec<String> {
        include_str!("../src/settings.rs")
            .split("c\"confiture.")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(|name| format!("confiture.{name}"))
            .collect()
    }

    #[pg_test]
    fn catalog_reference_page_lists_every_public_object() -> Result<()> {
        let pages = concat!(
            include_str!("../docs/reference.md"),
            include_str!("../docs/reference/masks.md")
        );
        let page: BTreeSet<String> = pages
            .lines()
            .filter_map(|line| {
                line.strip_prefix("| `")?
                    .split('`')
                    .next()
                    .map(str::to_owned)
            })
            .collect();
        let mut found: BTreeSet<String> = members(
            "SELECT CASE WHEN pronamespace = 'confiture'::regnamespace THEN 'confiture.' ELSE '' END
                      || proname || '(' || regexp_replace(replace(
                           pg_get_function_arguments(oid), 'IN ', ''),
                              '::(double precision|[a-z]+)(\\[\\])?', '', 'g') || ')'
                      || CASE WHEN prokind = 'p' THEN '' ELSE ' → ' || CASE
                           WHEN pg_get_function_result(oid) LIKE 'TABLE(%' THEN 'table'
                           ELSE regexp_replace(pg_get_function_result(oid), '^SETOF ',
                              'setof ') END END
               FROM routines WHERE proname NOT LIKE '\\_%'",
        )?
        .into_iter()
        .collect();
        found.extend(members(
            "SELECT shown FROM relations WHERE relkind IN ('r', 'p', 'v')",
        )?);
        found.extend(setting_names());
        let missing: Vec<_> = found.difference(&page).collect();
        let gone: Vec<_> = page.difference(&found).collect();
        assert!(
            missing.is_empty() && gone.is_empty(),
            "missing: {missing:#?}\nnot there: {gone:#?}"
        );
        Ok(())
    }
}
