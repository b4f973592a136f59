"""Prints the figures of docs/plan.md: planning beside pg_dump, previews beside plans; what a bare
copy costs by row and by column (src/sync/forecast/costs.rs), and what it costs to judge values.

Run alone: `python bench_plan.py [part …]`.
"""

import sys
import time

from samples import keep_all, profile
from server import Server

TABLES, COLUMNS = 500, 50
ROWS = 400_000


def seconds(work, turns=3):
    """The fastest of some turns."""
    best = float("inf")
    for _ in range(turns):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def planning(db):
    """A large schema."""
    columns = ", ".join(f"c{i} text" for i in range(COLUMNS - 1))
    db.execute("CREATE SCHEMA prod")
    for i in range(TABLES):
        db.execute(f"CREATE TABLE prod.t{i} (id integer PRIMARY KEY, {columns})")
    rules = [{"column": f"c{i}", "strategy": "mail"} for i in range(10)]
    db.load(profile({f"t{i}": {"rules": rules, **keep_all()} for i in range(TABLES)}))
    call = "SELECT count(*) FROM confiture.{}('small', 'prod', 'staging')"
    assert db.value(call.format("plan")) == TABLES * COLUMNS
    plan = seconds(lambda: db.value(call.format("plan")))
    warned = seconds(lambda: db.value(call.format("plan_warnings")))
    dump = seconds(lambda: db.server.run("pg_dump", "-s", "-n", "prod", database=db.name))
    print(f"| what | {TABLES} tables of {COLUMNS} columns | × `pg_dump -s` |\n|---|---|---|")
    for name, took in (("plan", plan), ("plan_warnings", warned), ("pg_dump -s", dump)):
        print(f"| `{name}` | {took:.2f} s | {took / dump:.2f} |")


def previews(db):
    """A table of some columns."""
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id integer PRIMARY KEY, email text"
        " CHECK (email ~ '@'), name text, phone text, note text, born date);"
        "INSERT INTO prod.people SELECT i, i || '@x.example', 'n' || i, '+44 20 7946 ' ||"
        " lpad(i::text, 6, '0'), 'n', '2000-01-01' FROM generate_series(1, 200000) AS i;"
        "ANALYZE prod.people"
    )
    rules = {"email": "mail", "name": "hash", "phone": "phone", "note": "redact"}
    db.load(profile({"people": rules}))
    call = "SELECT * FROM confiture.preview('small', 'prod', 'people', {})"
    plan = "SELECT * FROM confiture.plan('small', 'prod', 'staging')"
    plain = "SELECT * FROM prod.people ORDER BY id LIMIT 5"
    print("\n| what | ms |\n|---|---|")
    for name, sql in (
        ("preview of 5 rows", call.format(5)),
        ("preview of 1000 rows", call.format(1000)),
        ("plan", plan),
        ("a plain SELECT of 5 rows", plain),
    ):
        print(f"| {name} | {seconds(lambda sql=sql: db.rows(sql), 5) * 1000:.1f} |")


def copying(db):
    """A bare INSERT … SELECT of narrow and of wide tables."""
    took = {}
    for columns in (2, 22):
        names = ", ".join(f"c{i} text" for i in range(columns))
        values = ", ".join(f"'value ' || i + {c}" for c in range(columns))
        db.execute(f"CREATE TABLE narrow{columns} ({names})")
        db.execute(f"CREATE TABLE copy{columns} ({names})")
        db.execute(
            f"INSERT INTO narrow{columns} SELECT {values} FROM generate_series(1, {ROWS}) AS i"
        )
        db.execute(f"VACUUM (FREEZE, ANALYZE) narrow{columns}")

        def copy(columns=columns):
            db.execute(f"TRUNCATE copy{columns}")
            db.execute(f"INSERT INTO copy{columns} SELECT * FROM narrow{columns}")

        took[columns] = seconds(copy) / ROWS * 1e9
    column = (took[22] - took[2]) / 20
    print(f"\nA bare copy: {took[2] - 2 * column:.0f} ns for a row, {column:.0f} ns for a column")


def judging(db):
    """The load of a column with a CHECK that refuses nothing, beside one without."""
    took = {}
    for check in ("", "CHECK (c <> '')"):
        db.execute(
            "DROP SCHEMA IF EXISTS prod CASCADE; DROP SCHEMA IF EXISTS staging CASCADE;"
            f"CREATE SCHEMA prod; CREATE TABLE prod.t (id integer PRIMARY KEY, c text {check});"
            f"INSERT INTO prod.t SELECT i, 'v' || i FROM generate_series(1, {ROWS}) AS i"
        )
        if not took:
            db.load(profile({"t": {"c": "hash"}}))
        turns, whole = [], seconds(db.sync)
        for _ in range(3):
            db.sync()
            turns.append(db.value("SELECT seconds::float8 FROM confiture.run_report LIMIT 1"))
        took[check] = min(turns)
    plain, checked = took.values()
    print(f"\nA load with a CHECK: {checked / plain:.2f} × that without")
    print(f"A whole run: {whole / checked:.2f} × its load")


PARTS = (planning, previews, copying, judging)


def main():
    server = Server("plans", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h")
    try:
        for part in [globals()[name] for name in sys.argv[1:]] or PARTS:
            db = server.create_database()
            db.execute("SET statement_timeout = 0")
            part(db)
            db.drop()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
