-- lineage: what became of each masked column in each run, append-only and chained.

SELECT confiture._script_path(true);

CREATE TABLE confiture.lineage (
  seq bigint PRIMARY KEY,
  log_id uuid NOT NULL,
  run_id uuid NOT NULL,
  origin text NOT NULL,
  "timestamp" timestamptz NOT NULL,
  source_schema text NOT NULL,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  column_name text NOT NULL,
  rows_seen bigint NOT NULL,
  rows_changed bigint,
  rows_unchanged bigint,
  nulls bigint,
  original_hash bytea,
  anonymized_hash bytea,
  commitment text NOT NULL,
  row_binding text NOT NULL,
  strategy text NOT NULL,
  strategy_version integer NOT NULL,
  strategy_params_hash bytea NOT NULL,
  reversible boolean NOT NULL,
  run_key_id uuid,
  key_name text NOT NULL,
  key_version integer NOT NULL,
  canon_version smallint NOT NULL,
  previous_entry_hash bytea NOT NULL,
  entry_hash bytea NOT NULL,
  signature bytea NOT NULL,
  CONSTRAINT lineage_seq_check CHECK (seq > 0),
  CONSTRAINT lineage_previous_entry_hash_key UNIQUE (previous_entry_hash),
  CONSTRAINT lineage_entry_hash_key UNIQUE (entry_hash)
);
CREATE INDEX lineage_run_id_idx ON confiture.lineage (run_id);
CREATE INDEX lineage_column_idx ON confiture.lineage (schema_name, table_name, column_name);
COMMENT ON TABLE confiture.lineage IS 'What became of each masked column in each run: append-only, chained and signed';
COMMENT ON COLUMN confiture.lineage.original_hash IS 'Keyed commitment to the values as they were; nobody without the key of the run learns anything from it';
COMMENT ON COLUMN confiture.lineage.anonymized_hash IS 'Keyed commitment to the values as stored in the target';

-- ENABLE ALWAYS: session_replication_role = replica skips other triggers.
CREATE TRIGGER lineage_append_only_row BEFORE UPDATE OR DELETE ON confiture.lineage
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_append_only_statement BEFORE UPDATE OR DELETE ON confiture.lineage
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_append_only_truncate BEFORE TRUNCATE ON confiture.lineage
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
ALTER TABLE confiture.lineage ENABLE ALWAYS TRIGGER lineage_append_only_row;
ALTER TABLE confiture.lineage ENABLE ALWAYS TRIGGER lineage_append_only_statement;
ALTER TABLE confiture.lineage ENABLE ALWAYS TRIGGER lineage_append_only_truncate;

-- Outside the append-only tables, so that it can be destroyed: without it the commitments of its
-- run are random numbers to everybody.
CREATE TABLE confiture.run_key (
  run_id uuid PRIMARY KEY,
  key_name text NOT NULL,
  key_version integer NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE confiture.run_key IS 'Keys of runs, wrapped: they open the commitments of the lineage, until they are destroyed';

-- Only of runs that ask for it. Outside the append-only tables, as the keys of runs: without its key
-- the hashes of a run are random numbers, and go with it.
CREATE TABLE confiture.lineage_row_chunk (
  run_id uuid NOT NULL,
  table_name text NOT NULL,
  column_name text NOT NULL,
  chunk bigint NOT NULL,
  original_macs bytea NOT NULL,
  anonymized_macs bytea NOT NULL,
  PRIMARY KEY (run_id, table_name, column_name, chunk)
);
-- Hashes cannot be compressed, and single ones are read.
ALTER TABLE confiture.lineage_row_chunk ALTER COLUMN original_macs SET STORAGE EXTERNAL;
ALTER TABLE confiture.lineage_row_chunk ALTER COLUMN anonymized_macs SET STORAGE EXTERNAL;
COMMENT ON TABLE confiture.lineage_row_chunk IS 'Keyed hashes of single values, before and after, of runs with the option lineage_rows; 32 bytes each, 4096 rows to a chunk';
COMMENT ON COLUMN confiture.lineage_row_chunk.original_macs IS 'Of the values as they were';
COMMENT ON COLUMN confiture.lineage_row_chunk.anonymized_macs IS 'Of the values as stored in the target, in the same order';

CREATE FUNCTION confiture.verify_lineage_integrity()
  RETURNS TABLE (check_code text, status text, chain text, seq_from bigint, seq_to bigint, detail text)
  LANGUAGE sql STABLE PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $$
  SELECT v.check_code, v.status, v.chain, v.seq_from, v.seq_to, v.detail
    FROM confiture.verify_ledger() v
   WHERE v.chain = 'lineage' OR v.check_code IN ('OK', 'E10')
$$;
COMMENT ON FUNCTION confiture.verify_lineage_integrity() IS 'What verify_ledger says of the lineage, one row per finding';

CREATE VIEW confiture.lineage_columns AS
  SELECT l.seq, l.run_id, l.origin, l."timestamp", l.source_schema, l.schema_name, l.table_name,
         l.column_name, l.strategy, l.strategy_version, l.rows_seen, l.rows_changed,
         l.rows_unchanged, l.nulls, l.reversible,
         CASE WHEN l.commitment = 'none' THEN 'none'
              WHEN EXISTS (SELECT FROM ONLY confiture.run_key k WHERE k.run_id = l.run_key_id)
              THEN 'verifiable' ELSE 'shredded' END AS commitment_state
    FROM ONLY confiture.lineage l;
COMMENT ON VIEW confiture.lineage_columns IS 'The lineage without its hashes';

-- Which entry of the audit log signs a step is said by its range, whatever the event's word.
CREATE FUNCTION confiture.lineage_history(schema_name text DEFAULT NULL, table_name text DEFAULT NULL)
  RETURNS TABLE (seq bigint, run_id uuid, finished_at timestamptz, who text, profile text,
                 profile_version text, source_schema text, target_schema text, target_table text,
                 target_column text, strategy text, strategy_version integer, rows_seen bigint,
                 rows_changed bigint, rows_unchanged bigint, nulls bigint, reversible boolean,
                 commitment_state text, origin text)
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.seq, l.run_id, e."timestamp", e.user_name, e.profile_name, e.profile_version,
         l.source_schema, l.schema_name, l.table_name, l.column_name, l.strategy,
         l.strategy_version, l.rows_seen, l.rows_changed, l.rows_unchanged, l.nulls, l.reversible,
         l.commitment_state, l.origin
    FROM confiture.lineage_columns l
    LEFT JOIN ONLY confiture.audit_log e
      ON e.run_id = l.run_id AND l.seq BETWEEN e.lineage_first AND e.lineage_last
   WHERE (lineage_history.schema_name IS NULL OR l.schema_name = lineage_history.schema_name)
     AND (lineage_history.table_name IS NULL OR l.table_name = lineage_history.table_name)
   ORDER BY coalesce(e.lineage_first, l.seq) DESC, l.seq
$$;
COMMENT ON FUNCTION confiture.lineage_history(text, text) IS 'What happened to each masked column run by run, newest first';

SELECT confiture._script_path(false);
