-- In the database of the auditor, once: what is known of the fleet, and kept outside of it. Neither a
-- key nor a row of a customer is needed here.
--
--   psql -d audit -f auditor.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA public;

CREATE TABLE public.fleet (
  server      text PRIMARY KEY,
  ledger      text NOT NULL,
  anchor_keys text[] NOT NULL,
  anchors     text[] NOT NULL DEFAULT '{}'
);
-- The logs that belong to the fleet, noted when it was set up.
CREATE TABLE public.member (log uuid PRIMARY KEY);
