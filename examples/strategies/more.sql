-- What the web shop lacks: a club whose members leave behind every kind of personal data there is.
--
--   psql -v customers=300 -f ../webshop/schema.sql -f ../webshop/data.sql -f more.sql
--
-- Ten members for each customer, one visit for each member. Every value is computed from a row
-- number, so each load gives the same rows. Check digits are right where there are any, and nobody
-- is meant by them.

\encoding UTF8
SET client_min_messages = warning;
SET timezone = 'UTC';

CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;

SET search_path = prod, public, pg_temp;

BEGIN;

-- Types ----------------------------------------------------------------------------------------

CREATE TYPE mood AS ENUM ('delighted', 'content', 'indifferent', 'annoyed');
CREATE TYPE postal_address AS (line text, postcode text, city text, door_code text);
CREATE DOMAIN plate AS text CONSTRAINT plate_check CHECK (VALUE ~ '^[A-Z]{2}-[0-9]{3}-[A-Z]{2}$');


-- Tables ---------------------------------------------------------------------------------------

CREATE TABLE members (
  id             bigint PRIMARY KEY,
  customer_id    bigint NOT NULL REFERENCES customers,
  sponsor_id     bigint REFERENCES members,
  -- who they are
  sex            char(1) CHECK (sex IN ('f', 'm')),
  first_name     varchar(60) NOT NULL,
  last_name      varchar(60) NOT NULL,
  full_name      text NOT NULL,
  email          citext NOT NULL UNIQUE,
  handle         varchar(60) NOT NULL,
  employer       text,
  job_title      text,
  birth_date     date,
  photo          bytea,
  -- where they live
  street         text,
  postcode       text,
  city           text,
  region         text,
  holiday_home   postal_address,
  zip            varchar(10),
  latitude       double precision,
  longitude      double precision,
  -- how to reach them
  contact_email  text NOT NULL,
  phone          varchar(32),
  aliases        text[] NOT NULL DEFAULT '{}',
  -- numbers of state and bank
  nir            varchar(21),
  ssn            varchar(11),
  dni            varchar(20),
  passport       text,
  tax_number     varchar(12) UNIQUE,
  iban           varchar(34),
  card_number    varchar(19),
  club_card      varchar(19) NOT NULL UNIQUE,
  car            plate,
  -- money and opinions
  salary         numeric(10,2),
  savings        numeric(12,2),
  age            smallint,
  points         integer NOT NULL,
  rent           numeric(10,2),
  opinion        mood,
  smokes         text CHECK (smokes IN ('yes', 'no')),
  tier           text NOT NULL,
  plan           text NOT NULL DEFAULT 'basic',
  religion       text,
  shirt          text,
  shoe           smallint,
  state          text NOT NULL DEFAULT 'new',
  -- texts and documents
  remark         text,
  diary          text,
  complaint      text,
  document       jsonb NOT NULL DEFAULT '{}',
  settings       hstore,
  secret_word    text,
  reset_token    text,
  -- when
  joined_on      date NOT NULL,
  left_on        date,
  last_seen      timestamptz,
  -- whom to call if something happens to them: the club must be able to find out again
  next_of_kin    text
);
COMMENT ON TABLE members IS 'The club of the shop';
COMMENT ON COLUMN members.tier IS 'gold, silver or bronze';

CREATE TABLE visits (
  id         integer PRIMARY KEY,
  member_id  bigint NOT NULL REFERENCES members,
  member_email citext NOT NULL REFERENCES members (email),
  seen_at    timestamptz NOT NULL,
  session    uuid NOT NULL UNIQUE,
  ip         inet,
  network    cidr,
  device     macaddr,
  user_agent text,
  page       text NOT NULL,
  referrer   text,
  raw_cookie bytea
);
COMMENT ON TABLE visits IS 'What the web server wrote down';


-- Check digits ---------------------------------------------------------------------------------

-- From the right, double every second digit (ISO/IEC 7812-1).
CREATE FUNCTION pg_temp.with_luhn(payload text) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN payload || (10 - (
    SELECT sum(CASE WHEN place % 2 = 1 THEN d * 2 / 10 + d * 2 % 10 ELSE d END)
    FROM unnest(string_to_array(reverse(payload), NULL)::int[]) WITH ORDINALITY AS t (d, place)
  ) % 10) % 10;

-- ISO 13616: letters count 10 to 35, country and "00" stand behind.
CREATE FUNCTION pg_temp.iban(country text, bban text) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN country || lpad((98 - (
    SELECT string_agg(CASE WHEN c >= 'A' COLLATE "C" THEN (ascii(c) - 55)::text ELSE c END, ''
                      ORDER BY place)
    FROM unnest(string_to_array(bban || country || '00', NULL)) WITH ORDINALITY AS t (c, place)
  )::numeric % 97)::text, 2, '0') || bban;

