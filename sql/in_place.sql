-- in place: tables that were masked where they stand, so that no second run masks what is masked.

SELECT confiture._script_path(true);

CREATE TABLE confiture.masked_in_place (
  schema_name text NOT NULL,
  table_name text NOT NULL,
  columns text[] NOT NULL,
  run_id uuid NOT NULL,
  profile_name text NOT NULL,
  profile_version text NOT NULL,
  profile_hash bytea NOT NULL,
  masked_by text NOT NULL,
  masked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  derived jsonb NOT NULL,
  CONSTRAINT masked_in_place_pkey PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE confiture.masked_in_place IS 'Tables and partitions that mask_in_place has rewritten: it refuses them from then on';
COMMENT ON COLUMN confiture.masked_in_place.derived IS 'Materialized views over the table, each with the number of the file it had then: the same file holds what it held';

-- The mark goes with a table that is renamed or moved, whoever does that: without it the masked
-- would be masked again. It ends with the table, so that a new one of its name begins without. The
-- server lets several commands rename a table.
CREATE EVENT TRIGGER confiture_follow_masked ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER INDEX', 'ALTER VIEW', 'ALTER SEQUENCE',
               'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'DROP TABLE', 'DROP SCHEMA',
               'DROP OWNED')
  EXECUTE FUNCTION confiture._follow_masked();
ALTER EVENT TRIGGER confiture_follow_masked ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_follow_masked IS 'Keeps the marks of masked tables with them when they are renamed, moved or dropped';

SELECT confiture._script_path(false);
