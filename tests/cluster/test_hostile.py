"""Code of a weaker role that would run with the rights of the caller: refused, and never run."""

import pytest

from samples import keep_all, make_people, make_small, profile

# Mallory's functions note that they ran for somebody else; a sequence keeps that after ROLLBACK.
PLANT = """
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE SEQUENCE evil.ran;
GRANT ALL ON SEQUENCE evil.ran TO PUBLIC;
CREATE TABLE evil.caught (who text);
GRANT ALL ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.note() RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_user <> '{mallory}' THEN PERFORM nextval('evil.ran'); END IF;
END $$;
CREATE FUNCTION evil.text(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM evil.note(); RETURN coalesce(v, 'x'); END $$;
CREATE FUNCTION evil.yes(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM evil.note(); RETURN true; END $$;
CREATE FUNCTION evil.same(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM evil.note(); RETURN true; END $$;
CREATE OPERATOR evil.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
CREATE FUNCTION evil.trigger() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM evil.note(); INSERT INTO evil.caught VALUES (current_user); RETURN NEW; END $$;
"""

SOURCE = {
    "default": """
        ALTER TABLE prod.people ALTER note SET DEFAULT evil.text('x')""",
    "check": """
        ALTER TABLE prod.people ADD CHECK (evil.yes(note))""",
    "check that is not valid": """
        ALTER TABLE prod.people ADD CHECK (evil.yes(note)) NOT VALID""",
    "check by an operator": """
        ALTER TABLE prod.people ADD CHECK (note OPERATOR(evil.===) note)""",
    "check deep inside": """
        ALTER TABLE prod.people ADD CHECK (CASE WHEN id > 0 THEN (ARRAY[evil.text(note),
            'x'])[1] IS NOT NULL ELSE coalesce(false) END)""",
    "generated column": """
        ALTER TABLE prod.people ADD g text GENERATED ALWAYS AS (evil.text(note)) STORED""",
    "expression index": """
        CREATE INDEX ON prod.people (evil.text(note))""",
    "partial index": """
        CREATE INDEX ON prod.people (id) WHERE evil.yes(note)""",
    "domain": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD d prod.d""",
    "default of a domain": """
        CREATE DOMAIN prod.d AS text DEFAULT evil.text('x');
        ALTER TABLE prod.people ADD d prod.d""",
    "domain over a domain": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        CREATE DOMAIN prod.dd AS prod.d;
        ALTER TABLE prod.people ADD d prod.dd""",
    "array of a domain": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD d prod.d[] DEFAULT '{x}'""",
    "domain in another schema": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD d evil.d""",
    "domain in an expression": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD CHECK (note::evil.d IS DISTINCT FROM 'y')""",
    "array of a domain in an expression": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD CHECK ((ARRAY[note]::evil.d[])[1] IS DISTINCT FROM 'y')""",
    "array of a domain read from text": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ADD CHECK (('{x}'::text || '')::evil.d[] IS NOT NULL)""",
    "composite read from text": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        CREATE TYPE evil.c AS (d evil.d);
        ALTER TABLE prod.people ADD CHECK (coalesce(('(' || note || ')')::text::evil.c::text, 'x')
            <> '')""",
    "range constants in an index": """
        CREATE FUNCTION evil.diff(a text, b text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE
            AS $$ BEGIN PERFORM evil.note(); RETURN 1; END $$;
        CREATE TYPE evil.r AS RANGE (SUBTYPE = text, SUBTYPE_DIFF = evil.diff);
        CREATE INDEX ON prod.people ((CASE WHEN id = 1 THEN '[a,b)'::evil.r
            ELSE '[c,d)'::evil.r END))""",
    "enum of another schema": """
        CREATE TYPE evil.m AS ENUM ('x');
        ALTER TABLE prod.people ADD m evil.m""",
    "domain in a default": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ALTER note SET DEFAULT (lower('X')::evil.d)""",
    "domain in an index": """
        CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));
        CREATE INDEX ON prod.people ((note::evil.d))""",
    "domain in a composite type": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        CREATE TYPE prod.c AS (d prod.d);
        ALTER TABLE prod.people ADD c prod.c DEFAULT '(x)'""",
    "check of a domain of the caller": """
        CREATE DOMAIN prod.d AS text CHECK (VALUE <> '');
        ALTER TABLE prod.people ADD d prod.d;
        ALTER DOMAIN prod.d ADD CHECK (evil.yes(VALUE))""",
}
# What a run need not touch: it may go through, but nothing of it may run.
UNTOUCHED = {
    "cast": """
        CREATE TYPE prod.mood AS ENUM ('good');
        CREATE FUNCTION evil.cast(prod.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM evil.note();
        RETURN 'good';
        END $$;
        CREATE CAST (prod.mood AS text) WITH FUNCTION evil.cast(prod.mood) AS IMPLICIT;
        ALTER TABLE prod.people ADD mood prod.mood DEFAULT 'good'""",
    "difference of a range": """
        CREATE FUNCTION evil.diff(a text, b text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE
            AS $$ BEGIN PERFORM evil.note();
        RETURN 1;
        END $$;
        CREATE TYPE prod.r AS RANGE (SUBTYPE = text, SUBTYPE_DIFF = evil.diff);
        ALTER TABLE prod.people ADD r prod.r DEFAULT '[a,b)';
        CREATE INDEX ON prod.people USING gist (r);
        INSERT INTO prod.people SELECT i, i || '@x.example', 'x', prod.r(i::text, (i ||
            'z')) FROM generate_series(10, 400) AS i""",
    "statistics": """
        CREATE STATISTICS prod.s ON (evil.text(note)), id FROM prod.people""",
    "policy": """
        CREATE POLICY p ON prod.people USING (evil.yes(note));
        ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY""",
    "trigger": """
        CREATE TRIGGER t BEFORE INSERT ON prod.people FOR EACH ROW EXECUTE FUNCTION
            evil.trigger()""",
    "rule": """
        CREATE RULE r AS ON INSERT TO prod.people DO ALSO SELECT evil.yes('x')""",
    "operator by its name": """
        CREATE OPERATOR prod.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same)""",
}
# On the target. Where only the owner can do it, the table was given away before.
GIVEN_AWAY = {
    "rule": """
        CREATE RULE r AS ON INSERT TO staging.people DO ALSO SELECT evil.yes('x')""",
    "check": """
        ALTER TABLE staging.people ADD CHECK (evil.yes(note))""",
    "default": """
        ALTER TABLE staging.people ALTER note SET DEFAULT evil.text('x')""",
    "generated column": """
        ALTER TABLE staging.people ADD g text GENERATED ALWAYS AS (evil.text(note)) STORED""",
    "expression index": """
        CREATE INDEX ON staging.people (evil.text(note))""",
    "partial index": """
        CREATE INDEX ON staging.people (id) WHERE evil.yes(note)""",
    "domain": """
        ALTER TABLE staging.people ALTER note TYPE evil.d""",
    "domain of a further column": """
        ALTER TABLE staging.people ADD further evil.d""",
    "statistics": """
        CREATE STATISTICS staging.s ON (evil.text(note)), id FROM staging.people""",
}

