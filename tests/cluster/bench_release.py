"""What a release costs, by the same two-stage SQL without noise written by hand: ratios of one run.

Ten rows for each customer, who has them in several countries, so that his group is taken by lot. By
hand: what each customer has in each country is summed, one country of each is taken, and totals are
clamped. The one-stage GROUP BY beside it protects nobody. Then the aggregates for a trusted analyst
beside the plain ones. All take turns; the medians count.

ROWS=1000000 TURNS=3 SUMMED=weight WORKERS=0 python bench_release.py
"""

import os
import time

from server import Server

ROWS = int(os.environ.get("ROWS", "10000000"))
TURNS = int(os.environ.get("TURNS", "5"))
WORKERS = tuple(int(number) for number in os.environ.get("WORKERS", "0 2").split())

TABLE = f"""
CREATE TABLE orders AS
SELECT h % {max(ROWS // 10, 1)} AS customer, (ARRAY['DE', 'FR', 'IT', 'ES', 'PT'])[1 + h / 7 % 5] AS country,
       (h / 3 % 90)::integer AS age, (h / 11 % 30000)::integer AS pieces,
       (h / 11 % 30000 / 100.0)::numeric(10, 2) AS amount, (h / 13 % 30000 / 7.0)::float8 AS weight
  FROM (SELECT hashint8(i) & 2147483647 AS h FROM generate_series(1, {ROWS}) AS i) AS r
"""

COLUMNS = """{"age": {"lower": 0, "upper": 120}, "pieces": {"lower": 0, "upper": 90000},
 "amount": {"lower": 0, "upper": 900}, "weight": {"lower": 0, "upper": 20000},
 "country": {"keys": ["DE", "ES", "FR", "IT", "PT"]}}"""

UPPER = {"pieces": 90000, "amount": 900, "weight": 20000}
SUMMED = os.environ.get("SUMMED", " ".join(UPPER)).split()

# What is asked, with the column that is summed.
BY_COUNTRY = "group_by => '{country}'"
RELEASE = """SELECT count(*) FROM anon_dp_release('orders',
  '[{{"count": "*"}}, {{"sum": "{column}"}}, {{"avg": "age"}}]', 1{groups})"""
BY_HAND = """
SELECT country, count(*), sum(least(greatest(total, 0), {upper})),
       avg(least(greatest(mean, 0), 120))
  FROM (SELECT country, sum({column}) AS total, avg(age) AS mean,
               row_number() OVER (PARTITION BY customer
                 ORDER BY hashtextextended(country, customer)) AS place
          FROM orders
         WHERE customer IS NOT NULL AND country IN ('DE', 'ES', 'FR', 'IT', 'PT')
         GROUP BY customer, country) AS t
 WHERE place <= 1 GROUP BY country"""
BY_HAND_OF_ALL = """
SELECT count(*), sum(least(greatest(total, 0), {upper})), avg(least(greatest(mean, 0), 120))
  FROM (SELECT sum({column}) AS total, avg(age) AS mean FROM orders
         WHERE customer IS NOT NULL GROUP BY customer) AS t"""
ONE_STAGE = "SELECT country, count(*), sum({column}), avg(age) FROM orders GROUP BY country"

PLAIN = {
    "anon_dp_count(customer, 1)": "count(customer)",
    "anon_dp_sum(customer, pieces, 0, 90000, 1)": "sum(pieces)",
    "anon_dp_sum(customer, amount, 0, 900, 1)": "sum(amount)",
    "anon_dp_sum(customer, weight, 0, 20000, 1)": "sum(weight)",
    "anon_dp_avg(customer, age, 0, 120, 1)": "avg(age)",
}


def seconds(db, statement):
    begun = time.perf_counter()
    db.execute(statement)
    return time.perf_counter() - begun


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


def medians(db, statements):
    """The median of each statement; all of them take turns."""
    taken = {name: [] for name in statements}
    for _ in range(TURNS):
        for name, statement in statements.items():
            taken[name].append(seconds(db, statement))
    return {name: middle(numbers) for name, numbers in taken.items()}


def main():
    server = Server("benchrelease", "shared_buffers=1GB", "work_mem=64MB", "jit=off")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0; SET confiture.dp_max_epsilon = 100")
        db.execute(TABLE)
        db.execute("VACUUM ANALYZE orders")
        db.execute("SELECT anon_dp_budget_create('bench', 1000000)")
        db.execute("SELECT anon_dp_budget_grant('bench', session_user::text)")
        db.execute("SELECT anon_dp_register('orders', 'orders', 'customer', 'bench', %s)", [COLUMNS])
        print(f"{ROWS} rows of {max(ROWS // 10, 1)} customers; medians of {TURNS} turns.")
        print("\n| release of count, sum, mean | workers | s | by hand, s | × by hand | × one stage |")
        print("|---|---|---|---|---|---|")
        for workers in WORKERS:
            db.execute(f"SET max_parallel_workers_per_gather = {workers}")
            for column in SUMMED:
                upper = UPPER[column]
                statements = {
                    "release": RELEASE.format(column=column, groups=f", {BY_COUNTRY}"),
                    "by hand": BY_HAND.format(column=column, upper=upper),
                    "one stage": ONE_STAGE.format(column=column),
                    "release of all": RELEASE.format(column=column, groups=""),
                    "by hand of all": BY_HAND_OF_ALL.format(column=column, upper=upper),
                }
                took = medians(db, statements)
                kind = db.value("SELECT format_type(atttypid, NULL) FROM pg_attribute"
                                " WHERE attrelid = 'orders'::regclass AND attname = %s", [column])
                for what, hand in (("release", "by hand"), ("release of all", "by hand of all")):
                    groups = "by country" if what == "release" else "of all"
                    print(f"| {groups}, {kind} | {workers} | {took[what]:.2f} | {took[hand]:.2f} |"
                          f" {took[what] / took[hand]:.2f} | {took[what] / took['one stage']:.2f} |",
                          flush=True)
        db.execute("SET max_parallel_workers_per_gather = 0; SET confiture.dp_budget = 'bench'")
        print("\n| aggregate | s | plain, s | × plain |")
        print("|---|---|---|---|")
        for call, plain in PLAIN.items():
            took = medians(db, {of: f"SELECT {of} FROM orders" for of in (call, plain)})
            print(f"| `{call}` | {took[call]:.2f} | {took[plain]:.2f} |"
                  f" {took[call] / took[plain]:.1f} |", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
