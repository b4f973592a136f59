"""What functions of a superuser lead to, by ways that their own statements do not tell."""

import psycopg
import pytest

from samples import keep_all, profile
from test_hostile import mallory as mallory_fixture
from test_trusted_leads import HARM, app, called, has_noted

mallory = mallory_fixture

FIRE = '{"triggers": "fire"}'


def super_now(db, mallory):
    return db.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [mallory.role])


def index(db, body, language="plpgsql"):
    db.execute(f"CREATE FUNCTION app.via(v text) RETURNS text LANGUAGE {language} IMMUTABLE AS $${body}$$")
    db.sync()
    db.execute("TRUNCATE staging.people; CREATE INDEX ON staging.people (app.via(note))")


def test_a_domain_calls_no_helper_of_a_superuser(db, mallory):
    """What the check calls belongs to somebody trusted; that it is called here was never his wish."""
    app(db, mallory)
    db.execute("""CREATE FUNCTION app.exec(what text) RETURNS boolean LANGUAGE plpgsql AS
                  $$ BEGIN EXECUTE what; RETURN true; END $$""")
    mallory.execute(f"""CREATE DOMAIN evil.d AS text
                        CHECK (app.exec('ALTER ROLE {mallory.role} SUPERUSER') AND nextval('evil.called') > 0)""")
    index(db, "DECLARE d evil.d; BEGIN d := v; RETURN d; END")
    db.sync_refused("42501")
    assert called(db) is False and super_now(db, mallory) is False


@pytest.mark.parametrize("what", ["default", "check", "when"])
def test_a_table_calls_no_helper_of_a_superuser(db, mallory, what):
    app(db, mallory)
    db.execute("""CREATE FUNCTION app.exec(what text) RETURNS boolean LANGUAGE plpgsql AS
                  $$ BEGIN EXECUTE what; RETURN true; END $$""")
    exec = f"app.exec('ALTER ROLE {mallory.role} SUPERUSER')"
    mallory.execute({
        "default": f"CREATE TABLE evil.log (who text, n boolean DEFAULT {exec})",
        "check": f"CREATE TABLE evil.log (who text, CHECK ({exec}))",
        "when": f"""CREATE TABLE evil.log (who text); CREATE TRIGGER t BEFORE INSERT ON evil.log FOR EACH ROW
                    WHEN ({exec}) EXECUTE FUNCTION suppress_redundant_updates_trigger()""",
    }[what])
    db.sync()
    has_noted(db, "INSERT INTO evil.log (who) VALUES (NEW.email)")
    db.sync_refused("42501", options=FIRE)
    assert super_now(db, mallory) is False


def test_an_aggregate_begins_with_no_domain_of_others(db, mallory):
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM})")
    db.execute("""
        CREATE FUNCTION app.step(a evil.d, b text) RETURNS evil.d LANGUAGE plpgsql AS 'BEGIN RETURN a; END';
        CREATE FUNCTION app.last(a evil.d) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN a; END';
        CREATE AGGREGATE app.agg(text) (SFUNC = app.step, STYPE = evil.d, FINALFUNC = app.last);
        UPDATE pg_aggregate SET agginitval = 'x' WHERE aggfnoid = 'app.agg'::regproc;
        CREATE VIEW app.seen AS SELECT app.agg(note) AS note FROM prod.people""")
    assert called(db) is False
    db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    assert called(db) is False


def test_a_record_is_populated_with_no_domain_of_others(db, mallory):
    app(db, mallory)
    mallory.execute(f"""
        CREATE DOMAIN evil.d AS text; CREATE TABLE evil.t (d evil.d); INSERT INTO evil.t VALUES ('x');
        ALTER DOMAIN evil.d ADD CHECK ({HARM}) NOT VALID; GRANT SELECT ON evil.t TO PUBLIC""")
    db.execute("""CREATE VIEW app.seen AS
        SELECT jsonb_populate_record(t, '{"d": "y"}')::text AS note FROM (SELECT d FROM evil.t OFFSET 0) t""")
    assert called(db) is False
    db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    assert called(db) is False


