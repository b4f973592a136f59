-- replication: which tables have what a subscription brings masked before it is stored.

SELECT confiture._script_path(true);

-- A trigger names its table here by number: numbers are never used again.
CREATE TABLE confiture.replicated_table (
  id integer GENERATED ALWAYS AS IDENTITY,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  profile_name text NOT NULL,
  profile_version text NOT NULL,
  profile_hash bytea NOT NULL,
  key_name text,
  key_version integer,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL,
  CONSTRAINT replicated_table_pkey PRIMARY KEY (id),
  CONSTRAINT replicated_table_schema_name_table_name_key UNIQUE (schema_name, table_name),
  CONSTRAINT replicated_table_key_version_check CHECK ((key_name IS NULL) = (key_version IS NULL))
);
COMMENT ON TABLE confiture.replicated_table IS 'Tables in which rows that a subscription brings are masked, by which profile and key; written by mask_replication';

CREATE TABLE confiture.replicated_column (
  table_id integer NOT NULL,
  number integer NOT NULL,
  column_name text NOT NULL,
  column_type text NOT NULL,
  decision text NOT NULL,
  expression text,
  inputs text[] NOT NULL DEFAULT '{}',
  mask_number integer,
  value_type text,
  salt_name text,
  salt_version integer,
  CONSTRAINT replicated_column_pkey PRIMARY KEY (table_id, number),
  CONSTRAINT replicated_column_decision_check
    CHECK (decision IN ('copied', 'excluded', 'generated', 'masked', 'preserved')),
  CONSTRAINT replicated_column_mask_number_check CHECK ((mask_number IS NULL) = (value_type IS NULL))
);
COMMENT ON TABLE confiture.replicated_column IS 'All columns of the tables in replicated_table, and what is stored in each; written by mask_replication';
COMMENT ON COLUMN confiture.replicated_column.expression IS 'What is stored, as an expression over the row that arrives';
COMMENT ON COLUMN confiture.replicated_column.inputs IS 'Other columns that the expression reads';

CREATE VIEW confiture.masked_replication AS
  SELECT t.schema_name, t.table_name, t.profile_name, t.profile_version, t.key_name, t.key_version,
         coalesce(c.columns, '{}') AS masked_columns, t.made_at, t.made_by
    FROM ONLY confiture.replicated_table t
    LEFT JOIN (SELECT table_id, pg_catalog.array_agg(column_name ORDER BY number) AS columns
                 FROM ONLY confiture.replicated_column WHERE decision = 'masked'
                GROUP BY table_id) c ON c.table_id = t.id;
COMMENT ON VIEW confiture.masked_replication IS 'Tables in which rows that a subscription brings are masked, and by which profile and key';

-- Asleep until something is masked: one look at an empty table.
CREATE EVENT TRIGGER confiture_follow_replication ON ddl_command_end
  WHEN TAG IN ('ALTER SUBSCRIPTION', 'ALTER TABLE', 'ALTER TRIGGER', 'CREATE SUBSCRIPTION', 'CREATE TABLE',
               'CREATE TRIGGER', 'DROP TRIGGER')
  EXECUTE FUNCTION confiture._follow_replication();
ALTER EVENT TRIGGER confiture_follow_replication ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_follow_replication IS 'Refuses commands that would let a subscription bring rows unmasked';

SELECT confiture._script_path(false);
