"""Mode swap: everything that belongs to a table of the target stays, and what cannot is refused."""

import pytest

from samples import keep_all, make_partitioned, make_people, make_small, profile
from swapping import catalog, check_files, files, swap

# Dropped columns in front and between, every kind of index, what computes, what refers.
RICH = """
CREATE SCHEMA prod; CREATE SCHEMA staging; CREATE SCHEMA other;
CREATE TABLE prod.people (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL,
  note text, born integer NOT NULL DEFAULT 7, code varchar(40), spare text DEFAULT 'none',
  size integer GENERATED ALWAYS AS (length(note)) STORED, span int4range, tags text[]);
CREATE TABLE prod.visits (id serial PRIMARY KEY, person integer REFERENCES prod.people, at integer);
INSERT INTO prod.people (email, note, code, span, tags)
  SELECT i || '@mail.example', repeat(md5(i::text), 200), 'c' || i, int4range(i, i + 1), ARRAY['a', 'b']
    FROM generate_series(1, 300) i;
INSERT INTO prod.visits (person, at) SELECT i, i FROM generate_series(1, 300) i;

CREATE TABLE staging.people (junk integer, id integer GENERATED ALWAYS AS IDENTITY, gone text DEFAULT 'x',
  email text NOT NULL, note text, born integer NOT NULL DEFAULT 7, code varchar(40),
  spare text DEFAULT 'fresh', size integer GENERATED ALWAYS AS (length(note)) STORED,
  span int4range, tags text[],
  CONSTRAINT people_pkey PRIMARY KEY (id), CONSTRAINT born_check CHECK (born > 0),
  CONSTRAINT code_key UNIQUE (code) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT span_excl EXCLUDE USING gist (span WITH &&)) WITH (fillfactor = 80);
ALTER TABLE staging.people DROP COLUMN junk, DROP COLUMN gone;
CREATE TABLE staging.visits (id serial PRIMARY KEY, person integer REFERENCES staging.people, at integer);
INSERT INTO staging.people (email, note, code) SELECT 'old' || i, repeat(md5(i::text), 300), 'o' || i
  FROM generate_series(1, 50) i;
INSERT INTO staging.visits (person) SELECT id FROM staging.people;
ALTER TABLE staging.people ADD late text DEFAULT 'for rows that are older'; -- kept in the catalog
ALTER TABLE staging.people DROP COLUMN late;

CREATE TABLE other.orders (id integer PRIMARY KEY, person integer REFERENCES staging.people);
INSERT INTO other.orders VALUES (1, 7), (2, NULL);
CREATE TABLE other.times (at integer PRIMARY KEY); INSERT INTO other.times SELECT generate_series(1, 300);
ALTER TABLE staging.visits ADD CONSTRAINT of_time FOREIGN KEY (at) REFERENCES other.times;

CREATE INDEX people_lower ON staging.people (lower(email));
CREATE INDEX people_part ON staging.people (born) INCLUDE (code) WHERE born > 3;
CREATE INDEX people_tags ON staging.people USING gin (tags);
CREATE INDEX people_brin ON staging.people USING brin (born);
CREATE INDEX people_hash ON staging.people USING hash (code);
CREATE INDEX visits_at ON staging.visits (at);
ALTER TABLE staging.people CLUSTER ON people_pkey;
ALTER TABLE staging.people REPLICA IDENTITY USING INDEX people_pkey;
ALTER TABLE staging.people ALTER email SET STATISTICS 500, ALTER note SET STORAGE EXTERNAL,
  ALTER born SET (n_distinct = 5);
CREATE STATISTICS staging.together ON born, code FROM staging.people;
COMMENT ON TABLE staging.people IS 'masked'; COMMENT ON COLUMN staging.people.email IS 'made up';
COMMENT ON INDEX staging.people_lower IS 'for logins';
COMMENT ON CONSTRAINT born_check ON staging.people IS 'after creation';
CREATE VIEW staging.mails AS SELECT id, email FROM staging.people;
CREATE MATERIALIZED VIEW other.counted AS SELECT count(*) FROM staging.people;
CREATE FUNCTION other.refuse() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'fired'; END $$;
CREATE TRIGGER one BEFORE INSERT ON staging.people FOR EACH ROW EXECUTE FUNCTION other.refuse();
CREATE TRIGGER two AFTER TRUNCATE ON staging.people EXECUTE FUNCTION other.refuse();
ALTER TABLE staging.people ENABLE ALWAYS TRIGGER two;
CREATE POLICY mine ON staging.people USING (born > 1);
ALTER TABLE staging.people ENABLE ROW LEVEL SECURITY;
CREATE PUBLICATION out FOR TABLE staging.people, staging.visits;
"""

PEOPLE = {
    "rules": [{"column": "email", "strategy": "mail"}],
    "exclude": [{"column": "spare", "why": "not needed"}],
    "preserve": [{"column": "*", "why": "made up"}],
}


