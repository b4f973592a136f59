"""What a function of a superuser leads to is not all his own: domains, operators and tables of others."""

import pytest

from samples import make_small
from test_hostile import mallory as mallory_fixture

mallory = mallory_fixture

# What harms is the server's own, and runs with the rights of whoever evaluates it; the sequence tells.
HARM = "length(pg_read_file('/etc/passwd')) + nextval('evil.called') > 0"
DOMAIN = f"CREATE DOMAIN evil.d AS text CHECK ({HARM})"
# An operator may stand for any function of the server.
OPERATOR = """
CREATE OPERATOR evil.@@@ (LEFTARG = regclass, RIGHTARG = bigint, FUNCTION = setval)"""

# A function of a superuser that an index of the table calls.
VIA = {
    "variable": (DOMAIN, "plpgsql", "DECLARE d evil.d; BEGIN d := v; RETURN d; END"),
    "argument of another": (DOMAIN, "plpgsql", "BEGIN RETURN app.inner(v::evil.d); END"),
    "row": (f"{DOMAIN}; CREATE TYPE evil.c AS (d evil.d)", "plpgsql",
            "DECLARE c evil.c; BEGIN c.d := v; RETURN c.d; END"),
    "array": (DOMAIN, "plpgsql", "DECLARE d evil.d[]; BEGIN d[1] := v; RETURN d[1]; END"),
    "read from text": (DOMAIN, "plpgsql", "DECLARE d evil.d[]; BEGIN d := '{x}'::text; RETURN v; END"),
    "in line": (DOMAIN, "sql", "SELECT (v::evil.d)::text"),
    "in line, deeper": (DOMAIN, "sql", "SELECT app.inner(v)"),
    "operator": (OPERATOR, "sql", "SELECT v || ('evil.called'::regclass OPERATOR(evil.@@@) 7)::text"),
    "operator in plpgsql": (OPERATOR, "plpgsql",
                            "BEGIN RETURN v || ('evil.called'::regclass OPERATOR(evil.@@@) 7)::text; END"),
}

# A table of hers that a trigger of a superuser writes to.
WRITTEN = {
    "default": f"CREATE TABLE evil.log (who text, n boolean DEFAULT {HARM})",
    "check": f"CREATE TABLE evil.log (who text, CHECK ({HARM}))",
    "default of a domain": f"""
        CREATE DOMAIN evil.n AS boolean DEFAULT {HARM};
        CREATE TABLE evil.log (who text, n evil.n)""",
    "check of a domain": f"{DOMAIN}; CREATE TABLE evil.log (who evil.d)",
    "check of a partition": f"""
        CREATE TABLE evil.log (who text) PARTITION BY LIST (who);
        CREATE TABLE evil.part PARTITION OF evil.log (CHECK ({HARM})) DEFAULT""",
}


def called(db):
    return db.value("SELECT last_value > 1 OR is_called FROM evil.called")


def app(db, mallory):
    """A schema of the superuser, and a sequence of hers that tells what ran."""
    make_small(db)
    mallory.execute("CREATE SEQUENCE evil.called")
    db.execute("""
        CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO PUBLIC;
        CREATE FUNCTION app.inner(v text) RETURNS text LANGUAGE sql AS 'SELECT v'""")


def has_noted(db, does, declared=""):
    """Rows of the target go through a trigger of the superuser, whose function does something."""
    db.execute(f"""
        CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
          $f$ DECLARE {declared} BEGIN {does}; RETURN NEW; END $f$;
        CREATE TRIGGER note BEFORE INSERT ON staging.people FOR EACH ROW EXECUTE FUNCTION app.note()""")


