-- In the database of the auditor: visits joined with customers of other shards, by the pseudonym alone.
--
--   psql -d audit -f pseudonyms.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off

\echo 'Visits and the customers whose they are, by pseudonym:'
WITH customers AS (
  SELECT 1 AS shard, email FROM shard1.customers UNION ALL
  SELECT 2, email FROM shard2.customers UNION ALL
  SELECT 3, email FROM shard3.customers
), visits AS (
  SELECT 1 AS shard, customer_email FROM shard1.visits UNION ALL
  SELECT 2, customer_email FROM shard2.visits UNION ALL
  SELECT 3, customer_email FROM shard3.visits
)
SELECT count(*) AS visits, count(c.email) AS of_a_customer,
       count(*) FILTER (WHERE c.shard <> v.shard) AS of_one_elsewhere,
       count(DISTINCT c.email) AS customers,
       count(*) FILTER (WHERE c.email LIKE '%secret%') AS raw
  FROM visits v LEFT JOIN customers c ON c.email = v.customer_email;
