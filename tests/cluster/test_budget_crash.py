"""A budget when the server is killed, and on a standby."""

import psycopg
import pytest

from library import use_library, without
from standby import DURABLE, Standby, kill, start_again, stop_the_writer
from test_budget import COUNT, ask, ready


@pytest.fixture(name="own")
def _own(private_server):
    """A server of its own that writes to the disk, with a budget."""
    db = private_server(*DURABLE).create_database()
    ready(db)
    return db


def crash(own, end):
    """Kills the server when a charge was answered; what the budget says afterwards."""
    own.execute("CHECKPOINT")
    session = own.session()
    session.execute("SET confiture.dp_budget = 'research'; BEGIN")
    pids = stop_the_writer(own.server)
    ask(session, "3")
    session.execute(end)
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    status = "SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')"
    return own.session().rows(status)


@pytest.mark.parametrize("end", ["ROLLBACK", "SELECT 1"])
def test_what_was_answered_stays_charged_when_the_server_is_killed(own, end):
    assert crash(own, end) == [(3, 1)]


@pytest.mark.parametrize("end", ["ROLLBACK", "SELECT 1"])
def test_without_the_flush_the_same_crash_gives_everything_back(own, end):
    # The control of the test above: only the call that waits for the disk is taken away.
    use_library(own, without(own, "XLogFlush"))
    assert crash(own, end) == [(0, 0)]


def test_a_standby_answers_nothing_and_shows_what_was_spent(own):
    ask(own, "2")
    standby = Standby(own.server)
    try:
        with standby.connect(own.name) as connection:
            spent = "SELECT epsilon_spent FROM anon_dp_budget_status('research')"
            for _ in range(200):
                if connection.execute(spent).fetchone()[0] == 2:
                    break
                connection.execute("SELECT pg_sleep(0.05)")
            assert connection.execute(spent).fetchone()[0] == 2
            connection.execute("SET confiture.dp_budget = 'research'")
            with pytest.raises(psycopg.Error) as error:
                connection.execute(COUNT.format("1"))
            assert error.value.diag.sqlstate == "25006"
            assert error.value.diag.message_hint
    finally:
        standby.stop()