@pytest.mark.parametrize("what", ["variable", "written"])
def test_what_a_trigger_of_a_superuser_does_at_the_end_is_held_back(db, mallory, what):
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM}); CREATE TABLE evil.log (who text CHECK ({HARM}))")
    body = {"variable": "DECLARE d evil.d; BEGIN d := NEW.email; RETURN NULL; END",
            "written": "BEGIN INSERT INTO evil.log VALUES (NEW.email); RETURN NULL; END"}[what]
    db.sync()
    db.execute(f"""
        CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;
        CREATE CONSTRAINT TRIGGER note AFTER INSERT ON staging.people DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION app.note()""")
    db.sync_refused("42501", options=FIRE)
    assert called(db) is False


LATE = """
CREATE FUNCTION evil.late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON evil.leaf DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evil.late()"""

LEAVES = {
    "partition": ("CREATE TABLE evil.log (who text) PARTITION BY LIST (who);"
                  "CREATE TABLE evil.leaf PARTITION OF evil.log DEFAULT",
                  "INSERT INTO evil.log VALUES (NEW.email)"),
    "child": ("CREATE TABLE evil.log (who text); CREATE TABLE evil.leaf () INHERITS (evil.log);"
              "INSERT INTO evil.leaf VALUES ('x')",
              "UPDATE evil.log SET who = 'y'"),
    "cascade": ("CREATE TABLE evil.log (who text PRIMARY KEY); INSERT INTO evil.log VALUES ('x');"
                "CREATE TABLE evil.leaf (who text REFERENCES evil.log ON UPDATE CASCADE);"
                "INSERT INTO evil.leaf VALUES ('x')",
                "UPDATE evil.log SET who = 'y'"),
    "copy": ("CREATE TABLE evil.leaf (who text)",
             "EXECUTE $x$COPY evil.leaf FROM PROGRAM 'echo x'$x$"),
}


@pytest.mark.parametrize("where", LEAVES)
def test_nothing_of_others_is_left_for_the_end(db, mallory, where):
    """A function of the superuser writes to her table; what hangs on a part of it would run at COMMIT."""
    tables, writes = LEAVES[where]
    app(db, mallory)
    mallory.execute(tables + ";" + LATE.format(role=mallory.role))
    db.sync()
    has_noted(db, writes)
    try:
        db.sync_refused("42501", options=FIRE)
    finally:
        assert super_now(db, mallory) is False


def test_a_trigger_that_she_made_hands_nothing_to_a_function_of_a_superuser(db, mallory):
    app(db, mallory)
    db.execute("""CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN EXECUTE TG_ARGV[0]; RETURN NEW; END $$""")
    mallory.execute(f"""CREATE TABLE evil.log (who text);
        CREATE TRIGGER t BEFORE INSERT ON evil.log FOR EACH ROW
          EXECUTE FUNCTION app.audit('ALTER ROLE {mallory.role} SUPERUSER')""")
    db.sync()
    has_noted(db, "INSERT INTO evil.log (who) VALUES (NEW.email)")
    db.sync_refused("42501", options=FIRE)
    assert super_now(db, mallory) is False


def test_a_table_that_is_emptied_hands_nothing_to_a_function_of_a_superuser(db, mallory):
    app(db, mallory)
    db.execute("""CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN EXECUTE TG_ARGV[0]; RETURN NULL; END $$""")
    mallory.execute(f"""CREATE TABLE evil.log (who text);
        CREATE TRIGGER t BEFORE TRUNCATE ON evil.log FOR EACH STATEMENT
          EXECUTE FUNCTION app.audit('ALTER ROLE {mallory.role} SUPERUSER')""")
    db.sync()
    has_noted(db, "TRUNCATE evil.log")
    db.sync_refused("42501", options=FIRE)
    assert super_now(db, mallory) is False
    db.execute("TRUNCATE evil.log")
    assert super_now(db, mallory) is True


