"""Many sessions that do all kinds of work at once: no deadlock reaches anybody, no error is without an
explanation, no session grows.

Eight sessions for five seconds here; `make stress` has 64 for ten minutes (CONFITURE_SESSIONS,
CONFITURE_SECONDS)."""

import os
import random
import re
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from samples import make_many, small

SESSIONS = int(os.environ.get("CONFITURE_SESSIONS", "8"))
SECONDS = int(os.environ.get("CONFITURE_SECONDS", "5"))
MOST = 20 * 1024 * 1024
# Why a session may be told this.
EXPLAINED = {
    "55006": "another run writes that target",
    "42501": "the stranger asked for what is closed to it",
    "53400": "the small budget is spent",
}
STRANGER = "SET SESSION AUTHORIZATION stranger"


def masks(ask, me, chance):
    ask("SELECT count(anon_email(email)), count(anon_hash(note)) FROM prod.people WHERE id < 300")


def plans(ask, me, chance):
    ask(f"SELECT count(*) FROM confiture.plan('small', 'prod', 'own{me}')")


def syncs(ask, me, chance):
    ask(f"CALL confiture.sync('small', source => 'prod', target => 'own{me}')")


def syncs_what_others_sync(ask, me, chance):
    ask("CALL confiture.sync('small', source => 'prod', target => 'shared')")


def tokenizes(ask, me, chance):
    first = chance.randrange(400)
    ask("SELECT count(*) FROM (SELECT confiture.tokenize_batch('mail', array_agg('v' || i"
        f" ORDER BY md5(i || '{me}'))) FROM generate_series({first}, {first + 40}) i) t")


def reveals(ask, me, chance):
    ask("SELECT confiture.reveal((confiture.tokenize_batch('mail', '{v1}'))[1], 'mail', 'load')")


def is_refused(ask, me, chance):
    ask(STRANGER)
    try:
        ask("SELECT confiture.reveal('tok_0', 'mail', 'load')")
    finally:
        ask("RESET SESSION AUTHORIZATION")


def counts(ask, me, chance):
    ask("SET confiture.dp_budget = 'large'")
    ask("SELECT anon_dp_count(id, 0.001) FROM prod.people")


def counts_beyond(ask, me, chance):
    ask("SET confiture.dp_budget = 'little'")
    ask("SELECT anon_dp_count(id, 0.05) FROM prod.people")


def verifies(ask, me, chance):
    ask("SELECT count(*) FROM confiture.verify_ledger(since_anchor => true)")


def anchors(ask, me, chance):
    ask("SELECT confiture.export_anchor()")


def loads(ask, me, chance):
    version = f"{me}.{chance.randrange(5)}"
    ask("SELECT confiture.load_profile(%s)", [small(name=f"p{me}", version=version)])
    ask("SELECT confiture.retire_profile(%s, %s)", [f"p{me}", version])


def looks(ask, me, chance):
    ask("SELECT count(email) FROM seen.people WHERE id < 300")


def measures(ask, me, chance):
    ask("SELECT anon_k_anonymity('prod.people', '{note}')")


def detects(ask, me, chance):
    ask("SELECT count(*) FROM confiture.detect('prod')")


def declares(ask, me, chance):
    ask("SELECT confiture.begin_run('by hand', 'prod', 'staging')")
    ask("SELECT count(confiture.track('people', 'email', id::text, email, anon_email(email)))"
        " FROM prod.people WHERE id < 50")
    ask("SELECT confiture.end_run()")


WORK = [masks, plans, syncs, syncs_what_others_sync, tokenizes, reveals, is_refused, counts,
        counts_beyond, verifies, anchors, loads, looks, measures, detects, declares]


def memory(pid):
    """What a process has of its own, in bytes: not what it shares with others."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    of = {name: int(size) for name, size in re.findall(r"(\w+):\s+(\d+) kB", status)}
    return (of["VmRSS"] - of["RssShmem"]) * 1024


class Works(threading.Thread):
    """One session. It has done everything once before its memory is looked at."""

    def __init__(self, db, number, until):
        super().__init__(daemon=True)
        self.connection = db.server.connect(db.name)
        self.number, self.until = number, until
        self.done, self.errors = Counter(), Counter()
        self.before = self.after = None

    def run(self):
        chance = random.Random(self.number)
        for work in chance.sample(WORK, len(WORK)):
            self.attempt(work, chance)
        pid = self.connection.info.backend_pid
        self.before = memory(pid)
        while time.monotonic() < self.until:
            self.attempt(chance.choice(WORK), chance)
        self.after = memory(pid)
        self.connection.close()

    def attempt(self, work, chance):
        """Does something, and notes what came of it."""
        try:
            work(self.connection.execute, self.number, chance)
            self.done[work.__name__] += 1
        except psycopg.Error as error:
            self.errors[work.__name__, error.diag.sqlstate] += 1


@pytest.fixture(name="busy")
def _busy(private_server):
    db = private_server(f"max_connections={SESSIONS + 20}").create_database()
    make_many(db, 1000)
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("CREATE ROLE stranger")
    db.execute("GRANT USAGE ON SCHEMA confiture TO stranger")
    db.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    for name, limit in (("large", 100_000), ("little", 1)):
        db.execute("SELECT anon_dp_budget_create(%s, %s)", [name, limit])
        db.execute("SELECT anon_dp_budget_grant(%s, session_user::text)", [name])
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    for target in ["shared", *(f"own{number}" for number in range(SESSIONS))]:
        db.sync(target=target)
    return db


def test_sessions_of_mixed_work_see_no_deadlock_and_do_not_grow(busy):
    until = time.monotonic() + SECONDS
    sessions = [Works(busy, number, until) for number in range(SESSIONS)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join(SECONDS + 300)
        assert not session.is_alive(), "it hangs"
    done = sum((session.done for session in sessions), Counter())
    errors = sum((session.errors for session in sessions), Counter())
    grown = sorted(session.after - session.before for session in sessions)
    found = busy.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    print(f"{SESSIONS} sessions, {SECONDS} s, done: {dict(done)}, errors: {dict(errors)},"
          f" deadlocks that the server found: {found}, most growth: {grown[-1] >> 10} KiB")
    assert done.keys() == {work.__name__ for work in WORK} - {"is_refused"}
    assert {sqlstate for _, sqlstate in errors} <= EXPLAINED.keys(), errors
    assert grown[-1] <= MOST
    assert busy.findings().keys() <= {"OK", "W01", "W03"}
    log = busy.server.log()
    assert "PANIC" not in log and "terminated by signal" not in log
