-- Fills schema "prod" (see schema.sql).
--
--   psql -v customers=10000 -f schema.sql -f data.sql
--
-- Every value is computed from its row number, so each load gives the same rows. Nobody in here
-- exists: e-mails lie under the reserved top-level domain "example", card numbers start with the
-- prefixes that payment providers reserve for tests (their check digits are right all the same).

\if :{?customers}
\else
  \set customers 10000
\endif

\encoding UTF8
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = prod, pg_temp;

BEGIN;

-- The ingredients ------------------------------------------------------------------------------

-- One row per country: names (and their spelling in an e-mail), places, the notation of phones.
CREATE TEMP TABLE country (
  n int, code char(2), first text[], first_mail text[], last text[], last_mail text[],
  city text[], street text[], postcode text, phone text
) ON COMMIT DROP;

INSERT INTO country VALUES
  (0, 'FR', '{Zoé,Hélène,François,Amélie,Noël}', '{zoe,helene,francois,amelie,noel}',
   '{Lefèvre,Bézier,Garçon,Dupré,D''Aubigné}', '{lefevre,bezier,garcon,dupre,daubigne}',
   '{Orléans,Besançon,Nîmes}', '{rue des Écoles,avenue Général Leclerc,impasse du Chêne}',
   '%1$s00', '+33 6 55 %1$s %2$s'),
  (1, 'DE', '{Jürgen,Käthe,Sören,Anneliese,Björn}', '{juergen,kaethe,soeren,anneliese,bjoern}',
   '{Müller,Weiß,Schröder,Größmann,von Bülow}', '{mueller,weiss,schroeder,groessmann,vonbuelow}',
   '{Köln,Lübeck,Görlitz}', '{Königstraße,Am Bühl,Lindenallee}',
   '%1$s10', '0049-30-%1$s-%2$s'),
  (2, 'GB', '{Oliver,Siobhán,Graham,Rhiannon,Alistair}', '{oliver,siobhan,graham,rhiannon,alistair}',
   '{O''Connor,Llewellyn,Smythe,McAllister,Taylor-Reed}', '{oconnor,llewellyn,smythe,mcallister,taylorreed}',
   '{Leeds,Aberystwyth,Inverness}', '{High Street,Church Lane,Station Road}',
   'LS%3$s %3$sAB', '020 7%1$s %2$s'),
  (3, 'US', '{Grace,Miguel,Tyrone,Abigail,Wyatt}', '{grace,miguel,tyrone,abigail,wyatt}',
   '{Hopper,Nuñez,Washington,Goldberg,Lee}', '{hopper,nunez,washington,goldberg,lee}',
   '{Springfield,San José,Duluth}', '{Elm Street,5th Avenue,Cañon Road}',
   '9%2$s', '(415) %1$s-%2$s'),
  (4, 'PL', '{Łukasz,Małgorzata,Świętosław,Agnieszka,Józef}', '{lukasz,malgorzata,swietoslaw,agnieszka,jozef}',
   '{Wójcik,Żółkiewski,Dąbrowska,Kamiński,Ćwiek}', '{wojcik,zolkiewski,dabrowska,kaminski,cwiek}',
   '{Łódź,Kraków,Gdańsk}', '{ulica Długa,aleja Róż,plac Świętojański}',
   '%3$s0-%1$s', '+48.601.%1$s.%2$s'),
  (5, 'JP', '{花子,太郎,さくら,健一,美咲}', '{hanako,taro,sakura,kenichi,misaki}',
   '{山田,佐藤,渡辺,小林,高橋}', '{yamada,sato,watanabe,kobayashi,takahashi}',
   '{京都市,札幌市,那覇市}', '{烏丸通,大通西,国際通り}',
   '%1$s-%2$s', '+81-90-%2$s-0%1$s'),
  (6, 'GR', '{Ελένη,Γιώργος,Δήμητρα,Σπύρος,Άννα}', '{eleni,giorgos,dimitra,spyros,anna}',
   '{Παπαδόπουλος,Ιωάννου,Οικονόμου,Βλάχος,Καζαντζή}', '{papadopoulos,ioannou,oikonomou,vlachos,kazantzi}',
   '{Αθήνα,Θεσσαλονίκη,Πάτρα}', '{Οδός Ερμού,Λεωφόρος Αλεξάνδρας,Πλατεία Αριστοτέλους}',
   '1%3$s6 %3$s2', '0030 210 %1$s%2$s'),
  (7, 'BR', '{João,Conceição,Antônio,Inês,Luís}', '{joao,conceicao,antonio,ines,luis}',
   '{Gonçalves,Araújo,Simões,de Assunção,Sá}', '{goncalves,araujo,simoes,deassuncao,sa}',
   '{São Paulo,Maceió,Brasília}', '{Rua da Consolação,Avenida Atlântica,Praça da Sé}',
   '0%2$s-%1$s', '+55 (11) 9%2$s-0%1$s');

