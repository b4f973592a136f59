-- In the database of the auditor: each ledger, and all of them as a set.
--
--   psql -d audit -f verify.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
\pset footer off

CREATE TEMPORARY TABLE found AS
SELECT *
  FROM confiture.verify_fleet((SELECT jsonb_agg(to_jsonb(f) ORDER BY f.server) FROM public.fleet f),
                              profile => 'shop',
                              expected => (SELECT array_agg(log) FROM public.member),
                              within => interval '1 hour');

\echo 'The fleet:'
SELECT status, detail FROM found WHERE check_code = 'FLEET';
\echo 'What the set does not have in common:'
SELECT check_code, status, detail FROM found WHERE server IS NULL AND check_code <> 'FLEET';
\echo 'The servers:'
SELECT server, check_code, status, facts ->> 'profile' AS profile, facts ->> 'version' AS version,
       facts ->> 'rows' AS rows
  FROM found WHERE server IS NOT NULL AND status <> 'warn';

-- For scripts: the verdict alone, into a file.
\if :{?verdict}
  SELECT status FROM found WHERE check_code = 'FLEET' \g (format=unaligned tuples_only=on) :verdict
\endif
