"""Runs beside other sessions: busy writers, readers, a second run, cancel and kill."""

import threading
import time

import psycopg
import pytest

from samples import keep_all, make_many, make_small, profile

CALL = "CALL confiture.sync('small', source => 'prod', target => 'staging')"


class Background(threading.Thread):
    """Runs something beside the test; `result` hands back what it returned or raised."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.error = work, None
        self.start()

    def run(self):
        try:
            self.work()
        except psycopg.Error as error:
            self.error = error

    def result(self, seconds=60):
        self.join(seconds)
        assert not self.is_alive(), "it hangs"
        return self.error


def wait_until(condition, seconds=30):
    """Waits for something that another session brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def held(db):
    """A run that waits in its middle: a reader of the target stands in its way."""
    make_small(db)
    db.sync()
    db.execute("UPDATE prod.people SET note = 'new'")
    before = db.content("staging")
    reader = db.session(autocommit=False)
    reader.rows("SELECT * FROM staging.people")
    runner = db.session()
    run = Background(lambda: runner.execute(CALL))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [runner.pid()]))
    events = ["KEY_CREATED", "STARTED", "COMPLETED", "STARTED"]
    assert db.events() == events, "it waits in the middle, not before"
    yield {
        "db": db,
        "before": before,
        "run": run,
        "pid": runner.pid(),
        "let_go": reader.connection.rollback,
    }
    reader.connection.close()
    run.join(60)


