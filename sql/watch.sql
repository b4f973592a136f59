-- watch: columns that come or change in the tables of a watched profile.

SELECT confiture._script_path(true);

CREATE TABLE confiture.watched (
  profile_name text NOT NULL,
  schema_name text NOT NULL,
  mode text NOT NULL,
  watched_by text NOT NULL,
  watched_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT watched_pkey PRIMARY KEY (schema_name, profile_name),
  CONSTRAINT watched_mode_check CHECK (mode IN ('mark', 'enforce'))
);
COMMENT ON TABLE confiture.watched IS 'Profiles whose tables are watched for new columns, each with a schema';

CREATE TABLE confiture.watched_column (
  profile_name text NOT NULL,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  column_name text NOT NULL,
  column_type text NOT NULL,
  event text NOT NULL,
  noticed_by text NOT NULL,
  noticed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  is_gone boolean NOT NULL DEFAULT false,
  CONSTRAINT watched_column_pkey PRIMARY KEY (schema_name, table_name, column_name, profile_name),
  CONSTRAINT watched_column_event_check CHECK (event IN ('present', 'added', 'type altered'))
);
COMMENT ON TABLE confiture.watched_column IS 'Columns of watched tables as they are known, each with what was last seen of it';
COMMENT ON COLUMN confiture.watched_column.is_gone IS 'Whether it is not there now; what comes back under its name is held against what it was';

-- The newest version that is in use decides, as for a run. A changed type asks for a version that
-- was loaded after the change.
CREATE VIEW confiture.undecided_column AS
  SELECT c.profile_name, c.schema_name, c.table_name, c.column_name, c.column_type, c.event,
         c.noticed_by, c.noticed_at AS since, w.mode
    FROM confiture.watched_column c
    JOIN confiture.watched w ON w.schema_name = c.schema_name AND w.profile_name = c.profile_name
   WHERE NOT c.is_gone AND NOT EXISTS (
     SELECT FROM confiture.profile p
      CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(p.canonical -> 'tables') AS t (body)
      CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(
        coalesce(t.body -> 'rules', '[]') || coalesce(t.body -> 'preserve', '[]')
        || coalesce(t.body -> 'exclude', '[]')) AS d (said)
      WHERE p.id = (SELECT n.id FROM confiture.profile n
                     WHERE n.name = c.profile_name AND n.retired_at IS NULL
                     ORDER BY n.loaded_at DESC, n.id DESC LIMIT 1)
        AND t.body ->> 'table' = c.table_name
        AND coalesce(t.body ->> 'schema', c.schema_name) = c.schema_name
        AND d.said ->> 'column' IN (c.column_name, '*')
        AND (c.event <> 'type altered' OR p.loaded_at > c.noticed_at));
COMMENT ON VIEW confiture.undecided_column IS 'Columns of watched tables that the newest version of the profile says nothing about';

-- Asleep until something is watched: one look at an empty table. No tags: types, extensions and
-- parents change columns too, and the server lets several commands rename a table.
CREATE EVENT TRIGGER confiture_watch_columns ON ddl_command_end
  EXECUTE FUNCTION confiture._watch_columns();
ALTER EVENT TRIGGER confiture_watch_columns ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_watch_columns IS 'Marks new columns of watched tables as undecided, or refuses them';

SELECT confiture._script_path(false);
