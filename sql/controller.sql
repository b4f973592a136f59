-- controller: what no database knows of itself, as its controller declares it.

SELECT confiture._script_path(true);

-- A row is never changed: what holds on a day is the row that begins last, on it or before; of those that
-- begin on one day, that of the highest number. A row without fields ends the fact.
CREATE TABLE confiture.controller_fact (
  number bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  id text NOT NULL,
  fields jsonb,
  valid_from date NOT NULL,
  valid_to date,
  source_doc text,
  entered_by text NOT NULL,
  entered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT controller_fact_pkey PRIMARY KEY (number),
  CONSTRAINT controller_fact_valid_to_check CHECK (valid_to > valid_from)
);
CREATE INDEX controller_fact_kind_id_idx ON confiture.controller_fact (kind, id, number);
COMMENT ON TABLE confiture.controller_fact IS 'What the controller declares, version by version: each version has its first day, its author and its source';
COMMENT ON COLUMN confiture.controller_fact.fields IS 'The fields of the kind; NULL where the fact ends';

CREATE TRIGGER controller_fact_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON confiture.controller_fact
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._version_guard();
ALTER TABLE confiture.controller_fact ENABLE ALWAYS TRIGGER controller_fact_append_only;

CREATE VIEW confiture.controller_facts AS
  SELECT f.kind, f.id, f.fields, f.valid_from, f.valid_to, f.source_doc, f.entered_by, f.entered_at
    FROM (SELECT DISTINCT ON (v.kind COLLATE "C", v.id COLLATE "C") v.*
            FROM ONLY confiture.controller_fact v
           WHERE v.valid_from <= (pg_catalog.statement_timestamp() AT TIME ZONE 'UTC')::date
           ORDER BY v.kind COLLATE "C", v.id COLLATE "C", v.valid_from DESC, v.number DESC) f
   WHERE f.fields IS NOT NULL
     AND (f.valid_to IS NULL
          OR f.valid_to > (pg_catalog.statement_timestamp() AT TIME ZONE 'UTC')::date);
COMMENT ON VIEW confiture.controller_facts IS 'What the controller declares, as it holds today';

SELECT confiture._script_path(false);
