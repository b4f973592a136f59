-- In the database of the auditor: visits joined with customers of other shards, by the pseudonym alone.
--
--   psql -d audit -f pseudonyms.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
\pset footer off

-- The foreign tables of all shards, whatever these are called.
SELECT string_agg(format('SELECT %L AS shard, email FROM %1$I.customers', server), ' UNION ALL ') AS customers,
       string_agg(format('SELECT %L AS shard, customer_email FROM %1$I.visits', server), ' UNION ALL ') AS visits
  FROM public.fleet \gset

\echo 'Visits and the customers whose they are, by pseudonym:'
WITH customers AS (:customers), visits AS (:visits)
SELECT count(*) AS visits, count(c.email) AS of_a_customer,
       count(*) FILTER (WHERE c.shard <> v.shard) AS of_one_elsewhere,
       count(DISTINCT c.email) AS customers,
       count(*) FILTER (WHERE c.email LIKE '%secret%') AS raw
  FROM visits v LEFT JOIN customers c ON c.email = v.customer_email;
