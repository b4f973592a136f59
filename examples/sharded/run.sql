-- On each shard: the masked copy, and an anchor of the ledger, which is printed.
--
--   psql -d shop -f run.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS staging;
CALL confiture.sync('shop', source => 'prod', target => 'staging');

-- What is masked, the auditor may see too.
GRANT USAGE ON SCHEMA staging TO fleet;
GRANT SELECT ON ALL TABLES IN SCHEMA staging TO fleet;

\pset tuples_only on
\pset format unaligned
SELECT confiture.export_anchor();
