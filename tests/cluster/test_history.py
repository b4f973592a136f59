"""What runs have cost, and what became slower, from the ledger."""

import json

from samples import keep_all, make_small, profile

HISTORY = (
    "SELECT profile_name, source_schema, target_schema, mode, state, tables, rows, failed_in, sqlstate"
    " FROM confiture.run_history"
)
ROWS = 3000


def make_many(db, rows=ROWS):
    """Two tables, of which one has nothing to mask."""
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.people (id integer PRIMARY KEY, email text, phone text);"
        "CREATE TABLE prod.days (id integer PRIMARY KEY, at date);"
        f"INSERT INTO prod.people SELECT i, i || '@mail.example', '+4930' || 100000 + i"
        f"  FROM generate_series(1, {rows}) i;"
        f"INSERT INTO prod.days SELECT i, 'today' FROM generate_series(1, {rows}) i; ANALYZE"
    )
    rules = {"people": {"email": "mail", "phone": "phone"}, "days": keep_all()}
    db.load(profile(rules))


def test_runs_are_listed_with_their_figures(db):
    make_many(db)
    db.sync()
    db.execute("UPDATE prod.people SET phone = repeat('9', 500) WHERE id = 7")
    db.execute("ALTER TABLE staging.people ADD CHECK (length(phone) < 20)")
    failed = db.attempt()
    assert failed is not None
    done = ("small", "prod", "staging", "atomic", "completed", 2, 2 * ROWS, None, None)
    assert db.rows(HISTORY) == [
        (*done[:4], "failed", 2, None, "loading", failed), done,
    ]
    seconds, rate, phases = db.rows(
        "SELECT seconds, rows_per_second, milliseconds_by_phase FROM confiture.run_history"
        " WHERE state = 'completed'"
    )[0]
    assert float(seconds) == sum(phases.values()) / 1000
    assert abs(float(rate) * float(seconds) / (2 * ROWS) - 1) < 0.01
    assert {"locking", "loading", "adding keys and indexes", "analyzing", "checking"} < phases.keys()


def test_masks_are_counted_and_timed(db):
    make_many(db)
    db.sync()
    columns = "table_name, column_name, strategy, calls, redrawn"
    seen = db.rows(f"SELECT {columns}, nanoseconds_per_call FROM confiture.run_columns")
    assert [row[:5] for row in seen] == [
        ("people", "email", "email", ROWS, 0), ("people", "phone", "phone", ROWS, 0),
    ]
    assert all(10 < row[5] < 1_000_000 for row in seen)
    db.sync()
    total = db.rows("SELECT strategy, runs, calls, redrawn, errors FROM confiture.stat_strategies")
    assert total == [("email", 2, 2 * ROWS, 0, 0), ("phone", 2, 2 * ROWS, 0, 0)]


def test_values_drawn_again_and_errors_are_counted(db):
    make_many(db)
    db.sync()
    db.execute("TRUNCATE staging.people;"
               "ALTER TABLE staging.people ADD CHECK (md5(email) > '8')")
    db.sync()
    redrawn = db.value("SELECT redrawn FROM confiture.run_columns WHERE column_name = 'email' LIMIT 1")
    assert redrawn > ROWS / 4
    db.execute("TRUNCATE staging.people;"
               "ALTER TABLE staging.people ADD CHECK (email = 'nobody')")
    assert db.attempt() is not None
    total = dict(db.rows("SELECT strategy, errors FROM confiture.stat_strategies"))
    assert total == {"email": 1, "phone": 0}


def test_the_part_that_became_slower_is_named(db):
    make_many(db)
    db.load(profile(
        {"people": {"email": "slow", "phone": "phone"}, "days": keep_all()},
        name="slower",
        strategies={"slow": {"type": "hash"}},
    ))
    regression = "SELECT part, table_name, column_name, verdict, runs FROM confiture.check_regression('{}')"
    db.refused("42704", regression.format("small"))
    db.refused("22023", "SELECT FROM confiture.check_regression('small', 2)")
    db.refused("22023", "SELECT FROM confiture.check_regression('small', NULL)")
    for _ in range(5):
        db.sync("slower")
    found = {row[:3]: row[3:] for row in db.rows(regression.format("slower"))}
    assert {("run", None, None), ("table", "people", None), ("table", "days", None),
            ("strategy", "people", "email"), ("strategy", "people", "phone")} < found.keys()
    assert {runs for _, runs in found.values()} == {4}
    # The same name and column, and a strategy that takes a hundred times as long.
    db.load(profile(
        {"people": {"email": "slow", "phone": "phone"}, "days": keep_all()},
        name="slower",
        version="2",
        strategies={"slow": {"type": "text"}},
    ))
    db.execute("UPDATE prod.people SET email = repeat('write to ' || email || ' or ', 50)")
    db.sync("slower")
    found = db.rows(
        "SELECT part, table_name, ratio > 5 FROM confiture.check_regression('slower')"
        " WHERE verdict = 'slower'"
    )
    assert ("table", "people", True) in found
    assert ("table", "days", True) not in found


