"""Measures a report over many tables and runs, beside the verification of the ledger in it."""

import os
import time

from server import Server

TABLES = int(os.environ.get("TABLES", "500"))
RUNS = int(os.environ.get("RUNS", "10000"))

SCHEMA = """
CREATE SCHEMA prod;
CREATE SCHEMA staging;
SELECT format('CREATE TABLE %I.t%s (id int PRIMARY KEY, first_name text, last_name text,'
              ' email text, phone text, city text, iban text, note text, amount numeric,'
              ' created_at timestamptz, status text, parent_id int)', s, i)
  FROM unnest(ARRAY['prod', 'staging']) AS s, generate_series(1, {tables} / 2) AS i
\\gexec
INSERT INTO prod.t1 (id, email) VALUES (1, 'a@mail.example');
INSERT INTO staging.t1 (id, email) VALUES (1, 'b@mail.example');
"""

RUN = """
DO $$
BEGIN
  FOR i IN 1 .. 500 LOOP
    PERFORM confiture.begin_run('by hand', 'prod', 'staging');
    PERFORM confiture.track('t1', 'email', id::text, email, 'b@mail.example'::text) FROM prod.t1;
    PERFORM confiture.end_run();
  END LOOP;
END
$$
"""


def best(db, sql, rounds=3):
    """The fastest of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        begun = time.monotonic()
        db.execute(sql)
        times.append(time.monotonic() - begun)
    return min(times)


def main():
    """Makes the tables and runs, then the reports."""
    server = Server("bench-compliance")
    try:
        db = server.create_database()
        db.psql("-f", "-", stdin=SCHEMA.format(tables=TABLES))
        begun = time.monotonic()
        for _ in range(RUNS // 500):
            db.execute(RUN)
        print(f"{RUNS} runs made in {time.monotonic() - begun:.1f} s")
        db.execute("ANALYZE")
        whole = best(db, "SELECT confiture.compliance_report('gdpr')")
        page = best(db, "SELECT confiture.compliance_report('gdpr', 'html')")
        verify = best(db, "SELECT count(*) FROM confiture.verify_ledger()")
        print(f"{TABLES} tables, {RUNS} runs: json {whole:.2f} s, html {page:.2f} s")
        print(f"of which verify_ledger {verify:.2f} s: {verify / whole:.0%}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
