"""Every function, procedure and aggregate of the catalog called with NULL and with values at the edge of
every type: a value, or an error with a SQLSTATE that shows no value, and the server lives on."""

import re

import psycopg
import pytest
from psycopg.pq import DiagnosticField, ExecStatus

import every_function
import extreme_values
from extreme_values import MARK, NAME

PARTS = [
    DiagnosticField.MESSAGE_PRIMARY,
    DiagnosticField.MESSAGE_DETAIL,
    DiagnosticField.MESSAGE_HINT,
    DiagnosticField.CONTEXT,
]
# Internal errors are defects; what takes longer than this is one too.
DEFECTS = {"XX000", "57014", "53200"}
LONGEST = "10s"


class Caller:
    """A session that notes down what is wrong with the outcome of a call."""

    def __init__(self, db, user):
        self.session = db.session(user)
        # What a role is refused is mostly so whatever the value: it tries every other one.
        self.step = 1 if user == "postgres" else 2
        self.faults = []
        self.calls = 0
        self.session.execute(f"SET statement_timeout = '{LONGEST}'")
        self.session.execute("SET confiture.dp_budget = 'research'")
        if user == "postgres":
            self.session.execute("SET confiture.allow_in_place = on")
        self.link = self.session.connection.pgconn

    def close(self):
        self.session.connection.close()

    def call(self, function, statement, values):
        """The SQLSTATE of one call whose effects are taken back; None where it went through."""
        is_kept = function.kind == "p" or not function.writes
        if not is_kept:
            self.link.exec_(b"BEGIN")
            if function.name in every_function.BEFORE:
                self.link.exec_(every_function.BEFORE[function.name].encode())
        given = [None if value is None else value.encode() for value in values]
        state = self._judge(self.link.exec_params(statement.encode(), given), function, statement, values)
        if not is_kept:
            self.link.exec_(b"ROLLBACK")
        return state

    def _judge(self, result, function, statement, values):
        self.calls += 1
        shown = (statement[:300], [(value or "NULL")[:40] for value in values])
        if self.session.connection.closed or result.status == ExecStatus.NONFATAL_ERROR:
            pytest.fail(f"the session is gone: {shown}")
        notices = " ".join(str(notice) for notice in self.session.notices)
        self.session.notices.clear()
        if MARK in notices:
            self.faults.append((function.name, "a notice shows the value", notices[:200], *shown))
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return None
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        said = [(result.error_field(part) or b"").decode() for part in PARTS]
        if state in DEFECTS or not re.fullmatch("[0-9A-Z]{5}", state):
            self.faults.append((function.name, state, " ".join(said)[:200], *shown))
        elif MARK in " ".join(said):
            self.faults.append((function.name, "shows the value", " ".join(said)[:200], *shown))
        return state


@pytest.fixture(scope="module")
def db(private_server):
    """A server of its own: its log and its processes are looked at."""
    database = private_server().create_database()
    database.world = every_function.make_world(database)
    database.functions = every_function.functions(database, database.world)
    yield database
    database.drop()


@pytest.fixture(scope="module")
def everything(db):
    """A role that was granted whatever can be granted."""
    role = db.role("everything")
    every_function.grant_everything(db, role)
    return role


def processes(db):
    """What the server began with, and when: a crash begins all anew."""
    passing = ("client backend", "autovacuum worker", "parallel worker")
    return db.rows(
        "SELECT pg_postmaster_start_time()::text, backend_type, pid FROM pg_stat_activity"
        " WHERE backend_type <> ALL (%s) AND backend_type NOT LIKE 'confiture%%' ORDER BY 2, 3",
        [list(passing)],
    )


@pytest.fixture
def unharmed(db):
    """Looks whether the server has lived through a test."""
    before = processes(db)
    yield
    assert processes(db) == before
    log = db.server.log()
    for word in ("PANIC:", "FATAL:", "TRAP:", "was terminated by signal"):
        assert word not in log, [line for line in log.splitlines() if word in line][:5]
    # Values are parameters of the statements, so that no statement in the log has one.
    assert MARK not in log, [line[:300] for line in log.splitlines() if MARK in line][:5]


def attack(caller, functions):
    """Each argument in turn, the others benign, then all at once."""
    for number, function in enumerate(functions):
        edges = [of_argument(name, kind) for name, kind in zip(function.names, function.types, strict=True)]
        for place, values in enumerate(edges):
            # Masks have many declarations, a third of the edges each; test_mask_extremes tries them all.
            step = (3 if function.is_mask else 1) * caller.step
            for value, kind in [values[0], *values[1 + number % step :: step]]:
                caller.call(function, function.with_one(place, kind), [value])
        step = (4 if function.is_mask else 1) * caller.step
        for turn in range(0, max(map(len, edges), default=1), step):
            taken = [values[(turn + 3 * place) % len(values)] for place, values in enumerate(edges)]
            if turn == 0:
                # All of them NULL.
                taken = [(None, kind) for _, kind in taken]
            statement = function.call([f"${n}::{kind}" for n, (_, kind) in enumerate(taken, 1)])
            caller.call(function, statement, [value for value, _ in taken])


def of_argument(name, kind):
    """What is given for an argument."""
    return extreme_values.of(kind, NAME if name in every_function.NAMES else MARK)


