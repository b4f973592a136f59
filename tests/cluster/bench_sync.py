"""Measures a whole run beside a plain INSERT … SELECT of the same columns: see tools/bench.

The customers of the web shop, five of their columns masked, in one session. The reference fills an
identical empty table that has its primary key; its other indexes and its foreign key are added
behind the load. All ways take turns; the fastest turn of each counts.
"""

import json
import os
import time

from samples import profile
from server import ROOT, Server

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SHOP = ROOT / "examples" / "webshop"

# A column, and what the same mask is called by hand.
RULES = {
    "email": ("mail", "anon_email(email)"),
    "phone": ("tel", "anon_phone(phone)"),
    "first_name": ("first", "anon_hash(first_name, prefix => 'First-', length => 8)"),
    "last_name": ("last", "anon_hash(last_name, prefix => 'Last-', length => 8)"),
    "company": ("firm", "anon_hash(company, prefix => 'Company-', length => 12)"),
}
STRATEGIES = {
    "mail": {"type": "email", "config": {"preserve_domain": False}},
    "tel": {"type": "phone"},
    "first": {"type": "hash", "config": {"prefix": "First-", "length": 8}},
    "last": {"type": "hash", "config": {"prefix": "Last-", "length": 8}},
    "firm": {"type": "hash", "config": {"prefix": "Company-", "length": 12}},
}
LEFT_OUT = ["session_token", "preferences"]

REFERENCE = """
DROP SCHEMA IF EXISTS plain CASCADE;
CREATE SCHEMA plain;
CREATE TABLE plain.customers (LIKE prod.customers INCLUDING ALL EXCLUDING INDEXES);
ALTER TABLE plain.customers ADD PRIMARY KEY (id);
"""
COLUMNS = """
SELECT attname FROM pg_attribute
 WHERE attrelid = 'prod.customers'::regclass AND attnum > 0 AND NOT attisdropped
   AND attgenerated = '' AND attname <> ALL (%s) ORDER BY attnum
"""
OTHERS = """
SELECT replace(pg_get_indexdef(indexrelid), 'prod.', 'plain.') FROM pg_index
 WHERE indrelid = 'prod.customers'::regclass AND NOT indisprimary
UNION ALL
SELECT 'ALTER TABLE plain.customers ADD FOREIGN KEY (referred_by) REFERENCES plain.customers'
"""
# What a run says of itself: the load of its tables, and all of it.
OF_RUN = """
SELECT (SELECT sum(value::numeric) / 1000 FROM jsonb_each_text(details -> 'milliseconds'))
  FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1
"""

RUNS = {
    "run without lineage and leak scan": {"lineage": "off", "leak_scan": "off"},
    "run with lineage": {"leak_scan": "off"},
    "run as it comes: lineage and leak scan": {},
    "the same in mode swap": {"mode": "swap"},
    "the same in mode swap with two workers": {"mode": "swap", "workers": 2},
}


def timed(work):
    """Seconds of some work."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def by_hand(db, masks):
    """Seconds of a load without a run, and with the rest of indexes and keys."""
    db.execute(REFERENCE)
    columns = db.column(COLUMNS, [LEFT_OUT])
    values = [masks.get(column, column) for column in columns]
    load = timed(
        lambda: db.execute(
            f"INSERT INTO plain.customers ({', '.join(columns)})"
            f" OVERRIDING SYSTEM VALUE SELECT {', '.join(values)} FROM prod.customers"
        )
    )
    rest = timed(lambda: [db.execute(definition) for definition in db.column(OTHERS)])
    return load, load + rest


def by_run(db, options):
    """Seconds of the load of a run, and of all of it."""
    # The server builds indexes and checks in parallel, as far as that is allowed: as many as the run.
    for setting in ("max_parallel_maintenance_workers", "max_parallel_workers_per_gather"):
        db.execute(f"SET {setting} = {options.get('workers', 0)}")
    whole = timed(lambda: db.sync(options=json.dumps({"progress": 0, **options})))
    for setting in ("max_parallel_maintenance_workers", "max_parallel_workers_per_gather"):
        db.execute(f"RESET {setting}")
    return float(db.value(OF_RUN)), whole


def shop(db):
    """The customers of the shop, and none of what else it has."""
    db.psql("-o", "/dev/null", "-f", SHOP / "schema.sql")
    data = (SHOP / "data.sql").read_text(encoding="utf-8")
    customers, _, _ = data.partition("-- Everyone has an address")
    db.psql("-o", "/dev/null", "-v", f"customers={ROWS}", "-f", "-", stdin=customers + "COMMIT;")
    db.execute("VACUUM (ANALYZE, FREEZE) prod.customers")
    tables = db.column("SELECT relname FROM pg_class WHERE relnamespace = 'prod'::regnamespace"
                       " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1")
    db.load(profile(
        {"customers": {
            "rules": [{"column": name, "strategy": strategy} for name, (strategy, _) in RULES.items()],
            "preserve": [{"column": "*", "why": "not measured"}],
            "exclude": [{"column": name, "why": "not measured"} for name in LEFT_OUT],
        }},
        strategies=STRATEGIES,
        exclude_tables=[{"table": name, "why": "not measured"} for name in tables if name != "customers"],
    ))


def main():
    server = Server("sync", "shared_buffers=2GB", "max_wal_size=16GB", "checkpoint_timeout=1h",
                    "maintenance_work_mem=512MB", "max_parallel_maintenance_workers=0",
                    "max_parallel_workers_per_gather=0")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        shop(db)
        masks = {column: call for column, (_, call) in RULES.items()}
        ways = {
            "plain `INSERT … SELECT`, the reference": lambda: by_hand(db, {}),
            "the same with five masks, by hand": lambda: by_hand(db, masks),
            **{name: lambda options=options: by_run(db, options) for name, options in RUNS.items()},
        }
        taken = {name: [] for name in ways}
        for _ in range(ROUNDS + 1):
            for name, way in ways.items():
                taken[name].append(way())
        # The first turn makes schemas, and fills caches.
        best = {name: [min(part) for part in zip(*turns[1:], strict=True)]
                for name, turns in taken.items()}
        reference = best["plain `INSERT … SELECT`, the reference"]
        print(f"{ROWS} rows, {len(RULES)} masked columns, the fastest of {ROUNDS} turns.\n")
        print("| | load, s | rows/s | × | with indexes and keys, s | rows/s | × |")
        print("|---|---|---|---|---|---|---|")
        for name, (load, whole) in best.items():
            print(f"| {name} | {load:.2f} | {ROWS / load:,.0f} | {load / reference[0]:.2f} |"
                  f" {whole:.2f} | {ROWS / whole:,.0f} | {whole / reference[1]:.2f} |")
        hand, run = (best[name] for name in
                     ["the same with five masks, by hand", "run without lineage and leak scan"])
        print(f"\nLoad of a run beside the same by hand: {run[0] / hand[0]:.2f}; of all its phases,"
              f" verification among them: {run[1] / hand[1]:.2f}.")
        print("Whole run beside the load of the reference alone:"
              f" {best['run as it comes: lineage and leak scan'][1] / reference[0]:.2f}.")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
