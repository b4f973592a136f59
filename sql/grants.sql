-- grants: nothing for PUBLIC, and what pg_dump must carry.

SELECT confiture._script_path(true);

-- Comments of the functions that Rust declares.
DO $comments$
DECLARE
  entry record;
BEGIN
  FOR entry IN
    SELECT p.oid::pg_catalog.regprocedure AS routine, p.prokind, c.comment
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN (VALUES
        ('anon_dp_noise_params', 'What noise for differential privacy does to values: scale, deviation, variance, interval'),
        ('anon_dp_correct_variance', 'Variance of values, from that of their noisy ones'),
        ('anon_dp_budget_create', 'Makes a privacy budget: how much may be spent on answers about some data'),
        ('anon_dp_budget_grant', 'Lets a role charge a privacy budget, up to a share of it'),
        ('anon_dp_budget_revoke', 'Takes from a role the right to charge a privacy budget'),
        ('anon_dp_budget_raise', 'Lets more be spent of a privacy budget than before'),
        ('anon_dp_budget_retire', 'Ends the spending of a privacy budget for good'),
        ('anon_dp_budget_status', 'What was spent of privacy budgets, and what is left'),
        ('anon_dp_budget_report', 'What the charges of a privacy budget amount to by three rules of composition'),
        ('anon_dp_count', 'How many units, or rows of them, with noise; charged to a privacy budget'),
        ('anon_dp_sum', 'Sum of what units have within bounds, with noise; charged to a privacy budget'),
        ('anon_dp_avg', 'Mean of what units have within bounds, with noise; charged to a privacy budget'),
        ('anon_dp_quantile', 'Quantile of what units have within bounds, with noise; charged to a privacy budget'),
        ('anon_dp_register', 'Registers a table as a data set that may be asked about without being read'),
        ('anon_dp_unregister', 'Takes a data set away'),
        ('anon_dp_release', 'Answers about a data set, with noise and intervals; charged first'),
        ('anon_dp_release_count', 'How many units a data set has, with noise; charged first'),
        ('anon_dp_release_sum', 'Sum of a column of a data set, with noise; charged first'),
        ('anon_dp_release_avg', 'Mean of a column of a data set, with noise; charged first'),
        ('anon_dp_release_quantile', 'Quantile of a column of a data set, with noise; charged first'),
        ('_dp_count', 'Takes a row into anon_dp_count'),
        ('_dp_sum', 'Takes a row into anon_dp_sum'),
        ('_dp_avg', 'Takes a row into anon_dp_avg'),
        ('_dp_quantile', 'Takes a row into anon_dp_quantile'),
        ('_dp_count_end', 'Charges and answers anon_dp_count'),
        ('_dp_sum_end_bigint', 'Charges and answers anon_dp_sum'),
        ('_dp_sum_end_double', 'Charges and answers anon_dp_sum'),
        ('_dp_sum_end_numeric', 'Charges and answers anon_dp_sum'),
        ('_dp_avg_end', 'Charges and answers anon_dp_avg'),
        ('_dp_quantile_end_bigint', 'Charges and answers anon_dp_quantile'),
        ('_dp_quantile_end_double', 'Charges and answers anon_dp_quantile'),
        ('_dp_quantile_end_numeric', 'Charges and answers anon_dp_quantile'),
        ('_tally', 'How often each code comes, as bytes'),
        ('_tally_add', 'Counts a row for _tally'),
        ('_tally_combine', 'Adds what one process counted for _tally to what another did'),
        ('_tally_bytes', 'What _tally has counted, as bytes'),
        ('_tally_state', 'What _tally has counted, of bytes'),
        ('anon_k_anonymity', 'How many rows the smallest class of equal quasi-identifiers has'),
        ('anon_l_diversity', 'How diverse the sensitive values of the least diverse class are'),
        ('anon_t_closeness', 'How far the sensitive values of a class are from those of the table at most'),
        ('anon_alpha_k', 'The share of the commonest sensitive value in a class at most, and the size of the smallest class'),
        ('anon_delta_disclosure', 'How much more or less likely a sensitive value is in a class than in the table, as a logarithm'),
        ('anon_beta_likeness', 'By how much a sensitive value is more likely in a class than in the table, relative to that'),
        ('anon_delta_presence', 'The least and the greatest share of a class of a population that is in a sample'),
        ('anon_reid_risk', 'How likely records are found again: by a prosecutor, a journalist and a marketer'),
        ('anon_equivalence_classes', 'The classes of equal quasi-identifiers with their sizes'),
        ('anon_assert_k', 'How large the smallest class of equal quasi-identifiers is, which must be k at least'),
        ('anon_enforce_k', 'Refuses what would leave a class of equal quasi-identifiers with less than k rows'),
        ('anon_suppress_below_k', 'Deletes the rows of classes of less than k rows, or counts them'),
        ('anon_privacy_report', 'Every measure of anonymity of a relation as a document'),
        ('anon_privacy_report_html', 'Every measure of anonymity of a relation as a page'),
        ('anon_suggest_generalization', 'The least generalization of quasi-identifiers that makes every class as large as k'),
        ('_strategies', 'Rows of the view strategies'),
        ('_sync_progress', 'Rows of the view sync_progress'),
        ('pause_run', 'Has a run wait while it loads'),
        ('continue_run', 'Lets a run go on that was paused'),
        ('profile_run', 'Where the time of a run went'),
        ('check_regression', 'Which part of the newest run of a profile is slower than those before it'),
        ('validate_value', 'What keeps a strategy from masking a value, one row per reason'),
        ('create_domain', 'Makes a space of tokens'),
        ('tokenize_batch', 'The tokens of values, made where they are not there'),
        ('anon_tokenize', 'The token of a value in a deterministic domain, made where it is not there'),
        ('anon_detokenize', 'What a token stands for, row by row, for who may; on record first'),
        ('reveal', 'What a token stands for, for who may and says why; on record first'),
        ('reveal_batch', 'What many tokens stand for, each with what became of it; one record'),
        ('forget_subject', 'Destroys the secret of a subject, so that none of its tokens can be revealed'),
        ('cleanup_expired_tokens', 'Ends tokens whose time is over; returns how many'),
        ('rewrap_tokens', 'Seals what the tokens of a domain stand for anew by the active key'),
        ('_keys_changed', 'Tells every session that a table of keys was changed'),
        ('load_keys', 'Opens every stored key, so that later statements need no provider; returns how many'),
        ('forget_keys', 'Wipes the opened keys of this session; returns how many'),
        ('provider_problem', 'What keeps a key provider from working now; NULL when nothing does'),
        ('rewrap_keys', 'Wraps every stored key anew by a provider, one transaction per key'),
        ('rotate_kek', 'Has a provider make a new key-encryption key'),
        ('destroy_key_version', 'Destroys a version of a key for good'),
        ('share_key', 'Wraps a version of a key for another installation and lays it ready in shared_key'),
        ('import_key', 'Takes a shared key over as the active version of its key; returns the version'),
        ('citus_nodes', 'How it stands with the masking key on every node of Citus, and what citus_setup would do'),
        ('citus_setup', 'Gives every worker of Citus the masking key of the coordinator, on record'),
        ('_citus_keys', 'What a node of Citus says of its keys to the coordinator'),
        ('installation_id', 'The id of this installation, to which its keys are bound'),
        ('init_key_file', 'Makes the key file of the file provider; refuses to overwrite one'),
        ('create_key', 'Makes a key, wrapped by the provider; returns its version'),
        ('rotate_key', 'Makes a new version of a key; returns it'),
        ('grant_access', 'Gives a role what a kind of work needs: masker, operator, revealer, analyst, auditor, officer or admin'),
        ('revoke_access', 'Takes from a role what a kind of work needs, but for what it has by another kind'),
        ('verify_ledger', 'Checks every entry of the audit log, one row per finding'),
        ('verify_fleet', 'Checks the ledgers of servers that mask with one key, and holds them against each other'),
        ('record_verification', 'Checks the ledger as verify_ledger does, and puts the result on record'),
        ('anchor_key', 'The public key that verifies anchors signed now'),
        ('export_anchor', 'Signs a checkpoint of the whole audit log, to be kept outside the database'),
        ('inclusion_proof', 'The hashes that lead from one entry to the root of the log'),
        ('consistency_proof', 'The hashes that lead from the root of the log at one size to that at another'),
        ('_ledger_guard', 'Refuses every change of the ledger'),
        ('_definition_guard', 'Refuses commands that change the definition of the ledger'),
        ('disarm', 'Lets commands change the definition of the ledger until rearm; superusers only, on record'),
        ('rearm', 'Has every guard of the ledger fire always again; superusers only, on record'),
        ('prune_ledger', 'Takes the oldest part of the ledger out into an archive; superusers only, on record'),
        ('_journal_guard', 'Refuses rows that are not written by the library, but in a restore'),
        ('_drop_guard', 'Refuses to drop the extension while its ledger holds entries'),
        ('validate_profile', 'Checks a profile without storing it'),
        ('load_profile', 'Checks a profile and stores it as an immutable version'),
        ('retire_profile', 'Takes a version of a profile out of use'),
        ('resolve_seed', 'Where the seed of a column comes from, by name'),
        ('plan', 'What a run would do, column by column'),
        ('plan_warnings', 'What should be known before a run, with ids that a profile can acknowledge'),
        ('preview', 'Some rows as they are and as a run would write them'),
        ('detect', 'Which columns of a schema look personal, how surely and why'),
        ('suggest_profile', 'A profile for every table of a schema, to be read before it is loaded'),
        ('import_anon_labels', 'A profile made of the labels of PostgreSQL Anonymizer on a schema, or in a dump'),
        ('import_anon_report', 'What becomes of each label of PostgreSQL Anonymizer, and why'),
        ('import_greenmask', 'A profile made of a configuration of Greenmask'),
        ('import_greenmask_report', 'What becomes of each transformer of Greenmask, and why'),
        ('help', 'What to call for what, and the page that tells more'),
        ('mask_in_place', 'Masks the tables of a schema where they stand, as a profile says, with evidence'),
        ('_follow_tables', 'Keeps the lists of tables that runs made or masked as the tables are'),
        ('residue_check', 'Where originals lie that masking has left behind, and what clears them'),
        ('watch', 'Watches the tables of a profile for columns that come or change'),
        ('unwatch', 'Ends a watch; whether there was one'),
        ('_watch_columns', 'Marks new columns of watched tables as undecided, or refuses them'),
        ('sync', 'Copies a schema into another, masked as a profile says, with evidence'),
        ('resume', 'Makes a run again that failed or was interrupted, with the same options'),
        ('register_hook', 'Has runs call a function, on record'),
        ('unregister_hook', 'Has runs no longer call a function, on record'),
        ('hook_analyze', 'A hook that has the server look at tables for its plans'),
        ('hook_refresh_materialized_views', 'A hook that makes materialized views anew'),
        ('hook_row_limits', 'A hook that vetoes a run which writes too few rows, too many, or too many more or less than the last one'),
        ('hook_scan_source', 'A hook that vetoes a run in which values look personal that the profile lets through'),
        ('begin_run', 'Begins a run of a script in this session; returns its id'),
        ('track', 'Counts a value before and after masking, commits to both, returns the masked one'),
        ('end_run', 'Ends the run of a script: match or differs'),
        ('fail_run', 'Ends the run of a script as failed'),
        ('shred_run_key', 'Destroys the key of a run, so that nobody can open its commitments'),
        ('lineage_report', 'What became of masked columns, and whether the ledger bears it out, as a page'),
        ('issue_lineage_report', 'A report as lineage_report gives it, with its digest on record'),
        ('issue_openlineage', 'An event as export_openlineage gives it, with its digest on record'),
        ('export_openlineage', 'The end of a run as an OpenLineage event'),
        ('verify_lineage_rows', 'Which rows of the target are not as a run left them, where it kept that'),
        ('verify_lineage_row', 'Whether a row of the target was made of a given value; on record'),
        ('_run_chance', 'Chance that a drawn number is one certain original'),
        ('_run_mac', 'Hashes a value for those who hold a table against a run'),
        ('verify_lineage_data', 'Holds a column of the target against what a run committed to'),
        ('_run_mask', 'Mask of the run in progress, by number'),
        ('_run_scan', 'Shows a row to the scan of the run in progress for what gives it away'),
        ('_run_track', 'Shows a row to the trackers of the run in progress'),
        ('create_masked_views', 'Makes masked views of the tables of a profile, or makes them anew'),
        ('refresh_masked_views', 'Makes masked views anew by the newest versions of their profiles'),
        ('drop_masked_views', 'Drops masked views'),
        ('_follow_views', 'Keeps the list of masked views right when they are renamed, moved or dropped'),
        ('_mask_row', 'Masked value of a column of a row, for who may read it in a masked view'),
        ('mask_replication', 'Has what subscriptions bring to the tables of a profile masked before it is stored'),
        ('unmask_replication', 'Has what subscriptions bring to tables masked no longer; returns their names'),
        ('lint_replication', 'What is wrong with the masking of what subscriptions bring'),
        ('_mask_replicated', 'Masks rows that a subscription brings, before they are stored'),
        ('_follow_replication', 'Refuses commands that would let a subscription bring rows unmasked'),
        ('_mask_value', 'Masked value of a value, for the owners of materialized masked views'),
        ('load_rules', 'Checks a document of rules of law and has it in use from now on, on record'),
        ('rules_in_use', 'The documents of rules of law in use, with their versions'),
        ('compliance_matrix', 'Requirements of laws on a day, with their controls and what shows that these are in place'),
        ('compliance_gaps', 'What is missing for requirements of laws, the dearest first, with what closes it'),
        ('compliance_conflicts', 'Where laws pull apart, what their rule makes of it, and what must be decided'),
        ('compliance_minimum', 'The cheapest controls that cover every requirement, and what a jurisdiction more adds'),
        ('incident_deadlines', 'When authorities and individuals must be told of a declared incident, under every law'),
        ('decide_conflict', 'Decides a conflict between laws until a day, on record'),
        ('_decision_guard', 'Refuses every change of a decision on a conflict'),
        ('_version_guard', 'Refuses every change of a version of a fact of the controller, or of rules'),
        ('lint_access', 'Ways by which a role can still reach values that are masked'),
        ('load_controller', 'Takes what the controller declares, as one document; on record'),
        ('export_controller', 'What the controller declares, as a document that load_controller takes'),
        ('suggest_controller', 'Columns that look personal, as a section of a document for load_controller'),
        ('declare_fact', 'Declares one fact of the controller; on record'),
        ('withdraw_fact', 'Ends a fact of the controller; on record'),
        ('retention_overdue', 'Rows that are older than a retention rule of the controller allows'),
        ('compliance_report', 'What a law asks for, field by field, with what is known and what is missing'),
        ('issue_compliance_report', 'A report as compliance_report gives it, with its digest on record'),
        ('compliance_fields', 'The fields of a report, one row each'),
        ('compliance_coverage', 'How many fields of reports are evidenced, declared and missing')
      ) AS c (name, comment) ON c.name OPERATOR(pg_catalog.=) p.proname
     WHERE EXISTS (
         SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e
             ON e.oid OPERATOR(pg_catalog.=) d.refobjid
          WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
            AND d.objid OPERATOR(pg_catalog.=) p.oid
            AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
            AND e.extname OPERATOR(pg_catalog.=) 'confiture')
  LOOP
    EXECUTE pg_catalog.format('COMMENT ON ROUTINE %s IS %L', entry.routine, entry.comment);
  END LOOP;
