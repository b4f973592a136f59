"""Whatever ends a run, in whichever phase: the target is as before or complete, the record says so,
and the next run works and gives the same pseudonyms."""

import os
import signal
import subprocess
import time

import psycopg
import pytest

from hook_functions import BEFORE, make_hook, register, set_up
from samples import keep_all, make_many, make_small, profile
from server import CLUSTER, Database
from standby import Standby, as_server
from stops import FIRE, STOPS, WAIT, Held
from test_concurrency import Background, wait_until

EMAILS = "SELECT email FROM {}.people ORDER BY id"
STATES = "SELECT state, phase, sqlstate FROM confiture.runs WHERE target_schema = 'staging'"


@pytest.fixture(scope="module")
def own(private_server):
    """A server that may crash."""
    return private_server()


@pytest.fixture
def fresh(own):
    """A database on it."""
    database = own.create_database()
    yield database
    again(own, database).drop()


def again(server, db):
    """A session in a database whose server may have been away."""
    for _ in range(300):
        try:
            return Database(server, db.name)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server does not come back")


def cancel(held):
    held.db.execute("SELECT pg_cancel_backend(%s)", [held.pid])


def wait_for_the_timeout(held):
    # It was set when the run began, and is long over then.
    time.sleep(TIMEOUT + 0.5)


def terminate(held):
    held.db.execute("SELECT pg_terminate_backend(%s)", [held.pid])


def kill(held):
    os.kill(held.pid, signal.SIGKILL)
    # The server ends all sessions and begins anew: not before that is there anything to see.
    with pytest.raises(psycopg.OperationalError):
        for _ in range(1000):
            held.db.execute("SELECT pg_sleep(0.02)")


