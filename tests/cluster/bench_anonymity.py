"""What the measures of anonymity cost, by one GROUP BY over the same columns: ratios of one run.

A million rows of five quasi-identifiers, in few classes as after a generalization, and in nearly as
many as rows. The medians of several turns, taken one after the other.

python bench_anonymity.py
"""

import time

from server import Server

ROWS = 1_000_000
TURNS = 5
KEYS = "{age,zip,sex,race,edu}"

TABLES = {
    "few classes": "(h % 8) * 10 AS age, 'z' || h / 8 % 20 AS zip, chr(97 + h / 160 % 2) AS sex,"
    " 'race ' || h / 320 % 5 AS race, 'education ' || h / 1600 % 4 AS edu",
    "many classes": "h % 90 AS age, 'z' || h / 90 % 9000 AS zip, chr(97 + h % 2) AS sex,"
    " 'race ' || h / 7 % 5 AS race, 'education ' || h / 11 % 16 AS edu",
}

GROUPED = "SELECT count(*) FROM (SELECT count(*) FROM t GROUP BY age, zip, sex, race, edu) AS c"
MEASURES = {
    "k": f"SELECT anon_k_anonymity('t', '{KEYS}')",
    "risk": f"SELECT count(*) FROM anon_reid_risk('t', '{KEYS}')",
    "l distinct": f"SELECT anon_l_diversity('t', '{KEYS}', 'disease')",
    "l entropy": f"SELECT anon_l_diversity('t', '{KEYS}', 'disease', 'entropy')",
    "t equal": f"SELECT anon_t_closeness('t', '{KEYS}', 'disease')",
    "t ordered": f"SELECT anon_t_closeness('t', '{KEYS}', 'hours')",
    "t numeric": f"SELECT anon_t_closeness('t', '{KEYS}', 'hours', 'numeric')",
    "t hierarchical": (
        f"SELECT anon_t_closeness('t', '{KEYS}', 'disease', hierarchy => 'diseases')"
    ),
    "delta": f"SELECT delta FROM anon_delta_disclosure('t', '{KEYS}', 'disease')",
    "report on two columns": f"SELECT anon_privacy_report('t', '{KEYS}', '{{disease,hours}}')",
}


def seconds(db, statement):
    begun = time.perf_counter()
    db.execute(statement)
    return time.perf_counter() - begun


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


def main():
    server = Server("benchanon", "shared_buffers=512MB", "work_mem=64MB", "jit=off")
    try:
        db = server.create_database(key=False)
        db.execute("SET statement_timeout = 0")
        db.execute(
            "CREATE TABLE diseases AS SELECT 'all' AS value, NULL AS parent UNION ALL"
            " SELECT 'kind ' || i, 'all' FROM generate_series(0, 3) AS i UNION ALL"
            " SELECT 'disease ' || i, 'kind ' || i / 4 FROM generate_series(0, 13) AS i"
        )
        for kind, columns in TABLES.items():
            db.execute("DROP TABLE IF EXISTS t")
            db.execute(
                f"CREATE TABLE t AS SELECT {columns}, 'disease ' || h / 13 % 14 AS disease,"
                " h / 17 % 94 AS hours FROM (SELECT"
                " hashint8(i) & 2147483647 AS h FROM"
                f" generate_series(1, {ROWS}) AS i) AS r"
            )
            db.execute("VACUUM ANALYZE t")
            classes = db.value(GROUPED)
            for workers in (0, 2):
                db.execute(f"SET max_parallel_workers_per_gather = {workers}")
                taken = {name: [] for name in ("group by", *MEASURES)}
                for _ in range(TURNS):
                    taken["group by"].append(seconds(db, GROUPED))
                    for name, statement in MEASURES.items():
                        taken[name].append(seconds(db, statement))
                base = middle(taken.pop("group by"))
                print(
                    f"\n{kind}: {classes} of {ROWS} rows, GROUP BY {base:.3f} s"
                    f" with {workers} parallel workers"
                )
                for name, numbers in taken.items():
                    print(f"| {name} | {middle(numbers) / base:.2f} |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