def index(db, mallory, how):
    """Gives the target an index by a function of the superuser, which leads to what is hers."""
    plant, language, body = VIA[how]
    app(db, mallory)
    mallory.execute(plant)
    if how == "in line, deeper":
        db.execute("CREATE OR REPLACE FUNCTION app.inner(v text) RETURNS text LANGUAGE sql"
                   " AS 'SELECT (v::evil.d)::text'")
    db.execute(f"CREATE FUNCTION app.via(v text) RETURNS text LANGUAGE {language} IMMUTABLE AS $${body}$$")
    db.sync()
    db.execute("TRUNCATE staging.people; CREATE INDEX ON staging.people (app.via(note))")


@pytest.mark.parametrize("how", VIA)
def test_an_index_by_a_function_of_a_superuser_runs_nothing_of_others(db, mallory, how):
    index(db, mallory, how)
    assert called(db) is False
    db.sync_refused("42501")
    assert called(db) is False
    # The plant is alive: by hand it runs.
    db.execute("SELECT app.via('x')")
    assert called(db) is True


@pytest.mark.parametrize("what", WRITTEN)
def test_a_table_that_a_trigger_of_a_superuser_writes_to_evaluates_nothing_of_others(db, mallory, what):
    app(db, mallory)
    mallory.execute(WRITTEN[what])
    db.sync()
    has_noted(db, "INSERT INTO evil.log (who) VALUES (NEW.email)")
    assert called(db) is False
    db.sync_refused("42501", options='{"triggers": "fire"}')
    assert called(db) is False
    db.execute("INSERT INTO staging.people SELECT 99, 'x', 'x'")
    assert called(db) is True


def test_what_trusted_functions_name_runs(db, mallory):
    """Statements, checks and defaults of the superuser may name what they like."""
    app(db, mallory)
    db.sync()
    db.execute("""
        CREATE DOMAIN app.d AS text CHECK (current_setting('app.x', true) IS NULL);
        CREATE TABLE app.log (who text CHECK (current_setting('app.x', true) IS NULL), d app.d,
          what text DEFAULT inet_server_addr()::text, at regclass);
        CREATE TABLE app.parts (who text) PARTITION BY LIST (who);
        CREATE TABLE app.part PARTITION OF app.parts (CHECK (pg_backend_pid() > 0)) DEFAULT;
        CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE r regclass := 'app.log'::text; d date := now(); x text := pg_backend_pid();
        BEGIN
          INSERT INTO app.log (who, d, at) VALUES (NEW.email, x, r);
          INSERT INTO app.parts VALUES (NEW.email);
          PERFORM jsonb_agg(l), json_object_agg(l.who, l.d), string_agg(l.who, ',') FROM app.log l;
          PERFORM txid_current();
          RETURN NEW;
        END $$;
        CREATE TRIGGER note BEFORE INSERT ON staging.people FOR EACH ROW EXECUTE FUNCTION app.note()""")
    for _ in range(2):
        db.sync(options='{"triggers": "fire"}')
    assert db.value("SELECT count(*) FROM app.log") == 2 * db.value("SELECT count(*) FROM prod.people")


PARALLEL = """
CREATE FUNCTION app.via(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
  $$ DECLARE d evil.d; BEGIN d := v; RETURN d; END $$"""


def test_nothing_of_others_runs_in_a_worker_of_the_server(db, mallory):
    """Nobody holds anything back there: so what leads to others stays with whoever asked."""
    app(db, mallory)
    # No sequence can be called there. What is evaluated refuses every value.
    mallory.execute("CREATE DOMAIN evil.d AS text CHECK (length(pg_read_file('/etc/passwd')) < 0)")
    db.execute(PARALLEL)
    db.sync()
    db.execute("TRUNCATE staging.people; CREATE INDEX ON staging.people (app.via(note));"
               "ALTER TABLE staging.people SET (parallel_workers = 2)")
    db.sync_refused("42501")
    db.execute("ALTER TABLE prod.people SET (parallel_workers = 2);"
               "CREATE VIEW app.seen AS SELECT app.via(note) AS note FROM prod.people;"
               "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    db.refused("23514", "SELECT note FROM app.seen")
