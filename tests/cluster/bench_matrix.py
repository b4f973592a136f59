"""How long the matrix takes over 500 tables: the first answer of a session, which reads the rules,
and later ones.

python bench_matrix.py
"""

import statistics
import time

from server import Server

TIMES = 9


def milliseconds(session, sql):
    begun = time.perf_counter()
    session.rows(sql)
    return (time.perf_counter() - begun) * 1000


def main():
    server = Server("benchmatrix")
    try:
        db = server.create_database()
        db.execute("CREATE SCHEMA shop")
        for number in range(500):
            db.execute(
                f"CREATE TABLE shop.t{number} (id int PRIMARY KEY, email text, phone text,"
                " name text, birth_date date, note text)"
            )
        db.value(
            "SELECT confiture.load_controller(%s)",
            [
                "incidents: {leak: {known_at: '2026-11-27T18:00:00Z'}}\n"
                "activities: {a: {name: A, purpose: p, legal_basis: contract}}"
            ],
        )
        calls = {
            "matrix": "SELECT * FROM confiture.compliance_matrix()",
            "gaps": "SELECT * FROM confiture.compliance_gaps()",
            "conflicts": "SELECT * FROM confiture.compliance_conflicts()",
            "minimum": "SELECT * FROM confiture.compliance_minimum()",
            "timers": "SELECT * FROM confiture.incident_deadlines('leak')",
            "rules": "SELECT * FROM confiture.rules_in_use()",
        }
        for name, sql in calls.items():
            session = db.session()
            first = milliseconds(session, sql)
            later = statistics.median(milliseconds(session, sql) for _ in range(TIMES))
            print(f"{name}: first {first:.0f} ms, then {later:.0f} ms, {first / later:.1f} times")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
