"""Mode swap, ended in each of its steps: the target is old or new, and nothing of the run is left."""

import random
import threading
import time

import psycopg
import pytest

from samples import make_many
from server import Database
from standby import DURABLE, Standby, kill, processes, start_again
from swapping import READABLE, Held, check_files, files, swap
from test_concurrency import Background, wait_until
from test_recovery import ENDS, again

STATES = "SELECT state, phase, sqlstate FROM confiture.runs WHERE target_schema = 'staging'"


@pytest.fixture(scope="module", name="own")
def _own(private_server):
    """A server that may crash."""
    return private_server()


@pytest.fixture(name="fresh")
def _fresh(own):
    """A database on it."""
    database = own.create_database()
    yield database
    again(own, database).drop()


@pytest.mark.parametrize("end", ["cancel", "terminate", "kill", "immediate shutdown"])
@pytest.mark.parametrize("stop", READABLE)
def test_whatever_ends_a_run_the_target_is_as_before_and_the_next_run_works(own, fresh, stop, end):
    held = Held(fresh, stop)
    made = files(fresh)
    act, can_say = ENDS[end]
    act(held)
    if can_say:
        held.let_go()
    assert held.run.result() is not None
    held.let_go()
    db = again(own, fresh)
    assert (db.content("staging"), files(db)) == (held.before, made)
    events = db.all_events()[held.events :]
    if can_say:
        phase = {"ledger": "swapping"}.get(stop, stop)
        phase = "running hook" if phase.startswith("running hook") else phase
        assert events == ["STARTED", "FAILED"]
        assert db.rows(STATES)[0] == ("failed", phase, "57014")
    else:
        assert events == ["STARTED"]
        assert db.rows(STATES)[0] == ("interrupted", None, None)
    db.execute("DROP STATISTICS IF EXISTS app.waits")
    db.sync(options=swap())
    assert set(db.column("SELECT note FROM staging.people")) == {"new"}
    check_files(db)
    db.connection.close()


ROWS = 30_000
NEW = "SELECT count(*) FILTER (WHERE note = 'new'), count(*) FROM staging.people"


def test_a_server_killed_at_any_moment_has_the_old_rows_or_the_new(private_server):
    """On a server that writes to the disk; the old rows have another note than the new ones."""
    server = private_server(*DURABLE)
    db = server.create_database()
    make_many(db, ROWS)
    db.sync()
    db.execute("UPDATE prod.people SET note = 'new'")
    db.execute("CHECKPOINT")
    moments = random.Random(7)
    ends = 1
    for round_ in range(8):
        thread = threading.Thread(target=attempt, args=(server.connect(db.name),), daemon=True)
        thread.start()
        time.sleep(moments.uniform(0.1, 2.5))
        postmaster, children = processes(server)
        kill([postmaster, *children])
        thread.join(30)
        start_again(server)
        db = Database(server, db.name)
        now = db.value("SELECT count(*) FROM confiture.audit_log WHERE event = 'COMPLETED'")
        assert db.rows(NEW) == [(ROWS if now > 1 else 0, ROWS)], round_
        assert now in (ends, ends + 1)
        ends = now
        check_files(db)
        assert db.findings().keys() <= {"OK", "W01", "W03", "W08"}
        strangers = "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
        assert sorted(db.column(strangers)) == ["people", "people_pkey"]
    db.sync(options=swap())
    assert db.rows(NEW) == [(ROWS, ROWS)]


def attempt(connection):
    try:
        connection.execute(
            "CALL confiture.sync('small', 'prod', 'staging', '{\"mode\": \"swap\"}')"
        )
    except psycopg.Error:
        pass


def test_a_standby_reads_the_old_rows_until_it_has_the_new(private_server):
    server = private_server("max_standby_streaming_delay=-1")
    db = server.create_database()
    make_many(db, 2000)
    db.sync()
    standby = Standby(server, "max_standby_streaming_delay = -1")
    try:
        reader = standby.connect(db.name)
        note = "SELECT DISTINCT left(note, 3) FROM staging.people"
        count = "SELECT count(*) FROM staging.people WHERE id > 0"
        wait_until(lambda: reader.execute(count).fetchone() == (2000,))
        db.execute("UPDATE prod.people SET note = 'new'")
        reader.autocommit = False
        assert reader.execute(note).fetchall() == [("not",)]
        db.sync(options=swap())
        # Replay waits for who has read.
        assert reader.execute(note).fetchall() == [("not",)]
        reader.rollback()
        reader.autocommit = True
        wait_until(lambda: reader.execute(note).fetchall() == [("new",)])
        reader.execute("SET enable_seqscan = off")
        assert reader.execute(count).fetchone() == (2000,)
        reader.close()
    finally:
        standby.stop()


def test_who_follows_by_logical_decoding_gets_a_truncate_and_the_new_rows(private_server):
    server = private_server("wal_level=logical")
    db = server.create_database()
    make_many(db, 3)
    db.sync()
    db.execute("CREATE TABLE public.referring (person integer REFERENCES staging.people)")
    try:
        db.execute("SELECT pg_create_logical_replication_slot('out', 'test_decoding')")
    except psycopg.errors.UndefinedFile:
        pytest.skip("this server has no test_decoding")
    db.sync(options=swap())
    changes = db.column(
        "SELECT split_part(data, 'id[', 1) FROM pg_logical_slot_get_changes('out', NULL, NULL,"
        " 'include-xids', '0') WHERE data LIKE 'table staging.%'"
    )
    assert changes == ["table staging.people: TRUNCATE: (no-flags)"] + [
        "table staging.people: INSERT: "
    ] * 3
    db.execute("SELECT pg_drop_replication_slot('out')")


def test_two_runs_at_once_on_two_targets(own, fresh):
    make_many(fresh, 2000)
    for target in ("staging", "other"):
        fresh.sync(target=target)
    fresh.execute("UPDATE prod.people SET note = 'new'")
    sessions = [fresh.session(), fresh.session()]
    runs = [
        Background(lambda s=session, t=target: s.sync(target=t, options=swap()))
        for session, target in zip(sessions, ("staging", "other"), strict=True)
    ]
    assert [run.result() for run in runs] == [None, None]
    assert fresh.content("staging")["staging.people"] == fresh.content("other")["other.people"]
    check_files(fresh)
    assert own.name


def test_a_second_run_on_the_target_is_refused(fresh):
    held = Held(fresh, "running hook after")
    assert fresh.session().attempt(options=swap()) == "55006"
    held.let_go()
    assert held.run.result() is None