def stop_immediately(held):
    server = held.db.server
    as_server(
        server.bindir, "pg_ctl", "-D", server.folder / "data", "-m", "immediate", "-w", "stop"
    )
    done = subprocess.run(
        [str(CLUSTER), "start", server.name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


TIMEOUT = 6
# Whether the run can still say that it failed.
ENDS = {
    "cancel": (cancel, True),
    "terminate": (terminate, False),
    "kill": (kill, False),
    "immediate shutdown": (stop_immediately, False),
}


def retried(db, held):
    """What the next run gives is what a run gives that was never disturbed."""
    db.execute("DROP STATISTICS IF EXISTS app.waits")
    db.sync(options=FIRE)
    db.sync(target="undisturbed")
    assert db.column(EMAILS.format("staging")) == db.column(EMAILS.format("undisturbed"))
    assert set(db.column("SELECT note FROM staging.people")) == {"new"}
    assert db.findings()["OK"][0] == "ok"
    assert not held.before == db.content("staging")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("stop", STOPS)
def test_whatever_ends_a_run_the_target_is_as_before_and_the_next_run_works(own, fresh, stop, end):
    held = Held(fresh, stop)
    act, can_say = ENDS[end]
    act(held)
    if can_say:
        # Where it waits for the ledger it must wait for it again, to say that it failed.
        held.let_go()
    error = held.run.result()
    assert error is not None
    if end == "cancel":
        assert error.sqlstate == "57014"
    held.let_go()
    db = again(own, fresh)
    assert db.content("staging") == held.before
    events = db.all_events()[held.events :]
    if not held.is_on_record:
        assert events == []
        assert db.rows(STATES) == [("completed", None, None)]
    elif can_say:
        assert events == ["STARTED", "FAILED"]
        assert error.diag.message_primary == "run canceled"
        assert "Nothing was changed in the target." in error.diag.message_hint
        assert db.rows(STATES)[0] == ("failed", held.phase, "57014")
    else:
        assert events == ["STARTED"]
        assert db.rows(STATES)[0] == ("interrupted", None, None)
    retried(db, held)
    assert db.rows(STATES)[0] == ("completed", None, None)
    db.connection.close()


def test_a_cancel_that_comes_twice_is_on_record_once(own, fresh):
    # The server sends its signal twice, and so do people.
    held = Held(fresh, "loading")
    ledger = fresh.session(autocommit=False)
    ledger.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")
    cancel(held)
    wait_until(lambda: held.waits_for(ledger.pid()))
    since = held.waits_since()
    cancel(held)
    wait_until(lambda: held.waits_since() not in (None, since) or not held.run.is_alive())
    ledger.connection.rollback()
    assert held.run.result().sqlstate == "57014"
    held.let_go()
    assert fresh.rows(STATES)[0] == ("failed", held.phase, "57014")
    retried(fresh, held)


def test_who_insists_ends_a_run_that_cannot_say_that_it_failed(own, fresh):
    held = Held(fresh, "loading")
    ledger = fresh.session(autocommit=False)
    ledger.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")
    wait_until(lambda: cancel(held) or not held.run.is_alive())
    ledger.connection.rollback()
    assert held.run.result().sqlstate == "57014"
    held.let_go()
    assert fresh.rows(STATES)[0] == ("interrupted", None, None)
    retried(fresh, held)


@pytest.mark.parametrize("stop", ["loading", "running hook after"])
def test_a_statement_timeout_is_a_failure_like_any_other(own, fresh, stop):
    held = Held(fresh, stop, statement_timeout=f"{TIMEOUT}s")
    wait_for_the_timeout(held)
    held.let_go()
    error = held.run.result()
    assert error.sqlstate == "57014" and "with more time" in error.diag.message_hint
    assert fresh.content("staging") == held.before
    assert fresh.rows(STATES)[0] == ("failed", held.phase, "57014")
    # It is over for that statement only.
    held.runner.sync(options=FIRE)
    retried(fresh, held)


@pytest.mark.parametrize("end", ENDS)
def test_a_run_that_is_ended_while_it_checks_changes_nothing(own, fresh, end):
    # Nothing can stand in the way of a check, so the end comes as soon as the log says so.
    make_many(fresh, 200_000)
    act, can_say = ENDS[end]
    for _ in range(5):
        fresh = again(own, fresh)
        fresh.execute("DROP SCHEMA IF EXISTS staging CASCADE")
        runner = fresh.session()
        begun = len(own.log())
        run = Background(runner.sync)
        wait_until(lambda: 'phase="checking"' in own.log()[begun:], 60)
        pid = runner.pid()
        act(type("Running", (), {"db": fresh, "pid": pid}))
        error = run.result()
        if error is not None:
            break
        # It was faster. Once more.
    assert error is not None, "no run could be met while it checks"
    db = again(own, fresh)
    assert db.content("staging") == {}
    state = db.rows(STATES)[0]
    if can_say:
        # By then it may have been one step further.
        assert state[0] == "failed" and state[1] in ("checking", "analyzing", "recording")
    else:
        assert state == ("interrupted", None, None)
    db.sync()
    assert db.value("SELECT count(*) FROM staging.people") == 200_000
    db.connection.close()


def test_a_deadlock_is_one_clear_error_and_the_next_run_works(db):
    make_small(db)
    set_up(db)
    db.sync()
    before = db.content("staging")
    db.execute("CREATE TABLE app.shared ()")
    make_hook(db, "hold", f"LOCK TABLE app.shared IN SHARE MODE; {WAIT} RETURN NULL;")
    register(db, BEFORE, "app.hold")
    holder, other, runner = db.session(autocommit=False), db.session(autocommit=False), db.session()
    holder.execute("SELECT pg_advisory_xact_lock(42)")
    runner.execute("SET deadlock_timeout = '100ms'")
    run = Background(runner.sync)
    waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: db.value(waits, [runner.pid()]))
    # The other one looks for deadlocks a minute later: the run will be the one that gives way.
    other.execute("SET LOCAL deadlock_timeout = '60s'")
    other.execute("SELECT FROM staging.people")
    takes = Background(lambda: other.execute("LOCK TABLE app.shared IN ACCESS EXCLUSIVE MODE"))
    wait_until(lambda: db.value(waits, [other.pid()]))
    holder.connection.rollback()
    error = run.result()
    assert error.sqlstate == "40P01"
    assert takes.result() is None
    assert error.diag.message_primary == "run failed while locking"
    assert "target. Run again. " in error.diag.message_hint
    assert db.rows(STATES)[0] == ("failed", "locking", "40P01")
    other.connection.rollback()
    assert db.content("staging") == before
    runner.sync()
    assert db.content("staging") == before


def test_a_constraint_that_refuses_a_row_changes_nothing_and_mended_it_works(db):
    make_small(db)
    db.sync()
    before = db.content("staging")
    db.execute("ALTER TABLE staging.people ADD CHECK (note <> 'new')")
    db.execute("UPDATE prod.people SET note = 'new'")
    report = db.sync_refused("23514")
    assert 'constraint "people_note_check"' in report.message_primary
    assert "Mend the data, the profile or the constraint" in report.message_hint
    assert db.content("staging") == before
    assert db.rows(STATES)[0] == ("failed", "loading", "23514")
    db.execute("ALTER TABLE staging.people DROP CONSTRAINT people_note_check")
    db.sync()
    assert set(db.column("SELECT note FROM staging.people")) == {"new"}


@pytest.fixture(scope="module")
def tiny(own):
    """A folder of the server with room for eight megabytes."""
    folder = own.folder / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a full disk cannot be had: mount says {mounted.stderr.strip()}")
    try:
        owner = (own.folder / "data").stat()
        (folder / "space").mkdir()
        os.chown(folder / "space", owner.st_uid, owner.st_gid)
        with own.connect("postgres") as connection:
            connection.execute(f"CREATE TABLESPACE tiny LOCATION '{folder}/space'")
        yield "tiny"
        with own.connect("postgres") as connection:
            connection.execute("DROP TABLESPACE tiny")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("phase", ["loading", "adding keys and indexes"])
def test_a_full_disk_changes_nothing_and_with_room_the_next_run_works(fresh, tiny, phase):
    make_many(fresh, 200_000)
    fresh.execute("CREATE INDEX ON prod.people (email, note)")
    if phase != "loading":
        # Its table has room; its indexes are made again, where there is none.
        fresh.sync()
        fresh.execute("UPDATE prod.people SET note = 'new' WHERE id = 1")
    before = fresh.content("staging")
    fresh.execute(f"SET default_tablespace = {tiny}")
    report = fresh.sync_refused("53100")
    assert f"run failed while {phase}" in report.message_primary
    assert report.message_detail == "There is no room left on the disk."
    assert "Make room" in report.message_hint
    assert fresh.content("staging") == before
    assert fresh.rows(STATES)[0] == ("failed", phase, "53100")
    # Nothing of the attempt is left to fill the disk.
    files = "SELECT count(*) FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace"
    assert fresh.value(f"{files} WHERE t.spcname = 'tiny'") == 0
    fresh.execute("SET default_tablespace = ''")
    fresh.sync()
    assert fresh.value("SELECT count(*) FROM staging.people") == 200_000


def test_a_run_that_makes_tokens_can_be_ended_then_too(fresh):
    make_small(fresh)
    fresh.execute("SELECT confiture.create_domain('mail')")
    tokens = {"token": {"type": "tokenize", "config": {"domain": "mail"}}}
    fresh.load(profile({"people": {"email": "token"}}, name="tokens", strategies=tokens))
    holder, runner = fresh.session(autocommit=False), fresh.session()
    holder.execute("LOCK TABLE confiture.token IN EXCLUSIVE MODE")
    run = Background(lambda: runner.sync("tokens"))
    waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: fresh.value(waits, [runner.pid()]))
    fresh.execute("SELECT pg_cancel_backend(%s)", [runner.pid()])
    assert run.result().sqlstate == "57014"
    holder.connection.rollback()
    assert fresh.rows(STATES)[0] == ("failed", "making tokens", "57014")
    assert fresh.value("SELECT count(*) FROM confiture.token") == 0
    runner.sync("tokens")
    assert fresh.value("SELECT count(*) FROM confiture.token") == 3


