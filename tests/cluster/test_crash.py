"""Work of every kind at once while processes are killed at random: what was answered is kept, nothing
is there twice, and the ledger verifies.

Two rounds here; `make stress` has a hundred (CONFITURE_ROUNDS)."""

import os
import random
import threading
import time

import psycopg
import pytest

from samples import make_many
from standby import DURABLE, kill, processes, start_again
from test_dp_release import register
from test_recovery import again

ROUNDS = int(os.environ.get("CONFITURE_ROUNDS", "2"))
ROWS = 2000
SYNC = "CALL confiture.sync('small', source => 'prod', target => 'staging')"
MAKE = "SELECT confiture.tokenize_batch('mail', %s)"
REVEAL = "SELECT confiture.reveal(%s, 'mail', %s)"
RELEASE = "SELECT count(*) FROM anon_dp_release('orders', '[{\"count\": \"*\"}]', 0.001)"
# A session whose server has gone, and nothing else.
GONE = {None, "57P01", "57P02", "57P03"}
KEPT = {"OK", "W01", "W03", "W08"}


class Worker(threading.Thread):
    """One session that does one thing again and again, and keeps what it was answered."""

    def __init__(self, db, number, answered):
        super().__init__(daemon=True)
        self.connection = db.server.connect(db.name)
        self.pid = self.connection.info.backend_pid
        self.number, self.answered, self.error, self.tries = number, answered, None, 0

    def run(self):
        try:
            while True:
                self.tries += 1
                self.work()
        except psycopg.Error as error:
            self.error = error
        finally:
            self.connection.close()

    def ask(self, sql, parameters=None):
        """The only value of a statement."""
        return self.connection.execute(sql, parameters).fetchone()[0]


class Syncs(Worker):
    def work(self):
        self.connection.execute(SYNC)
        self.answered.append(self.tries)


class Tokenizes(Worker):
    def work(self):
        values = [f"value {self.number} {self.tries} {i}" for i in range(5)]
        self.answered += zip(values, self.ask(MAKE, [values]), strict=True)


class Reveals(Worker):
    def work(self):
        reason = f"reason {self.number} {self.tries}"
        assert self.ask(REVEAL, [self.token, reason]) == "ada"
        self.answered.append(reason)
        time.sleep(0.002)


class Releases(Worker):
    def work(self):
        self.ask(RELEASE)
        self.answered.append(self.tries)
        time.sleep(0.005)


class Rotates(Worker):
    def work(self):
        self.answered.append(self.ask("SELECT confiture.rotate_key('masking')"))
        time.sleep(0.1)


class Anchors(Worker):
    def work(self):
        self.answered.append(self.ask("SELECT confiture.export_anchor()"))
        time.sleep(0.05)


KINDS = [Syncs, Tokenizes, Tokenizes, Reveals, Reveals, Releases, Rotates, Anchors]