-- The digit that makes a card number pass the Luhn check: from the right, double every second one.
CREATE FUNCTION pg_temp.with_check_digit(payload text) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN payload || (10 - (
    SELECT sum(CASE WHEN place % 2 = 1 THEN d * 2 / 10 + d * 2 % 10 ELSE d END)
    FROM unnest(string_to_array(reverse(payload), NULL)::int[]) WITH ORDINALITY AS t (d, place)
  ) % 10) % 10;

-- A German account number with the check digits of ISO 13616 (13 14 00 spells "DE00").
CREATE FUNCTION pg_temp.german_iban(account bigint) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN 'DE' || lpad((98 - ('50010517' || lpad(account::text, 10, '0') || '131400')::numeric % 97)::text, 2, '0')
         || '50010517' || lpad(account::text, 10, '0');


-- People ---------------------------------------------------------------------------------------

-- Fifty people: one head, five leaders, the others below them.
INSERT INTO staff (first_name, last_name, email, phone, job_title, salary, iban, manager_id, hired_on)
SELECT c.first[1 + i % 5], c.last[1 + i / 8 % 5],
       c.first_mail[1 + i % 5] || '.' || c.last_mail[1 + i / 8 % 5] || i || '@webshop.example',
       CASE WHEN i % 9 <> 0 THEN format(c.phone, lpad((i * 37 % 1000)::text, 3, '0'), lpad((i * 7919 % 10000)::text, 4, '0')) END,
       CASE WHEN i = 1 THEN 'Chief executive' WHEN i <= 6 THEN 'Head of team' ELSE 'Customer support' END,
       CASE WHEN i % 17 <> 0 THEN 31000 + 97 * (i * 61 % 400) + CASE WHEN i <= 6 THEN 45000 ELSE 0 END END,
       CASE WHEN i % 11 <> 0 THEN pg_temp.german_iban(648489890 + i * 1009) END,
       CASE WHEN i = 1 THEN NULL WHEN i <= 6 THEN 1 ELSE 2 + i % 5 END,
       DATE '2012-03-01' + i * 71
FROM generate_series(1, 50) AS i JOIN country AS c ON c.n = i % 8
ORDER BY i;

INSERT INTO customers (id, customer_no, first_name, last_name, company, email, phone, birth_date,
                       last_ip, preferences, tags, marketing_segment, is_subscribed, password_hash,
                       session_token, referred_by, created_at)
SELECT i,
       'C-' || lpad((i * 7)::text, 8, '0'),
       CASE WHEN i % 41 <> 0 THEN who.first END,
       who.last,
       CASE WHEN i % 6 = 0 THEN who.last || ' & ' || (ARRAY['Söhne', 'Partners', 'Co.'])[1 + i % 3] END,
       CASE WHEN i % 7 = 0 THEN initcap(who.mail) ELSE who.mail END
         || '@' || (ARRAY['mail', 'post', 'Inbox', 'corp'])[1 + i % 4] || '.example',
       CASE WHEN i % 5 <> 4
            THEN format(c.phone, lpad((i * 379 % 1000)::text, 3, '0'), lpad((i * 7919 % 10000)::text, 4, '0')) END,
       CASE WHEN i % 10 <> 3 THEN DATE '1941-05-05' + (i * 7919 % 23700)::int END,
       CASE WHEN i % 13 = 0 THEN '2001:db8::'::inet + i ELSE '198.18.0.0'::inet + i END,
       CASE WHEN i % 4 = 0 THEN '{}'
            ELSE jsonb_build_object(
              'language', lower(c.code),
              'newsletter', jsonb_build_object('to', who.mail || '@mail.example', 'weekly', i % 2 = 0),
              'sizes', jsonb_build_array(36 + i % 12, 'M'))
       END,
       CASE WHEN i % 3 = 0 THEN ARRAY['app', 'b2b'] WHEN i % 3 = 1 THEN ARRAY['web'] ELSE '{}' END,
       (ARRAY['new', 'regular', 'loyal', 'vip'])[1 + i * 31 % 4]::segment,
       i % 2 = 0,
       '$2b$12$' || left(translate(encode(sha256(i::text::bytea), 'base64'), '+=', './'), 43) || left(md5(i::text), 10),
       CASE WHEN i % 8 = 5 THEN md5('session ' || i)::uuid END,
       CASE WHEN i > 10 AND i % 3 = 0 THEN i / 3 END,
       TIMESTAMPTZ '2020-01-01 08:00+00' + i * INTERVAL '211 minutes'
