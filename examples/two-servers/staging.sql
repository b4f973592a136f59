-- On the server of staging: tables filled from the masked views of production. Neither the extension
-- nor a key is needed here.
--
--   psql -d shop -v host=prod.internal -v port=5432 -v dbname=shop -f staging.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER prod FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'host', port :'port', dbname :'dbname', fetch_size '1000');
CREATE USER MAPPING FOR CURRENT_USER SERVER prod OPTIONS (user 'staging_reader');

CREATE SCHEMA incoming;
IMPORT FOREIGN SCHEMA masked FROM SERVER prod INTO incoming;

CREATE SCHEMA shop;
CREATE TABLE shop.customers (LIKE incoming.customers);
CREATE TABLE shop.orders (LIKE incoming.orders);

-- The refresh. One transaction there has one view of the data, so that no order lacks its customer.
BEGIN ISOLATION LEVEL REPEATABLE READ;
TRUNCATE shop.customers, shop.orders;
INSERT INTO shop.customers SELECT * FROM incoming.customers;
INSERT INTO shop.orders SELECT * FROM incoming.orders;
COMMIT;
ALTER TABLE shop.customers ADD PRIMARY KEY (id), ADD UNIQUE (email);
ALTER TABLE shop.orders ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_email) REFERENCES shop.customers (email);
ANALYZE shop.customers, shop.orders;

\echo 'Staging has:'
SELECT (SELECT count(*) FROM shop.customers) AS customers, (SELECT count(*) FROM shop.orders) AS orders,
       (SELECT count(*) FROM shop.customers WHERE email LIKE '%secret%' OR name LIKE '%Secret%') AS raw;

-- The tables of production are not to be had.
\set ON_ERROR_STOP off
CREATE FOREIGN TABLE incoming.raw (email text) SERVER prod OPTIONS (schema_name 'prod', table_name 'customers');
SELECT count(*) FROM incoming.raw;