@pytest.fixture(name="rich")
def _rich(db):
    db.execute(RICH)
    reader = db.role("reader")
    db.execute(f'GRANT USAGE ON SCHEMA staging TO "{reader}"; GRANT SELECT (id, born), UPDATE (note)'
               f' ON staging.people TO "{reader}"; GRANT SELECT ON staging.visits TO PUBLIC')
    db.load(profile({"people": PEOPLE, "visits": keep_all()}, name="rich"))
    yield db
    db.execute("DROP PUBLICATION out")


OPTIONS = swap(adopt=True, triggers="skip")


def test_everything_that_belongs_to_a_table_stays(rich):
    kept, made = catalog(rich), files(rich)
    rich.sync("rich", options=OPTIONS)
    assert catalog(rich) == kept
    assert files(rich).keys() == made.keys()
    assert not set(files(rich).values()) & set(made.values())
    check_files(rich)
    assert rich.rows("SELECT count(*), count(DISTINCT email), min(spare), sum(size)"
                     " FROM staging.people WHERE email LIKE '%@example.com'") == [
        (300, 300, "fresh", 300 * 6400)]
    # Read by each of the indexes, and not from the heap alone.
    rich.execute("SET enable_seqscan = off; SET enable_bitmapscan = on")
    for condition, found in [("id = 7", 1), ("code = 'c7'", 1), ("tags @> ARRAY['a']", 300),
                             ("span && int4range(7, 8)", 1), ("born = 7", 300),
                             ("lower(email) = (SELECT lower(email) FROM staging.people WHERE id = 9)", 1)]:
        assert rich.value(f"SELECT count(*) FROM staging.people WHERE {condition}") == found
    assert rich.value("SELECT count(*) FROM staging.mails") == 300
    # Triggers and keys work as before: on what comes later.
    rich.refused("P0001", "INSERT INTO staging.people (email) VALUES ('x')")
    rich.refused("P0001", "TRUNCATE staging.people CASCADE")
    rich.refused("23503", "DELETE FROM staging.people WHERE id = 7")
    rich.refused("23503", "INSERT INTO staging.visits (person) VALUES (1000)")
    rich.execute("ALTER TABLE staging.people DISABLE TRIGGER one")
    rich.refused("23P01", "INSERT INTO staging.people (email, span) VALUES ('x', int4range(1, 5))")
    # Behind the new rows, and behind the two that were refused.
    assert rich.value("INSERT INTO staging.people (email) VALUES ('x') RETURNING id") == 303


def test_another_run_goes_on_from_there(rich):
    for _ in range(3):
        rich.sync("rich", options=OPTIONS)
        rich.execute("VACUUM (FREEZE) staging.people")
        check_files(rich)
    rich.execute("REINDEX SCHEMA staging")
    rich.execute("ALTER TABLE staging.people SET (fillfactor = 70); CLUSTER staging.people")
    check_files(rich)


@pytest.mark.parametrize("schema", ["other.orders", "staging.visits"])
def test_keys_from_and_to_tables_beside_the_run_are_held_against_the_new_rows(rich, schema):
    if schema == "other.orders":
        rich.execute("DELETE FROM prod.visits WHERE person = 7; DELETE FROM prod.people WHERE id = 7")
        key = "orders_person_fkey"
    else:
        rich.execute("UPDATE prod.visits SET at = 1000 WHERE id = 7")
        key = "of_time"
    before, made = rich.content("staging"), files(rich)
    report = rich.sync_refused("23000", "rich", options=OPTIONS)
    assert f'"constraint":"{key}"' in report.message_detail
    assert '"found":1' in report.message_detail
    assert (rich.content("staging"), files(rich)) == (before, made)


def test_tables_beside_the_run_belong_to_who_runs_it(rich):
    """Whoever runs it keeps their writers waiting, and reads them."""
    runner, other = rich.role("runner"), rich.role("other")
    rich.execute(f'ALTER TABLE other.orders OWNER TO "{other}"')
    for table in ("people", "visits"):
        rich.execute(f'ALTER TABLE staging.{table} OWNER TO "{runner}"; DROP TRIGGER IF EXISTS one'
                     f' ON staging.{table}; DROP TRIGGER IF EXISTS two ON staging.{table};'
                     f' GRANT SELECT ON prod.{table} TO "{runner}"')
    rich.execute(f'ALTER SCHEMA staging OWNER TO "{runner}"; ALTER TABLE other.times OWNER TO "{runner}";'
                 f' GRANT USAGE ON SCHEMA prod, other TO "{runner}";'
                 f" SELECT confiture.grant_access('operator', '{runner}')")
    session = rich.session(user=runner)
    report = session.plan_refused("42501", "rich", options=OPTIONS)
    assert report.message_primary == (
        'table "other.orders", which a foreign key ties to the target, belongs to role '
        f'"{other}"')
    rich.execute(f'GRANT "{other}" TO "{runner}"')
    session = rich.session(user=runner)
    session.sync("rich", options=OPTIONS)
    check_files(rich)