# A trigger on the target may also be refused for being one.
REFUSED = ("42501", "55000", "22023", "0A000")


@pytest.fixture
def mallory(db):
    """A session of a role that nobody trusts, with her functions in place."""
    role = db.role("mallory")
    db.execute(f"GRANT CREATE ON DATABASE {db.name} TO {role}")
    session = db.session(role)
    session.role = role
    session.execute(PLANT.replace("{mallory}", role))
    return session


def people_of(mallory):
    """Her schema with her table, which a superuser is to sync."""
    mallory.execute("CREATE SCHEMA prod")
    mallory.execute(
        "CREATE TABLE prod.people (id integer PRIMARY KEY, email text NOT NULL, note text)"
    )
    mallory.execute(
        "INSERT INTO prod.people VALUES (1, 'a@mail.example', 'x'), (2, 'b@mail.example', NULL)"
    )


def ran(db):
    """Whether anything of hers ran for somebody else."""
    return db.value("SELECT is_called FROM evil.ran") or db.rows("SELECT * FROM evil.caught") != []


def refused_and_never_run(db, options="{}", sqlstate="42501"):
    """The superuser's run is refused, changes nothing, and calls nothing of hers."""
    before, events = db.content("staging"), db.events()
    report = db.sync_refused(sqlstate, options=options)
    assert not ran(db)
    db.plan_refused(sqlstate, options=options)
    assert not ran(db)
    assert db.content("staging") == before and db.events() == events
    return report


