-- A schema in five languages that the classifier was never fitted to: it was written first. Nobody
-- in it exists; numbers have right check digits where there are any.

CREATE SCHEMA held;
SET search_path = held, pg_temp;

-- fr: a doctor's office
CREATE TABLE patients (
  id_patient   serial PRIMARY KEY,
  nom          varchar(60) NOT NULL,
  prenom       varchar(60) NOT NULL,
  "dateNaiss"  date,
  nss          varchar(21),
  tel_domicile varchar(20),
  courriel     varchar(120),
  adr_ligne1   varchar(120),
  cp           char(5),
  ville        varchar(80),
  medecin_traitant varchar(120),
  allergies    text,
  groupe_sanguin varchar(3),
  mutuelle     varchar(60),
  actif        boolean NOT NULL DEFAULT true,
  cree_le      timestamptz NOT NULL DEFAULT '2024-01-01'
);
CREATE TABLE consultations (
  id           serial PRIMARY KEY,
  id_patient   integer NOT NULL REFERENCES patients,
  date_rdv     timestamptz NOT NULL,
  motif        text,
  compte_rendu text,
  tarif        numeric(8,2),
  statut       varchar(12)
);

-- de: personnel
CREATE TABLE mitarbeiter (
  personalnr   integer PRIMARY KEY,
  vorname      text NOT NULL,
  nachname     text NOT NULL,
  geburtsdatum date,
  strasse      text,
  hausnr       text,
  plz          text,
  ort          text,
  handynr      text,
  steuer_id    text,
  kontonummer  text,
  gehalt       numeric(10,2),
  abteilung_id integer,
  eintritt     date,
  religion     text,
  "notfallKontakt" text,
  bemerkung    text
);
CREATE TABLE abteilung (
  id           integer PRIMARY KEY,
  bezeichnung  text NOT NULL,
  kostenstelle text,
  ort          text
);

-- es: a shop
CREATE TABLE clientes (
  id_cliente   bigint PRIMARY KEY,
  nombre       varchar(80),
  apellido1    varchar(80),
  apellido2    varchar(80),
  dni          varchar(12),
  correo       varchar(100),
  movil        varchar(20),
  direccion    varchar(200),
  localidad    varchar(80),
  provincia    varchar(60),
  codpostal    varchar(10),
  fecha_nac    date,
  fecha_alta   date,
  puntos       integer,
  acepta_publicidad boolean
);
CREATE TABLE productos (
  id_producto  integer PRIMARY KEY,
  nombre       text NOT NULL,
  descripcion  text,
  precio       numeric(8,2),
  peso_kg      real,
  ean          varchar(13),
  url_imagen   text
);

-- pt: school
CREATE TABLE alunos (
  matricula    integer PRIMARY KEY,
  nome_completo text NOT NULL,
  apelido      text,
  cpf          varchar(14),
  telefone     text,
  endereco     text,
  bairro       text,
  cidade       text,
  cep          varchar(9),
  nome_mae     text,
  data_nasc    date,
  turma        text,
  nota_media   numeric(4,2)
);
CREATE TABLE disciplinas (
  codigo       text PRIMARY KEY,
  nome         text NOT NULL,
  carga_horaria integer
);

-- en: an application, with names that say little or mislead
CREATE TABLE "User" (
  id           uuid PRIMARY KEY,
  "userName"   text,
  "eMail"      text,
  "isEmailVerified" boolean,
  "mobileNumber" text,
  dob          date,
  "pwdHash"    text,
  "lastLoginIp" text,
  "userAgent"  text,
  "avatarUrl"  text,
  "displayName" text,
  locale       text,
  "loginCount" integer,
  "apiToken"   text,
  latitude     double precision,
  longitude    double precision,
  "createdAt"  timestamptz
);
CREATE TABLE messages (
  id           bigint PRIMARY KEY,
  sender_id    uuid,
  recipient_mail text,
  subject      text,
  body         text,
  sent_at      timestamptz,
  is_read      boolean
);
CREATE TABLE applicants (
  id           bigint PRIMARY KEY,
  data         jsonb,
  field_1      text,
  field_2      text,
  extra        text[],
  cv           bytea,
  score        integer
);
CREATE TABLE audit_trail (
  id           bigint PRIMARY KEY,
  actor        text,
  action       text,
  remote_addr  inet,
  object_name  text,
  at           timestamptz
);

