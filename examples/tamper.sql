-- A superuser edits an entry of the audit log, with every guard off, and puts the guards back as
-- they were. The verification names the entry all the same.
--
--   psql -d DATABASE -f examples/tamper.sql
--
-- Only for a database that may be spoiled: the log cannot be repaired afterwards.
\set ON_ERROR_STOP on
\pset footer off

\echo 'Before:'
SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger();

-- Commands that change the tables of the ledger are refused, to a superuser as well ...
\set ON_ERROR_STOP off
ALTER TABLE confiture.audit_log DISABLE TRIGGER USER;
\set ON_ERROR_STOP on
-- ... until the event triggers are off. disarm() would do that too, and put it on record.
ALTER EVENT TRIGGER confiture_definition_start DISABLE;
ALTER EVENT TRIGGER confiture_definition_end DISABLE;
ALTER EVENT TRIGGER confiture_definition_drop DISABLE;
ALTER EVENT TRIGGER confiture_definition_rewrite DISABLE;
ALTER TABLE confiture.audit_log DISABLE TRIGGER USER;

UPDATE confiture.audit_log SET user_name = 'somebody_else' WHERE seq = 2;

ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_insert;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_row;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_statement;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_truncate;
ALTER EVENT TRIGGER confiture_definition_start ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_end ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_rewrite ENABLE ALWAYS;

\echo 'After:'
SELECT check_code, status, seq_from, seq_to, detail FROM confiture.verify_ledger();