def test_rows_that_go_leave_no_trigger_of_a_superuser_for_the_end(db, mallory):
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM})")
    db.execute("""
        CREATE TABLE app.pp (id int, note text); INSERT INTO app.pp VALUES (1, 'a'), (2, 'b');
        CREATE FUNCTION app.late() RETURNS trigger LANGUAGE plpgsql AS
          $$ DECLARE d evil.d; BEGIN d := OLD.note; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER t AFTER DELETE ON app.pp DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION app.late()""")
    ask = "SELECT * FROM anon_suppress_below_k('app.pp', '{note}', 2, false)"
    assert "put off" in db.refused("42501", ask).message_primary
    assert called(db) is False and db.value("SELECT count(*) FROM app.pp") == 2
    db.execute("DELETE FROM app.pp")
    assert called(db) is True


# A variable of a domain is checked when its block begins.
COMPARES = """
CREATE FUNCTION app.cmp(a {type}, b {type}) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN
       IF current_setting('app.go', true) = 'on' THEN DECLARE d evil.d; BEGIN d := 'x'; END; END IF;
       RETURN bttextcmp(a::text, b::text);
     END $$;
"""
def test_what_the_server_keeps_of_an_index_is_followed(db, mallory):
    """A support function of the superuser, which was looked up before anything was held back."""
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM})")
    db.execute(COMPARES.format(type="text") + """
        CREATE OPERATOR CLASS app.ops FOR TYPE text USING btree AS
          OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 app.cmp(text, text);
        CREATE INDEX ON prod.people (note app.ops)""")
    db.load(profile({"people": {"rules": [{"column": "email", "strategy": "mail"}], **keep_all(),
                                "where": [["note", "=", "x"]]}}, version="2"))
    # It has looked nothing up yet.
    db = db.session()
    db.execute("SET enable_seqscan = off")
    db.execute("SELECT FROM prod.people WHERE note = 'x'")
    db.execute("SET app.go = 'on'")
    db.sync_refused("42501")
    assert called(db) is False


def test_what_the_server_keeps_of_a_type_is_followed(db, mallory):
    """Arrays are compared by what the server keeps of the type of their elements."""
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM})")
    db.execute("CREATE TYPE app.pair AS (a text, b text);" + COMPARES.format(type="app.pair"))
    for number, operator in enumerate(["<", "<=", "=", ">=", ">"], 1):
        db.execute(f"""
            CREATE FUNCTION app.f{number}(a app.pair, b app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS
              $$ SELECT app.cmp(a, b) {operator} 0 $$;
            CREATE OPERATOR app.{operator} (FUNCTION = app.f{number}, LEFTARG = app.pair, RIGHTARG = app.pair)""")
    db.execute("""
        CREATE OPERATOR CLASS app.pairs DEFAULT FOR TYPE app.pair USING btree AS
          OPERATOR 1 app.<, OPERATOR 2 app.<=, OPERATOR 3 app.=, OPERATOR 4 app.>=, OPERATOR 5 app.>,
          FUNCTION 1 app.cmp(app.pair, app.pair);
        CREATE TABLE app.t (p app.pair[]);
        INSERT INTO app.t VALUES (ARRAY[('a', 'b')::app.pair]), (ARRAY[('c', 'd')::app.pair])""")
    assert len(db.rows("SELECT p FROM app.t ORDER BY p")) == 2
    db.execute("SET app.go = 'on'")
    db.refused("42501", "SELECT anon_k_anonymity('app.t', '{p}')")
    assert called(db) is False


@pytest.mark.parametrize("where", ["partition", "child", "copy"])
def test_a_measure_leaves_nothing_of_others_for_the_end(db, mallory, where):
    """What it reads is a view of the superuser, whose function writes. Nobody holds anything back at COMMIT."""
    tables, writes = LEAVES[where]
    app(db, mallory)
    mallory.execute(tables + ";" + LATE.format(role=mallory.role))
    db.execute(f"""
        CREATE FUNCTION app.note(v text) RETURNS text LANGUAGE plpgsql AS
          $$ BEGIN {writes.replace("NEW.email", "v")}; RETURN v; END $$;
        CREATE VIEW app.seen AS SELECT app.note(note) AS note FROM prod.people""")
    try:
        db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    finally:
        assert super_now(db, mallory) is False