def test_the_plant_is_alive(db, mallory):
    # Else every test below would pass for nothing.
    people_of(mallory)
    mallory.execute(SOURCE["check"])
    assert not ran(db)
    db.execute("UPDATE prod.people SET note = 'y'")
    assert ran(db)


@pytest.mark.parametrize("plant", SOURCE)
def test_code_of_the_source_is_not_run(db, mallory, plant):
    people_of(mallory)
    mallory.execute(SOURCE[plant])
    db.load(profile({"people": {"email": "mail"}}))
    assert not ran(db)
    report = refused_and_never_run(db)
    assert mallory.role in f"{report.message_primary} {report.message_detail} {report.message_hint}"


def test_a_type_of_a_stranger_stops_nobody(db, mallory):
    """Everybody may make a temporary type, and a cast of it to text."""
    for schema in ["pg_temp", "evil"]:
        mallory.execute(
            f"CREATE TYPE {schema}.own AS ENUM ('a');"
            f"CREATE FUNCTION {schema}.to_text({schema}.own) RETURNS text LANGUAGE plpgsql IMMUTABLE"
            " AS $$ BEGIN PERFORM evil.note(); RETURN 'x'; END $$;"
            f"CREATE CAST ({schema}.own AS text) WITH FUNCTION {schema}.to_text({schema}.own)"
            " AS IMPLICIT"
        )
    make_small(db)
    db.sync()
    assert not ran(db)


def test_a_view_in_place_of_a_table_is_not_run(db, mallory):
    people_of(mallory)
    mallory.execute("ALTER TABLE prod.people RENAME TO base")
    mallory.execute(
        "CREATE VIEW prod.people AS SELECT id, evil.text(email) AS email, note FROM prod.base"
    )
    db.load(profile({"people": {"email": "mail"}}))
    refused_and_never_run(db, sqlstate="0A000")


def test_code_of_a_partition_key_is_not_run(db, mallory):
    people_of(mallory)
    mallory.execute("CREATE TABLE prod.parts (id int, v text) PARTITION BY LIST ((evil.text(v)))")
    mallory.execute("CREATE TABLE prod.parts_x PARTITION OF prod.parts DEFAULT")
    mallory.execute("INSERT INTO prod.parts VALUES (1, 'x')")
    db.load(profile({"parts": keep_all()}))
    refused_and_never_run(db)


def test_code_of_a_single_partition_is_not_run(db, mallory):
    people_of(mallory)
    mallory.execute("CREATE TABLE prod.parts (id int, v text) PARTITION BY LIST (id)")
    mallory.execute("CREATE TABLE prod.parts_x PARTITION OF prod.parts DEFAULT")
    mallory.execute("ALTER TABLE prod.parts_x ADD CHECK (evil.yes(v))")
    mallory.execute("INSERT INTO prod.parts VALUES (1, 'x')")
    db.load(profile({"parts": keep_all()}))
    refused_and_never_run(db)


@pytest.mark.parametrize("plant", UNTOUCHED)
def test_code_that_a_run_does_not_need_is_not_run_either(db, mallory, plant):
    people_of(mallory)
    mallory.execute(UNTOUCHED[plant])
    db.load(profile({"people": {"email": "mail"}}))
    for _ in range(2):
        assert db.attempt() in (None, "42501")
        assert not ran(db)


def test_a_function_that_changed_hands_is_not_run(db, mallory):
    make_people(db)
    db.execute(
        "CREATE FUNCTION public.fine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
    )
    db.execute("ALTER TABLE prod.people ADD CHECK (public.fine(note))")
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute(f"GRANT CREATE ON SCHEMA public TO {mallory.role}")
    db.execute(f"ALTER FUNCTION public.fine(text) OWNER TO {mallory.role}")
    mallory.execute(
        "CREATE OR REPLACE FUNCTION public.fine(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE"
        " AS $$ BEGIN RETURN evil.yes($1); END $$"
    )
    refused_and_never_run(db)


