"""Measures what it gains to keep the outputs of costly masks, and what it costs where it gains
nothing: see tools/bench.

Each figure is the load of one and the same run, as its entry tells it, with the option `cache` on
`auto` and on `off`, less the load of the same column copied; both take turns, and the fastest of
the turns counts. Ratios are what can be compared between machines.

Run alone: `python bench_cache.py [part …]`.
"""

import json
import os
import sys

from samples import keep_all, profile
from server import Server

ROWS = int(os.environ.get("ROWS", "200000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))

SLOW = {"algorithm": "argon2id", "salt": "s", "memory_kib": 7168, "passes": 5}
STRATEGIES = {
    "copied": None,
    "fpe, 80 digits": {"type": "fpe"},
    "text, 1 kB": {"type": "text"},
    "lorem, 1 kB": {"type": "lorem"},
    "json, 1 kB": {
        "type": "json",
        "config": {"paths": {"$.email": "email", "$.phone": "phone", "$.name": "name"}},
    },
    "url": {"type": "url"},
    "argon2id": {"type": "salted_hash", "config": SLOW},
}
DIGITS = "lpad((i % {n})::text, 80, '0')"
PROSE = (
    "repeat('Call +49 30 ' || lpad((i % {n})::text, 7, '0') || ' or write to person' || i % {n}"
    " || '@mail.example soon. ', 16)"
)
DOCUMENT = (
    "jsonb_build_object('email', i % {n} || '@mail.example', 'name', 'Ada Lovelace', 'phone',"
    " '+49 30 1234567', 'note', repeat('y', 900))::text"
)
VALUES = {
    "fpe, 80 digits": DIGITS,
    "text, 1 kB": PROSE,
    "lorem, 1 kB": PROSE,
    "json, 1 kB": DOCUMENT,
    "url": "'https://www.shop.example/item/' || i % {n}",
    "argon2id": "'Code ' || i % {n}",
}

LOAD = """
SELECT (details #>> '{milliseconds,t}')::float8, details #> '{cached,columns,t,c}'
  FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1
"""


def fill(db, values, rows):
    db.execute("DROP SCHEMA IF EXISTS prod CASCADE; DROP SCHEMA IF EXISTS staging CASCADE")
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id integer PRIMARY KEY, c text)")
    db.execute(f"INSERT INTO prod.t SELECT i, {values} FROM generate_series(1, {rows}) AS i")
    db.execute("ALTER TABLE prod.t ALTER c SET STORAGE MAIN")
    db.execute("VACUUM (ANALYZE, FREEZE) prod.t")


def named(label):
    """The name of the profile of a strategy."""
    return label.replace(", ", "-").replace(" ", "-")


def loaded(db, name, **more):
    """Milliseconds of a load, and what its entry says of the cache."""
    options = {"lineage": "off", "leak_scan": "off", **more}
    db.sync(profile=named(name), options=json.dumps(options))
    return db.rows(LOAD)[0]


def measured(db, name, rounds=ROUNDS):
    """The fastest loads with and without, and copied, and what was counted."""
    best = {}
    counts = None
    for _ in range(rounds):
        for cache in ("auto", "off"):
            took, counted = loaded(db, name, cache=cache)
            best[cache] = min(took, best.get(cache, took))
            counts = counted or counts
        took, _ = loaded(db, "copied")
        best["copied"] = min(took, best.get("copied", took))
    return best, counts


def row(label, distinct, rows, best, counts):
    """A line of the table."""
    per = {of: (best[of] - best["copied"]) / rows * 1e6 for of in ("auto", "off")}
    share = "not cached"
    if counts:
        share = f"{counts['hits'] / rows:.1%}" + (", given up" if counts["given_up"] else "")
    print(
        f"| {label} | {distinct:,} | {rows:,} | {share} | {per['off']:,.0f} | {per['auto']:,.0f} |"
        f" {best['auto'] / best['off']:.2f} |",
        flush=True,
    )


HEAD = (
    "| strategy | different values | rows | hits | ns per value without | with the cache |"
    " load, with / without |\n|---|---|---|---|---|---|---|"
)


def gain(db):
    """Each strategy, with few values and with many."""
    print(HEAD)
    for label, values in VALUES.items():
        for distinct in (10, 1000, 100_000):
            rows, rounds = ROWS, ROUNDS
            if label == "argon2id":
                # Ten milliseconds each: as many rows as a quarter of an hour allows.
                rows, rounds = {10: 2000, 1000: 4000, 100_000: 0}[distinct], 1
            if rows:
                fill(db, values.format(n=distinct), rows)
                row(label, distinct, rows, *measured(db, label, rounds))


def loss(db):
    """Values that never come twice, where the planner knows, was wrong, or was lied to."""
    print(f"\n{HEAD}")
    for label in ("fpe, 80 digits", "text, 1 kB", "url"):
        fill(db, VALUES[label].format(n=10**9), ROWS)
        row(f"{label}; statistics right", ROWS, ROWS, *measured(db, label))
        for said in (10, ROWS // 4):
            db.execute(f"ALTER TABLE prod.t ALTER c SET (n_distinct = {said})")
            db.execute("ANALYZE prod.t")
            row(f"{label}; statistics say {said:,}", ROWS, ROWS, *measured(db, label))


PARTS = (gain, loss)


def main():
    server = Server("cache", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0; SET client_min_messages = error")
        db.execute("SELECT confiture.create_key('salt-s')")
        for name, strategy in STRATEGIES.items():
            body = {"c": "m"} if strategy else keep_all()
            db.load(profile({"t": body}, name=named(name), strategies={"m": strategy}))
        for part in [globals()[name] for name in sys.argv[1:]] or PARTS:
            part(db)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
