-- Fills schema "prod", the same way each time: four tenants with 30 users, 12 projects, 80 documents
-- and 200 events each.

SET client_min_messages = warning;
SET search_path = prod, pg_temp;
SET timezone = 'UTC';

CREATE TEMPORARY TABLE names AS SELECT
  ARRAY['Aldreya','Brimon','Corvelle','Dastrin','Elowyna','Fennick','Gisabel','Hadrick','Ilvane','Yorrick'] AS first,
  ARRAY['Ashgrovel','Birkenthal','Cravenholt','Dunmarrow','Eskerby','Fallowmere','Grenstrom','Hollinvar',
        'Ivarsmead','Jessengard','Kettlewynd','Lorimark','Marlothwaite'] AS last;

INSERT INTO plans VALUES ('free', 0), ('team', 49), ('enterprise', 490);

INSERT INTO tenants
SELECT i, slug, plan, initcap(slug) || ' Instruments', 'billing@' || slug || '.example',
       jsonb_build_object('theme', 'dark', 'locale', 'en', 'sso', jsonb_build_object(
         'issuer', 'https://login.' || slug || '.example/realm', 'admin', 'root@' || slug || '.example'))
  FROM (VALUES (1, 'northolme', 'team'), (2, 'vellamar', 'enterprise'), (3, 'quorinth', 'free'),
               (4, 'zestaluna', 'team')) AS t (i, slug, plan);

INSERT INTO users
SELECT t.id, md5('user' || t.id || '/' || i)::uuid,
       lower(n.first[1 + i % 10]) || '.' || lower(n.last[1 + (i + t.id) % 13]) || i || '@' || t.slug || '.example',
       n.first[1 + i % 10] || ' ' || n.last[1 + (i + t.id) % 13],
       ('198.51.100.' || i + t.id)::inet, '{}'
  FROM tenants AS t, generate_series(1, 30) AS i, names AS n;
UPDATE users SET profile = jsonb_build_object(
  'theme', 'light', 'display_name', full_name,
  'contacts', jsonb_build_array(jsonb_build_object('kind', 'work', 'email', email),
                                jsonb_build_object('kind', 'home', 'email', 'home.' || email)),
  'phone', '+1 (802) 555-' || lpad((abs(hashtext(email)) % 10000)::text, 4, '0'),
  'recovery_code', md5('recovery' || email));

INSERT INTO projects
SELECT t.id, i, md5('user' || t.id || '/' || 1 + i % 30)::uuid,
       (ARRAY['Launch', 'Billing', 'Hiring', 'Security review'])[1 + i % 4] || ' ' || i
  FROM tenants AS t, generate_series(1, 12) AS i;

INSERT INTO documents
SELECT t.id, i, 1 + i % 12, u.id, jsonb_build_object(
         'title', 'Minutes ' || i, 'words', 100 + i * 7, 'draft', i % 3 = 0,
         'author', jsonb_build_object('name', u.full_name, 'email', u.email),
         'comments', jsonb_build_array(jsonb_build_object('by', u.email, 'text', 'Ask ' || u.full_name || ' about it.')),
         'shared_with', jsonb_build_object('guest' || i || '@partner.example', 'read'))
  FROM tenants AS t, generate_series(1, 80) AS i
  JOIN LATERAL (SELECT * FROM users AS u
                 WHERE u.id = md5('user' || t.id || '/' || 1 + i * 7 % 30)::uuid) AS u ON true;

INSERT INTO events (tenant_id, user_id, at, kind, payload)
SELECT t.id, u.id, timestamptz '2025-03-01 09:00:00' + i * interval '53 minutes',
       (ARRAY['login', 'open', 'share', 'export'])[1 + i % 4],
       jsonb_build_object('actor', u.email, 'ip', host(u.last_ip), 'path', '/projects/' || 1 + i % 12, 'ms', 20 + i % 90)
  FROM tenants AS t, generate_series(1, 200) AS i
  JOIN LATERAL (SELECT * FROM users AS u
                 WHERE u.id = md5('user' || t.id || '/' || 1 + i * 11 % 30)::uuid) AS u ON true
 ORDER BY t.id, i;

INSERT INTO api_keys SELECT t.id, t.id, md5('secret' || t.id) FROM tenants AS t;
INSERT INTO feature_flags VALUES ('new_editor', true), ('dark_launch', false);
