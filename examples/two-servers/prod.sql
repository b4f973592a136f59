-- On the server of production: masked views, and a role that may read them and nothing else.
--
--   psql -d shop -v profile="$(cat profile.yaml)" -f prod.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null

-- The rows of this example; yours are there already.
CREATE SCHEMA prod;
CREATE TABLE prod.customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE, name text, country text);
CREATE TABLE prod.orders (id integer PRIMARY KEY, customer_email text REFERENCES prod.customers (email),
                          placed_on date, total numeric(10,2));
INSERT INTO prod.customers
SELECT i, 'customer' || i || '@secret.example', 'Secret Name ' || i, (ARRAY['FR', 'DE', 'PT'])[1 + i % 3]
  FROM generate_series(1, 500) i;
INSERT INTO prod.orders
SELECT i, 'customer' || 1 + i % 500 || '@secret.example', date '2024-01-01' + i % 365, i % 90 + 0.5
  FROM generate_series(1, 2000) i;

SELECT confiture.load_profile(:'profile') \g /dev/null
SELECT view_name, action, masked_columns
  FROM confiture.create_masked_views('shop', source => 'prod', target => 'masked');

-- In earnest with a password, and a line in pg_hba.conf for the address of staging alone.
CREATE ROLE staging_reader LOGIN CONNECTION LIMIT 5;
GRANT USAGE ON SCHEMA masked TO staging_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA masked TO staging_reader;

\echo 'Other ways of staging_reader to a masked value:'
SELECT count(*) FROM confiture.lint_access('staging_reader', source => 'prod');
