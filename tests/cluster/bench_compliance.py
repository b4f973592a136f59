"""Measures reports and matrix over many tables, runs and requests, beside the verification of the
ledger in them.

TABLES=500 RUNS=10000 REQUESTS=10000 python bench_compliance.py
"""

import os
import statistics
import time

from server import Server

TABLES = int(os.environ.get("TABLES", "500"))
RUNS = int(os.environ.get("RUNS", "10000"))
REQUESTS = int(os.environ.get("REQUESTS", "10000"))

ROUNDS = 5

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


REQUEST = (
    "  r-{number}: {{right: access, received_on: 2026-01-05, jurisdiction: EU, manner: e-mail,"
    " acknowledged_on: 2026-01-06, responded_on: 2026-01-20, decision: complied,"
    " response: A copy of all that is held was sent by mail}}\n"
)

# As many as one document holds.
AT_ONCE = 5000

ANSWERS = {
    **{
        f"report of {law}, {form}": f"SELECT confiture.compliance_report('{law}', '{form}')"
        for law in ("gdpr", "ccpa", "pipl", "popia", "lgpd", "pipeda", "privacy_act")
        for form in (("json", "html") if law == "gdpr" else ("json",))
    },
    "matrix": "SELECT * FROM confiture.compliance_matrix()",
    "gaps": "SELECT * FROM confiture.compliance_gaps()",
    "verify_ledger": "SELECT * FROM confiture.verify_ledger()",
}


def seconds(db, sql):
    """How long a statement takes."""
    begun = time.monotonic()
    db.rows(sql)
    return time.monotonic() - begun


def tell(db, about):
    """Prints the median and the longest of some turns of each answer."""
    print(f"\n{about}\n\n| answer | median, s | longest, s |\n|---|---|---|")
    taken = {name: [] for name in ANSWERS}
    for _ in range(ROUNDS):
        for name, sql in ANSWERS.items():
            taken[name].append(seconds(db, sql))
    for name, times in taken.items():
        print(f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} |", flush=True)


def main():
    """Makes tables and runs, then requests, and asks for the answers after each."""
    server = Server("bench-compliance")
    try:
        db = server.create_database()
        db.psql("-f", "-", stdin=SCHEMA.format(tables=TABLES))
        begun = time.monotonic()
        for _ in range(RUNS // 500):
            db.execute(RUN)
        print(f"{RUNS} runs made in {time.monotonic() - begun:.1f} s")
        db.execute("ANALYZE")
        tell(db, f"{TABLES} tables, {RUNS} runs")
        for first in range(0, REQUESTS, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, REQUESTS))
            requests = "".join(REQUEST.format(number=number) for number in numbers)
            db.value(
                "SELECT confiture.load_controller(%s)",
                [f"valid_from: 2026-01-01\nrights_requests:\n{requests}"],
            )
        db.execute("ANALYZE")
        tell(db, f"{TABLES} tables, {RUNS} runs, {REQUESTS} requests")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