LATE_OF_SUPERUSER = """
CREATE TABLE app.log (who text);
CREATE FUNCTION app.late() RETURNS trigger LANGUAGE plpgsql AS
  $$ DECLARE d evil.d; BEGIN d := NEW.who; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.log DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.late();
"""


def test_a_measure_leaves_no_trigger_of_a_superuser_that_leads_to_others(db, mallory):
    app(db, mallory)
    mallory.execute(f"CREATE DOMAIN evil.d AS text CHECK ({HARM})")
    db.execute(LATE_OF_SUPERUSER + """
        CREATE FUNCTION app.note(v text) RETURNS text LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO app.log VALUES (v); RETURN v; END $$;
        CREATE VIEW app.seen AS SELECT app.note(note) AS note FROM prod.people""")
    db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    assert called(db) is False


def test_a_run_has_done_what_its_triggers_put_off(db, mallory):
    """So that is nothing to be refused."""
    app(db, mallory)
    mallory.execute("CREATE DOMAIN evil.d AS text")
    db.sync()
    db.execute(LATE_OF_SUPERUSER)
    has_noted(db, "INSERT INTO app.log VALUES (NEW.email)")
    db.sync(options=FIRE)
    assert db.value("SELECT count(*) FROM app.log") == db.value("SELECT count(*) FROM prod.people")


def test_what_is_named_while_a_table_is_maintained_is_named_for_its_owner(db, mallory):
    app(db, mallory)
    db.execute("CREATE TABLE prod.zpeople AS SELECT * FROM prod.people; ALTER TABLE prod.zpeople ADD PRIMARY KEY (id)")
    db.load(profile({"people": {"email": "mail"}, "zpeople": {"email": "mail"}}, name="two"))
    mallory.execute(f"""
        CREATE SEQUENCE evil.primed; GRANT ALL ON SEQUENCE evil.primed TO PUBLIC;
        CREATE FUNCTION evil.prime() RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN PERFORM length(pg_read_file('/etc/passwd')) WHERE nextval('evil.primed') < 0; RETURN true;
        EXCEPTION WHEN OTHERS THEN RETURN true; END $$;
        CREATE DOMAIN evil.p AS text CHECK (evil.prime());
        CREATE DOMAIN evil.d AS text CHECK ({HARM})""")
    for name in ("p", "d"):
        db.execute(f"""CREATE FUNCTION app.via_{name}(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
                       $$ DECLARE d evil.{name}; BEGIN d := v; RETURN d; END $$""")
    db.sync("two")
    db.execute(f"""
        TRUNCATE staging.people, staging.zpeople;
        CREATE INDEX ON staging.people (app.via_p(note)); CREATE INDEX ON staging.zpeople (app.via_d(note));
        ALTER TABLE staging.people OWNER TO {mallory.role}""")
    db.sync_refused("42501", "two")
    assert called(db) is False


def test_what_a_superuser_names_for_himself_is_not_named_for_a_domain(db, mallory):
    app(db, mallory)
    mallory.execute("""CREATE DOMAIN evil.d AS text
                       CHECK (set_config('app.bad', 'x', false) <> '' AND nextval('evil.called') > 0)""")
    db.execute("""CREATE FUNCTION app.who(v text) RETURNS text LANGUAGE plpgsql AS
                    $$ BEGIN RETURN set_config('app.who', v, true); END $$;
                  CREATE FUNCTION app.via(v text) RETURNS text LANGUAGE plpgsql AS
                    $$ DECLARE d evil.d; BEGIN d := v; RETURN d; END $$;
                  CREATE VIEW app.seen AS SELECT app.via(app.who(note)) AS note FROM prod.people""")
    db.refused("42501", "SELECT anon_k_anonymity('app.seen', '{note}')")
    assert called(db) is False


