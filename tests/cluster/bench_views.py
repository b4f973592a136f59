"""Measures masked views beside their table and beside masks that are called: see tools/bench."""

import statistics

from samples import small
from server import Server

ROWS = 500_000
ROUNDS = 5
SECONDS = 3


def seconds(db, sql):
    """How long a statement took."""
    begun = db.value("SELECT clock_timestamp()")
    db.execute(sql)
    return (db.value("SELECT clock_timestamp()") - begun).total_seconds()


def main():
    """All of it, in turn, so that a noisy moment hits everybody."""
    server = Server("bench", "jit=off", "max_parallel_workers_per_gather=0", "shared_buffers=512MB")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        db.execute(
            "CREATE SCHEMA prod;"
            "CREATE TABLE prod.people (id integer PRIMARY KEY, email text NOT NULL, note text);"
            "INSERT INTO prod.people SELECT i, 'person.' || i || '@work.example', 'note ' || i"
            f" FROM generate_series(1, {ROWS}) i"
        )
        db.execute("VACUUM ANALYZE prod.people")
        db.load(small())
        db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
        scans = {
            "the table": "SELECT count(email) FROM prod.people",
            "its mask, called": "SELECT count(anon_email(email)) FROM prod.people",
            "the view": "SELECT count(email) FROM seen.people",
            "count(*) of the table": "SELECT count(*) FROM prod.people",
            "count(*) of the view": "SELECT count(*) FROM seen.people",
        }
        took = {what: [] for what in scans}
        for _ in range(ROUNDS):
            for what, sql in scans.items():
                took[what].append(seconds(db, sql))
        took = {what: statistics.median(times) for what, times in took.items()}
        reads = {
            "the table": "prod.people",
            "the view": "seen.people",
        }
        rates = {what: [] for what in reads}
        for what, table in reads.items():
            (server.folder / what.split()[1]).write_text(
                f"\\set id random(1, {ROWS})\nSELECT email FROM {table} WHERE id = :id;\n"
            )
        for _ in range(3):
            for what in reads:
                script = server.folder / what.split()[1]
                rates[what].append(server.per_second(db.name, script, seconds=SECONDS))
        rates = {what: statistics.median(found) for what, found in rates.items()}
        print(f"| {ROWS:,} rows, one masked column | seconds | beside the mask, called |")
        print("|---|---|---|")
        called = took["its mask, called"]
        for what in ["the table", "its mask, called", "the view"]:
            print(f"| every row of {what} | {took[what]:.2f} | {took[what] / called:.2f} × |")
        plain = took["count(*) of the table"]
        print(f"| count(*) of the table | {plain:.3f} | |")
        seen = took["count(*) of the view"]
        print(f"| count(*) of the view | {seen:.3f} | {seen / plain:.2f} × that of the table |")
        one, other = rates["the table"], rates["the view"]
        print(f"| one row by its key, of the table, per second | {one:,.0f} | |")
        print(f"| one row by its key, of the view, per second | {other:,.0f}"
              f" | {one / other:.2f} × the time of the table |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