-- A French account: bank, branch, number and the key of the country's own.
CREATE FUNCTION pg_temp.rib(bank bigint, branch bigint, account bigint) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN lpad(bank::text, 5, '0') || lpad(branch::text, 5, '0') || lpad(account::text, 11, '0')
         || lpad((97 - (89 * bank + 15 * branch + 3 * account) % 97)::text, 2, '0');


-- Rows -----------------------------------------------------------------------------------------

INSERT INTO members
SELECT i, 1 + i % :customers, CASE WHEN i > 40 AND i % 3 = 0 THEN i / 3 END,
  -- who
  sex, first, last, first || ' ' || last, mail || '@post.example',
  lower(first) || i,
  CASE WHEN i % 3 = 0 THEN last || ' & Sons' END,
  (ARRAY['Baker', 'Nurse', 'Notary', 'Welder', 'Beekeeper'])[1 + i % 5],
  CASE WHEN i % 10 <> 3 THEN DATE '1931-05-05' + (i * 7919 % 27000)::int END,
  CASE WHEN i % 4 = 0 THEN sha256(('photo ' || i)::bytea) END,
  -- where
  1 + i % 180 || ' ' || (ARRAY['Quince Road', 'Rue des Figues', 'Calle del Membrillo'])[1 + i % 3],
  lpad((10000 + i * 17 % 80000)::text, 5, '0'),
  (ARRAY['Jamtown', 'Marmelle', 'Confitera'])[1 + i % 3],
  (ARRAY['North', 'South', 'Far East'])[1 + i % 3],
  CASE WHEN i % 5 = 0
       THEN ROW('Beach Lane ' || i, lpad((i * 31 % 99999)::text, 5, '0'), 'Sandy Bay ' || i,
                'B' || i * 7)::postal_address END,
  lpad((501 + i * 37 % 99000)::text, 5, '0'),
  round((43 + i * 7919 % 70000 / 10000.0)::numeric, 5)::float8,
  round((-1.5 + i * 104729 % 80000 / 10000.0)::numeric, 5)::float8,
  -- contact
  mail || '@club.example', number,
  CASE WHEN i % 3 = 0 THEN ARRAY[mail || '@post.example', 'old.' || mail || '@post.example']
       WHEN i % 3 = 1 THEN ARRAY[mail || '@club.example'] ELSE '{}' END,
  -- numbers
  CASE WHEN i % 3 = 0 THEN to_char(nir, 'FM9 99 99 99 999 999') || ' ' || lpad((97 - nir % 97)::text, 2, '0') END,
  CASE WHEN i % 3 = 1 THEN to_char(1 + i * 61 % 660, 'FM000') || '-' || to_char(1 + i * 7 % 98, 'FM00')
                           || '-' || to_char(1 + i * 7919 % 9998, 'FM0000') END,
  CASE WHEN i % 3 = 2 THEN to_char(dni, 'FM00000000')
                           || substr('TRWAGMYFPDXBNJZSQVHLCKE', 1 + (dni % 23)::int, 1) END,
  CASE WHEN i % 2 = 0 THEN 'P' || lpad((i * 86028121 % 100000000)::text, 8, '0') END,
  lpad((i * 86028121 % 1000000000)::text, 9, '0') || '-' || lpad((i % 97)::text, 2, '0'),
  CASE i % 4 WHEN 0 THEN pg_temp.iban('DE', '50010517' || lpad((i * 7919)::text, 10, '0'))
             WHEN 1 THEN pg_temp.iban('FR', pg_temp.rib(20041, 1005, i * 7919))
             WHEN 2 THEN regexp_replace(pg_temp.iban('GB', 'JAMB200000' || lpad(i::text, 8, '0')),
                                        '(.{4})(?!$)', '\1 ', 'g') END,
  CASE WHEN i % 3 <> 0 THEN pg_temp.with_luhn((ARRAY['411111', '555555', '601111'])[1 + i % 3]
                                              || lpad((i * 104729 % 1000000000)::text, 9, '0')) END,
  pg_temp.with_luhn('977000' || lpad((i * 86028121 % 1000000000)::text, 9, '0')),
  CASE WHEN i % 4 <> 0 THEN chr(65 + (i % 26)::int) || chr(65 + (i / 26 % 26)::int) || '-'
                            || lpad((i * 37 % 1000)::text, 3, '0') || '-'
                            || chr(65 + (i / 676 % 26)::int) || 'Q' END,
  -- money
  21000 + i * 61 % 70000 + 0.5, i * 7919 % 9000000 / 100.0, 18 + i % 85, i * 37 % 5000,
  300 + i * 7 % 2000,
  (enum_range(NULL::mood))[1 + i * 31 % 4], CASE WHEN i % 6 = 0 THEN 'yes' ELSE 'no' END,
  (ARRAY['gold', 'silver', 'bronze'])[1 + i % 3], (ARRAY['basic', 'plus', 'family'])[1 + i % 3],
  (ARRAY['none', 'baptist', 'hindu', 'catholic', 'muslim', 'jewish'])[1 + i % 6],
  (ARRAY['S', 'M', 'L', 'XL'])[1 + i % 4], 36 + 2 * (i % 4), (ARRAY['active', 'blocked'])[1 + i % 2],
  -- texts
  'Spoke with ' || first || ' ' || last || ' (' || mail || '@post.example, ' || number || '). '
    || CASE i % 3 WHEN 0 THEN 'Card 4111 1111 1111 1111 was refused.'
                  WHEN 1 THEN 'Logged in from 198.51.100.' || i % 250 || '.'
                  ELSE 'See https://forum.example/u/' || lower(first) || i || '.' END,
  'Day ' || i || E':\nmade ' || i % 9 || ' jars of jam with ' || first || '. It was HOT!',
  CASE WHEN i % 4 = 0 THEN last || ' shouted at the clerk' END,
  jsonb_build_object(
    'id', i,
    'language', (ARRAY['en', 'fr', 'es'])[1 + i % 3],
    'contacts', jsonb_build_array(jsonb_build_object('email', mail || '@post.example', 'phone', number)),
    'born', '19' || 40 + i % 60 || '-02-11',
    'height', 150 + i % 50,
    'password', md5(i::text),
    'friends', jsonb_build_object(mail || '@post.example', i % 2 = 0)),
  hstore(ARRAY['mail', mail || '@post.example', 'theme', 'dark', 'pin', lpad((i % 10000)::text, 4, '0')]),
  'jam-' || md5(i::text), CASE WHEN i % 7 = 0 THEN md5('reset ' || i) END,
  -- when
  DATE '2019-01-01' + (i * 13 % 2000)::int,
  CASE WHEN i % 5 = 0 THEN DATE '2019-01-01' + (i * 13 % 2000 + 1 + i % 400)::int END,
  TIMESTAMPTZ '2025-01-01 08:00+00' + i * INTERVAL '37 minutes 11 seconds',
  CASE WHEN i % 6 <> 0 THEN 'Aunt ' || last || ', ' || number END
