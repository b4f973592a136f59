//! Kinds of access: what each may call and read, and nothing else.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg_test::support::{members, none, refused, run};

    #[pg_test]
    fn access_is_given_by_kind() -> Result<()> {
        for kind in [
            "masker", "operator", "revealer", "analyst", "auditor", "officer", "admin",
        ] {
            run(&format!("CREATE ROLE catalog_{kind}"))?;
            run(&format!(
                "SELECT confiture.grant_access('{kind}', 'catalog_{kind}')"
            ))?;
        }
        let may = |role: &str| {
            members(&format!(
                // Everybody may call what masked views call.
                "SELECT DISTINCT proname FROM routines WHERE proname <> '_mask_row'
                    AND has_function_privilege('catalog_{role}', oid, 'EXECUTE') ORDER BY 1"
            ))
        };
        let reads = |role: &str| {
            members(&format!(
                "SELECT relname FROM relations WHERE relkind IN ('r', 'v')
                   AND has_table_privilege('catalog_{role}', oid, 'SELECT') ORDER BY 1"
            ))
        };
        let masks = may("masker")?;
        for (name, expected) in [
            ("anon_email", true),
            ("anon_apply", true),
            ("anon_fpe_decrypt", false),
            ("anon_tokenize", true),
            ("anon_detokenize", false),
            ("anon_dp_noise", true),
            ("anon_dp_sum", false),
            ("anon_dp_budget_raise", false),
            ("anon_dp_budget_status", false),
            ("load_keys", true),
            ("sync", false),
        ] {
            assert_eq!(masks.iter().any(|mask| mask == name), expected, "{name}");
        }
        assert!(
            masks.iter().filter(|mask| !mask.starts_with("anon_")).eq([
                "_strategies",
                "_tally",
                "forget_keys",
                "help",
                "load_keys",
                "tokenize_batch",
                "validate_value"
            ]),
            "{masks:?}"
        );
        assert_eq!(reads("masker")?, ["strategies", "vault_domains"]);
        assert_eq!(
            may("revealer")?,
            [
                "_run_mac",
                "anon_fpe_decrypt",
                "anon_ip_decrypt",
                "forget_keys",
                "help",
                "load_keys",
                "verify_lineage_row"
            ]
        );
        assert_eq!(
            may("operator")?,
            [
                "_mask_replicated",
                "_mask_value",
                "_run_chance",
                "_run_mask",
                "_run_scan",
                "_run_track",
                "_strategies",
                "_sync_progress",
                "_tally",
                "anon_alpha_k",
                "anon_assert_k",
                "anon_beta_likeness",
                "anon_delta_disclosure",
                "anon_delta_presence",
                "anon_enforce_k",
                "anon_equivalence_classes",
                "anon_k_anonymity",
                "anon_l_diversity",
                "anon_privacy_report",
                "anon_privacy_report_html",
                "anon_reid_risk",
                "anon_suggest_generalization",
                "anon_suppress_below_k",
                "anon_t_closeness",
                "begin_run",
                "check_regression",
                "cleanup_expired_tokens",
                "continue_run",
                "create_masked_views",
                "detect",
                "drop_masked_views",
                "end_run",
                "export_anchor",
                "fail_run",
                "forget_keys",
                "help",
                "hook_analyze",
                "hook_refresh_materialized_views",
                "hook_row_limits",
                "hook_scan_source",
                "import_anon_labels",
                "import_anon_report",
                "import_greenmask",
                "import_greenmask_report",
                "lint_access",
                "lint_replication",
                "load_keys",
                "load_profile",
                "mask_in_place",
                "mask_replication",
                "pause_run",
                "plan",
                "plan_warnings",
                "preview",
                "profile_run",
                "provider_problem",
                "refresh_masked_views",
                "register_hook",
                "residue_check",
                "resolve_seed",
                "resume",
                "retire_profile",
                "suggest_profile",
                "sync",
                "tokenize_batch",
                "track",
                "unmask_replication",
                "unregister_hook",
                "unwatch",
                "validate_profile",
                "validate_value",
                "watch"
            ]
        );
        assert_eq!(
            reads("operator")?,
            [
                "hooks",
                "key_status",
                "masked_in_place",
                "masked_replication",
                "masked_views",
                "profiles",
                "run_columns",
                "run_history",
                "stat_strategies",
                "strategies",
                "sync_progress",
                "undecided_column",
                "vault_domains",
                "watched"
            ]
        );
        assert_eq!(
            may("analyst")?,
            [
                "anon_dp_avg",
                "anon_dp_budget_report",
                "anon_dp_budget_status",
                "anon_dp_correct_variance",
                "anon_dp_count",
                "anon_dp_noise_params",
                "anon_dp_quantile",
                "anon_dp_release",
                "anon_dp_release_avg",
                "anon_dp_release_count",
                "anon_dp_release_quantile",
                "anon_dp_release_sum",
                "anon_dp_sum",
                "help"
            ]
        );
        assert!(reads("analyst")?.is_empty());
        assert_eq!(
            may("auditor")?,
            [
                "_run_mac",
                "_run_track",
                "_sync_progress",
                "_tally",
                "anchor_key",
                "anon_alpha_k",
                "anon_assert_k",
                "anon_beta_likeness",
                "anon_delta_disclosure",
                "anon_delta_presence",
                "anon_dp_budget_report",
                "anon_dp_budget_status",
                "anon_equivalence_classes",
                "anon_k_anonymity",
                "anon_l_diversity",
                "anon_privacy_report",
                "anon_privacy_report_html",
                "anon_reid_risk",
                "anon_t_closeness",
                "audit_entry_json",
                "check_regression",
                "compliance_conflicts",
                "compliance_coverage",
                "compliance_fields",
                "compliance_gaps",
                "compliance_matrix",
                "compliance_minimum",
                "compliance_report",
                "consistency_proof",
                "export_anchor",
                "export_controller",
                "export_ledger",
                "export_openlineage",
                "get_audit_log",
                "help",
                "incident_deadlines",
                "inclusion_proof",
                "issue_compliance_report",
                "issue_lineage_report",
                "issue_openlineage",
                "lineage_history",
                "lineage_report",
                "lint_access",
                "lint_replication",
                "profile_run",
                "provider_problem",
                "record_verification",
                "retention_overdue",
                "rules_in_use",
                "suggest_controller",
                "verify_fleet",
                "verify_ledger",
                "verify_lineage_data",
                "verify_lineage_integrity",
                "verify_lineage_rows"
            ]
        );
        assert_eq!(
            may("officer")?,
            [
                "compliance_conflicts",
                "compliance_coverage",
                "compliance_fields",
                "compliance_gaps",
                "compliance_matrix",
                "compliance_minimum",
                "compliance_report",
                "decide_conflict",
                "declare_fact",
                "export_controller",
                "get_audit_log",
                "help",
                "incident_deadlines",
                "issue_compliance_report",
                "issue_lineage_report",
                "lineage_history",
                "lineage_report",
                "lint_access",
                "load_controller",
                "load_rules",
                "record_verification",
                "retention_overdue",
                "rules_in_use",
                "suggest_controller",
                "verify_ledger",
                "verify_lineage_integrity",
                "withdraw_fact"
            ]
        );
        assert_eq!(
            reads("officer")?,
            [
                "audit_log",
                "conflict_decision",
                "controller_fact",
                "controller_facts",
                "lineage",
                "lineage_columns",
                "masked_in_place",
                "masked_replication",
                "masked_views",
                "profiles",
                "rules_document",
                "run_report",
                "runs",
                "undecided_column",
                "verification",
                "watched"
            ]
        );
        assert_eq!(
            may("admin")?,
            [
                "_citus_keys",
                "anon_dp_budget_create",
                "anon_dp_budget_grant",
                "anon_dp_budget_raise",
                "anon_dp_budget_report",
                "anon_dp_budget_retire",
                "anon_dp_budget_revoke",
                "anon_dp_budget_status",
                "anon_dp_register",
                "anon_dp_unregister",
                "citus_nodes",
                "citus_setup",
                "cleanup_expired_tokens",
                "create_domain",
                "create_key",
                "destroy_key_version",
                "forget_keys",
                "forget_subject",
                "help",
                "import_key",
                "installation_id",
                "load_keys",
                "load_rules",
                "provider_problem",
                "register_hook",
                "rewrap_keys",
                "rewrap_tokens",
                "rotate_kek",
                "rotate_key",
                "rules_in_use",
                "share_key",
                "shred_run_key",
                "unregister_hook"
            ]
        );
        assert_eq!(
            reads("admin")?,
            ["hooks", "key_status", "shared_key", "vault_domains"]
        );
        assert_eq!(
            reads("auditor")?,
            [
                "audit_log",
                "conflict_decision",
                "controller_fact",
                "controller_facts",
                "dp_budget",
                "dp_budget_share",
                "dp_dataset",
                "dp_tally",
                "hooks",
                "journal",
                "key_status",
                "lineage",
                "lineage_columns",
                "lineage_row_chunk",
                "masked_in_place",
                "masked_replication",
                "masked_views",
                "profiles",
                "reveals",
                "rules_document",
                "run_columns",
                "run_history",
                "run_report",
                "runs",
                "stat_strategies",
                "sync_progress",
                "token_access",
                "undecided_column",
                "vault_domains",
                "verification",
                "watched"
            ]
        );
        none(
            "SELECT shown || ' ' || role || ' ' || privilege FROM relations
               CROSS JOIN unnest(ARRAY['catalog_masker', 'catalog_operator', 'catalog_revealer',
                  'catalog_auditor', 'catalog_officer', 'catalog_admin']) role
               CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                  'TRIGGER']) privilege
               WHERE relkind IN ('r', 'v') AND has_table_privilege(role, oid, privilege)",
        )
    }

    #[pg_test]
    fn access_names_what_it_does_not_know() -> Result<()> {
        run("CREATE ROLE catalog_somebody")?;
        for (arguments, sqlstate) in [
            ("'king', 'catalog_somebody'", "22023"),
            ("'masker', 'catalog_nobody'", "42704"),
            ("NULL, 'catalog_somebody'", "22023"),
            ("'masker', NULL", "22023"),
            ("'masker', 'catalog_somebody', 'cards'", "22023"),
        ] {
            refused(
                sqlstate,
                &format!("SELECT confiture.grant_access({arguments})"),
            );
        }
        Ok(())
    }
}
