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
  -- Two tables may have changed their names before both marks follow.
  CONSTRAINT masked_in_place_pkey PRIMARY KEY (schema_name, table_name) DEFERRABLE
);
COMMENT ON TABLE confiture.masked_in_place IS 'Tables and partitions that mask_in_place has rewritten: it refuses them from then on';

-- Numbers only: a restored view is filled anew, from what is masked.
CREATE TABLE confiture.unrefreshed_view (
  relation oid NOT NULL,
  is_certain boolean NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT unrefreshed_view_pkey PRIMARY KEY (relation)
);
COMMENT ON TABLE confiture.unrefreshed_view IS 'Materialized views that were filled before tables were masked, and not refreshed since; in no dump';
COMMENT ON COLUMN confiture.unrefreshed_view.is_certain IS 'Whether it reads a masked table; else it calls functions, which may';

-- A mark goes with its table, whoever renames or moves it: without it the masked would be masked
-- again. It ends with the table. A table that a run made is forgotten when it is dropped or renamed,
-- so that a stranger which takes its name is not taken for it. No tags: types, extensions, servers and
-- roles take tables along as well, and the server lets several commands rename a table.
CREATE EVENT TRIGGER confiture_follow_start ON ddl_command_start
  EXECUTE FUNCTION confiture._follow_tables();
CREATE EVENT TRIGGER confiture_follow_end ON ddl_command_end
  EXECUTE FUNCTION confiture._follow_tables();
ALTER EVENT TRIGGER confiture_follow_start ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_follow_end ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_follow_start IS 'Gives tables that a restore has put on the lists of runs their numbers, before they get other names';
COMMENT ON EVENT TRIGGER confiture_follow_end IS 'Keeps the lists of tables that runs made or masked as the tables are';

SELECT confiture._script_path(false);