FROM generate_series(1, 10 * :customers::bigint) AS i
CROSS JOIN LATERAL (SELECT CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END AS sex) AS a
CROSS JOIN LATERAL (
  SELECT (CASE sex WHEN 'f' THEN ARRAY['Quendoline', 'Zephirine', 'Wilhelmette', 'Xanthippa', 'Brunhildis']
                   ELSE ARRAY['Balthazard', 'Thelonius', 'Zebulon', 'Wolfgangus', 'Ignatius'] END)[1 + i / 2 % 5] AS first,
         (ARRAY['Marmeladski', 'Confiturier', 'Jellyworth', 'Quittenbaum', 'Membrillez', 'Cloudberrie',
                'Fruchtmann'])[1 + i / 10 % 7] AS last
) AS b
CROSS JOIN LATERAL (
  SELECT lower(first || '.' || last) || i AS mail,
         '+33 6 55 ' || to_char(i * 37 % 100, 'FM00') || ' ' || to_char(i / 100 % 100, 'FM00') || ' '
                     || to_char(i % 100, 'FM00') AS number,
         (CASE sex WHEN 'f' THEN 2 ELSE 1 END * 1000000000000 + (40 + i % 60) * 10000000000
           + (1 + i % 12) * 100000000 + (1 + i % 95) * 1000000 + (1 + i * 7 % 900) * 1000 + 1 + i % 998)
           AS nir,
         i * 86028121 % 100000000 AS dni
) AS c
ORDER BY i;

INSERT INTO visits
SELECT m.id, m.id, m.email, m.last_seen - m.id % 50 * INTERVAL '1 hour',
       md5('visit ' || m.id)::uuid,
       CASE WHEN m.id % 13 = 0 THEN '2001:db8:77::'::inet + m.id ELSE '198.18.0.0'::inet + m.id END,
       set_masklen('198.18.0.0'::cidr + m.id % 65536 / 256 * 256, 24)::cidr,
       ('08:00:2b' || regexp_replace(lpad(to_hex(m.id), 6, '0'), '(..)', ':\1', 'g'))::macaddr,
       CASE m.id % 3 WHEN 0 THEN 'Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.' || m.id
                     WHEN 1 THEN 'curl/7.' || m.id ELSE 'Mozilla/5.0 (iPhone; jam ' || m.id || ')' END,
       'https://shop.example/members/' || m.handle || '/orders?id=' || m.id || '#top',
       CASE WHEN m.id % 2 = 0 THEN m.handle || '.blog.example' END,
       sha256(('cookie ' || m.id)::bytea)
FROM members AS m;

COMMIT;

ANALYZE members;
ANALYZE visits;
RESET search_path;