class Database:
    """The database under attack, and what it has answered so far."""

    def __init__(self, db):
        self.db, self.server = db, db.server
        make_many(db, ROWS)
        db.execute("CREATE SCHEMA app")
        db.execute("CREATE TABLE app.orders AS SELECT i AS customer, i % 90 AS age, i AS amount,"
                   " 1.0::float8 AS weight, 'F' AS sex, 'Big' AS city FROM generate_series(1, 100) i")
        db.execute("SELECT confiture.create_domain('mail')")
        db.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
        db.execute("SELECT anon_dp_budget_create('research', 1000000, 0.5)")
        db.execute("SELECT anon_dp_budget_grant('research', session_user::text)")
        register(db)
        db.sync()
        self.token = db.value(MAKE, [["ada"]])[0]
        self.answered = {kind: [] for kind in KINDS}
        self.tries = dict.fromkeys(KINDS, 0)
        self.completed = 1

    def round(self, chance, number):
        """All of it at once, until something is killed."""
        self.db.execute("UPDATE prod.people SET note = %s", [f"round {number}"])
        answers = {kind: [] for kind in KINDS}
        workers = [
            kind(self.db, f"{number}.{place}", answers[kind]) for place, kind in enumerate(KINDS)
        ]
        for worker in workers:
            worker.token = self.token
            worker.start()
        time.sleep(chance.uniform(0.2, 1.2))
        postmaster, children = processes(self.server)
        match chance.choice(["session", "session", "helper", "server"]):
            case "session":
                kill([chance.choice(workers).pid])
            case "helper":
                kinds = ("checkpointer", "walwriter", "background writer")
                kill([chance.choice([pid for pid, kind in children.items() if kind in kinds])])
            case "server":
                kill([postmaster, *children])
                start_again(self.server)
        for worker in workers:
            worker.join(60)
            assert not worker.is_alive(), type(worker).__name__
            assert worker.error.diag.sqlstate in GONE, worker.error
            self.tries[type(worker)] += worker.tries
        self.db = again(self.server, self.db)
        for kind, given in answers.items():
            self.answered[kind] += given
        return answers

    def unanswered(self, kind):
        """How many of its attempts may have been done without an answer."""
        return self.tries[kind] - len(self.answered[kind])

    def check(self, answers, number):
        """Nothing that was answered is lost, nothing is there twice."""
        db = self.db
        given = answers[Tokenizes]
        if given:
            values, tokens = map(list, zip(*given, strict=True))
            assert db.value(MAKE, [values]) == tokens
            back = db.column("SELECT value FROM confiture.reveal_batch(%s, 'mail', 'check')", [tokens])
            assert back == values
        made, distinct = db.rows("SELECT count(*), count(DISTINCT handle) FROM confiture.token")[0]
        assert made == distinct >= len(self.answered[Tokenizes])

        reasons = db.column("SELECT reason FROM confiture.journal WHERE reason LIKE 'reason %'")
        assert len(reasons) == len(set(reasons)) and set(self.answered[Reveals]) <= set(reasons)
        assert len(reasons) <= len(self.answered[Reveals]) + self.unanswered(Reveals)

        charges = db.value("SELECT charges FROM anon_dp_budget_status('research')")
        assert 0 <= charges - len(self.answered[Releases]) <= self.unanswered(Releases)

        versions = db.column("SELECT version FROM confiture.key_version WHERE key_name = 'masking'"
                             " ORDER BY version")
        assert versions == list(range(1, len(versions) + 1))
        assert set(self.answered[Rotates]) <= set(versions)
        assert db.all_events().count("KEY_ROTATED") == len(versions) - 1

        completed = db.all_events().count("COMPLETED") - 1
        assert 0 <= completed - len(self.answered[Syncs]) <= self.unanswered(Syncs)
        notes = set(db.column("SELECT DISTINCT note FROM staging.people"))
        assert db.value("SELECT count(*) FROM staging.people") == ROWS and len(notes) == 1
        if answers[Syncs]:
            assert notes == {f"round {number}"}

        checks = db.column("SELECT check_code FROM confiture.verify_ledger(%s)", [self.answered[Anchors]])
        assert set(checks) <= KEPT, checks


@pytest.fixture(name="own")
def _own(private_server):
    return Database(private_server(*DURABLE).create_database())


def test_whatever_is_killed_what_was_answered_stays_and_nothing_is_there_twice(own):
    chance = random.Random(29)
    for number in range(ROUNDS):
        own.check(own.round(chance, number), number)
    done = {kind.__name__: len(answers) for kind, answers in own.answered.items()}
    print(f"{ROUNDS} rounds, answered: {done}")
    assert ROUNDS < 10 or min(done.values()) > 0, done
    own.db.sync()
    values, tokens = map(list, zip(*own.answered[Tokenizes], strict=True))
    assert own.db.value(MAKE, [values]) == tokens
    assert own.db.findings().keys() <= KEPT
