"""Many clients at once that write to the ledger, change their minds and are cut off."""

import collections
import random
import threading
import time

import psycopg
import pytest

from many_entries import COPY, by_chain
from samples import make_people

CLIENTS = 32
SECONDS = 8
LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

# A transaction that read before another one wrote; a session that was ended; two that name a key
# alike, or shred one key.
ALLOWED = {"40001", "57P01", "23505", "42710"}


def connect(server, name, **more):
    return psycopg.connect(
        host=server.environment["PGHOST"],
        port=server.environment["PGPORT"],
        dbname=name,
        user="postgres",
        options="-c statement_timeout=60s -c deadlock_timeout=200ms",
        **more,
    )


class Client(threading.Thread):
    """Does one thing after the other, each in a transaction or in several, until told to stop."""

    def __init__(self, db, number, stop):
        super().__init__()
        self.db, self.number, self.stop = db, number, stop
        self.dice = random.Random(number)
        self.outcomes = collections.Counter()
        self.wrong = []

    def run(self):
        while not self.stop.is_set():
            try:
                with connect(self.db.server, self.db.name, autocommit=True) as connection:
                    while not self.stop.is_set():
                        self.act(connection)
            except psycopg.OperationalError as error:
                # Cut off, before or after its COMMIT.
                self.outcomes[error.diag.sqlstate or "lost"] += 1
            except Exception as error:  # noqa: BLE001
                self.wrong.append(repr(error))
                return

    def act(self, connection):
        """One thing; half a minute of it fits into no test, so nobody waits for anything."""
        act = self.dice.choice(
            [self.run_at_once, self.run_in_steps, self.make_key, self.rotate, self.shred, self.fail]
        )
        try:
            act(connection)
        except psycopg.Error as error:
            state = error.diag.sqlstate
            self.outcomes[state or "lost"] += 1
            if connection.closed:
                raise psycopg.OperationalError from error
            if state not in ALLOWED:
                self.wrong.append(f"{act.__name__}: {state} {error} {error.diag.message_detail}")
            connection.execute("ROLLBACK")
            self.forget(connection)

    def forget(self, connection):
        """Ends a run that is still going in this session."""
        try:
            connection.execute("SELECT confiture.fail_run('gave up')")
        except psycopg.Error as error:
            if error.diag.sqlstate not in {"55000", "40001", "57P01"}:
                raise

    def transaction(self, connection, *statements):
        """Runs statements in a transaction that one time in four is taken back."""
        connection.execute(f"BEGIN ISOLATION LEVEL {self.dice.choice(LEVELS)}")
        for statement in statements:
            connection.execute(statement)
        if "_key" in statements[0] and self.dice.random() < 0.3:
            # An act on a key would be out of order here: docs/ledger.md, "Many at once".
            connection.execute("SAVEPOINT s")
            connection.execute("SELECT confiture.begin_run('never', 'prod', 'staging')")
            connection.execute("ROLLBACK TO s")
        word = "ROLLBACK" if self.dice.random() < 0.25 else "COMMIT"
        connection.execute(word)
        self.outcomes[word] += 1
        return word == "COMMIT"

    def parts(self):
        target = f"staging.t{self.number}"
        return (
            "SELECT confiture.begin_run('declared', 'prod', 'staging')",
            f"DELETE FROM {target}",
            COPY.format(target=target, table=f"t{self.number}"),
            "SELECT confiture.end_run()",
        )

    def run_at_once(self, connection):
        self.transaction(connection, *self.parts())

    def run_in_steps(self, connection):
        begin, delete, copy, end = self.parts()
        if self.transaction(connection, begin):
            while not self.transaction(connection, delete, copy):
                pass
            while not self.transaction(connection, end):
                pass

    def make_key(self, connection):
        name = f"salt-{self.number}-{self.dice.randrange(10**9)}"
        self.transaction(connection, f"SELECT confiture.create_key('{name}')")

    def rotate(self, connection):
        self.transaction(connection, "SELECT confiture.rotate_key('masking')")

    def shred(self, connection):
        self.transaction(
            connection,
            "SELECT confiture.shred_run_key(run_id) FROM (SELECT run_id FROM confiture.run_key"
            " WHERE run_id IN (SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED')"
            " ORDER BY random() LIMIT 1) r",
        )

    def fail(self, connection):
        self.transaction(
            connection, self.parts()[0], "SELECT confiture.fail_run('as things are')"
        )


