-- profile: immutable versions of checked documents.

SELECT confiture._script_path(true);

CREATE TABLE confiture.profile (
  id bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  version text NOT NULL,
  profile_hash bytea NOT NULL,
  canonical jsonb NOT NULL,
  document text NOT NULL,
  tables text[] NOT NULL,
  key_name text,
  key_version integer,
  loaded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  loaded_by text NOT NULL,
  retired_at timestamptz,
  retired_by text,
  CONSTRAINT profile_pkey PRIMARY KEY (name, version),
  CONSTRAINT profile_key_version_check CHECK ((key_name IS NULL) = (key_version IS NULL))
);
COMMENT ON COLUMN confiture.profile.key_version IS 'Version of the masking key that every run of this profile version uses: the active one when it was loaded';
COMMENT ON TABLE confiture.profile IS 'Loaded profiles, as written and in canonical form; a literal seed in a document makes it confidential';

CREATE VIEW confiture.profiles AS
  SELECT name, version, CASE WHEN retired_at IS NULL THEN 'active' ELSE 'retired' END AS state,
         profile_hash, tables, key_name, key_version, loaded_at, loaded_by, retired_at, retired_by
    FROM confiture.profile;
COMMENT ON VIEW confiture.profiles IS 'Loaded profiles, without their documents';

SELECT confiture._script_path(false);
