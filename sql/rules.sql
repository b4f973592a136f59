-- rules: documents of law as data, and what was decided where laws pull apart.

SELECT confiture._script_path(true);

CREATE TABLE confiture.rules_document (
  name text NOT NULL,
  version text NOT NULL,
  title text NOT NULL,
  document text NOT NULL,
  document_hash bytea NOT NULL,
  loaded_by text NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT rules_document_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE confiture.rules_document IS 'Documents of rules that were loaded, every version of them; those compiled in are not here';

CREATE TRIGGER rules_document_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON confiture.rules_document
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._version_guard();
ALTER TABLE confiture.rules_document ENABLE ALWAYS TRIGGER rules_document_append_only;

-- Decisions are added and never changed: the newest of a scope counts, until it expires.
CREATE TABLE confiture.conflict_decision (
  id bigint GENERATED ALWAYS AS IDENTITY,
  conflict text NOT NULL,
  scope text NOT NULL,
  decision text NOT NULL,
  legal_basis text NOT NULL,
  expires date NOT NULL,
  rules_version text NOT NULL,
  decided_by text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT conflict_decision_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE confiture.conflict_decision IS 'Decisions on conflicts between laws, each with its legal basis and its last day';

CREATE TRIGGER conflict_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON confiture.conflict_decision
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._decision_guard();
ALTER TABLE confiture.conflict_decision ENABLE ALWAYS TRIGGER conflict_decision_append_only;

SELECT confiture._script_path(false);