@pytest.fixture(scope="module")
def crowd(private_server):
    """What is left after 32 clients for some seconds, some of which were cut off."""
    server = private_server("max_connections=80", "deadlock_timeout=200ms")
    db = server.create_database()
    make_people(db)
    db.execute("CREATE SCHEMA staging")
    for number in range(CLIENTS):
        db.execute(f"CREATE TABLE staging.t{number} (id int PRIMARY KEY, email text)")
    stop = threading.Event()
    clients = [Client(db, number, stop) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    dice, ended = random.Random(5), 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        pids = db.column(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if pids:
            ended += db.value("SELECT pg_terminate_backend(%s)::int", [dice.choice(pids)])
        time.sleep(0.15)
    stop.set()
    for client in clients:
        client.join(90)
    assert not any(client.is_alive() for client in clients), "somebody still waits"
    db.outcomes = sum((client.outcomes for client in clients), collections.Counter())
    db.wrong = sorted(what for client in clients for what in client.wrong)
    db.ended = ended
    yield db
    db.drop()


def test_thirty_two_clients_on_every_level_see_no_deadlock_and_no_other_error(crowd):
    assert crowd.wrong == [], (crowd.outcomes, crowd.wrong[:5])
    assert "40P01" not in crowd.outcomes
    assert "deadlock detected" not in crowd.server.log()
    assert crowd.ended > 5 and crowd.outcomes["COMMIT"] > 50 and crowd.outcomes["ROLLBACK"] > 10
    assert crowd.outcomes["40001"] > 0, "the levels above READ COMMITTED were tried"


def test_after_them_both_chains_are_ok(crowd):
    found = by_chain(crowd)
    assert {status for _, status, _ in found} <= {"ok", "warn"}, found
    assert {code for code, *_ in found} <= {"OK", "W01", "W03"}, found
    assert "OK" in {code for code, *_ in found}


@pytest.mark.parametrize("table", ["audit_log", "lineage"])
def test_after_them_numbers_are_dense_and_each_entry_has_one_successor(crowd, table):
    rows = crowd.rows(
        "SELECT seq, previous_entry_hash, entry_hash, log_id"
        f" FROM confiture.{table} ORDER BY seq"
    )
    assert len(rows) > 5
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert [row[1] for row in rows[1:]] == [row[2] for row in rows[:-1]]
    assert len({row[2] for row in rows}) == len(rows)
    assert len({row[3] for row in rows}) == 1
    chain = table.split("_")[0]
    head = crowd.rows("SELECT seq, entry_hash FROM confiture.ledger_head WHERE chain = %s", [chain])
    assert head == [(rows[-1][0], rows[-1][2])]


def test_after_them_every_entry_of_the_lineage_has_its_entry_that_signs_it_and_its_key(crowd):
    assert crowd.value(
        "SELECT count(*) FROM confiture.lineage l WHERE (SELECT count(*) FROM confiture.audit_log a"
        " WHERE a.run_id = l.run_id AND l.seq BETWEEN a.lineage_first AND a.lineage_last) <> 1"
    ) == 0
    shredded = "SELECT run_id FROM confiture.audit_log WHERE event = 'RUN_KEY_SHREDDED'"
    assert crowd.value(
        "SELECT count(*) FROM confiture.lineage l WHERE (l.run_id IN (" + shredded + "))"
        " = EXISTS (SELECT FROM confiture.run_key k WHERE k.run_id = l.run_id)"
    ) == 0
    assert crowd.value(
        "SELECT count(*) FROM (" + shredded + " GROUP BY 1 HAVING count(*) > 1) twice"
    ) == 0


def make_two_runs(db):
    """Two sessions, each with rows shown; the first one has begun its run in a transaction."""
    make_people(db)
    db.execute("CREATE SCHEMA staging")
    one, two = db.session(), db.session()
    for number, session in ((1, two), (0, one)):
        table = f"t{number}"
        db.execute(f"CREATE TABLE staging.{table} (id int PRIMARY KEY, email text)")
        session.execute("SET deadlock_timeout = '100ms'")
        if session is one:
            session.execute("BEGIN")
        session.execute("SELECT confiture.begin_run('declared', 'prod', 'staging')")
        session.execute(COPY.format(target=f"staging.{table}", table=table))
    return one, two


def end_while_the_other_holds_the_head(db, session):
    """Ends a run in the background, up to where it waits."""
    failures = []

    def end():
        try:
            session.execute("SELECT confiture.end_run()")
        except psycopg.Error as error:
            failures.append(error.diag.sqlstate)

    waiter = threading.Thread(target=end)
    waiter.start()
    for _ in range(500):
        if db.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            return waiter, failures
        time.sleep(0.02)
    raise AssertionError("it did not wait")


def test_a_session_that_is_ended_while_it_ends_its_run_lets_go_of_everything(db):
    one, two = make_two_runs(db)
    begin = len(db.server.log())
    waiter, failures = end_while_the_other_holds_the_head(db, two)
    pid = two.pid()
    assert db.value("SELECT pg_terminate_backend(%s)", [pid])
    waiter.join(30)
    assert failures == ["57P01"]
    for _ in range(200):
        if not db.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
            break
        time.sleep(0.02)
    # Nothing raised while the server was cleaning up after it.
    assert "RefCell" not in db.server.log()[begin:]
    assert "panicked" not in db.server.log()[begin:]
    assert db.value("SELECT count(*) FROM pg_locks WHERE pid = %s", [pid]) == 0
    one.execute("COMMIT")
    assert one.value("SELECT confiture.end_run()") == "match"
    found = db.findings()
    assert found["OK"][0] == "ok" and found["W03"][0] == "warn"


def test_a_run_within_a_transaction_and_the_end_of_another_are_no_deadlock(db):
    one, two = make_two_runs(db)
    waiter, failures = end_while_the_other_holds_the_head(db, two)
    one.execute("SELECT confiture.end_run()")
    one.execute("COMMIT")
    waiter.join(30)
    assert not waiter.is_alive() and failures == []
    assert db.events()[1:] == ["STARTED", "STARTED", "COMPLETED", "COMPLETED"]
    assert db.findings()["OK"][0] == "ok"
