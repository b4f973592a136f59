-- sync: what runs made, and what they did.

CREATE TABLE confiture.target_table (
  schema_name text NOT NULL,
  table_name text NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT target_table_pkey PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE confiture.target_table IS 'Tables that runs made or took over: only those are emptied by a run';

-- A table that was dropped or renamed is forgotten, so that a stranger which takes its name is not
-- taken for it.
CREATE FUNCTION confiture._forget_gone() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM confiture.target_table t
   WHERE NOT EXISTS (
     SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = t.schema_name AND c.relname = t.table_name);
END
$$;
COMMENT ON FUNCTION confiture._forget_gone() IS 'Takes dropped and renamed tables off the list of those that runs made';

CREATE EVENT TRIGGER confiture_forget_dropped ON sql_drop
  WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED')
  EXECUTE FUNCTION confiture._forget_gone();
ALTER EVENT TRIGGER confiture_forget_dropped ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_forget_dropped IS 'Takes dropped tables off the list of those that runs made';

-- The server lets several commands rename a table.
CREATE EVENT TRIGGER confiture_forget_renamed ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER INDEX', 'ALTER VIEW', 'ALTER SEQUENCE',
               'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE')
  EXECUTE FUNCTION confiture._forget_gone();
ALTER EVENT TRIGGER confiture_forget_renamed ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_forget_renamed IS 'Takes renamed tables off the list of those that runs made';

CREATE VIEW confiture.run_report AS
  SELECT e.run_id, e.profile_name, e.profile_version, e.source_schema, e.target_schema,
         s."timestamp" AS started_at, e."timestamp" AS finished_at,
         r.key AS table_name, r.value::bigint AS rows,
         pg_catalog.round((e.details -> 'milliseconds' ->> r.key)::numeric / 1000, 3) AS seconds,
         pg_catalog.round(r.value::numeric * 1000
           / nullif((e.details -> 'milliseconds' ->> r.key)::numeric, 0)) AS rows_per_second
    FROM ONLY confiture.audit_log e
    CROSS JOIN LATERAL pg_catalog.jsonb_each_text(e.rows_anonymized) r
    LEFT JOIN ONLY confiture.audit_log s ON s.run_id = e.run_id AND s.event = 'STARTED'
   WHERE e.event = 'COMPLETED'
   ORDER BY e.seq DESC, r.key;
COMMENT ON VIEW confiture.run_report IS 'Completed runs by table, newest first';

CREATE VIEW confiture.verification AS
  SELECT e.run_id, e.seq, e.event, e.profile_name, e.target_schema,
         c.number::integer AS number,
         -- Runs of before this was written had passed every check that is on record.
         coalesce((c.entry ->> 'passed')::boolean, e.verification_passed) AS passed,
         c.entry ->> 'check' AS check_name, c.entry ->> 'table' AS table_name,
         c.entry ->> 'column' AS column_name,
         c.entry - ARRAY['passed', 'check', 'table', 'column'] AS numbers
    FROM ONLY confiture.audit_log e
    CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(e.verification_report)
               WITH ORDINALITY AS c (entry, number)
   WHERE e.event IN ('COMPLETED', 'FAILED') AND pg_catalog.jsonb_typeof(e.verification_report) = 'array'
   ORDER BY e.seq DESC, c.number;
COMMENT ON VIEW confiture.verification IS 'The checks of runs, newest first, with what they found';
