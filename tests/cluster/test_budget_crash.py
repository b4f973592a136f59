"""A budget when the server is killed, and on a standby."""

import psycopg
import pytest

from standby import DURABLE, Standby, kill, start_again, stop_the_writer
from test_budget import COUNT, ask, ready


@pytest.fixture(name="own")
def _own(private_server):
    """A server of its own that writes to the disk, with a budget."""
    db = private_server(*DURABLE).create_database()
    ready(db)
    return db


@pytest.mark.parametrize("end", ["ROLLBACK", "SELECT 1"])
def test_what_was_answered_stays_charged_when_the_server_is_killed(own, end):
    own.execute("CHECKPOINT")
    session = own.session()
    session.execute("SET confiture.dp_budget = 'research'; BEGIN")
    pids = stop_the_writer(own.server)
    ask(session, "3")
    session.execute(end)
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    after = own.session()
    row = after.rows("SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')")
    assert row == [(3, 1)]


def test_a_sequence_alone_forgets(own):
    # What the flush is there for: without it the same crash gives everything back.
    own.execute("CREATE SEQUENCE plain MINVALUE 0 START 0; CHECKPOINT")
    session = own.session()
    session.execute("BEGIN")
    pids = stop_the_writer(own.server)
    session.execute("SELECT setval('plain', 3)")
    session.execute("ROLLBACK")
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    assert own.session().value("SELECT last_value FROM plain") == 0


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
