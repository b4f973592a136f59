"""Measures what the lineage of a run costs, and how fast it is verified: see tools/bench.

The same run with and without, in turns; the fastest of each counts.
"""

import json
import os
import time

from samples import profile
from server import Server

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))

TABLE = """
CREATE SCHEMA prod;
CREATE TABLE prod.customers AS
  SELECT i AS id,
         'person' || i || '@mail.example' AS email,
         'First' || i % 5000 || ' Family' || i % 20000 AS name,
         '+49 30 ' || lpad((i * 37 % 10000000)::text, 7, '0') AS phone,
         i || ' Long Street, 10' || i % 1000 || ' Town' AS address,
         '4' || lpad((i::bigint * 7919 % 1000000000000000)::text, 15, '0') AS card,
         date '1950-01-01' + (i * 31 % 25000) AS born
    FROM generate_series(1, {rows}) AS i;
ALTER TABLE prod.customers ADD PRIMARY KEY (id);
"""

RULES = {
    "email": "mail",
    "name": "name",
    "phone": "phone",
    "address": "address",
    "card": "card",
    "born": "shift",
}
STRATEGIES = {
    "name": {"type": "name"},
    "address": {"type": "address"},
    "card": {"type": "fpe"},
    "shift": {"type": "date_shift"},
}


WAYS = {
    "`off`": {"lineage": "off"},
    "`blake3`": {},
    "`hmac-sha256`": {"lineage": "hmac-sha256"},
    "`blake3`, row by row": {"lineage_rows": True},
}


def timed(db, options):
    begun = time.monotonic()
    db.sync(options=json.dumps(options))
    return time.monotonic() - begun


def load_seconds(db):
    """What the load of the newest run took, without checks, keys and indexes."""
    return float(db.value("SELECT seconds FROM confiture.run_report LIMIT 1"))


def main():
    server = Server("lineage", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        db.execute(TABLE.format(rows=ROWS))
        db.execute("VACUUM (ANALYZE, FREEZE) prod.customers")
        db.load(profile({"customers": RULES}, strategies=STRATEGIES))
        whole = {way: [] for way in WAYS}
        loads = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, options in WAYS.items():
                whole[way].append(timed(db, options))
                loads[way].append(load_seconds(db))
        print(f"{ROWS} rows, {len(RULES)} masked columns, the fastest of {ROUNDS} turns.\n")
        print("| lineage | run, s | × off | load, s | × off | asked |\n|---|---|---|---|---|---|")
        for way in WAYS:
            run, load = min(whole[way]), min(loads[way])
            print(
                f"| {way} | {run:.2f} | {run / min(whole['`off`']):.2f} | {load:.2f} |"
                f" {load / min(loads['`off`']):.2f} | {'≤ 1.4' if way == '`blake3`' else ''} |"
            )
        values = 2 * ROWS * len(RULES)
        more = min(loads["`blake3`"]) - min(loads["`off`"])
        print(f"\n{more / values * 1e8:.1f} s for 100 million values committed to (asked ≤ 20)")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
