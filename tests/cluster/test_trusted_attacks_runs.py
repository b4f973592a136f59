"""Runs and views: nothing of the owner of a source, a neighbor or a function runs as the one who runs.

Locks hold tables, and statements have names in them: the names of schemas, of sequences and of functions
in definitions lead elsewhere while another table loads.
"""

import psycopg
import pytest

from samples import make_small, profile
from test_escalation import HeldLoad
from test_hostile import mallory as mallory_fixture
from test_hostile import people_of, ran
from trusted_plants import CAST, DIFFERENCE, FOREIGN, IDS, IN_RANGES

mallory = mallory_fixture

# Whatever is called there makes its owner a superuser, if it can.
DEEP = """
CREATE FUNCTION evil.deep() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('is_superuser') = 'on' THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
END $$;
"""


def is_superuser(db, mallory):
    return db.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [mallory.role])


def plant(mallory, text):
    """A plant that is written for a schema of another name."""
    mallory.execute("CREATE SEQUENCE IF NOT EXISTS evil.called;" + text.replace("theirs.", "evil."))


def was_called(db):
    return db.value("SELECT is_called FROM evil.called")


@pytest.mark.parametrize("what", ["table", "view", "foreign"])
def test_a_schema_that_takes_the_name_of_the_source_is_not_read(db, mallory, what):
    people_of(mallory)
    mallory.execute("CREATE TABLE prod.zoo (id int PRIMARY KEY, email text, note text);"
                    "INSERT INTO prod.zoo VALUES (1, 'g@x.example', 'x'), (2, 'h@x.example', NULL)")
    plant(mallory, CAST.format(id="integer", value=IDS["integer"]) + DIFFERENCE)
    mallory.execute(f"""
        CREATE SCHEMA trap; ALTER TABLE evil.cast_trap SET SCHEMA trap; ALTER TABLE trap.cast_trap RENAME TO table_zoo;
        CREATE VIEW trap.view_zoo AS SELECT id, email::text, note::text FROM trap.table_zoo
         WHERE {IN_RANGES.replace("theirs.", "evil.")}""")
    if what == "foreign":
        foreign(db, mallory)
        mallory.execute("ALTER FOREIGN TABLE evil.foreign_trap SET SCHEMA trap;"
                        "ALTER FOREIGN TABLE trap.foreign_trap RENAME TO foreign_zoo")
    db.load(profile({"people": {"email": "mail"}, "zoo": {"email": "mail"}}))
    db.sync()
    held = HeldLoad(db)
    kind = {"foreign": "FOREIGN TABLE"}.get(what, what.upper())
    mallory.execute(f"ALTER {kind} trap.{what}_zoo RENAME TO zoo; BEGIN; ALTER SCHEMA prod RENAME TO prod_was;"
                    "ALTER SCHEMA trap RENAME TO prod; COMMIT")
    error = held.let_go()
    assert error is not None
    assert not was_called(db)


def foreign(db, mallory):
    db.execute("CREATE EXTENSION postgres_fdw")
    db.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {mallory.role}")
    at = db.server.environment
    plant(mallory, FOREIGN.format(host=at["PGHOST"], port=at["PGPORT"], name=db.name))


def test_a_foreign_partition_attached_during_the_load_is_not_read(db, mallory):
    people_of(mallory)
    foreign(db, mallory)
    mallory.execute("""
        CREATE TABLE prod.zoo (id int, email text, note text, at date) PARTITION BY LIST (id);
        CREATE TABLE prod.zoo1 PARTITION OF prod.zoo FOR VALUES IN (1); INSERT INTO prod.zoo VALUES (1, 'x@x.example')""")
    db.load(profile({"people": {"email": "mail"}, "zoo": {"email": "mail"}}))
    db.sync()
    held = HeldLoad(db)
    mallory.execute("SET lock_timeout = '3s'; ALTER TABLE prod.zoo ATTACH PARTITION evil.foreign_trap DEFAULT")
    assert held.let_go() is not None
    assert not was_called(db)


