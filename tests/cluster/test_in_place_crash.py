"""Masking in place when the server is killed."""

import threading
import time

import psycopg
import pytest

from samples import make_many
from server import Database
from standby import kill, processes, start_again

CALL = "CALL confiture.mask_in_place('small', 'prod')"


@pytest.fixture(name="own")
def _own(private_server):
    """A server that writes to the disk, with many rows."""
    server = private_server("fsync=on", "full_page_writes=on", "confiture.allow_in_place=on")
    db = server.create_database()
    make_many(db, 60_000)
    return db


def test_a_server_killed_in_the_middle_has_all_or_nothing(own):
    """At some moments of a run that takes a while, and then it goes through."""
    originals = "SELECT count(*) FROM prod.people WHERE email LIKE 'person%@mail.example'"
    for delay in (0.05, 0.3, 0.6, 1.0, 1.5, 2.5):
        session, watcher = own.server.connect(own.name), own.session()
        before = watcher.value(originals)
        assert before == 60_000
        thread = threading.Thread(target=attempt, args=(session,), daemon=True)
        thread.start()
        time.sleep(delay)
        postmaster, children = processes(own.server)
        kill([postmaster, *children])
        thread.join(30)
        start_again(own.server)
        own = Restarted(own)
        left = own.value(originals)
        marks = own.value("SELECT count(*) FROM confiture.masked_in_place")
        ends = own.value("SELECT count(*) FROM confiture.audit_log WHERE event = 'COMPLETED'")
        assert (left, marks, ends) in [(60_000, 0, 0), (0, 1, 1)], delay
        assert own.value("SELECT count(*) FROM prod.people") == 60_000
        assert own.findings().keys() <= {"OK", "W01", "W03", "W08"}
        if left == 0:
            break
    else:
        own.execute(CALL)
        assert own.value(originals) == 0


def attempt(connection):
    try:
        connection.execute(CALL)
    except psycopg.Error:
        pass


class Restarted(Database):
    """The same database after its server was started again."""

    def __init__(self, former):
        super().__init__(former.server, former.name)