def test_runs_of_another_size_do_not_push_those_of_this_one_out(db):
    make_many(db)
    for _ in range(4):
        db.sync()
    db.execute("CREATE TABLE prod.kept AS SELECT * FROM prod.people; DELETE FROM prod.people WHERE id > 100;"
               "DELETE FROM prod.days WHERE id > 1100")
    for _ in range(4):
        db.sync()
    ask = "SELECT runs FROM confiture.check_regression('small', 3) WHERE part = 'run'"
    assert db.value(ask) == 3
    db.execute("TRUNCATE prod.people; INSERT INTO prod.people SELECT * FROM prod.kept")
    db.sync()
    # Behind four that are smaller, those of its size are found.
    assert db.value(ask) == 3
    assert db.value("SELECT runs FROM confiture.check_regression('small', 10) WHERE part = 'run'") == 4


def test_a_run_that_failed_leaves_no_times_to_the_next(db):
    # So many that their times are more than those of a single row.
    rows = 100_000
    make_many(db, rows)
    db.sync()
    db.execute(f"ALTER TABLE staging.people ADD CHECK (id <= {rows})")
    db.execute(f"INSERT INTO prod.people VALUES ({rows + 1}, 'z@mail.example', '+4930123456')")
    db.execute("CREATE SCHEMA small; CREATE TABLE small.one AS SELECT * FROM prod.people LIMIT 1")
    db.load(profile({"one": {"email": "mail"}}, name="one"))
    db.sync_refused("23514")
    db.sync("one", source="small", target="copied")
    loads, milliseconds = db.rows(
        "SELECT details -> 'loads' -> 'one', details -> 'milliseconds' -> 'one'"
        " FROM confiture.audit_log ORDER BY seq DESC LIMIT 1"
    )[0]
    assert loads["commitment"] <= milliseconds and loads["leak_scan"] <= milliseconds


def test_the_time_of_a_run_is_divided(db):
    make_many(db, 40_000)
    db.refused("42704", "SELECT FROM confiture.profile_run()")
    db.sync()
    run = db.value("SELECT run_id FROM confiture.run_history")
    db.sync(options='{"profile": true}')
    parts = "SELECT part, table_name, column_name, strategy FROM confiture.profile_run({})"
    known = {
        ("mask", "people", "email", "email"), ("mask", "people", "phone", "phone"),
        ("commitment", "people", None, None), ("checking", None, None, None),
    }
    apart = {(part, table, None, None) for part in ("read", "write") for table in ("people", "days")}
    newest = set(db.rows(parts.format("")))
    assert known | apart < newest and ("read and write", "people", None, None) not in newest
    first = set(db.rows(parts.format(f"'{run}'")))
    assert known < first and ("read and write", "people", None, None) in first
    assert not apart & first
    for of in ("", f"'{run}'"):
        total = db.value(f"SELECT sum(seconds) FROM confiture.profile_run({of})")
        history = "SELECT seconds::float8 FROM confiture.run_history WHERE run_id = {}"
        whole = db.value(history.format(of or "(SELECT run_id FROM confiture.run_history LIMIT 1)"))
        # What is timed call by call is known by some of the calls.
        assert 0.8 * whole < total < 1.2 * whole
        assert 99 < db.value(f"SELECT sum(percent) FROM confiture.profile_run({of})") < 101
    # All that was timed is there, and takes some time.
    assert all(seconds > 0 for seconds in db.column(
        "SELECT seconds FROM confiture.profile_run() WHERE table_name = 'people'"
    ))


def test_a_run_of_before_has_no_times_and_breaks_nothing(db):
    make_small(db)
    db.sync()
    details = db.value("SELECT details FROM confiture.audit_log WHERE event = 'COMPLETED'")
    assert json.dumps(details["columns"]) and details["phases"]
    assert db.rows("SELECT part FROM confiture.check_regression('small')") == []
