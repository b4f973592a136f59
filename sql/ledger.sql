-- ledger: the audit log, append-only and chained.

SELECT confiture._script_path(true);

CREATE TABLE confiture.ledger_head (
  chain text PRIMARY KEY,
  log_id uuid NOT NULL,
  seq bigint NOT NULL,
  entry_hash bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT ledger_head_seq_check CHECK (seq >= 0)
);
COMMENT ON TABLE confiture.ledger_head IS 'Last entry of each chain: a lock and a cache, never trusted by verification alone';

CREATE TABLE confiture.audit_log (
  seq bigint PRIMARY KEY,
  id uuid NOT NULL,
  log_id uuid NOT NULL,
  event text NOT NULL,
  origin text NOT NULL,
  "timestamp" timestamptz NOT NULL,
  user_name text NOT NULL,
  session_user_name text NOT NULL,
  hostname text NOT NULL,
  application_name text NOT NULL,
  system_user_name text,
  backend_pid integer NOT NULL,
  backend_start timestamptz NOT NULL,
  transaction_id bigint NOT NULL,
  system_identifier bigint NOT NULL,
  timeline_id integer NOT NULL,
  server_version integer NOT NULL,
  extension_version text NOT NULL,
  source_database text NOT NULL,
  target_database text NOT NULL,
  run_id uuid,
  source_schema text,
  target_schema text,
  profile_name text,
  profile_version text,
  profile_hash bytea,
  tables_synced text[],
  rows_anonymized jsonb,
  strategies_applied jsonb,
  verification_passed boolean,
  verification_report jsonb,
  details jsonb,
  lineage_first bigint,
  lineage_last bigint,
  lineage_root bytea,
  journal_last bigint NOT NULL,
  journal_root bytea,
  key_name text NOT NULL,
  key_version integer NOT NULL,
  canon_version smallint NOT NULL,
  previous_entry_hash bytea NOT NULL,
  entry_hash bytea NOT NULL,
  signature bytea NOT NULL,
  CONSTRAINT audit_log_seq_check CHECK (seq > 0),
  CONSTRAINT audit_log_id_key UNIQUE (id),
  -- Two entries after the same one, a fork, fail even if the lock on the head is bypassed.
  CONSTRAINT audit_log_previous_entry_hash_key UNIQUE (previous_entry_hash),
  CONSTRAINT audit_log_entry_hash_key UNIQUE (entry_hash)
);
-- The few entries that say what was pruned: every reader asks for the newest.
CREATE INDEX audit_log_pruned_idx ON confiture.audit_log (seq)
  WHERE event OPERATOR(pg_catalog.=) 'PRUNED';
COMMENT ON TABLE confiture.audit_log IS 'What was done, by whom, when and where: append-only, chained and signed';
COMMENT ON COLUMN confiture.audit_log."timestamp" IS 'When the entry was written';
COMMENT ON COLUMN confiture.audit_log.strategies_applied IS 'Strategy and version per table and column';
COMMENT ON COLUMN confiture.audit_log.signature IS 'HMAC-SHA256 of the entry hash under the ledger subkey of key_name, key_version';

-- ENABLE ALWAYS: session_replication_role = replica skips other triggers.
CREATE TRIGGER audit_log_append_only_row BEFORE UPDATE OR DELETE ON confiture.audit_log
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
-- A statement that matches no row is an attempt all the same.
CREATE TRIGGER audit_log_append_only_statement BEFORE UPDATE OR DELETE ON confiture.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER audit_log_append_only_truncate BEFORE TRUNCATE ON confiture.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER ledger_head_append_only_delete BEFORE DELETE ON confiture.ledger_head
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER ledger_head_append_only_truncate BEFORE TRUNCATE ON confiture.ledger_head
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_row;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_statement;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_truncate;
ALTER TABLE confiture.ledger_head ENABLE ALWAYS TRIGGER ledger_head_append_only_delete;
ALTER TABLE confiture.ledger_head ENABLE ALWAYS TRIGGER ledger_head_append_only_truncate;

CREATE EVENT TRIGGER confiture_drop_guard ON ddl_command_start
  WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED')
  EXECUTE FUNCTION confiture._drop_guard();
ALTER EVENT TRIGGER confiture_drop_guard ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_drop_guard IS 'Refuses to drop the extension while its ledger holds entries';

CREATE FUNCTION confiture.get_audit_log("limit" integer DEFAULT 100)
  RETURNS SETOF confiture.audit_log
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
  -- A policy that would hide entries is an error, not a shorter log.
  SET row_security = off
AS $$ SELECT * FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT "limit" $$;
COMMENT ON FUNCTION confiture.get_audit_log(integer) IS 'The newest entries of the audit log, newest first';

CREATE FUNCTION confiture.audit_entry_json(id uuid)
  RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
  -- A policy that would hide entries is an error, not a shorter log.
  SET row_security = off
AS $$
  SELECT jsonb_build_object(
           'id', e.id,
           'timestamp', to_char(e."timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
           'user', e.user_name,
           'session_user', e.session_user_name,
           'hostname', e.hostname,
           'application_name', e.application_name,
           'event', e.event,
           'run_id', e.run_id,
           'source_database', e.source_database,
           'target_database', e.target_database,
           'source_schema', e.source_schema,
           'target_schema', e.target_schema,
           'profile_name', e.profile_name,
           'profile_version', e.profile_version,
           'profile_hash', encode(e.profile_hash, 'hex'),
           'tables_synced', e.tables_synced,
           'rows_anonymized', e.rows_anonymized,
           'strategies_applied', e.strategies_applied,
           'verification_passed', e.verification_passed,
           'verification_report', e.verification_report,
           'details', e.details,
           'lineage', CASE WHEN e.lineage_first IS NOT NULL THEN jsonb_build_object(
              'first', e.lineage_first, 'last', e.lineage_last,
              'root', encode(e.lineage_root, 'hex')) END,
           'seq', e.seq,
           'previous_entry_hash', encode(e.previous_entry_hash, 'hex'),
           'entry_hash', encode(e.entry_hash, 'hex'),
           'key', e.key_name || '/' || e.key_version,
           'signature', encode(e.signature, 'hex'))
    FROM ONLY confiture.audit_log e WHERE e.id = audit_entry_json.id
$$;
COMMENT ON FUNCTION confiture.audit_entry_json(uuid) IS 'One audit entry as JSON';

SELECT confiture._script_path(false);
