-- A life of the masking key: made, used, rotated, wrapped anew, moved to another provider,
-- destroyed; what was masked is looked at before and after each step.
--
--   psql -v to=env -v profile="$(cat profile.yaml)" -f drill.sql
--
-- As a superuser, in an empty database, on a server where two providers are set up: the one that
-- wraps new keys (confiture.key_provider, or confiture.key_file) and the one named by `to`.
-- Stops at the first thing that is not as it should be.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;

\echo '== 1. Create'
CREATE EXTENSION confiture;
SELECT confiture.create_key('masking') AS version;

CREATE SCHEMA prod;
CREATE TABLE prod.people (id integer PRIMARY KEY, email text NOT NULL);
INSERT INTO prod.people SELECT i, 'person' || i || '@mail.example' FROM generate_series(1, 1000) AS i;
SELECT confiture.load_profile(:'profile') AS loaded;

\echo '== 2. Mask'
CALL confiture.sync('drill', source => 'prod', target => 'staging');
CREATE TABLE first_pseudonyms AS SELECT * FROM staging.people;
SELECT count(*) AS rows, count(*) FILTER (WHERE s.email <> p.email) AS masked
  FROM staging.people s JOIN prod.people p USING (id);

-- Raises an error when the two tables differ in the number of rows given.
CREATE FUNCTION pg_temp.differ(a regclass, b regclass, rows bigint, what text) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  found bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s a JOIN %s b USING (id) WHERE a.email <> b.email', a, b)
     INTO found;
  IF found <> rows THEN
    RAISE EXCEPTION '% of 1000 pseudonyms changed', found;
  END IF;
  RETURN what;
END
$$;

\echo '== 3. Rotate the masking key'
SELECT confiture.rotate_key('masking') AS version;
-- Another session notices at its next statement; so does the next statement of this one.
SELECT anon_email('person1@mail.example') <> email AS by_hand_with_the_new_version_differs,
       anon_email('person1@mail.example', key_version => 1) = email AS with_the_old_one_the_same
  FROM first_pseudonyms WHERE id = 1;
CALL confiture.sync('drill', source => 'prod', target => 'staging');
SELECT pg_temp.differ('first_pseudonyms', 'staging.people', 0,
                      'the profile still gives the pseudonyms that it gave before') AS profile;

\echo '== 4. Rotate the key-encryption key'
SELECT provider = 'env' AS env_first FROM confiture.key_status WHERE state = 'active' \gset
\if :env_first
  \echo 'the environment of a server is rotated by restarting it'
\else
  CALL confiture.rotate_kek();
\endif
CALL confiture.rewrap_keys();
SELECT confiture.forget_keys() > 0 AS forgotten;
CALL confiture.sync('drill', source => 'prod', target => 'staging');
SELECT pg_temp.differ('first_pseudonyms', 'staging.people', 0, 'no pseudonym changed') AS rewrapped;

\echo '== 5. Move every key to the other provider'
CALL confiture.rewrap_keys(:'to');
SELECT confiture.forget_keys() > 0 AS forgotten;
CALL confiture.sync('drill', source => 'prod', target => 'staging');
SELECT pg_temp.differ('first_pseudonyms', 'staging.people', 0, 'no pseudonym changed') AS moved;
SELECT name, version, state, provider = :'to' AS moved, reachable, profiles
  FROM confiture.key_status ORDER BY version;

\echo '== 6. Move the profile on'
SELECT confiture.load_profile(replace(:'profile', 'version: "1"', 'version: "2"')) AS loaded;
CALL confiture.sync('drill', source => 'prod', target => 'staging');
SELECT pg_temp.differ('first_pseudonyms', 'staging.people', 1000,
                      'every pseudonym is another one') AS profile;

\echo '== 7. Destroy the old version'
-- Refused while a profile in use pins it.
\set ON_ERROR_STOP off
SELECT confiture.destroy_key_version('masking', 1);
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS refused_with;
SELECT confiture.retire_profile('drill', '1');
SELECT confiture.destroy_key_version('masking', 1);
\set ON_ERROR_STOP off
SELECT anon_email('person1@mail.example', key_version => 1);
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS refused_with;
CALL confiture.sync('drill', source => 'prod', target => 'staging');

\echo '== What is on record'
SELECT event, details ->> 'key' AS key, details ->> 'version' AS version,
       details #>> '{from,provider}' AS "from", details #>> '{to,provider}' AS "to"
  FROM confiture.audit_log WHERE event LIKE 'KEY_%' ORDER BY seq;
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY check_code;
SELECT name, version, state, ledger_entries, profiles FROM confiture.key_status ORDER BY version;
