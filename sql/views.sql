-- views: which views mask what, and of whose rows.

SELECT confiture._script_path(true);

-- A view names its row here by number: numbers are never used again, so that the text of a view that
-- was forgotten means nothing.
CREATE TABLE confiture.masked_view (
  id integer GENERATED ALWAYS AS IDENTITY,
  schema_name text NOT NULL,
  view_name text NOT NULL,
  source_schema text NOT NULL,
  source_table text NOT NULL,
  is_materialized boolean NOT NULL,
  carries_grants boolean NOT NULL,
  profile_name text NOT NULL,
  profile_version text NOT NULL,
  profile_hash bytea NOT NULL,
  key_name text,
  key_version integer,
  definition text NOT NULL,
  carried jsonb NOT NULL DEFAULT '[]',
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL,
  CONSTRAINT masked_view_pkey PRIMARY KEY (id),
  CONSTRAINT masked_view_schema_name_view_name_key UNIQUE (schema_name, view_name),
  CONSTRAINT masked_view_key_version_check CHECK ((key_name IS NULL) = (key_version IS NULL))
);
COMMENT ON TABLE confiture.masked_view IS 'Masked views: their source, and the profile and key they mask by; written by create_masked_views';
COMMENT ON COLUMN confiture.masked_view.carried IS 'Rights to read that the view has from its table: gone from there, they are taken from the view';

CREATE TABLE confiture.masked_column (
  view_id integer NOT NULL,
  number integer NOT NULL,
  column_name text NOT NULL,
  strategy text NOT NULL,
  salt_name text,
  salt_version integer,
  CONSTRAINT masked_column_pkey PRIMARY KEY (view_id, number)
);
COMMENT ON TABLE confiture.masked_column IS 'Masked columns of masked views: which values _mask_row and _mask_value may be asked for';

CREATE VIEW confiture.masked_views AS
  SELECT v.schema_name, v.view_name, v.source_schema, v.source_table, v.is_materialized,
         v.profile_name, v.profile_version, v.key_name, v.key_version,
         coalesce(c.columns, '{}') AS masked_columns, v.made_at, v.made_by
    FROM ONLY confiture.masked_view v
    LEFT JOIN (SELECT view_id, pg_catalog.array_agg(column_name ORDER BY number) AS columns
                 FROM ONLY confiture.masked_column GROUP BY view_id) c ON c.view_id = v.id;
COMMENT ON VIEW confiture.masked_views IS 'Masked views, what they mask and by which profile and key';

-- A view that is renamed or moved stays what it is, and one that is dropped is forgotten, whoever does
-- that and by whatever command. The server lets several commands rename a view.
CREATE EVENT TRIGGER confiture_follow_views ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER INDEX', 'ALTER VIEW', 'ALTER SEQUENCE',
               'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE')
  EXECUTE FUNCTION confiture._follow_views();
ALTER EVENT TRIGGER confiture_follow_views ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_follow_views IS 'Keeps the list of masked views right when they are renamed or moved';

CREATE EVENT TRIGGER confiture_forget_views ON sql_drop
  EXECUTE FUNCTION confiture._follow_views();
ALTER EVENT TRIGGER confiture_forget_views ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_forget_views IS 'Takes dropped views off the list of masked views';

SELECT confiture._script_path(false);
