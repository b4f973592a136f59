"""The refresh script of the examples, through every way in which it ends."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from hook_functions import BEFORE, make_hook, register, set_up
from samples import make_small
from server import ROOT
from stops import WAIT
from test_concurrency import wait_until

SCRIPT = ROOT / "examples" / "refresh" / "refresh"
STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[\d+\] ")


@pytest.fixture
def refresh(db, tmp_path):
    """The script in a database with the small profile; further variables by name."""
    make_small(db)
    set_up(db)

    def start(*arguments, **variables):
        return subprocess.Popen(
            [str(SCRIPT), *(arguments or ("small", "prod", "staging"))],
            env={
                **db.server.environment,
                "PGDATABASE": db.name,
                "REFRESH_LOG": str(tmp_path / "refresh.log"),
                **variables,
            },
            cwd=tmp_path,
            # Where these tests run in the background, SIGINT is ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(*arguments, **variables):
        return ended(start(*arguments, **variables))

    run.start, run.log = start, tmp_path / "refresh.log"
    return run


def ended(process):
    """Status and the only line that it wrote."""
    out, err = process.communicate(timeout=60)
    # On the standard output where all is well, and only there.
    assert (err == "") == (process.returncode == 0), (out, err)
    return process.returncode, (out + err).strip()


def wait_hook(db):
    """A hook that holds the run; returns the session that lets it go."""
    make_hook(db, "wait", f"{WAIT} RETURN NULL;")
    register(db, BEFORE, "app.wait")
    holder = db.session(autocommit=False)
    holder.execute("SELECT pg_advisory_xact_lock(42)")
    return holder


def is_held(db):
    return db.value("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND objid = 42)")


def test_a_warning_that_nobody_acknowledged_stops_it_before_anything(db, refresh):
    db.execute("CREATE TABLE prod.forgotten (email text)")
    status, line = refresh()
    assert status == 1 and "refused: 55000" in line and "1 warning" in line
    assert db.events()[-1] != "FAILED" and "STARTED" not in db.events()
    assert refresh(REFRESH_OPTIONS="{}")[0] == 0


def test_it_refreshes_and_says_so_in_one_line(db, refresh):
    status, line = refresh()
    assert status == 0
    assert re.fullmatch(
        r"refresh of staging from prod by profile small: 3 rows in 1 table, \d+ checks passed,"
        r" [0-9.]+ s; 1 table created",
        line,
    )
    log = refresh.log.read_text()
    assert all(STAMPED.match(each) for each in log.splitlines())
    assert log.endswith(f"{line}\n") and "NOTICE:  people: 3 rows" in log
    assert db.value(
        "SELECT application_name FROM confiture.audit_log WHERE event = 'COMPLETED'"
    ) == "refresh"
    assert refresh()[0] == 0


def test_what_the_plan_refuses_is_1_and_nothing_was_begun(db, refresh):
    db.execute("ALTER TABLE prod.people ADD COLUMN born date")
    db.execute("ALTER TABLE prod.people DROP COLUMN email")
    status, line = refresh()
    assert status == 1 and re.search(r": refused: \w{5} ", line), line
    assert "STARTED" not in db.all_events()
    assert refresh("nobody", "prod", "staging")[0] == 1


def test_a_run_that_fails_is_2_and_changed_nothing(db, refresh):
    make_hook(db, "no", """RETURN '{"veto": "the moon is full"}';""")
    register(db, BEFORE, "app.no")
    status, line = refresh()
    assert status == 2 and line.endswith(': failed: 09000 hook "app"."no" vetoed the run')
    # The whole of it is in the log.
    assert "the moon is full" in refresh.log.read_text()
    assert db.events()[-1] == "FAILED" and db.content("staging") == {}


def test_a_timeout_is_2(db, refresh):
    holder = wait_hook(db)
    status, line = refresh(REFRESH_LOCK_TIMEOUT="300ms")
    assert status == 2 and "failed: 55P03" in line
    status, line = refresh(REFRESH_STATEMENT_TIMEOUT="2s")
    assert status == 2 and "failed: 57014 run canceled" in line
    holder.connection.rollback()
    assert refresh()[0] == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_whoever_stops_it_cancels_the_run(db, refresh, stop):
    holder = wait_hook(db)
    process = refresh.start()
    wait_until(lambda: is_held(db))
    process.send_signal(stop)
    status, line = ended(process)
    assert status == 2 and line.endswith(": canceled")
    assert db.events()[-1] == "FAILED"
    holder.connection.rollback()


def test_a_second_one_is_3(db, refresh):
    holder = wait_hook(db)
    process = refresh.start()
    wait_until(lambda: is_held(db))
    status, line = refresh()
    assert status == 3 and "another refresh is going on" in line
    # From another machine the lock file is not seen, but the run is.
    status, line = refresh(REFRESH_LOG=str(refresh.log.with_name("other.log")))
    assert status == 3 and line.endswith('another run is writing schema "staging"')
    holder.connection.rollback()
    assert ended(process)[0] == 0


def test_a_killed_script_keeps_the_lock_until_its_run_has_ended(db, refresh):
    holder = wait_hook(db)
    process = refresh.start()
    wait_until(lambda: is_held(db))
    process.kill()
    process.wait(10)
    assert refresh()[0] == 3
    holder.connection.rollback()
    wait_until(lambda: "COMPLETED" in db.all_events())
    wait_until(lambda: refresh()[0] == 0)


def test_a_run_whose_client_has_gone_is_given_up_soon(db, refresh):
    holder = wait_hook(db)
    process = refresh.start()
    wait_until(lambda: is_held(db))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    name = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in children}
    (psql,) = [int(pid) for pid in children if name[pid] == "psql"]
    os.kill(psql, signal.SIGKILL)
    status, line = ended(process)
    assert status == 2 and "the connection was lost" in line
    # The server asks every ten seconds.
    wait_until(lambda: db.column("SELECT state FROM confiture.runs") == ["interrupted"])
    holder.connection.rollback()
    assert refresh()[0] == 0


def test_a_database_that_cannot_be_reached_is_4(refresh):
    status, line = refresh(PGDATABASE="there_is_none")
    assert status == 4 and "cannot be reached" in line
    assert "there_is_none" in refresh.log.read_text()
    assert refresh(PGPORT="1")[0] == 4


def test_a_connection_that_is_lost_is_2(db, refresh):
    holder = wait_hook(db)
    process = refresh.start()
    wait_until(lambda: is_held(db))
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'refresh'"
    )
    status, line = ended(process)
    assert status == 2, line
    holder.connection.rollback()


def test_called_wrongly_is_64(refresh):
    process = refresh.start("small")
    _, err = process.communicate(timeout=10)
    assert process.returncode == 64 and "refresh PROFILE SOURCE TARGET" in err


def test_names_are_names_whatever_is_in_them(db, refresh):
    odd = "stag'ing \"x\"; $(touch hacked) `touch hacked`"
    status, _ = refresh("small", "prod", odd)
    assert status == 0
    assert db.value("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [odd]) == 1
    assert not list(refresh.log.parent.glob("hacked"))
