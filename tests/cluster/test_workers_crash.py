"""Runs with workers, killed at random: a worker, the run itself, the whole server."""

import os
import random
import threading
import time

import psycopg
import pytest

from samples import make_many
from server import Database
from standby import DURABLE, kill, processes, start_again
from swapping import check_files, files, swap
from test_concurrency import Background, wait_until
from test_recovery import again

ROWS = 60_000
ROUNDS = int(os.environ.get("CONFITURE_ROUNDS", "6"))
NEW = "SELECT count(*) FILTER (WHERE note = 'new'), count(*) FROM staging.people"
HELPING = "SELECT pid FROM pg_stat_activity WHERE leader_pid = %s AND pid <> leader_pid"


def attempt(connection):
    try:
        connection.execute("CALL confiture.sync('small', 'prod', 'staging', %s)", [swap(workers=2)])
    except psycopg.Error:
        pass


@pytest.mark.parametrize("victim", ["worker", "run"])
def test_a_killed_worker_leaves_the_target_as_it_was(private_server, victim):
    server = private_server("max_parallel_workers=8")
    db = server.create_database()
    make_many(db, ROWS)
    db.sync()
    before, made = db.content("staging"), files(db)
    db.execute("UPDATE prod.people SET note = 'new'")
    runner = db.session()
    pid = runner.pid()
    run = Background(lambda: runner.sync(options=swap(workers=2, max_rows_per_second=5000)))
    wait_until(lambda: len(db.rows(HELPING, [pid])) == 2)
    kill([db.column(HELPING, [pid])[0] if victim == "worker" else pid])
    assert run.result() is not None
    db = again(server, db)
    assert (db.content("staging"), files(db)) == (before, made)
    state = "SELECT state FROM confiture.runs ORDER BY started_at DESC LIMIT 1"
    assert db.value(state) == "interrupted"
    db.sync(options=swap(workers=2))
    assert db.rows(NEW) == [(ROWS, ROWS)]
    check_files(db)


def test_whoever_is_killed_at_any_moment_the_rows_are_old_or_new(private_server):
    """`make stress` has fifty rounds of it."""
    server = private_server(*DURABLE, "max_parallel_workers=8")
    db = server.create_database()
    make_many(db, ROWS)
    db.sync()
    db.execute("UPDATE prod.people SET note = 'new'")
    db.execute("CHECKPOINT")
    moments = random.Random(11)
    ends = 1
    for round_ in range(ROUNDS):
        connection = server.connect(db.name)
        pid = connection.info.backend_pid
        thread = threading.Thread(target=attempt, args=(connection,), daemon=True)
        thread.start()
        time.sleep(moments.uniform(0.1, 2.0))
        match moments.choice(["worker", "run", "server"]):
            case "worker":
                helping = db.column(HELPING, [pid])
                kill([moments.choice(helping)] if helping else [pid])
            case "run":
                kill([pid])
            case "server":
                postmaster, children = processes(server)
                kill([postmaster, *children])
                start_again(server)
        thread.join(60)
        assert not thread.is_alive(), round_
        # The server ends all sessions, but not at once; none where the victim had ended by itself.
        for _ in range(50):
            if not alive(db):
                break
            time.sleep(0.02)
        db = again(server, db) if db.connection.closed or not alive(db) else db
        now = db.value("SELECT count(*) FROM confiture.audit_log WHERE event = 'COMPLETED'")
        assert db.rows(NEW) == [(ROWS if now > 1 else 0, ROWS)], round_
        assert now in (ends, ends + 1)
        ends = now
        assert db.findings().keys() <= {"OK", "W01", "W03", "W08"}
        strangers = "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
        assert sorted(db.column(strangers)) == ["people", "people_pkey"]
    check_files(db)
    db.sync(options=swap(workers=2))
    assert db.rows(NEW) == [(ROWS, ROWS)]


def alive(db):
    try:
        return db.value("SELECT true")
    except psycopg.Error:
        return False


def test_eight_runs_at_once_write_eight_targets(private_server):
    """Four workers for all of them: some wait, none waits for ever, and all write the same."""
    server = private_server("max_connections=60")
    db = server.create_database()
    make_many(db, 20_000)
    db.sync()
    alone = db.value("SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM staging.people p")
    sessions = [db.session() for _ in range(8)]
    for number, session in enumerate(sessions):
        session.execute("SET confiture.max_workers = 4")
        session.sync(target=f"copy{number}")
    runs = [
        Background(lambda s=session, n=number: s.sync(target=f"copy{n}", options=swap(workers=2)))
        for number, session in enumerate(sessions)
    ]
    assert [run.result(300) for run in runs] == [None] * 8
    for number in range(8):
        table = f"copy{number}.people"
        assert db.value(f"SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM {table} p") == alone
    assert db.findings().keys() <= {"OK", "W01", "W03"}