-- nothing personal
CREATE TABLE settings (key text PRIMARY KEY, value text, description text);
CREATE TABLE warehouses (id integer PRIMARY KEY, name text, code text, capacity integer);
CREATE TABLE countries (iso char(2) PRIMARY KEY, name text, phone_prefix text, currency text);
CREATE TABLE email_templates (id integer PRIMARY KEY, name text, subject text, body text);
CREATE TABLE firewall_rules (id integer PRIMARY KEY, ip_allowed cidr, port integer, note text);
CREATE TABLE invoices (
  id bigint PRIMARY KEY, id_cliente bigint REFERENCES clientes, number text UNIQUE,
  issued_on date, net numeric(10,2), vat numeric(10,2), email_count integer,
  billing_name text, "creditCardNo" text, iban text
);

-- Rows ------------------------------------------------------------------------------------------

INSERT INTO patients (nom, prenom, "dateNaiss", nss, tel_domicile, courriel, adr_ligne1, cp, ville,
                      medecin_traitant, allergies, groupe_sanguin, mutuelle)
SELECT (ARRAY['Lefebvre', 'Moreau', 'Garnier', 'Chevalier', 'Rousseau'])[1 + i % 5],
       (ARRAY['Camille', 'Julien', 'Manon', 'Hugo', 'Chloé', 'Lucas'])[1 + i % 6],
       DATE '1950-01-01' + i * 137, '2 69 05 49 588 157 80',
       '01 42 68 53 ' || lpad((i % 100)::text, 2, '0'), 'p' || i || '@courrier.example',
       i || ' rue des Lilas', lpad((75000 + i % 20)::text, 5, '0'),
       (ARRAY['Paris', 'Lyon', 'Nantes'])[1 + i % 3], 'Dr Garnier',
       CASE i % 3 WHEN 0 THEN 'pénicilline' WHEN 1 THEN 'arachides' END,
       (ARRAY['A+', 'O-', 'B+'])[1 + i % 3], 'Mutuelle ' || i % 4
  FROM generate_series(1, 120) i;
INSERT INTO consultations (id_patient, date_rdv, motif, compte_rendu, tarif, statut)
SELECT i, TIMESTAMPTZ '2024-02-01' + i * INTERVAL '1 hour', 'Toux depuis trois jours',
       'Le patient se plaint de douleurs au dos depuis une semaine et dort mal.', 26.5, 'fini'
  FROM generate_series(1, 120) i;
INSERT INTO mitarbeiter
SELECT i, (ARRAY['Anna', 'Lukas', 'Petra', 'Jonas'])[1 + i % 4],
       (ARRAY['Schneider', 'Hoffmann', 'Becker', 'Krüger', 'Vogel'])[1 + i % 5],
       DATE '1960-01-01' + i * 111, 'Gartenweg', (i % 40)::text, (10115 + i)::text, 'Berlin',
       '0151 2345' || lpad(i::text, 4, '0'), '86095742719', 'DE89370400440532013000',
       3000 + i, i % 4, DATE '2010-01-01' + i, (ARRAY['rk', 'ev', '-'])[1 + i % 3],
       'Ehemann, 0170 55512' || lpad(i::text, 2, '0'), 'Hat am Freitag oft frei, pflegt die Mutter.'
  FROM generate_series(1, 60) i;
INSERT INTO abteilung VALUES (0, 'Einkauf', '4711', 'Haus A'), (1, 'Vertrieb', '4712', 'Haus B');
INSERT INTO clientes
SELECT i, (ARRAY['Lucía', 'Pablo', 'Carmen', 'Diego'])[1 + i % 4],
       (ARRAY['García', 'Moreno', 'Romero'])[1 + i % 3], (ARRAY['Navarro', 'Ortega'])[1 + i % 2],
       '12345678Z', 'c' || i || '@correo.example', '6' || lpad((12345000 + i)::text, 8, '0'),
       'Calle Mayor ' || i, 'Madrid', 'Madrid', '28013', DATE '1970-01-01' + i * 99,
       DATE '2020-01-01' + i, i * 10, i % 2 = 0
  FROM generate_series(1, 90) i;
