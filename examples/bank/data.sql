-- Fills schema "prod", the same way each time: 200 customers, 260 accounts with a card each, 900
-- transfers. Numbers have right check digits, and belong to nobody that we know of.

SET client_min_messages = warning;
SET search_path = prod, pg_temp;
SET timezone = 'UTC';

CREATE TEMPORARY TABLE names AS SELECT
  ARRAY['Aldreya','Brimon','Corvelle','Dastrin','Elowyna','Fennick','Gisabel','Hadrick','Ilvane','Yorrick'] AS first,
  ARRAY['Ashgrovel','Birkenthal','Cravenholt','Dunmarrow','Eskerby','Fallowmere','Grenstrom','Hollinvar',
        'Ivarsmead','Jessengard','Kettlewynd','Lorimark','Marlothwaite'] AS last;

-- A German account number of a bank: the check digits are 98 less the remainder by 97 (ISO 7064).
CREATE FUNCTION pg_temp.iban(bank integer, account bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'DE' || lpad((98 - mod((b || '131400')::numeric, 97))::text, 2, '0') || b
    FROM (SELECT bank::text || lpad(account::text, 10, '0') AS b) AS n
$$;

-- A card number of sixteen digits: the last one makes the sum of Luhn a multiple of ten.
CREATE FUNCTION pg_temp.card(issuer integer, number integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT p || (10 - sum(CASE WHEN i % 2 = 0 THEN d WHEN d > 4 THEN 2 * d - 9 ELSE 2 * d END) % 10) % 10
    FROM (SELECT issuer::text || lpad(number::text, 9, '0') AS p) AS n,
         LATERAL (SELECT i, substr(p, i, 1)::integer AS d FROM generate_series(1, 15) AS i) AS digit
   GROUP BY p
$$;

INSERT INTO customers
SELECT i, n.first[1 + i % 10], n.last[1 + i % 13], DATE '1945-02-03' + i * 100,
       lower(n.first[1 + i % 10]) || '.' || lower(n.last[1 + i % 13]) || i || '@post.example',
       CASE WHEN i % 9 > 0 THEN '+49 30 55' || lpad((i * 7)::text, 5, '0') END,
       (46000000000 + i * 7919)::text,
       'Marlwinger Ring ' || i, (ARRAY['Grenzhafen', 'Ostermoorau', 'Talbrunnheim'])[1 + i % 3],
       '00' || lpad((i % 3 + 101)::text, 3, '0'), (ARRAY['A', 'A', 'B', 'C'])[1 + i % 4]
  FROM generate_series(1, 200) AS i, names AS n;

INSERT INTO accounts
SELECT i, 1 + (i - 1) % 200, pg_temp.iban(50099900, 7300000 + i * 9973), 'EUR',
       DATE '2015-01-05' + i * 11, round((i * 7877 % 900000) / 7.0 + 100, 2)
  FROM generate_series(1, 260) AS i;

INSERT INTO cards
SELECT a.id, a.id, pg_temp.card(432199, 500000000 + a.id * 7919 % 400000000),
       c.first_name || ' ' || c.last_name, DATE '2027-01-31' + a.id * 9, md5('cvv' || a.id)
  FROM accounts AS a JOIN customers AS c ON c.id = a.customer_id;

-- Two of three go to an account of this bank. Some people write names and numbers into the reference.
INSERT INTO transfers (account_id, booked_at, amount, currency, counterparty_iban, counterparty_name, reference)
SELECT t.account_id, t.at, t.amount, 'EUR', t.iban, t.name,
       CASE t.i % 3 WHEN 0 THEN 'Invoice 2025-' || t.i
                    WHEN 1 THEN format('Rent to %s, %s', t.name, t.iban) END
  FROM (SELECT i, 1 + i * 17 % 260 AS account_id,
               timestamptz '2025-01-06 08:00:00' + i * interval '7 hours' AS at,
               round(CASE WHEN i % 5 = 0 THEN 1 ELSE -1 END * (20 + i * 373 % 100000 / 37.0), 2) AS amount,
               CASE WHEN i % 3 > 0 THEN a.iban ELSE pg_temp.iban(70088800, 4400000 + i * 613) END AS iban,
               CASE WHEN i % 3 > 0 THEN c.first_name || ' ' || c.last_name
                    ELSE n.first[1 + i % 7] || ' ' || n.last[1 + i % 11] END AS name
          FROM generate_series(1, 900) AS i
          JOIN accounts AS a ON a.id = 1 + i * 31 % 260
          JOIN customers AS c ON c.id = a.customer_id, names AS n) AS t
 ORDER BY t.i;
