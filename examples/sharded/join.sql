-- In the database of the auditor, for each shard, once: how to reach it, and the key of its anchors as
-- it is now. A key that is asked for after an attack is the attacker's.
--
--   psql -d audit -v server=shard1 -v host=shard1.internal -v port=5432 -v dbname=shop \
--        -v anchor_key="$(psql -d shop -h shard1.internal -AtXc 'SELECT confiture.anchor_key()')" -f join.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

CREATE SERVER :"server" FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'host', port :'port', dbname :'dbname', fetch_size '1000', connect_timeout '10');
CREATE USER MAPPING FOR CURRENT_USER SERVER :"server" OPTIONS (user 'fleet');
CREATE SCHEMA :"server";
CREATE FOREIGN TABLE :"server".ledger (n bigint, line text)
  SERVER :"server" OPTIONS (schema_name 'audit', table_name 'ledger');
CREATE FOREIGN TABLE :"server".customers (id integer, email text, name text, country text)
  SERVER :"server" OPTIONS (schema_name 'staging', table_name 'customers');
CREATE FOREIGN TABLE :"server".visits (id integer, customer_email text, day date, pages integer)
  SERVER :"server" OPTIONS (schema_name 'staging', table_name 'visits');

INSERT INTO public.fleet (server, ledger, anchor_keys)
VALUES (:'server', quote_ident(:'server') || '.ledger', ARRAY[:'anchor_key']);
-- The name of a key is that of its log.
INSERT INTO public.member VALUES (substr(split_part(:'anchor_key', '+', 1), 11)::uuid);