FROM generate_series(1::bigint, :customers) AS i
JOIN country AS c ON c.n = i % 8
CROSS JOIN LATERAL (
  SELECT c.first[1 + i / 8 % 5] AS first, c.last[1 + i / 40 % 5] AS last,
         c.first_mail[1 + i / 8 % 5] || '.' || c.last_mail[1 + i / 40 % 5] || i AS mail
) AS who
ORDER BY i;

-- Everyone has an address, every second customer a second one.
INSERT INTO addresses (customer_id, recipient, street, city, postcode, country, delivery_note)
SELECT p.id,
       concat_ws(' ', p.first_name, p.last_name),
       CASE WHEN c.code IN ('GB', 'US') THEN 1 + p.id * 13 % 180 || ' ' || street.name
            ELSE street.name || ' ' || 1 + p.id * 13 % 180 END,
       c.city[1 + (p.id / 8 + nth) % 3],
       CASE WHEN p.id % 19 <> 0
            THEN format(c.postcode, lpad((p.id * 17 % 1000)::text, 3, '0'), lpad((p.id * 23 % 10000)::text, 4, '0'), p.id % 10) END,
       c.code,
       CASE WHEN p.id % 12 = 0 THEN 'Ring at ' || p.last_name || ', or call ' || coalesce(p.phone, 'the neighbour') END
FROM customers AS p
JOIN country AS c ON c.n = p.id % 8
CROSS JOIN generate_series(1, 2) AS nth
CROSS JOIN LATERAL (SELECT c.street[1 + (p.id / 24 + nth) % 3] AS name) AS street
WHERE nth = 1 OR p.id % 2 = 0
ORDER BY nth, p.id;

-- Now the other half of the circle can be closed; some people never chose a default.
UPDATE customers AS p SET default_address_id = a.id
FROM (SELECT customer_id, min(id) AS id FROM addresses GROUP BY customer_id) AS a
WHERE a.customer_id = p.id AND p.id % 15 <> 0;


-- Trade ----------------------------------------------------------------------------------------

INSERT INTO products (sku, name, price, attributes)
SELECT 'SKU-' || lpad(i::text, 5, '0'),
       (ARRAY['Strawberry', 'Apricot', 'Quince', 'Blackcurrant', 'Fig'])[1 + i % 5] || ' jam, '
         || (ARRAY['small', 'medium', 'large', 'gift box'])[1 + i / 5 % 4],
       2.50 + i * 37 % 40,
       CASE WHEN i % 5 <> 0 THEN jsonb_build_object('grams', 120 + 10 * (i % 40), 'organic', i % 2 = 0) END
FROM generate_series(1, 200) AS i;

-- About three orders each, spread over three years and a few older ones (the default partition).
INSERT INTO orders (ordered_at, customer_id, contact_email, ship_to, status, total, client_ip, gift_message)
SELECT CASE WHEN i % 500 = 0 THEN TIMESTAMPTZ '2019-11-11 11:11+00' + i * INTERVAL '1 minute'
            ELSE TIMESTAMPTZ '2023-01-01 00:00+00' + i * 50857 % 94608000 * INTERVAL '1 second' END,
       p.id, p.email,
       CASE WHEN i % 29 <> 0 THEN p.default_address_id END,
       (ARRAY['open', 'paid', 'shipped', 'shipped', 'returned', 'cancelled'])[1 + i * 7 % 6]::order_status,
       5 + i * 7919 % 30000 / 100.0,
       CASE WHEN i % 3 <> 0 THEN p.last_ip END,
       CASE WHEN i % 25 = 0 THEN 'Happy birthday, dear ' || p.last_name || '! Call me: ' || coalesce(p.phone, 'you know how') END