def test_runs_say_what_is_running_and_what_was_interrupted(db):
    held = Held(db, "locking")
    state = "SELECT state, backend FROM (SELECT state, user_name AS backend FROM confiture.runs) r"
    assert db.rows(state) == [("running", "postgres"), ("completed", "postgres")]
    terminate(held)
    held.run.result()
    wait_until(lambda: db.rows(STATES)[0][0] == "interrupted")
    held.let_go()
    db.sync()
    assert db.column("SELECT state FROM confiture.runs") == [
        "completed",
        "interrupted",
        "completed",
    ]
    times = "SELECT count(*) FROM confiture.runs WHERE (ended_at IS NULL) = (state = 'interrupted')"
    assert db.value(times) == 3


def test_an_interrupted_run_is_not_taken_for_the_one_that_runs_now(db):
    held = Held(db, "locking")
    terminate(held)
    held.run.result()
    runner = db.session()
    run = Background(runner.sync)
    waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: db.value(waits, [runner.pid()]))
    assert db.column("SELECT state FROM confiture.runs") == ["running", "interrupted", "completed"]
    held.let_go()
    assert run.result() is None


def test_runs_inside_a_transaction_and_of_scripts_are_runs_too(db):
    make_small(db)
    options = '{"in_transaction": true}'
    other = db.session(autocommit=False)
    other.sync(options=options)
    shown = "SELECT state, in_transaction, profile_name FROM confiture.runs"
    assert db.rows(shown) == [("running", True, None)]
    other.connection.rollback()
    assert db.rows(shown) == [("interrupted", True, None)]
    other.sync(options=options)
    other.connection.commit()
    assert db.rows(shown)[0] == ("completed", True, "small")
    db.execute("UPDATE prod.people SET note = 'x'")
    db.execute("ALTER TABLE staging.people ADD CHECK (note <> 'x')")
    db.execute("BEGIN")
    db.sync_refused("23514", options=options)
    db.execute("ROLLBACK")
    failed = "SELECT state, phase, sqlstate FROM confiture.runs ORDER BY started_at DESC LIMIT 1"
    assert db.rows(failed) == [("failed", "loading", "23514")]
    db.execute("SELECT confiture.begin_run('script', 'prod', 'staging')")
    script = "SELECT state FROM confiture.runs WHERE origin = 'declared'"
    assert db.column(script) == ["running"]
    db.execute("SELECT confiture.fail_run('no more')")
    assert db.column(script) == ["failed"]