# What is the superuser's own, and names what it likes.
OWN = {
    "condition of a trigger": ("""
        CREATE TABLE app.log (who text);
        CREATE FUNCTION app.same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER t BEFORE INSERT ON app.log FOR EACH ROW WHEN (pg_trigger_depth() < 5)
          EXECUTE FUNCTION app.same()""", "", "INSERT INTO app.log VALUES (NEW.email)"),
    "check by COPY": ("CREATE TABLE app.log (who text CHECK (current_setting('app.x', true) IS NULL))",
                      "", "EXECUTE $x$COPY app.log FROM PROGRAM 'echo x'$x$"),
    "check of a child": ("""
        CREATE TABLE app.log (who text);
        CREATE TABLE app.child (CHECK (current_setting('app.x', true) IS NULL)) INHERITS (app.log);
        INSERT INTO app.child VALUES ('x')""", "", "UPDATE app.log SET who = NEW.email"),
    "variable of a domain": ("CREATE DOMAIN app.d AS text CHECK (current_setting('app.x', true) IS NULL)",
                             "d app.d;", "d := NEW.email"),
    "procedure": ("""CREATE PROCEDURE app.p(v text) LANGUAGE plpgsql AS 'BEGIN END';
                     CREATE FUNCTION app.g(v text) RETURNS text LANGUAGE plpgsql AS 'BEGIN CALL app.p(v); RETURN v; END'""",
                  "", "NEW.note := app.g(NEW.note)"),
    "aggregate": ("""CREATE FUNCTION app.step(a text, b text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN a || b; END';
                     CREATE AGGREGATE app.agg(text) (SFUNC = app.step, STYPE = text, INITCOND = '')""",
                  "", "NEW.note := (SELECT app.agg(v) FROM unnest(ARRAY['a', 'b']) v)"),
    "extensions": ("""
        CREATE EXTENSION citext SCHEMA public; CREATE EXTENSION hstore SCHEMA public;
        CREATE TABLE app.log (who public.citext, h public.hstore)""",
                   "c public.citext := NEW.email; h public.hstore := public.hstore(NEW);",
                   "INSERT INTO app.log VALUES (c, h); NEW := NEW OPERATOR(public.#=) public.hstore('note', 'x')"),
}


@pytest.mark.parametrize("what", OWN)
def test_what_a_superuser_says_is_not_refused(db, mallory, what):
    made, declared, does = OWN[what]
    app(db, mallory)
    db.sync()
    db.execute(made)
    has_noted(db, does, declared)
    for _ in range(2):
        db.sync(options=FIRE)


@pytest.mark.parametrize("ask", ["SELECT anon_k_anonymity('evil.deep', '{a}')", "SELECT * FROM confiture.detect('evil')"])
def test_a_type_that_is_nested_deep_ends_no_process(db, mallory, ask):
    """A process that dies takes all sessions of the server with it. The server itself reads such a table."""
    app(db, mallory)
    mallory.execute("""DO $$ BEGIN
        EXECUTE 'CREATE DOMAIN evil.d0 AS text';
        FOR i IN 1..40000 LOOP
          EXECUTE format('CREATE DOMAIN evil.d%s AS evil.d%s', i, i - 1); IF i % 3000 = 0 THEN COMMIT; END IF;
        END LOOP; END $$""")
    mallory.execute("CREATE TABLE evil.deep (id int PRIMARY KEY, a evil.d40000); INSERT INTO evil.deep VALUES (1, NULL)")
    assert db.rows("SELECT a FROM evil.deep") == [(None,)]
    try:
        db.rows(ask)
    except psycopg.Error as error:
        # It may be too deep for us, or his, which are errors like any other.
        assert error.sqlstate in ("54001", "42501"), error
    assert db.value("SELECT 1") == 1
