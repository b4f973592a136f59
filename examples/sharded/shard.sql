-- On each shard: the extension, a key of its own that signs its ledger, a view of the ledger, and a
-- role for the auditor. Here also the rows of this example; yours are there already.
--
--   psql -d shop -v shard=1 -f shard.sql

\set ON_ERROR_STOP on
\set QUIET on
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;

-- First of all, and shared with nobody: whoever holds it can sign for this shard.
SELECT confiture.create_key('signing', 'ledger')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'signing') \g /dev/null

-- The ledger as lines, numbered in the order in which they are checked.
CREATE SCHEMA audit;
CREATE VIEW audit.ledger AS
SELECT row_number() OVER () AS n, l.line
  FROM confiture.export_ledger() WITH ORDINALITY AS l (line, n);

-- Customers live on the shard of their number, visits on the shard that they came to.
CREATE SCHEMA prod;
CREATE TABLE prod.customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE, name text, country text);
CREATE TABLE prod.visits (id integer PRIMARY KEY, customer_email text NOT NULL, day date, pages integer);
INSERT INTO prod.customers
SELECT i, 'customer' || i || '@secret.example', 'Secret Name ' || i, (ARRAY['FR', 'DE', 'PT'])[1 + i % 3]
  FROM generate_series(1, 900) i WHERE 1 + i % 3 = :shard;
INSERT INTO prod.visits
SELECT i, 'customer' || 1 + i % 900 || '@secret.example', date '2024-01-01' + i % 365, 1 + i % 20
  FROM generate_series(1, 6000) i WHERE 1 + i / 7 % 3 = :shard;

-- In earnest with a password, and a line in pg_hba.conf for the address of the auditor alone.
CREATE ROLE fleet LOGIN CONNECTION LIMIT 5;
SELECT confiture.grant_access('auditor', 'fleet') \g /dev/null
GRANT USAGE ON SCHEMA audit TO fleet;
GRANT SELECT ON audit.ledger TO fleet;
