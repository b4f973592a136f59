-- vault: spaces of tokens, whose they are, and what they stand for.

SELECT confiture._script_path(true);

CREATE TABLE confiture.token_domain (
  id integer NOT NULL,
  name text PRIMARY KEY,
  format jsonb NOT NULL,
  is_deterministic boolean NOT NULL,
  is_bound boolean NOT NULL,
  ttl interval,
  reveals_per_hour integer,
  key_name text NOT NULL,
  key_version integer NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL,
  CONSTRAINT token_domain_id_key UNIQUE (id),
  CONSTRAINT token_domain_ttl_check CHECK (ttl > interval '0')
);
COMMENT ON TABLE confiture.token_domain IS 'Spaces of tokens, each with a secret of its own, wrapped';

-- Who its tokens are of: without this secret none of them opens, or is found by its value.
CREATE TABLE confiture.token_subject (
  id uuid PRIMARY KEY,
  domain integer NOT NULL,
  handle bytea NOT NULL,
  key_name text NOT NULL,
  key_version integer NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT token_subject_domain_handle_key UNIQUE (domain, handle)
);
COMMENT ON TABLE confiture.token_subject IS 'Subjects of tokens, each with a secret of its own, wrapped; a forgotten one has gone';

-- Neither value nor token: what they are found by, and the value, sealed. Without it, a row of an
-- expired token of digits keeps that token from being drawn for another value.
CREATE TABLE confiture.token (
  domain integer NOT NULL,
  key_version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  expires_at timestamptz,
  subject uuid,
  handle bytea NOT NULL,
  reference bytea NOT NULL,
  salt bytea NOT NULL,
  key_name text NOT NULL,
  payload bytea,
  CONSTRAINT token_pkey PRIMARY KEY (domain, handle),
  CONSTRAINT token_domain_reference_key UNIQUE (domain, reference)
);
CREATE INDEX token_subject_idx ON confiture.token (subject) WHERE subject IS NOT NULL;
CREATE INDEX token_expires_at_idx ON confiture.token (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE confiture.token IS 'What tokens stand for, sealed; found by keyed hashes of value and token';

-- Roles by name, as a dump carries them, and by number: on the server that gave the number, a role
-- of that name that is another one is not meant.
CREATE TABLE confiture.token_access (
  domain text NOT NULL,
  role_name text NOT NULL,
  role_number bigint NOT NULL,
  server_number bigint NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  granted_by text NOT NULL,
  CONSTRAINT token_access_pkey PRIMARY KEY (domain, role_name)
);
COMMENT ON TABLE confiture.token_access IS 'Which roles may have which tokens back; written by grant_access and revoke_access';

CREATE VIEW confiture.vault_domains AS
  SELECT d.name, d.format, d.is_deterministic, d.is_bound, d.ttl, d.reveals_per_hour,
         d.key_name, d.key_version, d.created_at, d.created_by
    FROM ONLY confiture.token_domain d;
COMMENT ON VIEW confiture.vault_domains IS 'Spaces of tokens and what they were made with';

-- Sessions keep what they have read of these between statements, opened keys among it, and learn of
-- every change, also of one made by hand or by a restore. ENABLE ALWAYS: session_replication_role =
-- replica skips other triggers. FOR EACH ROW: what comes by logical replication fires no other ones.
DO $watched$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['installation', 'key', 'key_verifier', 'key_version', 'token_access', 'token_domain'] LOOP
    EXECUTE pg_catalog.format(
      'CREATE TRIGGER %1$s_changed AFTER INSERT OR UPDATE OR DELETE ON confiture.%1$s
         FOR EACH ROW EXECUTE FUNCTION confiture._keys_changed();
       CREATE TRIGGER %1$s_truncated AFTER TRUNCATE ON confiture.%1$s
         FOR EACH STATEMENT EXECUTE FUNCTION confiture._keys_changed();
       ALTER TABLE confiture.%1$s ENABLE ALWAYS TRIGGER %1$s_changed, ENABLE ALWAYS TRIGGER %1$s_truncated', name);
  END LOOP;
END
$watched$;

SELECT confiture._script_path(false);