def test_a_table_in_the_place_of_a_sequence_is_not_read(db, mallory):
    people_of(mallory)
    mallory.execute("CREATE SEQUENCE prod.codes; ALTER TABLE prod.people ADD code text DEFAULT nextval('prod.codes')::text")
    plant(mallory, """
        CREATE TYPE evil.t AS (v bigint);
        CREATE FUNCTION evil.f(evil.t) RETURNS bigint LANGUAGE sql AS
          $$ SELECT length(pg_read_file('/etc/passwd')) + nextval('evil.called') $$;
        CREATE CAST (evil.t AS bigint) WITH FUNCTION evil.f(evil.t) AS IMPLICIT;
        CREATE TABLE evil.trap (last_value evil.t, is_called boolean);
        INSERT INTO evil.trap VALUES ('(7)'::evil.t, true)""")
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    held = HeldLoad(db)
    mallory.execute("BEGIN; ALTER SEQUENCE prod.codes RENAME TO codes_was; ALTER TABLE evil.trap SET SCHEMA prod;"
                    "ALTER TABLE prod.trap RENAME TO codes; COMMIT")
    assert held.let_go().sqlstate == "42501"
    assert not was_called(db)


@pytest.mark.parametrize("safety", ["UNSAFE", "SAFE"])
def test_a_function_that_took_the_name_of_that_of_an_index_is_not_run(db, mallory, safety):
    db.execute(f"CREATE SCHEMA app AUTHORIZATION {mallory.role};"
               "CREATE FUNCTION app.fine(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)'")
    make_small(db)
    db.execute("CREATE INDEX ON prod.people (app.fine(note))")
    if safety == "SAFE":
        # So that the server asks for workers, in which nobody holds anything back.
        db.execute("INSERT INTO prod.people SELECT i, i || '@mail.example', repeat('n', 900) FROM"
                   " generate_series(1000, 4000) i")
        db.execute("ALTER SYSTEM SET min_parallel_table_scan_size = 0")
        db.execute("SELECT pg_reload_conf()")
    try:
        db.sync()
        held = HeldLoad(db)
        mallory.execute("ALTER SCHEMA app RENAME TO app_was; CREATE SCHEMA app;" + DEEP.format(role=mallory.role) + f"""
            CREATE FUNCTION app.fine(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL {safety} AS $$
            BEGIN PERFORM evil.note(); PERFORM evil.deep(); RETURN upper(v); END $$""")
        error = held.let_go()
    finally:
        db.execute("ALTER SYSTEM RESET min_parallel_table_scan_size")
        db.execute("SELECT pg_reload_conf()")
    assert error.sqlstate == "42501", error
    assert not ran(db) and not is_superuser(db, mallory)


def test_a_function_that_took_the_name_of_that_of_a_check_does_not_stay(db, mallory):
    """It is not called by the load, which writes no such value; it would be by the next one who does."""
    db.execute(f"CREATE SCHEMA app AUTHORIZATION {mallory.role};"
               "CREATE FUNCTION app.fine() RETURNS text LANGUAGE sql AS $$SELECT 'x'$$")
    make_small(db)
    db.execute("ALTER TABLE prod.people ALTER note SET DEFAULT app.fine()")
    db.load(profile({"people": {"email": "mail"}}))
    db.execute("SELECT * FROM confiture.plan('small', 'prod', 'fresh')")
    # Between the plan, which says what is executed, and the statement.
    db.execute("CREATE FUNCTION public.rename() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
               "  IF to_regnamespace('app_was') IS NULL THEN"
               "    ALTER SCHEMA app RENAME TO app_was; CREATE SCHEMA app;"
               "    CREATE FUNCTION app.fine() RETURNS text LANGUAGE sql AS 'SELECT evil.text(NULL)';"
               f"    ALTER FUNCTION app.fine() OWNER TO {mallory.role};"
               "  END IF; END $$;"
               "CREATE EVENT TRIGGER rename ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA')"
               " EXECUTE FUNCTION public.rename()")
    error = db.sync_refused("42501", target="fresh")
    assert "app.fine" in str(error.message_detail) or "default" in error.message_primary, error
    assert db.value("SELECT to_regnamespace('fresh')") is None