def test_every_type_of_an_argument_has_edges(db):
    taken = {kind for function in db.functions for kind in function.types}
    known = {*extreme_values.VALUES, '"any"', "anyelement", "anyenum"}
    assert taken <= known, taken - known
    assert len(db.functions) > 300


# A benign call of these is refused: for want of what they are called by, or because the world has not
# what they want. Everything else goes through, so that one argument at the edge reaches what reads it.
TRIGGERS = ["_decision_guard", "_definition_guard", "_drop_guard", "_follow_replication", "_follow_tables",
            "_follow_views", "_journal_guard", "_keys_changed", "_ledger_guard", "_version_guard",
            "_watch_columns", "anon_enforce_k"]  # fmt: skip
REFUSED = {
    **{name: {"0A000"} for name in TRIGGERS},
    "_mask_replicated": {"42P17"},
    # Numbers of a masked view, or of a run that is going.
    "_mask_row": {"42704"},
    "_mask_value": {"42704"},
    "_run_mac": {"22023"},
    "_run_mask": {"55000"},
    "_run_scan": {"55000"},
    # A cluster of Citus.
    "citus_nodes": {"0A000"},
    "citus_setup": {"0A000"},
    "continue_run": {"42704"},
    "pause_run": {"42704"},
    "resume": {"55000"},
    # Settings of the hook.
    "hook_analyze": {"22023"},
    "hook_refresh_materialized_views": {"22023"},
    "hook_row_limits": {"22023"},
    "hook_scan_source": {"22023"},
    # Something that another server or another directory has.
    "import_key": {"22023"},
    "init_key_file": {"42710"},
    "prune_ledger": {"55000"},
    "verify_fleet": {"22023"},
}


def test_benign_calls_go_through(db, unharmed):
    caller = Caller(db, "postgres")
    refused = {}
    for function in db.functions:
        state = caller.call(function, function.call(function.benign), [])
        # Masks have benign calls in test_mask_extremes.
        if state and not function.is_mask and "internal" not in function.types:
            refused.setdefault(function.name, set()).add(state)
    caller.close()
    assert not caller.faults, "\n".join(map(str, caller.faults))
    assert refused == REFUSED


@pytest.mark.parametrize("who", ["superuser", "role"])
def test_every_function_answers_or_refuses_with_decency(db, everything, unharmed, who):
    caller = Caller(db, "postgres" if who == "superuser" else everything)
    attack(caller, db.functions)
    caller.close()
    assert not caller.faults, "\n".join(map(str, caller.faults))
    assert caller.calls > 5_000


EVENTS = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
CHANGES = """
    INSERT INTO world.planted VALUES (1, 1, '{"a": 1}', 'x');
    UPDATE world.planted SET number = -1, seq = NULL;
    DELETE FROM world.planted;
    TRUNCATE world.planted"""


def test_functions_of_triggers_on_tables_of_others_do_no_harm(db, unharmed):
    faults = []
    db.execute("CREATE TABLE world.planted (number integer, seq bigint, run_id jsonb, log_id text)")
    for function in db.functions:
        if function.returns != "trigger":
            continue
        for moment in ("BEFORE", "AFTER"):
            for event in EVENTS:
                for level in ("ROW", "STATEMENT"):
                    if (event, level) == ("TRUNCATE", "ROW"):
                        continue
                    for given in ("", f"'{MARK}'", "'-1', 'number'", "'9', 'number, absent'"):
                        db.execute("BEGIN")
                        db.execute(
                            f"CREATE TRIGGER planted {moment} {event} ON world.planted"
                            f" FOR EACH {level} EXECUTE FUNCTION {function.path}({given})"
                        )
                        for change in CHANGES.split(";"):
                            try:
                                with db.connection.transaction():
                                    db.execute(change)
                            except psycopg.Error as error:
                                said = (error.diag.sqlstate, error.diag.message_primary)
                                if said[0] in DEFECTS:
                                    faults.append((function.name, moment, event, level, *said))
                        db.execute("ROLLBACK")
    db.execute("DROP TABLE world.planted")
    assert not faults, "\n".join(map(str, faults))


COMMANDS = """
    CREATE TABLE world.planted (a integer);
    INSERT INTO world.planted VALUES (1);
    ALTER TABLE world.planted ALTER a TYPE bigint;
    CREATE VIEW world.planted_view AS SELECT * FROM world.planted;
    COMMENT ON TABLE world.planted IS 'x';
    GRANT SELECT ON world.planted TO PUBLIC;
    CREATE SCHEMA planted CREATE TABLE b (c integer);
    DROP SCHEMA planted CASCADE;
    DROP TABLE world.planted CASCADE"""


def test_functions_of_event_triggers_on_other_events_do_no_harm(db, unharmed):
    faults = []
    for function in db.functions:
        if function.returns != "event_trigger":
            continue
        for event in ("ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite"):
            db.execute("BEGIN")
            db.execute(f"CREATE EVENT TRIGGER planted ON {event} EXECUTE FUNCTION {function.path}()")
            for command in COMMANDS.split(";"):
                try:
                    with db.connection.transaction():
                        db.execute(command)
                except psycopg.Error as error:
                    said = (error.diag.sqlstate, error.diag.message_primary)
                    faults.append((function.name, event, command.strip(), *said))
            db.execute("ROLLBACK")
    assert not faults, "\n".join(map(str, faults))
