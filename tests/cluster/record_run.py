"""Records two terminals beside each other: a parallel run, and what another session sees of it.

Prints what `docs/samples/parallel-run.txt` holds: python record_run.py > the file.
"""

import os
import subprocess
import threading
import time

from samples import profile
from server import Server

ROWS = int(os.environ.get("ROWS", "1000000"))
# Characters of the left terminal.
LEFT = 66
OPTIONS = '{"mode": "swap", "workers": 2, "progress": 2}'
CALL = f"CALL confiture.sync('shop', source => 'prod', target => 'staging',\n  options => '{OPTIONS}');"
PROGRESS = """SELECT coalesce(phase, ''), coalesce(table_name, ''), rows_done, round(percent)::integer,
       round(rows_per_second)::integer, round(seconds_left)::integer, workers
  FROM confiture.sync_progress"""
TABLES = """
CREATE SCHEMA prod;
CREATE TABLE prod.customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE, phone text,
  first_name text, last_name text, city text);
INSERT INTO prod.customers
SELECT i, 'person' || i || '@mail.example', '+33 1 ' || lpad(i::text, 8, '0'), 'First' || i % 5003,
       'Last' || i % 70001, 'City ' || i % 1000 FROM generate_series(1, {rows}) i;
CREATE TABLE prod.orders (id bigint PRIMARY KEY, customer integer NOT NULL REFERENCES prod.customers,
  shipped_to text, total numeric(8, 2));
INSERT INTO prod.orders SELECT i, i, 'person' || i || '@mail.example', i % 1000 FROM generate_series(1, {rows}) i;
"""


class Recording:
    """Lines of both terminals, each beside what the other shows at that time."""

    def __init__(self):
        self.begun = time.monotonic()
        self.lock = threading.Lock()

    def line(self, left="", right=""):
        """Prints a line of one of them."""
        with self.lock:
            at = f"{time.monotonic() - self.begun:5.1f}  "
            print(f"{at}{left:<{LEFT}}| {right}".rstrip(), flush=True)


def follow(db, recording, ended):
    """What another session sees, twice a second, as long as it changes."""
    last = None
    while not ended.wait(0.5):
        for phase, table, done, percent, rate, left, workers in db.rows(PROGRESS):
            shown = (phase, table, done)
            if shown == last:
                continue
            last = shown
            right = f"{phase:<23}"
            if table:
                right += f"{table:<10} {done or 0:>9,} rows  {percent or 0:>3} %"
                right += f"  {rate:>7,}/s" if rate else " " * 11
                right += f"  {left} s left" if left is not None else " " * 10
            recording.line(right=f"{right}  {', '.join(workers or [])}")


def main():
    server = Server("record", "shared_buffers=1GB", "max_wal_size=8GB", "work_mem=64MB")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        db.execute(TABLES.format(rows=ROWS))
        db.execute("VACUUM ANALYZE")
        db.load(profile({
            "customers": {"email": "mail", "phone": "phone", "first_name": "hash", "last_name": "hash"},
            "orders": {"shipped_to": "mail"}}, name="shop"))
        db.sync(profile="shop")
        db.execute("CHECKPOINT")
        recording, ended = Recording(), threading.Event()
        print(f"{'s':>5}  {'psql':<{LEFT}}| SELECT … FROM confiture.sync_progress, in another session")
        print("-" * 150)
        for line in f"{CALL}\n".splitlines():
            recording.line(left=line)
        watching = threading.Thread(target=follow, args=(db.session(), recording, ended))
        watching.start()
        environment = {**server.environment, "PGOPTIONS": "-c statement_timeout=0"}
        with subprocess.Popen(
            [str(server.bindir / "psql"), "-X", "-q", "-d", db.name, "-c", "\\timing", "-c", CALL],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as psql:
            for text in psql.stdout:
                text = text.rstrip()
                while text:
                    recording.line(left=text[: LEFT - 1])
                    text = text[LEFT - 1 :]
        ended.set()
        watching.join()
        assert psql.returncode == 0
    finally:
        server.stop()


if __name__ == "__main__":
    main()
