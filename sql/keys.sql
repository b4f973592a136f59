-- keys: wrapped data keys and what they are bound to.

SELECT confiture._script_path(true);

CREATE TABLE confiture.installation (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  is_single boolean NOT NULL DEFAULT true,
  CONSTRAINT installation_is_single_key UNIQUE (is_single),
  CONSTRAINT installation_is_single_check CHECK (is_single)
);
COMMENT ON TABLE confiture.installation IS 'The id this installation was given on first use; wrapped keys are bound to it';

CREATE TABLE confiture.key (
  name text PRIMARY KEY,
  purpose text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL,
  CONSTRAINT key_purpose_key UNIQUE (purpose)
);
COMMENT ON TABLE confiture.key IS 'Keys by name; their versions hold the wrapped bytes';

CREATE TABLE confiture.key_version (
  key_name text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  provider text NOT NULL,
  kek_ref text NOT NULL,
  kek_version text,
  alg text NOT NULL,
  wrapped bytea,
  binding_mac bytea,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL,
  wrapped_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  retired_at timestamptz,
  destroyed_at timestamptz,
  CONSTRAINT key_version_pkey PRIMARY KEY (key_name, version),
  -- No foreign key to confiture.key: a parallel restore loads extension tables in any order.
  CONSTRAINT key_version_version_check CHECK (version > 0),
  CONSTRAINT key_version_state_check CHECK (state IN ('active', 'decrypt_only', 'destroyed')),
  CONSTRAINT key_version_wrapped_check CHECK ((state = 'destroyed') = (wrapped IS NULL)),
  CONSTRAINT key_version_binding_mac_check CHECK ((state = 'destroyed') = (binding_mac IS NULL))
);
CREATE UNIQUE INDEX key_version_active_idx ON confiture.key_version (key_name) WHERE state = 'active';
COMMENT ON TABLE confiture.key_version IS 'Data keys, wrapped by a provider and bound to their row';

-- What verifies ledger entries signed by a version that was destroyed. It can do nothing else.
CREATE TABLE confiture.key_verifier (
  key_name text NOT NULL,
  version integer NOT NULL,
  provider text NOT NULL,
  kek_ref text NOT NULL,
  kek_version text,
  alg text NOT NULL,
  wrapped bytea NOT NULL,
  binding_mac bytea NOT NULL,
  anchor_key bytea NOT NULL,
  anchor_key_mac bytea NOT NULL,
  wrapped_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT key_verifier_pkey PRIMARY KEY (key_name, version),
  CONSTRAINT key_verifier_anchor_key_check CHECK (pg_catalog.octet_length(anchor_key) = 32)
);
COMMENT ON TABLE confiture.key_verifier IS 'What is kept of destroyed key versions: the subkey that verifies ledger entries they signed';
COMMENT ON COLUMN confiture.key_verifier.anchor_key IS 'The public key that verifies anchors they signed, bound by anchor_key_mac';

-- Read after the commit that put the act on record. Wrapped for the recipient: nobody else opens it.
CREATE TABLE confiture.shared_key (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key_name text NOT NULL,
  version integer NOT NULL,
  recipient uuid NOT NULL,
  shared jsonb,
  shared_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  shared_by text NOT NULL
);
COMMENT ON TABLE confiture.shared_key IS 'Keys wrapped for other installations; emptied when the version is destroyed';

SELECT confiture._script_path(false);
