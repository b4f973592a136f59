"""Measures how fast the ledger is verified, as a whole and since an anchor, and that runs do not
wait for each other: see tools/bench.

Runs at once are begun and ended by clients that do nothing for 20 ms in between; their commits are
flushed to disk.
"""

import os
import time

from samples import profile
from server import Server

ENTRIES = int(os.environ.get("ENTRIES", "50000"))
COLUMNS = 1200
RUNS = int(os.environ.get("RUNS", "80"))
CLIENTS = 16
SECONDS = 8


def verified(db, call="verify_ledger()"):
    """Seconds of the fastest of three verifications."""
    times = []
    for _ in range(3):
        begun = time.monotonic()
        assert "OK" in db.column(f"SELECT check_code FROM confiture.{call}")
        times.append(time.monotonic() - begun)
    return min(times)


def audit(server):
    db = server.create_database()
    db.execute("SET statement_timeout = 0")
    db.execute("CREATE SCHEMA a")
    db.execute(
        "DO $$ BEGIN FOR i IN 1..%d LOOP PERFORM confiture.begin_run('bench', 'a', 'a');"
        " PERFORM confiture.fail_run('bench'); END LOOP; END $$" % (ENTRIES // 2)
    )
    note = db.value("SELECT confiture.export_anchor()")
    note = f"verify_ledger(ARRAY['{note}'], since_anchor => {{}})"
    return ENTRIES, verified(db, note.format("false")), verified(db, note.format("true"))


def lineage(server):
    db = server.create_database()
    db.execute("SET statement_timeout = 0")
    names = [f"c{i}" for i in range(COLUMNS)]
    db.execute("CREATE SCHEMA prod")
    db.execute(f"CREATE TABLE prod.t ({', '.join(name + ' text' for name in names)})")
    db.load(profile({"t": dict.fromkeys(names, "redact")}))
    for _ in range(RUNS):
        db.sync(options='{"lineage": "off"}')
    return COLUMNS * RUNS, verified(db)


RUN = """
SELECT confiture.begin_run('bench', 'a', 'a');
\\sleep 20 ms
SELECT confiture.end_run();
"""


def runs(server):
    db = server.create_database()
    db.execute("CREATE SCHEMA a")
    script = server.folder / "run"
    script.write_text(RUN)
    found = server.per_second(db.name, script, CLIENTS, SECONDS)
    assert "OK" in db.findings()
    return found


def main():
    server = Server("ledger", "fsync=on", "full_page_writes=on", "shared_buffers=512MB")
    try:
        print("| what | measured | asked |\n|---|---|---|")
        count, seconds, since = audit(server)
        print(f"| entries of the audit log verified | {count / seconds:,.0f}/s | ≥ 100,000/s |")
        print(f"| the same, all of them anchored, since the anchor | {count / since:,.0f}/s | |")
        count, seconds = lineage(server)
        print(f"| entries of the lineage verified | {count / seconds:,.0f}/s | ≥ 250,000/s |")
        rate = runs(server)
        print(f"| runs of 20 ms, {CLIENTS} at once | {rate:,.0f}/s | ≥ 400/s |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
