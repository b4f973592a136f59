-- Answers with differential privacy about the web shop, beside the truth, which only its owner sees.
--
--   createdb shop
--   psql -d shop -v customers=10000 -f ../webshop/schema.sql -f ../webshop/data.sql
--   psql -d shop -v svg=histogram.svg -f privacy.sql
--
-- Makes the role analyst, and takes it away at the end. The noise is another one each time.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
\pset numericlocale off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null
CREATE ROLE analyst;
CREATE SCHEMA study;

-- What may be asked about: one row for each order, whose it is, and nothing of names.
CREATE MATERIALIZED VIEW study.orders AS
SELECT o.customer_id AS customer, a.country::text AS country, o.total,
       least(floor(o.total / 20), 19)::integer AS bucket,
       i.pieces, i.goods
  FROM prod.orders o JOIN prod.addresses a ON a.id = o.ship_to
  JOIN (SELECT order_id, sum(quantity)::integer AS pieces, sum(quantity * unit_price) AS goods
          FROM prod.order_items GROUP BY order_id) AS i ON i.order_id = o.id;

SELECT anon_dp_budget_create('study', epsilon_limit => 5) \g /dev/null
SELECT anon_dp_budget_grant('study', 'analyst', epsilon_limit => 2.5) \g /dev/null
SELECT anon_dp_register('orders', 'study.orders', unit_column => 'customer', budget => 'study', columns => '{
  "total":   {"lower": 0, "upper": 2000},
  "pieces":  {"lower": 0, "upper": 20},
  "country": {"keys": ["DE", "ES", "FR", "GB", "PT"]},
  "bucket":  {"keys": [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}}') \g /dev/null
SELECT confiture.grant_access('analyst', 'analyst') \g /dev/null

\echo '1. The price first: nothing is read, nothing charged'
SET ROLE analyst;
SELECT measure, ci95_low, ci95_high, epsilon_charged
  FROM anon_dp_release('orders', '[{"count": "*"}, {"sum": "total"}, {"avg": "total"}]', 1.5, dry_run => true);

\echo '2. How many customers, what they spent, the mean order'
CREATE TEMP TABLE told AS
SELECT * FROM anon_dp_release('orders', '[{"count": "*"}, {"sum": "total"}, {"avg": "total"}]', 1.5);
RESET ROLE;
SELECT t.measure, round(t.value, 2) AS told, round(w.truth, 2) AS truth,
       w.truth BETWEEN t.ci95_low AND t.ci95_high AS "in the interval"
  FROM told t JOIN (
    SELECT 'count' AS measure, count(*)::numeric AS truth FROM (SELECT DISTINCT customer FROM study.orders) c
    UNION ALL SELECT 'sum(total)', sum(least(s, 2000)) FROM (SELECT sum(total) s FROM study.orders GROUP BY customer) c
    UNION ALL SELECT 'avg(total)', avg(a) FROM (SELECT avg(total) a FROM study.orders GROUP BY customer) c
  ) AS w USING (measure) ORDER BY 1;

\echo '3. What an order is worth: a histogram of 20 groups, of which a customer counts in three at most'
SET ROLE analyst;
CREATE TEMP TABLE bars AS
SELECT (keys ->> 'bucket')::integer AS bucket, greatest(value, 0) AS told
  FROM anon_dp_release('orders', '[{"count": "*"}]', 0.3, '{bucket}', max_groups => 3);
RESET ROLE;
CREATE TEMP TABLE histogram AS
SELECT b.bucket, b.told, count(DISTINCT o.customer) AS truth
  FROM bars b LEFT JOIN study.orders o USING (bucket) GROUP BY b.bucket, b.told;
SELECT round(corr(told, truth)::numeric, 2) >= 0.5 AS "the shape is there" FROM histogram;

\echo '4. What is left'
SET ROLE analyst;
SELECT epsilon_spent, epsilon_left, charges FROM anon_dp_budget_status('study');
\set ON_ERROR_STOP off
SELECT anon_dp_release_count('orders', 1);
SELECT count(*) FROM study.orders;
\set ON_ERROR_STOP on
RESET ROLE;

\echo '5. Noise in the rows themselves: a slope is flattened, and can be put right'
-- The price of the goods by the number of pieces, when each number is noisy.
CREATE TEMP TABLE noisy AS
SELECT goods, pieces, anon_dp_noise(pieces, 5.0, 20, lower => 0, upper => 20) AS noised FROM study.orders;
SELECT round(regr_slope(goods, pieces)::numeric, 1) AS truth,
       abs(regr_slope(goods, noised) / regr_slope(goods, pieces)) < 0.8 AS flattened,
       abs(regr_slope(goods, noised) * var_samp(noised)
           / anon_dp_correct_variance(var_samp(noised), 5.0, 20, 'integer')
           / regr_slope(goods, pieces) - 1) < 0.5 AS "put right"
  FROM noisy;

-- The plot: what was told in front of the truth.
\pset format unaligned
\pset tuples_only on
\o :svg
SELECT format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="sans-serif" font-size="12">'
  '<rect width="760" height="300" fill="#ffffff"/>'
  '<text x="40" y="22" font-size="15">Customers by the worth of their orders, in steps of 20: told with ε = 0.3, and the truth</text>'
  '<rect x="540" y="34" width="12" height="12" fill="#c9d6e2"/><text x="558" y="44">truth</text>'
  '<rect x="610" y="34" width="12" height="12" fill="#b5462f"/><text x="628" y="44">told</text>'
  '%s<line x1="40" y1="260" x2="740" y2="260" stroke="#333333"/></svg>',
  string_agg(format(
    '<rect x="%s" y="%s" width="24" height="%s" fill="#c9d6e2"/><rect x="%s" y="%s" width="10" height="%s" fill="#b5462f"/>'
    '<text x="%s" y="276" text-anchor="middle">%s</text>',
    40 + bucket * 34, 260 - t, t, 47 + bucket * 34, 260 - n, n, 52 + bucket * 34, bucket * 20), '' ORDER BY bucket))
  FROM (SELECT bucket, round(200.0 * truth / greatest(top, 1)) AS t, round(200.0 * told / greatest(top, 1)) AS n
          FROM histogram, (SELECT max(greatest(truth, told)) AS top FROM histogram) AS m) AS drawn;
\o
\pset format aligned
\pset tuples_only off

SELECT anon_dp_unregister('orders') \g /dev/null
SELECT anon_dp_budget_retire('study', 'the example is over') \g /dev/null
DROP SCHEMA study CASCADE;
DROP OWNED BY analyst;
DROP ROLE analyst;