END
$comments$;

-- Nothing for PUBLIC: masks are an oracle (call one on guesses and compare), the rest is power.
DO $revoke$
DECLARE
  entry record;
BEGIN
  FOR entry IN
    SELECT p.oid::pg_catalog.regprocedure AS routine
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) p.oid
       AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
       AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
      JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
     WHERE e.extname OPERATOR(pg_catalog.=) 'confiture'
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', entry.routine);
  END LOOP;
END
$revoke$;
-- But for what masked views call: a view's functions run with the rights of its reader. It takes no
-- value, and asks by itself who may have the answer; without USAGE on the schema nobody names it.
GRANT EXECUTE ON FUNCTION confiture._mask_row(integer, integer, oid, tid, anyelement) TO PUBLIC;
REVOKE ALL ON SCHEMA confiture FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA confiture FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA confiture FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('confiture.dp_budget', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.dp_budget_share', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.dp_dataset', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.dp_tally', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.installation', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.key', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.key_version', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.key_verifier', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.shared_key', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.shared_key_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.ledger_head', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.lineage', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.run_key', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.lineage_row_chunk', '');
-- Without its count, which pg_dump reads at another moment: the next record counts on from the last.
SELECT pg_catalog.pg_extension_config_dump('confiture.journal', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.profile', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.profile_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.target_table', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.hook', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.masked_in_place', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.watched', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.watched_column', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.token_domain', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.token_subject', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.token', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.token_access', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.masked_view', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.masked_view_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.masked_column', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.replicated_table', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.replicated_table_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.replicated_column', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.rules_document', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.conflict_decision', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.conflict_decision_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.controller_fact', '');
SELECT pg_catalog.pg_extension_config_dump('confiture.controller_fact_number_seq', '');

SELECT confiture._script_path(false);
DROP FUNCTION confiture._script_path(boolean);