@pytest.fixture
def target(db, mallory):
    """The superuser's own source, synced once before she gets at the target."""
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute(f"GRANT USAGE ON SCHEMA staging TO {mallory.role}")
    return db


@pytest.mark.parametrize(
    ("event", "level"),
    [
        ("BEFORE INSERT", "ROW"),
        ("AFTER INSERT", "ROW"),
        ("BEFORE DELETE", "ROW"),
        ("BEFORE INSERT", "STATEMENT"),
        ("AFTER INSERT", "STATEMENT"),
        ("BEFORE TRUNCATE", "STATEMENT"),
    ],
)
def test_a_trigger_she_was_allowed_to_make_is_not_run(target, mallory, event, level):
    target.execute(f"GRANT TRIGGER ON staging.people TO {mallory.role}")
    mallory.execute(
        f"CREATE TRIGGER t {event} ON staging.people FOR EACH {level}"
        " EXECUTE FUNCTION evil.trigger()"
    )
    refused_and_never_run(target, options='{"triggers": "fire"}')
    for options in ("{}", '{"triggers": "refuse"}', '{"triggers": "skip"}'):
        assert target.attempt(options=options) in (None, *REFUSED)
        assert not ran(target)


def test_a_trigger_that_fires_always_is_not_run(target, mallory):
    target.execute(f"GRANT TRIGGER ON staging.people TO {mallory.role}")
    mallory.execute(
        "CREATE TRIGGER t BEFORE INSERT ON staging.people FOR EACH ROW"
        " EXECUTE FUNCTION evil.trigger()"
    )
    for state in ("ALWAYS", "REPLICA"):
        target.execute(f"ALTER TABLE staging.people ENABLE {state} TRIGGER t")
        for options in ('{"triggers": "fire"}', '{"triggers": "skip"}', "{}"):
            assert target.attempt(options=options) in (None, *REFUSED)
            assert not ran(target)


def test_a_trigger_function_that_changed_hands_is_not_run(target, mallory):
    target.execute(
        "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    target.execute(
        "CREATE TRIGGER t BEFORE INSERT ON staging.people FOR EACH ROW"
        " EXECUTE FUNCTION public.touch()"
    )
    target.sync(options='{"triggers": "fire"}')
    target.execute(f"GRANT CREATE ON SCHEMA public TO {mallory.role}")
    target.execute(f"ALTER FUNCTION public.touch() OWNER TO {mallory.role}")
    mallory.execute(
        "CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM evil.note(); RETURN NEW; END $$"
    )
    refused_and_never_run(target, options='{"triggers": "fire"}')


@pytest.mark.parametrize("plant", GIVEN_AWAY)
def test_code_of_a_target_table_that_was_given_away_is_not_run(target, mallory, plant):
    target.execute(f"GRANT CREATE ON SCHEMA staging TO {mallory.role}")
    target.execute(f"ALTER TABLE staging.people OWNER TO {mallory.role}")
    mallory.execute("CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE))")
    mallory.execute(GIVEN_AWAY[plant])
    target.execute(f"REVOKE CREATE ON SCHEMA staging FROM {mallory.role}")
    # Rules are refused whoever wrote them.
    sqlstate = "42P17" if plant == "rule" else "42501"
    for options in ("{}", '{"adopt": true}'):
        refused_and_never_run(target, options, sqlstate)


def test_code_of_a_role_that_may_become_the_caller_is_trusted(target, mallory):
    # She could do it in the caller's name anyhow, so refusing would only be in the way.
    chief = target.role("chief")
    target.execute(f"GRANT {chief} TO {mallory.role}")
    target.execute(f"SELECT confiture.grant_access('operator', '{chief}')")
    target.execute(f"GRANT USAGE ON SCHEMA prod TO {chief}; GRANT SELECT ON prod.people TO {chief}")
    target.execute(
        f"ALTER SCHEMA staging OWNER TO {chief}; ALTER TABLE staging.people OWNER TO {chief}"
    )
    target.execute(f"GRANT TRIGGER ON staging.people TO {mallory.role}")
    mallory.execute(
        "CREATE TRIGGER t BEFORE INSERT ON staging.people FOR EACH ROW"
        " EXECUTE FUNCTION evil.trigger()"
    )
    target.session(chief).sync(options='{"triggers": "fire"}')
    assert ran(target)
