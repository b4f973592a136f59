"""Measures runs of one, ten and a hundred million rows: see `make bench-large`.

Five columns of one table masked, in mode swap with two workers. The time of the load must grow as the
rows do, the memory of the run and its workers must not, and no value may survive. Takes half an hour
and about sixty gigabytes of disk; ROWS=1000000,10000000 measures less.

work_mem is 32 MB: with less of it a join of the checks has so many parts that their buffers are more.
"""

import os
import threading
import time
from pathlib import Path

from samples import profile
from server import Server
from swapping import swap

SIZES = [int(rows) for rows in os.environ.get("ROWS", "1000000,10000000,100000000").split(",")]
WORKERS = int(os.environ.get("WORKERS", "2"))

TABLE = """
CREATE TABLE prod.people (id bigint NOT NULL, email text NOT NULL, phone text, first_name text,
  last_name text, company text, city integer, joined date)
"""
ROWS = """
INSERT INTO prod.people
SELECT i, 'person' || i || '@mail.example', '+33 1 ' || lpad((i % 100000000)::text, 8, '0'),
       'First' || i % 5003, 'Last' || i % 70001, 'Company ' || i % 30011, i % 1000,
       date '2000-01-01' + (i % 9000)::int
  FROM generate_series({first}::bigint, {last}) AS i
"""
RULES = {"email": "mail", "phone": "phone", "first_name": "hash", "last_name": "hash", "company": "hash"}
OF_RUN = """
SELECT (SELECT sum(value::numeric) / 1000 FROM jsonb_each_text(details -> 'milliseconds')),
       verification_passed
  FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1
"""
# Not by the run's own check: every address and number of the source is looked for in the target.
SURVIVING = """
SELECT (SELECT count(*) FROM staging.people t JOIN prod.people s USING (email)),
       (SELECT count(*) FROM staging.people t JOIN prod.people s USING (id) WHERE t.phone = s.phone)
"""


class Memory(threading.Thread):
    """The most memory of its own that a run and each of its workers had in each phase, in MiB."""

    def __init__(self, server, database, pid):
        super().__init__(daemon=True)
        self.connection = server.connect(database)
        self.pid, self.most, self.ended = pid, {}, threading.Event()
        self.start()

    def run(self):
        helping = """SELECT pid, (SELECT phase FROM confiture.sync_progress LIMIT 1)
                       FROM pg_stat_activity WHERE leader_pid = %s OR pid = %s"""
        while not self.ended.wait(0.2):
            for pid, phase in self.connection.execute(helping, [self.pid, self.pid]).fetchall():
                kind = "run" if pid == self.pid else "worker"
                self.most[kind, phase] = max(self.most.get((kind, phase), 0), anonymous(pid))

    def end(self):
        self.ended.set()
        self.join()

    def said(self, kind):
        """While rows are loaded, and the most of any phase, which is named."""
        of = {phase: most for (of, phase), most in self.most.items() if of == kind and phase}
        highest = max(of, key=of.get)
        return f"{of.get('loading', 0):.0f}; {of[highest]:.0f}, {highest}"


def anonymous(pid):
    """MiB of a process that no other has; shared buffers are not among them."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0)


def main():
    server = Server("large", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h",
                    "work_mem=32MB", "maintenance_work_mem=32MB", "wal_level=minimal", "max_wal_senders=0",
                    "synchronous_commit=off")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0; CREATE SCHEMA prod")
        db.execute(TABLE)
        print(f"Mode swap, {WORKERS} workers, {len(RULES)} masked columns.\n")
        print("| rows | load, s | rows/s | µs per row | whole run, s | memory of the run, MiB | of a worker |"
              " values that survived |")
        print("|---|---|---|---|---|---|---|---|")
        loaded = 0
        for size in SIZES:
            db.execute(ROWS.format(first=loaded + 1, last=size))
            if not loaded:
                db.execute("ALTER TABLE prod.people ADD PRIMARY KEY (id)")
                db.load(profile({"people": RULES}))
                db.sync()
            loaded = size
            db.execute("VACUUM (ANALYZE, FREEZE) prod.people")
            db.execute("CHECKPOINT")
            runner = db.session()
            runner.execute("SET statement_timeout = 0")
            memory = Memory(server, db.name, runner.pid())
            begun = time.monotonic()
            runner.sync(options=swap(workers=WORKERS, progress=0))
            whole = time.monotonic() - begun
            memory.end()
            load, passed = db.rows(OF_RUN)[0]
            assert passed
            db.execute("SET work_mem = '256MB'")
            surviving = sum(db.rows(SURVIVING)[0])
            load = float(load)
            print(f"| {size:,} | {load:.1f} | {size / load:,.0f} | {load / size * 1e6:.3f} | {whole:.1f} |"
                  f" {memory.said('run')} | {memory.said('worker')} | {surviving} |", flush=True)
            runner.connection.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