def test_partitions_get_new_rows_each_in_its_own_file(db):
    make_partitioned(db)
    db.load(profile({"a": keep_all(), "b": {"email": "mail"}}))
    db.sync()
    kept, made, before = catalog(db), files(db), db.content("staging")
    db.execute("UPDATE prod.b SET a = NULL WHERE a = 3")
    db.sync(options=swap())
    assert catalog(db) == kept
    assert not set(files(db).values()) & set(made.values())
    changed = {name for name, digest in db.content("staging").items() if digest != before[name]}
    assert changed <= {"staging.b", "staging.b1", "staging.b2"} and "staging.b" in changed
    db.refused("23503", "DELETE FROM staging.a WHERE id = 5")
    check_files(db)


def test_a_key_among_partitioned_tables_is_held_against_the_new_rows(db):
    make_partitioned(db)
    db.load(profile({"a": keep_all(), "b": {"email": "mail"}}))
    db.sync()
    before = db.content("staging")
    db.execute("ALTER TABLE prod.b DROP CONSTRAINT b_a_day_fkey; UPDATE prod.b SET a = 99 WHERE a = 3")
    report = db.sync_refused("23000", options=swap())
    assert '"constraint":"b_a_day_fkey"' in report.message_detail
    assert db.content("staging") == before


def test_a_missing_partition_and_a_foreign_one_are_refused(db):
    make_partitioned(db)
    db.load(profile({"a": keep_all(), "b": {"email": "mail"}}))
    db.sync()
    db.execute("CREATE TABLE prod.a3 PARTITION OF prod.a FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')")
    report = db.plan_refused("55000", options=swap())
    assert report.message_primary == 'target table "staging.a" lacks the partition "a3" of the source'
    db.sync()
    db.sync(options=swap())


def test_both_ends_of_a_match_full_key(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.p (a int, b int, PRIMARY KEY (a, b));"
               " CREATE TABLE prod.c (id int PRIMARY KEY, a int, b int);"
               " INSERT INTO prod.p VALUES (1, 1); INSERT INTO prod.c VALUES (1, 1, 1), (2, NULL, NULL)")
    db.load(profile({"p": keep_all(), "c": keep_all()}))
    db.sync()
    db.execute("ALTER TABLE staging.c ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES staging.p MATCH FULL")
    db.sync(options=swap())
    db.execute("INSERT INTO prod.c VALUES (3, 1, NULL)")
    assert '"found":1' in db.sync_refused("23000", options=swap()).message_detail


@pytest.mark.parametrize("of", ["table", "domain"])
def test_checks_that_are_not_valid_are_refused(db, of):
    make_people(db)
    if of == "domain":
        db.execute("CREATE DOMAIN prod.word AS text; ALTER TABLE prod.people ADD word prod.word")
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    if of == "domain":
        db.execute("ALTER DOMAIN staging.word ADD CONSTRAINT late CHECK (VALUE <> '') NOT VALID")
    else:
        db.execute("ALTER TABLE staging.people ADD CONSTRAINT late CHECK (id > 0) NOT VALID")
    report = db.plan_refused("0A000", options=swap())
    assert report.message_primary == "a CHECK of the target is NOT VALID"
    assert "late" in report.message_detail
    db.sync()


def test_triggers_without_a_word_are_refused_and_tables_of_others_too(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging; CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    db.sync_refused("55000", options=swap())
    db.sync(options=swap(adopt=True))
    db.execute("CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
               " CREATE TRIGGER t AFTER TRUNCATE ON staging.people EXECUTE FUNCTION public.f()")
    assert "has triggers" in db.sync_refused("55000", options=swap()).message_primary


def test_new_tables_beside_old_ones_are_made_with_their_keys(db):
    make_small(db)
    db.sync()
    db.execute("CREATE TABLE prod.child (id serial PRIMARY KEY, person int REFERENCES prod.people);"
               " INSERT INTO prod.child (person) VALUES (1), (2)")
    db.load(profile({"people": {"email": "mail"}, "child": keep_all()}, version="2"))
    db.sync(options=swap())
    db.refused("23503", "DELETE FROM staging.people WHERE id = 1")
    db.refused("23503", "INSERT INTO staging.child (person) VALUES (9)")
    check_files(db)
    db.sync(options=swap())
    assert db.value("INSERT INTO staging.child (person) VALUES (1) RETURNING id") == 3


def test_values_for_rows_older_than_a_column_go_with_them(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging; CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    db.execute("INSERT INTO staging.people VALUES (9, 'x', 'y')")
    for schema in ("prod", "staging"):
        db.execute(f"ALTER TABLE {schema}.people ADD owner text DEFAULT 'ada@work.example'")
    db.load(profile({"people": {"email": "mail", "owner": "mail"}}, version="2"))
    db.sync(options=swap(adopt=True))
    kept = "SELECT attrelid::regclass::text FROM pg_attribute WHERE atthasmissing"
    assert db.column(kept) == ["prod.people"]


def test_an_unlogged_target_stays_one(db):
    make_small(db)
    db.sync()
    db.execute("ALTER TABLE staging.people SET UNLOGGED")
    db.sync(options=swap())
    assert db.value("SELECT relpersistence FROM pg_class WHERE oid = 'staging.people'::regclass") == "u"
    check_files(db)