def test_only_an_auditor_sees_runs(db):
    make_small(db)
    db.sync()
    for kind, may in [("operator", False), ("admin", False), ("auditor", True)]:
        role = db.role(kind)
        db.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
        session = db.session(role)
        if may:
            assert session.column("SELECT state FROM confiture.runs") == ["completed"]
        else:
            session.refused("42501", "SELECT * FROM confiture.runs")


def test_a_standby_does_not_call_a_run_interrupted_that_it_cannot_see(private_server):
    primary = private_server("wal_level=replica", "max_wal_senders=4")
    db = primary.create_database()
    held = Held(db, "locking")
    standby = Standby(primary)
    try:
        with standby.connect(db.name) as connection:
            seen = connection.execute("SELECT state FROM confiture.runs").fetchall()
        assert seen == [("unknown",), ("completed",)]
    finally:
        standby.stop()
        held.let_go()
    assert held.run.result() is None


def test_an_auditor_sees_that_somebody_elses_run_is_running(db):
    role = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    held = Held(db, "locking")
    assert db.session(role).column("SELECT state FROM confiture.runs")[0] == "running"
    held.let_go()
    assert held.run.result() is None


def test_a_family_of_tables_is_as_before_or_complete_when_one_of_them_cannot_be_loaded(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.a (id int PRIMARY KEY, v text);"
        "CREATE TABLE prod.b (id int PRIMARY KEY, a int REFERENCES prod.a, v text);"
        "INSERT INTO prod.a VALUES (1, 'x'); INSERT INTO prod.b VALUES (1, 1, 'x')"
    )
    db.load(profile({"a": keep_all(), "b": keep_all()}))
    db.sync()
    before = db.content("staging")
    db.execute("UPDATE prod.a SET v = 'new'; UPDATE prod.b SET v = 'new'")
    db.execute("ALTER TABLE staging.b ADD CHECK (v <> 'new')")
    db.sync_refused("23514")
    assert db.content("staging") == before
    db.execute("ALTER TABLE staging.b DROP CONSTRAINT b_v_check")
    db.sync()
    joined = "SELECT a.v, b.v FROM staging.a JOIN staging.b ON b.a = a.id"
    assert db.rows(joined) == [("new", "new")]
