"""Other sessions see how far a run is while it goes on, without anything preloaded."""

import re

import pytest

from hook_functions import BEFORE, make_hook, names, register, set_up
from samples import make_small, profile
from stops import Held
from test_concurrency import Background, wait_until

ROWS = 300
# Of which each takes ten milliseconds on any machine.
SLOW = {"slow": {"type": "salted_hash", "config": {"algorithm": "argon2id", "salt": "s"}}}
COLUMNS = (
    "phase, table_name, rows_done, rows_estimated, rows_per_second, tables_done, tables,"
    " rows_total, percent, seconds_left"
)
SEEN = f"SELECT {COLUMNS} FROM confiture.sync_progress"


@pytest.fixture
def large(db):
    """Two tables that take a while, with a statement that takes longer than a look."""
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.first (id integer PRIMARY KEY, email text NOT NULL);"
        f"INSERT INTO prod.first SELECT i, 'a' || i || '@mail.example' FROM generate_series(1, {ROWS}) i;"
        "CREATE TABLE prod.second (LIKE prod.first INCLUDING ALL);"
        "INSERT INTO prod.second SELECT * FROM prod.first; ANALYZE"
    )
    db.execute("SELECT confiture.create_key('salt-s')")
    rules = {table: {"email": "slow"} for table in ("first", "second")}
    db.load(profile(rules, strategies=SLOW))
    return db


def test_rows_grow_while_a_table_is_loaded(large):
    running = Background(large.session().sync)
    seen = []
    wait_until(lambda: seen.extend(large.rows(SEEN)) or not running.is_alive())
    assert running.result() is None
    assert large.rows(SEEN) == []
    loading = [row for row in seen if row[0] == "loading"]
    first, second = ([row for row in loading if row[1] == name] for name in ("first", "second"))
    # More than once in the middle of the statement, and never back.
    done = [row[2] for row in first]
    assert done == sorted(done) and max(done) <= ROWS
    assert len({rows for rows in done if 0 < rows < ROWS}) > 1
    assert {row[3] for row in first} == {ROWS}
    assert {row[5:7] for row in first} == {(0, 2)} and {row[5:7] for row in second} == {(1, 2)}
    assert all(row[7] == ROWS + row[2] for row in second)
    percents = [row[8] for row in loading]
    assert percents == sorted(percents) and percents[0] < 50 <= percents[-1] <= 100
    known = [row for row in second if row[9] is not None]
    assert known and all(0 <= row[9] < 600 for row in known)
    assert [row[4] for row in second if row[4]] != []


def test_the_caller_is_told_how_far_a_load_is(large):
    def told():
        messages = [notice["message_primary"] for notice in large.notices]
        return [message for message in messages if "rows of about" in message]

    large.sync(options='{"progress": 1}')
    lines = told()
    assert lines
    assert all(re.fullmatch(
        rf"(first|second): \d+ rows of about {ROWS}(, \d+ rows/s)?(, loads end in \d+ s)?", line
    ) for line in lines)
    large.sync(options='{"progress": 0}')
    assert told() == lines


def test_a_run_inside_another_leaves_it_its_rows(large):
    """A trigger of the target calls it."""
    large.execute(
        "CREATE SCHEMA inside; CREATE TABLE inside.one (id integer PRIMARY KEY, email text NOT NULL);"
        "INSERT INTO inside.one VALUES (1, 'a@mail.example')"
    )
    large.load(profile({"one": {"email": "mail"}}, name="inside"))
    large.sync()
    large.execute("""
        CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          CALL confiture.sync('inside', 'inside', 'copied', '{"in_transaction": true}'); RETURN new; END $$;
        CREATE TRIGGER again BEFORE INSERT ON staging.first FOR EACH ROW WHEN (new.id = 20)
          EXECUTE FUNCTION public.again()
    """)
    options = '{"triggers": "fire", "profile": true}'
    running, seen = Background(lambda: large.session().sync(options=options)), []
    wait_until(lambda: seen.extend(large.column(
        "SELECT rows_done FROM confiture.sync_progress"
        " WHERE target_schema = 'staging' AND table_name = 'first'"
    )) or not running.is_alive(), 100)
    assert running.result() is None
    assert len({rows for rows in seen if rows > 20}) > 1
    inner, outer = (large.value(
        "SELECT details -> 'loads' FROM confiture.audit_log"
        " WHERE event = 'COMPLETED' AND target_schema = %s ORDER BY seq DESC LIMIT 1", [target]
    ) for target in ("copied", "staging"))
    assert inner.keys() == {"one"} and outer.keys() == {"first", "second"}
    assert "writing" not in inner["one"] and "writing" in outer["first"]


def test_rows_beyond_what_was_expected_have_no_end_in_sight(large):
    large.execute("UPDATE pg_class SET reltuples = 10 WHERE oid = 'prod.first'::regclass")
    running, seen = Background(large.session().sync), []
    wait_until(lambda: seen.extend(large.rows(
        "SELECT rows_done, percent, seconds_left FROM confiture.sync_progress WHERE table_name = 'first'"
    )) or not running.is_alive())
    assert running.result() is None
    later = [row for row in seen if row[0] > 20]
    assert later and {row[1:] for row in later} == {(None, None)}


@pytest.mark.parametrize("stop", ["preparing the target", "loading", "adding keys and indexes"])
def test_phases_are_shown(db, stop):
    held = Held(db, stop)
    shown = db.rows(
        "SELECT phase, table_name, pid, profile_name, profile_version, source_schema, target_schema,"
        " user_name = current_user, phase_started_at >= started_at FROM confiture.sync_progress"
    )
    table = "people" if stop == "loading" else None
    assert shown == [(stop, table, held.pid, "small", "1", "prod", "staging", True, True)]
    state = db.value("SELECT state FROM confiture.runs JOIN confiture.sync_progress p"
                     " ON p.run_id = runs.run_id::text")
    assert state == "running"
    db.execute("SELECT pg_terminate_backend(%s)", [held.pid])
    assert held.run.result() is not None
    wait_until(lambda: db.rows("SELECT FROM confiture.sync_progress") == [])


def test_a_run_inside_a_transaction_is_shown_too_and_sees_itself(db):
    make_small(db)
    set_up(db)
    make_hook(
        db, "look",
        "INSERT INTO app.seen (name) SELECT pid || ' ' || phase FROM confiture.sync_progress; RETURN NULL;",
    )
    register(db, BEFORE, "app.look")
    with db.connection.transaction():
        db.sync(options='{"in_transaction": true}')
        assert db.rows("SELECT FROM confiture.sync_progress") == []
    assert names(db) == ["look", f"{db.pid()} running hook"]


def test_runs_of_other_databases_are_not_shown(db, bare):
    held = Held(db, "loading")
    bare.execute("CREATE EXTENSION confiture")
    assert bare.rows("SELECT FROM confiture.sync_progress") == []
    held.let_go()
    assert held.run.result() is None


def test_locks_that_anybody_takes_are_no_runs(db):
    db.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(49399, 7)")
    assert db.rows("SELECT FROM confiture.sync_progress") == []


def test_who_may_not_read_the_record_sees_nothing(db):
    name = db.role("weak")
    weak = db.session(name)
    weak.refused("42501", "SELECT FROM confiture.sync_progress")
    weak.refused("42501", "SELECT FROM confiture._sync_progress()")
    for kind in ("operator", "auditor"):
        db.execute("SELECT confiture.grant_access(%s, %s)", [kind, name])
        assert weak.rows("SELECT FROM confiture.sync_progress") == []
        db.execute("SELECT confiture.revoke_access(%s, %s)", [kind, name])