INSERT INTO productos
SELECT i, 'Tornillo M' || i, 'Tornillo de acero inoxidable con cabeza plana, caja de cien unidades.',
       i * 0.5, 0.1, '8412345678' || lpad(i::text, 3, '0'), 'https://cdn.shop.example/p' || i || '.jpg'
  FROM generate_series(1, 50) i;
INSERT INTO alunos
SELECT 2000 + i, (ARRAY['Beatriz', 'Tiago', 'Inês', 'Rafael'])[1 + i % 4] || ' '
         || (ARRAY['Almeida', 'Carvalho', 'Teixeira'])[1 + i % 3],
       'Bia' || i, '529.982.247-25', '(11) 91234-' || lpad(i::text, 4, '0'), 'Rua das Flores, ' || i,
       'Centro', 'Campinas', '13010-' || lpad(i::text, 3, '0'), 'Helena Almeida',
       DATE '2008-01-01' + i * 13, (ARRAY['7A', '7B'])[1 + i % 2], 7.5
  FROM generate_series(1, 60) i;
INSERT INTO disciplinas VALUES ('MAT', 'Matemática', 80), ('HIS', 'História', 60);
INSERT INTO "User"
SELECT md5(i::text)::uuid, 'user' || i, 'u' || i || '@app.example', i % 2 = 0,
       '+44 7911 12' || lpad(i::text, 4, '0'), DATE '1980-01-01' + i * 77, md5('p' || i),
       '203.0.113.' || i % 250, 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/115.0',
       'https://img.app.example/u/' || i || '.png', 'Cool Cat ' || i, 'en_GB', i, md5('t' || i),
       51.5 + i * 0.001, -0.12 + i * 0.001, TIMESTAMPTZ '2024-01-01' + i * INTERVAL '1 hour'
  FROM generate_series(1, 150) i;
INSERT INTO messages
SELECT i, md5(i::text)::uuid, 'u' || i || '@app.example', 'Re: your offer',
       'Hi, please call me at +44 20 7946 0' || lpad((i % 1000)::text, 3, '0') || ' after six. Thanks, Emma',
       TIMESTAMPTZ '2024-03-01' + i * INTERVAL '1 hour', true
  FROM generate_series(1, 120) i;
INSERT INTO applicants
SELECT i, jsonb_build_object('contact', jsonb_build_object('mail', 'a' || i || '@job.example',
                             'phone', '+49 30 901820' || lpad(i::text, 2, '0')), 'level', i % 3),
       'x' || i || '@job.example',
       (ARRAY['Olivia Bennett', 'Ethan Parker', 'Grace Morgan', 'Liam Foster'])[1 + i % 4],
       ARRAY['y' || i || '@job.example'], '\x00', i
  FROM generate_series(1, 80) i;
INSERT INTO audit_trail
SELECT i, (ARRAY['emma.wilson', 'j.parker', 'root'])[1 + i % 3], 'UPDATE', ('198.51.100.' || i % 250)::inet,
       'table_' || i, TIMESTAMPTZ '2024-03-01' + i * INTERVAL '1 minute'
  FROM generate_series(1, 80) i;
INSERT INTO settings VALUES ('smtp_host', 'mail.internal', 'Host that takes outgoing mail'),
  ('page_size', '50', 'Rows on a page');
INSERT INTO warehouses SELECT i, 'Hall ' || i, 'W' || i, i * 100 FROM generate_series(1, 9) i;
INSERT INTO countries VALUES ('FR', 'France', '+33', 'EUR'), ('DE', 'Germany', '+49', 'EUR'),
  ('BR', 'Brazil', '+55', 'BRL');
INSERT INTO email_templates VALUES (1, 'welcome', 'Welcome!', 'Dear {{name}}, thank you for joining.'),
  (2, 'reset', 'Your password', 'Follow this link to choose another password: {{link}}');
INSERT INTO firewall_rules VALUES (1, '10.0.0.0/8', 443, 'office network'), (2, '192.0.2.0/24', 22, 'bastion');
INSERT INTO invoices
SELECT i, i, 'F-2024-' || i, DATE '2024-01-01' + i, i * 1.5, i * 0.3, i % 3,
       (ARRAY['Lucía García', 'Pablo Moreno'])[1 + i % 2], '4111 1111 1111 1111', 'GB82 WEST 1234 5698 7654 32'
  FROM generate_series(1, 90) i;
