"""Ways to stronger rights that a review found, each closed and kept closed."""

import pytest

from samples import keep_all, make_people, profile
from test_concurrency import Background, wait_until
from test_hostile import mallory as mallory_fixture
from test_hostile import people_of, ran, refused_and_never_run

mallory = mallory_fixture

TRIGGER = """
CREATE FUNCTION public.wait_here() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
CREATE TRIGGER wait_here BEFORE INSERT ON staging.people
  FOR EACH STATEMENT EXECUTE FUNCTION public.wait_here();
"""


class HeldLoad:
    """A run that waits in the load of staging.people, until it is let go."""

    def __init__(self, db):
        db.execute(TRIGGER)
        self.holder = db.session(autocommit=False)
        self.holder.execute("SELECT pg_advisory_xact_lock(42)")
        runner = db.session()
        self.run = Background(lambda: runner.sync(options='{"triggers": "fire"}'))
        waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
        wait_until(lambda: db.value(waits, [runner.pid()]))

    def let_go(self):
        """Lets the run go on; the error it ended with, None where it went through."""
        self.holder.connection.rollback()
        return self.run.result()


def test_a_function_planted_in_the_target_is_not_called(db, mallory):
    make_people(db)
    db.execute(
        "CREATE FUNCTION prod.ok(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
    )
    db.execute("ALTER TABLE prod.people ADD CHECK (prod.ok(note))")
    # Definitions name it without a schema, so that the target's own is meant.
    db.execute("CREATE SCHEMA staging")
    db.execute(f"GRANT CREATE, USAGE ON SCHEMA staging TO {mallory.role}")
    mallory.execute(
        "CREATE FUNCTION staging.ok(text) RETURNS boolean LANGUAGE sql IMMUTABLE"
        " AS 'SELECT evil.yes($1)'"
    )
    db.execute(f"REVOKE CREATE ON SCHEMA staging FROM {mallory.role}")
    db.load(profile({"people": {"email": "mail"}}))
    refused_and_never_run(db)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE CAST (prod.mood AS text) WITH FUNCTION evil.cast(prod.mood) AS IMPLICIT",
        "ALTER DOMAIN prod.d ADD CHECK (evil.yes(VALUE)) NOT VALID",
    ],
)
def test_code_given_to_a_type_while_another_table_loads_is_not_run(db, mallory, change):
    people_of(mallory)
    mallory.execute(
        "CREATE TYPE prod.mood AS ENUM ('good'); CREATE DOMAIN prod.d AS text;"
        "CREATE FUNCTION evil.cast(prod.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE"
        " AS $$ BEGIN PERFORM evil.note(); RETURN 'good'; END $$;"
        "CREATE TABLE prod.zoo (id int PRIMARY KEY, mood prod.mood, d prod.d);"
        "INSERT INTO prod.zoo VALUES (1, 'good', 'x'), (2, NULL, NULL)"
    )
    db.load(profile({"people": {"email": "mail"}, "zoo": keep_all()}))
    db.sync()
    held = HeldLoad(db)
    mallory.execute(change)
    assert held.let_go() is None
    assert not ran(db)
    assert db.rows("SELECT id, mood::text, d FROM staging.zoo ORDER BY id") == [
        (1, "good", "x"),
        (2, None, None),
    ]


@pytest.mark.parametrize(
    "plant",
    [
        "CREATE INDEX ON prod.zoo (id) WHERE evil.yes('x')",
        "CREATE INDEX ON prod.zoo ((evil.text('x')))",
        "CREATE STATISTICS prod.s ON (evil.text('x')), id FROM prod.zoo",
    ],
    ids=["partial index", "expression", "statistics"],
)
def test_constants_planted_while_another_table_loads_are_not_evaluated(db, mallory, plant):
    # The lock of a reader lets an owner make these, and to plan a query evaluates them.
    people_of(mallory)
    mallory.execute("CREATE TABLE prod.zoo (id int PRIMARY KEY); INSERT INTO prod.zoo VALUES (1)")
    db.load(profile({"people": {"email": "mail"}, "zoo": keep_all()}))
    db.sync()
    held = HeldLoad(db)
    mallory.execute(plant)
    error = held.let_go()
    assert not ran(db)
    assert error.sqlstate == "42501"
    assert db.events()[-1] == "FAILED"
    # The server alone would have run it.
    db.execute("SELECT count(*) FROM prod.zoo")
    assert ran(db)


def test_a_masked_column_cannot_choose_the_partition(db):
    make_people(db)
    db.execute("CREATE TABLE prod.mail (email text) PARTITION BY LIST (email)")
    db.execute("CREATE TABLE prod.mail_a PARTITION OF prod.mail FOR VALUES IN ('a@mail.example')")
    db.load(profile({"mail": {"email": "mail"}}))
    report = db.sync_refused("22023")
    assert "partition key" in report.message_primary


def test_words_of_the_server_that_may_hold_a_value_are_left_out(db):
    make_people(db)
    db.execute("UPDATE prod.people SET note = 'secret_4711'")
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute(
        "CREATE FUNCTION public.route() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " EXECUTE format('INSERT INTO %I VALUES (1)', NEW.note); RETURN NEW; END $$;"
        "CREATE TRIGGER route BEFORE INSERT ON staging.people FOR EACH ROW"
        " EXECUTE FUNCTION public.route()"
    )
    report = db.sync_refused("42P01", options='{"triggers": "fire"}')
    words = f"{report.message_primary} {report.message_detail} {report.message_hint}"
    assert "secret" not in words
    assert "secret" not in db.value("SELECT row_to_json(a)::text FROM confiture.get_audit_log(1) a")


def test_a_failed_run_leaves_sequences_where_they_were(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id serial PRIMARY KEY, v int)")
    db.execute("INSERT INTO prod.t (v) VALUES (1), (2), (3)")
    counted = {"exclude": [{"column": "id", "why": "counted anew"}], **keep_all()}
    db.load(profile({"t": counted}))
    db.sync()
    stands = "SELECT last_value, is_called FROM staging.t_id_seq"
    before = db.rows(stands)
    db.execute("ALTER TABLE staging.t ADD CHECK (v < 4)")
    db.execute("INSERT INTO prod.t (v) VALUES (4)")
    db.sync_refused("23514")
    assert db.rows(stands) == before


def test_skipped_triggers_do_not_fire_at_the_truncate_either(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute(
        "CREATE TABLE noted (at text);"
        "CREATE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN INSERT INTO public.noted VALUES (TG_OP); RETURN NULL; END $$;"
        "CREATE TRIGGER note BEFORE TRUNCATE ON staging.people EXECUTE FUNCTION note_down()"
    )
    db.sync(options='{"triggers": "skip"}')
    assert db.rows("SELECT * FROM noted") == []


def test_a_seed_for_every_row_does_not_fill_the_memory(db):
    session = db.session()

    def resident():
        with open(f"/proc/{session.pid()}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    calls = "SELECT count(anon_email('a@b.example', seed => i)) FROM generate_series(1, {}) AS i"
    session.execute(calls.format(1000))
    before = resident()
    session.execute(calls.format(200_000))
    # It was 600 bytes a row once, which would be 117 MiB.
    assert resident() - before < 32 * 1024


def test_a_call_inside_an_exception_block_is_refused(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.refused(
        "25001",
        "DO $$ BEGIN CALL confiture.sync('small', 'prod', 'staging');"
        " EXCEPTION WHEN undefined_table THEN NULL; END $$",
    )
    assert db.events() == ["KEY_CREATED"]