FAMILY = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.parent (id bigint PRIMARY KEY, email text NOT NULL);
    CREATE TABLE prod.child (id bigint PRIMARY KEY, parent bigint NOT NULL REFERENCES prod.parent);
    CREATE TABLE prod.loose (id bigint PRIMARY KEY, parent bigint NOT NULL);
    INSERT INTO prod.parent SELECT i, i || '@mail.example' FROM generate_series(1, 20000) AS i;
    INSERT INTO prod.child SELECT i, (i + 1) / 2 FROM generate_series(1, 40000) AS i;
    INSERT INTO prod.loose SELECT i, (i + 1) / 2 FROM generate_series(1, 40000) AS i"""


def test_writers_leave_no_orphan_and_no_half_family(db):
    db.execute(FAMILY)
    # The child before the parent, so that reading one after the other would show.
    db.load(profile({"child": keep_all(), "loose": keep_all(), "parent": {"email": "mail"}}))
    done = threading.Event()

    def write(first):
        session = db.session()
        number = first
        while not done.is_set():
            with session.connection.transaction():
                session.execute(
                    "INSERT INTO prod.parent VALUES (%s, %s)", [number, f"{number}@mail.example"]
                )
                for table in ("child", "loose"):
                    session.execute(
                        f"INSERT INTO prod.{table} VALUES (%s, %s), (%s, %s)",
                        [2 * number, number, 2 * number + 1, number],
                    )
            number += 1

    writers = [Background(lambda first=first: write(first)) for first in (10**6, 2 * 10**6)]
    sizes = []
    try:
        for _ in range(3):
            db.sync()
            sizes.append(db.value("SELECT count(*) FROM staging.parent"))
            for table in ("child", "loose"):
                # Each family came in one transaction: one parent, two children.
                families = db.rows(
                    "SELECT DISTINCT p.id IS NULL, c.children FROM staging.parent AS p FULL JOIN"
                    f" (SELECT parent, count(*) AS children FROM staging.{table} GROUP BY 1) AS c"
                    " ON c.parent = p.id"
                )
                assert families == [(False, 2)], table
    finally:
        done.set()
    assert [writer.result() for writer in writers] == [None, None]
    assert 20000 <= sizes[0] < sizes[2], "nobody wrote meanwhile"
    assert db.findings()["OK"][0] == "ok"


def test_a_reader_sees_all_rows_at_any_time(db):
    make_many(db, 5000)
    db.sync()
    done, seen = threading.Event(), set()

    def read():
        session = db.session()
        while not done.is_set():
            seen.add(session.rows("SELECT count(*), count(DISTINCT email) FROM staging.people")[0])

    reader = Background(read)
    for _ in range(4):
        db.sync()
    done.set()
    assert reader.result() is None
    assert seen == {(5000, 5000)}


def test_a_second_run_on_the_same_target_is_refused_at_once(held):
    db = held["db"]
    db.execute("SET lock_timeout = '10s'")
    db.sync_refused("55006")
    # The same from another source.
    db.execute("CREATE SCHEMA prod2")
    db.execute("CREATE TABLE prod2.people (LIKE prod.people INCLUDING ALL)")
    db.sync_refused("55006", source="prod2")
    # What was not taken is not let go of.
    assert "own a lock" not in db.server.log()
    held["let_go"]()
    assert held["run"].result() is None
    assert db.events() == ["KEY_CREATED", *["STARTED", "COMPLETED"] * 2]
    db.execute(CALL)


def test_runs_on_different_targets_do_not_wait_for_each_other(held):
    db = held["db"]
    db.execute("SET lock_timeout = '10s'")
    db.sync(target="testing")
    assert db.value("SELECT count(*) FROM testing.people") == 3
    held["let_go"]()
    assert held["run"].result() is None
    assert db.findings()["OK"] == ("ok", 1, 8)


def test_a_cancelled_run_changes_nothing_and_says_so(held):
    db = held["db"]
    db.execute("SELECT pg_cancel_backend(%s)", [held["pid"]])
    error = held["run"].result()
    assert error.sqlstate == "57014"
    assert db.content("staging") == held["before"]
    assert db.events()[3:] == ["STARTED", "FAILED"]
    held["let_go"]()
    db.execute(CALL)
    assert db.value("SELECT DISTINCT note FROM staging.people") == "new"


def test_a_killed_run_changes_nothing_and_its_beginning_stays_on_record(held):
    db = held["db"]
    db.execute("SELECT pg_terminate_backend(%s)", [held["pid"]])
    assert held["run"].result() is not None
    assert db.content("staging") == held["before"]
    assert db.events()[3:] == ["STARTED"]
    assert db.findings()["OK"] == ("ok", 1, 5)
    held["let_go"]()
    db.execute(CALL)
    assert db.value("SELECT DISTINCT note FROM staging.people") == "new"


def test_a_run_that_computes_can_be_cancelled_soon(db):
    make_many(db, 400_000)
    runner = db.session()
    run = Background(lambda: runner.execute(CALL))
    wait_until(lambda: db.events() == ["KEY_CREATED", "STARTED"])
    time.sleep(0.1)
    asked = time.monotonic()
    db.execute("SELECT pg_cancel_backend(%s)", [runner.pid()])
    error = run.result()
    assert error is not None, "the run was over before it was cancelled"
    assert error.sqlstate == "57014" and time.monotonic() - asked < 3
    assert db.content("staging") == {}
    assert db.events() == ["KEY_CREATED", "STARTED", "FAILED"]
    assert runner.value("SELECT 1") == 1


def test_a_timeout_is_as_good_as_a_cancel(held):
    db = held["db"]
    session = db.session()
    session.execute("SET statement_timeout = '700ms'")
    held["let_go"]()
    assert held["run"].result() is None
    before = db.content("staging")
    reader = db.session(autocommit=False)
    reader.rows("SELECT * FROM staging.people")
    session.sync_refused("57014")
    reader.connection.rollback()
    assert db.content("staging") == before
    assert db.events()[-2:] == ["STARTED", "FAILED"]


def test_a_lock_timeout_changes_nothing(held):
    db = held["db"]
    held["let_go"]()
    assert held["run"].result() is None
    before = db.content("staging")
    reader = db.session(autocommit=False)
    reader.rows("SELECT * FROM staging.people")
    db.execute("SET lock_timeout = '300ms'")
    assert "pg_blocking_pids" in db.sync_refused("55P03").message_hint
    reader.connection.rollback()
    assert db.content("staging") == before
    assert db.events()[-2:] == ["STARTED", "FAILED"]


def test_many_runs_at_once_keep_one_ledger(db):
    make_small(db)
    sessions = [db.session() for _ in range(6)]

    def work(number):
        for _ in range(4):
            sessions[number].sync(target=f"t{number}")

    runs = [Background(lambda number=number: work(number)) for number in range(6)]
    assert [run.result(120) for run in runs] == [None] * 6
    assert db.findings()["OK"] == ("ok", 1, 50)


def test_a_table_dropped_by_somebody_else_meanwhile_is_one_clear_error(held):
    db = held["db"]
    # The drop waits for the reader as well, and comes after or before the run: both are fine.
    dropper = db.session()
    drop = Background(lambda: dropper.execute("DROP TABLE prod.people"))
    time.sleep(0.2)
    held["let_go"]()
    error = held["run"].result()
    assert drop.result() is None
    assert error is None or error.sqlstate in ("42P01", "XX000", "40001")
    assert db.findings()["OK"][0] == "ok"


def test_sessions_share_no_randomness(db):
    # Every backend is a fork of one process: copies of a generator would make equal ids.
    make_small(db)
    for number in range(8):
        db.session().sync(target=f"t{number}")
    ids = db.rows(
        "SELECT count(DISTINCT id), count(DISTINCT run_id), count(*) FROM confiture.audit_log"
    )
    # Beside those of the runs, the entries about the key and the profile.
    assert ids == [(18, 8, 18)]