@pytest.mark.parametrize("options", ['{"mode": "swap"}', "{}"])
def test_a_cast_of_a_neighbor_is_not_run(db, options):
    role = db.role("owner")
    make_small(db)
    db.sync()
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {role}; GRANT USAGE ON SCHEMA staging TO {role};"
               f"GRANT REFERENCES ON staging.people TO {role}")
    session = db.session(role)
    session.execute("CREATE SEQUENCE theirs.called")
    session.execute(f"""
        CREATE TYPE theirs.t AS (v int);
        CREATE FUNCTION theirs.i(a theirs.t) RETURNS integer LANGUAGE sql AS
          $$ SELECT (a).v + 0 * (CASE WHEN current_user <> '{role}'
                    THEN length(pg_read_file('/etc/passwd')) + nextval('theirs.called') ELSE 0 END)::int $$;
        CREATE CAST (theirs.t AS integer) WITH FUNCTION theirs.i(theirs.t) AS IMPLICIT;
        CREATE TABLE theirs.child (x theirs.t REFERENCES staging.people(id));
        INSERT INTO theirs.child SELECT ('(' || i || ')')::theirs.t FROM generate_series(1, 3) i""")
    db.execute("SELECT setval('theirs.called', 1, false)")
    try:
        db.sync(options=options)
    except psycopg.Error as error:
        report = error.diag
    if "swap" in options:
        assert report.sqlstate == "42501"
        assert "cast from theirs.t to integer would run with your rights" in report.message_primary
    assert not db.value("SELECT is_called FROM theirs.called")


@pytest.mark.parametrize("constant", [
    "CREATE INDEX ON prod.people ((note || evil.text('x')))",
    "CREATE STATISTICS prod.s ON (evil.text('x') || note), id FROM prod.people",
])
def test_materialized_views_are_filled_with_no_code_of_the_table(db, mallory, constant):
    people_of(mallory)
    mallory.execute(f"ANALYZE prod.people; {constant};" + DEEP.format(role=mallory.role) + """
        CREATE OR REPLACE FUNCTION evil.text(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN PERFORM evil.note(); PERFORM evil.deep(); RETURN coalesce(v, 'x'); END $$""")
    db.execute("SELECT setval('evil.ran', 1, false)")
    db.load(profile({"people": {"email": "mail"}}))
    ask = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', '{\"materialized\": true}')"
    db.refused("42501", ask)
    assert not ran(db) and not is_superuser(db, mallory)
    # And where it was planted behind the view.
    mallory.execute("DROP INDEX IF EXISTS prod.people_expr_idx; DROP STATISTICS IF EXISTS prod.s")
    db.rows(ask)
    mallory.execute(constant)
    db.execute("SELECT setval('evil.ran', 1, false)")
    db.refused("42501", "SELECT * FROM confiture.refresh_masked_views('seen')")
    assert not ran(db) and not is_superuser(db, mallory)


def test_the_owner_of_tables_and_functions_is_served(db, mallory):
    people_of(mallory)
    db.execute(f"SELECT confiture.grant_access('operator', '{mallory.role}')")
    mallory.execute("CREATE TYPE prod.mood AS ENUM ('good'); ALTER TABLE prod.people ADD mood prod.mood DEFAULT 'good';"
                    "CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE)); ALTER TABLE prod.people ADD d prod.d;"
                    "CREATE INDEX ON prod.people ((note || evil.text('x')))")
    assert mallory.rows("SELECT * FROM confiture.detect('prod')")
    assert mallory.value("SELECT anon_k_anonymity('prod.people', '{note}')") is not None


def test_an_operator_of_somebody_else_is_not_used(db, mallory):
    """It stands for a function of the server: for which, its owner says at any moment."""
    mallory.execute("CREATE OPERATOR evil.==== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)")
    make_small(db)
    db.execute("ALTER TABLE prod.people ADD CHECK (note OPERATOR(evil.====) note)")
    report = db.sync_refused("42501")
    assert "operator evil.====(text,text)" in report.message_detail