FROM generate_series(1, 3 * :customers::bigint) AS i
JOIN customers AS p ON p.id = 1 + i * 6151 % :customers
ORDER BY i;

INSERT INTO order_items (order_id, ordered_at, line, product_id, quantity, unit_price)
SELECT o.id, o.ordered_at, line, p.id, 1 + (o.id + line) % 4, p.price
FROM orders AS o
CROSS JOIN generate_series(1, 3) AS line
JOIN products AS p ON p.id = 1 + (o.id * 13 + line * 7) % 200
WHERE line <= 1 + o.id % 3;

-- Two of three pay by card; whoever cancelled or still has to pay has no payment.
INSERT INTO payments (order_id, ordered_at, amount, card_number, card_holder, iban, paid_at)
SELECT o.id, o.ordered_at, o.total,
       CASE WHEN o.id % 3 <> 0 THEN pg_temp.with_check_digit(
         (ARRAY['411111', '555555', '601111'])[1 + p.id % 3] || lpad((p.id * 104729 % 1000000000)::text, 9, '0')) END,
       CASE WHEN o.id % 3 <> 0 THEN upper(concat_ws(' ', p.first_name, p.last_name)) END,
       CASE WHEN o.id % 3 = 0 THEN pg_temp.german_iban(p.id * 86028121 % 10000000000) END,
       CASE WHEN o.id % 20 <> 0 THEN o.ordered_at + INTERVAL '3 minutes' END
FROM orders AS o JOIN customers AS p ON p.id = o.customer_id
WHERE o.status NOT IN ('open', 'cancelled')
ORDER BY o.id;

INSERT INTO support_tickets (customer_id, assigned_to, opened_at, status, subject, body, contact_phone)
SELECT CASE WHEN i % 10 <> 0 THEN p.id END,
       CASE WHEN i % 4 <> 0 THEN 7 + i % 44 END,
       TIMESTAMPTZ '2023-02-01 09:00+00' + i * INTERVAL '7 hours',
       (ARRAY['new', 'waiting', 'solved', 'solved'])[1 + i % 4],
       CASE WHEN i % 5 = 0 THEN 'Complaint of ' || p.last_name ELSE 'Where is my parcel?' END,
       CASE WHEN i % 6 <> 0 THEN
         'Hello, this is ' || concat_ws(' ', p.first_name, p.last_name) || '.' || E'\n'
         || 'My order has not arrived. Please write to ' || p.email
         || coalesce(' or call ' || p.phone, '') || E'.\nBorn on ' || coalesce(p.birth_date::text, '(secret)') || '.'
       END,
       CASE WHEN i % 3 = 0 THEN p.phone END
FROM generate_series(1::bigint, greatest(1, :customers / 5)) AS i
JOIN customers AS p ON p.id = 1 + i * 3571 % :customers
ORDER BY i;

-- Two tickets still name colleagues who were deleted long ago.
UPDATE support_tickets SET assigned_to = 900 + id WHERE id IN (SELECT id FROM support_tickets ORDER BY id LIMIT 2);


-- The remaining foreign keys -------------------------------------------------------------------

ALTER TABLE order_items
  ADD FOREIGN KEY (product_id) REFERENCES products,
  ADD FOREIGN KEY (order_id, ordered_at) REFERENCES orders ON DELETE CASCADE;
ALTER TABLE payments
  ADD FOREIGN KEY (order_id, ordered_at) REFERENCES orders;

-- Never validated: the old sins stay, new ones are refused.
ALTER TABLE support_tickets
  ADD FOREIGN KEY (assigned_to) REFERENCES staff ON DELETE SET NULL NOT VALID;

-- The customers came with numbers of their own, so the counter has to catch up.
SELECT setval(pg_get_serial_sequence('customers', 'id'), max(id)) AS last_customer FROM customers \gset

COMMIT;

ANALYZE;
RESET search_path;
