"""Measures what the checks of a run take beside the copy they check: see tools/bench.

Copy and checks of one and the same run, as its entry tells them; the median of some runs.
"""

import json
import os
import statistics

from bench_lineage import RULES, STRATEGIES, TABLE
from samples import profile
from server import Server

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))

SECONDS = """
SELECT (SELECT sum(value::numeric) / 1000 FROM jsonb_each_text(details -> 'milliseconds')),
       (details ->> 'milliseconds_checking')::numeric / 1000
  FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1
"""

TABLES = {
    "a primary key that is kept": "",
    "no primary key": "ALTER TABLE prod.customers DROP CONSTRAINT customers_pkey",
}


def loaded(db, **options):
    """Seconds of the copy of a run, and of its checks; the median of some runs."""
    found = []
    for _ in range(ROUNDS):
        db.sync(options=json.dumps(options))
        found.append([float(seconds) for seconds in db.rows(SECONDS)[0]])
    return [statistics.median(part) for part in zip(*found, strict=True)]


def main():
    server = Server("verify", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        db.execute(TABLE.format(rows=ROWS))
        db.execute("ALTER TABLE prod.customers ADD COLUMN note text")
        db.execute("UPDATE prod.customers SET note = 'asked for a later delivery, ' || id % 100")
        db.execute("VACUUM (ANALYZE, FREEZE) prod.customers")
        db.load(profile({"customers": RULES}, strategies=STRATEGIES))
        print(f"{ROWS} rows, {len(RULES)} masked columns, a note, the median of {ROUNDS} runs.\n")
        print("| table with | lineage | copy, s | checks, s | checks / copy | asked |")
        print("|---|---|---|---|---|---|")
        for name, change in TABLES.items():
            if change:
                db.execute(change)
                db.execute("DROP SCHEMA staging CASCADE")
            for lineage in ("blake3", "off"):
                copy, checks = loaded(db, lineage=lineage)
                print(
                    f"| {name} | `{lineage}` | {copy:.2f} | {checks:.2f} | {checks / copy:.2f} |"
                    " ≤ 0.60 |",
                    flush=True,
                )
        print("\n| texts looked at for identifiers of their row | copy, s | beside none |")
        print("|---|---|---|")
        plain, _ = loaded(db, lineage="off", leak_scan="off")
        scanned, _ = loaded(db, lineage="off")
        print(f"| none | {plain:.2f} | 1.00 × |")
        print(f"| 1, for {len(RULES) - 1} identifiers | {scanned:.2f} | {scanned / plain:.2f} × |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
